//! What the controllers of two records agree to say of each other's people: who lives with whom, and
//! who supports whom.
//!
//! A link is two signed words, an offer and an answer to that very offer, and ends with a third of
//! either side. A word holds what its side says of itself and nothing else: a name, and how it is
//! reached. There is no room for anything clinical, and no id of a record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    codec,
    id::{DeviceId, PrincipalId},
    identity::SecretKey,
    signed::{Domain, SignatureError, seal, unseal},
};

const VERSION: u8 = 1;

/// Bytes of a name, and of how somebody is reached.
pub const SAID_LEN_MAX: usize = 200;

/// What somebody is to the other, as whoever offers it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bond {
    /// They live together.
    LivesWith,
    /// The one who offers supports the other.
    Supports,
    /// The one who offers is supported by the other.
    SupportedBy,
}

impl Bond {
    /// The same as the other side says it.
    pub const fn turned(self) -> Self {
        match self {
            Self::LivesWith => Self::LivesWith,
            Self::Supports => Self::SupportedBy,
            Self::SupportedBy => Self::Supports,
        }
    }
}

/// What one side says of itself, for the other to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Side {
    /// What the person is called.
    pub name: String,
    /// How they are reached, such as a telephone number.
    pub reach: Option<String>,
}

impl Side {
    fn is_short(&self) -> bool {
        let reach = self.reach.as_deref().unwrap_or_default();
        !self.name.trim().is_empty()
            && self.name.len() <= SAID_LEN_MAX
            && reach.len() <= SAID_LEN_MAX
    }
}

/// What one side says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Said {
    /// It offers a link.
    Offer {
        /// Of what kind.
        bond: Bond,
        /// Of itself.
        own: Side,
        /// What it calls the other.
        other: String,
    },
    /// It accepts an offer.
    Answer {
        /// The digest of the signed offer.
        #[serde(with = "codec::array")]
        offer: [u8; 32],
        /// Of itself.
        own: Side,
    },
    /// It ends the link.
    End,
}

/// One side's word on one link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Word {
    version: u8,
    /// Which link, chosen by whoever offers it.
    #[serde(with = "codec::array")]
    pub link: [u8; 16],
    /// Who says it: who controls the record of that side.
    pub by: PrincipalId,
    /// When, by their clock; milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// What is said.
    pub said: Said,
}

impl Word {
    /// A word that is not signed yet.
    pub const fn new(link: [u8; 16], by: PrincipalId, at_ms: u64, said: Said) -> Self {
        Self {
            version: VERSION,
            link,
            by,
            at_ms,
            said,
        }
    }

    /// The signed word.
    pub fn sign(&self, device: &SecretKey) -> Vec<u8> {
        seal(Domain::Household, codec::encode(self), device)
    }

    /// Reads a word that `device` signed. Whether it is a device of whoever it names is shown by
    /// their log.
    ///
    /// # Errors
    /// When it is another's, of another version, or says more than fits.
    pub fn verify(bytes: &[u8], device: DeviceId) -> Result<Self, SignatureError> {
        let word: Self = codec::decode(&unseal(Domain::Household, bytes, device)?)?;
        let is_short = match &word.said {
            Said::Offer { own, other, .. } => own.is_short() && other.len() <= SAID_LEN_MAX,
            Said::Answer { own, .. } => own.is_short(),
            Said::End => true,
        };
        if word.version == VERSION && is_short {
            Ok(word)
        } else {
            Err(SignatureError::Signature)
        }
    }

    /// What an answer names of a signed offer.
    pub fn digest(signed: &[u8]) -> [u8; 32] {
        blake3::derive_key("kith v1 household offer", signed)
    }
}

/// A word with the bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedWord {
    /// The word.
    pub word: Word,
    /// The digest of its signed bytes.
    pub digest: [u8; 32],
}

/// How it stands with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub link: [u8; 16],
    /// Of what kind, as whoever offered it says.
    pub bond: Bond,
    /// Who offered it, what they say of themselves, and when.
    pub offered: (PrincipalId, Side, u64),
    /// What whoever offered it calls the other.
    pub to: String,
    /// Who accepted it, what they say of themselves, and when; nothing where nobody did.
    pub answered: Option<(PrincipalId, Side, u64)>,
    /// Who ended it first, and when; nothing where nobody did.
    pub ended: Option<(PrincipalId, u64)>,
}

/// The links of which these words speak, whatever their order and however often each is there, in a
/// record that `own` control or controlled.
///
/// An answer to another offer than the one that is here counts for nothing, and so does an end by
/// somebody who is neither side and does not control the record. Of several offers or answers of
/// one name the first by its bytes counts, so that everybody shows the same.
pub fn links(
    words: impl IntoIterator<Item = SignedWord>,
    own: &BTreeSet<PrincipalId>,
) -> Vec<Link> {
    let mut of_link: BTreeMap<[u8; 16], Vec<SignedWord>> = BTreeMap::new();
    for word in words {
        of_link.entry(word.word.link).or_default().push(word);
    }
    let found = of_link.into_values().filter_map(|mut words| {
        words.sort_by_key(|word| word.digest);
        link_of(&words, own)
    });
    found.collect()
}

fn link_of(words: &[SignedWord], own: &BTreeSet<PrincipalId>) -> Option<Link> {
    let (offer, mut link) = words.iter().find_map(|offer| match &offer.word.said {
        Said::Offer { bond, own, other } => Some((
            offer.digest,
            Link {
                link: offer.word.link,
                bond: *bond,
                offered: (offer.word.by, own.clone(), offer.word.at_ms),
                to: other.clone(),
                answered: None,
                ended: None,
            },
        )),
        Said::Answer { .. } | Said::End => None,
    })?;
    link.answered = words.iter().find_map(|answer| match &answer.word.said {
        Said::Answer { offer: to, own } if *to == offer => {
            Some((answer.word.by, own.clone(), answer.word.at_ms))
        }
        Said::Offer { .. } | Said::Answer { .. } | Said::End => None,
    });
    let sides = [
        Some(link.offered.0),
        link.answered.as_ref().map(|(by, _, _)| *by),
    ];
    let may_end = |by: &PrincipalId| sides.contains(&Some(*by)) || own.contains(by);
    let ends = words
        .iter()
        .filter(|end| end.word.said == Said::End && may_end(&end.word.by));
    let first = ends.min_by_key(|end| (end.word.at_ms, end.digest));
    link.ended = first.map(|end| (end.word.by, end.word.at_ms));
    Some(link)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Bond, Said, Side, SignedWord, Word, links};
    use crate::identity::SecretKey;

    fn side(name: &str) -> Side {
        Side {
            name: name.to_owned(),
            reach: None,
        }
    }

    /// An offer of one, the answer of another, an answer to another offer, the end of a stranger,
    /// and the end of whoever answered.
    fn story() -> Vec<SignedWord> {
        let [ada, bert, mal] = [1, 2, 3].map(|n| SecretKey::from_seed([n; 32]));
        let say = |who: &SecretKey, at_ms, said| {
            let word = Word::new([7; 16], who.principal(), at_ms, said);
            let signed = word.sign(who);
            assert_eq!(
                Word::verify(&signed, who.device()).ok().as_ref(),
                Some(&word)
            );
            SignedWord {
                digest: Word::digest(&signed),
                word,
            }
        };
        let offer = say(
            &ada,
            1,
            Said::Offer {
                bond: Bond::SupportedBy,
                own: side("Ada"),
                other: "my Bert".to_owned(),
            },
        );
        let answer = |who, to, name| {
            say(
                who,
                2,
                Said::Answer {
                    offer: to,
                    own: side(name),
                },
            )
        };
        vec![
            answer(&bert, offer.digest, "Bert"),
            answer(&mal, [9; 32], "Mal"),
            say(&mal, 1, Said::End),
            say(&bert, 9, Said::End),
            offer,
        ]
    }

    #[test]
    fn a_word_is_its_signers_only_and_not_longer_than_it_may_be() {
        let (ada, bert) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let said = |name: &str| Said::Offer {
            bond: Bond::LivesWith,
            own: side(name),
            other: "Bert".to_owned(),
        };
        let sign = |name: &str| Word::new([1; 16], ada.principal(), 5, said(name)).sign(&ada);
        assert!(Word::verify(&sign("Ada"), ada.device()).is_ok());
        assert!(Word::verify(&sign("Ada"), bert.device()).is_err());
        assert!(Word::verify(&sign(" "), ada.device()).is_err());
        assert!(Word::verify(&sign(&"a".repeat(201)), ada.device()).is_err());
    }

    proptest! {
        #[test]
        fn a_link_is_the_same_in_every_order(words in Just(story()).prop_shuffle(), again in 0..5_usize) {
            let mut words = words;
            let more = words[again].clone();
            words.push(more);
            let found = links(words.clone(), &BTreeSet::new());
            prop_assert_eq!(found.len(), 1);
            let link = &found[0];
            prop_assert_eq!(&link.offered.1.name, "Ada");
            prop_assert_eq!(&link.to, "my Bert");
            let (by, bert, _) = link.answered.clone().expect("it was answered");
            prop_assert_eq!(&bert.name, "Bert");
            prop_assert_eq!(link.ended, Some((by, 9)));
            // Whoever controls the record now ends it too, although another agreed to it.
            let mal = SecretKey::from_seed([3; 32]).principal();
            let found = links(words, &BTreeSet::from([mal]));
            prop_assert_eq!(found[0].ended, Some((mal, 1)));
        }

        #[test]
        fn without_the_offer_nothing_is_said(left_out in 0..4_usize) {
            let words: Vec<_> = story().into_iter().take(left_out).collect();
            prop_assert!(links(words, &BTreeSet::new()).is_empty());
        }
    }
}
