//! Who is who: the name cards of those who share a record, kept in its circle, so that whoever sees
//! the circle can call an author by a name although the two never met.
//!
//! A card proves nothing. It is used only where its owner's own log says that the device which
//! signed it is theirs, so that nobody can name somebody else.

use std::collections::BTreeSet;

use kith_crdt::{Body, DocumentId, Edit, Label, Meta, Resource, Section};
use kith_protocol::{
    consent::devices,
    id::{DeviceId, PrincipalId},
    identity::NameCard,
    record::Record,
    store::Item,
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row, row},
    import, now_ms,
    peers::Peer,
};
use crate::failure::Failure;

/// What kith itself keeps in a circle: a name card.
const CARD_KIND: &str = "kith:card";

/// Cards that are known to stand in a row: the same few come with every record.
const NOTED_CARDS_MAX: usize = 256;

/// A card as it stands in a circle, and in a row of this node's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Card {
    /// The device that signed it, in hexadecimal digits.
    device: String,
    /// The signed card, in Base64.
    card: String,
}

impl Card {
    pub(super) fn new(device: DeviceId, signed: &[u8]) -> Self {
        Self {
            device: device.to_string(),
            card: data_encoding::BASE64.encode(signed),
        }
    }

    fn read(&self) -> Option<NameCard> {
        let signed = data_encoding::BASE64.decode(self.card.as_bytes()).ok()?;
        NameCard::verify(&signed, DeviceId::from_hex(&self.device)?).ok()
    }
}

impl Node {
    /// Writes the cards that a record's circle lacks of this node's owner and of `guest`; nothing
    /// where this node may not write there.
    pub(super) fn introduce(
        &mut self,
        record: &mut Record,
        guest: Card,
    ) -> Result<Vec<Item>, Failure> {
        let document = circle();
        let known: BTreeSet<_> = self
            .read_circle(record)
            .iter()
            .filter_map(Card::read)
            .map(|card| card.principal)
            .collect();
        let own = Card::new(self.device(), &self.identity.name_card());
        let now = now_ms();
        let cards = [own, guest].into_iter().filter(|card| {
            let read = card.read();
            read.is_some_and(|card| !known.contains(&card.principal))
        });
        let edits: Vec<_> = (0..)
            .zip(cards)
            .map(|(n, card)| create(&card, (now, n)))
            .collect();
        let mut items = Vec::new();
        if edits.is_empty() {
            return Ok(items);
        }
        let mut rng = self.rng.clone();
        let edits = [(document, edits)].into();
        match import::write_all(record, &self.pen(now), edits, &mut items, &mut rng) {
            Ok(_) => self.rng = rng,
            // Whoever shares on may have no right to write into the circle: names are a courtesy.
            Err(failure) => {
                tracing::debug!(what = failure.what, "nobody is introduced");
                items.clear();
            }
        }
        Ok(items)
    }

    /// Notes the names that what is taken into a record's circle tells.
    pub(super) fn note_names(&mut self, record: &mut Record, items: &[Item]) -> Vec<Item> {
        let mut noted = Vec::new();
        for card in self.new_cards(record, items) {
            if self.noted_cards.contains(&card) {
                continue;
            }
            let Some(read) = card.read() else {
                continue;
            };
            match self.card_of(read.principal) {
                Some(known) if known == card => {
                    if self.noted_cards.len() >= NOTED_CARDS_MAX {
                        self.noted_cards.clear();
                    }
                    self.noted_cards.insert(card);
                }
                Some(_) if !self.is_theirs(&read) => {}
                Some(_) | None => {
                    noted.push(row(RowKind::Cards, read.principal.as_bytes(), &card));
                }
            }
        }
        noted
    }

    /// The cards that entries bring into a circle, without opening it where they only add.
    fn new_cards(&self, record: &mut Record, items: &[Item]) -> Vec<Card> {
        let mut cards = Vec::new();
        for item in items {
            let Item::Entry { document, id, .. } = item else {
                continue;
            };
            if document.section != Section::Circle {
                continue;
            }
            let Some(made) = record.creations(id) else {
                return self.read_circle(record);
            };
            cards.extend(made.iter().filter_map(|one| card(&one.meta, &one.body(0))));
        }
        cards
    }

    /// Whether the device that signed a card is one of its owner's, as far as is known here.
    fn is_theirs(&self, card: &NameCard) -> bool {
        let log = self.log_of(card.principal);
        log.is_ok_and(|log| devices::certifies(&log, card.principal, card.device))
    }

    /// What somebody calls themselves in a circle.
    pub(super) fn name_in_circles(&self, principal: PrincipalId) -> Option<String> {
        let card = self.card_of(principal)?.read()?;
        (card.principal == principal && self.is_theirs(&card)).then_some(card.name)
    }

    /// Whether somebody is an app: its own card says so.
    pub(super) fn is_app(&self, principal: PrincipalId) -> bool {
        let card = self.card_of(principal).and_then(|card| card.read());
        card.is_some_and(|card| card.principal == principal && card.role == "app")
    }

    /// The card of somebody whose node was met.
    pub(super) fn card_of_known(&self, principal: PrincipalId) -> Result<Option<Card>, Failure> {
        let known: Option<Peer> = read_row(&self.store, RowKind::Peers, principal.as_bytes())?;
        Ok(known.map(|peer| Card::new(peer.device, &peer.card)))
    }

    fn card_of(&self, principal: PrincipalId) -> Option<Card> {
        read_row(&self.store, RowKind::Cards, principal.as_bytes())
            .ok()
            .flatten()
    }

    fn read_circle(&self, record: &mut Record) -> Vec<Card> {
        let documents = record.ledger().documents();
        documents
            .iter()
            .filter(|document| document.section == Section::Circle)
            .flat_map(|document| self.read_document(record, document))
            .filter_map(|placed| card(&placed.held.meta, &placed.held.body(0)))
            .collect()
    }
}

fn circle() -> DocumentId {
    DocumentId::first(Section::Circle, Label::general())
}

fn card(meta: &Meta, body: &Body) -> Option<Card> {
    let is_card = meta.kind == CARD_KIND && meta.made_here;
    serde_json::from_str(&is_card.then(|| body.to_text())?).ok()
}

fn create(card: &Card, batch: (u64, u32)) -> Edit {
    let text = serde_json::json!({"device": card.device, "card": card.card}).to_string();
    Edit::Create(Resource {
        meta: Meta {
            kind: CARD_KIND.to_owned(),
            batch,
            made_here: true,
            ..Meta::default()
        },
        body: Body::whole(text),
    })
}
