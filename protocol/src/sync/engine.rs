//! The state machine: every conversation of one node.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{
    calling::Calling,
    heard::Heard,
    input::{Input, LinkId},
    link::{Desk, Link, Phase, Served, Stop},
    message::{Farewell, JournalId, Message},
    output::{News, Output, Standing},
    progress,
    shell::{Shell, peer_among, peer_of},
};
use crate::{
    codec,
    id::{DeviceId, RecordId},
    limits::{CATCHING_UP_MAX, STRANGERS_MAX},
    logs::LogId,
    planted::{self, Planted},
    store::{Item, JournalPosition, Store, StoreError},
};

/// Items of the journal that are looked at in one go.
const JOURNAL_STEP: usize = 256;

/// Every conversation of one node. See [`crate::sync`].
pub struct Engine {
    device: DeviceId,
    journal: JournalId,
    rng: ChaCha20Rng,
    now_ms: u64,
    /// The end of the journal as it was last looked at.
    seen: JournalPosition,
    links: BTreeMap<LinkId, Link>,
    calling: Calling,
    outputs: VecDeque<Output>,
    served: Option<Served>,
}

impl Engine {
    /// An engine for the shell's node. `seed` makes everything that has to be
    /// unguessable or must not coincide: the same seed and inputs give the same outputs.
    ///
    /// # Errors
    /// When the store cannot say or keep which journal it is.
    pub fn new<S: Shell>(shell: &mut S, seed: [u8; 32], now_ms: u64) -> Result<Self, StoreError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let journal = match progress::journal(shell.store())? {
            Some(journal) => journal,
            None => {
                let mut id = [0; 16];
                rng.fill_bytes(&mut id);
                JournalId(id)
            }
        };
        let seen = shell.commit(&mut [], vec![progress::journal_row(journal)])?;
        let mut engine = Self {
            device: shell.owner().device,
            journal,
            rng,
            now_ms,
            seen,
            links: BTreeMap::new(),
            calling: Calling::default(),
            outputs: VecDeque::new(),
            served: None,
        };
        engine.know_peers(shell)?;
        engine.call();
        Ok(engine)
    }

    /// Takes in what happened. `now_ms`, milliseconds since 1970 UTC, never runs backwards for the
    /// engine, whatever the clock does.
    ///
    /// # Errors
    /// When the node's own store does not answer at all; conversations end with a reason instead.
    pub fn handle<S: Shell>(
        &mut self,
        shell: &mut S,
        input: Input,
        now_ms: u64,
    ) -> Result<(), StoreError> {
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
                if let Some(link) = self.links.get_mut(&link) {
                    link.sent();
                }
            }
            Input::Lost { link } => self.lost(link),
            Input::NotReached { device } => {
                self.calling.ended(&device, self.now_ms, &mut self.rng);
            }
            Input::Changed => self.know_peers(shell)?,
            Input::Timer => {}
            Input::Awake => self.calling.hurry(self.now_ms, &mut self.rng),
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
        let links = self.links.values().filter_map(Link::deadline_ms);
        let own = self.device;
        let compared = self.links.values().filter_map(|link| link.compare_ms(own));
        let turns = self.links.values().filter_map(Link::turns_ms);
        let all = links.chain(compared).chain(turns);
        all.chain(self.calling.next_ms()).min()
    }

    /// Ends every conversation with a word.
    pub fn stop(&mut self) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            self.say_bye(link, Farewell::Stopping);
        }
    }

    /// Whether a device is connected, and whether both have everything that they may.
    pub fn is_up_to_date(&self, device: &DeviceId) -> Option<bool> {
        let mut links = self.links.values().filter(|link| link.device == *device);
        links.next().map(|link| link.is_settled)
    }

    /// How it stands with each device that is connected or called.
    pub fn standings(&self) -> BTreeMap<DeviceId, Standing> {
        let away = self.calling.away().map(|(device, next_ms)| {
            let standing = next_ms.map_or(Standing::Called, |next_ms| Standing::Away { next_ms });
            (device, standing)
        });
        let linked = self.links.values().map(|link| {
            let standing = match link.phase {
                Phase::Waiting => Standing::Queued,
                Phase::Stranger
                | Phase::Greeting
                | Phase::Resuming
                | Phase::Comparing
                | Phase::Going => {
                    if link.is_settled {
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
        let queues = self.links.values().map(Link::queued);
        queues.max().unwrap_or(0)
    }

    fn know_peers<S: Shell>(&mut self, shell: &S) -> Result<(), StoreError> {
        let peers = shell.peers()?;
        let dialled: Vec<_> = peers
            .iter()
            .filter(|peer| peer.is_dialled)
            .map(|peer| peer.device)
            .collect();
        self.calling.know(&dialled, self.now_ms);
        let mut gone = Vec::new();
        for link in self.links.values_mut().filter(|link| link.peer.is_some()) {
            match peer_among(shell, &peers, &link.device)? {
                None => gone.push(link.id),
                Some(known) if link.peer.as_ref() != Some(&known) => link.knows(&known),
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
        if !is_known && self.links.values().filter(is_stranger).count() >= STRANGERS_MAX {
            self.outputs.push_back(close);
            return Ok(());
        }
        let before = self.links.values().find(|link| link.device == device);
        let before = before.map(|link| (link.id, link.is_caller));
        let link = if is_known {
            Link::new(id, device, is_caller, self.now_ms)
        } else {
            Link::with_stranger(id, device, self.now_ms)
        };
        self.links.insert(id, link);
        self.calling.linked(&device);
        if let Some((old, was_caller)) = before {
            let lower_is_caller = self.device < device;
            let new_stays = is_caller == was_caller || is_caller == lower_is_caller;
            self.say_bye(if new_stays { old } else { id }, Farewell::Twice);
        }
        Ok(())
    }

    fn lost(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(&id) else {
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
        if !self.links.values().any(|link| link.device == *device) {
            self.calling.ended(device, self.now_ms, &mut self.rng);
        }
    }

    fn say_bye(&mut self, id: LinkId, why: Farewell) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        self.outputs.push_back(Output::Send {
            link: id,
            frame: codec::encode(&Message::Bye { why }),
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

    /// Works on a conversation; what stops it ends it.
    fn with_link<S: Shell>(
        &mut self,
        shell: &mut S,
        id: LinkId,
        work: impl FnOnce(&mut Link, &mut Desk<'_, S>) -> Result<(), Stop>,
    ) {
        let Some(mut link) = self.links.remove(&id) else {
            // It was closed from this side, and the other did not know yet.
            return;
        };
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        let mut desk = Desk {
            shell,
            now_ms: self.now_ms,
            journal: self.journal,
            end: self.seen,
            outputs: &mut self.outputs,
            served: &mut self.served,
            nonce,
        };
        let done = work(&mut link, &mut desk);
        link.note_waiting(self.now_ms);
        let device = link.device;
        let is_over = link.is_over;
        self.links.insert(id, link);
        match done {
            Ok(()) if is_over => {
                self.links.remove(&id);
                self.gone(&device);
            }
            Ok(()) => {}
            Err(Stop::Bye(why)) => self.say_bye(id, why),
            Err(Stop::Store(_)) => self.say_bye(id, Farewell::Store),
        }
    }

    /// Looks at what came into the journal: rights that changed are found out again, and content
    /// on its way that nobody may have any more is stopped.
    fn note_changes<S: Shell>(&mut self, shell: &mut S) -> Result<(), StoreError> {
        let mut records = BTreeSet::<RecordId>::new();
        let mut written = BTreeSet::new();
        let mut all = false;
        loop {
            let step = shell.store().journal(self.seen, JOURNAL_STEP)?;
            let Some((last, _)) = step.last() else {
                break;
            };
            self.seen = *last;
            for (_, item) in &step {
                match item {
                    Item::Event { log, .. } => match log {
                        LogId::Principal(_) | LogId::Core(None) => all = true,
                        LogId::Core(Some(record)) | LogId::Label(record, _) => {
                            records.insert(*record);
                        }
                    },
                    Item::Part { record, .. } => {
                        records.insert(*record);
                    }
                    Item::Entry {
                        record, document, ..
                    } => {
                        written.insert((*record, document.label.clone()));
                    }
                    Item::Row { .. } | Item::Audit { .. } => {}
                }
            }
        }
        if !all && records.is_empty() && written.is_empty() {
            return Ok(());
        }
        self.own_devices_have(shell, &records);
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            let mut overtaken = false;
            self.with_link(shell, id, |link, desk| {
                if all {
                    link.forget_all();
                }
                for record in &records {
                    link.forget(*record);
                }
                for (record, label) in &written {
                    link.note_label(desk, *record, label)?;
                }
                overtaken = (all || !records.is_empty()) && link.is_overtaken(desk);
                Ok(())
            });
            if overtaken && let Some(link) = self.links.remove(&id) {
                self.close(id, link.device, Farewell::NothingShared, true);
            }
        }
        Ok(())
    }

    /// What one device of the owner's has, all have: also records that were not here before.
    fn own_devices_have<S: Shell>(&mut self, shell: &S, records: &BTreeSet<RecordId>) {
        let owner = shell.owner().principal;
        let peers = self
            .links
            .values_mut()
            .filter_map(|link| link.peer.as_mut());
        for peer in peers.filter(|peer| peer.principal == owner) {
            peer.records.extend(records);
        }
    }

    /// Gives up those who are silent, and begins the comparisons that are due.
    fn expire<S: Shell>(&mut self, shell: &mut S) {
        let now = self.now_ms;
        let silent = |link: &&Link| link.deadline_ms().is_some_and(|deadline| deadline <= now);
        let silent: Vec<_> = self
            .links
            .values()
            .filter(silent)
            .map(|link| link.id)
            .collect();
        for id in silent {
            self.say_bye(id, Farewell::Silent);
        }
        let own = self.device;
        let is_due = |link: &&Link| link.compare_ms(own).is_some_and(|due| due <= now);
        let due: Vec<_> = self
            .links
            .values()
            .filter(is_due)
            .map(|link| link.id)
            .collect();
        for id in due {
            self.with_link(shell, id, Link::compare_again);
        }
    }

    /// Lets conversations begin while there is room.
    fn admit<S: Shell>(&mut self, shell: &mut S) {
        loop {
            let busy = self
                .links
                .values()
                .filter(|link| link.is_catching_up(self.now_ms));
            if busy.count() >= CATCHING_UP_MAX {
                return;
            }
            let waits = |link: &&Link| link.phase == Phase::Waiting;
            let Some(id) = self.links.values().find(waits).map(|link| link.id) else {
                return;
            };
            self.with_link(shell, id, Link::begin);
            let still = self.links.get(&id);
            if still.is_some_and(|link| link.phase == Phase::Waiting) {
                return;
            }
        }
    }

    fn call(&mut self) {
        for device in self.calling.due(self.now_ms) {
            let linked = self.links.values().any(|link| link.device == device);
            if linked {
                self.calling.linked(&device);
            } else {
                self.outputs.push_back(Output::Dial { device });
            }
        }
    }

    /// Lets every conversation say what it has to say.
    fn pump<S: Shell>(&mut self, shell: &mut S) {
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            self.with_link(shell, id, Link::pump);
            let Some(link) = self.links.get_mut(&id) else {
                continue;
            };
            if link.settles() {
                let device = link.device;
                self.calling.settled(&device);
                self.outputs.push_back(Output::Tell(News::UpToDate(device)));
            }
        }
    }
}
