//! Somebody known and strangers do to a node what no node does: an honest note arrives all the
//! same, memory stays bounded, and the log says what was wrong and nothing of anybody.

mod client;
mod outrages;

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use libp2p::Multiaddr;

use crate::harness::{Node, Running, all_hold_the_same, contains, how_many, sample, until};
use client::keys_of;
use outrages::Attack;

/// How often everything is tried in a normal run; `KITH_ATTACKS` says otherwise.
const ROUNDS: u64 = 1;
/// Notes that are timed before and under attack.
const NOTES: usize = 7;
/// Bytes by which a node may grow over what it has in peace.
const GROWTH_MAX: u64 = 64 * 1024 * 1024;

#[test]
fn an_honest_note_arrives_under_attack_and_memory_stays_bounded() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam's laptop", "person");
    let mallory = Node::set_up("Mallory's laptop", "person");
    let record = surgery.import(&sample("ips.json"));
    let surgery_runs = surgery.running_with_log("127.0.0.1:0", "debug");
    let _laptop_runs = laptop.running();
    let mallory_runs = mallory.running();
    for guest in [&laptop, &mallory] {
        surgery.shares_all_with(guest, &record);
    }
    all_hold_the_same(&[&surgery, &laptop, &mallory], &record);
    drop(mallory_runs);

    let at: Multiaddr = surgery_runs.addresses[0].parse().expect("an address");
    let victim = name_of(&surgery);
    let before = latencies(&laptop, &surgery, &record, "in peace");
    let idle = surgery_runs.resident_bytes();
    let attack = Attack::begin(keys_of(&mallory), victim, &at);
    let rounds = usize::try_from(how_many("KITH_ATTACKS", ROUNDS)).expect("few");
    let (under, most) = watched(&surgery_runs, || {
        let under = latencies(&laptop, &surgery, &record, "under attack");
        until("everything was tried", || attack.has_gone_round(rounds));
        under
    });
    let tally = std::sync::Arc::clone(&attack.tally);
    drop(attack);
    until("the two hold the same after it", || {
        surgery.digest(&record) == laptop.digest(&record)
    });

    let (peace, attacked) = (median(before), median(under));
    eprintln!(
        "a note arrived after {} ms in peace and {} ms under attack; memory {} MiB idle, {} MiB at most, {} MiB after; {:?} rounds, {} slow connections",
        peace.as_millis(),
        attacked.as_millis(),
        idle >> 20,
        most >> 20,
        surgery_runs.resident_bytes() >> 20,
        tally.rounds,
        tally.slow.load(Ordering::Relaxed),
    );
    assert!(
        most < idle + GROWTH_MAX,
        "{} MiB idle, {} MiB under attack",
        idle >> 20,
        most >> 20
    );
    drop(surgery_runs);
    let log = surgery.log();

    for reason in [
        "sent a frame of 4294967295 bytes",
        "Misspoke",
        "Twice",
        "where a device is was not understood",
    ] {
        assert!(log.contains(reason), "the log does not name {reason:?}");
    }
    for canary in ["under attack", "Mallory", "Sam's laptop", record.as_str()] {
        assert!(!contains(log.as_bytes(), canary), "{canary} is logged");
    }
}

/// Who a node is on the network.
fn name_of(surgery: &Node) -> libp2p::PeerId {
    let status = surgery.json(["status"]);
    let device = status["node"].as_str().expect("it says which");
    let bytes: Vec<u8> = (0..device.len() / 2)
        .map(|n| u8::from_str_radix(&device[2 * n..2 * n + 2], 16).expect("hexadecimal"))
        .collect();
    let key = libp2p::identity::ed25519::PublicKey::try_from_bytes(&bytes).expect("a key");
    libp2p::identity::PublicKey::from(key).to_peer_id()
}

/// How long notes take from the laptop to the surgery.
fn latencies(from: &Node, to: &Node, record: &str, when: &str) -> Vec<Duration> {
    (0..NOTES)
        .map(|n| {
            let words = format!("Note {n}, {when}.");
            let began = Instant::now();
            from.note(record, &words);
            until("the note arrives", || {
                to.show(record).to_string().contains(&words)
            });
            began.elapsed()
        })
        .collect()
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// Does something, and says how much memory the node had at most meanwhile.
fn watched<T>(runs: &Running, work: impl FnOnce() -> T) -> (T, u64) {
    let (goes_on, most) = (AtomicBool::new(true), AtomicU64::new(0));
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                most.fetch_max(runs.resident_bytes(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        // What panics here must end the watching too.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        goes_on.store(false, Ordering::Relaxed);
        done
    });
    match done {
        Ok(done) => (done, most.into_inner()),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
