//! A sealed bundle: whom it opens for, and whatever is done to it.

use kith_protocol::{
    bundle::{
        Area, BundleLimits, Fault, PREAMBLE_LEN,
        seal::{
            OpenError, Opener, PIECE_LEN, PassphraseCost, SealError, Sealer, SealingKey, Unlock,
            UnlockError, Ways,
        },
    },
    limits::PASSPHRASE_MEMORY_KIB_MAX,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{
    bundle::{below, mutate},
    story::{CHEAP, PASSPHRASE, Story, noise, sealed, secrets},
};

fn open<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    with: Unlock<'_>,
) -> Result<Vec<u8>, OpenError> {
    let mut opener = Opener::new(BundleLimits::default());
    let mut plain = Vec::new();
    for piece in pieces {
        opener.feed(piece);
        if opener.ways()?.is_some() {
            opener.unlock(with)?;
        }
        while let Some(mut piece) = opener.next_piece()? {
            plain.append(&mut piece);
        }
    }
    plain.append(&mut opener.finish()?);
    Ok(plain)
}

#[test]
fn it_opens_for_each_receiver_and_the_passphrase_in_any_split() {
    let plain = noise(60, 2 * PIECE_LEN + 77);
    let file = sealed(&plain);
    let [ann, hospital, _] = secrets();
    for with in [
        Unlock::Secret(&ann),
        Unlock::Secret(&hospital),
        Unlock::Passphrase(PASSPHRASE),
    ] {
        for len in [999, PIECE_LEN, file.len()] {
            assert!(open(file.chunks(len), with).expect("it is sealed to this") == plain);
        }
    }
}

#[test]
fn pieces_end_where_they_may() {
    let [ann, ..] = secrets();
    for len in [0, 1, PIECE_LEN - 1, PIECE_LEN, PIECE_LEN + 1, 2 * PIECE_LEN] {
        let plain = noise(61, len);
        let file = sealed(&plain);
        let opened = open(file.chunks(5000), Unlock::Secret(&ann)).expect("it is sealed to Ann");
        assert!(opened == plain, "{len}");
    }
}

#[test]
fn it_does_not_open_for_others_and_says_why() {
    let file = Story::tell().sealed();
    let [.., stranger] = secrets();
    let why = |with| match open([file.as_slice()], with) {
        Err(OpenError::Unlock(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(Unlock::Secret(&stranger)), UnlockError::NotForYou);
    let wrong = Unlock::Passphrase("birch lamp river fifty");
    assert_eq!(why(wrong), UnlockError::WrongPassphrase);
}

#[test]
fn after_a_wrong_passphrase_another_can_be_tried() {
    let story = Story::tell();
    let mut opener = Opener::new(BundleLimits::default());
    assert_eq!(
        opener.unlock(Unlock::Passphrase(PASSPHRASE)),
        Err(UnlockError::Early)
    );
    opener.feed(&story.sealed());
    let ways = Ways {
        receivers: 2,
        passphrase: Some(CHEAP),
    };
    assert_eq!(opener.ways().expect("it is whole"), Some(ways));
    let locked = opener.next_piece();
    assert!(matches!(
        locked,
        Err(OpenError::Unlock(UnlockError::Locked))
    ));
    assert!(opener.unlock(Unlock::Passphrase("no")).is_err());
    assert!(opener.unlock(Unlock::Passphrase(PASSPHRASE)).is_ok());
    assert!(opener.finish().expect("it is whole") == story.bundle());
}

#[test]
fn without_a_passphrase_slot_no_passphrase_is_tried() {
    let [ann, ..] = secrets();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (sealer, mut file) = Sealer::begin(&[ann.public()], None, &mut rng).expect("a good key");
    file.extend(sealer.finish());
    let opened = open([file.as_slice()], Unlock::Passphrase(PASSPHRASE));
    assert!(matches!(
        opened,
        Err(OpenError::Unlock(UnlockError::NoPassphrase))
    ));
}

#[test]
fn nothing_is_sealed_to_nobody_to_too_many_or_to_no_key() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut begin = |receivers: &[SealingKey], cost: Option<PassphraseCost>| {
        let passphrase = cost.map(|cost| (PASSPHRASE, cost));
        Sealer::begin(receivers, passphrase, &mut rng).err()
    };
    let [ann, ..] = secrets();
    assert_eq!(begin(&[], None), Some(SealError::Nobody));
    assert_eq!(begin(&[ann.public(); 65], None), Some(SealError::Receivers));
    let no_key = SealingKey([0; 32]);
    assert_eq!(
        begin(&[ann.public(), no_key], None),
        Some(SealError::Key(1))
    );
    let dear = PassphraseCost {
        memory_kib: PASSPHRASE_MEMORY_KIB_MAX + 1,
        passes: 1,
    };
    assert_eq!(begin(&[], Some(dear)), Some(SealError::Cost));
    let none = PassphraseCost {
        memory_kib: 0,
        passes: 0,
    };
    assert_eq!(begin(&[], Some(none)), Some(SealError::Cost));
}

#[test]
fn no_receiver_shows_in_the_file() {
    let file = Story::tell().sealed();
    for secret in secrets() {
        let key = secret.public().0;
        assert!(file.windows(32).all(|window| window != key));
    }
}

#[test]
fn every_flipped_bit_is_found_and_named() {
    let mut file = sealed(&noise(62, 100));
    let [ann, ..] = secrets();
    let pieces_at = file.len() - 116;
    for bit in 0..file.len() * 8 {
        let at = bit / 8;
        file[at] ^= 1 << (bit % 8);
        let opened = open([file.as_slice()], Unlock::Secret(&ann));
        file[at] ^= 1 << (bit % 8);
        let Err(OpenError::File(error)) = opened else {
            panic!("bit {bit}: {opened:?}");
        };
        let place = error.place;
        let covered = place.from..place.to;
        assert!(covered.contains(&(at as u64)), "bit {bit}: {error}");
        match place.area {
            Area::Preamble => assert!(at < PREAMBLE_LEN),
            Area::Frame { index: 0, .. } => assert!((PREAMBLE_LEN..pieces_at).contains(&at)),
            Area::Piece(0) => assert!(at >= pieces_at),
            Area::Frame { .. } | Area::Piece(_) | Area::After => panic!("{error}"),
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let file = sealed(&noise(63, 200));
    let [ann, ..] = secrets();
    for len in 0..file.len() {
        let opened = open([&file[..len]], Unlock::Secret(&ann));
        let Err(OpenError::File(error)) = opened else {
            panic!("{len}: {opened:?}");
        };
        assert!(matches!(error.fault, Fault::CutOff | Fault::Unopened));
    }
}

#[test]
fn missing_moved_and_repeated_pieces_are_found() {
    let file = sealed(&noise(64, 3 * PIECE_LEN));
    let [ann, ..] = secrets();
    let piece = PIECE_LEN + 16;
    let (front, pieces) = file.split_at(file.len() - 3 * piece);
    let pieces: Vec<_> = pieces.chunks(piece).collect();
    let fault = |order: &[usize]| {
        let chosen = order.iter().map(|n| pieces[*n]);
        let file = [front]
            .into_iter()
            .chain(chosen)
            .collect::<Vec<_>>()
            .concat();
        match open(file.chunks(10_000), Unlock::Secret(&ann)) {
            Err(OpenError::File(error)) => (error.place.area, error.fault),
            other => panic!("{other:?}"),
        }
    };
    let piece = Area::Piece;
    assert!(matches!(fault(&[0, 1]), (area, Fault::CutOff) if area == piece(1)));
    assert!(matches!(fault(&[0, 2]), (area, Fault::Unopened) if area == piece(1)));
    assert!(matches!(fault(&[1, 0, 2]), (area, Fault::Damaged) if area == piece(0)));
    assert!(matches!(fault(&[0, 1, 1, 2]), (area, Fault::Damaged) if area == piece(2)));
    assert!(matches!(
        fault(&[0, 1, 2, 2]),
        (Area::After, Fault::Trailing)
    ));
}

#[test]
fn mutations_are_errors_or_change_nothing() {
    let plain = noise(65, 1000);
    let file = sealed(&plain);
    let [ann, ..] = secrets();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for round in 0..2_000 {
        let mut mutated = file.clone();
        mutate(&mut mutated, &mut rng);
        let split = 1 + below(&mut rng, mutated.len().max(1));
        if let Ok(opened) = open(mutated.chunks(split), Unlock::Secret(&ann)) {
            assert!(mutated == file && opened == plain, "round {round}");
        }
    }
}

#[test]
fn a_plain_file_and_a_sealed_one_are_told_apart() {
    let story = Story::tell();
    let [ann, ..] = secrets();
    let plain = open([story.bundle().as_slice()], Unlock::Secret(&ann));
    let Err(OpenError::File(error)) = plain else {
        panic!("{plain:?}");
    };
    assert!(matches!(error.fault, Fault::Plain));
    let error = crate::bundle::read_all(&story.sealed()).expect_err("it is sealed");
    assert!(matches!(error.fault, Fault::Sealed));
    let error = crate::bundle::read_all(b"{\"resourceType\": \"Bundle\"}").expect_err("it is FHIR");
    assert!(matches!(error.fault, Fault::NotABundle));
}
