//! What is done today, and the federated record beside it.

use kith_crdt::Section;

use super::{
    Names, find,
    number::{Number, Numbers, Unit},
    people::unique,
    problem::{Problems, instead_of},
    table::Table,
    word,
};

/// How something is carried without a federated record.
#[derive(Clone, Debug)]
pub enum BaselineKind {
    /// A copy on paper at the patient's home.
    Paper {
        /// Until the copy is in the home, days.
        delay: Number,
        /// The share of new versions that are put into the home.
        replaced: Number,
        /// The share of needs at home at which it is found.
        found: Number,
        /// The share of needs elsewhere to which it came along.
        travels: Number,
    },
    /// Letters and e-mails to named receivers.
    Letter {
        /// Who sends; anybody where there are none.
        from: Vec<usize>,
        /// Who receives.
        to: Vec<usize>,
        /// The share that is sent at all.
        sent: Number,
        /// The share that arrives on the same day.
        same_day: Number,
        /// Until the others arrive, days.
        delay: Number,
    },
    /// Notices of admissions and discharges to a fixed list.
    Adt {
        /// The list.
        to: Vec<usize>,
        /// The share that is sent at all.
        sent: Number,
        /// Until they arrive, minutes.
        delay: Number,
    },
    /// One database that connected organisations write to and read.
    Central {
        /// The share of patients whose entries are recorded in it.
        recorded: Number,
        /// The share of organisations that are connected.
        connected: Number,
        /// Until what was written is in it, minutes.
        delay: Number,
        /// How often a year it does not answer.
        outages: Number,
        /// How long it then does not, hours.
        outage: Number,
    },
    /// A file of what a database holds, sent now and then.
    Batch {
        /// Who gets it.
        to: Vec<usize>,
        /// The share of patients whose entries are recorded in it.
        recorded: Number,
        /// How far two files are apart, hours.
        every: Number,
    },
    /// Several of them at once: indices of baselines.
    Together(Vec<usize>),
}

/// What the federated record is compared with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Its name.
    pub name: String,
    /// The sections that it carries; all where there are none.
    pub sections: Vec<Section>,
    /// How.
    pub kind: BaselineKind,
}

/// The federated record.
#[derive(Clone, Debug)]
pub struct Federated {
    /// Baselines that go on beside it: an arm of its own.
    pub beside: Vec<usize>,
    /// Whether devices that do not reach each other have a relay.
    pub has_relays: bool,
    /// Where punching a hole works.
    pub hole_punching: Number,
    /// Until two devices that came on have found each other, milliseconds.
    pub reconnect: Number,
    /// What signing, linking and framing add to an entry, bytes.
    pub envelope: Number,
    /// What two devices say to each other when they meet, bytes.
    pub meeting: Number,
}

const KINDS: [(&str, u8); 6] = [
    ("paper", 0),
    ("letter", 1),
    ("adt", 2),
    ("central", 3),
    ("batch", 4),
    ("together", 5),
];

pub(super) fn baselines(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &Names,
    problems: &mut Problems<'_>,
) -> Vec<Baseline> {
    let mut found: Vec<Baseline> = Vec::new();
    let mut known = Vec::new();
    for mut one in table.tables("baseline", problems) {
        let at = one.at();
        if one.get("kind").is_none() {
            let words: Vec<_> = KINDS.iter().map(|(word, _)| *word).collect();
            one.missing(
                "kind",
                &format!("kind = one of {}", words.join(", ")),
                problems,
            );
        }
        let Some(kind) = word(&mut one, "kind", &KINDS, problems) else {
            continue;
        };
        let name = one.text("name", problems);
        let name = name.unwrap_or_else(|| KINDS[usize::from(kind)].0.to_owned());
        if name == "federated" {
            problems.add(
                at,
                "a baseline is not the federated record",
                "give it another name",
            );
        }
        unique(&name, at, &mut known, problems);
        let prefix = format!("baseline.{name}");
        let sections = sections(&mut one, problems);
        let kind = baseline(
            kind,
            &mut one,
            (&prefix, &found),
            (numbers, names),
            problems,
        );
        found.push(Baseline {
            name,
            sections,
            kind,
        });
        one.end(problems);
    }
    found
}

fn baseline(
    kind: u8,
    one: &mut Table<'_>,
    (prefix, before): (&str, &[Baseline]),
    (numbers, names): (&mut Numbers, &Names),
    problems: &mut Problems<'_>,
) -> BaselineKind {
    let from = kinds(one, "from", names, problems);
    let to = kinds(one, "to", names, problems);
    let mut read = |key, unit, default| numbers.read(one, (prefix, key), unit, default, problems);
    match kind {
        0 => BaselineKind::Paper {
            delay: read("delay_days", Unit::Days, 1.0),
            replaced: read("replaced", Unit::Share, 1.0),
            found: read("found", Unit::Share, 1.0),
            travels: read("travels", Unit::Share, 0.0),
        },
        1 => BaselineKind::Letter {
            sent: read("sent", Unit::Share, 1.0),
            same_day: read("same_day", Unit::Share, 0.0),
            delay: read("delay_days", Unit::Days, 1.0),
            from,
            to,
        },
        2 => BaselineKind::Adt {
            sent: read("sent", Unit::Share, 1.0),
            delay: read("delay_minutes", Unit::Minutes, 1.0),
            to,
        },
        3 => BaselineKind::Central {
            recorded: read("recorded", Unit::Share, 1.0),
            connected: read("connected", Unit::Share, 1.0),
            delay: read("delay_minutes", Unit::Minutes, 1.0),
            outages: read("outages_per_year", Unit::PerYear, 0.0),
            outage: read("outage_hours", Unit::Hours, 4.0),
        },
        4 => BaselineKind::Batch {
            recorded: read("recorded", Unit::Share, 1.0),
            every: read("every_hours", Unit::Hours, 12.0),
            to,
        },
        _ => BaselineKind::Together(named(one, "of", before, problems)),
    }
}

fn kinds(
    one: &mut Table<'_>,
    key: &'static str,
    names: &Names,
    problems: &mut Problems<'_>,
) -> Vec<usize> {
    let said = one.texts(key, problems).unwrap_or_default();
    said.iter()
        .filter_map(|kind| find(kind, &names.organisations, "organisation", problems))
        .collect()
}

fn named(
    one: &mut Table<'_>,
    key: &'static str,
    before: &[Baseline],
    problems: &mut Problems<'_>,
) -> Vec<usize> {
    let said = one.texts(key, problems).unwrap_or_default();
    let known: Vec<_> = before.iter().map(|one| one.name.clone()).collect();
    said.iter()
        .filter_map(|name| find(name, &known, "baseline", problems))
        .collect()
}

/// The sections that a table names.
pub(super) fn sections(one: &mut Table<'_>, problems: &mut Problems<'_>) -> Vec<Section> {
    let said = one.texts("sections", problems).unwrap_or_default();
    said.iter()
        .filter_map(|section| section_named(section, problems))
        .collect()
}

/// A section by its name.
pub(super) fn section_named(
    (name, at): &(String, usize),
    problems: &mut Problems<'_>,
) -> Option<Section> {
    let section = name.parse().ok();
    if section.is_none() {
        let known: Vec<_> = Section::ALL.iter().map(ToString::to_string).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        problems.add(
            *at,
            format!("there is no section `{name}`"),
            instead_of(name, &known),
        );
    }
    section
}

pub(super) fn federated(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    baselines: &[Baseline],
    problems: &mut Problems<'_>,
) -> Federated {
    let empty = toml::de::DeTable::new();
    let mut one = table
        .table("federated", problems)
        .unwrap_or_else(|| Table::of("[federated]", &empty, 0..0));
    let beside = named(&mut one, "beside", baselines, problems);
    let has_relays = one.flag("relays", problems).unwrap_or(true);
    let mut read =
        |key, unit, default| numbers.read(&mut one, ("federated", key), unit, default, problems);
    let federated = Federated {
        beside,
        has_relays,
        hole_punching: read("hole_punching", Unit::Share, 0.7),
        reconnect: read("reconnect_ms", Unit::Milliseconds, 2_000.0),
        envelope: read("envelope_bytes", Unit::Bytes, ENVELOPE_LEN),
        meeting: read("meeting_bytes", Unit::Bytes, MEETING_LEN),
    };
    one.end(problems);
    federated
}

/// What an entry costs beside what it says, in frames of the engine before they are compressed:
/// what is signed, what is noted of a resource, how a change is told; see the agreement tests.
const ENVELOPE_LEN: f64 = 702.0;
/// A meeting of two engines with nothing new: `docs/state.md`.
const MEETING_LEN: f64 = 109.0;
