//! Bytes that were written by this version and are opened by every later one.

use std::{fs, path::PathBuf};

use kith_protocol::{
    audit,
    bundle::{BundleLimits, seal::Opener, seal::Unlock},
    codec,
    consent::{
        cut::{PartProof, ProvenPart},
        devices,
    },
    intake,
    logs::Event,
    signed::{Domain, Signed, unseal},
};

use crate::{
    bundle::read_all,
    story::{PASSPHRASE, Story, ann, new_key, secrets},
};

/// Compares what is written now with the file of this name, and gives the file.
pub(crate) fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("KITH_WRITE_GOLDEN").is_some() {
        fs::write(&path, written).expect("a golden file is written");
    }
    let held = fs::read(&path).expect("a golden file is read");
    assert!(held == written, "{name} is written differently now");
    held
}

#[test]
fn an_event_is_written_as_before_and_opens() {
    let story = Story::tell();
    let held = golden("event.cbor", story.events[1].bytes());
    let event = Signed::<Event>::new(held).verify().expect("it was signed");
    assert_eq!(event, story.events[1]);
}

#[test]
fn a_change_of_key_is_written_as_before_and_counts() {
    let story = Story::tell();
    let mut log = new_key(&story);
    let change = log.pop().expect("it comes last");
    let held = golden("key-change.cbor", change.bytes());
    let read = intake::event(&held).expect("it was signed");
    assert_eq!(read, change);
    let (who, key) = (ann().principal(), read.value().device);
    assert_eq!(devices::root_keys(&log, who), [who.root_key()].into());
    log.push(read);
    assert_eq!(devices::root_keys(&log, who), [key].into());
    assert!(!devices::certifies(&log, who, who.root_key()));
}

#[test]
fn an_envelope_is_written_as_before_and_opens() {
    let story = Story::tell();
    let envelope = story.envelopes().nth(1).expect("there are six");
    let entry = intake::entry(&golden("envelope.cbor", &envelope)).expect("it was signed");
    assert_eq!(entry, story.entries[1]);
}

#[test]
fn a_custodians_part_is_written_as_before_and_opens() {
    let (revoke, part) = Story::tell().entrusted();
    let held = golden("entrusting.cbor", revoke.bytes());
    let event = Signed::<Event>::new(held).verify().expect("it was signed");
    assert_eq!(event, revoke);
    let held = golden("custodian-part.cbor", &codec::encode(&part));
    let read: ProvenPart = codec::decode(&held).expect("it is understood");
    let PartProof::Custodian(word) = &read.proof else {
        panic!("a custodian signed it");
    };
    assert!(word.signs(revoke.id(), &read.part));
    let mut other = read.part.clone();
    other.chains.clear();
    assert!(!word.signs(revoke.id(), &other));
}

#[test]
fn a_plain_bundle_is_written_as_before_and_opens() {
    let story = Story::tell();
    let held = golden("plain.kith", &story.bundle());
    let (summary, items) = read_all(&held).expect("it is whole");
    assert_eq!(items, story.items());
    assert_eq!(summary.manifest, story.manifest());
}

#[test]
fn a_sealed_bundle_is_written_as_before_and_opens() {
    let story = Story::tell();
    let held = golden("sealed.kith", &story.sealed());
    let [ann, hospital, _] = secrets();
    for with in [
        Unlock::Secret(&ann),
        Unlock::Secret(&hospital),
        Unlock::Passphrase(PASSPHRASE),
    ] {
        let mut opener = Opener::new(BundleLimits::default());
        opener.feed(&held);
        opener.ways().expect("it is whole");
        opener.unlock(with).expect("it is sealed to this");
        let plain = opener.finish().expect("it is whole");
        assert!(plain == story.bundle());
    }
}

#[test]
fn an_access_log_is_written_as_before_and_opens() {
    let story = Story::tell();
    let (mut chain, mut links) = story.audit();
    let checkpoint = chain.checkpoint(crate::story::TIME_MS + 3, &story.device);
    links.push(checkpoint.link);
    let mut held: Vec<Vec<u8>> = Vec::new();
    for (n, link) in links.iter().enumerate() {
        held.push(golden(&format!("audit-{n}.cbor"), link));
    }
    let held_checkpoint = golden("checkpoint.cbor", &checkpoint.signed);
    let audited = audit::verify(&held, &[held_checkpoint], story.device.device());
    let audited = audited.expect("nobody touched it");
    assert_eq!((audited.chain, audited.vouched), (chain, Some(2)));
    let entry: audit::AuditEntry = codec::decode(&held[1]).expect("it is understood");
    let shown = story.disclosure(audit::How::Show, 1);
    assert_eq!(entry.what, audit::What::Disclosure(shown));
}

#[test]
fn every_signed_message_is_good_in_its_own_domain_only() {
    for (name, domain, signer, bytes) in Story::tell().messages() {
        assert!(unseal(domain, &bytes, signer).is_ok(), "{name}");
        assert!(unseal(Domain::NameCard, &bytes, signer).is_err(), "{name}");
    }
}
