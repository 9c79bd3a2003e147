//! Everything about a person on one page, cut to a number of resources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    allergies, circle, conditions, daily, day::TODAY, encounters, forms, identity, immunisations,
    letters, life::Life, medicines, monitoring, organisations::Kind, page::Page, plans, results,
    tasks,
};
use crate::classify;

/// What one organisation writes about a person.
pub(super) fn write(page: &mut Page<'_>) {
    identity::write(page);
    match page.kind() {
        Kind::Practice => practice(page),
        Kind::Hospital => hospital(page),
        Kind::Ambulance => ambulance(page),
        Kind::CareHome | Kind::HomeCare => carers(page),
        Kind::Pharmacy => medicines::dispensed(page),
        Kind::Laboratory => results::laboratory(page),
    }
}

fn practice(page: &mut Page<'_>) {
    consulted(page);
    if !page.life.is_frail() {
        monitoring::half_year(page);
    }
}

fn consulted(page: &mut Page<'_>) {
    allergies::write(page);
    conditions::problems(page);
    conditions::family(page);
    conditions::goals(page);
    medicines::prescribed(page);
    immunisations::given(page);
    let day = TODAY.back(page.stream("check").between(10, 90)).working();
    results::measured(page, day);
    plans::care_plan(page);
    encounters::consultations(page);
    encounters::appointment(page);
    tasks::practice(page);
    daily::habits(page);
    forms::practice(page);
    circle::team(page);
}

fn hospital(page: &mut Page<'_>) {
    allergies::write(page);
    conditions::procedures(page);
    conditions::aids(page);
    if page.life.called_ambulance.is_some() {
        medicines::taken(page);
    }
    plans::consent(page);
    if page.life.is_frail() {
        plans::respect(page);
    }
    encounters::hospital(page);
    encounters::appointment(page);
    tasks::discharge(page);
    letters::hospital(page);
}

fn ambulance(page: &mut Page<'_>) {
    if page.life.is_frail() {
        allergies::access(page);
    }
    encounters::crew(page);
    if let Some(day) = page.life.called_ambulance {
        results::measured(page, day);
    }
    tasks::crew(page);
    letters::crew(page);
}

fn carers(page: &mut Page<'_>) {
    allergies::access(page);
    medicines::taken(page);
    plans::support_plan(page);
    tasks::carers(page);
    daily::basics(page);
    daily::notes(page);
    circle::team(page);
    monitoring::half_year(page);
}

/// Everything that any source would write, and readings enough for `resources` in all.
pub(super) fn write_all(page: &mut Page<'_>, resources: usize) {
    identity::write(page);
    consulted(page);
    conditions::procedures(page);
    conditions::aids(page);
    medicines::dispensed(page);
    plans::consent(page);
    encounters::hospital(page);
    letters::hospital(page);
    results::laboratory(page);
    if page.life.is_frail() {
        plans::respect(page);
        plans::support_plan(page);
        daily::basics(page);
        daily::notes(page);
    }
    let missing = resources.saturating_sub(page.entries.len());
    monitoring::earlier(page, missing);
}

/// Which entries stay when a page is cut to `count`: the sections take turns, and whatever an
/// entry refers to comes with it.
pub(super) fn chosen(page: &Page<'_>, count: usize) -> Vec<bool> {
    let places: BTreeMap<&str, usize> = page
        .entries
        .iter()
        .enumerate()
        .map(|(n, entry)| (entry.full_url.as_str(), n))
        .collect();
    let mut turns = BTreeMap::<_, Vec<usize>>::new();
    for (n, entry) in page.entries.iter().enumerate() {
        turns
            .entry(classify::section(&entry.resource))
            .or_default()
            .push(n);
    }
    let mut kept = vec![false; page.entries.len()];
    let mut left = count;
    for round in 0..page.entries.len() {
        for n in turns.values().filter_map(|section| section.get(round)) {
            let mut needed = Vec::new();
            need(page, &places, &kept, *n, &mut needed);
            if needed.len() <= left {
                left -= needed.len();
                needed.into_iter().for_each(|n| kept[n] = true);
            }
        }
    }
    kept
}

/// Collects an entry and everything that it leads to and that is not kept yet.
fn need(
    page: &Page<'_>,
    places: &BTreeMap<&str, usize>,
    kept: &[bool],
    n: usize,
    needed: &mut Vec<usize>,
) {
    if kept[n] || needed.contains(&n) {
        return;
    }
    needed.push(n);
    each_reference(&page.entries[n].resource, &mut |url| {
        if let Some(to) = places.get(url) {
            need(page, places, kept, *to, needed);
        }
    });
}

fn each_reference(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(url) if name == "reference" => found(url),
                    Some(_) | None => each_reference(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, found)),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What carers and devices add on the days after.
pub(super) fn write_day(page: &mut Page<'_>, on: i32) {
    if page.life.is_frail() {
        daily::note(page, TODAY.on(on));
    }
    monitoring::day(page, TODAY.on(on));
}

/// The source whose people and devices write from day to day.
pub(super) fn daily_kind(life: &Life) -> Kind {
    life.organisations()
        .iter()
        .map(|organisation| organisation.kind)
        .find(|kind| matches!(kind, Kind::CareHome | Kind::HomeCare))
        .unwrap_or(Kind::Practice)
}
