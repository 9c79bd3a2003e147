//! What the node says, as pages say it: where it names a command, pages name the place where the
//! same is done by clicking, and a time is one that people read. `kith ui`, which opens the pages,
//! is the one command that pages name themselves.

use super::words;

/// What is done by no page.
const AT_THE_COMPUTER: &str =
    "that is done at the computer on which this node runs, by whoever runs it";
const ADD: &str = "add it under \u{201c}Add\u{201d} of the record";
const APPS: &str = "look under \u{201c}Apps\u{201d}";
const FORMS: &str = "look under \u{201c}Add\u{201d} of the record, where its forms are";
const MESSAGES: &str = "look under \u{201c}Messages of other systems\u{201d}, in the inbox";
const REVIEW: &str = "look under \u{201c}To review\u{201d}";
const SHARING: &str = "look under \u{201c}Sharing\u{201d} of the record";
const SUMMARY: &str = "look under \u{201c}Summary\u{201d} of the record";
const TO_DO: &str = "look under \u{201c}To do\u{201d} of the record";

/// What is done in pages in place of each command; of several that fit the longest counts.
const PLACES: [(&str, &str); 59] = [
    ("add", ADD),
    (
        "backup",
        "make a backup under \u{201c}Backups\u{201d}, or look there",
    ),
    ("backup --check", AT_THE_COMPUTER),
    (
        "attest",
        "accept it on its own page, to which \u{201c}Summary\u{201d} leads",
    ),
    ("bench", AT_THE_COMPUTER),
    (
        "change",
        "change it on its own page, to which \u{201c}Summary\u{201d} leads",
    ),
    ("check", AT_THE_COMPUTER),
    ("completions", AT_THE_COMPUTER),
    ("connect", APPS),
    ("connect app", AT_THE_COMPUTER),
    ("connect fhir", AT_THE_COMPUTER),
    ("connect hl7", AT_THE_COMPUTER),
    ("demo", AT_THE_COMPUTER),
    ("devices", "look under \u{201c}Devices\u{201d}"),
    (
        "devices add",
        "add a device again under \u{201c}Devices\u{201d}",
    ),
    (
        "event",
        "write it down under \u{201c}To do\u{201d} of the record",
    ),
    ("events", AT_THE_COMPUTER),
    ("exit-codes", AT_THE_COMPUTER),
    ("explain", REVIEW),
    (
        "export",
        "take it under \u{201c}Download\u{201d} of the record",
    ),
    ("form", FORMS),
    ("form add", AT_THE_COMPUTER),
    ("form check", AT_THE_COMPUTER),
    ("form extract", AT_THE_COMPUTER),
    ("handover", TO_DO),
    (
        "household",
        "look under \u{201c}Sharing\u{201d} of the record, which leads to its household",
    ),
    (
        "import",
        "bring it in under \u{201c}Add\u{201d} of the record",
    ),
    ("inbox", MESSAGES),
    (
        "join",
        "use the invitation under \u{201c}I have an invitation\u{201d}, which stands under all records",
    ),
    ("man-pages", AT_THE_COMPUTER),
    ("plans", "look under \u{201c}Plans\u{201d} of the record"),
    ("record", "find the record on the first page"),
    ("record control", AT_THE_COMPUTER),
    (
        "record emergency",
        "look under \u{201c}Emergency page\u{201d} of the record",
    ),
    ("record emergency-open", AT_THE_COMPUTER),
    ("record new", "start a new record on the first page"),
    ("record readings", SUMMARY),
    (
        "record rules",
        "look at the rules, under \u{201c}To do\u{201d} of the record",
    ),
    ("record same", "say so under \u{201c}To review\u{201d}"),
    (
        "record timeline",
        "look under \u{201c}Timeline\u{201d} of the record",
    ),
    ("recover", AT_THE_COMPUTER),
    ("restore", AT_THE_COMPUTER),
    ("review", REVIEW),
    (
        "review admit",
        "say so on the page of the invitation, under \u{201c}To review\u{201d}",
    ),
    (
        "review decline",
        "say so on the page of the invitation, under \u{201c}To review\u{201d}",
    ),
    ("run", "whoever runs this node starts it again"),
    ("sandbox", AT_THE_COMPUTER),
    ("send", MESSAGES),
    ("setup", AT_THE_COMPUTER),
    ("share", SHARING),
    ("sharing", SHARING),
    ("show", SUMMARY),
    ("staff", "look under \u{201c}Staff\u{201d}"),
    ("staff add", "enter them under \u{201c}Staff\u{201d}"),
    (
        "status",
        "look under \u{201c}Connections\u{201d}, where all that is wrong stands",
    ),
    (
        "stop",
        "stop it under \u{201c}Sharing\u{201d} of the record",
    ),
    ("tasks", TO_DO),
    ("verify", AT_THE_COMPUTER),
    (
        "who-looked",
        "look under \u{201c}Who looked\u{201d} of the record",
    ),
];

/// What ends a part of a text that is said otherwise as a whole.
const ENDS: [&str; 5] = [". ", "? ", "! ", "; ", "\n"];

/// A text of the node as pages say it.
pub(super) fn told(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ends = ENDS
            .iter()
            .filter_map(|end| rest.find(end).map(|at| at + end.len()));
        let (part, next) = rest.split_at(ends.min().unwrap_or(rest.len()));
        told.push_str(&without_command(part));
        rest = next;
    }
    timed(&told)
}

/// A command in a text: where it begins, and what is done instead.
fn command(part: &str) -> Option<(usize, &'static str)> {
    part.match_indices("kith ").find_map(|(at, kith)| {
        let is_word = part[..at]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        let words = &part[at + kith.len()..];
        let fits = |name: &str| {
            let after = words.strip_prefix(name);
            after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        };
        let places = PLACES.iter().filter(|(name, _)| !is_word && fits(name));
        let (_, place) = places.max_by_key(|(name, _)| name.len())?;
        Some((at, *place))
    })
}

/// One part with its end.
fn without_command(part: &str) -> String {
    let Some((at, place)) = command(part) else {
        return part.to_owned();
    };
    let body = part.trim_end_matches(['.', '?', '!', ';', ' ', '\n']);
    let end = &part[body.len()..];
    if part[..at].ends_with('(') {
        let after = body[at..].split_once(')').map_or("", |(_, after)| after);
        return format!("{}{place}){after}{end}", &part[..at]);
    }
    if let Some((head, _)) = part[..at].rsplit_once(": ") {
        return format!("{head}: {place}{end}");
    }
    let begins_large = part.chars().next().is_some_and(char::is_uppercase);
    let place = match begins_large {
        true => words::capital(place),
        false => place.to_owned(),
    };
    format!("{place}{end}")
}

/// A text with each instant as people write it.
pub(super) fn timed(text: &str) -> String {
    let is_of_time = |c: char| c.is_ascii_digit() || "-:T.+Z".contains(c);
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        told.push_str(before);
        let len = from.find(|c: char| !is_of_time(c)).unwrap_or(from.len());
        let (whole, next) = from.split_at(len);
        let time = whole.trim_end_matches(['.', ':', '-', '+']);
        match time.contains('T') {
            true => told.push_str(&words::when(time)),
            false => told.push_str(time),
        }
        told.push_str(&whole[time.len()..]);
        rest = next;
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::{PLACES, command, timed, told};
    use crate::http::words;

    const REFERENCE: &str = include_str!("../../../docs/cli.md");

    #[test]
    fn every_command_has_its_place_in_pages_and_none_is_named() {
        let named = REFERENCE
            .lines()
            .filter_map(|line| line.strip_prefix("## kith "));
        let mut commands = 0;
        for name in named.filter(|name| *name != "ui") {
            commands += 1;
            let said = format!("Run kith {name} RECORD to see it. Nothing was changed.");
            let told = told(&said);
            assert!(command(&said).is_some(), "{name} has no place in pages");
            assert!(!told.contains("kith "), "{told}");
            assert!(told.ends_with(". Nothing was changed."), "{told}");
        }
        assert!(commands > 50);
        for (name, place) in PLACES {
            assert_eq!(command(place), None, "{name}");
        }
    }

    #[test]
    fn what_stands_around_a_command_stays() {
        for (said, as_told) in [
            (
                "Name one by its id: kith connect list shows them. Nothing was changed.",
                "Name one by its id: look under “Apps”. Nothing was changed.",
            ),
            (
                "Both stand until somebody chooses (kith review).",
                "Both stand until somebody chooses (look under “To review”).",
            ),
            (
                "It is kept. Look at it with kith inbox show 5; if you know whose it is: kith inbox link 5 RECORD",
                "It is kept. Look under “Messages of other systems”, in the inbox; if you know whose it is: look under “Messages of other systems”, in the inbox",
            ),
            (
                "kith cannot take back what they already have.",
                "kith cannot take back what they already have.",
            ),
        ] {
            assert_eq!(told(said), as_told);
        }
    }

    #[test]
    fn times_are_those_that_people_read() {
        let noon = words::when("2026-05-03T12:00:00Z");
        assert!(!noon.contains('T'), "{noon}");
        assert_eq!(
            timed("What was done until 2026-05-03T12:00:00Z stays."),
            format!("What was done until {noon} stays.")
        );
        assert_eq!(
            timed("It ended 2026-05-03T12:00:00Z."),
            format!("It ended {noon}.")
        );
        assert_eq!(timed("dose 2.5, page 3 of 4"), "dose 2.5, page 3 of 4");
    }
}
