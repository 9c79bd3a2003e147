//! The resources that a change makes, as a document holds them that was not changed since.

use std::collections::BTreeMap;

use super::{
    Change,
    made::{self, Made, Member},
};
use crate::{
    ChangeHash, ResourceId,
    document::{Held, HeldUnit, Item, UnitContent, Version, member},
};

/// Nothing where the change does anything but make resources.
pub(super) fn read(change: Change<'_>, hash: ChangeHash) -> Option<Vec<Held>> {
    let actor = change.head.actors.first()?;
    // As the ids of items name it.
    let actor = data_encoding::HEXLOWER.encode(&actor.0);
    let made = made::read(change.columns, change.head.start_op)?.into_iter();
    made.map(|made| held(made, &actor, hash)).collect()
}

fn held(made: Made<'_>, actor: &str, created: ChangeHash) -> Option<Held> {
    let (mut meta, mut order, mut units) = (None, Vec::new(), Vec::new());
    for (name, member) in made.members {
        let content = match (name, member) {
            (member::META, Member::Text(text)) => {
                meta = Some(member::meta(text)?);
                continue;
            }
            (member::ORDER, Member::Text(text)) => {
                order = member::order(text);
                continue;
            }
            _ if name.starts_with('$') => return None,
            (_, Member::Text(text)) => UnitContent::Register(vec![Version {
                text: text.to_owned(),
                writer: created,
            }]),
            (_, Member::List(items)) => {
                let item = |(counter, text): (u64, &str)| Item {
                    id: format!("{counter}@{actor}"),
                    text: text.to_owned(),
                    writer: created,
                    beside: Vec::new(),
                    removed: false,
                };
                UnitContent::List(items.into_iter().map(item).collect())
            }
        };
        units.push(HeldUnit {
            name: name.to_owned(),
            content,
            decided: Vec::new(),
        });
    }
    Some(Held {
        id: ResourceId::parse(made.id)?,
        meta: meta?,
        created,
        order,
        units,
        retractions: Vec::new(),
        carried: BTreeMap::new(),
    })
}
