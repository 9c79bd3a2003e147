//! Files that are chained as they should be and hold what they should not.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{BundleReader, Frame};
use crate::{
    bundle::{
        Area, BUNDLE_VERSION, BundleError, BundleLimits, Counts, Fault, FrameKind, Manifest, Place,
        attachment_pieces,
        frame::{Chain, FRONT_LEN, FileForm},
        item::{AttachmentPiece, BundleItem},
        writer::{Statement, manifest_hash},
    },
    codec,
    consent::grant::Purposes,
    identity::SecretKey,
    limits::BUNDLE_ITEMS_MAX,
    signed::{Domain, seal},
};

type Body = (FrameKind, Vec<u8>);

fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

fn manifest() -> Manifest {
    Manifest {
        records: vec![],
        principal: key().principal(),
        staff: None,
        device: key().device(),
        time_ms: 1,
        purpose: Purposes::OPERATIONS,
        counts: Counts {
            entries: 2,
            attachments: 1,
            ..Counts::default()
        },
    }
}

fn bodies() -> Vec<Body> {
    let piece = match attachment_pieces(b"a letter").next() {
        Some(BundleItem::Attachment(piece)) => codec::encode(&piece),
        other => panic!("{other:?}"),
    };
    vec![
        (FrameKind::Manifest, codec::encode(&manifest())),
        (FrameKind::Entry, b"one".to_vec()),
        (FrameKind::Entry, b"two".to_vec()),
        (FrameKind::Attachment, piece),
    ]
}

/// A file of frames that are chained as they should be, whatever they hold.
fn chained(bodies: &[Body], trailer: impl FnOnce(Chain) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut file = FileForm::Plain.preamble().to_vec();
    let mut chain = Chain::begin(FileForm::Plain);
    for (kind, body) in bodies {
        file.extend(chain.write(*kind, body));
    }
    if let Some(body) = trailer(chain) {
        file.extend(chain.write(FrameKind::Trailer, &body));
    }
    file
}

/// What an honest device signs of these frames.
fn statement(bodies: &[Body], chain: Chain) -> Statement {
    Statement {
        version: BUNDLE_VERSION,
        root: *chain.as_bytes(),
        frames: bodies.len() as u64,
        counts: manifest().counts,
        manifest: manifest_hash(&bodies[0].1),
    }
}

fn sign(statement: &Statement) -> Option<Vec<u8>> {
    Some(seal(Domain::Bundle, codec::encode(statement), &key()))
}

fn read(file: &[u8]) -> Result<Vec<BundleItem>, BundleError> {
    let mut reader = BundleReader::new(BundleLimits::default());
    reader.feed(file);
    let mut items = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        match frame {
            Frame::Manifest(read) => assert_eq!(read.device, key().device()),
            Frame::Item(item) => items.push(item),
        }
    }
    reader.finish().map(|_| items)
}

fn refused(bodies: &[Body]) -> (Area, Fault) {
    let file = chained(bodies, |chain| sign(&statement(bodies, chain)));
    let error = read(&file).expect_err("it is refused");
    (error.place.area, error.fault)
}

fn frame(index: u64, kind: FrameKind) -> Area {
    Area::Frame {
        index,
        kind: Some(kind),
    }
}

#[test]
fn an_honest_file_is_read() {
    let bodies = bodies();
    let file = chained(&bodies, |chain| sign(&statement(&bodies, chain)));
    assert_eq!(read(&file).map(|items| items.len()).ok(), Some(3));
}

#[test]
fn whoever_chains_other_frames_cannot_sign_them() {
    let honest = bodies();
    let mut trailer = None;
    chained(&honest, |chain| {
        trailer = sign(&statement(&honest, chain));
        None
    });
    let mut other = honest;
    other[1].1 = b"ONE".to_vec();
    let error = read(&chained(&other, |_| trailer)).expect_err("the root is another");
    assert!(matches!(error.fault, Fault::OtherBundle), "{error}");
    assert_eq!(error.place.area, frame(4, FrameKind::Trailer));

    let forged = |chain| {
        let words = codec::encode(&statement(&other, chain));
        Some(seal(Domain::Bundle, words, &SecretKey::from_seed([9; 32])))
    };
    let error = read(&chained(&other, forged)).expect_err("another key");
    assert!(matches!(error.fault, Fault::Signature(_)), "{error}");
    let elsewhere = |chain| {
        let words = codec::encode(&statement(&other, chain));
        Some(seal(Domain::Audit, words, &key()))
    };
    let error = read(&chained(&other, elsewhere)).expect_err("another domain");
    assert!(matches!(error.fault, Fault::Signature(_)), "{error}");
}

#[test]
fn every_word_of_the_trailer_is_checked() {
    let bodies = bodies();
    let changes: [fn(&mut Statement); 5] = [
        |statement| statement.version += 1,
        |statement| statement.root[0] ^= 1,
        |statement| statement.frames += 1,
        |statement| statement.counts.parts += 1,
        |statement| statement.manifest[0] ^= 1,
    ];
    for change in changes {
        let file = chained(&bodies, |chain| {
            let mut statement = statement(&bodies, chain);
            change(&mut statement);
            sign(&statement)
        });
        let error = read(&file).expect_err("it is of another bundle");
        assert!(matches!(error.fault, Fault::OtherBundle), "{error}");
    }
}

#[test]
fn frames_out_of_place_are_refused_though_they_are_signed() {
    let mut without = bodies();
    without.remove(0);
    let (area, fault) = refused(&without);
    assert_eq!(area, frame(0, FrameKind::Entry));
    assert!(matches!(fault, Fault::Misplaced));

    let mut twice = bodies();
    twice.insert(1, twice[0].clone());
    let (area, fault) = refused(&twice);
    assert_eq!(area, frame(1, FrameKind::Manifest));
    assert!(matches!(fault, Fault::Misplaced));

    let mut late = bodies();
    late.swap(2, 3);
    let (area, fault) = refused(&late);
    assert_eq!(area, frame(3, FrameKind::Entry));
    assert!(matches!(fault, Fault::Item(_)));
}

#[test]
fn fewer_items_than_promised_are_refused_though_they_are_signed() {
    let mut fewer = bodies();
    fewer.remove(1);
    let file = chained(&fewer, |chain| {
        let mut statement = statement(&fewer, chain);
        statement.counts.entries = 1;
        sign(&statement)
    });
    let error = read(&file).expect_err("one is missing");
    assert!(matches!(error.fault, Fault::Counts { .. }), "{error}");
}

#[test]
fn a_manifest_that_promises_more_than_any_file_holds_is_refused() {
    for entries in [BUNDLE_ITEMS_MAX + 1, u64::MAX] {
        let mut large = bodies();
        let mut manifest = manifest();
        manifest.counts.entries = entries;
        large[0].1 = codec::encode(&manifest);
        let (area, fault) = refused(&large);
        assert_eq!(area, frame(0, FrameKind::Manifest));
        assert!(matches!(fault, Fault::Manifest));
    }
}

#[test]
fn an_attachment_of_any_claimed_length_costs_what_was_fed() {
    for (len, from) in [(u64::MAX, 0), (u64::MAX, u64::MAX), (8, u64::MAX), (7, 0)] {
        let mut large = bodies();
        let piece = AttachmentPiece {
            id: crate::id::BlobId::from_bytes([1; 32]),
            len,
            from,
            bytes: b"a letter".to_vec(),
        };
        large[3].1 = codec::encode(&piece);
        let (area, fault) = refused(&large);
        assert_eq!(area, frame(3, FrameKind::Attachment));
        assert!(matches!(fault, Fault::Item(_)));
    }
}

/// Damage that finds past the hashes: what a hostile device could sign.
#[test]
fn ten_thousand_mutated_bodies_under_good_hashes_are_errors_or_equal() {
    let honest = bodies();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut at = |end: usize| {
        let end = u64::try_from(end).expect("lengths fit");
        usize::try_from(rng.next_u64() % end).expect("it is below a length")
    };
    for round in 0..10_000 {
        let mut mutated = honest.clone();
        let body = &mut mutated[[0, 3][at(2)]].1;
        match at(3) {
            0 => {
                let byte = at(body.len());
                body[byte] ^= 1 << at(8);
            }
            1 => body.truncate(at(body.len())),
            _ => {
                let byte = at(body.len());
                body[byte] = u8::try_from(at(256)).expect("it is below 256");
            }
        }
        let file = chained(&mutated, |chain| sign(&statement(&mutated, chain)));
        let mut reader = BundleReader::new(BundleLimits::default());
        reader.feed(&file);
        let read = loop {
            match reader.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match read {
            // A manifest of other words that its device signed is another, good bundle.
            Ok(()) => assert_eq!(mutated[1..], honest[1..], "round {round}"),
            Err(BundleError { place, .. }) => {
                let Place { from, to, .. } = place;
                assert!(from < to && to <= file.len() as u64, "round {round}");
                assert!(to - from >= FRONT_LEN as u64, "round {round}: {place}");
            }
        }
    }
}
