//! Plays traces of real nodes again and says what differs: `parity FILE…` (`docs/simulator.md`).

use std::{error::Error, process::ExitCode};

use kith_protocol::sync::trace::Step;
use kith_simulations::parity::replay;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let files: Vec<_> = std::env::args().skip(1).collect();
    if files.is_empty() {
        return Err("name the files of traces".into());
    }
    let mut ending = ExitCode::SUCCESS;
    for file in files {
        let steps = Step::read_all(&std::fs::read(&file)?)?;
        match replay(&steps) {
            Ok(same) => println!(
                "{file}: the same: {} inputs, {} calls of the shell, {} outputs, {} bytes of frames",
                same.inputs, same.calls, same.outputs, same.frames_len
            ),
            Err(difference) => {
                println!("{file}: {difference}");
                ending = ExitCode::FAILURE;
            }
        }
    }
    Ok(ending)
}
