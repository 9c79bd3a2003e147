//! Condensed entries: what was written so is stored so, and is read by every later version.

use kith_crdt::{Body, Document, DocumentId, Edit, Label, Meta, Resource, Section};
use kith_protocol::{
    author::{Author, Entry, EntryDraft, NextLink, actor},
    codec, condensed,
    consent::grant::Purposes,
    envelope::Payload,
    id::RecordId,
    identity::SecretKey,
    intake,
    logs::Frontiers,
};

use crate::bytes::golden;

const NONCE: [u8; 8] = [5; 8];
const TIME_MS: u64 = 1_700_000_000_000;

fn observation(n: u32) -> Edit {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"o{n}","status":"final","code":{{"text":"Weight"}},"note":[{{"text":"a"}},{{"text":"b"}}],"identifier":[],"extension":[{{"url":"x"}}]}}"#
    );
    Edit::Create(Resource {
        meta: Meta {
            kind: "Observation".to_owned(),
            ordinal: n,
            ..Meta::default()
        },
        body: Body::parse(&text, Section::Results).expect("JSON"),
    })
}

/// The first entry of a document and the next, each of which makes several resources.
fn entries() -> Vec<Entry> {
    let key = SecretKey::from_seed([2; 32]);
    let record = RecordId::from_bytes([1; 32]);
    let of = DocumentId::first(Section::Results, Label::general());
    let author = Author {
        principal: key.principal(),
        key: &key,
        staff: None,
    };
    let actor = actor(record, &of, key.device(), 0, NONCE);
    let (mut document, mut entries) = (Document::new(), Vec::<Entry>::new());
    for seq in 0_u8..2 {
        let edits: Vec<_> = (0..3)
            .map(|n| observation(u32::from(seq) * 3 + n))
            .collect();
        let written = document.write(actor, TIME_MS, &edits).expect("written");
        let before = entries.last().map(Entry::id);
        let draft = EntryDraft {
            record,
            document: of.clone(),
            epoch: 0,
            link: NextLink {
                seq: u64::from(seq),
                prev: before,
            },
            deps: before.into_iter().collect(),
            frontiers: Frontiers::default(),
            grant: None,
            purpose: Purposes::CARE,
            time_ms: TIME_MS,
            actor_nonce: NONCE,
        };
        let payload = Payload {
            salt: [seq; 16],
            bytes: written.bytes,
        };
        entries.push(author.change(draft, payload));
    }
    entries
}

#[test]
fn condensed_entries_are_written_as_before_and_open() {
    for (entry, name) in entries()
        .iter()
        .zip(["condensed.cbor", "condensed-next.cbor"])
    {
        let written = condensed::encode(entry);
        let whole = codec::encode(&entry.clone().into_envelope());
        assert!(written.len() < whole.len(), "{name}");
        let held = golden(name, &written);
        assert_eq!(intake::entry(&held).expect("it was signed"), *entry);
    }
}
