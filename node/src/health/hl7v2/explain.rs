//! What a message would do, field by field.

use serde_json::Value;

use super::{Message, Repeat, Segment, Tables, map};

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRead {
    /// `PID-5`, with the segment's place among its like where there are several: `OBX(2)-5`.
    pub place: String,
    /// What stands there, without what takes pages.
    pub said: String,
    /// What became of it.
    pub read: bool,
}

/// Characters of a field that are shown.
const SHOWN_MAX: usize = 120;

/// Fields that are listed.
const FIELDS_MAX: usize = 5_000;

/// Every field in which something is, after the message was mapped: what was asked for was read.
pub fn fields(message: &Message) -> Vec<FieldRead> {
    let mut all = Vec::new();
    for (at, segment) in message.segments.iter().enumerate() {
        let same = |other: &&Segment| other.name == segment.name;
        let several = message.segments.iter().filter(same).count() > 1;
        let nth = message.segments[..at].iter().filter(same).count() + 1;
        let name = if several {
            format!("{}({nth})", segment.name)
        } else {
            segment.name.clone()
        };
        let filled: Vec<_> = segment
            .fields()
            .filter(|(_, field)| !field.is_empty())
            .collect();
        for (n, field) in filled {
            if all.len() >= FIELDS_MAX {
                return all;
            }
            let repeats: Vec<String> = field.repeats().map(Repeat::shown).collect();
            let said: String = repeats.join(" ~ ").chars().take(SHOWN_MAX).collect();
            let is_header = segment.name == "MSH";
            all.push(FieldRead {
                place: format!("{name}-{n}"),
                said,
                read: segment.was_read(n) || is_header,
            });
        }
    }
    all
}

/// What each resource of a message would be, in a few words.
pub fn resources(
    message: &Message,
    tables: &Tables,
) -> Result<(Vec<String>, Vec<String>), super::Waits> {
    let mapped = map::map(message, tables, &[])?;
    let said = mapped.resources.iter().map(|made| {
        let kind = made
            .value
            .get("resourceType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let line = crate::health::line::describe(&made.value);
        let section = kith_crdt::classify::section(&made.value);
        format!("{kind} in {}: {line}", section.name())
    });
    Ok((said.collect(), mapped.notes))
}
