//! Writes made-up people as files: `cargo run -p kith-crdt --example samples -- SEED COUNT DIR`.

use std::{error::Error, fs, path::Path};

use kith_crdt::samples::{Sample, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [seed, count, dir] = args.as_slice() else {
        return Err("say: samples SEED COUNT DIR".into());
    };
    let (seed, count) = (seed.parse()?, count.parse()?);
    for number in 0..count {
        write(&sample(seed, number), number, Path::new(dir))?;
    }
    Ok(())
}

/// One folder a person: a file a bundle, and what is added from day to day as lines.
fn write(sample: &Sample, number: u32, dir: &Path) -> std::io::Result<()> {
    let dir = dir.join(format!("{number:04}"));
    fs::create_dir_all(&dir)?;
    for (organisation, bundle) in sample.organisations.iter().zip(&sample.bundles) {
        fs::write(
            dir.join(format!("{}.json", organisation.code)),
            &bundle.text,
        )?;
    }
    let lines: String = sample
        .daily
        .iter()
        .map(|e| format!("{}\n", e.text))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    fs::write(dir.join("daily.ndjson"), lines)
}
