//! Who looked: one link of the access log for each disclosure, on the disk before a byte leaves.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::{
        Audience, AuditChain, AuditEntry, DisclosedDocument, Disclosure, Extent, How, Recipient,
        What,
    },
    codec,
    consent::grant::Purposes,
    id::{EventId, PrincipalId, RecordId},
    record::Record,
    store::{Item, Store},
};
use rand_core::Rng;

use super::{
    Node,
    identity::{RowKind, read_row, row},
    now_ms, show,
};
use crate::{
    api::Looked,
    failure::{Ending, Failure},
};

/// What went to one other of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The record.
    pub record: String,
    /// Who got it.
    pub to: String,
    /// When last, RFC 3339.
    pub last: String,
    /// How often.
    pub times: usize,
    /// How many bytes in all.
    pub bytes: u64,
}

/// What is read for one answer.
#[derive(Default)]
pub(super) struct Look {
    what: Vec<Disclosure>,
    rows: Vec<Item>,
}

/// Links of the access log that are not on the disk yet.
#[derive(Default)]
pub(super) struct Gathered {
    /// The chain with them; none where there are none.
    chain: Option<AuditChain>,
    items: Vec<Item>,
}

impl Look {
    fn add(&mut self, new: Disclosure) {
        let is_of = |known: &&mut Disclosure| {
            known.record == new.record
                && known.to == new.to
                && known.how == new.how
                && known.grant == new.grant
                && known.purpose == new.purpose
                && known.len == 0
                && known.attachments.is_empty()
        };
        let is_plain = new.len == 0 && new.attachments.is_empty();
        match self.what.iter_mut().find(is_of).filter(|_| is_plain) {
            Some(known) => {
                for document in new.documents {
                    if !known.documents.contains(&document) {
                        known.documents.push(document);
                    }
                }
            }
            None => self.what.push(new),
        }
    }
}

impl Node {
    /// Everything that this node holds of a record is about to be given out in this way.
    pub(super) fn disclose(
        &mut self,
        record: &mut Record,
        to: Audience,
        how: How,
        len: usize,
    ) -> Result<(), Failure> {
        let documents = record.ledger().documents();
        let mut said = Self::state_of(record, documents, to, None, how);
        said.len = len as u64;
        self.disclosed(vec![said], Vec::new())
    }

    /// The disclosure of these documents as they stand now, for care.
    pub(super) fn state_of(
        record: &mut Record,
        documents: Vec<DocumentId>,
        to: Audience,
        grant: Option<EventId>,
        how: How,
    ) -> Disclosure {
        let documents = documents
            .into_iter()
            .map(|document| {
                let mut heads = record.ledger().heads(&document);
                heads.sort_unstable();
                DisclosedDocument {
                    document,
                    extent: Extent::State(heads),
                }
            })
            .collect();
        Disclosure {
            to,
            record: record.id(),
            documents,
            attachments: Vec::new(),
            grant,
            purpose: Purposes::CARE,
            how,
            len: 0,
        }
    }

    /// Whoever is signed in on this node: its owner, or a member of their staff.
    pub(super) fn owner(&self) -> Audience {
        Audience::Named(vec![Recipient {
            principal: self.identity.principal,
            device: Some(self.device()),
            staff: self.acting,
        }])
    }

    /// A search is about to say that these records are here.
    pub(super) fn disclose_found(&mut self, records: Vec<RecordId>) -> Result<(), Failure> {
        let to = self.owner();
        let found = records.into_iter().map(|record| Disclosure {
            to: to.clone(),
            record,
            documents: Vec::new(),
            attachments: Vec::new(),
            grant: None,
            purpose: Purposes::CARE,
            how: How::Search,
            len: 0,
        });
        self.disclosed(found.collect(), Vec::new())
    }

    /// Gathers what is read for one answer: it is in the access log in one commit, before anything
    /// of it is given back, and what one reader is shown of one record is one link.
    ///
    /// # Errors
    /// When the work fails, and when the access log cannot be written.
    pub(crate) fn one_look<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.look.is_some() {
            return work(self);
        }
        self.look = Some(Look::default());
        let done = work(self);
        let Look { what, rows } = self.look.take().unwrap_or_default();
        self.disclosed(what, rows)?;
        done
    }

    /// From here on what is given out is written into the access log in memory: nothing of the
    /// answers may leave before [`Self::enter_looks`] has said that it is on the disk.
    pub(crate) fn gather_looks(&mut self) {
        self.gathered = Some(Gathered::default());
    }

    /// Enters what was gathered into the access log, in one commit.
    ///
    /// # Errors
    /// When the access log cannot be written: then none of the answers may leave.
    pub(crate) fn enter_looks(&mut self) -> Result<(), Failure> {
        match self.gathered.take() {
            Some(Gathered {
                chain: Some(chain),
                mut items,
            }) => {
                items.push(row(RowKind::Audit, b"", &chain));
                self.commit(items)
            }
            Some(Gathered { chain: None, .. }) | None => Ok(()),
        }
    }

    /// Enters disclosures into the access log, with rows that are kept in the same commit.
    pub(super) fn disclosed(
        &mut self,
        what: Vec<Disclosure>,
        rows: Vec<Item>,
    ) -> Result<(), Failure> {
        if what.is_empty() {
            return Ok(());
        }
        if let Some(look) = &mut self.look {
            look.rows.extend(rows);
            what.into_iter().for_each(|what| look.add(what));
            return Ok(());
        }
        let now = now_ms();
        let mut items = rows;
        let gathered = self
            .gathered
            .as_ref()
            .and_then(|gathered| gathered.chain.clone());
        let known = match gathered {
            Some(chain) => Some(chain),
            None => read_row(&self.store, RowKind::Audit, b"")?,
        };
        let mut chain = match known {
            Some(chain) => chain,
            None => {
                let mut nonce = [0; 16];
                self.rng.fill_bytes(&mut nonce);
                let (chain, bytes) =
                    AuditChain::begin(self.identity.log_key().device(), nonce, now);
                items.push(Item::Audit { bytes });
                chain
            }
        };
        for what in what {
            let link = chain.append(now, what).map_err(|error| {
                Failure::new(
                    Ending::Failed,
                    "This is too much to be given out at once.",
                    "Export it in parts.",
                )
                .because(&error)
            })?;
            items.push(Item::Audit { bytes: link });
        }
        if chain.wants_checkpoint() {
            let checkpoint = chain.checkpoint(now, self.identity.log_key());
            items.push(Item::Audit {
                bytes: checkpoint.link,
            });
        }
        if let Some(gathered) = &mut self.gathered {
            gathered.items.extend(items);
            gathered.chain = Some(chain);
            return Ok(());
        }
        items.push(row(RowKind::Audit, b"", &chain));
        self.commit(items)
    }

    /// The access log of a record, newest first.
    pub(super) fn who_looked(&mut self, word: &str) -> Result<Vec<Looked>, Failure> {
        let id = self.record_named(word)?;
        let mut looked: Vec<_> = self
            .access_log()?
            .into_iter()
            .filter(|(_, what)| what.record == id)
            .map(|(time_ms, what)| self.looked(time_ms, &what))
            .collect();
        looked.reverse();
        Ok(looked)
    }

    /// What went to other nodes, by record and by who got it: when last, how often, and how many
    /// bytes.
    ///
    /// # Errors
    /// When the access log cannot be read or is not as it was written.
    pub(crate) fn given_out(&self) -> Result<Vec<Given>, Failure> {
        let mut given: BTreeMap<(RecordId, PrincipalId), Given> = BTreeMap::new();
        for (time_ms, what) in self.access_log()? {
            let Audience::Named(recipients) = &what.to else {
                continue;
            };
            if what.how != How::Sync {
                continue;
            }
            for to in recipients {
                let line = given
                    .entry((what.record, to.principal))
                    .or_insert_with(|| Given {
                        record: what.record.to_string(),
                        to: self.name_of(to.principal),
                        last: String::new(),
                        times: 0,
                        bytes: 0,
                    });
                line.last = show::time(time_ms);
                line.times += 1;
                line.bytes += what.len;
            }
        }
        Ok(given.into_values().collect())
    }

    /// Every disclosure in the access log, oldest first, once the log is known to be as it was
    /// written.
    pub(super) fn access_log(&self) -> Result<Vec<(u64, Disclosure)>, Failure> {
        let links = self.store.audit()?;
        if links.is_empty() {
            return Ok(Vec::new());
        }
        kith_protocol::audit::verify(&links, &[], self.identity.log_key().device()).map_err(
            |error| {
                Failure::new(
                Ending::Failed,
                "The access log was changed behind kith's back, so it is not shown as one.",
                "Keep this folder as it is and ask for help; a backup may hold the log as it was.",
            )
            .because(&error)
            },
        )?;
        Ok(links
            .iter()
            .filter_map(|bytes| codec::decode_trusted::<AuditEntry>(bytes).ok())
            .filter_map(|entry| match entry.what {
                What::Disclosure(what) => Some((entry.time_ms, what)),
                What::Begun { .. } | What::Checkpoint { .. } => None,
            })
            .collect())
    }

    pub(super) fn looked(&self, time_ms: u64, what: &Disclosure) -> Looked {
        let who = match &what.to {
            Audience::Named(recipients) => {
                let names = recipients.iter().map(|to| match to.staff {
                    Some(staff) if to.principal == self.identity.principal => {
                        self.name_of_staff(staff)
                    }
                    Some(_) | None => self.name_of(to.principal),
                });
                names.collect::<Vec<_>>().join(", ")
            }
            Audience::Passphrase => "whoever has the passphrase".to_owned(),
            Audience::Anyone => "whoever has the file".to_owned(),
        };
        let how = match what.how {
            How::Show => "looked at it here",
            How::Search => "found it in a search",
            How::Fhir => "read it through another program",
            How::Export => "exported it to a file",
            How::Print => "printed it",
            How::Bundle => "wrote it into a bundle file",
            How::Sync => "was sent it",
        };
        Looked {
            when: show::time(time_ms),
            who,
            how: how.to_owned(),
            parts: what
                .documents
                .iter()
                .map(|disclosed| disclosed.document.to_string())
                .collect(),
        }
    }
}
