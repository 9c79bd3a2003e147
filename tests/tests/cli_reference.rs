//! `docs/cli.md` is the help of every command, written by this test:
//! `KITH_WRITE_REFERENCE=1 cargo test -p kith-tests cli_reference`.

use std::path::PathBuf;

use crate::harness::Node;

const HEAD: &str =
    "# Command line\n\nThe help of every command, kept by `tests/tests/cli_reference.rs`.\n";

#[test]
fn the_reference_is_the_help() {
    let node = Node::nowhere();
    let mut said = HEAD.to_owned();
    describe(&node, &[], &mut said);
    said.push_str("\n## Exit codes\n\n```text\n");
    said.push_str(&node.kith(["exit-codes"]).done().text());
    said.push_str("```\n");
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md"));
    if std::env::var_os("KITH_WRITE_REFERENCE").is_some() {
        std::fs::write(&file, said).expect("docs can be written");
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == said,
        "docs/cli.md is not the help any more: run KITH_WRITE_REFERENCE=1 cargo test -p kith-tests cli_reference"
    );
}

/// A command's help, then that of the commands below it.
fn describe(node: &Node, command: &[&str], said: &mut String) {
    let mut words = command.to_vec();
    words.push("--help");
    let help = node.kith(&words).done().text();
    let name = [&["kith"], command].concat().join(" ");
    said.push_str(&format!(
        "\n## {name}\n\n```text\n{}\n```\n",
        trimmed(&help)
    ));
    for below in commands(&help) {
        describe(node, &[command, &[below]].concat(), said);
    }
}

/// Without space at the ends of lines.
fn trimmed(help: &str) -> String {
    let lines: Vec<_> = help.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}
