//! Devices, what is between them, and what goes wrong.

use super::{
    Names, find,
    number::{Number, Numbers, Unit},
    people::unique,
    problem::Problems,
    table::Table,
    word,
};

/// When a device is on the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Online {
    /// Always.
    Always,
    /// Between two hours of the day.
    Hours {
        /// From this hour.
        from: u32,
        /// To this hour.
        to: u32,
        /// Only from Monday to Friday. The first day is a Monday.
        weekdays: bool,
    },
    /// Now and then: on for a while, off for a while.
    Sessions {
        /// The share of the time in which it is on.
        share: Number,
        /// The mean length of a session, minutes.
        minutes: Number,
    },
}

/// How a device is reached through what is in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// Anybody reaches it.
    Open,
    /// Another punchable one reaches it where punching a hole works.
    Punchable,
    /// It is reached through a relay, or calls itself.
    Closed,
}

/// A kind of devices.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// When it is on the network.
    pub online: Online,
    /// How it is reached.
    pub nat: Nat,
    /// How often a year it does not work at all.
    pub failures: Number,
    /// How long it then does not, hours.
    pub repair: Number,
}

/// What is between two kinds of organisations.
#[derive(Clone, Debug)]
pub struct Link {
    /// The two kinds; any where nothing is said.
    pub between: Option<(usize, usize)>,
    /// What a message takes, milliseconds.
    pub latency: Number,
    /// What goes through.
    pub bandwidth: Number,
    /// The share of messages that are lost and sent again.
    pub loss: Number,
}

/// When a fault is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Once, so many days after the beginning.
    Day(Number),
    /// At random, so often a year.
    PerYear(Number),
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// The systems of one supplier do not answer.
    SupplierOutage {
        /// Whose.
        supplier: String,
        /// How long, hours.
        hours: Number,
    },
    /// Some organisations and the rest do not reach each other.
    Partition {
        /// Their kinds.
        kinds: Vec<usize>,
        /// How long, hours.
        hours: Number,
    },
    /// A device with everything on it is gone, and another one takes its place.
    DeviceLoss {
        /// Of this kind of organisations.
        kind: usize,
    },
}

/// A fault and when it is.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// When.
    pub when: When,
}

pub(super) fn devices(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &mut Names,
    problems: &mut Problems<'_>,
) -> Vec<Device> {
    let mut found = Vec::new();
    for mut one in table.tables("device", problems) {
        let Some((name, at)) = one.needed_text("name", problems) else {
            continue;
        };
        unique(&name, at, &mut names.devices, problems);
        let prefix = format!("device.{name}");
        let online = online(&mut one, &prefix, numbers, problems);
        let nat = word(
            &mut one,
            "nat",
            &[
                ("open", Nat::Open),
                ("punchable", Nat::Punchable),
                ("closed", Nat::Closed),
            ],
            problems,
        );
        found.push(Device {
            online,
            nat: nat.unwrap_or(Nat::Open),
            failures: numbers.read(
                &mut one,
                (&prefix, "failures_per_year"),
                Unit::PerYear,
                0.0,
                problems,
            ),
            repair: numbers.read(
                &mut one,
                (&prefix, "repair_hours"),
                Unit::Hours,
                24.0,
                problems,
            ),
            name,
        });
        one.end(problems);
    }
    found
}

fn online(
    device: &mut Table<'_>,
    prefix: &str,
    numbers: &mut Numbers,
    problems: &mut Problems<'_>,
) -> Online {
    let Some(mut one) = device.table("online", problems) else {
        return Online::Always;
    };
    let prefix = format!("{prefix}.online");
    let from = one.whole("from_hour", 0, problems);
    let to = one.whole("to_hour", 1, problems);
    let weekdays = one.flag("weekdays", problems).unwrap_or(false);
    let has_share = one.get("share").is_some();
    let online = match (from, to, has_share) {
        (None, None, true) => Online::Sessions {
            share: numbers.read(&mut one, (&prefix, "share"), Unit::Share, 1.0, problems),
            minutes: numbers.read(
                &mut one,
                (&prefix, "session_minutes"),
                Unit::Minutes,
                30.0,
                problems,
            ),
        },
        (Some(from), Some(to), false) if from < to && to <= 24 => {
            Online::Hours { from, to, weekdays }
        }
        _ => {
            problems.add(
                one.at(),
                "it is not clear when the device is on the network",
                "write online = { share = 0.3, session_minutes = 10 }, \
                 or online = { from_hour = 8, to_hour = 18, weekdays = true }, or leave it out for always",
            );
            Online::Always
        }
    };
    one.end(problems);
    online
}

pub(super) fn links(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &Names,
    problems: &mut Problems<'_>,
) -> Vec<Link> {
    let mut found = Vec::new();
    let mut tables = table.tables("link", problems);
    let empty = toml::de::DeTable::new();
    if !tables.iter_mut().any(|one| one.get("between").is_none()) {
        tables.push(Table::of("[[link]]", &empty, 0..0));
    }
    for mut one in tables {
        let at = one.at();
        let ends = one.texts("between", problems);
        let between = ends.as_ref().and_then(|ends| match ends.as_slice() {
            [a, b] => {
                let a = find(a, &names.organisations, "organisation", problems)?;
                Some((a, find(b, &names.organisations, "organisation", problems)?))
            }
            _ => {
                problems.add(
                    at,
                    "a link is between two",
                    "write between = [\"practice\", \"hospital\"]",
                );
                None
            }
        });
        let prefix = match &ends {
            Some(ends) => {
                let ends: Vec<_> = ends.iter().map(|(name, _)| name.as_str()).collect();
                format!("link.{}", ends.join("-"))
            }
            None => "link.any".to_owned(),
        };
        found.push(Link {
            between,
            latency: numbers.read(
                &mut one,
                (&prefix, "latency_ms"),
                Unit::Milliseconds,
                30.0,
                problems,
            ),
            bandwidth: numbers.read(
                &mut one,
                (&prefix, "kbit_per_second"),
                Unit::KilobitsPerSecond,
                10_000.0,
                problems,
            ),
            loss: numbers.read(&mut one, (&prefix, "loss"), Unit::Share, 0.0, problems),
        });
        one.end(problems);
    }
    found
}

pub(super) fn faults(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &Names,
    problems: &mut Problems<'_>,
) -> Vec<Fault> {
    let mut found = Vec::new();
    for (n, mut one) in table.tables("fault", problems).into_iter().enumerate() {
        let prefix = format!("fault.{}", n + 1);
        let words = [("supplier-outage", 0), ("partition", 1), ("device-loss", 2)];
        if one.get("kind").is_none() {
            one.missing(
                "kind",
                "kind = \"supplier-outage\", \"partition\" or \"device-loss\"",
                problems,
            );
        }
        let kind = word(&mut one, "kind", &words, problems);
        let when = match (one.get("at_day").is_some(), one.get("per_year").is_some()) {
            (true, false) => {
                When::Day(numbers.read(&mut one, (&prefix, "at_day"), Unit::Days, 0.0, problems))
            }
            (false, true) => When::PerYear(numbers.read(
                &mut one,
                (&prefix, "per_year"),
                Unit::PerYear,
                0.0,
                problems,
            )),
            _ => {
                problems.add(
                    one.at(),
                    "a fault is once or so often a year",
                    "write at_day = 30, or per_year = 2",
                );
                continue;
            }
        };
        let fault =
            kind.and_then(|kind| fault(kind, &mut one, &prefix, (numbers, names), problems));
        if let Some(kind) = fault {
            found.push(Fault { kind, when });
        }
        one.end(problems);
    }
    found
}

fn fault(
    kind: u8,
    one: &mut Table<'_>,
    prefix: &str,
    (numbers, names): (&mut Numbers, &Names),
    problems: &mut Problems<'_>,
) -> Option<FaultKind> {
    match kind {
        0 => {
            let supplier = one.needed_text("supplier", problems)?;
            find(&supplier, &names.suppliers, "supplier", problems)?;
            Some(FaultKind::SupplierOutage {
                supplier: supplier.0,
                hours: numbers.read(one, (prefix, "hours"), Unit::Hours, 8.0, problems),
            })
        }
        1 => {
            let kinds = one.texts("organisations", problems);
            if kinds.is_none() {
                one.missing("organisations", "organisations = [\"care home\"]", problems);
            }
            let kinds = kinds?;
            let kinds = kinds
                .iter()
                .filter_map(|kind| find(kind, &names.organisations, "organisation", problems));
            Some(FaultKind::Partition {
                kinds: kinds.collect(),
                hours: numbers.read(one, (prefix, "hours"), Unit::Hours, 24.0, problems),
            })
        }
        _ => {
            let kind = one.needed_text("organisation", problems)?;
            Some(FaultKind::DeviceLoss {
                kind: find(&kind, &names.organisations, "organisation", problems)?,
            })
        }
    }
}
