//! The pure crates: no files, no sockets, no clock, no threads, no hidden randomness, no order
//! that differs from run to run. Clippy enforces it by type; here it is enforced that clippy is
//! told so, and the words are looked for as text.

use super::{none, root, text, tree::files_under};

const PURE: [&str; 2] = ["crdt", "protocol"];

const METHODS: [&str; 3] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::spawn",
];

const TYPES: [&str; 3] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::sync::Mutex",
];

const WORDS: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime",
    "Instant::now",
    "thread::spawn",
    "HashMap",
    "HashSet",
    "getrandom",
    "OsRng",
];

/// Bans that a clippy.toml lacks.
fn missing_bans(clippy: &str) -> Vec<String> {
    let lists = [("disallowed-methods", METHODS), ("disallowed-types", TYPES)];
    lists
        .into_iter()
        .flat_map(|(key, banned)| {
            let stated = paths(clippy, key);
            banned
                .into_iter()
                .filter(move |path| !stated.contains(path))
                .map(move |path| format!("{key} does not ban {path}"))
        })
        .collect()
}

/// The `path = "…"` of each entry in the list `key`, comments left out.
fn paths<'a>(toml: &'a str, key: &str) -> Vec<&'a str> {
    toml.lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with(&format!("{key} = [")))
        .take_while(|line| *line != "]")
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("path = \"")?.1.split('"').next())
        .collect()
}

/// Forbidden words in a source text, outside comments and test modules.
fn impure_lines(place: &str, source: &str) -> Vec<String> {
    product_lines(source)
        .into_iter()
        .flat_map(|(number, line)| {
            let code = line.split("//").next().unwrap_or(line);
            let said = WORDS.into_iter().filter(move |word| code.contains(word));
            said.map(move |word| format!("{place}:{number}: {word}"))
        })
        .collect()
}

/// The numbered lines of a file without its `#[cfg(test)]` modules.
fn product_lines(source: &str) -> Vec<(usize, &str)> {
    let mut lines = (1..).zip(source.lines());
    let mut kept = Vec::new();
    let mut for_tests = false;
    while let Some((number, line)) = lines.next() {
        if for_tests && line.starts_with("mod ") && line.ends_with('{') {
            lines.by_ref().find(|(_, line)| *line == "}");
        } else if !line.starts_with("#[cfg(test)]") {
            kept.push((number, line));
        }
        for_tests = line.starts_with("#[cfg(test)]");
    }
    kept
}

/// Whether a file holds nothing but tests: `tests.rs` or what lies in a folder `tests`.
fn is_for_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[test]
fn clippy_is_told_what_the_pure_crates_never_touch() {
    for folder in PURE {
        none(&missing_bans(&text(&format!("{folder}/clippy.toml"))));
    }
}

#[test]
fn a_ban_that_was_taken_out_is_found() {
    let clippy = text("crdt/clippy.toml");
    for path in METHODS.into_iter().chain(TYPES) {
        assert_eq!(missing_bans(&clippy.replace(path, "x")).len(), 1, "{path}");
    }
    let commented = clippy.replace("    { path", "    # { path");
    assert_eq!(missing_bans(&commented).len(), METHODS.len() + TYPES.len());
}

#[test]
fn the_pure_crates_name_no_file_socket_clock_thread_or_randomness() {
    let mut found = Vec::new();
    let mut read = 0;
    for folder in PURE {
        for path in files_under(&root(), &format!("{folder}/src")) {
            if path.ends_with(".rs") && !is_for_tests(&path) {
                found.extend(impure_lines(&path, &text(&path)));
                read += 1;
            }
        }
    }
    none(&found);
    assert!(read > 20, "only {read} files were read");
}

#[test]
fn an_impure_line_is_found() {
    for word in WORDS {
        let source = format!("//! Says {word}.\nfn f() {{\n    {word}(); // {word}\n}}\n");
        assert_eq!(impure_lines("a.rs", &source), [format!("a.rs:3: {word}")]);
    }
    let beside = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\nuse std::net;\n";
    assert_eq!(impure_lines("a.rs", beside), ["a.rs:6: std::net"]);
    let elsewhere = "#[cfg(test)]\nmod tests;\n\nuse std::net;\n";
    assert_eq!(impure_lines("a.rs", elsewhere), ["a.rs:4: std::net"]);
}
