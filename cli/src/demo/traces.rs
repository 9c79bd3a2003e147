//! What the demo's engines were told and did, kept for comparing it with the simulator.

use std::{fs, io, path::Path};

use kith_node::{
    failure::{Ending, Failure},
    home::Home,
    node::traces_of,
    place::Place,
};

/// Copies the traces of every home of the place, a file for each run of a node.
pub fn keep(place: &Place, folder: &Path) -> Result<(), Failure> {
    copy(place, folder).map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("The traces were not kept in {}.", folder.display()),
            "Check that you may write there and that the disk has room.",
        )
        .because(&error)
    })
}

fn copy(place: &Place, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(place.folder())? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        for trace in traces_of(&Home::at(entry.path()))? {
            let mut name = entry.file_name();
            name.push("-");
            name.push(trace.file_name().unwrap_or_default());
            fs::copy(&trace, folder.join(name))?;
        }
    }
    Ok(())
}
