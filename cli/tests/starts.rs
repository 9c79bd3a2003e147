//! The program starts. Its being here also makes `cargo test --workspace` build the program, in the
//! very form in which the stories of the crate `tests` run it.

use std::process::Command;

#[test]
fn it_says_its_version() {
    let said = Command::new(env!("CARGO_BIN_EXE_kith"))
        .arg("--version")
        .output()
        .expect("the program can be started");
    assert!(said.status.success());
    assert!(said.stdout.starts_with(b"kith "));
}
