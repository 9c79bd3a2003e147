//! Every signature, link and status of a record, from the raw bytes.

use std::path::Path;

use kith_protocol::{
    id::PrincipalId,
    intake,
    logs::LogId,
    record::{CarryOver, Record, Weighed},
    store::Store,
};

use super::{Node, peers, show};
use crate::{
    api::{Progress, Verified},
    failure::Failure,
};

impl Node {
    pub(super) fn verify(
        &mut self,
        what: &str,
        passphrase: Option<&str>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Verified, Failure> {
        let path = Path::new(what);
        if path.is_file() {
            return self.verify_bundle(path, passphrase);
        }
        let id = self.record_named(what)?;
        let mut found = Verified {
            what: format!("record {id}"),
            ..Verified::default()
        };
        let mut fresh = Record::new(id);
        self.verify_events(&mut fresh, &mut found)?;
        let documents = self.store.documents(&id)?;
        let total = documents.len() as u64;
        for (n, document) in (1..).zip(documents) {
            for (entry, bytes) in self.store.entries(&id, &document)? {
                found.entries += 1;
                match intake::entry(&bytes) {
                    Ok(checked) if checked.id() == entry => {
                        self.know(&mut fresh, checked.header.value().author)?;
                        let arrived = fresh.arrive_weighed(Weighed::of(checked, bytes));
                        found
                            .faults
                            .extend(arrived.err().map(|error| format!("entry {entry}: {error}")));
                    }
                    Ok(_) => found
                        .faults
                        .push(format!("entry {entry} stands under another id")),
                    Err(error) => found
                        .faults
                        .push(format!("entry {entry}: {}", chain(&error))),
                }
            }
            progress(Progress {
                doing: "checking".to_owned(),
                done: n,
                total,
            });
        }
        for bytes in self.parts_of(&id)? {
            if let Ok(part) = kith_protocol::codec::decode(&bytes) {
                fresh.ledger().add_part(part);
            } else {
                found
                    .faults
                    .push("a part of a cut is not understood".to_owned());
            }
        }
        found.status = show::status_counts(&mut fresh);
        found.begun_anew = fresh.carry_overs().iter().map(begun_anew).collect();
        let digest = fresh.ledger().digest();
        let shown = self.with_record(id, |_, record| Ok(record.ledger().digest()))?;
        if digest != shown {
            found
                .faults
                .push("what is shown of this record is not what its entries say".to_owned());
        }
        Ok(found)
    }

    /// Takes in a principal's log from its raw bytes, once.
    fn know(&self, fresh: &mut Record, author: PrincipalId) -> Result<(), Failure> {
        for (_, bytes) in self.store.events(&LogId::Principal(author))? {
            if let Ok(event) = intake::event(&bytes) {
                fresh.ledger().add_event(event);
            }
        }
        Ok(())
    }

    fn verify_events(&self, fresh: &mut Record, found: &mut Verified) -> Result<(), Failure> {
        let mut logs = self.store.logs(&fresh.id())?;
        let mut done = std::collections::BTreeSet::new();
        while let Some(log) = logs.pop() {
            if !done.insert(log.clone()) {
                continue;
            }
            for (id, bytes) in self.store.events(&log)? {
                found.events += 1;
                match intake::event(&bytes) {
                    Ok(event) if event.id() == id => {
                        logs.extend(peers::signers(event.value()).map(LogId::Principal));
                        fresh.ledger().add_event(event);
                    }
                    Ok(_) => found
                        .faults
                        .push(format!("event {id} stands under another id")),
                    Err(error) => found.faults.push(format!("event {id}: {}", chain(&error))),
                }
            }
        }
        Ok(())
    }
}

fn begun_anew(over: &CarryOver) -> String {
    let (to, from) = (&over.to, &over.from);
    let how = match over.differing {
        Some(0) => "exactly as they stood there".to_owned(),
        Some(n) => format!("and {n} of them are left out or given otherwise"),
        None => "by the word of whoever began it: what stood there is not held here".to_owned(),
    };
    format!(
        "{to} goes on from {from} with {} resources, {how}",
        over.carried
    )
}

/// An error with its reasons.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        said.push_str(": ");
        said.push_str(&error.to_string());
        next = error.source();
    }
    said
}
