//! Validates FHIR R4 files: `fhirkit-judge FILE…` prints each problem with its path and ends with 1
//! when there is any error.

use std::process::ExitCode;

use fhirkit::r4::Resource;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        eprintln!("usage: fhirkit-judge FILE…");
        return ExitCode::from(2);
    }
    let mut failures = 0;
    for path in &paths {
        for failure in judge(path) {
            println!("{path}: {failure}");
            failures += 1;
        }
    }
    eprintln!("{} files, {failures} failures", paths.len());
    ExitCode::from(u8::from(failures > 0))
}

fn judge(path: &str) -> Vec<String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return vec![error.to_string()],
    };
    match fhirkit::from_json::<Resource>(&text) {
        Ok((_, issues)) => issues.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}
