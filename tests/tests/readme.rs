//! The README's commands, as they stand: each must do what it is there for.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use crate::harness::{kith, until};

/// The lines of the block below "Try it".
fn commands() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, below) = readme.split_once("## Try it\n").expect("a section");
    let block = below.split("```").nth(1).expect("a block of commands");
    let lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

struct Reader<'a> {
    folder: &'a Path,
    record: String,
    link: String,
    running: Option<Child>,
}

impl Reader<'_> {
    fn bash(&self, line: &str) -> Command {
        let line = line
            .replace("RECORD", &self.record)
            .replace("LINK", &self.link)
            // Several of these may run at once on one machine.
            .replace("127.0.0.1:4712", "127.0.0.1:0");
        let programs = kith().parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.args(["-c", &line]).current_dir(self.folder);
        bash.env("PATH", format!("{}:{path}", programs.display()));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KITH_") {
                bash.env_remove(name);
            }
        }
        bash.stdin(Stdio::null());
        bash
    }

    fn does(&self, line: &str) -> Output {
        let output = self.bash(line).output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{said}");
        output
    }

    /// Reads on as somebody at a terminal would.
    fn follows(&mut self, line: &str) {
        if let Some(samples) = line.strip_prefix("cargo run -p kith-crdt --example samples -- ") {
            let program = kith().with_file_name("examples").join("samples");
            self.does(&format!("{} {samples}", program.display()));
        } else if let Some(background) = line.strip_suffix(" &") {
            let mut bash = self.bash(&format!("exec {background}"));
            bash.stdout(Stdio::null()).stderr(Stdio::null());
            self.running = Some(bash.spawn().expect("it starts"));
            let socket = self.folder.join("practice/kith.sock");
            until("the node answers", || socket.exists());
        } else if line.starts_with("kith ") {
            let output = self.does(line);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if line.ends_with("record list") {
                let listed = self.does(&format!("{line} --json"));
                let listed: serde_json::Value =
                    serde_json::from_slice(&listed.stdout).expect("one object");
                let id = listed["records"][0]["record"].as_str().expect("a record");
                self.record = id[..12].to_owned();
            }
            if line.contains(" share ") {
                let link = said
                    .split_whitespace()
                    .find(|word| word.starts_with("kith:"));
                self.link = link.expect("a link is printed").to_owned();
            }
            if line.contains("daughter show") {
                assert!(said.contains("allergies: "), "{said}");
            }
        } else {
            assert!(
                line.starts_with("cargo build --release") || line.starts_with("export PATH="),
                "nobody tries {line:?}"
            );
        }
    }
}

#[test]
fn whoever_follows_the_readme_shares_a_record_and_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut reader = Reader {
        folder: folder.path(),
        record: String::new(),
        link: String::new(),
        running: None,
    };
    for line in commands() {
        reader.follows(&line);
    }
    let mut running = reader.running.take().expect("a node was started");
    running.kill().expect("it is stopped");
    running.wait().expect("it ends");
    assert!(!reader.link.is_empty());
}
