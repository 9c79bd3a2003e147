//! A plain bundle: what goes in comes out, and whatever is done to it is found at its place.

use kith_protocol::{
    bundle::{
        Area, AttachmentFault, BundleError, BundleItem, BundleLimits, BundleReader, BundleWriter,
        Counts, Fault, Frame, FrameKind, ItemFault, PREAMBLE_LEN, Summary, WriteError,
        attachment_pieces,
    },
    consent::grant::Purposes,
    identity::SecretKey,
    limits::ATTACHMENT_PIECE_LEN_MAX,
    logs::LogId,
    store::Item,
};
use proptest::{collection::vec, prelude::*};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::story::{Story, noise};

type Read = Result<(Summary, Vec<BundleItem>), BundleError>;

/// Reads a file that is fed at once.
pub fn read_all(file: &[u8]) -> Read {
    read_in_pieces([file])
}

fn read_in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut reader = BundleReader::new(BundleLimits::default());
    let mut items = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        while let Some(frame) = reader.next_frame()? {
            match frame {
                Frame::Manifest(_) => assert!(items.is_empty(), "the manifest is first"),
                Frame::Item(item) => items.push(item),
            }
        }
    }
    Ok((reader.finish()?, items))
}

#[test]
fn what_goes_in_comes_out_in_any_split() {
    let story = Story::tell();
    let file = story.bundle();
    for len in [1, 7, 44, 1000, file.len()] {
        let (summary, items) = read_in_pieces(file.chunks(len)).expect("it is whole");
        assert_eq!(items, story.items());
        assert_eq!(summary.manifest, story.manifest());
        assert_eq!(summary.len, file.len() as u64);
    }
}

#[test]
fn an_item_is_what_it_was_in_the_store() {
    let story = Story::tell();
    let (mut stored, mut pieces) = (0, 0);
    for item in story.items() {
        match item.clone().into_stored().expect("the story is signed") {
            Some(held) => {
                stored += 1;
                assert!(story.manifest().covers(&held));
                let again = match held {
                    Item::Entry { bytes, .. } => BundleItem::of_entry(bytes).expect("an entry"),
                    Item::Part { bytes, .. } => BundleItem::Part(bytes),
                    Item::Event {
                        log: LogId::Principal(_),
                        bytes,
                        ..
                    } => BundleItem::PrincipalEvent(bytes),
                    Item::Event { bytes, .. } => BundleItem::RecordEvent(bytes),
                    Item::Row { .. } | Item::Audit { .. } => unreachable!("never in a bundle"),
                };
                assert_eq!(again, item);
            }
            None => pieces += 1,
        }
    }
    assert_eq!((stored, pieces), (12, 3));
}

#[test]
fn an_event_under_the_wrong_name_is_not_stored() {
    let story = Story::tell();
    let certificate = story.certificates[0].bytes().to_vec();
    assert!(BundleItem::RecordEvent(certificate).into_stored().is_err());
    let event = story.events[0].bytes().to_vec();
    assert!(BundleItem::PrincipalEvent(event).into_stored().is_err());
}

#[test]
fn every_flipped_bit_is_found_and_named() {
    let story = Story::tell();
    let mut file = story.bundle();
    assert!((14_000..18_000).contains(&file.len()), "{}", file.len());
    let frames = frames_of(&story);
    for bit in 0..file.len() * 8 {
        let at = bit / 8;
        file[at] ^= 1 << (bit % 8);
        let error = read_all(&file).expect_err("a flipped bit is found");
        file[at] ^= 1 << (bit % 8);
        let place = error.place;
        let covered = place.from..place.to;
        assert!(covered.contains(&(at as u64)), "bit {bit}: {error}");
        let frame = frames.iter().find(|frame| frame.0.contains(&at));
        match (place.area, frame) {
            (Area::Preamble, None) => {}
            (Area::Frame { index, kind: None }, Some((bytes, expected, _))) => {
                assert_eq!(index, *expected, "{error}");
                assert!(at < bytes.start + 12, "only a damaged head hides the kind");
            }
            (Area::Frame { index, kind }, Some((_, expected, of))) => {
                assert_eq!((index, kind), (*expected, Some(*of)), "{error}");
            }
            (area, frame) => panic!("bit {bit} is in {frame:?}, and {area:?} is named"),
        }
    }
}

/// The bytes, number and kind of each frame of the story's bundle.
fn frames_of(story: &Story) -> Vec<(std::ops::Range<usize>, u64, FrameKind)> {
    let kinds = story.items().into_iter().map(|item| item.kind());
    let kinds = std::iter::once(FrameKind::Manifest)
        .chain(kinds)
        .chain([FrameKind::Trailer]);
    let mut start = 0;
    let spans = story.frames().into_iter().map(|frame| {
        let span = start..start + frame.len();
        start = span.end;
        span
    });
    let mut frames: Vec<_> = spans
        .zip(0..)
        .zip(kinds)
        .map(|((span, index), kind)| (span, index, kind))
        .collect();
    frames[0].0.start = PREAMBLE_LEN;
    frames
}

#[test]
fn every_truncation_is_found() {
    let file = Story::tell().bundle();
    for len in 0..file.len() {
        let error = read_all(&file[..len]).expect_err("a file that ends early is found");
        assert!(matches!(error.fault, Fault::CutOff), "{len}: {error}");
        assert_eq!(error.place.to, len as u64);
    }
}

#[test]
fn bytes_after_the_end_are_found() {
    let mut file = Story::tell().bundle();
    let len = file.len() as u64;
    file.push(0);
    for read in [read_all(&file), read_in_pieces(file.chunks(1))] {
        let error = read.expect_err("something follows");
        assert!(matches!(error.fault, Fault::Trailing));
        assert_eq!((error.place.from, error.place.to), (len, len + 1));
    }
}

#[test]
fn a_frame_that_is_missing_moved_repeated_or_foreign_is_named() {
    let story = Story::tell();
    let frames = story.frames();
    let other = {
        let mut other = Story::tell();
        let (mut writer, _) = BundleWriter::begin(other.manifest()).expect("a sound manifest");
        other.entries.swap(0, 1);
        let items = other.items();
        let frames = items.iter().map(|item| writer.item(item).expect("it fits"));
        frames.collect::<Vec<_>>()
    };
    let mut missing = frames.clone();
    missing.remove(9);
    let mut moved = frames.clone();
    moved.swap(9, 10);
    let mut repeated = frames.clone();
    repeated.insert(9, frames[8].clone());
    let mut foreign = frames;
    foreign[9].clone_from(&other[8]);
    for file in [missing, moved, repeated, foreign] {
        let error = read_all(&file.concat()).expect_err("it is found");
        assert!(matches!(error.fault, Fault::Damaged), "{error}");
        let kind = Some(FrameKind::Entry);
        assert_eq!(error.place.area, Area::Frame { index: 9, kind });
    }
}

#[test]
fn what_a_person_is_told_names_the_place() {
    let mut file = Story::tell().bundle();
    let at = file.len() - 10;
    file[at] ^= 1;
    let error = read_all(&file).expect_err("a flipped bit is found");
    let told = error.to_string();
    assert!(told.starts_with("frame 16 (signature), bytes "), "{told}");
    assert!(told.ends_with("the bytes are damaged: ask for another copy"));
}

#[test]
fn a_reader_stops_at_its_first_error() {
    let mut file = Story::tell().bundle();
    file[20] ^= 1;
    let mut reader = BundleReader::new(BundleLimits::default());
    reader.feed(&file);
    let first = reader.next_frame().expect_err("it is damaged");
    let again = reader.next_frame().expect_err("it still is");
    assert!(matches!(again.fault, Fault::Stopped));
    assert_eq!(again.place, first.place);
    assert!(reader.finish().is_err());
}

#[test]
fn a_file_above_the_limit_is_refused_where_the_limit_is_passed() {
    let file = Story::tell().bundle();
    let mut reader = BundleReader::new(BundleLimits { len_max: 1000 });
    let read = file.chunks(100).try_for_each(|chunk| {
        reader.feed(chunk);
        while reader.next_frame()?.is_some() {}
        Ok(())
    });
    let error: BundleError = read.expect_err("it is too long");
    assert!(matches!(
        error.fault,
        Fault::Long {
            len: 1100,
            max: 1000
        }
    ));
}

#[test]
fn items_come_in_the_order_of_a_sync_session() {
    let story = Story::tell();
    let (mut writer, _) = BundleWriter::begin(story.manifest()).expect("a sound manifest");
    let items = story.items();
    writer.item(&items[5]).expect("a part");
    let late = writer.item(&items[2]);
    assert!(matches!(
        late,
        Err(WriteError::Item(ItemFault::Order {
            found: FrameKind::RecordEvent,
            before: FrameKind::Part
        }))
    ));
}

#[test]
fn a_bundle_holds_what_its_manifest_promises() {
    let story = Story::tell();
    let (mut writer, _) = BundleWriter::begin(story.manifest()).expect("a sound manifest");
    let items = story.items();
    for item in &items[..2] {
        writer.item(item).expect("two certificates");
    }
    let third = writer.item(&items[1]);
    let unpromised = ItemFault::Unpromised(FrameKind::PrincipalEvent);
    assert!(matches!(third, Err(WriteError::Item(fault)) if fault == unpromised));
    let early = writer.finish(&story.device);
    assert!(matches!(early, Err(WriteError::Counts { .. })));
}

#[test]
fn only_the_device_of_the_manifest_signs() {
    let story = Story::tell();
    let (writer, _) = BundleWriter::begin(story.manifest()).expect("a sound manifest");
    let signed = writer.finish(&SecretKey::from_seed([99; 32]));
    assert!(matches!(signed, Err(WriteError::Key)));
}

#[test]
fn a_manifest_with_unordered_records_or_two_purposes_is_not_written() {
    let story = Story::tell();
    let mut unordered = story.manifest();
    unordered.records.push(story.record);
    let mut two = story.manifest();
    two.purpose = Purposes::CARE.union(Purposes::RESEARCH);
    for manifest in [unordered, two] {
        let begun = BundleWriter::begin(manifest);
        assert!(matches!(begun, Err(WriteError::Manifest)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_is_read(
        entries in vec(vec(any::<u8>(), 0..300), 0..20),
        split in 1..500_usize,
    ) {
        let story = Story::tell();
        let mut manifest = story.manifest();
        manifest.counts = Counts { entries: entries.len() as u64, ..Counts::default() };
        let items: Vec<_> = entries.into_iter().map(BundleItem::Entry).collect();
        let (mut writer, mut file) = BundleWriter::begin(manifest.clone()).expect("a manifest");
        for item in &items {
            file.extend(writer.item(item).expect("it was promised"));
        }
        file.extend(writer.finish(&story.device).expect("all were promised"));
        let (summary, read) = read_in_pieces(file.chunks(split)).expect("it is whole");
        prop_assert_eq!(read, items);
        prop_assert_eq!(summary.manifest, manifest);
    }
}

#[test]
fn large_attachments_travel_in_pieces_and_are_checked_whole() {
    let story = Story::tell();
    let whole = noise(50, 2 * ATTACHMENT_PIECE_LEN_MAX + 5);
    let mut manifest = story.manifest();
    manifest.counts = Counts {
        attachments: 1,
        ..Counts::default()
    };
    let pieces: Vec<_> = attachment_pieces(&whole).collect();
    assert_eq!(pieces.len(), 3);

    let (mut writer, mut file) = BundleWriter::begin(manifest.clone()).expect("a manifest");
    for piece in &pieces {
        file.extend(writer.item(piece).expect("it follows"));
    }
    file.extend(writer.finish(&story.device).expect("it is whole"));
    let (_, items) = read_in_pieces(file.chunks(100_000)).expect("it is whole");
    assert_eq!(items, pieces);

    let fault = |pieces: &[BundleItem]| {
        let (mut writer, _) = BundleWriter::begin(manifest.clone()).expect("a manifest");
        let wrote = pieces
            .iter()
            .try_for_each(|piece| writer.item(piece).map(|_| ()));
        match wrote.and_then(|()| writer.finish(&story.device).map(|_| ())) {
            Err(WriteError::Item(ItemFault::Attachment(fault))) => fault,
            other => panic!("{other:?}"),
        }
    };
    let [first, second, third] = pieces.as_slice() else {
        panic!("three pieces");
    };
    let id = attachment_id(first);
    let gap = fault(&[first.clone(), third.clone()]);
    assert_eq!(gap, AttachmentFault::Gap(id));
    let unfinished = fault(&[first.clone(), second.clone()]);
    assert_eq!(unfinished, AttachmentFault::Unfinished(id));
    let mut changed = third.clone();
    if let BundleItem::Attachment(piece) = &mut changed {
        piece.bytes[0] ^= 1;
    }
    let other = fault(&[first.clone(), second.clone(), changed]);
    assert_eq!(other, AttachmentFault::OtherBytes(id));
    let [first, second, third] = [first, second, third].map(Clone::clone);
    let twice = fault(&[first.clone(), second, third, first]);
    assert_eq!(twice, AttachmentFault::Order(id));
}

fn attachment_id(item: &BundleItem) -> kith_protocol::id::BlobId {
    match item {
        BundleItem::Attachment(piece) => piece.id,
        BundleItem::PrincipalEvent(_)
        | BundleItem::RecordEvent(_)
        | BundleItem::Part(_)
        | BundleItem::Entry(_) => panic!("no attachment"),
    }
}

#[test]
fn ten_thousand_mutations_are_errors_or_change_nothing() {
    let story = Story::tell();
    let file = story.bundle();
    let items = story.items();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for round in 0..10_000 {
        let mut mutated = file.clone();
        for _ in 0..=below(&mut rng, 3) {
            mutate(&mut mutated, &mut rng);
        }
        let split = 1 + below(&mut rng, mutated.len().max(1));
        match read_in_pieces(mutated.chunks(split)) {
            Ok((_, read)) => assert!(mutated == file && read == items, "round {round}"),
            Err(error) => assert!(error.place.from <= error.place.to, "round {round}"),
        }
    }
}

/// Changes, cuts, repeats, moves or overwrites something.
pub fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha20Rng) {
    let (a, b) = (below(rng, bytes.len() + 1), below(rng, bytes.len() + 1));
    let (from, to) = (a.min(b), a.max(b));
    match below(rng, 6) {
        0 if from < bytes.len() => bytes[from] ^= 1 << below(rng, 8),
        1 => bytes.truncate(from),
        2 => drop(bytes.drain(from..to)),
        3 => {
            let copy = bytes[from..to].to_vec();
            bytes.splice(to..to, copy);
        }
        4 => bytes[from..to].rotate_left((to - from) / 2),
        _ => {
            let byte = rng.next_u32().to_be_bytes()[0];
            let end = to.min(from + 8);
            bytes[from..end].fill(byte);
        }
    }
}

pub fn below(rng: &mut ChaCha20Rng, end: usize) -> usize {
    let end = u64::try_from(end).expect("lengths fit");
    usize::try_from(rng.next_u64() % end).expect("it is below a length")
}
