//! How what was written comes to those who need it: each way a file.
//!
//! A carrier is told what happens to one patient, in order, and answers what somebody who looks
//! finds. It draws from streams of its own, so that no arm changes what happens in another.

mod batch;
mod central;
mod copy;
mod federated;
mod letter;
mod paper;
mod told;

use kith_crdt::Section;

pub use federated::Federated;
pub use told::Told;

use super::{
    log::Log,
    patient::Patient,
    place::Places,
    scenario::{Baseline, BaselineKind, Scenario},
    settings::Settings,
};

/// What there is to know about the patient of the moment.
pub struct Scene<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The numbers of the run.
    pub settings: &'a Settings,
    /// Organisations.
    pub places: &'a Places<'a>,
    /// The patient.
    pub patient: &'a Patient,
    /// What was written so far.
    pub log: &'a Log,
    /// The sections of the log.
    pub sections: &'a [Section],
}

/// What happens that a carrier has to know.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// An entry was written: its chain, how long that is now, and by whom.
    Written {
        /// The chain.
        chain: usize,
        /// How long it is with the entry.
        count: u32,
        /// Who wrote it.
        writer: u8,
        /// The section, as a place in the scene's list.
        section: usize,
    },
    /// The patient came to somebody who does not usually see them.
    Visited(u8),
    /// The patient stopped sharing with somebody.
    Stopped(u8),
}

/// Whoever looks.
#[derive(Clone, Copy, Debug)]
pub struct Looker {
    /// Who.
    pub slot: u8,
    /// In which section, as a place in the scene's list.
    pub section: usize,
    /// When, milliseconds.
    pub at_ms: u64,
    /// Whether at the patient's home.
    pub is_at_home: bool,
}

/// What a carrier answers to whoever looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has something to do with them; what they see was added.
    Seen,
    /// They would see something if it were shared with them.
    Denied,
    /// Nothing.
    None,
}

/// A way in which entries come to those who need them.
pub trait Carrier {
    /// Another patient.
    fn begin(&mut self, scene: &Scene<'_>, told: &mut Told);
    /// Time goes on up to and with a moment.
    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told);
    /// Something happens now.
    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, told: &mut Told);
    /// Somebody looks: what they see is raised in `versions`.
    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer;
    /// Nothing more happens to this patient.
    fn end(&mut self, scene: &Scene<'_>, told: &mut Told);
}

/// The carrier of a baseline.
pub fn carrier(baseline: &Baseline) -> Option<Box<dyn Carrier>> {
    let sections = baseline.sections.clone();
    let name = baseline.name.clone();
    match &baseline.kind {
        BaselineKind::Paper {
            delay,
            replaced,
            found,
            travels,
        } => Some(Box::new(paper::Paper::new(
            sections,
            [*delay, *replaced, *found, *travels],
        ))),
        BaselineKind::Letter {
            from,
            to,
            sent,
            same_day,
            delay,
        } => Some(Box::new(letter::Letters::new(
            name,
            sections,
            (from.clone(), to.clone()),
            letter::Post {
                sent: *sent,
                same_day: Some(*same_day),
                delay: *delay,
            },
        ))),
        BaselineKind::Adt { to, sent, delay } => Some(Box::new(letter::Letters::new(
            name,
            sections,
            (Vec::new(), to.clone()),
            letter::Post {
                sent: *sent,
                same_day: None,
                delay: *delay,
            },
        ))),
        BaselineKind::Central {
            recorded,
            connected,
            delay,
            outages,
            outage,
        } => Some(Box::new(central::Central::new(
            sections,
            [*recorded, *connected, *delay, *outages, *outage],
        ))),
        BaselineKind::Batch {
            to,
            recorded,
            every,
        } => Some(Box::new(batch::Batch::new(
            sections,
            to.clone(),
            *recorded,
            *every,
        ))),
        BaselineKind::Together(_) => None,
    }
}

/// Whether a baseline carries a section.
fn carries(sections: &[Section], scene: &Scene<'_>, section: usize) -> bool {
    sections.is_empty() || sections.contains(&scene.sections[section])
}

/// Raises the versions of the chains of a section to others that are higher.
fn raise(versions: &mut [u32], by: &[u32], log: &Log, section: usize) {
    let from = log.chain_of(section, 0);
    for chain in from..from + log.slots() {
        versions[chain] = versions[chain].max(by[chain]);
    }
}
