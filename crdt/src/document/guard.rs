//! Calls into automerge with bytes from outside, or from a file, behind a guard.
//!
//! What vetting cannot know from a change alone shows here: the change is applied to a copy, the
//! copy is saved, loaded again and compared, and a panic on the way is caught. Only then does it
//! become visible. What fails is named and leaves the document as it was; the same bytes are never
//! to be tried again by the same build.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use automerge::{Automerge, Change};

use super::{ChangeHash, Document};
use crate::vet::Vetted;

/// A change that passed vetting and that this build still cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("change {change} cannot be read here: {fault}")]
pub struct Unreadable {
    /// The first change that fails.
    pub change: ChangeHash,
    /// How.
    pub fault: Fault,
}

/// How automerge failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something that it builds on is not there.
    #[error("it builds on something that is not there")]
    Missing,
    /// Its operations do not follow those that it builds on.
    #[error("its operations do not count on from those that it builds on")]
    OutOfPlace,
    /// Automerge refused.
    #[error("the engine refuses it: {0}")]
    Engine(String),
    /// Automerge panicked.
    #[error("the engine panicked on it")]
    Panic,
    /// What was saved does not load as what it was.
    #[error("what was saved with it does not load again")]
    Reload,
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a guarded call: a panic hook then has nothing to report.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

impl Document {
    /// Takes vetted changes from outside, each after what it builds on.
    ///
    /// # Errors
    /// Names the first change that this build cannot take; then none is taken.
    pub fn take(&mut self, changes: &[Vetted]) -> Result<(), Unreadable> {
        let next = self.with(changes, reloaded)?;
        self.inner = next;
        Ok(())
    }

    /// Takes vetted changes that this node wrote itself, without loading them again.
    ///
    /// # Errors
    /// As for [`Document::take`].
    pub fn take_own(&mut self, changes: &[Vetted]) -> Result<(), Unreadable> {
        let next = self.with(changes, Ok)?;
        self.inner = next;
        Ok(())
    }

    /// Opens a saved document.
    ///
    /// # Errors
    /// When it is damaged: saved documents are caches, to be made again from the changes.
    pub fn load(saved: &[u8]) -> Result<Self, Fault> {
        guarded(|| Automerge::load(saved).map_err(engine)).map(Self::from_inner)
    }

    fn with(&self, changes: &[Vetted], check: Check) -> Result<Automerge, Unreadable> {
        self.in_place(changes)?;
        match guarded(|| applied(&self.inner, changes).and_then(check)) {
            Ok(next) => Ok(next),
            Err(fault) => Err(self.first_fault(changes, check, fault)),
        }
    }

    /// Whether each change follows what it builds on, as writing makes it.
    fn in_place(&self, changes: &[Vetted]) -> Result<(), Unreadable> {
        let mut last_ops = std::collections::BTreeMap::new();
        for change in changes {
            let mut newest = 0;
            for dep in change.deps() {
                let here = self.inner.get_change_meta_by_hash(dep);
                let last_op = here.map(|meta| meta.max_op);
                let Some(last_op) = last_op.or_else(|| last_ops.get(dep).copied()) else {
                    return Err(change_fault(change, Fault::Missing));
                };
                newest = newest.max(last_op);
            }
            if change.start_op() != newest + 1 {
                return Err(change_fault(change, Fault::OutOfPlace));
            }
            last_ops.insert(change.hash(), newest + change.op_count());
        }
        Ok(())
    }

    /// Finds the change that fails by taking one after the other.
    fn first_fault(&self, changes: &[Vetted], check: Check, together: Fault) -> Unreadable {
        let mut at = self.inner.clone();
        for change in changes {
            let one = std::slice::from_ref(change);
            match guarded(|| applied(&at, one).and_then(check)) {
                Ok(next) => at = next,
                Err(fault) => return change_fault(change, fault),
            }
        }
        let last = changes.last().map_or(ChangeHash([0; 32]), Vetted::hash);
        Unreadable {
            change: last,
            fault: together,
        }
    }
}

type Check = fn(Automerge) -> Result<Automerge, Fault>;

const fn change_fault(change: &Vetted, fault: Fault) -> Unreadable {
    Unreadable {
        change: change.hash(),
        fault,
    }
}

fn applied(document: &Automerge, changes: &[Vetted]) -> Result<Automerge, Fault> {
    let mut next = document.clone();
    let changes = changes
        .iter()
        .map(|change| Change::from_bytes(change.bytes().to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Fault::Engine(error.to_string()))?;
    let hashes: Vec<_> = changes.iter().map(Change::hash).collect();
    next.apply_changes(changes).map_err(engine)?;
    let all_here = hashes
        .iter()
        .all(|hash| next.get_change_meta_by_hash(hash).is_some());
    if all_here {
        Ok(next)
    } else {
        Err(Fault::Missing)
    }
}

/// The document as it comes back from its saved bytes. They are kept nowhere, so that nothing is
/// won by making them small.
fn reloaded(document: Automerge) -> Result<Automerge, Fault> {
    let again = Automerge::load(&document.save_nocompress()).map_err(|_| Fault::Reload)?;
    if again.get_heads() == document.get_heads() {
        Ok(document)
    } else {
        Err(Fault::Reload)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a conversion")]
fn engine(error: automerge::AutomergeError) -> Fault {
    Fault::Engine(error.to_string())
}

/// Nothing that `call` may leave half done outlives a panic: it works on copies.
fn guarded<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(false);
    result.unwrap_or(Err(Fault::Panic))
}
