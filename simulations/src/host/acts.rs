//! What the people at a host do in records.

use std::{collections::BTreeMap, sync::Arc};

use kith_crdt::{Body, DocumentId, Edit, Held, Label, Meta, Resource, Section, refile::difference};
use kith_protocol::{
    consent::{
        GrantFate, GrantState,
        cut::CutTree,
        grant::{Actions, Basis, Grant, Purposes},
    },
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    logs::{
        Act, CoreAct, LabelAct, PrincipalAct,
        record::{Link, Policy, Revoke},
    },
    record::{Pen, Placed, Record, event_item},
    store::{Item, Store, StoreError},
    sync::Shell,
};
use rand_chacha::ChaCha20Rng;

use super::Host;

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is on the disk: what was signed.
    Kept(Vec<Item>),
    /// It may not be done, or there is nothing to do.
    Denied,
    /// The disk did not take it, or the power went: it may be there.
    Lost(Vec<Item>),
    /// The record cannot be read here.
    Unreadable,
}

impl Done {
    /// What was signed and may be somewhere, acknowledged or not.
    pub fn items(&self) -> &[Item] {
        match self {
            Self::Kept(items) | Self::Lost(items) => items,
            Self::Denied | Self::Unreadable => &[],
        }
    }

    /// Whether it was acknowledged.
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// What is given of one label of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// To whom.
    pub audience: PrincipalId,
    /// Which label.
    pub label: Label,
    /// Which sections of it, ascending.
    pub sections: Vec<Section>,
    /// What may be done.
    pub actions: Actions,
    /// From when, by the giver's clock.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: Option<u64>,
    /// How often it may be shared on.
    pub depth: u8,
    /// The grant that it is given under; nothing for a controller.
    pub under: Option<EventId>,
}

/// A resource as a host shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where.
    pub document: DocumentId,
    /// Every version that stands side by side, the one that is shown first.
    pub versions: Vec<String>,
    /// Who wrote what stands in it: the entries of its versions, as far as they are held.
    pub writers: Vec<EnvelopeId>,
}

impl Host {
    /// Tries something in a record and keeps what comes of it. What is in memory is never ahead of
    /// the disk.
    pub fn attempt(
        &mut self,
        id: RecordId,
        work: impl FnOnce(&mut Record, &Pen<'_>, &mut ChaCha20Rng) -> Option<Vec<Item>>,
    ) -> Done {
        let Ok(mut record) = self.take(id) else {
            return Done::Unreadable;
        };
        let mut rng = self.rng.clone();
        let items = work(&mut record, &self.pen(), &mut rng);
        self.rng = rng;
        let Some(items) = items else {
            // Whatever was tried may have left something in memory.
            return Done::Denied;
        };
        match self.disk.commit(items.clone()) {
            Ok(_) => {
                self.put(record);
                Done::Kept(items)
            }
            Err(_) => Done::Lost(items),
        }
    }

    /// Writes a note into a document.
    pub fn note(&mut self, id: RecordId, document: &DocumentId, text: &str) -> Done {
        let edits = vec![Edit::Create(resource(document.section, text))];
        self.edit(id, document, Actions::APPEND, |_| Some(edits))
    }

    /// Writes a note into a document; whether it may.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(
        &mut self,
        id: RecordId,
        document: &DocumentId,
        text: &str,
    ) -> Result<bool, StoreError> {
        match self.note(id, document, text) {
            Done::Kept(_) => Ok(true),
            Done::Denied => Ok(false),
            Done::Lost(_) | Done::Unreadable => {
                Err(StoreError::Io(std::io::Error::other("the disk")))
            }
        }
    }

    /// Changes the nth of what stands in a document.
    pub fn change(&mut self, id: RecordId, document: &DocumentId, nth: usize, text: &str) -> Done {
        self.edit(id, document, Actions::EDIT, |held| {
            let place = nth.checked_rem(held.len())?;
            let new = resource(document.section, text);
            let edits = difference(held.get(place)?, &new);
            (!edits.is_empty()).then_some(edits)
        })
    }

    /// Decides between versions that stand side by side, where there are any.
    pub fn choose(&mut self, id: RecordId, document: &DocumentId, nth: usize) -> Done {
        self.edit(id, document, Actions::EDIT, |held| {
            let open = held.iter().filter(|held| held.siblings().next().is_some());
            let open: Vec<_> = open.collect();
            let held = open.get(nth.checked_rem(open.len())?)?;
            let put = held.siblings().filter_map(|(unit, versions)| {
                Some(Edit::Put {
                    resource: held.id.clone(),
                    unit: unit.to_owned(),
                    text: versions.get(nth % versions.len())?.text.clone(),
                })
            });
            Some(put.collect())
        })
    }

    fn edit(
        &mut self,
        id: RecordId,
        document: &DocumentId,
        action: Actions,
        edits: impl FnOnce(&[Arc<Held>]) -> Option<Vec<Edit>>,
    ) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, rng| {
            let current = record.current(document);
            let ledger = record.ledger();
            let writer = [Purposes::CARE, Purposes::EMERGENCY]
                .into_iter()
                .find_map(|why| ledger.decide_write(&who, &current, action, why, now).ok());
            let writer = writer?;
            let reader = record.ledger().own_copy(&current, who);
            let placed = record.read(&reader).into_iter();
            let placed = placed.filter(|placed| !placed.aside && !placed.late);
            let held: Vec<_> = placed.map(|placed| placed.held).collect();
            let edits = edits(&held)?;
            let (item, _) = record.write(pen, &writer, &edits, rng).ok()?;
            Some(vec![item])
        })
    }

    /// Begins a part of a record anew with what stands in it.
    pub fn begin_anew(&mut self, id: RecordId, document: &DocumentId) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, rng| {
            let current = record.current(document);
            let next = record.next_epoch(&current, rng);
            let ledger = record.ledger();
            let writer = ledger.decide_write(&who, &next, Actions::EDIT, Purposes::CARE, now);
            let writer = writer.ok().filter(|writer| writer.grant().is_none())?;
            Some(vec![record.begin_epoch(pen, &writer, rng).ok()?])
        })
    }

    /// Makes the nth of what waits for review count.
    pub fn adopt(&mut self, id: RecordId, nth: usize) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, _| {
            let waits = waiting(record);
            let entry = waits.get(nth.checked_rem(waits.len())?)?;
            let document = record.ledger().header(entry)?.document.clone();
            let set = record.ledger().adoptable(entry);
            let ledger = record.ledger();
            let writer = ledger.decide_write(&who, &document, Actions::REVIEW, Purposes::CARE, now);
            let writer = writer.ok().filter(|_| !set.is_empty())?;
            Some(vec![record.adopt(pen, &writer, set)])
        })
    }

    /// Gives somebody a right, as a controller or under a grant of its own.
    pub fn give(&mut self, id: RecordId, share: &Share) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        let Ok(log) = self.disk.principal_log(&share.audience) else {
            return Done::Unreadable;
        };
        self.attempt(id, |record, pen, _| {
            for event in &*log {
                record.ledger().add_event(event.clone());
            }
            let grant = Grant {
                audience: share.audience,
                sections: share.sections.clone(),
                actions: share.actions,
                from_ms: share.from_ms,
                until_ms: share.until_ms,
                purposes: Purposes::CARE,
                basis: Basis::Consent,
                depth: share.depth,
                parent: share.under,
                custodians: Vec::new(),
            };
            let act = Act::Label(LabelAct::Grant(grant));
            let ledger = record.ledger();
            let issuer = ledger.decide_act(&who, Some(&share.label), share.under, act, now);
            Some(vec![record.act(pen, issuer.ok()?).1])
        })
    }

    /// Says who may open a record in an emergency, as a controller.
    pub fn say_rules(&mut self, id: RecordId, policy: Policy) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, _| {
            let act = Act::Core(CoreAct::Policy {
                policy,
                approvals: Vec::new(),
            });
            let issuer = record.ledger().decide_act(&who, None, None, act, now);
            Some(vec![record.act(pen, issuer.ok()?).1])
        })
    }

    /// Opens a record in an emergency until a time, where its rules name whoever it is.
    pub fn open(&mut self, id: RecordId, until_ms: u64, sections: Vec<Section>) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, _| {
            let act = Act::Core(CoreAct::BreakGlass {
                reason: "found on the floor".to_owned(),
                until_ms,
                secret_proof: None,
                sections,
            });
            let issuer = record.ledger().decide_act(&who, None, None, act, now);
            let (event, item) = record.act(pen, issuer.ok()?);
            let opened = record.ledger().emergencies();
            let counts = opened.iter().any(|opened| opened.id == event);
            counts.then(|| vec![item])
        })
    }

    /// Stops a grant; what was written under it so far stands, what hangs beneath it ends too.
    pub fn stop(&mut self, id: RecordId, grant: EventId) -> Done {
        self.end(id, grant, |record, of| {
            let link = Link::Grant(of.id);
            let cut = CutTree::new(record.ledger().keep_everything(link));
            let revoke = Revoke {
                link,
                cut: cut.cut(),
                keep: Vec::new(),
                void: Vec::new(),
                is_final: false,
            };
            (LabelAct::Revoke(revoke), Some(cut))
        })
    }

    /// Says that the end of a grant has passed; what was written in time stands.
    pub fn lapse(&mut self, id: RecordId, grant: EventId) -> Done {
        let now = self.now_ms;
        let is_over = |of: &GrantState| {
            let ends = of.effective.as_ref().and_then(|right| right.until_ms);
            ends.is_some_and(|ends| ends <= now)
        };
        let known = self.grants(id).into_iter().find(|of| of.id == grant);
        if !known.is_some_and(|of| is_over(&of)) {
            return Done::Denied;
        }
        self.end(id, grant, |record, of| {
            let cut = CutTree::new(record.ledger().keep_everything(Link::Grant(of.id)));
            let act = LabelAct::Lapse {
                grant: of.id,
                cut: cut.cut(),
            };
            (act, Some(cut))
        })
    }

    fn end(
        &mut self,
        id: RecordId,
        grant: EventId,
        act: impl FnOnce(&mut Record, &GrantState) -> (LabelAct, Option<CutTree>),
    ) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, _| {
            let grants = record.ledger().grants();
            let of = grants.iter().find(|state| state.id == grant)?;
            if of.state != GrantFate::Active {
                return None;
            }
            let controls = record.ledger().controllers().contains(&who.principal);
            let under = match controls {
                true => None,
                false => Some(above(&grants, of, who.principal)?),
            };
            let (act, cut) = act(record, of);
            let ledger = record.ledger();
            let issuer = ledger.decide_act(&who, Some(&of.label), under, Act::Label(act), now);
            let (event, item) = record.act(pen, issuer.ok()?);
            let mut items = vec![item];
            items.extend(cut.iter().flat_map(|cut| parts(record, event, cut)));
            Some(items)
        })
    }

    /// Gives a right of its own back.
    pub fn give_back(&mut self, id: RecordId, grant: EventId) -> Done {
        let (who, now) = (self.whoever(), self.now_ms);
        self.attempt(id, |record, pen, _| {
            let grants = record.ledger().grants();
            let of = grants.iter().find(|state| state.id == grant)?;
            let act = Act::Label(LabelAct::Renounce { grant });
            let ledger = record.ledger();
            let issuer = ledger.decide_act(&who, Some(&of.label), Some(grant), act, now);
            Some(vec![record.act(pen, issuer.ok()?).1])
        })
    }

    /// Retires another device of the same person: what it wrote so far stands.
    pub fn retire(&mut self, device: DeviceId) -> Done {
        let link = Link::Device(device);
        let (Ok(records), Ok(log)) = (
            self.disk.records(),
            self.disk.principal_log(&self.who.principal),
        ) else {
            return Done::Unreadable;
        };
        let mut kept = Vec::new();
        for id in records {
            let Ok(mut record) = self.take(id) else {
                return Done::Unreadable;
            };
            kept.extend(record.ledger().keep_everything(link));
            self.put(record);
        }
        let cut = CutTree::new(kept);
        let own = log.iter().filter(|event| event.value().device == device);
        let retire = PrincipalAct::DeviceRetire {
            device,
            last: own
                .max_by_key(|event| event.value().seq)
                .map(kith_protocol::signed::Verified::id),
            cut: cut.cut(),
            void: Vec::new(),
        };
        let event = self.as_root().own_event(&log, self.now_ms, retire);
        let mut items = vec![event_item(&event)];
        items.extend(cut.proven(event.id()).iter().map(|part| Item::Part {
            record: part.part.record,
            revocation: event.id(),
            bytes: kith_protocol::codec::encode(part),
        }));
        self.loaded.clear();
        match self.disk.commit(items.clone()) {
            Ok(_) => Done::Kept(items),
            Err(_) => Done::Lost(items),
        }
    }

    /// Every grant of a record that is held; none where it cannot be read.
    pub fn grants(&mut self, id: RecordId) -> Vec<GrantState> {
        let Ok(mut record) = self.take(id) else {
            return Vec::new();
        };
        let grants = record.ledger().grants();
        self.put(record);
        grants
    }

    /// Everything that a host shows of a record.
    ///
    /// # Errors
    /// When it cannot be read here.
    pub fn shown(&mut self, id: RecordId) -> Result<Vec<Shown>, StoreError> {
        let who = self.whoever();
        let mut record = self.take(id)?;
        let shown = shown_by(&mut record, who);
        self.put(record);
        Ok(shown)
    }
}

/// Everything that a record shows to the owner of the store that it was loaded from.
pub fn shown_by(record: &mut Record, owner: kith_protocol::consent::Whoever) -> Vec<Shown> {
    let mut shown = Vec::new();
    for document in record.ledger().documents() {
        let reader = record.ledger().own_copy(&document, owner);
        for placed in record.read(&reader) {
            shown.push(show(record, &placed));
        }
    }
    shown
}

fn show(record: &Record, placed: &Placed) -> Shown {
    let held = &placed.held;
    let most = held.siblings().map(|(_, versions)| versions.len()).max();
    let writers = held.units.iter().flat_map(|unit| unit.content.writers());
    Shown {
        document: placed.document.clone(),
        versions: (0..most.unwrap_or(1).max(1))
            .map(|n| held.to_text(n))
            .collect(),
        writers: writers
            .filter_map(|change| record.writer(&change))
            .collect(),
    }
}

/// What does not count, or not without a mark, until someone adopts it; ascending.
fn waiting(record: &mut Record) -> Vec<EnvelopeId> {
    use kith_protocol::consent::ReviewItem;
    let review = record.ledger().review().into_iter();
    let waits = review.filter_map(|item| match item {
        ReviewItem::Contested { entry, .. } | ReviewItem::Marked { entry, .. } => Some(entry),
        ReviewItem::Suspended { .. } | ReviewItem::ForkedLog { .. } | ReviewItem::Forked { .. } => {
            None
        }
    });
    waits.collect()
}

/// A grant of one's own that another hangs on.
fn above(grants: &[GrantState], of: &GrantState, own: PrincipalId) -> Option<EventId> {
    let by_id: BTreeMap<_, _> = grants.iter().map(|grant| (grant.id, grant)).collect();
    let mut parent = of.grant.parent;
    while let Some(grant) = parent.and_then(|id| by_id.get(&id)) {
        if grant.grant.audience == own && grant.state == GrantFate::Active {
            return Some(grant.id);
        }
        parent = grant.grant.parent;
    }
    None
}

/// The parts of a cut, taken in and to be kept.
fn parts(record: &mut Record, event: EventId, cut: &CutTree) -> Vec<Item> {
    let proven = cut.proven(event);
    let items = proven.iter().map(|part| Item::Part {
        record: record.id(),
        revocation: event,
        bytes: kith_protocol::codec::encode(part),
    });
    let items = items.collect();
    for part in proven {
        record.ledger().add_part(part);
    }
    items
}

/// How often the text of a note stands in its resource.
pub const fn text_stands(section: Section) -> usize {
    if matches!(section, Section::Medicines) {
        3
    } else {
        1
    }
}

/// A note as a resource of its own; among the medicines a drug with its dose.
pub(super) fn resource(section: Section, text: &str) -> Resource {
    let (kind, json) = if section == Section::Medicines {
        let json = format!(
            "{{\"resourceType\":\"MedicationRequest\",\"valueString\":\"{text}\",\
             \"medicationCodeableConcept\":{{\"text\":\"drug {text}\"}},\
             \"dosageInstruction\":[{{\"text\":\"dose {text}\"}}]}}"
        );
        ("MedicationRequest", json)
    } else {
        let json = format!("{{\"resourceType\":\"Observation\",\"valueString\":\"{text}\"}}");
        ("Observation", json)
    };
    let whole = || Body::whole(json.clone());
    let body = match section {
        Section::Medicines => Body::parse(&json, section).unwrap_or_else(|_| whole()),
        Section::Identity
        | Section::Allergies
        | Section::Conditions
        | Section::Immunisations
        | Section::Results
        | Section::Plans
        | Section::Encounters
        | Section::Tasks
        | Section::Letters
        | Section::DailyCare
        | Section::Monitoring
        | Section::Forms
        | Section::Circle => whole(),
    };
    Resource {
        meta: Meta {
            kind: kind.to_owned(),
            made_here: true,
            ..Meta::default()
        },
        body,
    }
}
