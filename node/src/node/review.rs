//! What waits for a decision, and deciding.

use kith_crdt::{Edit, Held, ResourceId};
use kith_protocol::{
    consent::{
        ReviewItem,
        grant::{Actions, Purposes},
    },
    id::{EnvelopeId, RecordId},
    logs::record::LinkState,
    record::Record,
    store::{Item, Store},
};

use super::{Node, access::denied, import, now_ms};
use crate::{
    api::{Decided, Decision, Explained, Review, ReviewKind, ToReview},
    failure::{Ending, Failure},
    health::line,
};

impl Node {
    pub(super) fn review(&mut self, word: Option<&str>) -> Result<Review, Failure> {
        let (records, one): (Vec<_>, _) = match word {
            Some(word) => {
                let one = self.record_named(word)?;
                (vec![one], Some(one))
            }
            None => (self.people.iter().map(|(id, _)| *id).collect(), None),
        };
        let mut review = Review {
            items: self.invitations_to_review(one)?,
        };
        for id in records {
            match self.attention(id) {
                Ok(found) => review.items.extend(found.items.iter().cloned()),
                Err(failure) if word.is_some() => return Err(failure),
                // A record that cannot be read never looks like one with nothing to review.
                Err(failure) => review.items.push(self.not_read(id, failure)),
            }
        }
        Ok(review)
    }

    fn not_read(&self, record: RecordId, failure: Failure) -> ToReview {
        let known = self.people.get(&record);
        ToReview {
            record: record.to_string(),
            person: known.map_or_else(String::new, super::people::Known::banner),
            kind: ReviewKind::NotRead,
            id: record.to_string(),
            what: failure.what,
            versions: Vec::new(),
            remedy: "kith status says what is wrong and what mends it".to_owned(),
        }
    }

    pub(super) fn to_review(&self, record: &mut Record) -> Result<Vec<ToReview>, Failure> {
        let id = record.id();
        let person = self
            .people
            .get(&id)
            .map_or_else(String::new, super::people::Known::banner);
        let item = |kind, of: String, what: String, versions, remedy: String| ToReview {
            record: id.to_string(),
            person: person.clone(),
            kind,
            id: of,
            what,
            versions,
            remedy,
        };
        let mut items: Vec<_> = record
            .ledger()
            .review()
            .into_iter()
            .map(|waiting| entry_item(&item, &waiting))
            .collect();
        for (other, said) in record.ledger().same_person_said() {
            if said.link == LinkState::Proposed && self.controls(record) {
                let what = format!("record {other}: {}", said.evidence);
                let remedy = format!(
                    "look at both, then kith record same {id} {other} --confirm, or --withdraw"
                );
                let kind = ReviewKind::SamePerson;
                items.push(item(kind, other.to_string(), what, Vec::new(), remedy));
            }
        }
        for opened in self.unseen_emergencies(record)?.into_iter().rev() {
            let what = format!(
                "{} opened this record: {}. From {} until {} ({})",
                opened.by, opened.reason, opened.from, opened.until, opened.state
            );
            let remedy = format!(
                "kith review {id} seen {} when you have looked at it; kith who-looked {id} says what they were given",
                &opened.id[..12]
            );
            let kind = ReviewKind::Emergency;
            items.insert(0, item(kind, opened.id, what, Vec::new(), remedy));
        }
        if let Some(plans) = self.plans_to_review(record, &person) {
            items.insert(0, plans);
        }
        for placed in self.read_all(record)? {
            let held = &placed.held;
            let what = || {
                let value = held.value(0);
                line::describe(&value)
            };
            if placed.late {
                items.push(item(
                    ReviewKind::Late,
                    held.id.to_string(),
                    what(),
                    Vec::new(),
                    format!(
                        "kith review {id} bring {} writes it into what stands now; leave instead of bring does not",
                        held.id
                    ),
                ));
            } else if held.siblings().next().is_some() {
                items.push(item(
                    ReviewKind::TwoVersions,
                    held.id.to_string(),
                    what(),
                    self.versions(record, held),
                    format!("kith review {id} choose {} VERSION", held.id),
                ));
            } else if let Some(said) = held
                .retractions
                .iter()
                .find(|said| !said.concurrent.is_empty())
            {
                items.push(item(
                    ReviewKind::MistakeAndChange,
                    held.id.to_string(),
                    what(),
                    vec![said.reason.clone()],
                    format!(
                        "kith review {id} choose {} 1 keeps what stands now",
                        held.id
                    ),
                ));
            }
        }
        Ok(items)
    }

    /// Every version of a resource's groups, in words with who wrote each.
    pub(super) fn versions(&self, record: &mut Record, held: &Held) -> Vec<String> {
        let most = held.siblings().map(|(_, versions)| versions.len()).max();
        (0..most.unwrap_or(0))
            .map(|n| {
                let value = held.value(n);
                let writer = held
                    .siblings()
                    .find_map(|(_, versions)| versions.get(n))
                    .and_then(|version| record.author(&version.writer));
                let by = writer.map_or_else(|| "not known".to_owned(), |by| self.name_of(by));
                format!("{} (by {by})", line::describe(&value))
            })
            .collect()
    }

    pub(super) fn decide(&mut self, word: &str, decision: &Decision) -> Result<Decided, Failure> {
        let id = self.record_named(word)?;
        match decision {
            Decision::Adopt { entry } => self.with_record(id, |node, of| node.adopt(of, entry)),
            Decision::Choose { resource, version } => {
                self.with_record(id, |node, of| node.choose(of, resource, *version))
            }
            Decision::Settle { resource, wanted } => {
                self.with_record(id, |node, of| node.settle(of, resource, *wanted))
            }
            Decision::Confirm { stop } => self.with_record(id, |node, of| node.confirm(of, stop)),
            Decision::Void { stop } => self.void(id, stop),
            Decision::Undo { entry, version } => {
                self.with_record(id, |node, of| node.undo(of, entry, *version))
            }
            Decision::Seen { emergency } => {
                let see = |node: &mut Self, of: &mut Record| node.see_emergency(of, emergency);
                Ok(Decided {
                    entry: self.with_record(id, see)?,
                    what: "It is noted here that somebody has seen this; kith record emergency RECORD goes on listing it.".to_owned(),
                })
            }
        }
    }

    fn adopt(&mut self, record: &mut Record, word: &str) -> Result<Decided, Failure> {
        let entry = entry_named(record, word)?;
        let document = record
            .ledger()
            .header(&entry)
            .map(|header| header.document.clone())
            .ok_or_else(|| no_entry(word))?;
        let set = record.ledger().adoptable(&entry);
        if set.is_empty() {
            return Err(Failure::new(
                Ending::Failed,
                "This entry counts already, or nothing can make it count.",
                format!("kith explain {word} says why."),
            ));
        }
        let now = now_ms();
        let writer = record
            .ledger()
            .decide_write(
                &self.whoever(),
                &document,
                Actions::REVIEW,
                Purposes::CARE,
                now,
            )
            .map_err(|denial| denied(&denial))?;
        let count = set.len();
        let item = record.adopt(&self.pen(now), &writer, set);
        let adopted = id_of(&item);
        self.commit(vec![item])?;
        Ok(Decided {
            what: match count {
                1 => "The entry counts now.".to_owned(),
                n => format!("{n} entries count now: this one and what it builds on."),
            } + &undone_by(&adopted),
            entry: adopted,
        })
    }

    fn choose(
        &mut self,
        record: &mut Record,
        word: &str,
        version: usize,
    ) -> Result<Decided, Failure> {
        let not_there = || {
            Failure::new(
                Ending::Failed,
                format!("There is no version {version} of {word:?} to choose."),
                "Run kith review RECORD to see what waits; nothing was changed.",
            )
        };
        let resource = ResourceId::parse(word).ok_or_else(not_there)?;
        let placed = self
            .read_all(record)?
            .into_iter()
            .find(|placed| placed.held.id == resource && !placed.aside && !placed.late)
            .ok_or_else(not_there)?;
        let mut edits = Vec::new();
        for (unit, versions) in placed.held.siblings() {
            let chosen = version
                .checked_sub(1)
                .and_then(|n| versions.get(n))
                .ok_or_else(not_there)?;
            edits.push(Edit::Put {
                resource: resource.clone(),
                unit: unit.to_owned(),
                text: chosen.text.clone(),
            });
        }
        if edits.is_empty() {
            return Err(not_there());
        }
        let entry = self.write_decision(record, &placed.document, &edits)?;
        Ok(Decided {
            what: "The version counts now; what it was chosen from stays in the record's history."
                .to_owned()
                + &undone_by(&entry),
            entry,
        })
    }

    /// Brings what came in after its part was begun anew over into what stands now, or leaves it.
    fn settle(
        &mut self,
        record: &mut Record,
        word: &str,
        wanted: bool,
    ) -> Result<Decided, Failure> {
        let placed = self.read_all(record)?.into_iter();
        let late = placed
            .filter(|placed| placed.late && !placed.aside)
            .find(|placed| placed.held.id.as_str() == word)
            .ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    format!("Nothing called {word:?} waits to be brought over."),
                    "Run kith review RECORD to see what waits; nothing was changed.",
                )
            })?;
        let edits = record.settle(&late.document, &late.held, wanted);
        let mut rng = self.rng.clone();
        let mut items = Vec::new();
        import::write_all(record, &self.pen(now_ms()), edits, &mut items, &mut rng)?;
        self.rng = rng;
        let entry = items.last().map_or_else(String::new, id_of);
        self.commit(items)?;
        let what = if wanted {
            "It stands in the record now; who wrote it first stays in the record's history."
        } else {
            "It stays where it was written and is not shown any more."
        };
        Ok(Decided {
            entry,
            what: what.to_owned(),
        })
    }

    pub(super) fn explain(&mut self, word: &str) -> Result<Explained, Failure> {
        let records: Vec<RecordId> = match EnvelopeId::from_hex(word) {
            Some(id) => self
                .store
                .entry(&id)?
                .into_iter()
                .map(|found| found.0)
                .collect(),
            None => self.people.iter().map(|(id, _)| *id).collect(),
        };
        for record in records {
            let found = self.with_record(record, |_, record| Ok(explained(record, word)));
            if let Ok(Some(explained)) = found {
                return Ok(explained);
            }
        }
        Err(no_entry(word))
    }
}

fn explained(record: &mut Record, word: &str) -> Option<Explained> {
    let entry = match ResourceId::parse(word) {
        Some(resource) => record.creator(&resource)?,
        None => entry_named(record, word).ok()?,
    };
    let status = record.ledger().status(&entry)?;
    let explanation = record.ledger().explain(&entry)?;
    Some(Explained {
        entry: entry.to_string(),
        status: super::show::status_word(&status).to_owned(),
        because: explanation.sentences,
    })
}

/// Makes a line of the review list: kind, id, what, versions, what to do.
type MakeItem<'a> = dyn Fn(ReviewKind, String, String, Vec<String>, String) -> ToReview + 'a;

fn entry_item(item: &MakeItem<'_>, waiting: &ReviewItem) -> ToReview {
    let adopt = |id: &EnvelopeId| format!("kith explain {id}, then kith review RECORD adopt {id}");
    let entry = |kind, id: &EnvelopeId| {
        item(
            kind,
            id.to_string(),
            "an entry".to_owned(),
            Vec::new(),
            adopt(id),
        )
    };
    let restored = |device: String, what: &str| {
        item(
            ReviewKind::Restored,
            device,
            what.to_owned(),
            Vec::new(),
            "nothing is lost: both are kept; ask whose device it is".to_owned(),
        )
    };
    match waiting {
        ReviewItem::Marked { entry: id, .. } => entry(ReviewKind::Marked, id),
        ReviewItem::Contested { entry: id, .. } => entry(ReviewKind::Contested, id),
        ReviewItem::Suspended { revocation, .. } => item(
            ReviewKind::StopWaits,
            revocation.to_string(),
            "a stop of sharing".to_owned(),
            Vec::new(),
            format!(
                "whoever stands above them says whether it holds: kith review RECORD confirm {id} or void {id}; it does not until then",
                id = &revocation.to_string()[..12]
            ),
        ),
        ReviewItem::Forked { device, .. } => {
            restored(device.to_string(), "two entries with one number")
        }
        ReviewItem::ForkedLog { device, .. } => {
            restored(device.to_string(), "two acts with one number")
        }
    }
}

/// The entry that a word names: its id or the beginning of it.
pub(super) fn entry_named(record: &mut Record, word: &str) -> Result<EnvelopeId, Failure> {
    let mut found = Vec::new();
    for document in record.ledger().documents() {
        for (id, _) in record.ledger().entries(&document) {
            if word.len() >= 6 && id.to_string().starts_with(word) {
                found.push(id);
            }
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(no_entry(word)),
        _ => Err(Failure::new(
            Ending::NeedsPerson,
            format!("{word:?} fits several entries."),
            "Use more of the entry's id.",
        )),
    }
}

fn undone_by(entry: &str) -> String {
    format!(" kith review RECORD undo {} takes that back.", &entry[..12])
}

pub(super) fn no_entry(word: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("This node holds no entry called {word:?}."),
        "An entry's name is its id or at least six characters of it; kith review lists those that wait.",
    )
}

pub(super) fn id_of(item: &Item) -> String {
    match item {
        Item::Entry { id, .. } => id.to_string(),
        Item::Event { id, .. } => id.to_string(),
        Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => String::new(),
    }
}
