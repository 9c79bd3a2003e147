//! Somebody else who is signed in on the same machine.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::Surgery;
use crate::harness::{skipped, text};

const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// What a command says to another user.
fn as_somebody_else(words: &[&str]) -> String {
    let mut command = Command::new("setpriv");
    command.args(NOBODY).arg("--").args(words);
    let output = command.stdin(Stdio::null()).output().expect("it is run");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn can_be_somebody_else() -> bool {
    let mut command = Command::new("setpriv");
    let ran = command.args(NOBODY).args(["--", "true"]).output();
    ran.is_ok_and(|ran| ran.status.success())
}

fn is_private(path: &Path) -> Result<(), String> {
    let mode = std::fs::symlink_metadata(path)
        .expect("it is there")
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(format!("{}: {mode:o}", path.display()))
    }
}

#[test]
fn a_second_user_of_the_machine_gets_nothing() {
    let surgery = Surgery::open();
    let home = surgery.node.home();
    // The folder above is the test's own and closed: it must be kith that keeps others out.
    let above = home.parent().expect("a folder");
    std::fs::set_permissions(above, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let mut open = vec![home.clone()];
    while let Some(path) = open.pop() {
        assert_eq!(is_private(&path), Ok(()));
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).expect("a folder");
            open.extend(inside.map(|entry| entry.expect("an entry").path()));
        }
    }
    if !can_be_somebody_else() {
        skipped("another user of this machine: that needs root and setpriv");
        return;
    }
    let (name, port) = surgery.visitor.host.split_once(':').expect("a port");
    for path in ["/", "/records", &surgery.page(""), "/live"] {
        let script = format!(
            "exec 3<>/dev/tcp/{name}/{port}; printf 'GET {path} HTTP/1.1\\r\\nHost: {name}:{port}\\r\\n\
             Connection: close\\r\\n\\r\\n' >&3; cat <&3"
        );
        let said = as_somebody_else(&["bash", "-c", &script]);
        assert!(said.starts_with("HTTP/1.1 401"), "{path}: {said}");
        assert!(!said.contains("Riverside"), "{said}");
    }
    let listed = as_somebody_else(&["ls", text(&home)]);
    assert!(listed.contains("denied"), "{listed}");
    let python = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])";
    let socket = home.join("kith.sock");
    assert!(socket.exists(), "the node answers commands there");
    let said = as_somebody_else(&["python3", "-c", python, text(&socket)]);
    assert!(
        said.contains("Permission") || said.contains("No such file"),
        "{said}"
    );
}
