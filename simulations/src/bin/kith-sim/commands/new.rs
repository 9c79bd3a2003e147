//! `kith-sim new`

use kith_simulations::study::library;

use crate::{Failure, args::NewArgs};

/// Writes a scenario file to begin with.
pub fn run(args: &NewArgs) -> Result<(), Failure> {
    if args.list {
        for (name, _) in library::ALL {
            println!("{name}");
        }
        return Ok(());
    }
    let from = args.from.as_deref().unwrap_or("respect-availability");
    let text = library::named(from).ok_or_else(|| {
        let names: Vec<_> = library::ALL.iter().map(|(name, _)| *name).collect();
        Failure::of_usage(format!(
            "there is no scenario {from}: write one of {}",
            names.join(", ")
        ))
    })?;
    let file = &args.file;
    if file.exists() {
        return Err(Failure::of(format!(
            "{} is there already, and stays as it is",
            file.display()
        )));
    }
    std::fs::write(file, text)
        .map_err(|error| Failure::of(format!("{}: {error}", file.display())))?;
    println!(
        "Wrote {}. Look at its numbers, then: kith-sim check {0}",
        file.display()
    );
    Ok(())
}
