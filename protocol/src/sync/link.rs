//! One conversation with one device, from the first word to the last. Its phases are files.

mod attachments;
mod comparing;
mod giving;
mod greeting;
mod offered;
mod taking;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kith_crdt::DocumentId;

pub(super) use self::attachments::Served;
use self::{attachments::Fetching, comparing::Comparing, giving::Giving, offered::Offered};
use super::{
    chances::Nonce,
    heard::{Heard, Word},
    input::LinkId,
    message::{Cursor, Farewell, JournalId, Message},
    output::{News, Output, Together},
    shell::{Peer, Shell},
    view::{Scope, View},
    weighed::Weighed,
};
use crate::{
    codec,
    consent::Whoever,
    id::{BlobId, DeviceId, RecordId},
    limits::{ANSWERS_MAX, SILENCE_MS, TURN_MS, VIEWS_MAX, WANTS_MAX},
    planted::{self, Planted},
    record::{Record, Rights},
    store::{Item, JournalPosition, StoreError},
};

/// What a conversation has at hand while it works.
pub(super) struct Desk<'a, S> {
    pub(super) shell: &'a mut S,
    pub(super) now_ms: u64,
    pub(super) journal: JournalId,
    /// The end of the journal as the engine last saw it.
    pub(super) end: JournalPosition,
    pub(super) outputs: &'a mut VecDeque<Output>,
    /// One for all conversations, so that memory does not grow with their number.
    pub(super) served: &'a mut Option<Served>,
    /// What records weigh in comparisons, for all conversations.
    pub(super) weighed: &'a mut Weighed,
    /// Fresh for each step.
    pub(super) nonce: Nonce<'a>,
}

/// Why a conversation ends from this side.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("the conversation ends: {0:?}")]
    Bye(Farewell),
    #[error("the store does not do it")]
    Store(#[from] StoreError),
}

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Many others are catching up: the first word waits.
    Waiting,
    /// Nobody knows the device yet.
    Stranger,
    /// The first word is said, the other's is awaited.
    Greeting,
    /// The other's first word came; whether it can go on is awaited.
    Resuming,
    /// Both find out what differs.
    Comparing,
    /// Both give and take.
    Going,
}

/// Content that was handed over and may not have left.
#[derive(Debug, Default)]
struct Flight {
    documents: Vec<(RecordId, DocumentId)>,
}

/// What is asked for of an attachment.
struct Want {
    record: RecordId,
    document: DocumentId,
    blob: BlobId,
    piece: Option<u32>,
}

/// One conversation.
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) device: DeviceId,
    pub(super) is_caller: bool,
    pub(super) phase: Phase,
    pub(super) peer: Option<Peer>,
    control: VecDeque<Message>,
    flight: Option<Flight>,
    views: BTreeMap<RecordId, View>,
    giving: Giving,
    comparing: Comparing,
    fetching: Fetching,
    offered: Offered,
    heard_ms: u64,
    /// Whether something is awaited from the other side.
    waits: bool,
    /// When its turn came.
    admitted_ms: u64,
    /// The journal that the other side gives from.
    taking_journal: Option<JournalId>,
    /// Whether this side knows where to go on.
    resumes: bool,
    is_introduced: bool,
    /// Whether a stranger was asked who it is: once.
    is_asked: bool,
    /// The other's first word, where it came before this side's turn to begin.
    early: Option<(u8, JournalId, Option<Cursor>)>,
    /// What the other side asked for of attachments: answered one by one as the stream takes it.
    asked: VecDeque<Want>,
    /// Whether both had nothing more for each other.
    pub(super) is_settled: bool,
    theirs_settled: bool,
    /// Whether the stream is to be closed and nothing more said.
    pub(super) is_over: bool,
}

impl Link {
    /// A conversation with a device that nobody knows yet: it has to say who it is.
    pub(super) fn with_stranger(id: LinkId, device: DeviceId, now_ms: u64) -> Self {
        Self {
            phase: Phase::Stranger,
            ..Self::new(id, device, false, now_ms)
        }
    }

    pub(super) fn new(id: LinkId, device: DeviceId, is_caller: bool, now_ms: u64) -> Self {
        Self {
            id,
            device,
            is_caller,
            phase: Phase::Waiting,
            peer: None,
            control: VecDeque::new(),
            flight: None,
            views: BTreeMap::new(),
            giving: Giving::default(),
            comparing: Comparing::default(),
            fetching: Fetching::default(),
            offered: Offered::default(),
            heard_ms: now_ms,
            waits: false,
            admitted_ms: now_ms,
            taking_journal: None,
            resumes: false,
            is_introduced: false,
            is_asked: false,
            early: None,
            asked: VecDeque::new(),
            is_settled: false,
            theirs_settled: false,
            is_over: false,
        }
    }

    /// Whoever is at the other end; nothing for a stranger.
    pub(super) fn who(&self) -> Option<Whoever> {
        self.peer.as_ref().map(|peer| Whoever {
            principal: peer.principal,
            device: self.device,
            staff: None,
        })
    }

    /// How much waits here: words to be said, questions to be answered, batches on their way.
    pub(super) fn queued(&self) -> usize {
        self.control.len() + self.asked.len() + self.giving.ahead()
    }

    /// Until when it counts as catching up, where it has begun and still is; milliseconds since
    /// 1970 UTC.
    pub(super) fn catches_up_until_ms(&self) -> Option<u64> {
        let begun = !matches!(self.phase, Phase::Waiting | Phase::Stranger);
        (begun && !self.is_settled).then(|| self.admitted_ms.saturating_add(TURN_MS))
    }

    /// Whether content and rights are taken at this moment.
    pub(super) const fn takes_parcels(&self) -> bool {
        matches!(self.phase, Phase::Going | Phase::Comparing)
    }

    /// A message came.
    pub(super) fn receive<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        heard: Heard,
    ) -> Result<(), Stop> {
        self.heard_ms = desk.now_ms;
        if self.phase == Phase::Stranger && heard.len > crate::limits::JOIN_FRAME_LEN_MAX {
            return Err(Stop::Bye(Farewell::Misspoke));
        }
        if self.control.len() > ANSWERS_MAX {
            // It says more than it hears.
            return Err(Stop::Bye(Farewell::Misspoke));
        }
        let message = match (self.phase, heard.word) {
            (_, Some(Word::Said(message))) => message,
            (Phase::Going | Phase::Comparing, Some(Word::Parcel(parcel))) => {
                return self.take(desk, parcel);
            }
            (_, Some(Word::Parcel(_)) | None) => return Err(Stop::Bye(Farewell::Misspoke)),
        };
        match (self.phase, message) {
            (_, Message::Bye { why }) => {
                self.end(desk, Some(why));
                Ok(())
            }
            (
                Phase::Greeting,
                Message::Hello {
                    version,
                    journal,
                    held,
                    ..
                },
            ) => self.greeted(desk, version, (journal, held)),
            (
                Phase::Waiting,
                Message::Hello {
                    version,
                    journal,
                    held,
                    ..
                },
            ) if self.early.is_none() => {
                self.early = Some((version, journal, held));
                Ok(())
            }
            (Phase::Stranger, Message::Hello { .. }) if !self.is_asked => {
                self.is_asked = true;
                self.control.push_back(Message::WhoAreYou);
                Ok(())
            }
            (Phase::Greeting, Message::WhoAreYou) => self.introduce(desk),
            (Phase::Stranger, Message::Introduction { log }) => self.introduced(desk, &log),
            (Phase::Resuming, Message::Ready { resumes }) => self.resume(desk, resumes),
            (
                Phase::Comparing,
                Message::Compare {
                    session,
                    place,
                    ranges,
                },
            ) => self.compare(desk, session, place, &ranges),
            (
                Phase::Going,
                Message::Compare {
                    session,
                    place,
                    ranges,
                },
            ) if !self.leads(desk) => {
                self.phase = Phase::Comparing;
                self.comparing = Comparing::while_going();
                self.compare(desk, session, place, &ranges)
            }
            (Phase::Comparing, Message::Compared) => self.compared(desk),
            (Phase::Going | Phase::Comparing, Message::Proven) => {
                self.giving.proven_theirs = true;
                Ok(())
            }
            (Phase::Going | Phase::Comparing, Message::Through { through }) => {
                self.take_through(desk, through)
            }
            (Phase::Going | Phase::Comparing, Message::Taken { through, kept_back }) => {
                self.taken(desk, through, &kept_back)
            }
            (
                Phase::Going | Phase::Comparing,
                Message::Want {
                    record,
                    document,
                    blob,
                    piece,
                },
            ) if self.asked.len() < WANTS_MAX || planted::is(Planted::QuestionsUnbounded) => {
                self.asked.push_back(Want {
                    record,
                    document,
                    blob,
                    piece,
                });
                Ok(())
            }
            (Phase::Going | Phase::Comparing, Message::Outline { blob, len, pieces }) => {
                self.outlined(blob, len, pieces)
            }
            (Phase::Going | Phase::Comparing, Message::Piece { blob, piece, bytes }) => {
                self.fetched(desk, blob, piece, bytes.into_vec())
            }
            (Phase::Going | Phase::Comparing, Message::Absent { blob }) => {
                self.absent(blob);
                Ok(())
            }
            (Phase::Going, Message::Settled) => {
                self.theirs_settled = true;
                self.look_for_attachments(desk)
            }
            // Said before the other knew that a comparison had begun.
            (Phase::Comparing, Message::Settled) => Ok(()),
            (
                Phase::Waiting
                | Phase::Stranger
                | Phase::Greeting
                | Phase::Resuming
                | Phase::Comparing
                | Phase::Going,
                _,
            ) => Err(Stop::Bye(Farewell::Misspoke)),
        }
    }

    /// Whether this side leads a comparison: one of the two does, always the same.
    fn leads<S: Shell>(&self, desk: &Desk<'_, S>) -> bool {
        desk.shell.owner().device < self.device
    }

    /// Whether a change of this record may concern it. Whoever is at the other end is not always
    /// known yet.
    pub(super) fn has(&self, record: &RecordId) -> bool {
        let peer = self.peer.as_ref();
        peer.is_none_or(|peer| peer.records.contains(record))
    }

    /// These records are ones that both have to do with too.
    pub(super) fn has_too(&mut self, records: &BTreeSet<RecordId>) {
        if let Some(peer) = &mut self.peer {
            peer.records.extend(records);
        }
    }

    /// Whether something that comes into the journal is looked at at once.
    pub(super) fn looks_at_the_journal(&self) -> bool {
        self.phase == Phase::Going && self.flight.is_none()
    }

    /// Goes on in the journal from `before` to `end`, where nothing between is for it and there is
    /// nothing else to do: the row that says so, where that is to be kept. Nothing where it has to
    /// be looked at.
    pub(super) fn passes_over(
        &mut self,
        before: JournalPosition,
        end: JournalPosition,
    ) -> Option<Option<Item>> {
        let is_idle = self.control.is_empty() && self.asked.is_empty();
        (is_idle && self.giving.passes_over(before, end))
            .then(|| self.giving.moved_when(self.theirs_settled, &self.device))
    }

    /// Whether content was handed over that may not have left.
    pub(super) fn is_sending_content(&self) -> bool {
        let flight = self.flight.as_ref();
        flight.is_some_and(|flight| !flight.documents.is_empty())
    }

    /// The frame that was handed over has left.
    pub(super) fn sent(&mut self) {
        self.flight = None;
    }

    /// Something of these records changed that rights hang on.
    pub(super) fn forget(&mut self, record: RecordId) {
        if !planted::is(Planted::RightsKept) {
            self.views.remove(&record);
        }
        self.giving.note_changed(record);
    }

    /// The peer has more in common with this node than before, or less, or is somebody else.
    pub(super) fn knows(&mut self, now: &Peer) {
        let before = self.peer.replace(now.clone());
        match before {
            Some(before) if before.principal == now.principal => {
                for record in before.records.symmetric_difference(&now.records) {
                    self.forget(*record);
                }
            }
            Some(_) | None => self.forget_all(),
        }
    }

    /// Forgets what was found out of every record.
    pub(super) fn forget_all(&mut self) {
        self.views.clear();
        let none = BTreeSet::new();
        let shared = self.peer.as_ref().map_or(&none, |peer| &peer.records);
        self.giving.note_all_changed(shared);
    }

    /// Whether both have given everything since it was last said: said once.
    pub(super) fn settles(&mut self) -> bool {
        let settles = self.theirs_settled && self.has_given() && !self.fetching.waits();
        if settles {
            self.giving.forget_keys();
        }
        settles && !std::mem::replace(&mut self.is_settled, true)
    }

    /// Whether both have everything that they may, and nothing is on its way.
    pub(super) const fn is_up_to_date(&self) -> bool {
        self.is_settled && self.has_given()
    }

    /// A day has passed: both compare, whatever their cursors say.
    pub(super) fn compare_again<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if self.has_given() {
            return self.begin_comparison(desk);
        }
        self.giving.put_off_comparison(desk.now_ms);
        Ok(())
    }

    /// When this side, the device `own`, begins the next comparison; nothing where the other does.
    pub(super) fn compare_ms(&self, own: DeviceId) -> Option<u64> {
        (self.phase == Phase::Going && own < self.device).then(|| self.giving.compare_ms())
    }

    /// Whether content is on its way that the peer may not have any more.
    pub(super) fn is_overtaken<S: Shell>(&self, desk: &mut Desk<'_, S>) -> bool {
        let (Some(flight), Some(who)) = (&self.flight, self.who()) else {
            return false;
        };
        flight.documents.iter().any(|(id, document)| {
            let Ok(mut rights) = desk.shell.rights(*id) else {
                return true;
            };
            let may = rights.reader(&who, document, desk.now_ms).is_some();
            desk.shell.put_rights(rights, false);
            !may
        })
    }

    /// Looks again at the rights that time has changed: a share that began or ended.
    fn turn(&mut self, now_ms: u64) {
        for record in self.giving.found.turned(now_ms) {
            self.forget(record);
        }
    }

    /// When time changes rights next.
    pub(super) fn turns_ms(&self) -> Option<u64> {
        self.giving.found.turns_ms()
    }

    /// Says what there is to say, if the stream takes it.
    pub(super) fn pump<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        self.turn(desk.now_ms);
        if self.flight.is_some() {
            return Ok(());
        }
        if let Some(message) = self.control.pop_front() {
            self.hand_over(desk, &message, Flight::default());
            return Ok(());
        }
        match self.phase {
            Phase::Waiting
            | Phase::Stranger
            | Phase::Greeting
            | Phase::Resuming
            | Phase::Comparing => Ok(()),
            Phase::Going => match self.asked.pop_front() {
                Some(want) => self.wanted(desk, &want),
                None => self.give(desk),
            },
        }
    }

    fn hand_over<S>(&mut self, desk: &mut Desk<'_, S>, message: &Message, flight: Flight) {
        self.hand_over_with(desk, message, flight, Together::Alone);
    }

    /// Hands over what may be compressed with its like.
    fn hand_over_with<S>(
        &mut self,
        desk: &mut Desk<'_, S>,
        message: &Message,
        flight: Flight,
        together: Together,
    ) {
        self.flight = Some(flight);
        desk.outputs.push_back(Output::Send {
            link: self.id,
            frame: codec::encode(message),
            together,
        });
    }

    /// Ends the conversation without a word: the other side ended it, or nobody is there.
    pub(super) fn end<S>(&mut self, desk: &mut Desk<'_, S>, why: Option<Farewell>) {
        desk.outputs.push_back(Output::Close {
            link: self.id,
            at_once: false,
        });
        desk.outputs.push_back(Output::Tell(News::Ended {
            with: self.device,
            why,
        }));
        self.is_over = true;
    }

    /// When this side stops waiting for the other; nothing where it waits for nothing.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.awaits()
            .then(|| self.heard_ms.saturating_add(SILENCE_MS))
    }

    fn awaits(&self) -> bool {
        match self.phase {
            Phase::Waiting => false,
            Phase::Stranger | Phase::Greeting | Phase::Resuming | Phase::Comparing => true,
            Phase::Going => self.giving.waits() || self.fetching.waits(),
        }
    }

    /// Silence counts from when something is awaited: before, there was nothing to say.
    pub(super) fn note_waiting(&mut self, now_ms: u64) {
        let waits = self.awaits();
        if waits && !std::mem::replace(&mut self.waits, waits) {
            self.heard_ms = self.heard_ms.max(now_ms);
        }
        self.waits = waits;
    }

    /// How much of a record the peer may have, where that was found out and holds. What is found
    /// out in a comparison is not set down before its end.
    fn held_scope<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        id: &RecordId,
    ) -> Result<Option<Scope>, StoreError> {
        let holds = self.giving.found.stands(id) && !self.comparing.is_prepared();
        holds.then(|| self.known_scope(desk, id)).transpose()
    }

    /// Works with what may go of a record, found out once.
    fn with_view<S: Shell, T>(
        &mut self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        work: impl FnOnce(&mut Self, &mut Desk<'_, S>, &mut Rights, &View) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let Some(who) = self.who() else {
            return Ok(None);
        };
        let Some(mut rights) = whole(desk, id, S::rights)? else {
            return Ok(None);
        };
        let view = match self.views.remove(&id) {
            Some(view) => view,
            None => match self.held_scope(desk, &id)? {
                Some(scope) => View::known(&mut rights, &who, desk.now_ms, scope),
                None => View::of(&mut rights, desk.shell, &who, desk.now_ms)?,
            },
        };
        let done = work(self, desk, &mut rights, &view)?;
        if self.views.len() >= VIEWS_MAX {
            self.views.pop_first();
        }
        self.views.insert(id, view);
        desk.shell.put_rights(rights, self.giving.has_places());
        Ok(Some(done))
    }
}

/// Works with some documents of a record.
fn with_documents<S: Shell, T>(
    desk: &mut Desk<'_, S>,
    id: RecordId,
    families: BTreeSet<DocumentId>,
    work: impl FnOnce(&mut Desk<'_, S>, &mut Record) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let take = |shell: &mut S, id| shell.take_part(id, families);
    let Some(mut record) = whole(desk, id, take)? else {
        return Ok(None);
    };
    let done = work(desk, &mut record)?;
    desk.shell.put(record);
    Ok(Some(done))
}

/// What is asked for of a record; nothing of a damaged one: it is never sent, and the rest goes on.
fn whole<S: Shell, T>(
    desk: &mut Desk<'_, S>,
    id: RecordId,
    take: impl FnOnce(&mut S, RecordId) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match take(desk.shell, id) {
        Ok(taken) => Ok(Some(taken)),
        Err(StoreError::Damaged(_)) => {
            desk.outputs.push_back(Output::Tell(News::Unreadable(id)));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
