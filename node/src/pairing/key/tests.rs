//! What the two sides have when both are honest, when one guesses, and when somebody is between.

use kith_protocol::{id::DeviceId, identity::SecretKey};

use super::{Half, Key, Side};
use crate::pairing::message::Door;

const DOOR: Door = Door::Words(3);

fn device(seed: u8) -> DeviceId {
    SecretKey::from_seed([seed; 32]).device()
}

fn keys(guess: &[u8], secret: &[u8]) -> (Key, Key) {
    let devices = (device(1), device(2));
    let guest = Half::begin(Side::Guest, DOOR, guess, devices);
    let host = Half::begin(Side::Host, DOOR, secret, devices);
    let (to_host, to_guest) = (guest.said().to_vec(), host.said().to_vec());
    let guest = guest.finish(&to_guest).expect("it is a message");
    (guest, host.finish(&to_host).expect("it is a message"))
}

#[test]
fn two_who_know_the_words_prove_it_to_each_other() {
    let (guest, host) = keys(b"lamp river forty", b"lamp river forty");
    assert!(host.proves(&guest.proof()));
    assert!(guest.proves(&host.proof()));
    assert!(
        !host.proves(&host.proof()),
        "a proof is no proof of the other side"
    );
}

#[test]
fn who_guesses_proves_nothing_and_is_proved_nothing() {
    let (guest, host) = keys(b"lamp river fifty", b"lamp river forty");
    assert!(!host.proves(&guest.proof()));
    assert!(!guest.proves(&host.proof()));
}

/// Between the two stands somebody with a device of their own: each side's Noise channel ends
/// there, and all that is said is handed on as it is.
#[test]
fn somebody_between_them_with_a_device_of_their_own_gets_neither_to_agree() {
    let (guest, between, host) = (device(1), device(3), device(2));
    let words = b"lamp river forty";
    let guests = Half::begin(Side::Guest, DOOR, words, (guest, between));
    let hosts = Half::begin(Side::Host, DOOR, words, (between, host));
    let (to_host, to_guest) = (guests.said().to_vec(), hosts.said().to_vec());
    let guests = guests.finish(&to_guest).expect("it is a message");
    let hosts = hosts.finish(&to_host).expect("it is a message");
    assert!(!hosts.proves(&guests.proof()));
    assert!(!guests.proves(&hosts.proof()));
}

#[test]
fn what_was_said_once_proves_nothing_again() {
    let devices = (device(1), device(2));
    let words = b"lamp river forty";
    let first = Half::begin(Side::Guest, DOOR, words, devices);
    let host = Half::begin(Side::Host, DOOR, words, devices);
    let heard = first.said().to_vec();
    let proof = first.finish(host.said()).expect("it is a message").proof();
    assert!(host.finish(&heard).expect("it is a message").proves(&proof));
    // The same words are opened again, and somebody plays back what was heard.
    let again = Half::begin(Side::Host, DOOR, words, devices);
    assert!(
        !again
            .finish(&heard)
            .expect("it is a message")
            .proves(&proof)
    );
}

#[test]
fn another_door_is_another_key() {
    let devices = (device(1), device(2));
    let guest = Half::begin(Side::Guest, Door::Words(4), b"a", devices);
    let host = Half::begin(Side::Host, DOOR, b"a", devices);
    let (to_host, to_guest) = (guest.said().to_vec(), host.said().to_vec());
    let guest = guest.finish(&to_guest).expect("it is a message");
    let host = host.finish(&to_host).expect("it is a message");
    assert!(!host.proves(&guest.proof()));
}

#[test]
fn messages_are_taken_once_in_order_and_unchanged() {
    let (mut guest, mut host) = keys(b"a", b"a");
    let (one, two) = (guest.bind(b"one".to_vec()), guest.bind(b"two".to_vec()));
    assert_eq!(host.unbind(two.clone()), None, "it is not its turn");
    assert_eq!(host.unbind(one.clone()).as_deref(), Some(&b"one"[..]));
    assert_eq!(host.unbind(one), None, "it was taken");
    let mut other = two.clone();
    other.body[0] ^= 1;
    assert_eq!(host.unbind(other), None);
    assert_eq!(guest.unbind(two.clone()), None, "it is the guest's own");
    assert_eq!(host.unbind(two).as_deref(), Some(&b"two"[..]));
}

#[test]
fn what_is_no_message_gives_no_key() {
    for heard in [&b""[..], &[0x41; 33], &[0x42; 32], &[0xff; 64]] {
        let half = Half::begin(Side::Host, DOOR, b"a", (device(1), device(2)));
        assert!(half.finish(heard).is_none_or(|key| !key.proves(&[0; 32])));
    }
}
