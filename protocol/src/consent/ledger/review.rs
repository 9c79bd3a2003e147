//! What waits for a person, and why things are as they are.

use std::collections::BTreeSet;

use super::{
    GrantFate, Ledger,
    authority::{Acting, At},
    entries::Nth,
};
use crate::{
    consent::{
        decision::Explanation,
        status::{Cause, Missing, Status},
    },
    envelope::Content,
    id::{DeviceId, EnvelopeId, EventId, PrincipalId},
    logs::{Act, LabelAct, LogId},
};

/// Something that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReviewItem {
    /// A revocation whose issuer was stopped: someone upstream confirms or voids it.
    Suspended {
        /// The revocation.
        revocation: EventId,
        /// Who signed it.
        by: PrincipalId,
        /// Who may decide: whoever stands above its issuer now, ascending.
        deciders: Vec<PrincipalId>,
    },
    /// Two events of one chain with one position: usually a device restored from an older copy.
    ForkedLog {
        /// The device.
        device: DeviceId,
        /// The events, ascending.
        events: Vec<EventId>,
    },
    /// Two entries of one chain with one position.
    Forked {
        /// The device.
        device: DeviceId,
        /// The entries, ascending.
        entries: Vec<EnvelopeId>,
    },
    /// An entry that does not count until someone adopts it.
    Contested {
        /// The entry.
        entry: EnvelopeId,
        /// Why.
        cause: Cause,
    },
    /// An entry that adds and does not replace until someone adopts it.
    Marked {
        /// The entry.
        entry: EnvelopeId,
        /// Why.
        cause: Cause,
    },
}

impl Ledger {
    /// What waits for a decision: suspended revocations first.
    pub fn review(&mut self) -> Vec<ReviewItem> {
        let mut items = self.suspended();
        items.extend(self.forks());
        for document in self.documents() {
            for (entry, status) in self.entries(&document) {
                match status {
                    Status::Contested(cause) => items.push(ReviewItem::Contested { entry, cause }),
                    Status::Marked(cause) => items.push(ReviewItem::Marked { entry, cause }),
                    Status::Accepted
                    | Status::Invalid(_)
                    | Status::Pending(_)
                    | Status::Unreadable(_) => {}
                }
            }
        }
        items.sort_unstable();
        items
    }

    pub(super) fn suspended(&mut self) -> Vec<ReviewItem> {
        let targets = &self.authority.targets;
        let lists = targets.revokes.values().chain(targets.device_ends.values());
        let lists = lists.chain(targets.staff_ends.values());
        let lists: Vec<Vec<At>> = lists.cloned().collect();
        // One that somebody above has confirmed, or stopped again having seen it, is decided.
        let waiting: BTreeSet<At> = self.authority.in_present_view(|view, a| {
            let waits = |list: &Vec<At>| view.group(a, list).suspended;
            lists.iter().flat_map(waits).collect()
        });
        waiting
            .into_iter()
            .map(|at| ReviewItem::Suspended {
                revocation: self.authority.id(at),
                by: self.authority.event(at).author,
                deciders: self.deciders(at),
            })
            .collect()
    }

    /// Who may confirm or void a revocation: of a device or member of staff, its principal;
    /// otherwise the controllers and the holders of the shares above the one it was issued under.
    fn deciders(&mut self, revocation: At) -> Vec<PrincipalId> {
        let a = &self.authority;
        if let LogId::Principal(principal) = a.event(revocation).log {
            return vec![principal];
        }
        let above = match a
            .standing(revocation)
            .map(|standing| &standing.chain.acting)
        {
            Some(Acting::Grant(grant)) => a.right(*grant).map(|right| right.lineage.clone()),
            Some(Acting::Root(_) | Acting::Own | Acting::Quorum) | None => None,
        };
        let above = above.unwrap_or_default().into_iter().skip(1);
        let mut deciders: BTreeSet<_> = self.controllers().into_iter().collect();
        for grant in above {
            if self.authority.grant_fate(grant) == GrantFate::Active {
                deciders.extend(self.authority.right(grant).map(|right| right.audience));
            }
        }
        deciders.into_iter().collect()
    }

    fn forks(&self) -> Vec<ReviewItem> {
        let mut items = Vec::new();
        for ((_, device, _), links) in &self.entries.chains {
            for branches in links.values() {
                let valid = |at: &&Nth| matches!(self.entries.held[**at].verdict, Some(Ok(_)));
                let branches = branches.iter().filter(valid);
                let mut entries: Vec<_> = branches.map(|at| self.entries.held[*at].id).collect();
                entries.sort_unstable();
                if entries.len() > 1 {
                    items.push(ReviewItem::Forked {
                        device: *device,
                        entries,
                    });
                }
            }
        }
        let a = &self.authority;
        let mut places = std::collections::BTreeMap::<_, Vec<_>>::new();
        for at in a.valid.iter() {
            let event = a.event(at);
            let log = match &event.log {
                LogId::Core(_) => LogId::Core(Some(a.record)),
                LogId::Principal(_) | LogId::Label(..) => event.log.clone(),
            };
            let place = (event.device, log, event.seq);
            places.entry(place).or_default().push(a.id(at));
        }
        for ((device, _, _), mut events) in places {
            events.sort_unstable();
            if events.len() > 1 {
                items.push(ReviewItem::ForkedLog { device, events });
            }
        }
        items
    }

    /// Everything that must be adopted together for an entry to count, in causal order: itself
    /// and those of its ancestors that are not loaded. Nothing for an entry that cannot be adopted
    /// or need not be.
    pub fn adoptable(&mut self, entry: &EnvelopeId) -> Vec<EnvelopeId> {
        let can = matches!(
            self.status(entry),
            Some(Status::Contested(_) | Status::Marked(_))
        );
        let Some(at) = self.entries.index.get(entry).copied().filter(|_| can) else {
            return Vec::new();
        };
        let mut missing = BTreeSet::from([at]);
        let entries = &self.entries;
        entries.walk(&[at], |below| {
            let loaded = entries.held[below].fate.loaded;
            if !loaded {
                missing.insert(below);
            }
            !loaded || below == at
        });
        let mut missing: Vec<_> = missing.into_iter().collect();
        missing.sort_by_key(|at| (entries.held[*at].generation, entries.held[*at].id));
        missing.into_iter().map(|at| entries.held[at].id).collect()
    }

    /// Why an entry has its status, in sentences.
    pub fn explain(&mut self, entry: &EnvelopeId) -> Option<Explanation> {
        let status = self.status(entry)?;
        let at = *self.entries.index.get(entry)?;
        let held = &self.entries.held[at];
        let author = short(held.header.value().author.as_bytes());
        let mut sentences = vec![self.first_sentence(&status)];
        sentences.push(match held.header.value().grant {
            None => format!("{author} wrote it as someone who controls the record."),
            Some(grant) => {
                let grant = short(grant.as_bytes());
                format!("{author} wrote it under the share {grant}.")
            }
        });
        sentences.extend(self.told_of_custodians(at));
        if let Content::CarryOver { from, heads, .. } = &held.header.value().content {
            sentences.push(format!(
                "It begins {} anew with what stood in {from} after {} of its last entries: what it \
                 carries keeps its authors, and the entries before are kept.",
                held.header.value().document,
                heads.len(),
            ));
        }
        if held.fate.adopted.is_some() {
            sentences.push("Someone who may review has adopted it.".into());
        }
        Some(Explanation { status, sentences })
    }

    pub(in crate::consent) fn first_sentence(&self, status: &Status) -> String {
        match status {
            Status::Accepted => "It counts: its author had the right to write it.".into(),
            Status::Marked(cause) => format!(
                "It is shown with a mark, adds and does not replace, because {}. Adopting it takes \
                 the mark away.",
                self.because(*cause)
            ),
            Status::Contested(cause) => format!(
                "It is kept and does not count, because {}. Someone who may review can adopt it.",
                self.because(*cause)
            ),
            Status::Invalid(fault) => format!(
                "It is kept as evidence and never counts: {fault}. Whoever may write here can \
                 write it anew."
            ),
            Status::Pending(missing) => {
                let what = |missing: &Missing| match missing {
                    Missing::Event(id) => {
                        format!("the change of shares or devices {}", short(id.as_bytes()))
                    }
                    Missing::Entry(id) => format!("the entry {}", short(id.as_bytes())),
                };
                let what: Vec<_> = missing.iter().map(what).collect();
                format!(
                    "It waits for {}, which has not arrived yet: whoever sent it can send that.",
                    what.join(" and ")
                )
            }
            Status::Unreadable(why) => format!(
                "It is kept and counted, and this build of kith cannot read it: {why}. That is \
                 our fault; a newer build will try again."
            ),
        }
    }

    fn because(&self, cause: Cause) -> String {
        let who = |id: EventId| {
            let author = self
                .authority
                .at(&id)
                .map(|at| self.authority.event(at).author);
            author.map_or_else(|| "someone".into(), |author| short(author.as_bytes()))
        };
        match cause {
            Cause::AfterEnd => "its own date is after the end of the share".into(),
            Cause::PartMissing(id) => format!(
                "{} stopped something it hangs on, and what was said to stand has not arrived",
                who(id)
            ),
            Cause::LapseAlone(id) => {
                format!("{} alone says that the share had ended before it", who(id))
            }
            Cause::Suspended(id) => format!(
                "{} stopped something it hangs on, and that awaits a decision",
                who(id)
            ),
            Cause::Ancestor => "only an entry that counts and builds on it brings it in".into(),
            Cause::Lapsed(id) => format!("the share had ended, as {} said", who(id)),
            Cause::Revoked(id) => format!("{} {}", who(id), self.stopping(id)),
            Cause::Orphan(id) => format!("it builds on {}", short(id.as_bytes())),
        }
    }

    fn stopping(&self, id: EventId) -> &'static str {
        let act = self
            .authority
            .at(&id)
            .map(|at| &self.authority.event(at).act);
        match act {
            Some(Act::Principal(_)) => {
                "stopped the device or the member of staff, and it was not among what stands"
            }
            Some(Act::Core(_)) => {
                "recovered the record for the person, and it was not among what stands"
            }
            Some(Act::Label(LabelAct::Lapse { .. })) => "said that the share had ended",
            Some(Act::Label(_)) | None => "stopped the sharing, and it was not among what stands",
        }
    }

    /// A digest over the record's events, parts, entries and statuses: equal digests mean equal
    /// records. Which principals' logs are held beside it counts by the statuses alone: a node
    /// that was given a record by hand holds its own log too.
    pub fn digest(&mut self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 record digest");
        for (id, at) in &self.authority.index {
            match self.authority.known[*at].event.value().log {
                LogId::Principal(_) => {}
                LogId::Core(_) | LogId::Label(_, _) => {
                    hasher.update(id.as_bytes());
                }
            }
        }
        for (revocation, part) in self.authority.all_parts() {
            hasher.update(revocation.as_bytes());
            hasher.update(&crate::codec::encode(part));
        }
        for word in self.authority.words.values().flatten() {
            hasher.update(word.revocation.as_bytes());
            hasher.update(word.device.as_bytes());
            hasher.update(&crate::codec::encode(&word.part));
        }
        for document in self.documents() {
            self.entries.refresh(&mut self.authority, &document);
        }
        for (id, at) in &self.entries.index {
            hasher.update(id.as_bytes());
            let tag = match self.entries.status(&self.authority, *at) {
                Status::Accepted => 0,
                Status::Marked(_) => 1,
                Status::Contested(_) => 2,
                Status::Invalid(_) => 3,
                Status::Pending(_) => 4,
                Status::Unreadable(_) => 5,
            };
            hasher.update(&[tag]);
        }
        *hasher.finalize().as_bytes()
    }
}

/// The first eight digits of an id.
pub(super) fn short(bytes: &[u8; 32]) -> String {
    use std::fmt::Write;
    bytes[..4].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
