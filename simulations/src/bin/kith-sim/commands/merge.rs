//! `kith-sim merge`

use std::collections::BTreeMap;

use kith_simulations::study::{
    folder::{Folder, Manifest},
    outputs,
    sweep::Plan,
};

use crate::{Failure, args::MergeArgs};

/// Puts the results of all shards together.
pub fn run(args: &MergeArgs) -> Result<(), Failure> {
    let mut whole: Option<Manifest> = None;
    let mut files = BTreeMap::new();
    for path in &args.folders {
        let (folder, manifest) = Folder::open(path)?;
        let whole = whole.get_or_insert_with(|| Manifest {
            runs: BTreeMap::new(),
            ..manifest.clone()
        });
        let bare = Manifest {
            runs: BTreeMap::new(),
            ..manifest.clone()
        };
        let known = Manifest {
            runs: BTreeMap::new(),
            ..whole.clone()
        };
        if bare != known {
            let said = format!(
                "{}: these are results of another scenario, version or seeds",
                path.display()
            );
            return Err(Failure::of(said));
        }
        for (name, hash) in &manifest.runs {
            if whole
                .runs
                .insert(name.clone(), hash.clone())
                .is_some_and(|other| other != *hash)
            {
                return Err(Failure::of(format!(
                    "{}: {name} differs from another folder's",
                    path.display()
                )));
            }
            files.entry(name.clone()).or_insert_with(|| folder.clone());
        }
    }
    let Some(whole) = whole else {
        return Err(Failure::of_usage("name the folders of the shards"));
    };
    let (first, _) = Folder::open(&args.folders[0])?;
    let scenario = first.scenario()?;
    let missing = Plan::of_manifest(&scenario, &whole).missing(&whole);
    if let Some(one) = missing.first() {
        let said = format!(
            "{} runs are missing, {one} first: name the folders of all shards",
            missing.len()
        );
        return Err(Failure::of(said));
    }
    let out = Folder::at(&args.out)?;
    out.write("scenario.toml", scenario.text.as_bytes())?;
    for (name, folder) in &files {
        let bytes = folder.run_bytes(name, &whole.runs[name])?;
        out.write(&format!("runs/{name}"), &bytes)?;
    }
    out.write_manifest(&whole)?;
    outputs::write(&out, &whole)?;
    println!("{} runs are in {}", whole.runs.len(), args.out.display());
    Ok(())
}
