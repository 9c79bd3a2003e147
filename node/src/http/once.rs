//! What is shown only while this process remembers it: the doors of invitations that were made in a
//! page, and the code of a new node's recovery sheet.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::sessions::{Secret, Session};
use crate::api::Shared;

/// Invitations that are remembered; the oldest is forgotten first.
const INVITATIONS_MAX: usize = 32;

/// Invitations by their ids, with the order in which they were made and the session that made them:
/// nobody else is shown how to join.
#[derive(Default)]
pub(super) struct Invitations(Mutex<BTreeMap<String, (u64, Secret, Shared)>>);

impl Invitations {
    pub fn keep(&self, session: &Session, shared: Shared) {
        let mut kept = lock(&self.0);
        let order = kept.values().map(|(order, ..)| *order).max().unwrap_or(0) + 1;
        if kept.len() >= INVITATIONS_MAX {
            let oldest = kept.iter().min_by_key(|(_, (order, ..))| *order);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                kept.remove(&id);
            }
        }
        let id = shared.invitation.clone();
        kept.insert(id, (order, session.form.clone(), shared));
    }

    pub fn find(&self, session: &Session, id: &str) -> Option<Shared> {
        let kept = lock(&self.0);
        let (_, made_by, shared) = kept.get(id)?;
        made_by.is(&session.form).then(|| shared.clone())
    }
}

/// The code of a recovery sheet until somebody has it, and where they go then.
#[derive(Default)]
pub(super) struct Recovery(Mutex<(Option<String>, Option<String>)>);

impl Recovery {
    pub fn keep(&self, code: String) {
        lock(&self.0).0 = Some(code);
    }

    pub fn then(&self, path: String) {
        lock(&self.0).1 = Some(path);
    }

    pub fn code(&self) -> Option<String> {
        lock(&self.0).0.clone()
    }

    /// Forgets it, and says where to go.
    pub fn noted(&self) -> Option<String> {
        let mut kept = lock(&self.0);
        kept.0 = None;
        kept.1.take()
    }
}

/// What is kept, for one change.
pub(super) fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change under a lock is whole, so one that panicked left nothing half done.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
