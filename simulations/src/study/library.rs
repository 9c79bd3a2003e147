//! Scenarios that come with the program.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*]
    };
}

/// Their names and texts.
pub const ALL: [(&str, &str); 8] = scenarios![
    "respect-availability",
    "fall-four-providers",
    "discharge-medicines-staleness",
    "supplier-outage-day",
    "carer-phone-duty-cycle",
    "revocation-reach",
    "rural-partition",
    "virtual-ward-bytes",
];

/// One of them.
pub fn named(name: &str) -> Option<&'static str> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}
