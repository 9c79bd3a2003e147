//! Household and support links of a record: offered, answered, taken in, ended (decision 0110).
//!
//! Each word stands in the circle of the record as a thing of its own, with the signature of
//! whoever said it: nothing is ever changed, and what stands follows from the words alone.

mod paper;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kith_crdt::{Body, DocumentId, Edit, Label, Meta, Resource, Section};
use kith_protocol::{
    audit::How,
    household::{Bond, Link, Said, Side, SignedWord, Word, links},
    id::{PrincipalId, RecordId},
    record::Record,
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row, row},
    import, now_ms, show,
};
use crate::{
    api::{HouseholdAct, HouseholdAsk, HouseholdLine, HouseholdShown, HouseholdState},
    failure::{Ending, Failure},
    words::capital,
};
use paper::Paper;

/// What kith itself keeps in a circle: one side's word on a link.
const KIND: &str = "kith:household";

/// Links of a record, ended ones too: a household is small, and a carer's list is not long.
const LINKS_MAX: usize = 100;

/// On which side of a link a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum At {
    /// It was offered for this record.
    Offered,
    /// It was accepted for this record.
    Answered,
}

impl At {
    const fn other(self) -> Self {
        match self {
            Self::Offered => Self::Answered,
            Self::Answered => Self::Offered,
        }
    }
}

/// What was done with a link.
#[derive(Default)]
struct Done {
    /// What goes to the other side.
    text: Option<String>,
    is_offer: bool,
    note: Option<String>,
}

impl Done {
    fn only(note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..Self::default()
        }
    }

    fn with(text: String, note: impl Into<String>) -> Self {
        Self {
            text: Some(text),
            ..Self::only(note)
        }
    }
}

/// A word as it stands in a circle.
#[derive(Deserialize)]
struct Kept {
    side: At,
    /// What goes from hand to hand.
    text: String,
}

/// A link of a record.
struct Known {
    side: At,
    link: Link,
    offer: [u8; 32],
    /// What this side said last, as the other side is given it.
    give: Option<String>,
}

impl Node {
    pub(super) fn household(&mut self, asked: &HouseholdAsk) -> Result<HouseholdShown, Failure> {
        let id = self.record_named(&asked.record)?;
        let done = match &asked.act {
            HouseholdAct::Show => Done::default(),
            HouseholdAct::Offer {
                bond,
                to,
                name,
                reach,
            } => {
                let said = Said::Offer {
                    bond: *bond,
                    own: self.side_of(id, name.as_deref(), reach.as_deref())?,
                    other: short(to)?,
                };
                self.offer_household(id, said, to)?
            }
            HouseholdAct::Answer { text, name, reach } => {
                let own = self.side_of(id, name.as_deref(), reach.as_deref())?;
                self.answer_offer(id, text, own)?
            }
            HouseholdAct::TakeIn { text } => self.take_in_word(id, text)?,
            HouseholdAct::End { link } => self.end_link(id, link)?,
        };
        let links = self.with_record(id, |node, record| {
            node.disclose_part(record, &[Section::Circle], How::Show)?;
            Ok(node.household_lines(record))
        })?;
        Ok(HouseholdShown {
            record: id.to_string(),
            links,
            text: done.text,
            is_offer: done.is_offer,
            note: done.note,
        })
    }

    /// The links of a record, those that stand first.
    fn household_lines(&self, record: &mut Record) -> Vec<HouseholdLine> {
        let known = self.known_links(record);
        let mut lines: Vec<_> = known.iter().map(|known| self.line_of(known)).collect();
        lines.sort_by_key(|line| (line.state as u8, line.name.clone(), line.link.clone()));
        lines
    }

    fn offer_household(&mut self, id: RecordId, said: Said, to: &str) -> Result<Done, Failure> {
        let mut link = [0; 16];
        self.rng.fill_bytes(&mut link);
        let offer = self.signed_word(link, said)?;
        self.keep_words(id, At::Offered, &[&offer])?;
        let note = format!(
            "Offered. Give this text to whoever looks after {to}'s record; what they give you in return goes to kith household take-in. Until then this record alone speaks of it, as not answered yet."
        );
        Ok(Done::with(offer.text, note))
    }

    /// Accepts an offer for a record.
    fn answer_offer(&mut self, id: RecordId, text: &str, own: Side) -> Result<Done, Failure> {
        let offer = Paper::parse(text)?;
        let Said::Offer { .. } = &offer.word.said else {
            return Err(Failure::new(
                Ending::Usage,
                "That text is not an offer.",
                "An answer, and that a link is ended, goes to kith household take-in. Nothing was changed.",
            ));
        };
        let link = offer.word.link;
        if self.known_link(id, link)?.is_some() {
            return Err(Failure::new(
                Ending::Usage,
                "This record has that link already.",
                "An offer is answered for the other person's record; kith household show RECORD lists the links of this one. Nothing was changed.",
            ));
        }
        let said = Said::Answer {
            offer: offer.digest,
            own,
        };
        let answer = self.signed_word(link, said)?;
        self.keep_words(id, At::Answered, &[&offer, &answer])?;
        if let Some(other) = self.other_here(link, At::Offered)? {
            self.keep_words(other, At::Offered, &[&answer])?;
            return Ok(Done::only(
                "Accepted. Both records are here, and both say so now.",
            ));
        }
        Ok(Done::with(
            answer.text,
            "Accepted, and this record says so. Give this text to whoever offered it: with it, and kith household take-in, the other record says so too.",
        ))
    }

    /// Reads what the other side gave: an offer is told, the rest is taken in.
    fn take_in_word(&mut self, id: RecordId, text: &str) -> Result<Done, Failure> {
        let paper = Paper::parse(text)?;
        if let Said::Offer { bond, own, other } = &paper.word.said {
            return Ok(Done {
                is_offer: true,
                ..Done::only(self.household_offer_told(paper.word.by, (*bond, own, other)))
            });
        }
        let Some(known) = self.known_link(id, paper.word.link)? else {
            return Err(Failure::new(
                Ending::NotUnderstood,
                "That is about a link that this record does not have.",
                "Check that it is the right record. Nothing was changed.",
            ));
        };
        match &paper.word.said {
            Said::Answer { offer, .. } if *offer != known.offer || known.side != At::Offered => {
                Err(paper::not_understood())
            }
            Said::Answer { .. } if known.link.answered.is_some() => Ok(Done::only(
                "An answer is here already. Nothing was changed.",
            )),
            Said::Answer { own, .. } => {
                self.keep_words(id, known.side, &[&paper])?;
                Ok(Done::only(format!(
                    "{} agreed, and this record says so now.",
                    own.name
                )))
            }
            Said::Offer { .. } | Said::End if !is_other_side(&known, paper.word.by) => {
                Err(Failure::new(
                    Ending::NotAllowed,
                    "That is signed by somebody who is neither side of this link.",
                    "Where it is over all the same, end it from here: kith household end. Nothing was changed.",
                ))
            }
            Said::Offer { .. } | Said::End => {
                if known.link.ended.is_none() {
                    self.keep_words(id, known.side, &[&paper])?;
                }
                Ok(Done::only(
                    "The link is ended, and this record says so. What was said before stays in its history.",
                ))
            }
        }
    }

    /// What somebody offers, in words for whoever decides.
    fn household_offer_told(
        &self,
        by: PrincipalId,
        (bond, own, other): (Bond, &Side, &str),
    ) -> String {
        let reach = own.reach.as_ref().map_or_else(String::new, |reach| {
            format!(" They are reached so: {reach}.")
        });
        format!(
            "{} offers that two records say of each other: {} {} the person of this record, whom they call {other}.{reach} If you accept, each record says so, with the name and the way to reach them that each side gave. Nothing else of one goes into the other.",
            self.household_signer(by),
            own.name,
            words_of(bond),
        )
    }

    fn known_link(&mut self, id: RecordId, link: [u8; 16]) -> Result<Option<Known>, Failure> {
        self.with_record(id, |node, record| {
            let mut known = node.known_links(record).into_iter();
            Ok(known.find(|known| known.link.link == link))
        })
    }

    fn end_link(&mut self, id: RecordId, word: &str) -> Result<Done, Failure> {
        let mut fitting = self.with_record(id, |node, record| {
            let known = node.known_links(record).into_iter();
            let fits = |known: &Known| {
                let line = node.line_of(known);
                known.link.ended.is_none()
                    && (line.link.starts_with(word) || line.name.eq_ignore_ascii_case(word.trim()))
            };
            Ok(known.filter(fits).collect::<Vec<_>>())
        })?;
        let Some(known) = fitting.pop().filter(|_| fitting.is_empty()) else {
            return Err(Failure::new(
                Ending::Usage,
                "That names no link of this record that stands, or more than one.",
                "kith household show RECORD lists them; give the beginning of a link's name. Nothing was changed.",
            ));
        };
        let link = known.link.link;
        let end = self.signed_word(link, Said::End)?;
        self.keep_words(id, known.side, &[&end])?;
        let other = known.side.other();
        if let Some(there) = self.other_here(link, other)? {
            self.keep_words(there, other, &[&end])?;
            return Ok(Done::only(
                "Ended. Both records are here, and both say so now.",
            ));
        }
        if known.link.answered.is_none() {
            return Ok(Done::only(
                "Taken back. Whoever has the text of the offer could still accept it for their own record; this one will not say so.",
            ));
        }
        Ok(Done::with(
            end.text,
            "Ended, and this record says so. The other one does when its side has taken in this text (kith household take-in): give it to them. kith cannot take back what they have.",
        ))
    }

    /// A word, signed for this node's owner.
    fn signed_word(&self, link: [u8; 16], said: Said) -> Result<Paper, Failure> {
        let log = self.principal_log()?;
        let word = Word::new(link, self.identity.principal, now_ms(), said);
        Paper::sign(&self.identity, word, &log)
    }

    /// Writes words on one link into the circle of a record that this node's owner controls, all or
    /// none.
    fn keep_words(&mut self, id: RecordId, side: At, papers: &[&Paper]) -> Result<(), Failure> {
        self.with_record(id, |node, record| {
            if !node.controls(record) {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    "This record is controlled elsewhere, so what it says of a household is not changed from here.",
                    "Ask whoever controls it: kith record control RECORD says who. Nothing was changed.",
                ));
            }
            let begins = papers.iter().any(|paper| matches!(paper.word.said, Said::Offer { .. }));
            if begins && node.known_links(record).len() >= LINKS_MAX {
                return Err(Failure::new(
                    Ending::Failed,
                    format!("This record has {LINKS_MAX} links, which is all that fits."),
                    "Those that are there can still be answered and ended. Nothing was changed.",
                ));
            }
            node.write_words(record, side, papers)
        })
    }

    fn write_words(
        &mut self,
        record: &mut Record,
        side: At,
        papers: &[&Paper],
    ) -> Result<(), Failure> {
        let now = now_ms();
        let places = papers.iter().map(|paper| {
            row(
                RowKind::Household,
                &name_of(paper.word.link, side),
                &record.id(),
            )
        });
        let mut items: Vec<_> = places.collect();
        let edits = (0..)
            .zip(papers)
            .map(|(n, paper)| create(side, paper, (now, n)));
        let document = DocumentId::first(Section::Circle, Label::general());
        let edits = [(document, edits.collect())].into();
        let mut rng = self.rng.clone();
        import::write_all(record, &self.pen(now), edits, &mut items, &mut rng)?;
        self.rng = rng;
        self.commit(items)
    }

    /// The other record of a link, where it is here and this node's owner controls it.
    fn other_here(&mut self, link: [u8; 16], side: At) -> Result<Option<RecordId>, Failure> {
        let id: Option<RecordId> = read_row(&self.store, RowKind::Household, &name_of(link, side))?;
        let Some(id) = id.filter(|id| self.people.get(id).is_some()) else {
            return Ok(None);
        };
        let controls = self.with_record(id, |node, record| Ok(node.controls(record)))?;
        Ok(controls.then_some(id))
    }

    /// The links of a record. Only what whoever controls it, or once did, wrote into its circle
    /// counts: others may add there, and say nothing of a household by it. A word is ended by
    /// another word, and not by saying that it was entered in error.
    fn known_links(&self, record: &mut Record) -> Vec<Known> {
        let own = record.ledger().ever_in_control();
        let documents = record.ledger().documents();
        let circles = documents
            .iter()
            .filter(|document| document.section == Section::Circle);
        let kept: Vec<_> = circles
            .flat_map(|document| self.read_document(record, document))
            .collect();
        let mut words = Vec::new();
        let mut sides = Vec::new();
        let mut texts = BTreeMap::new();
        for placed in kept {
            let meta = &placed.held.meta;
            let author = record.author(&placed.held.created);
            if meta.kind != KIND || !meta.made_here || !author.is_some_and(|by| own.contains(&by)) {
                continue;
            }
            let kept = serde_json::from_str::<Kept>(&placed.held.to_text(0)).ok();
            let Some((side, paper)) =
                kept.and_then(|kept| Some((kept.side, Paper::parse(&kept.text).ok()?)))
            else {
                continue;
            };
            if matches!(paper.word.said, Said::Offer { .. }) {
                sides.push((paper.word.link, side, paper.digest));
            }
            texts.insert(paper.digest, paper.text);
            words.push(SignedWord {
                word: paper.word,
                digest: paper.digest,
            });
        }
        let with_side = |link: Link| {
            let (_, side, offer) = sides.iter().find(|(name, _, _)| *name == link.link)?;
            let give = last_said(&words, &link, *side).and_then(|said| texts.get(&said.digest));
            Some(Known {
                side: *side,
                offer: *offer,
                give: give.cloned(),
                link,
            })
        };
        let all = links(words.iter().cloned(), &own).into_iter();
        all.filter_map(with_side).collect()
    }

    fn line_of(&self, known: &Known) -> HouseholdLine {
        let link = &known.link;
        let bond = match known.side {
            At::Offered => link.bond,
            At::Answered => link.bond.turned(),
        };
        let other = match known.side {
            At::Offered => link.answered.as_ref().map(|(_, side, _)| side),
            At::Answered => Some(&link.offered.1),
        };
        let name = other.map_or_else(|| link.to.clone(), |side| side.name.clone());
        let said = |(by, at_ms): (PrincipalId, u64)| {
            format!("{}, {}", self.household_signer(by), show::time(at_ms))
        };
        let words = capital(words_of(bond));
        HouseholdLine {
            link: data_encoding::HEXLOWER.encode(&link.link),
            bond,
            what: format!("{words} {name}"),
            reach: other.and_then(|side| side.reach.clone()),
            name,
            state: match (&link.ended, &link.answered) {
                (Some(_), _) => HouseholdState::Ended,
                (None, Some(_)) => HouseholdState::Agreed,
                (None, None) => HouseholdState::Offered,
            },
            give: known.give.clone(),
            offered: said((link.offered.0, link.offered.2)),
            answered: link.answered.as_ref().map(|(by, _, at)| said((*by, *at))),
            ended: link.ended.map(said),
        }
    }

    /// Who signed a word: by their name where this node knows them.
    fn household_signer(&self, by: PrincipalId) -> String {
        self.name_of_met(by)
            .or_else(|| self.name_in_circles(by))
            .unwrap_or_else(|| {
                format!(
                    "somebody whose node is not known here ({})",
                    &by.to_string()[..12]
                )
            })
    }

    /// What the person of a record is called on the other side, and how they are reached.
    fn side_of(
        &self,
        id: RecordId,
        name: Option<&str>,
        reach: Option<&str>,
    ) -> Result<Side, Failure> {
        let known = self.people.get(&id).and_then(|known| known.said.first());
        let name = match (name, known) {
            (Some(name), _) => name.to_owned(),
            (None, Some(person)) => format!("{} {}", person.given, person.family),
            (None, None) => String::new(),
        };
        Ok(Side {
            name: short(&name)?,
            reach: reach.map(short).transpose()?,
        })
    }
}

/// What one side said last of a link.
fn last_said<'w>(words: &'w [SignedWord], link: &Link, side: At) -> Option<&'w SignedWord> {
    let by = match side {
        At::Offered => link.offered.0,
        At::Answered => link.answered.as_ref()?.0,
    };
    let is_of_side = |word: &&SignedWord| {
        word.word.link == link.link
            && word.word.by == by
            && match word.word.said {
                Said::Offer { .. } => side == At::Offered,
                Said::Answer { .. } => side == At::Answered,
                Said::End => true,
            }
    };
    let of_side = words.iter().filter(is_of_side);
    of_side.max_by_key(|word| (word.word.said == Said::End, word.word.at_ms, word.digest))
}

fn create(side: At, paper: &Paper, batch: (u64, u32)) -> Edit {
    let text = serde_json::json!({"side": side, "text": paper.text}).to_string();
    Edit::Create(Resource {
        meta: Meta {
            kind: KIND.to_owned(),
            batch,
            made_here: true,
            ..Meta::default()
        },
        body: Body::whole(text),
    })
}

fn is_other_side(known: &Known, by: PrincipalId) -> bool {
    match known.side {
        At::Offered => known
            .link
            .answered
            .as_ref()
            .is_some_and(|(of, _, _)| *of == by),
        At::Answered => known.link.offered.0 == by,
    }
}

/// The name of the row that says which record is on a side of a link.
fn name_of(link: [u8; 16], side: At) -> Vec<u8> {
    let mut name = link.to_vec();
    name.push(side as u8);
    name
}

/// In the middle of a sentence, before a name.
const fn words_of(bond: Bond) -> &'static str {
    match bond {
        Bond::LivesWith => "lives with",
        Bond::Supports => "supports",
        Bond::SupportedBy => "is supported by",
    }
}

fn short(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() || text.len() > kith_protocol::household::SAID_LEN_MAX {
        return Err(Failure::new(
            Ending::Usage,
            "A name, and how somebody is reached, has 1 to 200 bytes.",
            "Say it in few words. Nothing was changed.",
        ));
    }
    Ok(text.to_owned())
}
