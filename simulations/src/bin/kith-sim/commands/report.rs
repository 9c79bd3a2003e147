//! `kith-sim report`

use kith_simulations::study::{folder::Folder, outputs, sweep::Plan};

use crate::{Failure, args::FolderArgs};

/// Writes the tables and the report of a folder again.
pub fn run(args: &FolderArgs) -> Result<(), Failure> {
    let (folder, manifest) = Folder::open(&args.folder)?;
    let scenario = folder.scenario()?;
    let missing = Plan::of_manifest(&scenario, &manifest)
        .missing(&manifest)
        .len();
    if missing > 0 {
        let said = format!(
            "{missing} runs are missing: go on with kith-sim run --resume, or merge the shards"
        );
        return Err(Failure::of(said));
    }
    outputs::write(&folder, &manifest)?;
    println!("{}", folder.file("report.html").display());
    Ok(())
}
