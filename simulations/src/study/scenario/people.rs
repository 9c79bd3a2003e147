//! Groups of patients, kinds of organisations and how people share.

use super::{
    Names, find,
    number::{Number, Numbers, Unit},
    problem::Problems,
    table::Table,
};

/// A group of patients.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its part of all patients, relative to those of the other groups.
    pub share: Number,
    /// How many times as often something happens to its members.
    pub events: Number,
}

/// How many organisations there are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many, which patients are spread over.
    All(u32),
    /// One of each patient's own, such as a carer with a telephone.
    EachPatient,
}

/// A kind of organisations.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Its name, such as `practice`.
    pub name: String,
    /// How many there are.
    pub count: Count,
    /// Whether a patient has one: a share.
    pub of_patient: Number,
    /// How often a patient is seen by another one of the kind than the usual.
    pub elsewhere: Number,
    /// What its node runs on.
    pub device: usize,
    /// The share that runs a node, where it differs from the general one.
    pub adopts: Option<Number>,
    /// Who runs its own computer system.
    pub supplier: Option<String>,
    /// Whether it is shared with for emergencies instead of for care.
    pub is_emergency: bool,
    /// Whether it holds a copy; otherwise it asks whoever does when it needs to know.
    pub holds: bool,
    /// Whether it is to be told of events.
    pub is_told: bool,
    /// The groups whose members have one; all where there are none.
    pub groups: Vec<usize>,
}

/// How people share.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The share of holders in the circle that a record is shared with.
    pub shares: Number,
    /// The share of records with a standing emergency share.
    pub emergency: Number,
    /// The share of visits elsewhere at which the record is shared.
    pub at_visit: Number,
    /// How long that takes, minutes.
    pub visit_minutes: Number,
    /// The share of holders from whom the plans or medicines are withheld.
    pub withholds: Number,
    /// How often a year a patient stops sharing with one holder.
    pub stops: Number,
}

pub(super) fn groups(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &mut Names,
    problems: &mut Problems<'_>,
) -> Vec<Group> {
    let mut found = Vec::new();
    for mut one in table.tables("group", problems) {
        let Some((name, at)) = one.needed_text("name", problems) else {
            continue;
        };
        let prefix = format!("group.{name}");
        found.push(Group {
            share: numbers.read(&mut one, (&prefix, "share"), Unit::Count, 1.0, problems),
            events: numbers.read(&mut one, (&prefix, "events"), Unit::Count, 1.0, problems),
            name: name.clone(),
        });
        unique(&name, at, &mut names.groups, problems);
        one.end(problems);
    }
    if found.is_empty() {
        let one = |numbers: &mut Numbers, name: &str| {
            numbers.all.push(super::Parameter {
                name: format!("group.{name}"),
                unit: Unit::Count,
                said: super::Said::Drawn(super::Draw::Constant(1.0)),
                origin: super::Origin::Default,
                range: None,
            });
            Number(numbers.all.len() - 1)
        };
        found.push(Group {
            name: "everybody".to_owned(),
            share: one(numbers, "everybody.share"),
            events: one(numbers, "everybody.events"),
        });
        names.groups.push("everybody".to_owned());
    }
    found
}

pub(super) fn unique(name: &str, at: usize, known: &mut Vec<String>, problems: &mut Problems<'_>) {
    if known.iter().any(|one| one == name) {
        problems.add(
            at,
            format!("there are two with the name `{name}`"),
            "give each its own name",
        );
    }
    known.push(name.to_owned());
}

pub(super) fn organisations(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    names: &mut Names,
    problems: &mut Problems<'_>,
) -> Vec<Organisation> {
    let mut found = Vec::new();
    for mut one in table.tables("organisation", problems) {
        let Some((name, at)) = one.needed_text("name", problems) else {
            continue;
        };
        unique(&name, at, &mut names.organisations, problems);
        let prefix = format!("organisation.{name}");
        let each = one.flag("each_patient", problems).unwrap_or(false);
        let count = one.whole("count", 1, problems);
        if each && count.is_some() {
            problems.add(
                one.at(),
                format!("`{name}` has a count and is each patient's own"),
                "keep one of the two",
            );
        }
        let device = match one.needed_text("device", problems) {
            Some(device) => find(&device, &names.devices, "device", problems).unwrap_or(0),
            None => 0,
        };
        let supplier = one.text("supplier", problems);
        if let Some(supplier) = &supplier
            && !names.suppliers.contains(supplier)
        {
            names.suppliers.push(supplier.clone());
        }
        let adopts = one
            .get("adopts")
            .is_some()
            .then(|| numbers.read(&mut one, (&prefix, "adopts"), Unit::Share, 1.0, problems));
        let groups = one.texts("groups", problems).unwrap_or_default();
        let groups = groups
            .iter()
            .filter_map(|group| find(group, &names.groups, "group", problems));
        found.push(Organisation {
            groups: groups.collect(),
            count: if each {
                Count::EachPatient
            } else {
                Count::All(count.unwrap_or(1))
            },
            of_patient: numbers.read(
                &mut one,
                (&prefix, "of_patient"),
                Unit::Share,
                1.0,
                problems,
            ),
            elsewhere: numbers.read(&mut one, (&prefix, "elsewhere"), Unit::Share, 0.0, problems),
            device,
            adopts,
            supplier,
            is_emergency: one.flag("emergency", problems).unwrap_or(false),
            holds: one.flag("holds", problems).unwrap_or(true),
            is_told: one.flag("told", problems).unwrap_or(true),
            name,
        });
        one.end(problems);
    }
    found
}

pub(super) fn consent(
    table: &mut Table<'_>,
    numbers: &mut Numbers,
    problems: &mut Problems<'_>,
) -> Consent {
    let empty = toml::de::DeTable::new();
    let mut one = table
        .table("consent", problems)
        .unwrap_or_else(|| Table::of("[consent]", &empty, 0..0));
    let mut read =
        |key, unit, default| numbers.read(&mut one, ("consent", key), unit, default, problems);
    let consent = Consent {
        shares: read("shares", Unit::Share, 1.0),
        emergency: read("emergency", Unit::Share, 1.0),
        at_visit: read("at_visit", Unit::Share, 0.0),
        visit_minutes: read("visit_minutes", Unit::Minutes, 10.0),
        withholds: read("withholds", Unit::Share, 0.0),
        stops: read("stops_per_year", Unit::PerYear, 0.0),
    };
    one.end(problems);
    consent
}
