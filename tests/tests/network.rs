//! How nodes reach each other, and what strangers meet.

mod relay;
mod service;
mod strangers;

use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::harness::{Node, sample, until};

fn surgery_and_laptop() -> (Node, Node) {
    (
        Node::set_up("Riverside Surgery", "practice"),
        Node::set_up("Sam's laptop", "person"),
    )
}

#[track_caller]
fn both_hold_the_same(one: &Node, other: &Node, record: &str) {
    until("both hold the same record", || {
        one.digest(record) == other.digest(record)
    });
}

/// What a node says of its only connection.
fn connection(node: &Node) -> serde_json::Value {
    node.json(["status"])["connections"][0].clone()
}

/// A port that nobody uses now.
fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    socket.local_addr().expect("it has an address").port()
}

#[test]
fn two_nodes_that_speak_quic_only_keep_each_other_up_to_date() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let quic = ["--listen", "/ip4/127.0.0.1/udp/0/quic-v1"];
    let surgery_runs = surgery.running_at(quic);
    let laptop_runs = laptop.running_at(quic);
    for address in surgery_runs.addresses.iter().chain(&laptop_runs.addresses) {
        assert!(address.contains("/quic-v1"), "{address}");
    }
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    both_hold_the_same(&surgery, &laptop, &record);
    laptop.note(&record, "Slept well");
    until("the note reaches the surgery", || {
        surgery.show(&record).to_string().contains("Slept well")
    });
}

#[test]
fn a_node_that_listens_everywhere_says_addresses_that_can_be_dialled() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let surgery_runs = surgery.running_at([
        "--listen",
        "0.0.0.0:0",
        "--listen",
        "/ip4/0.0.0.0/udp/0/quic-v1",
    ]);
    let addresses = &surgery_runs.addresses;
    assert!(addresses.len() >= 2, "{addresses:?}");
    assert!(addresses.iter().any(|address| address.contains("/quic-v1")));
    let has_network = addresses.iter().any(|address| !address.contains("/127."));
    for address in addresses {
        assert!(!address.contains("/0.0.0.0/"), "{address}");
        assert!(!has_network || !address.contains("/127."), "{address}");
        if let Some(socket) = tcp(address) {
            TcpStream::connect(socket).unwrap_or_else(|error| panic!("{address}: {error}"));
        }
    }
    let _laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    both_hold_the_same(&surgery, &laptop, &record);
}

fn tcp(address: &str) -> Option<SocketAddr> {
    let parts: Vec<_> = address.split('/').collect();
    match parts.as_slice() {
        ["", "ip4", ip, "tcp", port] => format!("{ip}:{port}").parse().ok(),
        _ => None,
    }
}

#[test]
fn what_the_owner_says_of_where_a_node_is_comes_first_and_is_looked_up_when_dialled() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let port = free_port();
    let name = format!("localhost:{port}");
    let listen = format!("127.0.0.1:{port}");
    let runs = surgery.running_at(["--listen", &listen, "--reachable-at", &name]);
    assert_eq!(runs.addresses[0], format!("/dns/localhost/tcp/{port}"));
    let _laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    both_hold_the_same(&surgery, &laptop, &record);

    let wrong = surgery
        .kith(["run", "--reachable-at", "riverside"])
        .ended(1);
    assert!(wrong.err.contains("running already"), "{wrong}");
    let wrong = laptop.kith(["run", "--listen", "somewhere"]).ended(1);
    assert!(wrong.err.contains("running already"), "{wrong}");
    drop(runs);
    let wrong = surgery
        .kith(["run", "--reachable-at", "riverside"])
        .ended(2);
    assert!(wrong.err.contains("riverside.example:4712"), "{wrong}");
}

#[test]
fn a_node_that_was_away_is_called_until_it_is_back_and_status_says_so() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let listen = format!("127.0.0.1:{}", free_port());
    let surgery_runs = surgery.running_at(["--listen", &listen]);
    let _laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    until("the laptop says that all is well", || {
        connection(&laptop)["state"] == "up to date"
    });
    assert!(connection(&laptop)["why"].is_null());
    laptop.note(&record, "Taken at once");
    until("nothing waits any more", || {
        let now = connection(&laptop);
        now["state"] == "up to date" && now["waits"] == false
    });

    drop(surgery_runs);
    until("the laptop says why it waits, and until when", || {
        let now = connection(&laptop);
        now["state"] == "not connected"
            && now["why"]
                .as_str()
                .is_some_and(|why| why.contains("does not answer"))
            && now["next_try"].is_string()
    });
    let left = connection(&laptop);
    assert_eq!(left["waits"], false, "{left}");
    laptop.note(&record, "Written while nobody listened");
    let waits = connection(&laptop);
    assert_eq!(waits["waits"], true, "{waits}");

    let _back = surgery.running_at(["--listen", &listen]);
    until("the surgery has what waited", || {
        let shown = surgery.show(&record).to_string();
        shown.contains("Written while nobody listened")
    });
    until("the laptop says so", || {
        connection(&laptop)["state"] == "up to date"
    });
}

#[test]
fn a_laptop_that_moved_says_where_it_is_now_and_is_called_there() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = surgery.running();
    let at_home = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    both_hold_the_same(&surgery, &laptop, &record);
    drop(at_home);

    // It comes back on another port and calls. Then the surgery starts again somewhere else, so
    // that only the surgery knows where the other is.
    let _elsewhere = laptop.running();
    until("the two talk", || {
        connection(&surgery)["state"] == "up to date"
    });
    drop(_surgery_runs);
    let _surgery_moved = surgery.running();
    surgery.note(&record, "Written after both had moved");
    until("the surgery calls the laptop where it is now", || {
        laptop
            .show(&record)
            .to_string()
            .contains("Written after both had moved")
    });
}
