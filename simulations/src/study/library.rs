//! Scenarios that come with the program.

/// Their names and texts.
pub const ALL: [(&str, &str); 1] = [(
    "respect-availability",
    include_str!("../../scenarios/respect-availability.toml"),
)];

/// One of them.
pub fn named(name: &str) -> Option<&'static str> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}
