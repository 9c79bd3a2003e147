//! Measured values over time, for a plot with its table.

use std::collections::BTreeMap;

use kith_protocol::{audit::How, record::Record};
use serde_json::Value;

use super::Node;
use crate::{
    api::StreamLine,
    failure::Failure,
    health::{gaps, line},
};

/// Values of one kind in one unit, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What was measured.
    pub what: String,
    /// In which unit; empty where none was said.
    pub unit: String,
    /// Each with when it was measured, as recorded, and the digits as they were written.
    pub values: Vec<(String, String)>,
    /// Values that are left out: of several versions nobody has chosen, or entered in error.
    pub left_out: usize,
}

/// Each kind of value in each unit.
type ByKind = BTreeMap<(String, String), Series>;

impl Node {
    /// The measured values of a section of a record.
    ///
    /// # Errors
    /// When the record is not here or cannot be read, and when the access log cannot be written.
    pub(crate) fn readings(&mut self, word: &str, section: &str) -> Result<Vec<Series>, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| node.readings_of(record, section))
    }

    /// What devices measured, with where they were silent.
    pub(super) fn readings_told(
        &mut self,
        word: &str,
        every_s: Option<u32>,
    ) -> Result<Vec<StreamLine>, Failure> {
        let all = self.readings(word, "monitoring")?;
        Ok(all
            .into_iter()
            .map(|series| told(series, every_s))
            .collect())
    }

    fn readings_of(&mut self, record: &mut Record, section: &str) -> Result<Vec<Series>, Failure> {
        let mut documents = record.ledger().documents();
        documents.retain(|document| document.section.name() == section);
        let said = Self::state_of(record, documents.clone(), self.owner(), None, How::Show);
        self.disclosed(vec![said], Vec::new())?;
        let mut series = ByKind::new();
        for document in &documents {
            for placed in self.read_document(record, document) {
                let held = &placed.held;
                if held.meta.kind != "Observation" || held.meta.made_here {
                    continue;
                }
                let value = held.value(0);
                let is_sure = !held.is_retracted() && held.siblings().next().is_none();
                note(&mut series, &value, is_sure);
            }
        }
        Ok(series
            .into_values()
            .map(|mut series| {
                series.values.sort();
                series
            })
            .collect())
    }
}

/// A series with its silences.
fn told(series: Series, every_s: Option<u32>) -> StreamLine {
    let times: Vec<String> = series.values.iter().map(|(when, _)| when.clone()).collect();
    let every_s = every_s.map(i64::from).or_else(|| gaps::usual_s(&times));
    let gaps = every_s.map_or_else(Vec::new, |every_s| gaps::gaps(&times, every_s));
    StreamLine {
        values: series.values.len(),
        first: times.first().cloned(),
        last: times.last().cloned(),
        last_value: series.values.last().map(|(_, value)| value.clone()),
        what: series.what,
        unit: series.unit,
        left_out: series.left_out,
        every_s,
        gaps,
    }
}

/// Takes in what an observation measured, and what its parts did.
fn note(series: &mut ByKind, observation: &Value, is_sure: bool) {
    let Some(when) = line::when(observation) else {
        return;
    };
    let components = observation.get("component").and_then(Value::as_array);
    let parts = components.into_iter().flatten();
    for part in std::iter::once(observation).chain(parts) {
        let Some(what) = line::concept(part.get("code")) else {
            continue;
        };
        let Some(quantity) = part.get("valueQuantity") else {
            continue;
        };
        // What is only bounded (`<5`) is no point on a line.
        let (Some(Value::Number(value)), None) =
            (quantity.get("value"), quantity.get("comparator"))
        else {
            continue;
        };
        let unit = quantity.get("unit").or_else(|| quantity.get("code"));
        let unit = unit.and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = series
            .entry((what.clone(), unit.clone()))
            .or_insert_with(|| Series {
                what,
                unit,
                values: Vec::new(),
                left_out: 0,
            });
        if is_sure {
            of.values.push((when.to_owned(), value.to_string()));
        } else {
            of.left_out += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ByKind, note};

    #[test]
    fn digits_stay_as_they_were_written_and_units_are_never_mixed() {
        let mut series = ByKind::new();
        let reading = |value: &str, unit: &str| {
            let text = format!(
                r#"{{"code":{{"text":"weight"}},"effectiveDateTime":"2026-01-02","valueQuantity":{{"value":{value},"unit":"{unit}"}}}}"#
            );
            serde_json::from_str(&text).expect("JSON")
        };
        note(&mut series, &reading("70.50", "kg"), true);
        note(&mut series, &reading("155", "lb"), true);
        note(&mut series, &reading("71", "kg"), false);
        let told: Vec<_> = series
            .values()
            .map(|of| (of.unit.as_str(), of.values.len(), of.left_out))
            .collect();
        assert_eq!(told, [("kg", 1, 1), ("lb", 1, 0)]);
        let weight = series.values().next().expect("one");
        assert_eq!(weight.values[0].1, "70.50");
    }

    #[test]
    fn what_is_only_bounded_is_no_point_on_a_line() {
        let mut series = ByKind::new();
        let text = r#"{"code":{"text":"CRP"},"effectiveDateTime":"2026-01-02","valueQuantity":{"value":5,"comparator":"<","unit":"mg/L"}}"#;
        note(
            &mut series,
            &serde_json::from_str(text).expect("JSON"),
            true,
        );
        assert!(series.is_empty());
    }
}
