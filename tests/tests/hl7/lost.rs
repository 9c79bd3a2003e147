//! What was acknowledged is there after a power cut.

use std::collections::BTreeSet;

use super::{Hospital, Sender, message, now, settled};

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
                for n in 0.. {
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
    crate::harness::until("some have come", || {
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
