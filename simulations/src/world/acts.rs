//! What people do: each act at the host's own time, and the engine told of it.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::grant::Actions,
    id::{EventId, RecordId},
    store::{Item, Store},
};

use super::{HostId, Sight, World, document_named};
use crate::host::{Done, Host, Share};

impl World {
    /// Somebody does something at a host. Where the power goes meanwhile, the host is down
    /// afterwards.
    pub fn act<T>(&mut self, host: HostId, act: impl FnOnce(&mut Host) -> T) -> T {
        let now = self.clock_ms(host);
        let one = self.at(host);
        one.set_now_ms(now);
        let done = act(one);
        if self.at(host).disk.is_dark() {
            self.crash(host);
        } else {
            self.changed(host);
        }
        done
    }

    /// A new record that a host controls.
    ///
    /// # Panics
    /// When its disk does not take it.
    pub fn record(&mut self, host: HostId) -> RecordId {
        self.act(host, Host::begin_record).expect("room")
    }

    /// A host writes a note into a document such as `plans:general`; whether it may and could.
    pub fn write(&mut self, host: HostId, record: RecordId, document: &str, text: &str) -> bool {
        let document = document_named(document);
        self.act(host, |host| host.note(record, &document, text).is_kept())
    }

    /// A controller shares a record: the grants, for each label one.
    ///
    /// # Panics
    /// When its disk does not take them.
    pub fn share(
        &mut self,
        host: HostId,
        record: RecordId,
        with: HostId,
        sights: &[Sight],
    ) -> Vec<EventId> {
        self.share_until(host, record, (with, None), sights)
    }

    /// A controller shares a record until a time, milliseconds since 1970 UTC.
    ///
    /// # Panics
    /// When its disk does not take the grants.
    pub fn share_until(
        &mut self,
        host: HostId,
        record: RecordId,
        (with, until_ms): (HostId, Option<u64>),
        sights: &[Sight],
    ) -> Vec<EventId> {
        let mut by_label = BTreeMap::<Label, (BTreeSet<Section>, Actions)>::new();
        for sight in sights {
            let held = by_label.entry(sight.document.label.clone()).or_default();
            held.0.insert(sight.document.section);
            held.1 = held.1.union(sight.actions);
        }
        let from_ms = self.clock_ms(host);
        let audience = self.at(with).whoever().principal;
        let mut grants = Vec::new();
        for (label, (sections, actions)) in by_label {
            let share = Share {
                audience,
                label,
                sections: sections.into_iter().collect(),
                actions,
                from_ms,
                until_ms,
                depth: 0,
                under: None,
            };
            let done = self.give(host, record, with, &share);
            assert!(done.is_kept(), "a controller may share, and there is room");
            grants.extend(event_of(&done));
        }
        grants
    }

    /// Somebody shares a record with whoever has another host; the two know each other then.
    pub fn give(&mut self, host: HostId, record: RecordId, with: HostId, share: &Share) -> Done {
        self.know(host, with, record);
        // The log of whoever is granted something has to be here for the grant to be judged: it
        // comes with their meeting.
        let audience = share.audience;
        let log = self.at(with).disk.principal_log(&audience);
        let items = log
            .iter()
            .flat_map(|log| log.iter())
            .map(kith_protocol::record::event_item);
        let items: Vec<_> = items.collect();
        let done = self.act(host, |host| {
            if host.disk.commit(items).is_err() {
                return Done::Lost(Vec::new());
            }
            host.give(record, share)
        });
        self.changed(with);
        done
    }

    /// A controller stops sharing; what was written so far stands.
    ///
    /// # Panics
    /// When its disk does not take it.
    pub fn stop(&mut self, host: HostId, record: RecordId, grants: &[EventId]) {
        for grant in grants {
            let done = self.act(host, |host| host.stop(record, *grant));
            assert!(!matches!(done, Done::Lost(_)), "room");
        }
    }
}

/// The event that an act signed.
pub fn event_of(done: &Done) -> Option<EventId> {
    done.items().iter().find_map(|item| match item {
        Item::Event { id, .. } => Some(*id),
        Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    })
}
