//! Shares whose end has passed: whoever gave one says so, once, so that what is written after it
//! is judged everywhere by that word and by nobody's clock.

use std::collections::BTreeMap;

use kith_protocol::{
    consent::{GrantFate, GrantState, cut::CutTree},
    id::RecordId,
    logs::{Act, LabelAct, record::Link},
    record::Record,
    store::{Item, StoreError},
};

use crate::{
    failure::{Ending, Failure},
    node::{
        Node,
        identity::{RowKind, read_rows, row},
        now_ms,
    },
    store::DiskStore,
};

/// When the next share of each record ends of which this node has to say so, milliseconds since
/// 1970 UTC.
#[derive(Default)]
pub(in crate::node) struct Ends(BTreeMap<RecordId, u64>);

impl Ends {
    pub(in crate::node) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let rows = read_rows::<u64>(store, RowKind::Ends)?;
        let known = rows.into_iter().filter_map(|(name, end)| {
            let id = <[u8; 32]>::try_from(name).ok()?;
            Some((RecordId::from_bytes(id), end))
        });
        Ok(Self(known.collect()))
    }
}

impl Node {
    /// When the next share ends of which this node has to say so.
    pub(crate) fn next_end_ms(&self) -> Option<u64> {
        self.ends.0.values().min().copied()
    }

    /// Says of every share whose end has passed that it has.
    pub(crate) fn say_ends(&mut self) {
        let now = now_ms();
        let passed = self.ends.0.iter().filter(|(_, end)| **end <= now);
        let passed: Vec<_> = passed.map(|(record, _)| *record).collect();
        for record in passed {
            let said = self.with_record(record, |node, record| node.say_end(record, now));
            if let Err(failure) = said {
                // Its row stays: it is tried again when the node is started.
                tracing::warn!(what = failure.what, "the end of a share was not said");
                self.ends.0.remove(&record);
            }
        }
    }

    pub(super) fn say_end(&mut self, record: &mut Record, now: u64) -> Result<(), Failure> {
        let mut items = Vec::new();
        for grant in self.says_end_of(record) {
            let ended = end_of(&grant).is_some_and(|end| end <= now);
            if !ended {
                continue;
            }
            match self.lapse(record, &grant, now) {
                Ok(lapse) => items.extend(lapse),
                // Somebody above has to say it, and does.
                Err(failure) if failure.ending == Ending::NotAllowed => {}
                Err(failure) => return Err(failure),
            }
        }
        items.extend(self.note_ends(record));
        self.commit(items)
    }

    /// Everything that was written in time and came here stays as it is.
    fn lapse(
        &self,
        record: &mut Record,
        grant: &GrantState,
        now: u64,
    ) -> Result<Vec<Item>, Failure> {
        let under = match self.above_it(record, grant) {
            Ok(under) => under,
            Err(_) if grant.grant.custodians.contains(&self.identity.principal) => None,
            Err(failure) => return Err(failure),
        };
        let parts = record.ledger().keep_everything(Link::Grant(grant.id));
        let cut = CutTree::new(parts);
        let act = Act::Label(LabelAct::Lapse {
            grant: grant.id,
            cut: cut.cut(),
        });
        let (event, item) = self.act_under(record, Some(&grant.label), under, act, now)?;
        let mut items = vec![item];
        items.extend(Self::with_parts(record, event, &cut));
        Ok(items)
    }

    /// The shares of whose end this node's owner has to say: its own, and those that name it as a
    /// witness.
    fn says_end_of(&self, record: &mut Record) -> Vec<GrantState> {
        let own = self.identity.principal;
        let said = record.ledger().lapsed_by(own);
        let mut grants = record.ledger().grants();
        grants.retain(|grant| {
            let ours = grant.issuer == own
                || (grant.grant.custodians.contains(&own) && grant.grant.audience != own);
            ours && grant.state == GrantFate::Active && !said.contains(&grant.id)
        });
        grants
    }

    /// Notes when the next share of a record ends of which this node has to say so; what is to be
    /// kept of that.
    pub(in crate::node) fn note_ends(&mut self, record: &mut Record) -> Option<Item> {
        let now = now_ms();
        let ends = self.says_end_of(record);
        let next = ends
            .iter()
            .filter_map(end_of)
            .filter(|end| *end > now)
            .min();
        let id = record.id();
        let known = match next {
            Some(next) => self.ends.0.insert(id, next),
            None => self.ends.0.remove(&id),
        };
        if known == next {
            return None;
        }
        Some(match next {
            Some(next) => row(RowKind::Ends, id.as_bytes(), &next),
            None => Item::Row {
                key: RowKind::Ends.key(id.as_bytes()),
                value: None,
            },
        })
    }
}

fn end_of(grant: &GrantState) -> Option<u64> {
    grant.effective.as_ref()?.until_ms
}
