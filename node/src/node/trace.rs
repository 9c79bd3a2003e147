//! The engine with everything written down that it is told and does (decision 0086).
//!
//! In builds with the feature `trace` the driver drives [`TracedEngine`]. On a home of the demo it
//! writes a file for each run; on every other home it is the engine and nothing else, and nobody
//! can ask for more.

mod file;
#[cfg(test)]
mod tests;
mod watched;

use std::collections::{BTreeMap, VecDeque};

use kith_protocol::{
    id::DeviceId,
    store::StoreError,
    sync::{
        Engine, Input, Output, Standing,
        trace::{Did, Start, Step, Told},
    },
};

use self::{file::TraceFile, watched::Watched};
use super::Node;

pub use file::{NotTraced, traces_of};

/// The engine, and the trace where there is one.
pub struct TracedEngine {
    engine: Engine,
    outputs: VecDeque<Output>,
    trace: Option<TraceFile>,
}

impl TracedEngine {
    /// As [`Engine::new`].
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn new(node: &mut Node, seed: [u8; 32], now_ms: u64) -> Result<Self, StoreError> {
        let (mut trace, found) = match TraceFile::begin(node) {
            Ok(begun) => begun,
            Err(why) => {
                if matches!(why, NotTraced::Store(_) | NotTraced::File(_)) {
                    tracing::error!(%why, "no trace is written");
                }
                return Ok(Self::over(Engine::new(node, seed, now_ms)?));
            }
        };
        let mut watched = Watched::over(node, trace.made());
        let engine = Engine::new(&mut watched, seed, now_ms)?;
        let calls = watched.into_calls();
        let mut traced = Self::over(engine);
        let did = Did {
            calls,
            ..Did::default()
        };
        let did = traced.did(node, &mut trace, did)?;
        trace.write(&Step::Start(Box::new(Start {
            principal: node.principal(),
            device: node.device(),
            seed,
            at_ms: now_ms,
            found,
            did,
        })));
        traced.trace = Some(trace);
        Ok(traced)
    }

    const fn over(engine: Engine) -> Self {
        Self {
            engine,
            outputs: VecDeque::new(),
            trace: None,
        }
    }

    /// As [`Engine::handle`].
    ///
    /// # Errors
    /// As [`Engine::handle`].
    pub fn handle(&mut self, node: &mut Node, input: Input, now_ms: u64) -> Result<(), StoreError> {
        let Some(mut trace) = self.trace.take() else {
            return self.engine.handle(node, input, now_ms);
        };
        match trace.others(node) {
            Ok(Some(others)) => trace.write(&Step::Others(Box::new(others))),
            Ok(None) => {}
            Err(error) => {
                ends(&error);
                return self.engine.handle(node, input, now_ms);
            }
        }
        let told = Told::of(&input);
        let mut watched = Watched::over(node, trace.made());
        let handled = self.engine.handle(&mut watched, input, now_ms);
        let did = Did {
            calls: watched.into_calls(),
            failed: handled.is_err(),
            ..Did::default()
        };
        match self.did(node, &mut trace, did) {
            Ok(did) => {
                trace.write(&Step::Input {
                    at_ms: now_ms,
                    told,
                    did,
                });
                self.trace = Some(trace);
            }
            Err(error) => ends(&error),
        }
        handled
    }

    /// As [`Engine::stop`]; the trace ends with it.
    pub fn stop(&mut self) {
        self.engine.stop();
        if let Some(mut trace) = self.trace.take() {
            let did = self.wants(Did::default());
            trace.write(&Step::Stop(did));
        }
    }

    /// As [`Engine::poll_output`].
    pub fn poll_output(&mut self) -> Option<Output> {
        let waiting = self.outputs.pop_front();
        waiting.or_else(|| self.engine.poll_output())
    }

    /// As [`Engine::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<u64> {
        self.engine.poll_timeout()
    }

    /// As [`Engine::is_up_to_date`].
    pub fn is_up_to_date(&self, device: &DeviceId) -> Option<bool> {
        self.engine.is_up_to_date(device)
    }

    /// As [`Engine::standings`].
    pub fn standings(&self) -> BTreeMap<DeviceId, Standing> {
        self.engine.standings()
    }

    /// What the engine did, and what has become of the node.
    fn did(&mut self, node: &Node, trace: &mut TraceFile, did: Did) -> Result<Did, StoreError> {
        let read = trace.read(node, &did.calls)?;
        let peers = trace.changed_peers(node)?;
        trace.looked(node);
        Ok(self.wants(Did { read, peers, ..did }))
    }

    /// With what it wants done, which waits here to be polled.
    fn wants(&mut self, did: Did) -> Did {
        let before = self.outputs.len();
        while let Some(output) = self.engine.poll_output() {
            self.outputs.push_back(output);
        }
        Did {
            outputs: self.outputs.iter().skip(before).cloned().collect(),
            wake_ms: self.engine.poll_timeout(),
            ..did
        }
    }
}

/// A store that does not answer ends the trace; the engine goes on.
fn ends(why: &StoreError) {
    tracing::error!(%why, "the trace ends here");
}
