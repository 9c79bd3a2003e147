//! The state machine: every conversation of one node.

mod changes;
mod round;

use std::collections::{BTreeMap, VecDeque};

use rand_core::Rng;

use self::changes::Changes;
use super::{
    calling::Calling,
    chances::Chances,
    heard::Heard,
    input::{Input, LinkId},
    link::{Desk, Link, Phase, Served, Stop},
    links::Links,
    message::{Farewell, JournalId, Message},
    output::{News, Output, Standing, Together},
    progress,
    shell::{Shell, peer_among, peer_of},
    weighed::Weighed,
};
use crate::{
    codec,
    id::DeviceId,
    limits::{CATCHING_UP_MAX, CLOCK_PUT_BACK_MS, STRANGERS_MAX},
    planted::{self, Planted},
    store::{JournalPosition, StoreError},
};

/// Every conversation of one node. See [`crate::sync`].
pub struct Engine {
    device: DeviceId,
    journal: JournalId,
    chances: Chances,
    now_ms: u64,
    /// The end of the journal as it was last looked at.
    seen: JournalPosition,
    /// Where it ended when every conversation was last looked at, and what came in since.
    passed: JournalPosition,
    tail: Changes,
    links: Links,
    /// Whether none is passed over.
    looks_at_all: bool,
    calling: Calling,
    outputs: VecDeque<Output>,
    served: Option<Served>,
    weighed: Weighed,
}

impl Engine {
    /// An engine for the shell's node. `seed` makes everything that has to be
    /// unguessable or must not coincide: the same seed and inputs give the same outputs.
    ///
    /// # Errors
    /// When the store cannot say or keep which journal it is.
    pub fn new<S: Shell>(shell: &mut S, seed: [u8; 32], now_ms: u64) -> Result<Self, StoreError> {
        let mut chances = Chances::of(seed);
        let journal = match progress::journal(shell.store())? {
            Some(journal) => journal,
            None => {
                let mut id = [0; 16];
                chances.rng().fill_bytes(&mut id);
                JournalId(id)
            }
        };
        let seen = shell.commit(&mut [], vec![progress::journal_row(journal)])?;
        let device = shell.owner().device;
        let mut engine = Self {
            device,
            journal,
            chances,
            now_ms,
            seen,
            passed: seen,
            tail: Changes::default(),
            links: Links::of(device),
            looks_at_all: false,
            calling: Calling::default(),
            outputs: VecDeque::new(),
            served: None,
            weighed: Weighed::default(),
        };
        engine.know_peers(shell)?;
        engine.call();
        Ok(engine)
    }

    /// Takes in what happened. `now_ms`, milliseconds since 1970 UTC, does not run backwards for the
    /// engine, unless the clock was put back by more than [`CLOCK_PUT_BACK_MS`]: then every
    /// conversation begins again.
    ///
    /// # Errors
    /// When the node's own store does not answer at all; conversations end with a reason instead.
    pub fn handle<S: Shell>(
        &mut self,
        shell: &mut S,
        input: Input,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        if self.now_ms.saturating_sub(now_ms) > CLOCK_PUT_BACK_MS {
            self.begin_again(now_ms);
        }
        self.now_ms = self.now_ms.max(now_ms);
        // First what was committed by other hands, so that it is not taken for what comes now.
        self.note_changes(shell)?;
        match input {
            Input::Connected {
                link,
                device,
                is_caller,
            } => self.connected(shell, link, (device, is_caller))?,
            Input::Received { link, frame } => {
                self.with_link(shell, link, |link, desk| {
                    let heard = match link.takes_parcels() {
                        true => Heard::read(&frame),
                        false => Heard::read_words(&frame),
                    };
                    link.receive(desk, heard)
                });
            }
            Input::Heard { link, heard } => {
                self.with_link(shell, link, |link, desk| link.receive(desk, heard));
            }
            Input::Sent { link } => {
                self.links.work(link, Link::sent);
                self.links.wake(link);
            }
            Input::Lost { link } => self.lost(link),
            Input::NotReached { device } => {
                self.calling.ended(&device, self.now_ms, self.chances.rng());
            }
            Input::Changed => self.know_peers(shell)?,
            Input::Timer => {}
            Input::Awake => self.calling.hurry(self.now_ms, self.chances.rng()),
        }
        self.note_changes(shell)?;
        self.expire(shell);
        self.admit(shell);
        self.call();
        self.pump(shell);
        Ok(())
    }

    /// The next thing to do; nothing when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come again with `Input::Timer`, milliseconds since 1970 UTC.
    pub fn poll_timeout(&self) -> Option<u64> {
        let times = [self.links.due_ms(), self.calling.next_ms()];
        times.into_iter().flatten().min()
    }

    /// From now on no conversation is passed over, whatever happens. What is said and kept is the
    /// same: so it can be tested that nobody is passed over who has something to say.
    pub const fn looks_at_all(&mut self) {
        self.looks_at_all = true;
    }

    /// What was to happen at a time, by a clock that was ahead, would happen far too late: nobody
    /// would be called, and whoever is silent would not be noticed.
    fn begin_again(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.weighed.forget_all();
        self.stop();
        self.calling.hurry(now_ms, self.chances.rng());
    }

    /// Ends every conversation with a word.
    pub fn stop(&mut self) {
        for link in self.links.ids() {
            self.say_bye(link, Farewell::Stopping);
        }
    }

    /// Whether a device is connected, and whether both have everything that they may.
    pub fn is_up_to_date(&self, device: &DeviceId) -> Option<bool> {
        self.links.with(device).map(Link::is_up_to_date)
    }

    /// How it stands with each device that is connected or called.
    pub fn standings(&self) -> BTreeMap<DeviceId, Standing> {
        let away = self.calling.away().map(|(device, next_ms)| {
            let standing = next_ms.map_or(Standing::Called, |next_ms| Standing::Away { next_ms });
            (device, standing)
        });
        let linked = self.links.iter().map(|link| {
            let standing = match link.phase {
                Phase::Waiting => Standing::Queued,
                Phase::Stranger
                | Phase::Greeting
                | Phase::Resuming
                | Phase::Comparing
                | Phase::Going => {
                    if link.is_up_to_date() {
                        Standing::UpToDate
                    } else {
                        Standing::Talking
                    }
                }
            };
            (link.device, standing)
        });
        away.chain(linked).collect()
    }

    /// How much waits in the conversation in which most does: words to be said, questions to be
    /// answered, batches on their way. It is bounded, whatever the other side does.
    pub fn longest_queue(&self) -> usize {
        let queues = self.links.iter().map(Link::queued);
        queues.max().unwrap_or(0)
    }

    fn know_peers<S: Shell>(&mut self, shell: &S) -> Result<(), StoreError> {
        let peers = shell.peers()?;
        let dialled = peers.iter().filter(|peer| peer.is_dialled);
        let dialled = dialled.map(|peer| peer.device).collect();
        self.calling.know(&dialled, self.now_ms);
        let mut gone = Vec::new();
        for id in self.links.ids() {
            let Some(link) = self.links.get(id).filter(|link| link.peer.is_some()) else {
                continue;
            };
            match peer_among(shell, &peers, &link.device)? {
                None => gone.push(id),
                Some(known) if link.peer.as_ref() != Some(&known) => {
                    self.weighed.forget_peer(known.device);
                    self.links.work(id, |link| link.knows(&known));
                    self.links.wake(id);
                }
                Some(_) => {}
            }
        }
        for link in gone {
            self.say_bye(link, Farewell::NothingShared);
        }
        Ok(())
    }

    /// Of two conversations with one device the one stays that the lower device opened; of two
    /// that the same one opened, the newer.
    fn connected<S: Shell>(
        &mut self,
        shell: &S,
        id: LinkId,
        (device, is_caller): (DeviceId, bool),
    ) -> Result<(), StoreError> {
        let close = Output::Close {
            link: id,
            at_once: true,
        };
        let is_known = is_caller
            || planted::is(Planted::StrangerGreeted)
            || match peer_of(shell, &device) {
                Ok(peer) => peer.is_some(),
                Err(error) => {
                    self.outputs.push_back(close);
                    return Err(error);
                }
            };
        let is_stranger = |link: &&Link| link.phase == Phase::Stranger;
        if !is_known && self.links.iter().filter(is_stranger).count() >= STRANGERS_MAX {
            self.outputs.push_back(close);
            return Ok(());
        }
        let before = self.links.with(&device);
        let before = before.map(|link| (link.id, link.is_caller));
        let link = if is_known {
            Link::new(id, device, is_caller, self.now_ms)
        } else {
            Link::with_stranger(id, device, self.now_ms)
        };
        self.links.insert(link);
        self.calling.linked(&device);
        if let Some((old, was_caller)) = before {
            let lower_is_caller = self.device < device;
            let new_stays = is_caller == was_caller || is_caller == lower_is_caller;
            self.say_bye(if new_stays { old } else { id }, Farewell::Twice);
        }
        Ok(())
    }

    fn lost(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(id) else {
            return;
        };
        // One direction may have ended and the other not: nothing of the stream stays.
        self.outputs.push_back(Output::Close {
            link: id,
            at_once: true,
        });
        self.outputs.push_back(Output::Tell(News::Ended {
            with: link.device,
            why: None,
        }));
        self.gone(&link.device);
    }

    /// A conversation is over: unless there is another, the device is called again.
    fn gone(&mut self, device: &DeviceId) {
        if self.links.with(device).is_none() {
            self.calling.ended(device, self.now_ms, self.chances.rng());
        }
    }

    fn say_bye(&mut self, id: LinkId, why: Farewell) {
        let Some(link) = self.links.remove(id) else {
            return;
        };
        self.outputs.push_back(Output::Send {
            link: id,
            frame: codec::encode(&Message::Bye { why }),
            together: Together::Alone,
        });
        self.close(id, link.device, why, false);
    }

    fn close(&mut self, link: LinkId, with: DeviceId, why: Farewell, at_once: bool) {
        self.outputs.push_back(Output::Close { link, at_once });
        self.outputs.push_back(Output::Tell(News::Ended {
            with,
            why: Some(why),
        }));
        self.gone(&with);
    }

    /// Works on a conversation, which is awake then; what stops it ends it.
    fn with_link<S: Shell>(
        &mut self,
        shell: &mut S,
        id: LinkId,
        work: impl FnOnce(&mut Link, &mut Desk<'_, S>) -> Result<(), Stop>,
    ) {
        self.links.wake(id);
        let done = self.at_desk(shell, id, work);
        self.ends_where_over(id, done.as_ref());
    }

    /// Works on a conversation; nothing where it was closed from this side, and the other did not
    /// know yet.
    fn at_desk<S: Shell>(
        &mut self,
        shell: &mut S,
        id: LinkId,
        work: impl FnOnce(&mut Link, &mut Desk<'_, S>) -> Result<(), Stop>,
    ) -> Option<Result<(), Stop>> {
        self.links.work(id, |link| {
            let mut desk = Desk {
                shell,
                now_ms: self.now_ms,
                journal: self.journal,
                end: self.seen,
                outputs: &mut self.outputs,
                served: &mut self.served,
                weighed: &mut self.weighed,
                nonce: self.chances.nonce(),
            };
            let done = work(link, &mut desk);
            link.note_waiting(self.now_ms);
            done
        })
    }

    /// Ends a conversation where it is over or has to be.
    fn ends_where_over(&mut self, id: LinkId, done: Option<&Result<(), Stop>>) {
        match done {
            None => {}
            Some(Ok(())) => {
                let over = self.links.get(id).filter(|link| link.is_over);
                if let Some(device) = over.map(|link| link.device) {
                    self.links.remove(id);
                    self.gone(&device);
                }
            }
            Some(Err(Stop::Bye(why))) => self.say_bye(id, *why),
            Some(Err(Stop::Store(_))) => self.say_bye(id, Farewell::Store),
        }
    }

    /// Gives up those who are silent, and begins the comparisons that are due.
    fn expire<S: Shell>(&mut self, shell: &mut S) {
        let now = self.now_ms;
        let due = self.links.wake_due(now);
        let is_past = |due_ms: Option<u64>| due_ms.is_some_and(|due_ms| due_ms <= now);
        for id in &due {
            let link = self.links.get(*id);
            if link.is_some_and(|link| is_past(link.deadline_ms())) {
                self.say_bye(*id, Farewell::Silent);
            }
        }
        let own = self.device;
        for id in due {
            let link = self.links.get(id);
            if link.is_some_and(|link| is_past(link.compare_ms(own))) {
                self.with_link(shell, id, Link::compare_again);
            }
        }
    }

    /// Lets conversations begin while there is room.
    fn admit<S: Shell>(&mut self, shell: &mut S) {
        while let Some(id) = self.links.first_waiting() {
            if self.links.catching_up(self.now_ms) >= CATCHING_UP_MAX {
                return;
            }
            self.with_link(shell, id, Link::begin);
            let still = self.links.get(id);
            if still.is_some_and(|link| link.phase == Phase::Waiting) {
                return;
            }
        }
    }

    fn call(&mut self) {
        for device in self.calling.due(self.now_ms) {
            if self.links.with(&device).is_some() {
                self.calling.linked(&device);
            } else {
                self.outputs.push_back(Output::Dial { device });
            }
        }
    }
}
