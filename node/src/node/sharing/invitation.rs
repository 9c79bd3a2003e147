//! Invitations: made, listed, taken back. One invitation has two doors: four words, and a link.

use kith_protocol::{
    id::{DeviceId, PrincipalId, RecordId},
    limits::{INVITATIONS_MAX, LINK_LASTS_MS, WORDS_LAST_MS},
    store::Item,
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{
    giving::Terms,
    link::{InvitationId, Invited},
    scopes::Scopes,
    share,
};
use crate::{
    api::{InvitationState, ShareLine, ShareRequest, Shared, Side, Stopped, WaitingDevice},
    failure::{Ending, Failure},
    node::{
        Node,
        identity::{RowKind, read_row, read_rows, row},
        now_ms,
        people::Known,
        show,
    },
    pairing::{message::Answer, place, words::Words},
};

/// The shortest beginning of an invitation's id that names it.
const PREFIX_LEN_MIN: usize = 6;

/// An invitation that was made here, until its link ends.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Invitation {
    pub(super) gives: Giving,
    pub(super) ends_ms: u64,
    /// What a guest at the link's door proves to know.
    #[serde(with = "kith_protocol::codec::array")]
    pub(super) password: [u8; 32],
    /// The other door; nothing once it was tried.
    pub(super) spoken: Option<Spoken>,
    /// Whether whoever comes with the link waits for a person here.
    pub(super) confirms: bool,
    pub(super) state: State,
    pub(super) trouble: Option<Trouble>,
}

/// What an invitation gives.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Giving {
    Share(Terms),
    /// To be another device of this node's owner.
    Device,
}

/// Four words, and until when they hold.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Spoken {
    pub(super) words: Words,
    pub(super) ends_ms: u64,
}

/// Who used an invitation.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum State {
    /// Nobody yet.
    Open,
    /// Somebody who waits for a person here.
    Asked(Box<Asking>),
    /// Somebody who got what it gives, and gets the same answer when they ask again.
    Given(DeviceId),
    /// Somebody to whom a person here said no.
    Refused(DeviceId),
}

/// Somebody who wants to join.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asking {
    pub(super) device: DeviceId,
    pub(super) principal: PrincipalId,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) answer: Answer,
}

/// What went wrong with an invitation.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Trouble {
    /// Wrong words were tried at this time, and the words have ended.
    WrongWords(u64),
    /// Whoever it was said no at this time.
    Declined(u64),
}

impl Trouble {
    pub(super) fn said(self) -> String {
        match self {
            Self::WrongWords(at) => format!(
                "Somebody tried wrong words at {}, so the words have ended. The link of the same invitation still works.",
                show::time(at)
            ),
            Self::Declined(at) => format!(
                "Whoever was invited said no at {}. The link of the same invitation still works.",
                show::time(at)
            ),
        }
    }
}

impl Invitation {
    /// The record that it is about.
    pub(super) const fn record(&self) -> Option<RecordId> {
        match &self.gives {
            Giving::Share(terms) => Some(terms.record),
            Giving::Device => None,
        }
    }

    /// The words, while they hold.
    pub(super) fn words(&self, now: u64) -> Option<Words> {
        let spoken = self.spoken.as_ref()?;
        let open = matches!(self.state, State::Open) && now < spoken.ends_ms;
        open.then_some(spoken.words)
    }

    /// Whether nobody has got what it gives.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Open | State::Asked(_))
    }

    pub(super) fn row(&self, name: InvitationId) -> Item {
        row(RowKind::Invitations, name.as_bytes(), self)
    }
}

impl Node {
    pub(in crate::node) fn share(&mut self, request: &ShareRequest) -> Result<Shared, Failure> {
        let record = self.record_named(&request.record)?;
        let terms = self.terms(record, request)?;
        self.with_record(record, |node, record| node.may_share(record, &terms))?;
        self.invite(Giving::Share(terms), request.confirm, now_ms())
    }

    /// An invitation for another device of this node's owner.
    pub(in crate::node) fn invite_device(&mut self, confirm: bool) -> Result<Shared, Failure> {
        self.own_log_has_room()?;
        self.invite(Giving::Device, confirm, now_ms())
    }

    pub(super) fn invite(
        &mut self,
        gives: Giving,
        confirms: bool,
        now: u64,
    ) -> Result<Shared, Failure> {
        if self.addresses.is_empty() {
            return Err(Failure::new(
                Ending::NotRunning,
                "This node is not running, so nobody could reach it with an invitation.",
                "Start it with kith run --listen ADDRESS, then invite. Nothing was shared.",
            ));
        }
        let mut items = self.past_invitations(now)?;
        let open = self.open_invitations(now)?;
        if open.len() >= INVITATIONS_MAX {
            return Err(Failure::new(
                Ending::Failed,
                "There are too many invitations that nobody has used.",
                "Take some back: kith sharing RECORD lists them, kith stop RECORD ID takes one back. Nothing was shared.",
            ));
        }
        let taken = open.iter().filter_map(|(_, open)| open.words(now));
        let taken: Vec<_> = taken.map(|words| words.name()).collect();
        let words = Words::draw(&mut self.rng, &taken);
        let mut secret = [0; 16];
        self.rng.fill_bytes(&mut secret);
        let link = Invited {
            device: self.device(),
            addresses: self.addresses.clone(),
            secret,
        };
        let (until_ms, [see, add, change]) = match &gives {
            Giving::Share(terms) => (
                Some(terms.until_ms),
                [&terms.see, &terms.add, &terms.change].map(Scopes::to_string),
            ),
            Giving::Device => (None, Default::default()),
        };
        let last_ms = until_ms.unwrap_or(u64::MAX);
        let invitation = Invitation {
            gives,
            ends_ms: (now + LINK_LASTS_MS).min(last_ms),
            password: link.password(),
            spoken: words.map(|words| Spoken {
                words,
                ends_ms: (now + WORDS_LAST_MS).min(last_ms),
            }),
            confirms,
            state: State::Open,
            trouble: None,
        };
        items.push(invitation.row(link.name()));
        self.commit(items)?;
        let spoken = invitation.spoken.as_ref();
        Ok(Shared {
            words: spoken.map(|spoken| spoken.words.to_string()),
            words_end: spoken.map(|spoken| show::time(spoken.ends_ms)),
            link: link.to_string(),
            until: until_ms.map(show::time),
            invitation_ends: show::time(invitation.ends_ms),
            invitation: link.name().to_string(),
            confirm: confirms,
            at: place::typed(&self.addresses),
            from: self.identity.name.clone(),
            kind: self.identity.role,
            see,
            add,
            change,
        })
    }

    /// Whether four words hold that were made here.
    pub fn holds_words(&self, now: u64) -> Result<bool, Failure> {
        let open = self.open_invitations(now)?;
        Ok(open.iter().any(|(_, made)| made.words(now).is_some()))
    }

    /// Every invitation that has not ended.
    pub(super) fn open_invitations(
        &self,
        now: u64,
    ) -> Result<Vec<(InvitationId, Invitation)>, Failure> {
        let rows = read_rows::<Invitation>(&self.store, RowKind::Invitations)?;
        let open = rows.into_iter().filter(|(_, made)| now < made.ends_ms);
        Ok(open
            .filter_map(|(name, made)| {
                let name = <[u8; 32]>::try_from(name).ok()?;
                Some((InvitationId::from_bytes(name), made))
            })
            .collect())
    }

    /// Takes away the rows of invitations that have ended.
    fn past_invitations(&self, now: u64) -> Result<Vec<Item>, Failure> {
        let rows = read_rows::<Invitation>(&self.store, RowKind::Invitations)?;
        let past = rows.into_iter().filter(|(_, made)| now >= made.ends_ms);
        Ok(past.map(|(name, _)| gone(&name)).collect())
    }

    pub(super) fn invitation(
        &self,
        name: InvitationId,
        now: u64,
    ) -> Result<Option<Invitation>, Failure> {
        let made: Option<Invitation> =
            read_row(&self.store, RowKind::Invitations, name.as_bytes())?;
        Ok(made.filter(|made| now < made.ends_ms))
    }

    pub(super) fn invitation_named(
        &self,
        word: &str,
        now: u64,
    ) -> Result<Option<(InvitationId, Invitation)>, Failure> {
        if word.len() < PREFIX_LEN_MIN {
            return Ok(None);
        }
        let word = word.to_lowercase();
        let mut open = self.open_invitations(now)?;
        open.retain(|(name, _)| name.to_string().starts_with(&word));
        Ok(if open.len() == 1 { open.pop() } else { None })
    }

    /// The record that an invitation is about, as its id.
    ///
    /// # Errors
    /// When there is no such invitation to a record.
    pub(crate) fn record_of_invitation(&self, word: &str) -> Result<String, Failure> {
        let found = self.invitation_named(word, now_ms())?;
        let record = found.and_then(|(_, made)| made.record());
        record.map(|record| record.to_string()).ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "There is no such invitation to a record any more.",
                "It was used or has ended. Nothing was changed.",
            )
        })
    }

    /// How an invitation is, for whoever waits at a terminal.
    pub(in crate::node) fn invitation_state(&self, word: &str) -> Result<InvitationState, Failure> {
        let found = self.invitation_named(word, now_ms())?;
        let mut said = InvitationState {
            state: "ended".to_owned(),
            name: None,
            kind: None,
            check_words: None,
            trouble: None,
        };
        let Some((name, made)) = found else {
            return Ok(said);
        };
        said.trouble = made.trouble.map(Trouble::said);
        said.state = match &made.state {
            State::Open => "waiting",
            State::Asked(asking) => {
                said.name = Some(asking.name.clone());
                said.kind = Some(asking.role.clone());
                said.check_words = Some(self.check_words(name, asking).to_string());
                "asked"
            }
            State::Given(device) => {
                said.name = self.peer_of(*device)?.map(|(who, _)| self.name_of(who));
                "joined"
            }
            State::Refused(_) => "declined",
        }
        .to_owned();
        Ok(said)
    }

    /// The invitations to a record that nobody has used, as lines of its shares.
    pub(super) fn waiting_lines(&self, record: RecordId) -> Result<Vec<ShareLine>, Failure> {
        let mut open = self.open_invitations(now_ms())?;
        open.retain(|(_, made)| made.is_waiting() && made.record() == Some(record));
        let line = |(name, made): (InvitationId, Invitation)| {
            let Giving::Share(terms) = &made.gives else {
                return None;
            };
            let who = match &made.state {
                State::Asked(asking) => (asking.principal.to_string(), asking.name.clone()),
                State::Open | State::Given(_) | State::Refused(_) => Default::default(),
            };
            Some(ShareLine {
                id: name.to_string(),
                who: who.0,
                name: who.1,
                see: terms.see.to_string(),
                add: terms.add.to_string(),
                change: terms.change.to_string(),
                until: Some(show::time(terms.until_ms)),
                state: "waiting".to_owned(),
                record: record.to_string(),
                person: self
                    .people
                    .get(&record)
                    .map_or_else(String::new, Known::banner),
                by: self.identity.name.clone(),
                via: Vec::new(),
                side: Side::FromUs,
                from: terms.from_ms.map(show::time),
                share_on: terms.share_on,
                review: terms.review,
                basis: share::said(terms.basis),
            })
        };
        Ok(open.into_iter().filter_map(line).collect())
    }

    /// The invitations for another device that nobody has used.
    pub(in crate::node) fn waiting_devices(&self) -> Result<Vec<WaitingDevice>, Failure> {
        let mut open = self.open_invitations(now_ms())?;
        open.retain(|(_, made)| made.is_waiting() && made.gives == Giving::Device);
        let line = |(name, made): (InvitationId, Invitation)| WaitingDevice {
            id: name.to_string(),
            ends: show::time(made.ends_ms),
        };
        Ok(open.into_iter().map(line).collect())
    }

    /// Takes an invitation for another device back that nobody has used: its id.
    pub(in crate::node) fn take_device_back(
        &mut self,
        word: &str,
    ) -> Result<Option<String>, Failure> {
        let found = self.invitation_named(word, now_ms())?;
        let of_device = |made: &Invitation| made.is_waiting() && made.gives == Giving::Device;
        let Some((name, _)) = found.filter(|(_, made)| of_device(made)) else {
            return Ok(None);
        };
        self.commit(vec![gone(name.as_bytes())])?;
        Ok(Some(name.to_string()))
    }

    /// Takes an invitation to a record back that nobody has used.
    pub(super) fn take_back(
        &mut self,
        record: RecordId,
        word: &str,
    ) -> Result<Option<Stopped>, Failure> {
        let found = self.invitation_named(word, now_ms())?;
        let of_record = |made: &Invitation| made.is_waiting() && made.record() == Some(record);
        let Some((name, _)) = found.filter(|(_, made)| of_record(made)) else {
            return Ok(None);
        };
        self.commit(vec![gone(name.as_bytes())])?;
        Ok(Some(Stopped {
            share: name.to_string(),
            name: String::new(),
            note: "The invitation is taken back: neither its words nor its link work any more. Nobody had used it.".to_owned(),
        }))
    }
}

/// An invitation that is no more.
pub(super) fn gone(name: &[u8]) -> Item {
    Item::Row {
        key: RowKind::Invitations.key(name),
        value: None,
    }
}
