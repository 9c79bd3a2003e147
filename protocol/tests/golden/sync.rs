//! Every message of a conversation, as it is written on the stream.

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    codec,
    id::{BlobId, RecordId},
    sync::{
        Carried, Cursor, Farewell, JournalId, KeptBack, Kind, Listed, Message, NotTaken, OfRecord,
        PieceHash, Range, SYNC_VERSION, Said, Set,
    },
};

use crate::bytes::golden;

fn messages() -> Vec<Message> {
    let record = RecordId::from_bytes([1; 32]);
    let document = DocumentId::first(Section::Plans, Label::general());
    let blob = BlobId::from_bytes([2; 32]);
    let bytes = serde_bytes::ByteBuf::from(vec![3; 3]);
    let listed = Listed([4; 32], [5; 8]);
    let open = Set::new([6; 32], [([7; 32], [8; 32])]).open();
    let end = Some(serde_bytes::ByteBuf::from(vec![9]));
    let ranges = [
        Said::Settled,
        Said::All { held: vec![listed] },
        Said::Lack { keys: vec![listed] },
    ];
    let ranges = ranges.into_iter().map(|said| Range {
        end: end.clone(),
        said,
    });
    vec![
        Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: JournalId([10; 16]),
            held: Some(Cursor {
                journal: JournalId([11; 16]),
                count: 12,
            }),
        },
        Message::WhoAreYou,
        Message::Introduction {
            log: vec![bytes.clone()],
        },
        Message::Ready { resumes: true },
        Message::Proven,
        Message::Items {
            through: 13,
            batches: vec![OfRecord {
                record,
                items: [Kind::Event, Kind::Part, Kind::Entry]
                    .map(|kind| Carried {
                        kind,
                        bytes: vec![14],
                    })
                    .into(),
            }],
        },
        Message::Through { through: 15 },
        Message::Taken {
            through: 16,
            kept_back: [NotTaken::Full, NotTaken::Unsound]
                .map(|why| KeptBack { nth: 17, why })
                .into(),
        },
        Message::Compare {
            session: [18; 16],
            place: None,
            ranges: open,
        },
        Message::Compare {
            session: [18; 16],
            place: Some([19; 32]),
            ranges: ranges.collect(),
        },
        Message::Compared,
        Message::Want {
            record,
            document,
            blob,
            piece: Some(20),
        },
        Message::Outline {
            blob,
            len: 21,
            pieces: vec![PieceHash([22; 32])],
        },
        Message::Piece {
            blob,
            piece: 23,
            bytes,
        },
        Message::Absent { blob },
        Message::Settled,
        Message::Bye {
            why: Farewell::NothingShared,
        },
    ]
}

#[test]
fn every_message_is_written_as_before_and_read() {
    let messages = messages();
    let frames: Vec<_> = messages
        .iter()
        .map(|message| serde_bytes::ByteBuf::from(codec::encode(message)))
        .collect();
    let held = golden("sync.cbor", &codec::encode(&frames));
    let held: Vec<serde_bytes::ByteBuf> = codec::decode(&held).expect("a list of frames");
    let read: Vec<Message> = held
        .iter()
        .map(|frame| codec::decode(frame).expect("a message"))
        .collect();
    assert_eq!(read, messages);
}

#[test]
fn no_message_with_a_bit_flipped_is_read_as_the_same() {
    for message in messages() {
        let frame = codec::encode(&message);
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(
                codec::decode::<Message>(&flipped).ok(),
                Some(message.clone())
            );
        }
        assert!(codec::decode::<Message>(&frame[..frame.len() - 1]).is_err());
    }
}
