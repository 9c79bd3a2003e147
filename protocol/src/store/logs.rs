//! Logs as they were read last: nearly all that is decided about any record asks for the logs of
//! the same few people, and a record that is given or taken asks for its own several times.

use std::{collections::BTreeMap, sync::Arc};

use super::{Damage, Item, Store, StoreError};
use crate::{
    logs::{Event, LogId},
    signed::{Signed, Verified},
};

/// Signed bytes of the logs that are kept at hand where nothing else is said; in memory they take
/// about three times as much.
const LOGS_LEN_MAX: usize = 2 * 1024 * 1024;

/// A log, oldest event first.
pub type ReadLog = Arc<[Verified<Event>]>;

/// The logs that were read last, for a store to keep.
#[derive(Clone, Debug)]
pub struct ReadLogs {
    logs: BTreeMap<LogId, ReadLog>,
    len: usize,
    len_max: usize,
}

impl Default for ReadLogs {
    fn default() -> Self {
        Self::of(LOGS_LEN_MAX)
    }
}

impl ReadLogs {
    /// Keeps logs of at most so many signed bytes.
    pub const fn of(len_max: usize) -> Self {
        Self {
            logs: BTreeMap::new(),
            len: 0,
            len_max,
        }
    }

    /// Keeps nothing where what is kept is longer than this.
    pub fn trim(&mut self, len: usize) {
        if self.len > len {
            self.logs.clear();
            self.len = 0;
        }
    }

    /// The log, where it is at hand.
    pub fn known(&self, log: &LogId) -> Option<ReadLog> {
        self.logs.get(log).map(Arc::clone)
    }

    /// Keeps a log as it was read now.
    pub fn keep(&mut self, log: &LogId, read: &ReadLog) {
        let len = signed_len(read);
        if self.len + len > self.len_max {
            self.logs.clear();
            self.len = 0;
        }
        self.len += len;
        if let Some(before) = self.logs.insert(log.clone(), Arc::clone(read)) {
            self.len -= signed_len(&before);
        }
    }

    /// Forgets those to which these items, which are being committed, add something.
    pub fn forget_added(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Event { log, .. } = item
                && let Some(known) = self.logs.remove(log)
            {
                self.len -= signed_len(&known);
            }
        }
    }
}

fn signed_len(log: &ReadLog) -> usize {
    log.iter().map(|event| event.bytes().len()).sum()
}

/// A log of a store, read from its bytes.
///
/// # Errors
/// [`StoreError::Damaged`] also where this build does not understand an event.
pub fn read_log(store: &(impl Store + ?Sized), log: &LogId) -> Result<ReadLog, StoreError> {
    let events = store.events(log)?.into_iter();
    let events = events.map(|(_, bytes)| {
        let event = Signed::<Event>::new(bytes).trust_own_store();
        event.map_err(|_| {
            StoreError::Damaged(Damage {
                place: "an event".to_owned(),
                what: "this version of kith cannot read it".to_owned(),
            })
        })
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    use super::{LOGS_LEN_MAX, ReadLog, ReadLogs};
    use crate::{
        author::{Author, EventDraft, NextLink},
        identity::SecretKey,
        logs::{Act, Frontiers, LogId, PrincipalAct, principal::PrincipalKind},
        record::event_item,
        signed::Verified,
    };

    fn event(seed: u8) -> (LogId, Verified<crate::logs::Event>) {
        let key = SecretKey::from_seed([seed; 32]);
        let author = Author {
            principal: key.principal(),
            key: &key,
            staff: None,
        };
        let log = LogId::Principal(key.principal());
        let event = author.event(EventDraft {
            log: log.clone(),
            link: NextLink::FIRST,
            frontiers: Frontiers::default(),
            grant: None,
            time_ms: 0,
            act: Act::Principal(PrincipalAct::Begin {
                kind: PrincipalKind::Person,
                sealing_key: [0; 32],
            }),
        });
        (log, event)
    }

    fn of(events: &[Verified<crate::logs::Event>]) -> ReadLog {
        events.into()
    }

    #[test]
    fn a_log_is_at_hand_until_something_is_added_to_it() {
        let mut logs = ReadLogs::default();
        let (log, first) = event(1);
        assert!(logs.known(&log).is_none());
        logs.keep(&log, &of(std::slice::from_ref(&first)));
        let (other, elsewhere) = event(2);
        logs.keep(&other, &of(std::slice::from_ref(&elsewhere)));
        logs.keep(&other, &of(std::slice::from_ref(&elsewhere)));
        assert_eq!(logs.known(&log).expect("kept").len(), 1);
        logs.forget_added(&[event_item(&elsewhere)]);
        assert!(logs.known(&other).is_none());
        assert_eq!(logs.known(&log).expect("kept").len(), 1);
        logs.forget_added(&[event_item(&first)]);
        assert!(logs.known(&log).is_none());
        assert_eq!(logs.len, 0);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut logs = ReadLogs::default();
        let (log, first) = event(1);
        logs.keep(
            &log,
            &vec![first.clone(); LOGS_LEN_MAX / first.bytes().len()].into(),
        );
        let (other, second) = event(2);
        logs.keep(&other, &of(&[second]));
        assert!(logs.len < LOGS_LEN_MAX / 2);
        assert!(logs.known(&log).is_none() && logs.known(&other).is_some());
        logs.trim(logs.len);
        assert!(logs.known(&other).is_some());
        logs.trim(logs.len - 1);
        assert!(logs.known(&other).is_none());
    }
}
