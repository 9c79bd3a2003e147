//! Logs as they were read last: nearly all that is decided about any record asks for the logs of
//! the same few people, and a record that is given or taken asks for its own several times.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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
#[derive(Debug)]
pub struct ReadLogs {
    kept: Mutex<Kept>,
    len_max: usize,
}

impl Clone for ReadLogs {
    fn clone(&self) -> Self {
        Self {
            kept: Mutex::new(self.kept().clone()),
            len_max: self.len_max,
        }
    }
}

impl Default for ReadLogs {
    fn default() -> Self {
        Self::of(LOGS_LEN_MAX)
    }
}

#[derive(Clone, Debug, Default)]
struct Kept {
    logs: BTreeMap<LogId, ReadLog>,
    len: usize,
}

impl ReadLogs {
    /// Keeps logs of at most so many signed bytes.
    pub fn of(len_max: usize) -> Self {
        Self {
            kept: Mutex::default(),
            len_max,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps nothing where what is kept is longer than this.
    pub fn trim(&self, len: usize) {
        let mut kept = self.kept();
        if kept.len > len {
            *kept = Kept::default();
        }
    }

    /// The log, read where it is not at hand.
    ///
    /// # Errors
    /// What reading it says.
    pub fn get(
        &self,
        log: &LogId,
        read: impl FnOnce() -> Result<ReadLog, StoreError>,
    ) -> Result<ReadLog, StoreError> {
        if let Some(known) = self.kept().logs.get(log) {
            return Ok(Arc::clone(known));
        }
        let read = read()?;
        let len = signed_len(&read);
        let mut kept = self.kept();
        if kept.len + len > self.len_max {
            *kept = Kept::default();
        }
        kept.len += len;
        kept.logs.insert(log.clone(), Arc::clone(&read));
        Ok(read)
    }

    /// Forgets those to which these items, which are being committed, add something.
    pub fn forget_added(&self, items: &[Item]) {
        let mut kept = self.kept();
        for item in items {
            if let Item::Event { log, .. } = item
                && let Some(known) = kept.logs.remove(log)
            {
                kept.len -= signed_len(&known);
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

    #[test]
    fn a_log_is_read_once_until_something_is_added_to_it() {
        let logs = ReadLogs::default();
        let (log, first) = event(1);
        let of = |events: &[Verified<crate::logs::Event>]| -> ReadLog { events.into() };
        let read = logs
            .get(&log, || Ok(of(std::slice::from_ref(&first))))
            .expect("read");
        assert_eq!(read.len(), 1);
        let again = logs.get(&log, || panic!("it is at hand"));
        assert_eq!(again.expect("kept").len(), 1);
        let (other, elsewhere) = event(2);
        logs.forget_added(&[event_item(&elsewhere)]);
        assert_eq!(logs.get(&log, || Ok(of(&[]))).expect("kept").len(), 1);
        logs.forget_added(&[event_item(&first)]);
        assert_eq!(logs.get(&log, || Ok(of(&[]))).expect("read").len(), 0);
        assert_eq!(
            logs.get(&other, || Ok(of(&[elsewhere])))
                .expect("read")
                .len(),
            1
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let logs = ReadLogs::default();
        let (log, first) = event(1);
        let long: ReadLog = vec![first.clone(); LOGS_LEN_MAX / first.bytes().len()].into();
        logs.get(&log, || Ok(long)).expect("read");
        let (other, second) = event(2);
        logs.get(&other, || Ok([second].into())).expect("read");
        assert!(logs.kept().len < LOGS_LEN_MAX / 2);
        let again = logs.get(&log, || Ok([first].into())).expect("read");
        assert_eq!(again.len(), 1, "it was forgotten and read anew");
    }
}
