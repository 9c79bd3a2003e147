//! The invited side: who offers what, taking it, and waiting for the other side to confirm.

use kith_protocol::{
    id::{DeviceId, PrincipalId, RecordId},
    limits::LINK_LASTS_MS,
    record::event_item,
    store::Item,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    hosting::Refused,
    link::{InvitationId, Invited},
};
use crate::{
    api::{Joined, Offered},
    failure::{Ending, Failure},
    node::{
        Node,
        guest::Guest,
        identity::{RowKind, read_rows, row},
        now_ms, show,
    },
    pairing::message::{Answer, Door, Gives, Offer, Outcome, Refusal},
};

/// An invitation that this node accepted, and that the other side has to confirm.
#[derive(Clone, Serialize, Deserialize)]
struct Joining {
    invited: Invited,
    offer: Offer,
    check_words: String,
    ends_ms: u64,
}

/// What an offer says, once whoever makes it was checked against the device that speaks.
pub fn offered(host: DeviceId, offer: &Offer) -> Result<Offered, Failure> {
    let from = Guest::check(host, &offer.card, &offer.log).ok_or_else(not_checked)?;
    let ([see, add, change], device) = match &offer.gives {
        Gives::Share { see, add, change } => ([see, add, change].map(String::clone), false),
        Gives::Device { .. } => (Default::default(), true),
    };
    Ok(Offered {
        from: from.card.name,
        kind: from.card.role,
        see,
        add,
        change,
        until: offer.until_ms.map(show::time),
        device,
    })
}

/// Whose device makes an offer.
pub fn owner_of(host: DeviceId, offer: &Offer) -> Result<PrincipalId, Failure> {
    let from = Guest::check(host, &offer.card, &offer.log).ok_or_else(not_checked)?;
    Ok(from.principal())
}

impl Node {
    /// What this node says when its owner takes an offer.
    pub fn accepts(&self, offer: &Offer) -> Result<Answer, Failure> {
        match &offer.gives {
            Gives::Share { .. } => Ok(Answer::Share {
                card: ByteBuf::from(self.identity.name_card()),
                log: self.own_log()?,
                addresses: self.addresses.clone(),
            }),
            Gives::Device { .. } => Err(Failure::new(
                Ending::Usage,
                "That invitation makes a new device, and there is a node in this folder already.",
                "Join from a folder without a node: kith --home DIR join …. The invitation can still be used; nothing was changed.",
            )),
        }
    }

    /// The share was given: notes the record and whoever shares it.
    pub fn joined(
        &mut self,
        host: DeviceId,
        mut addresses: Vec<String>,
        offer: &Offer,
        record: RecordId,
        link: Option<InvitationId>,
    ) -> Result<Joined, Failure> {
        let said = offered(host, offer)?;
        let from = Guest::check(host, &offer.card, &offer.log).ok_or_else(not_checked)?;
        addresses.extend(offer.addresses.iter().cloned());
        let mut seen = std::collections::BTreeSet::new();
        addresses.retain(|address| seen.insert(address.clone()));
        let mut items: Vec<_> = from.log.iter().map(event_item).collect();
        items.extend(self.note_peer(from.principal(), |known| {
            from.peer(known, addresses, Some(record))
        })?);
        items.extend(link.map(no_longer));
        self.commit(items)?;
        Ok(Joined {
            record: Some(record.to_string()),
            from: said.from,
            see: said.see,
            add: said.add,
            change: said.change,
            until: said.until,
            recovery: None,
        })
    }

    /// The other side confirms first: this node asks again until it has. What both compare.
    pub fn waits(&mut self, invited: &Invited, offer: &Offer) -> Result<String, Failure> {
        let from = Guest::check(invited.device, &offer.card, &offer.log).ok_or_else(not_checked)?;
        let check_words = invited.check_words(
            (self.device(), invited.device),
            (self.identity.principal, from.principal()),
        );
        let joining = Joining {
            invited: invited.clone(),
            offer: offer.clone(),
            check_words,
            ends_ms: now_ms() + LINK_LASTS_MS,
        };
        let name = invited.name();
        self.commit(vec![row(RowKind::Joining, name.as_bytes(), &joining)])?;
        Ok(joining.check_words)
    }

    /// Invitations that were accepted here and that the other side has not confirmed.
    pub fn joinings(&mut self) -> Result<Vec<(Invited, Offer)>, Failure> {
        let now = now_ms();
        let rows = read_rows::<Joining>(&self.store, RowKind::Joining)?;
        let open = rows
            .into_iter()
            .filter(|(_, joining)| now < joining.ends_ms);
        Ok(open
            .map(|(_, joining)| (joining.invited, joining.offer))
            .collect())
    }

    /// The other side has said no, or the invitation has ended.
    pub fn not_joined(&mut self, invited: &Invited) -> Result<(), Failure> {
        self.commit(vec![no_longer(invited.name())])
    }

    /// For whom this node waits, in words.
    pub(in crate::node) fn waiting_for(&self) -> Result<Vec<String>, Failure> {
        let now = now_ms();
        let rows = read_rows::<Joining>(&self.store, RowKind::Joining)?;
        let open = rows
            .into_iter()
            .filter(|(_, joining)| now < joining.ends_ms);
        let said = open.filter_map(|(_, joining)| {
            let from = offered(joining.invited.device, &joining.offer).ok()?.from;
            Some(format!(
                "{from} has to confirm that you join. Check words: {}. It comes by itself while this node runs.",
                joining.check_words
            ))
        });
        Ok(said.collect())
    }
}

/// Has two nodes meet that are in one process: what they say over a stream once the guest has
/// proved that it has the link.
pub fn meet(host: &mut Node, guest: &mut Node, link: &str) -> Result<Joined, Failure> {
    let invited: Invited = link.parse()?;
    let (name, now) = (invited.name(), now_ms());
    let door = Door::Link(*name.as_bytes());
    let offer = host.offer(name, door, now).map_err(|why| match why {
        Refused::No(refusal) => refused(refusal),
        Refused::Failed(failure) => failure,
    })?;
    let answer = guest.accepts(&offer)?;
    match host.answered((name, door), guest.device(), answer, now)? {
        Outcome::Shared { record } => {
            guest.joined(host.device(), invited.addresses, &offer, record, None)
        }
        Outcome::No(refusal) => Err(refused(refusal)),
        Outcome::Added(_) | Outcome::Waits => Err(refused(Refusal::Misspoke)),
    }
}

fn no_longer(name: InvitationId) -> Item {
    Item::Row {
        key: RowKind::Joining.key(name.as_bytes()),
        value: None,
    }
}

fn not_checked() -> Failure {
    Failure::new(
        Ending::NotAllowed,
        "Whoever answered could not be checked.",
        "Ask for a new invitation. Nothing was changed.",
    )
}

/// Why there is nothing to join, in words.
pub fn refused(why: Refusal) -> Failure {
    let (ending, what, remedy) = match why {
        Refusal::NotOpen => (
            Ending::NotAllowed,
            "This invitation was used already, has ended, or was never made there.",
            "Ask whoever invited you for a new one. Nothing was changed.",
        ),
        Refusal::NotMatched => (
            Ending::NotAllowed,
            "The words did not match. Words work for one attempt only, so these have ended now.",
            "Ask for new ones, or for the link of the invitation, which still works. Nothing was changed.",
        ),
        Refusal::Later => (
            Ending::TryAgain,
            "Too many have tried to join there in the last minute, so the words were not tried.",
            "Wait a minute and try again: they still hold. Nothing was changed.",
        ),
        Refusal::Used => (
            Ending::NotAllowed,
            "Somebody else has used this invitation.",
            "If that was not you on another device, tell whoever invited you at once, and ask for a new one. Nothing was changed.",
        ),
        Refusal::Version => (
            Ending::NewerVersion,
            "The other node speaks another version of kith.",
            "Bring both to the same version, then try again. Nothing was changed.",
        ),
        Refusal::Declined => (
            Ending::NotAllowed,
            "The other side did not confirm that it is you.",
            "Ask them, and for a new invitation. Nothing was changed.",
        ),
        Refusal::NotChecked => (
            Ending::NotAllowed,
            "The other node could not check who you are.",
            "Both sides may need the same version of kith. Nothing was changed.",
        ),
        Refusal::Misspoke => (
            Ending::Failed,
            "The other node did not understand the answer.",
            "Both sides may need the same version of kith. Nothing was changed.",
        ),
    };
    Failure::new(ending, what, remedy)
}
