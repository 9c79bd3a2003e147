//! The first words: who is there, and whether both know where to go on.

use std::collections::BTreeSet;

use super::{Desk, Link, Phase, Stop};
use crate::{
    consent::devices,
    intake,
    limits::{AUTHORITY_EVENTS_MAX, DEVICES_MAX},
    logs::LogId,
    planted::{self, Planted},
    record::event_item,
    signed::Verified,
    store::Store,
    sync::{
        message::{Cursor, Farewell, JournalId, Message, SYNC_VERSION},
        output::{News, Output},
        progress,
        reach::certified,
        shell::{Peer, Shell, peer_of},
    },
};

impl Link {
    /// Says the first word to a device that is known; waits for a stranger's.
    pub(in crate::sync) fn begin<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        self.heard_ms = desk.now_ms;
        self.admitted_ms = desk.now_ms;
        self.peer = peer_of(desk.shell, &self.device)?;
        let is_stranger = self.peer.is_none() && !self.is_caller;
        if is_stranger && !planted::is(Planted::StrangerGreeted) {
            self.phase = Phase::Stranger;
            return Ok(());
        }
        self.greet(desk)?;
        match self.early.take() {
            Some((version, journal, held)) => self.greeted(desk, version, (journal, held)),
            None => Ok(()),
        }
    }

    fn greet<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        self.phase = Phase::Greeting;
        let held = progress::taken(desk.shell.store(), &self.device)?;
        self.control.push_back(Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: desk.journal,
            held,
        });
        Ok(())
    }

    /// The other's first word.
    pub(super) fn greeted<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        version: u8,
        (journal, held): (JournalId, Option<Cursor>),
    ) -> Result<(), Stop> {
        if version != SYNC_VERSION {
            return Err(Stop::Bye(Farewell::Version));
        }
        if self.peer.is_none() {
            return Err(Stop::Bye(Farewell::NothingShared));
        }
        desk.outputs
            .push_back(Output::Tell(News::Connected(self.device)));
        let known = progress::taken(desk.shell.store(), &self.device)?;
        // Another journal than the one that was taken in: whatever was counted counts no more.
        self.taking_journal = Some(journal);
        let same = known.is_none_or(|known| known.journal == journal);
        let resumes = self.giving_resumes(desk, held)? && same;
        self.resumes = resumes;
        self.phase = Phase::Resuming;
        self.control.push_back(Message::Ready { resumes });
        Ok(())
    }

    /// The other side says whether it knows where to go on.
    pub(super) fn resume<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        theirs: bool,
    ) -> Result<(), Stop> {
        if theirs && self.resumes {
            self.find_out_what_changed(desk)?;
            self.phase = Phase::Going;
            return Ok(());
        }
        self.begin_comparison(desk)
    }

    /// The other side does not know this device: its principal's log proves it.
    pub(super) fn introduce<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if std::mem::replace(&mut self.is_introduced, true) {
            return Err(Stop::Bye(Farewell::Misspoke));
        }
        let log = LogId::Principal(desk.shell.owner().principal);
        let events = desk.shell.store().events(&log)?;
        self.control.push_back(Message::Introduction {
            log: events
                .into_iter()
                .map(|(_, bytes)| serde_bytes::ByteBuf::from(bytes))
                .collect(),
        });
        // Said again, since the first was not taken for one.
        self.greet(desk)
    }

    /// A stranger shows its principal's log: a device of somebody known is let in, anyone else
    /// learns nothing.
    pub(super) fn introduced<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        log: &[serde_bytes::ByteBuf],
    ) -> Result<(), Stop> {
        let stranger = || Stop::Bye(Farewell::NothingShared);
        if log.len() > DEVICES_MAX {
            return Err(stranger());
        }
        let events = log.iter().map(|bytes| intake::event(bytes));
        let events: Vec<_> = events.collect::<Result<_, _>>().map_err(|_| stranger())?;
        let Some(&LogId::Principal(principal)) = events.first().map(|event| &event.value().log)
        else {
            return Err(stranger());
        };
        let own = LogId::Principal(principal);
        if events.iter().any(|event| event.value().log != own) {
            return Err(stranger());
        }
        let is_known = |peer: &Peer| peer.principal == principal;
        if principal != desk.shell.owner().principal && !desk.shell.peers()?.iter().any(is_known) {
            return Err(stranger());
        }
        let mut all = desk.shell.store().principal_log(&principal)?.to_vec();
        let known: BTreeSet<_> = all.iter().map(Verified::id).collect();
        let kept = certified(desk.shell.store(), &events, AUTHORITY_EVENTS_MAX)?;
        let new: Vec<_> = events
            .into_iter()
            .filter(|event| kept.contains(&event.id()) && !known.contains(&event.id()))
            .collect();
        all.extend(new.iter().cloned());
        if !devices::certifies(&all, principal, self.device) {
            return Err(stranger());
        }
        desk.shell
            .commit(&mut [], new.iter().map(event_item).collect())?;
        self.peer = peer_of(desk.shell, &self.device)?;
        if self.peer.is_none() {
            return Err(stranger());
        }
        self.greet(desk)
    }
}
