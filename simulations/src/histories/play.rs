//! Playing a history: each step in a world, told in words and noted in the model.

mod emergency;
mod faults;
mod hostile;
mod people;
mod quiet;

use std::collections::BTreeMap;

use kith_protocol::{
    envelope::Content,
    id::{DeviceId, EnvelopeId, RecordId},
    intake,
    logs::LogId,
    store::Item,
    sync::Peer,
};

#[cfg(feature = "planted-bugs")]
use kith_protocol::planted::{self, Planted};

use super::{
    check::Checks,
    draw::faults as faults_of,
    failure::Failure,
    model::{DOCUMENTS, Model, Written, part_of},
    step::{Step, Verb},
};
use crate::{
    disk::Disk,
    host::Done,
    world::{HostId, World},
};

/// Who is there, by host.
pub(super) const CAST: [&str; 6] = [
    "the surgery",
    "the daughter",
    "the hospital",
    "the carer",
    "Mallory",
    "the daughter's phone",
];

/// The host whose owner does not always keep to the rules.
pub(super) const MALLORY: usize = 4;

/// The second device; it belongs to the person at [`DAUGHTER`].
pub(super) const PHONE: usize = 5;

const DAUGHTER: usize = 1;

/// A copy of a disk.
#[derive(Clone)]
struct Copied {
    disk: Disk,
    peers: BTreeMap<DeviceId, Peer>,
}

/// A history that is being played.
pub struct History {
    pub(super) world: World,
    pub(super) model: Model,
    pub(super) checks: Checks,
    /// Copies of disks, each with whom its host knew then: a node keeps both in one place.
    copies: BTreeMap<usize, Vec<Copied>>,
    /// The disk of Mallory's as it was when it first held something of a record.
    older: BTreeMap<RecordId, Disk>,
    /// A hash over everything that was said and sent.
    pub(super) hasher: blake3::Hasher,
    pub(super) steps: usize,
    /// What passed between hosts, in words, where somebody wants to read it.
    pub(super) aloud: Option<Vec<String>>,
}

/// What became of a history.
#[derive(Clone, Debug)]
pub struct Played {
    /// The first failure, with the number of the step at which it was seen.
    pub failure: Option<(usize, Failure)>,
    /// The steps that were played, in words.
    pub told: Vec<String>,
    /// A hash over everything that was said and sent.
    pub hash: [u8; 32],
}

impl History {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        world.passed = Some(Vec::new());
        let mut model = Model::default();
        for person in 0..PHONE {
            world.host();
            model.person.push(person);
        }
        let mut history = Self {
            world,
            model,
            checks: Checks::default(),
            copies: BTreeMap::new(),
            older: BTreeMap::new(),
            hasher: blake3::Hasher::new(),
            steps: 0,
            aloud: None,
        };
        for host in 0..PHONE {
            history.note_host(host);
            let copy = history.copy_of(host);
            history.copies.insert(host, vec![copy]);
        }
        history.begin(0);
        history
    }

    /// Plays steps until one of the checkers fails.
    pub fn play(seed: u64, steps: &[Step]) -> Played {
        Self::new(seed).play_all(steps)
    }

    /// The same, where no engine passes over a conversation: what is said is the same.
    pub fn play_looking_at_all(seed: u64, steps: &[Step]) -> Played {
        let mut history = Self::new(seed);
        history.world.looks_at_all();
        history.play_all(steps)
    }

    /// The same, with a bug planted in the engine.
    #[cfg(feature = "planted-bugs")]
    pub fn play_planted(seed: u64, steps: &[Step], bug: Planted) -> Played {
        planted::plant(Some(bug));
        let played = Self::play(seed, steps);
        planted::plant(None);
        played
    }

    /// The same, with every frame told as well.
    pub fn play_aloud(seed: u64, steps: &[Step]) -> Played {
        let mut history = Self::new(seed);
        history.aloud = Some(Vec::new());
        history.play_all(steps)
    }

    fn play_all(mut self, steps: &[Step]) -> Played {
        let mut told = Vec::with_capacity(steps.len());
        let mut failure = None;
        for (nth, step) in steps.iter().enumerate() {
            let (words, found) = self.step(*step);
            self.hasher.update(words.as_bytes());
            told.push(words);
            told.extend(
                self.aloud
                    .as_mut()
                    .into_iter()
                    .flat_map(|aloud| aloud.drain(..)),
            );
            if let Err(found) = found {
                failure = Some((nth, found));
                break;
            }
        }
        Played {
            failure,
            told,
            hash: *self.hasher.finalize().as_bytes(),
        }
    }

    /// The steps that a seed is for.
    pub fn of_seed(seed: u64, len: usize) -> Vec<Step> {
        super::draw::steps(seed, &faults_of(seed), len)
    }

    fn step(&mut self, step: Step) -> (String, Result<(), Failure>) {
        self.steps += 1;
        let (words, done) = match self.apply(step) {
            Ok(words) => (words, Ok(())),
            Err(failure) => (step.to_string(), Err(failure)),
        };
        if done.is_err() {
            return (words, done);
        }
        self.world.run_for(step.wait_ms);
        let found = self.check(step.verb == Verb::Quiet);
        (words, found)
    }

    fn apply(&mut self, step: Step) -> Result<String, Failure> {
        match step.verb {
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
            | Verb::Open => self.people(step),
            Verb::Crash
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
            | Verb::Restore => Ok(self.fault(step)),
            Verb::Equivocate
            | Verb::Backdate
            | Verb::Withhold
            | Verb::Flip
            | Verb::Swap
            | Verb::Double
            | Verb::Forge
            | Verb::ForgeGrant
            | Verb::Overreach
            | Verb::Pass
            | Verb::Meddle
            | Verb::SelfAdopt
            | Verb::Replay
            | Verb::Probe
            | Verb::Flood
            | Verb::Stranger
            | Verb::Behave => self.hostile(step),
            Verb::Wait => Ok("nothing happens".to_owned()),
            Verb::Quiet => {
                self.quiet()?;
                Ok("everything is mended, and time passes".to_owned())
            }
        }
    }

    /// A host by its number; there may be a second device or not.
    fn host(&self, number: u32) -> usize {
        number as usize % self.model.person.len()
    }

    fn record(&self, number: u32) -> usize {
        number as usize % self.model.records.len()
    }

    fn copy_of(&self, host: usize) -> Copied {
        let host = self.world.look(HostId(host));
        Copied {
            disk: host.disk.clone(),
            peers: host.peers.clone(),
        }
    }

    fn is_up(&self, host: usize) -> bool {
        let id = HostId(host);
        self.world.look(id).engine.is_some() && !self.world.is_asleep(id)
    }

    /// Notes what a host has signed of itself so far.
    fn note_host(&mut self, host: usize) {
        let items: Vec<_> = self
            .world
            .look(HostId(host))
            .disk
            .items(0)
            .cloned()
            .collect();
        let own: DeviceId = self.world.look(HostId(host)).device();
        for item in &items {
            if let Item::Event { id, position, .. } = item {
                let person = self.model.person[host];
                let root = self
                    .world
                    .look(HostId(person))
                    .whoever()
                    .principal
                    .root_key();
                if position.device == own || position.device == root {
                    let signed = self.model.signed.entry(host).or_default();
                    signed.insert(*id.as_bytes());
                }
            }
        }
    }

    /// Notes what an act at a host signed. `lawful` says whether the model lets it; a text has a
    /// mark.
    pub(super) fn learn(&mut self, host: usize, done: &Done, mark: Option<usize>, lawful: bool) {
        for item in done.items() {
            self.learn_item(host, item, mark, lawful);
        }
        if done.is_kept() {
            self.checks.acknowledged(host, done.items());
        }
    }

    pub(super) fn learn_item(
        &mut self,
        host: usize,
        item: &Item,
        mark: Option<usize>,
        lawful: bool,
    ) {
        let signed = self.model.signed.entry(host).or_default();
        match item {
            Item::Entry {
                record,
                document,
                id,
                position,
                bytes,
            } => {
                signed.insert(*id.as_bytes());
                self.model
                    .carried
                    .insert(*blake3::hash(bytes).as_bytes(), *id);
                let (Ok(entry), Some(record), Some(part)) = (
                    intake::own_entry(bytes),
                    self.model.record(record),
                    part_of(document),
                ) else {
                    return;
                };
                let header = entry.header.value();
                let adopts = match &header.content {
                    Content::Adopt { entries } => entries.clone(),
                    Content::Change(_) | Content::CarryOver { .. } | Content::Erased { .. } => {
                        Vec::new()
                    }
                };
                let written = Written {
                    record,
                    document: part,
                    host,
                    share: header.grant.and_then(|grant| self.model.share(&grant)),
                    place: (document.clone(), *position),
                    adopts,
                    claimed_ms: header.time_ms,
                    mark,
                    lawful,
                    forks: false,
                };
                self.model.written.insert(*id, written);
            }
            Item::Event { log, id, bytes, .. } => {
                signed.insert(*id.as_bytes());
                if let LogId::Label(record, label) = log
                    && let Some(record) = self.model.record(record)
                {
                    let hash = *blake3::hash(bytes).as_bytes();
                    self.model.rights.insert(hash, (record, label.to_string()));
                }
            }
            Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {}
        }
    }

    /// Whether something lies on the disk of a host.
    pub(super) fn held(&self, host: usize) -> impl Fn(&[u8; 32]) -> bool + '_ {
        let disk = &self.world.look(HostId(host)).disk;
        move |id| disk.place_of(id).is_some()
    }

    /// Whether the person at a host may do something in a part of a record now, by what lies on
    /// its disk and its clock.
    pub(super) fn may(
        &self,
        host: usize,
        record: usize,
        document: &str,
        allows: impl Fn(&super::model::Powers) -> bool,
    ) -> bool {
        let now = self.world.clock_ms(HostId(host));
        let held = self.held(host);
        let retired = self.model.retired.get(&host);
        !retired.is_some_and(|event| held(event.as_bytes()))
            && self.model.may(
                &held,
                (self.model.person[host], record),
                document,
                now,
                allows,
            )
    }

    /// A text with a mark, now and then a long one.
    fn text(&mut self, record: usize, document: &'static str, draw: u32) -> (usize, String) {
        let mark = self.model.mark(record, document);
        let long = match draw % 16 {
            0 => "x".repeat(draw as usize % 20_000),
            1..=3 => "x".repeat(draw as usize % 500),
            _ => String::new(),
        };
        (mark, format!("{}{long}", marked(mark)))
    }

    /// Everything that a host of a person knows to be written, by the id of the entry.
    pub(super) fn written(&self, id: &EnvelopeId) -> Option<&Written> {
        self.model.written.get(id)
    }
}

/// How a mark stands in a text.
pub(super) fn marked(mark: usize) -> String {
    format!("kanary-{mark:06}.")
}

/// Every mark in some bytes.
pub(super) fn marks_in(bytes: &[u8]) -> Vec<usize> {
    const WORD: &[u8] = b"kanary-";
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], WORD) {
        let from = at + found + WORD.len();
        let digits = bytes.get(from..from + 6).unwrap_or_default();
        let number = std::str::from_utf8(digits).ok();
        marks.extend(number.and_then(|number| number.parse::<usize>().ok()));
        at = from;
    }
    marks
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = word[0];
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == first) {
        if bytes[at + next..].starts_with(word) {
            return Some(at + next);
        }
        at += next + 1;
    }
    None
}

/// The part of a record by its number.
pub(super) fn document(number: u32) -> &'static str {
    DOCUMENTS[number as usize % DOCUMENTS.len()]
}
