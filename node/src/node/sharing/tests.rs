//! Who may come through which door, and when: time is told, so that nobody waits for it.

use kith_protocol::{
    consent::grant::Basis,
    id::{DeviceId, RecordId},
    identity::SecretKey,
    limits::{LINK_LASTS_MS, WORD_ATTEMPTS_EVERY_MS, WORD_ATTEMPTS_MAX, WORDS_LAST_MS},
};
use serde_bytes::ByteBuf;

use super::{
    giving::Terms,
    hosting::Opening,
    invitation::Giving,
    link::{InvitationId, Invited},
};
use crate::{
    node::{now_ms, peers::tests::Place},
    pairing::{
        message::{Door, Knock, PAIR_VERSION, Refusal},
        words::Words,
    },
};

struct Made {
    place: Place,
    words: Words,
    link: Invited,
    at: u64,
}

fn made() -> Made {
    let mut place = Place::new("Ada");
    let record = place.record();
    let at = now_ms();
    let shared = place.node.invite(share_of(record, at), false, at);
    let shared = shared.expect("an invitation");
    let words = [shared.words.expect("words")];
    Made {
        place,
        words: Words::read(&words).expect("they are words of the list"),
        link: shared.link.parse().expect("a link"),
        at,
    }
}

fn share_of(record: RecordId, now: u64) -> Giving {
    Giving::Share(Terms {
        record,
        see: "all".parse().expect("parts"),
        add: Default::default(),
        change: Default::default(),
        until_ms: now + 100 * LINK_LASTS_MS,
        from_ms: None,
        share_on: 0,
        review: false,
        basis: Basis::Consent,
        witnesses: Vec::new(),
    })
}

fn guest(seed: u8) -> DeviceId {
    SecretKey::from_seed([seed; 32]).device()
}

impl Made {
    fn knocks(&mut self, door: Door, now: u64) -> Opening {
        let knock = Knock {
            version: PAIR_VERSION,
            door,
            half: ByteBuf::new(),
        };
        let opening = self.place.node.knocked(guest(1), &knock, now);
        opening.expect("the store answers")
    }

    /// The invitation that the words open, at a time.
    fn opens(&mut self, now: u64) -> Option<InvitationId> {
        match self.knocks(self.spoken(), now) {
            Opening::Half { invitation, .. } => invitation,
            Opening::No(_) => None,
        }
    }

    fn spoken(&self) -> Door {
        Door::Words(self.words.name())
    }

    fn tries(&mut self, name: Option<InvitationId>, holds: bool) -> Option<Refusal> {
        let (door, now) = (self.spoken(), self.at);
        let proved = self.place.node.proved(name, door, holds, now);
        proved.expect("the store answers")
    }
}

#[test]
fn words_hold_for_a_quarter_of_an_hour_and_the_link_for_a_week() {
    let mut made = made();
    let door = Door::Link(*made.link.name().as_bytes());
    let begun = made.at;
    assert_eq!(
        made.opens(begun + WORDS_LAST_MS - 1),
        Some(made.link.name())
    );
    // Whoever knocks too late cannot tell it from words that were never said.
    let late = made.knocks(made.spoken(), begun + WORDS_LAST_MS);
    assert!(matches!(
        late,
        Opening::Half {
            invitation: None,
            ..
        }
    ));
    let open = made.knocks(door, begun + LINK_LASTS_MS - 1);
    assert!(matches!(
        open,
        Opening::Half {
            invitation: Some(_),
            ..
        }
    ));
    let ended = made.knocks(door, begun + LINK_LASTS_MS);
    assert!(matches!(ended, Opening::No(Refusal::NotOpen)));
}

#[test]
fn of_two_who_try_at_the_same_time_the_second_has_no_attempt_left() {
    let mut made = made();
    let (one, two) = (made.opens(made.at), made.opens(made.at));
    assert!(one.is_some() && one == two);
    assert_eq!(made.tries(one, false), Some(Refusal::NotMatched));
    assert_eq!(
        made.tries(two, true),
        Some(Refusal::NotMatched),
        "the words have ended"
    );
    assert_eq!(made.opens(made.at), None);
}

#[test]
fn words_that_were_right_are_not_right_again() {
    let mut made = made();
    let name = made.opens(made.at);
    assert_eq!(made.tries(name, true), None);
    assert_eq!(made.tries(name, true), Some(Refusal::NotMatched));
}

#[test]
fn whoever_goes_away_before_the_proof_has_tried_nothing() {
    let mut made = made();
    assert!(made.opens(made.at).is_some());
    assert!(made.opens(made.at).is_some());
}

#[test]
fn attempts_are_counted_for_a_minute_whoever_makes_them() {
    let mut made = made();
    let begun = made.at;
    for _ in 0..WORD_ATTEMPTS_MAX {
        assert!(made.opens(begun).is_some());
    }
    let refused = made.knocks(made.spoken(), begun + WORD_ATTEMPTS_EVERY_MS - 1);
    assert!(matches!(refused, Opening::No(Refusal::Later)));
    assert!(made.opens(begun + WORD_ATTEMPTS_EVERY_MS).is_some());
}

#[test]
fn another_version_is_refused_before_anything_is_looked_up() {
    let mut made = made();
    let knock = Knock {
        version: PAIR_VERSION + 1,
        door: made.spoken(),
        half: ByteBuf::new(),
    };
    let opening = made.place.node.knocked(guest(1), &knock, made.at);
    let opening = opening.expect("the store answers");
    assert!(matches!(opening, Opening::No(Refusal::Version)));
}
