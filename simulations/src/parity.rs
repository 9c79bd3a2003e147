//! Parity: what a real node's engine was told is told to the same engine here, over the simulator's
//! disk, and everything that it does has to be the same, byte for byte (decision 0086).
//!
//! A [trace](kith_protocol::sync::trace) says what the real one was told, and what came into its
//! store by other hands. Everything else is found out anew: what the store answers, what the engine
//! keeps, what the access log says, whom a host knows.

mod beside;
mod words;

use std::fmt;

use kith_protocol::{
    consent::Whoever,
    store::{Item, Store, StoreError},
    sync::{
        Engine, Output, Peer, Shell,
        trace::{Did, Others, Start, Step},
    },
};

use self::beside::{Beside, Made};
use crate::host::Host;

/// What was the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// What the engine was told.
    pub inputs: usize,
    /// What it asked its shell to keep.
    pub calls: usize,
    /// What it wanted done.
    pub outputs: usize,
    /// Bytes of the frames among that.
    pub frames_len: usize,
}

/// The first thing that was not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which step of the trace, from 0.
    pub step: usize,
    /// What happened then.
    pub when: String,
    /// What differs.
    pub what: Differs,
}

/// What differs, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Where.
    pub place: String,
    /// What the real node did.
    pub real: String,
    /// What the simulator did.
    pub simulated: String,
}

/// Plays a trace again.
///
/// # Errors
/// The first difference.
pub fn replay(steps: &[Step]) -> Result<Replayed, Difference> {
    let [Step::Start(start), rest @ ..] = steps else {
        return Err(Difference {
            step: 0,
            when: "at its beginning".to_owned(),
            what: Differs::new("the trace", "began with no start", "cannot play that"),
        });
    };
    let differs = |step, when: String| move |what| Difference { step, when, what };
    let started = Stage::start(start);
    let mut stage = started.map_err(differs(0, "when the engine was made".to_owned()))?;
    for (nth, step) in rest.iter().enumerate() {
        let played = stage.play(step);
        played.map_err(differs(nth + 1, words::step(step)))?;
    }
    Ok(stage.replayed)
}

/// A host in the place of the real node, and the engine over it.
struct Stage {
    host: Host,
    engine: Engine,
    /// Whom the real node knows.
    peers: Vec<Peer>,
    made: Made,
    replayed: Replayed,
}

impl Stage {
    fn start(start: &Start) -> Result<Self, Differs> {
        let who = Whoever {
            principal: start.principal,
            device: start.device,
            staff: None,
        };
        let mut host = Host::stand_in(who, start.at_ms);
        let kept = put(&mut host, &start.found).and_then(|()| put_read(&mut host, &start.did));
        kept.map_err(|error| not_kept(&error))?;
        let mut peers = start.found.peers.clone().unwrap_or_default();
        know(&mut host, &peers);
        let made = Made::default();
        let mut beside = Beside::of(&mut host, &start.did.calls, &made);
        let engine = Engine::new(&mut beside, start.seed, start.at_ms);
        beside.finish()?;
        let mut engine =
            engine.map_err(|error| Differs::new("the engine", "was made", error.to_string()))?;
        let mut replayed = Replayed::default();
        compare((&host, &mut engine), &start.did, &mut peers, &mut replayed)?;
        Ok(Self {
            host,
            engine,
            peers,
            made,
            replayed,
        })
    }

    fn play(&mut self, step: &Step) -> Result<(), Differs> {
        let did = match step {
            Step::Start(_) => {
                return Err(Differs::new("the trace", "starts again", "plays one run"));
            }
            Step::Others(others) => {
                put(&mut self.host, others).map_err(|error| not_kept(&error))?;
                if let Some(peers) = &others.peers {
                    self.peers.clone_from(peers);
                    know(&mut self.host, peers);
                }
                return Ok(());
            }
            Step::Input { at_ms, told, did } => {
                put_read(&mut self.host, did).map_err(|error| not_kept(&error))?;
                self.host.set_now_ms(*at_ms);
                let mut beside = Beside::of(&mut self.host, &did.calls, &self.made);
                let handled = self.engine.handle(&mut beside, told.to_input(), *at_ms);
                beside.finish()?;
                self.replayed.inputs += 1;
                let answers = |fails| if fails { "did not answer" } else { "answered" };
                Differs::unless_same("the store", answers(did.failed), answers(handled.is_err()))?;
                did
            }
            Step::Stop(did) => {
                self.engine.stop();
                did
            }
        };
        compare(
            (&self.host, &mut self.engine),
            did,
            &mut self.peers,
            &mut self.replayed,
        )
    }
}

/// Holds what was done against what the real one did.
fn compare(
    (host, engine): (&Host, &mut Engine),
    did: &Did,
    peers: &mut Vec<Peer>,
    replayed: &mut Replayed,
) -> Result<(), Differs> {
    let mut outputs = did.outputs.iter();
    for nth in 1.. {
        let (real, simulated) = (outputs.next(), engine.poll_output());
        if real.is_none() && simulated.is_none() {
            break;
        }
        if real != simulated.as_ref() {
            let place = format!("output {nth}");
            return Err(words::outputs(place, real, simulated.as_ref()));
        }
        replayed.outputs += 1;
        if let Some(Output::Send { frame, .. }) = simulated {
            replayed.frames_len += frame.len();
        }
    }
    replayed.calls += did.calls.len();
    Differs::unless_same(
        "when it wants to be told that time has passed",
        words::time(did.wake_ms),
        words::time(engine.poll_timeout()),
    )?;
    if let Some(after) = &did.peers {
        peers.clone_from(after);
    }
    let known = host.peers().map_err(|error| not_kept(&error))?;
    Differs::unless_same("whom it knows", known_as(peers), known_as(&known))
}

impl Differs {
    fn new(
        place: impl Into<String>,
        real: impl Into<String>,
        simulated: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            real: real.into(),
            simulated: simulated.into(),
        }
    }

    fn unless_same(
        place: &str,
        real: impl Into<String>,
        simulated: impl Into<String>,
    ) -> Result<(), Self> {
        let (real, simulated) = (real.into(), simulated.into());
        if real == simulated {
            return Ok(());
        }
        Err(Self::new(place, real, simulated))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, when, what } = self;
        let Differs {
            place,
            real,
            simulated,
        } = what;
        write!(
            f,
            "step {step}, {when}: {place} differs\n  real node: {real}\n  simulator: {simulated}"
        )
    }
}

/// What came into the real store by other hands comes into this one.
fn put(host: &mut Host, others: &Others) -> Result<(), StoreError> {
    let items = others.items.iter().chain(&others.rows).cloned();
    host.disk.commit(items.collect())?;
    if let Some(log) = &others.log {
        host.set_audit(log.clone())?;
    }
    if others.items.iter().any(is_signed) {
        host.forget_loaded();
    }
    Ok(())
}

/// Attachments that lie in the real store.
fn put_read(host: &mut Host, did: &Did) -> Result<(), StoreError> {
    for blob in &did.read {
        host.disk.put_blob(blob)?;
    }
    Ok(())
}

/// It knows whom the real one knows.
fn know(host: &mut Host, peers: &[Peer]) {
    let peers = peers.iter().cloned();
    host.peers = peers.map(|peer| (peer.device, peer)).collect();
}

/// In one order, whatever order a shell has them in.
fn known_as(peers: &[Peer]) -> String {
    let mut known: Vec<_> = peers.iter().map(|peer| format!("{peer:?}")).collect();
    known.sort_unstable();
    known.join(", ")
}

const fn is_signed(item: &Item) -> bool {
    !matches!(item, Item::Row { .. } | Item::Audit { .. })
}

fn not_kept(error: &StoreError) -> Differs {
    Differs::new("the disk", "answered", error.to_string())
}
