use std::collections::BTreeMap;

use kith_protocol::{id::DeviceId, identity::SecretKey};
use tokio::sync::watch;

use super::{
    CONNECTIONS_PER_DEVICE_MAX, ConnectionId, Door, GREETINGS_MAX, GREETINGS_PER_PLACE_MAX,
    GREETINGS_RESERVE, JOINS_COUNTED_MAX, JOINS_PER_PLACE_MAX, Multiaddr, NetworkBehaviour, PeerId,
    STRANGERS_CONNECTED_MAX, STRANGERS_PER_PLACE_MAX,
};
use crate::network::{known::Known, peer_of};

/// A door with the number of the next connection.
struct Story {
    door: Door,
    next: usize,
    _known: watch::Sender<Known>,
}

impl Story {
    /// Somebody is known, and was last at 192.0.2.7.
    fn begin() -> Self {
        let at_home = vec![at("192.0.2.7")];
        let (sender, known) = watch::channel(Known::new(&BTreeMap::from([(known(), at_home)])));
        Self {
            door: Door::new(known),
            next: 0,
            _known: sender,
        }
    }

    fn greets(&mut self, from: &Multiaddr) -> Option<ConnectionId> {
        let id = ConnectionId::new_unchecked(self.next);
        self.next += 1;
        let here = at("192.0.2.1");
        let greeted = self.door.handle_pending_inbound_connection(id, &here, from);
        greeted.is_ok().then_some(id)
    }

    fn lets_in(&mut self, peer: PeerId, from: &Multiaddr) -> bool {
        let Some(id) = self.greets(from) else {
            return false;
        };
        let here = at("192.0.2.1");
        let let_in = self
            .door
            .handle_established_inbound_connection(id, peer, &here, from);
        let_in.is_ok()
    }

    fn count(&mut self, tries: usize, mut works: impl FnMut(&mut Self, usize) -> bool) -> usize {
        (0..tries).filter(|n| works(self, *n)).count()
    }
}

fn known() -> DeviceId {
    SecretKey::from_seed([1; 32]).device()
}

fn at(ip: &str) -> Multiaddr {
    format!("/ip4/{ip}/tcp/4712").parse().expect("an address")
}

/// One of many addresses.
fn elsewhere(n: usize) -> Multiaddr {
    at(&format!("10.1.{}.{}", n / 250, n % 250))
}

#[tokio::test]
async fn handshakes_of_strangers_leave_room_for_whoever_is_expected() {
    let mut story = Story::begin();
    let one_place = at("10.0.0.1");
    let from_one = story.count(100, |story, _| story.greets(&one_place).is_some());
    assert_eq!(from_one, GREETINGS_PER_PLACE_MAX);
    let all = story.count(1000, |story, n| story.greets(&elsewhere(n)).is_some());
    assert_eq!(all, GREETINGS_MAX - GREETINGS_PER_PLACE_MAX);

    let familiar = at("192.0.2.7");
    let reserved = story.count(1000, |story, _| story.greets(&familiar).is_some());
    assert_eq!(reserved, GREETINGS_RESERVE, "and it ends somewhere");
    let datagrams = "/ip4/10.9.9.9/udp/4712/quic-v1"
        .parse()
        .expect("an address");
    assert!(
        story.greets(&datagrams).is_some(),
        "they have their own room"
    );
}

#[tokio::test]
async fn strangers_are_few_and_whoever_is_known_is_always_let_in() {
    let mut story = Story::begin();
    let one_place = at("10.0.0.1");
    let from_one = story.count(100, |story, _| story.lets_in(PeerId::random(), &one_place));
    assert_eq!(from_one, STRANGERS_PER_PLACE_MAX);
    let all = story.count(1000, |story, n| {
        story.lets_in(PeerId::random(), &elsewhere(n))
    });
    assert_eq!(all, STRANGERS_CONNECTED_MAX - STRANGERS_PER_PLACE_MAX);

    let friend = peer_of(known()).expect("it is a key");
    let often = CONNECTIONS_PER_DEVICE_MAX + 3;
    let let_in = story.count(often, |story, _| story.lets_in(friend, &one_place));
    assert_eq!(let_in, often);
    let own = story
        .door
        .inside
        .values()
        .filter(|guest| guest.peer == friend);
    assert_eq!(own.count(), CONNECTIONS_PER_DEVICE_MAX);
    assert_eq!(story.door.leaving.len(), 3, "the oldest make room");
}

#[tokio::test]
async fn invitations_are_not_tried_out() {
    let mut story = Story::begin();
    let one_place = at("10.0.0.1");
    let stranger = PeerId::random();
    assert!(story.lets_in(stranger, &one_place));
    let from_one = story.count(100, |story, _| story.door.may_join(&stranger));
    assert_eq!(from_one, JOINS_PER_PLACE_MAX);

    let other = PeerId::random();
    assert!(story.lets_in(other, &one_place));
    assert!(!story.door.may_join(&other), "it is the same address");
    let all = story.count(50, |story, n| {
        let somebody = PeerId::random();
        assert!(story.lets_in(somebody, &elsewhere(n)));
        let may = story.count(JOINS_PER_PLACE_MAX, |story, _| {
            story.door.may_join(&somebody)
        });
        may > 0
    });
    assert!(all < 50);
    assert_eq!(story.door.asked.len(), JOINS_COUNTED_MAX);
}

#[tokio::test]
async fn what_ends_gives_its_room_back() {
    let mut story = Story::begin();
    let one_place = at("10.0.0.1");
    let first = story.greets(&one_place).expect("there is room");
    let rest = story.count(100, |story, _| story.greets(&one_place).is_some());
    assert_eq!(rest, GREETINGS_PER_PLACE_MAX - 1);
    assert_eq!(story.door.greeting.len(), GREETINGS_PER_PLACE_MAX);
    story.door.ended(first);
    assert!(story.greets(&one_place).is_some());
}
