//! What was acknowledged is there after a power cut, and nothing is acknowledged for which there is
//! no room.

use std::collections::BTreeSet;

use super::{Hospital, Sender, message, now, settled};
use crate::harness::{Node, SmallDisk, incompressible, skipped, until};

const SYSTEMS: usize = 5;

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_node_is_killed() {
    let mut hospital = Hospital::listens();
    let at = hospital.running.hl7.clone().expect("it listens");
    let when = now();
    let sending: Vec<_> = (0..SYSTEMS)
        .map(|system| {
            let (at, when) = (at.clone(), when.clone());
            std::thread::spawn(move || {
                let mut sender = Sender::to(&at);
                let mut acknowledged = Vec::new();
                // Fewer than are listed at once.
                for n in 0..80 {
                    let id = format!("{system}-{n}");
                    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        sender.sends(message("ADT^A08", &id, &when, &[]))
                    }));
                    match sent.as_deref() {
                        Ok("AA") => acknowledged.push(id),
                        Ok(other) => panic!("{other}"),
                        // The node is gone.
                        Err(_) => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    // Some are filed by then, and some are not.
    until("some have come", || {
        hospital.node.json(["inbox", "--all"])["messages"]
            .as_array()
            .is_some_and(|all| all.len() > 40)
    });
    hospital.running.kill();
    let acknowledged: BTreeSet<String> = sending
        .into_iter()
        .flat_map(|sending| sending.join().expect("it ends"))
        .collect();
    assert!(acknowledged.len() > 40);
    let running = hospital.node.running();
    let all = settled(&hospital.node);
    let there: BTreeSet<String> = all
        .iter()
        .map(|line| line["control_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(all.iter().all(|line| line["state"] == "filed"));
    let records: BTreeSet<_> = all.iter().map(|line| line["record"].to_string()).collect();
    assert_eq!(records.len(), 1, "all are about one person");
    drop(running);
}

#[test]
fn on_a_full_disk_the_sender_is_told_to_send_again() {
    let node = Node::nowhere();
    let Some(_disk) = SmallDisk::mounted(&node.home(), 12) else {
        skipped("a full disk: this user may not mount a small one");
        return;
    };
    node.kith(["setup", "--name", "Full", "--kind", "hospital"])
        .done();
    node.json(["connect", "hl7", "--listen", "127.0.0.1:0"]);
    let ballast = node.home().join("ballast");
    std::fs::write(&ballast, vec![7; 4 << 20]).expect("there is room yet");
    let running = node.running();
    let mut sender = Sender::to(running.hl7.as_deref().expect("it listens"));
    let when = now();
    let letter = |n: usize| {
        let scan = data_encoding::BASE64.encode(&incompressible(100_000 + n));
        let txa = format!("TXA|1|DS|TX|{when}||||||||D{n}^RXH");
        let obx = format!("OBX|1|ED|1^Scan||RXH^IM^PNG^Base64^{scan}");
        message("MDM^T02", &format!("letter-{n}"), &when, &[&txa, &obx])
    };
    let mut acknowledged = 0;
    let refused = loop {
        let said = sender.sends(letter(acknowledged));
        if said != "AA" {
            break said;
        }
        acknowledged += 1;
        assert!(acknowledged < 200, "the disk is never full");
    };
    assert_eq!(refused, "AE");
    assert!(acknowledged > 0);
    std::fs::remove_file(&ballast).expect("it is ours");
    until("there is room for it", || {
        sender.sends(letter(acknowledged)) == "AA"
    });
    let shown = node.json(["inbox", "--all"]);
    let all = shown["messages"].as_array().expect("messages");
    for n in 0..=acknowledged {
        let id = format!("letter-{n}");
        let is_there = all.iter().any(|line| line["control_id"] == id.as_str());
        assert!(is_there, "{id} was acknowledged");
    }
}
