//! Prints how long the status rule takes on a record with many entries.
//!
//! `cargo run --release -p kith-protocol --example status_speed -- 10000`

#![expect(
    clippy::disallowed_methods,
    reason = "a measurement is about time; nothing of it reaches the library"
)]

use std::time::Instant;

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    author::{Author, EntryDraft, EventDraft, NextLink},
    consent::{
        ContentFacts, Ledger, Status,
        cut::CutTree,
        grant::{Actions, Basis, Grant, Purposes},
    },
    envelope::{Content, Header, PayloadRef},
    id::{EnvelopeId, EventId, PayloadHash, PrincipalId, RecordId},
    identity::SecretKey,
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        principal::{PrincipalKind, RecoverySet},
        record::{Link, Policy, Revoke},
    },
    signed::Verified,
};

struct Writer {
    key: SecretKey,
    grant: Option<EventId>,
}

struct Bench {
    ledger: Ledger,
    record: RecordId,
    document: DocumentId,
}

impl Bench {
    fn event(&mut self, writer: &SecretKey, log: LogId, act: Act) -> Verified<Event> {
        let principal = writer.principal();
        let begins = matches!(
            act,
            Act::Core(CoreAct::Genesis { .. }) | Act::Principal(PrincipalAct::Begin { .. })
        );
        let link = if begins {
            NextLink::FIRST
        } else {
            self.ledger.next_event(writer.device(), &log)
        };
        let author = Author {
            principal,
            key: writer,
            staff: None,
        };
        let event = author.event(EventDraft {
            frontiers: self.ledger.frontiers_for(&log, &principal),
            log,
            link,
            grant: None,
            time_ms: 1,
            act,
        });
        self.ledger.add_event(event.clone());
        event
    }

    fn entry(
        &self,
        writer: &Writer,
        link: NextLink<EnvelopeId>,
        deps: Vec<EnvelopeId>,
        frontiers: kith_protocol::logs::Frontiers,
        seq: u64,
    ) -> Verified<Header> {
        let author = Author {
            principal: writer.key.principal(),
            key: &writer.key,
            staff: None,
        };
        let content = Content::Change(PayloadRef {
            len: 1,
            hash: PayloadHash::from_bytes(hash(seq)),
        });
        let draft = EntryDraft {
            record: self.record,
            document: self.document.clone(),
            epoch: 0,
            link,
            deps,
            frontiers,
            grant: writer.grant,
            purpose: Purposes::CARE,
            time_ms: 1,
            actor_nonce: [0; 8],
        };
        author.entry(draft, content, None).header
    }
}

fn hash(seq: u64) -> [u8; 32] {
    *blake3::hash(&seq.to_be_bytes()).as_bytes()
}

fn begin(bench: &mut Bench, key: &SecretKey) {
    let act = Act::Principal(PrincipalAct::Begin {
        kind: PrincipalKind::Person,
        sealing_key: [0; 32],
    });
    bench.event(key, LogId::Principal(key.principal()), act);
}

fn grant(audience: PrincipalId) -> Act {
    Act::Label(LabelAct::Grant(Grant {
        audience,
        sections: Section::ALL.to_vec(),
        actions: Actions::ALL,
        from_ms: 0,
        until_ms: None,
        purposes: Purposes::ALL,
        basis: Basis::DirectCare,
        depth: 3,
        parent: None,
        custodians: Vec::new(),
    }))
}

fn told<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!(
        "{what:<60} {:>10.3} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    result
}

fn main() {
    let asked = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let count: u64 = asked.unwrap_or(10_000);
    let ada = SecretKey::from_seed([1; 32]);
    let mut bench = Bench {
        ledger: Ledger::new(RecordId::from_bytes([0; 32])),
        record: RecordId::from_bytes([0; 32]),
        document: DocumentId::first(Section::Results, Label::general()),
    };
    begin(&mut bench, &ada);
    let genesis = Act::Core(CoreAct::Genesis {
        nonce: [0; 16],
        controller: ada.principal(),
        recovery: RecoverySet::default(),
        policy: Policy::default(),
    });
    let genesis = bench.event(&ada, LogId::Core(None), genesis);
    bench.record = RecordId::from_bytes(*genesis.id().as_bytes());
    bench.ledger = Ledger::new(bench.record);
    begin(&mut bench, &ada);
    bench.ledger.add_event(genesis);
    let log = LogId::Label(bench.record, Label::general());
    let mut writers: Vec<_> = (2..10_u8)
        .map(|seed| Writer {
            key: SecretKey::from_seed([seed; 32]),
            grant: None,
        })
        .collect();
    for writer in &mut writers {
        begin(&mut bench, &writer.key);
        let given = bench.event(&ada, log.clone(), grant(writer.key.principal()));
        writer.grant = Some(given.id());
    }
    measure(&mut bench, &ada, &writers, &log, count);
}

fn measure(bench: &mut Bench, ada: &SecretKey, writers: &[Writer], log: &LogId, count: u64) {
    let mut links = vec![NextLink::FIRST; writers.len()];
    let mut heads = Vec::new();
    let mut entries = Vec::new();
    for seq in 0..count {
        let at = usize::try_from(seq).unwrap_or(0) % writers.len();
        let writer = &writers[at];
        let frontiers = bench
            .ledger
            .frontiers(&Label::general(), &writer.key.principal());
        let header = bench.entry(writer, links[at], heads.clone(), frontiers, seq);
        links[at] = NextLink::after(header.value().seq, header.id());
        heads = vec![header.id()];
        let facts = ContentFacts::Change {
            hash: hash(seq),
            deps: seq.checked_sub(1).map(hash).into_iter().collect(),
            actor_seq: seq / writers.len() as u64 + 1,
        };
        entries.push((header, facts));
    }
    let last = entries.last().map(|(header, _)| header.id());
    let Some(last) = last else { return };
    let document = bench.document.clone();
    let again = entries.clone();
    told(&format!("{count} entries added"), || {
        for (header, facts) in entries {
            bench.ledger.add_entry(header, facts);
        }
    });
    told("status of all", || bench.ledger.entries(&document));
    let ledger = bench.ledger.clone();
    told("the same backwards: added and judged", || {
        let mut other = ledger;
        for (header, facts) in again.into_iter().rev() {
            other.add_entry(header, facts);
        }
        other.entries(&document).len()
    });
    told("loaded set and heads", || {
        (
            bench.ledger.loaded(&document).main.len(),
            bench.ledger.heads(&document),
        )
    });
    let new = SecretKey::from_seed([99; 32]);
    begin(bench, &new);
    told("one grant more, then the status of one entry", || {
        bench.event(ada, log.clone(), grant(new.principal()));
        bench.ledger.status(&last)
    });
    let link = Link::Grant(writers[0].grant.unwrap_or(EventId::from_bytes([0; 32])));
    let parts = told("cut that keeps everything", || {
        bench.ledger.keep_everything(link)
    });
    for (name, parts) in [("keeping all", parts), ("keeping none", Vec::new())] {
        let tree = CutTree::new(parts);
        let revoke = Act::Label(LabelAct::Revoke(Revoke {
            link,
            cut: tree.cut(),
            keep: Vec::new(),
            void: Vec::new(),
            is_final: false,
        }));
        let (status, counts) = told(&format!("a revocation {name}, then all statuses"), || {
            let revoke = bench.event(ada, log.clone(), revoke);
            for part in tree.proven(revoke.id()) {
                bench.ledger.add_part(part);
            }
            let entries = bench.ledger.entries(&document);
            let kind = |want: fn(&Status) -> bool| entries.iter().filter(|(_, s)| want(s)).count();
            let counts = (
                kind(|status| *status == Status::Accepted),
                kind(|status| matches!(status, Status::Marked(_))),
            );
            (bench.ledger.status(&last), counts)
        });
        println!(
            "  accepted {}, marked {}; the last {status:?}",
            counts.0, counts.1
        );
    }
    told("digest", || bench.ledger.digest());
}
