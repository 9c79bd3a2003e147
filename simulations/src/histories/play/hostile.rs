//! What Mallory does.

use std::collections::BTreeSet;

use kith_protocol::{
    codec,
    id::{BlobId, EventId, RecordId},
    store::Item,
    sync::{Carried, Farewell, JournalId, Kind, Message, OfRecord, SYNC_VERSION},
};

use super::{CAST, History, MALLORY, document, marked, people::became};
use crate::{
    histories::{
        failure::{Failure, Invariant},
        model::{self, Powers},
        step::{Step, Verb},
    },
    host::Claim,
    world::{HostId, Misdeed, document_named},
};

/// Mallory's host.
const HERE: HostId = HostId(MALLORY);

impl History {
    pub(super) fn hostile(&mut self, step: Step) -> Result<String, Failure> {
        if !self.is_up(MALLORY) {
            return Ok("Mallory is not there".to_owned());
        }
        let Step { verb, a, b, c, .. } = step;
        let record = self.record(b);
        let part = document(c);
        Ok(match verb {
            Verb::Equivocate => self.equivocate(record, part),
            Verb::Backdate => self.backdate(record, part, a),
            Verb::Withhold => {
                self.checks.withheld();
                self.does(Misdeed::Withholds, "keeps everything back")
            }
            Verb::Flip => {
                let does = self.does(Misdeed::Flips, "flips bits in what is signed");
                format!("{does}, and {}", self.write(MALLORY, record, c)?)
            }
            Verb::Swap => {
                let does = self.does(Misdeed::Swaps, "puts other content beside signatures");
                format!("{does}, and {}", self.write(MALLORY, record, c)?)
            }
            Verb::Double => {
                let does = self.does(Misdeed::Doubles, "says everything twice");
                format!("{does}, and {}", self.write(MALLORY, record, c)?)
            }
            Verb::Forge => self.forge(record, part, a),
            Verb::ForgeGrant => self.forge_grant(record, part),
            Verb::Overreach => self.overreach(record, part),
            Verb::Pass => self.pass_on(record, part, a),
            Verb::Meddle => self.meddle(a),
            Verb::SelfAdopt => self.self_adopt(record, part, a.is_multiple_of(2)),
            Verb::Replay => self.replay(record),
            Verb::Probe => return self.probe(record, part),
            Verb::Flood => self.flood(a),
            Verb::Stranger => return self.stranger(a),
            Verb::Behave => {
                self.world.set_misdeed(HERE, None);
                "Mallory keeps to the rules".to_owned()
            }
            Verb::Begin
            | Verb::Write
            | Verb::Change
            | Verb::Choose
            | Verb::Adopt
            | Verb::Anew
            | Verb::Share
            | Verb::Stop
            | Verb::GiveBack
            | Verb::Lapse
            | Verb::Phone
            | Verb::Retire
            | Verb::Meet
            | Verb::Trust
            | Verb::Open
            | Verb::Crash
            | Verb::Restart
            | Verb::Power
            | Verb::Sleep
            | Verb::Wake
            | Verb::Cut
            | Verb::OneWay
            | Verb::Mend
            | Verb::CallAgain
            | Verb::Slow
            | Verb::Nat
            | Verb::Clock
            | Verb::Full
            | Verb::Room
            | Verb::Rot
            | Verb::Copy
            | Verb::Restore
            | Verb::Wait
            | Verb::Quiet => "Mallory does nothing".to_owned(),
        })
    }

    fn does(&mut self, misdeed: Misdeed, words: &str) -> String {
        self.world.set_misdeed(HERE, Some(misdeed));
        format!("Mallory {words}")
    }

    fn equivocate(&mut self, record: usize, part: &'static str) -> String {
        let may = self.may(MALLORY, record, part, |powers| powers.add);
        let marks = [self.model.mark(record, part), self.model.mark(record, part)];
        let texts = marks.map(marked);
        let (id, name) = (self.model.records[record].id, document_named(part));
        let done = self.world.act(HERE, |host| {
            host.equivocate(id, &name, [&texts[0], &texts[1]])
        });
        for (item, mark) in done.items().iter().zip([marks[1], marks[0]]) {
            self.learn_item(MALLORY, item, Some(mark), may);
            if let Item::Entry { id, .. } = item
                && let Some(written) = self.model.written.get_mut(id)
            {
                written.forks = true;
            }
        }
        format!(
            "Mallory writes notes {} and {} into one place of {part} of record {record}{}",
            marks[0],
            marks[1],
            became(&done)
        )
    }

    /// Writes as of an older copy of the disk: one that does not know of what ended the share.
    fn backdate(&mut self, record: usize, part: &'static str, draw: u32) -> String {
        let id = self.model.records[record].id;
        let now = self.world.clock_ms(HERE);
        if draw.is_multiple_of(3) || !self.older.contains_key(&id) {
            let disk = self.world.look(HERE).disk.clone();
            self.older.insert(id, disk);
            return format!("Mallory keeps a copy of record {record} as it is");
        }
        let older = self.older[&id].clone();
        let held = |id: &[u8; 32]| older.place_of(id).is_some();
        let time_ms = now - u64::from(draw) * 1000;
        let may = self
            .model
            .may(&held, (MALLORY, record), part, time_ms, |powers| powers.add);
        let mark = self.model.mark(record, part);
        let name = document_named(part);
        let text = marked(mark);
        let done = self.world.act(HERE, |host| {
            host.backdate((id, &name), &older, time_ms, &text)
        });
        self.learn(MALLORY, &done, Some(mark), may);
        for item in done.items() {
            if let Item::Entry { id, .. } = item
                && let Some(written) = self.model.written.get_mut(id)
            {
                written.forks = true;
            }
        }
        format!(
            "Mallory writes note {mark} into {part} of record {record} as of earlier{}",
            became(&done)
        )
    }

    fn claim(&self, record: usize, part: &str, author: usize) -> Claim {
        let granted = self.model.shares.iter().rev();
        let label = model::label_of(part);
        let own = granted.filter(|share| {
            let labels = share.documents.iter().next();
            share.record == record
                && share.with == author
                && labels.is_some_and(|name| model::label_of(name) == label)
        });
        let grant: Option<EventId> = own.map(|share| share.grant).next();
        Claim {
            author: self.world.look(HostId(author)).whoever().principal,
            record: self.model.records[record].id,
            document: document_named(part),
            grant: grant.filter(|_| self.model.records[record].owner != author),
            deps: Vec::new(),
            time_ms: self.world.clock_ms(HERE),
        }
    }

    /// Puts something of Mallory's own making on its disk, from where its engine gives it.
    fn plants(&mut self, item: &Item) {
        let item = item.clone();
        self.world.act(HERE, |host| {
            use kith_protocol::store::Store;
            host.forget_loaded();
            host.disk.commit(vec![item]).is_ok()
        });
    }

    fn adds(&mut self, record: usize, item: &Item) {
        let (kind, bytes) = match item {
            Item::Event { bytes, .. } => (Kind::Event, bytes.clone()),
            Item::Entry { bytes, .. } => (Kind::Entry, bytes.clone()),
            Item::Part { bytes, .. } => (Kind::Part, bytes.clone()),
            Item::Row { .. } | Item::Audit { .. } => return,
        };
        let id = self.model.records[record].id;
        let misdeed = Misdeed::Adds(id, vec![Carried { kind, bytes }]);
        self.world.set_misdeed(HERE, Some(misdeed));
    }

    /// An entry in the name of somebody else, with a key that is not theirs.
    fn forge(&mut self, record: usize, part: &'static str, draw: u32) -> String {
        let author = draw as usize % MALLORY;
        let mark = self.model.mark(record, part);
        let claim = self.claim(record, part, author);
        let forged = self.world.at(HERE).forge(&claim, &marked(mark));
        let Some(item) = forged else {
            return "Mallory forges nothing".to_owned();
        };
        self.learn_item(MALLORY, &item, Some(mark), false);
        self.adds(record, &item);
        format!("Mallory sends note {mark} in the name of {}", CAST[author])
    }

    fn forge_grant(&mut self, record: usize, part: &'static str) -> String {
        let owner = self.model.records[record].owner;
        let mut claim = self.claim(record, part, owner);
        claim.grant = None;
        let name = document_named(part);
        let item = self
            .world
            .look(HERE)
            .forge_grant(&claim, vec![name.section]);
        self.learn_item(MALLORY, &item, None, false);
        self.plants(&item);
        self.adds(record, &item);
        format!(
            "Mallory grants itself {part} of record {record} in the name of {}",
            CAST[owner]
        )
    }

    /// An entry of its own where it may not write, or not there.
    fn overreach(&mut self, record: usize, part: &'static str) -> String {
        let mark = self.model.mark(record, part);
        let claim = self.claim(record, part, MALLORY);
        let mut claim = claim;
        let allowed = claim.grant.and_then(|grant| self.model.share(&grant));
        let allowed = allowed.map(|nth| &self.model.shares[nth]);
        let may = allowed.is_some_and(|share| {
            // What changes and what adds cannot be told apart from outside.
            let powers = share.powers;
            (powers.add || powers.change) && share.documents.contains(part)
        });
        // Where it might, it says that it wrote after the end of its share.
        let until = allowed.filter(|_| may).map(|share| share.until_ms);
        match until {
            Some(None) => return "Mallory might write that, and does not".to_owned(),
            Some(Some(until)) => claim.time_ms = until + 60_000,
            None => {}
        }
        let Some(item) = self.world.at(HERE).forge(&claim, &marked(mark)) else {
            return "Mallory writes nothing".to_owned();
        };
        self.learn_item(MALLORY, &item, Some(mark), may);
        if let Item::Entry { id, .. } = &item
            && let Some(written) = self.model.written.get_mut(id)
        {
            written.forks = true;
        }
        self.plants(&item);
        let why = if may {
            "after its end"
        } else {
            "where it may not"
        };
        format!("Mallory writes note {mark} into {part} of record {record}, {why}")
    }

    /// Shares on what it may not, or more than it has.
    fn pass_on(&mut self, record: usize, part: &'static str, draw: u32) -> String {
        let with = draw as usize % MALLORY;
        let mut claim = self.claim(record, part, MALLORY);
        claim.author = self.world.look(HERE).whoever().principal;
        let Some(above) = claim.grant.and_then(|grant| self.model.share(&grant)) else {
            return "Mallory has nothing to share on".to_owned();
        };
        let to = self.world.look(HostId(with)).whoever().principal;
        let sections = kith_crdt::Section::ALL.to_vec();
        let item = self.world.look(HERE).grant_beyond(&claim, to, sections);
        self.learn_item(MALLORY, &item, None, true);
        if let Item::Event { id, .. } = &item {
            let given = &self.model.shares[above];
            let same_label = model::label_of(part);
            let of_label = model::label_of(given.documents.iter().next().copied().unwrap_or(""));
            let share = model::Share {
                by: MALLORY,
                with,
                above: Some(above),
                grant: *id,
                ends: Vec::new(),
                lawful: given.powers.share_on && given.lawful && same_label == of_label,
                powers: Powers {
                    share_on: false,
                    ..given.powers
                },
                ..given.clone()
            };
            self.model.shares.push(share);
        }
        self.plants(&item);
        self.show_logs(MALLORY, with);
        self.world
            .know(HERE, HostId(with), self.model.records[record].id);
        for host in [HERE, HostId(with)] {
            self.world.act(host, |_| ());
        }
        format!(
            "Mallory shares everything under {same} of record {record} with {}",
            CAST[with],
            same = model::label_of(part)
        )
    }

    /// Stops a share that others gave to others.
    fn meddle(&mut self, draw: u32) -> String {
        let theirs = |nth: &usize| {
            let share = &self.model.shares[*nth];
            let above = share.above.map(|above| self.model.shares[above].with);
            let label = |share: &model::Share| {
                let first = share.documents.iter().next().copied();
                (share.record, first.map(model::label_of))
            };
            let near = |own: &model::Share| own.with == MALLORY && label(own) == label(share);
            let others = share.with != MALLORY && share.by != MALLORY && above != Some(MALLORY);
            others && self.model.shares.iter().any(near)
        };
        let theirs: Vec<_> = (0..self.model.shares.len()).filter(theirs).collect();
        let Some(nth) = (draw as usize)
            .checked_rem(theirs.len())
            .map(|at| theirs[at])
        else {
            return "there is no share to meddle with".to_owned();
        };
        let share = &self.model.shares[nth];
        let (record, grant) = (share.record, share.grant);
        let part = share
            .documents
            .iter()
            .next()
            .copied()
            .unwrap_or("plans:general");
        let claim = self.claim(record, part, MALLORY);
        let item = self.world.look(HERE).stop_anyway(&claim, grant);
        self.learn_item(MALLORY, &item, None, true);
        self.plants(&item);
        format!("Mallory stops share {nth}, which is not Mallory's to stop")
    }

    /// Says that entries of its own count, where nobody asked it to review.
    fn self_adopt(&mut self, record: usize, part: &'static str, own: bool) -> String {
        let claim = self.claim(record, part, MALLORY);
        let held = self.held(MALLORY);
        let waits = self.model.written.iter().filter(|(id, written)| {
            written.record == record
                && written.document == part
                && held(id.as_bytes())
                && (written.host == MALLORY) == own
        });
        let entries: BTreeSet<_> = waits.map(|(id, _)| *id).take(8).collect();
        drop(held);
        if entries.is_empty() {
            return "Mallory has nothing that waits".to_owned();
        }
        let item = self
            .world
            .look(HERE)
            .adopt_anyway(&claim, entries.into_iter().collect());
        let may = self.may(MALLORY, record, part, |powers| powers.review);
        self.learn_item(MALLORY, &item, None, may);
        self.plants(&item);
        let whose = if own { "its own" } else { "others'" };
        format!("Mallory says that {whose} notes in {part} of record {record} count")
    }

    /// Sends again what others signed, as far as it has it.
    fn replay(&mut self, record: usize) -> String {
        let id = self.model.records[record].id;
        let items = self.world.look(HERE).disk.items(0);
        let old: Vec<_> = items
            .filter_map(|item| match item {
                Item::Entry { record, bytes, .. } if *record == id => Some(Carried {
                    kind: Kind::Entry,
                    bytes: bytes.clone(),
                }),
                Item::Entry { .. }
                | Item::Event { .. }
                | Item::Part { .. }
                | Item::Row { .. }
                | Item::Audit { .. } => None,
            })
            .take(12)
            .collect();
        let count = old.len();
        self.world.set_misdeed(HERE, Some(Misdeed::Adds(id, old)));
        format!("Mallory says {count} things of record {record} again")
    }

    /// Speaks to a host in Mallory's name, with Mallory's own engine silent; what it heard.
    fn speak(&mut self, to: usize, words: &[Message]) -> Vec<Message> {
        self.world.crash(HERE);
        self.world.run_for(40_000);
        let wire = self.world.script(HERE, HostId(to));
        self.world.run_for(200);
        let first = [
            Message::Hello {
                version: SYNC_VERSION,
                features: 0,
                journal: JournalId([1; 16]),
                held: None,
            },
            Message::Ready { resumes: true },
        ];
        for word in first.iter().chain(words) {
            self.world.say(wire, codec::encode(word));
            self.world.run_for(60);
        }
        self.world.run_for(5_000);
        let heard = self.world.heard(wire);
        self.world.restart(HERE);
        heard
            .iter()
            .filter_map(|frame| codec::decode(frame).ok())
            .collect()
    }

    /// Asks the owner of a record that it was never given, in the same words as for one that does
    /// not exist.
    fn probe(&mut self, record: usize, part: &'static str) -> Result<String, Failure> {
        let owner = self.model.records[record].owner;
        let given = self
            .model
            .shares
            .iter()
            .any(|share| share.record == record && share.with == MALLORY);
        if given || !self.is_up(owner) {
            return Ok("Mallory asks nothing".to_owned());
        }
        let ask = |record: RecordId| {
            let document = document_named(part);
            [
                Message::Items {
                    through: 1 << 40,
                    batches: vec![OfRecord {
                        record,
                        items: vec![Carried {
                            kind: Kind::Event,
                            bytes: vec![7; 40],
                        }],
                    }],
                },
                Message::Want {
                    record,
                    document,
                    blob: BlobId::from_bytes([3; 32]),
                    piece: None,
                },
            ]
        };
        let unknown = self.speak(owner, &ask(RecordId::from_bytes([9; 32])));
        let forbidden = self.speak(owner, &ask(self.model.records[record].id));
        let answers = |heard: &[Message]| -> Vec<String> {
            let answers = heard.iter().filter(|word| {
                matches!(
                    word,
                    Message::Taken { .. } | Message::Absent { .. } | Message::Bye { .. }
                )
            });
            answers.map(|word| format!("{word:?}")).collect()
        };
        // Whoever went down meanwhile, or had another conversation with Mallory begin, says nothing
        // of a record.
        let cut_short = |heard: &[Message]| {
            let twice = Message::Bye {
                why: Farewell::Twice,
            };
            heard.contains(&twice)
        };
        if !self.is_up(owner) || cut_short(&unknown) || cut_short(&forbidden) {
            return Ok(format!("{} does not hear Mallory out", CAST[owner]));
        }
        if answers(&unknown) != answers(&forbidden) {
            let words = format!(
                "{} answers {:?} about a record that it does not have, and {:?} about record {record}, which Mallory may not see",
                CAST[owner],
                answers(&unknown),
                answers(&forbidden)
            );
            return Err(Failure::new(Invariant::Absence, words));
        }
        Ok(format!("Mallory asks {} for record {record}", CAST[owner]))
    }

    fn flood(&mut self, draw: u32) -> String {
        let device = self.world.look(HERE).device();
        let knows = |host: &usize| {
            let peers = &self.world.look(HostId(*host)).peers;
            peers.contains_key(&device) && self.is_up(*host)
        };
        let known: Vec<_> = (0..MALLORY).filter(knows).collect();
        let Some(to) = (draw as usize).checked_rem(known.len()).map(|at| known[at]) else {
            return "Mallory floods nobody".to_owned();
        };
        let record = RecordId::from_bytes([9; 32]);
        let want = Message::Want {
            record,
            document: document_named("plans:general"),
            blob: BlobId::from_bytes([3; 32]),
            piece: None,
        };
        self.world.crash(HERE);
        self.world.run_for(40_000);
        let wire = self.world.script(HERE, HostId(to));
        self.world.run_for(200);
        let hello = Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: JournalId([1; 16]),
            held: None,
        };
        self.world.say(wire, codec::encode(&hello));
        self.world
            .say(wire, codec::encode(&Message::Ready { resumes: true }));
        for _ in 0..300 {
            self.world.say(wire, codec::encode(&want));
        }
        for _ in 0..40 {
            self.world.run_for(10);
            self.checks.note_queues(&mut self.world);
        }
        self.world.run_for(5_000);
        self.world.restart(HERE);
        format!("Mallory asks {} for 300 things at once", CAST[to])
    }

    /// Somebody whom nobody knows calls and says who they are.
    fn stranger(&mut self, draw: u32) -> Result<String, Failure> {
        let to = draw as usize % MALLORY;
        if !self.is_up(to) {
            return Ok("nobody calls".to_owned());
        }
        let heard = self.world.stranger_calls(HostId(to));
        let told = heard
            .iter()
            .find(|word| !matches!(word, Message::WhoAreYou | Message::Bye { .. }));
        match told {
            None => Ok(format!("a stranger calls {}", CAST[to])),
            Some(word) => {
                let words = format!("{} says {word:?} to a stranger", CAST[to]);
                Err(Failure::new(Invariant::Scope, words))
            }
        }
    }
}
