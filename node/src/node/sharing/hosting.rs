//! The inviting side: who may come through which door, what they are offered, what they get.

use kith_protocol::{
    id::DeviceId,
    identity::agreed_to_act_for,
    limits::{WORD_ATTEMPTS_EVERY_MS, WORD_ATTEMPTS_MAX},
    logs::PrincipalAct,
    record::event_item,
};
use rand_core::Rng;
use serde_bytes::ByteBuf;

use super::{
    invitation::{Asking, Giving, Invitation, State, Trouble},
    link::InvitationId,
};
use crate::{
    failure::Failure,
    node::{Node, guest::Guest},
    pairing::{
        message::{Answer, Door, Gives, Knock, Offer, Outcome, PAIR_VERSION, Refusal},
        words::Words,
    },
};

/// What the host's half of the key is made with.
pub enum Opening {
    /// A secret; of an invitation, or of none: whoever knocks cannot tell.
    Half {
        /// The invitation.
        invitation: Option<InvitationId>,
        /// What the guest has to know.
        password: Vec<u8>,
    },
    /// Not through this door.
    No(Refusal),
}

impl Node {
    /// Somebody knocks, who may be anyone.
    pub fn knocked(
        &mut self,
        device: DeviceId,
        knock: &Knock,
        now: u64,
    ) -> Result<Opening, Failure> {
        if knock.version != PAIR_VERSION {
            return Ok(Opening::No(Refusal::Version));
        }
        match knock.door {
            Door::Words(first) => {
                if !self.may_try_words(now) {
                    return Ok(Opening::No(Refusal::Later));
                }
                let mut open = self.open_invitations(now)?.into_iter();
                let found = open.find_map(|(name, made)| {
                    let words = made.words(now)?;
                    (words.name() == first).then(|| (name, words.password()))
                });
                let mut nothing = [0; 6];
                self.rng.fill_bytes(&mut nothing);
                let (invitation, password) = match found {
                    Some((name, password)) => (Some(name), password),
                    None => (None, nothing.to_vec()),
                };
                Ok(Opening::Half {
                    invitation,
                    password,
                })
            }
            Door::Link(name) => {
                let name = InvitationId::from_bytes(name);
                let Some(made) = self.invitation(name, now)? else {
                    return Ok(Opening::No(Refusal::NotOpen));
                };
                Ok(match made.is_for(device) {
                    Some(refusal) => Opening::No(refusal),
                    None => Opening::Half {
                        invitation: Some(name),
                        password: made.password.to_vec(),
                    },
                })
            }
        }
    }

    /// Whether one more may try words now: guessing is slow, whoever guesses.
    fn may_try_words(&mut self, now: u64) -> bool {
        let since = now.saturating_sub(WORD_ATTEMPTS_EVERY_MS);
        self.word_attempts.retain(|at| *at > since && *at <= now);
        let may = self.word_attempts.len() < WORD_ATTEMPTS_MAX;
        if may {
            self.word_attempts.push(now);
        }
        may
    }

    /// The guest has said its proof. Words end with it, whatever it is.
    pub fn proved(
        &mut self,
        name: Option<InvitationId>,
        door: Door,
        holds: bool,
        now: u64,
    ) -> Result<Option<Refusal>, Failure> {
        let made = match name {
            Some(name) => self.invitation(name, now)?.map(|made| (name, made)),
            None => None,
        };
        match door {
            Door::Words(_) => {
                let Some((name, mut made)) = made.filter(|(_, made)| made.words(now).is_some())
                else {
                    return Ok(Some(Refusal::NotMatched));
                };
                made.spoken = None;
                made.trouble = (!holds).then_some(Trouble::WrongWords(now));
                self.commit(vec![made.row(name)])?;
                Ok((!holds).then_some(Refusal::NotMatched))
            }
            Door::Link(_) if made.is_none() => Ok(Some(Refusal::NotOpen)),
            Door::Link(_) => Ok((!holds).then_some(Refusal::NotOpen)),
        }
    }

    /// What is offered to whoever has proved that they were invited.
    pub fn offer(&self, name: InvitationId, door: Door, now: u64) -> Result<Offer, Refused> {
        let made = self.invitation(name, now)?.ok_or(Refusal::NotOpen)?;
        let (gives, until_ms) = match &made.gives {
            Giving::Share(terms) => (
                Gives::Share {
                    see: terms.see.to_string(),
                    add: terms.add.to_string(),
                    change: terms.change.to_string(),
                },
                Some(terms.until_ms),
            ),
            Giving::Device => (
                Gives::Device {
                    parent: self.identity.adding_key().device(),
                },
                None,
            ),
        };
        Ok(Offer {
            card: ByteBuf::from(self.identity.name_card()),
            log: self.own_log()?,
            addresses: self.addresses.clone(),
            gives,
            until_ms,
            waits: made.waits_at(door),
        })
    }

    /// The guest has answered the offer.
    pub fn answered(
        &mut self,
        (name, door): (InvitationId, Door),
        device: DeviceId,
        answer: Answer,
        now: u64,
    ) -> Result<Outcome, Failure> {
        let Some(mut made) = self.invitation(name, now)? else {
            return Ok(Outcome::No(Refusal::NotOpen));
        };
        if let Some(refusal) = made.is_for(device) {
            return Ok(Outcome::No(refusal));
        }
        if answer == Answer::Declined {
            if made.is_waiting() {
                made.state = State::Open;
                made.trouble = Some(Trouble::Declined(now));
                self.commit(vec![made.row(name)])?;
            }
            return Ok(Outcome::No(Refusal::Declined));
        }
        let asking = match self.asking(&made, device, answer) {
            Ok(asking) => asking,
            Err(refusal) => return Ok(Outcome::No(refusal)),
        };
        if matches!(made.state, State::Given(_)) {
            return self.given(&made, device);
        }
        if !made.waits_at(door) {
            return self.give(name, made, &asking, now);
        }
        made.state = State::Asked(Box::new(asking));
        self.commit(vec![made.row(name)])?;
        Ok(Outcome::Waits)
    }

    /// Who wants what an invitation gives, checked.
    fn asking(
        &self,
        made: &Invitation,
        device: DeviceId,
        answer: Answer,
    ) -> Result<Asking, Refusal> {
        let asking = match (&made.gives, &answer) {
            (Giving::Share(_), Answer::Share { card, log, .. }) => {
                let guest = Guest::check(device, card, log).ok_or(Refusal::NotChecked)?;
                Asking {
                    device,
                    principal: guest.principal(),
                    name: guest.card.name,
                    role: guest.card.role,
                    answer,
                }
            }
            (Giving::Device, Answer::Device { proof }) => {
                let owner = self.identity.principal;
                let parent = self.identity.adding_key().device();
                if !agreed_to_act_for(owner, device, parent, proof) {
                    return Err(Refusal::NotChecked);
                }
                Asking {
                    device,
                    principal: owner,
                    name: "a new device of yours".to_owned(),
                    role: device.to_string()[..12].to_owned(),
                    answer,
                }
            }
            (Giving::Share(_), Answer::Device { .. } | Answer::Declined)
            | (Giving::Device, Answer::Share { .. } | Answer::Declined) => {
                return Err(Refusal::Misspoke);
            }
        };
        Ok(asking)
    }

    /// Gives what the invitation is for; its other door ends with it.
    pub(super) fn give(
        &mut self,
        name: InvitationId,
        mut made: Invitation,
        asking: &Asking,
        now: u64,
    ) -> Result<Outcome, Failure> {
        made.state = State::Given(asking.device);
        made.spoken = None;
        made.trouble = None;
        let row = made.row(name);
        match (&made.gives, &asking.answer) {
            (
                Giving::Share(terms),
                Answer::Share {
                    card,
                    log,
                    addresses,
                },
            ) => {
                let Some(guest) = Guest::check(asking.device, card, log) else {
                    return Ok(Outcome::No(Refusal::NotChecked));
                };
                // Committed while the record is out: a failed write leaves no grant in memory.
                self.with_record(terms.record, |node, loaded| {
                    let mut items = node.grant(loaded, (guest.principal(), &guest.log), terms)?;
                    items.extend(guest.log.iter().map(event_item));
                    items.extend(node.introduce(loaded, guest.name_card())?);
                    items.push(row);
                    items.extend(node.note_peer(guest.principal(), |known| {
                        guest.peer(known, addresses.clone(), Some(terms.record))
                    })?);
                    node.commit(items)
                })?;
            }
            (Giving::Device, Answer::Device { proof }) => {
                let add = PrincipalAct::DeviceAdd {
                    device: asking.device,
                    proof: proof.to_vec(),
                };
                let added = self.sign_own(now, add)?;
                self.commit(vec![event_item(&added), row])?;
            }
            (Giving::Share(_), Answer::Device { .. } | Answer::Declined)
            | (Giving::Device, Answer::Share { .. } | Answer::Declined) => {
                return Ok(Outcome::No(Refusal::Misspoke));
            }
        }
        self.given(&made, asking.device)
    }

    /// What somebody is told who has got what an invitation gives.
    fn given(&self, made: &Invitation, device: DeviceId) -> Result<Outcome, Failure> {
        Ok(match &made.gives {
            Giving::Share(terms) => Outcome::Shared {
                record: terms.record,
            },
            // One that was retired meanwhile gets no keys.
            Giving::Device if !self.is_own_device(device)? => Outcome::No(Refusal::NotOpen),
            Giving::Device => Outcome::Added(Box::new(self.added()?)),
        })
    }

    /// What became of somebody who waits; nothing while nobody has decided.
    pub fn decided(
        &self,
        name: InvitationId,
        device: DeviceId,
        now: u64,
    ) -> Result<Option<Outcome>, Failure> {
        let Some(made) = self.invitation(name, now)? else {
            return Ok(Some(Outcome::No(Refusal::NotOpen)));
        };
        if let Some(refusal) = made.is_for(device) {
            return Ok(Some(Outcome::No(refusal)));
        }
        Ok(match &made.state {
            State::Given(_) => Some(self.given(&made, device)?),
            State::Asked(_) => None,
            State::Open | State::Refused(_) => Some(Outcome::No(Refusal::Declined)),
        })
    }

    /// What both sides compare: made of both devices, both principals and the invitation.
    pub(super) fn check_words(&self, name: InvitationId, asking: &Asking) -> Words {
        check_words(
            (asking.device, self.device()),
            (asking.principal, self.identity.principal),
            name,
        )
    }
}

/// Why there is no offer: a word for the guest, or a fault of this node.
pub enum Refused {
    /// Not through this door.
    No(Refusal),
    /// This node could not.
    Failed(Failure),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::No(refusal)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Invitation {
    /// Why a device may not come with this invitation; nothing when it may.
    fn is_for(&self, device: DeviceId) -> Option<Refusal> {
        match &self.state {
            State::Open => None,
            // The owner's own new machine may have been begun anew.
            State::Asked(_) if self.gives == Giving::Device => None,
            State::Asked(asking) => (asking.device != device).then_some(Refusal::Used),
            State::Given(by) => (*by != device).then_some(Refusal::Used),
            State::Refused(by) if *by == device => Some(Refusal::Declined),
            State::Refused(_) => Some(Refusal::NotOpen),
        }
    }

    /// Whether a person confirms before anything is given: words were proved, a link was only had.
    fn waits_at(&self, door: Door) -> bool {
        match door {
            Door::Words(_) => false,
            Door::Link(_) => self.confirms && !matches!(self.state, State::Given(_)),
        }
    }
}

/// What two people compare who paired by a link.
pub(super) fn check_words(
    (guest, host): (DeviceId, DeviceId),
    (of_guest, of_host): (
        kith_protocol::id::PrincipalId,
        kith_protocol::id::PrincipalId,
    ),
    name: InvitationId,
) -> Words {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 pairing check words");
    hasher.update(guest.as_bytes());
    hasher.update(host.as_bytes());
    hasher.update(of_guest.as_bytes());
    hasher.update(of_host.as_bytes());
    hasher.update(name.as_bytes());
    Words::of_hash(hasher.finalize().as_bytes())
}
