//! Bytes in, frames out.

use super::{
    BUNDLE_VERSION, BundleLimits, Manifest,
    error::{Area, BundleError, Fault, Place},
    frame::{Chain, FileForm, FrameKind},
    incoming::{Incoming, Whole},
    item::BundleItem,
    ledger::Ledger,
    writer::{Statement, manifest_hash},
};
use crate::{
    codec,
    signed::{Domain, unseal},
};

/// What a reader gives out: the manifest first, then items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// What the bundle says of itself; believed when the trailer was read.
    Manifest(Manifest),
    /// An item, undamaged and unchecked.
    Item(BundleItem),
}

/// A bundle that was read to its end, its signature checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it says of itself, signed by the device in it.
    pub manifest: Manifest,
    /// The hash over all frames: names this bundle.
    pub root: [u8; 32],
    /// Bytes of the file.
    pub len: u64,
}

/// Reads a plain bundle, fed in any split.
///
/// ```
/// # use kith_protocol::bundle::*;
/// # use kith_protocol::{consent::grant::Purposes, identity::SecretKey};
/// # let key = SecretKey::from_seed([1; 32]);
/// # let manifest = Manifest {
/// #     records: vec![], principal: key.principal(), staff: None, device: key.device(),
/// #     time_ms: 0, purpose: Purposes::CARE, counts: Counts::default(),
/// # };
/// let (writer, mut file) = BundleWriter::begin(manifest.clone())?;
/// file.extend(writer.finish(&key)?);
///
/// let mut reader = BundleReader::new(BundleLimits::default());
/// for chunk in file.chunks(100) {
///     reader.feed(chunk);
///     while let Some(frame) = reader.next_frame()? {
///         assert_eq!(frame, Frame::Manifest(manifest.clone()));
///     }
/// }
/// assert_eq!(reader.finish()?.manifest, manifest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BundleReader {
    incoming: Incoming,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Preamble,
    Manifest,
    Items(Box<Reading>),
    Done(Box<Summary>),
    Stopped(Place),
}

#[derive(Debug)]
struct Reading {
    manifest: Manifest,
    manifest_hash: [u8; 32],
    ledger: Ledger,
}

impl BundleReader {
    /// Before the first byte.
    pub fn new(limits: BundleLimits) -> Self {
        Self {
            incoming: Incoming::new(FileForm::Plain, limits),
            phase: Phase::Preamble,
        }
    }

    /// Takes the file's next bytes. They are held until [`Self::next_frame`] has read them: call
    /// it until it gives `None` before feeding more, and nothing above one frame is held.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.incoming.feed(bytes);
    }

    /// The next frame; `None` when more bytes are needed or the end was read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BundleError> {
        let read = self.step();
        if let Err(error) = &read {
            self.phase = Phase::Stopped(error.place);
        }
        read
    }

    /// What was read, once the whole file was fed.
    pub fn finish(mut self) -> Result<Summary, BundleError> {
        while self.next_frame()?.is_some() {}
        let rest = self.incoming.rest(self.area());
        match self.phase {
            Phase::Done(summary) => Ok(*summary),
            Phase::Preamble | Phase::Manifest | Phase::Items(_) => Err(rest.with(Fault::CutOff)),
            Phase::Stopped(place) => Err(place.with(Fault::Stopped)),
        }
    }

    fn step(&mut self) -> Result<Option<Frame>, BundleError> {
        self.incoming.check_len(self.area())?;
        match &self.phase {
            Phase::Preamble => {
                if !self.incoming.preamble()? {
                    return Ok(None);
                }
                self.phase = Phase::Manifest;
            }
            Phase::Manifest | Phase::Items(_) => {}
            Phase::Done(_) => return self.nothing_follows().map(|()| None),
            Phase::Stopped(place) => return Err(place.with(Fault::Stopped)),
        }
        match self.incoming.frame()? {
            Some(whole) => self.handle(whole),
            None => Ok(None),
        }
    }

    fn handle(&mut self, whole: Whole) -> Result<Option<Frame>, BundleError> {
        let place = whole.place;
        let (phase, frame) = match std::mem::replace(&mut self.phase, Phase::Stopped(place)) {
            Phase::Manifest => Reading::begin(&whole).map(|reading| {
                let frame = Frame::Manifest(reading.manifest.clone());
                (Phase::Items(Box::new(reading)), Some(frame))
            }),
            Phase::Items(reading) if whole.kind == FrameKind::Trailer => reading
                .close(&whole, self.incoming.frames() - 1)
                .map(|manifest| (self.done(manifest, whole.before), None)),
            Phase::Items(mut reading) => reading
                .item(whole)
                .map(|item| (Phase::Items(reading), Some(Frame::Item(item)))),
            Phase::Preamble | Phase::Done(_) | Phase::Stopped(_) => Err(Fault::Stopped),
        }
        .map_err(|fault| place.with(fault))?;
        self.phase = phase;
        if frame.is_none() {
            self.nothing_follows()?;
        }
        Ok(frame)
    }

    fn done(&self, manifest: Manifest, chain: Chain) -> Phase {
        Phase::Done(Box::new(Summary {
            manifest,
            root: *chain.as_bytes(),
            len: self.incoming.at(),
        }))
    }

    fn nothing_follows(&self) -> Result<(), BundleError> {
        if self.incoming.waiting().is_empty() {
            Ok(())
        } else {
            Err(self.incoming.rest(Area::After).with(Fault::Trailing))
        }
    }

    fn area(&self) -> Area {
        match self.phase {
            Phase::Preamble => Area::Preamble,
            Phase::Manifest | Phase::Items(_) => self.incoming.frame_area(None),
            Phase::Done(_) => Area::After,
            Phase::Stopped(place) => place.area,
        }
    }
}

impl Reading {
    fn begin(whole: &Whole) -> Result<Self, Fault> {
        if whole.kind != FrameKind::Manifest {
            return Err(Fault::Misplaced);
        }
        let manifest: Manifest = codec::decode(&whole.body)?;
        if !manifest.is_sound() {
            return Err(Fault::Manifest);
        }
        Ok(Self {
            manifest_hash: manifest_hash(&whole.body),
            ledger: Ledger::new(manifest.counts),
            manifest,
        })
    }

    fn item(&mut self, whole: Whole) -> Result<BundleItem, Fault> {
        let item = match whole.kind {
            FrameKind::PrincipalEvent => BundleItem::PrincipalEvent(whole.body),
            FrameKind::RecordEvent => BundleItem::RecordEvent(whole.body),
            FrameKind::Part => BundleItem::Part(whole.body),
            FrameKind::Entry => BundleItem::Entry(whole.body),
            FrameKind::Attachment => BundleItem::Attachment(codec::decode(&whole.body)?),
            FrameKind::Slots | FrameKind::Manifest | FrameKind::Trailer => {
                return Err(Fault::Misplaced);
            }
        };
        self.ledger.take(&item)?;
        Ok(item)
    }

    /// Checks the trailer after `frames` frames.
    fn close(self, whole: &Whole, frames: u64) -> Result<Manifest, Fault> {
        let signed = unseal(Domain::Bundle, &whole.body, self.manifest.device)?;
        let statement: Statement = codec::decode(&signed)?;
        let found = self.ledger.close()?;
        let expected = Statement {
            version: BUNDLE_VERSION,
            root: *whole.before.as_bytes(),
            frames,
            counts: found,
            manifest: self.manifest_hash,
        };
        if statement != expected {
            return Err(Fault::OtherBundle);
        }
        let promised = self.ledger.promised();
        if found == promised {
            Ok(self.manifest)
        } else {
            Err(Fault::Counts { found, promised })
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{
        ChaCha20Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::{BundleReader, Frame};
    use crate::{
        bundle::{
            Area, BUNDLE_VERSION, BundleError, BundleLimits, Counts, Fault, FrameKind, Manifest,
            Place, attachment_pieces,
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
}
