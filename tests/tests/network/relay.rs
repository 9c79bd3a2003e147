//! Two laptops that cannot reach each other, and the practice that both can reach.
//!
//! Each is in a network namespace of its own, with a cable to the practice's, which does not
//! forward.

use std::process::Command;

use super::both_hold_the_same;
use crate::harness::{Node, Running, kith, sample, skipped, until};

/// Says that it must not be left out.
const REQUIRED: &str = "KITH_TEST_NETNS_REQUIRED";

/// Three networks of this machine, gone when the story ends.
struct Networks {
    name: String,
}

impl Networks {
    /// Nothing where this machine does not let us make any.
    fn lay() -> Option<Self> {
        let networks = Self {
            name: format!("kith-{}", std::process::id()),
        };
        match networks.laid() {
            Ok(()) => Some(networks),
            Err(error) => {
                assert!(std::env::var_os(REQUIRED).is_none(), "{error}");
                skipped(&format!("relays; no network namespaces here ({error})"));
                None
            }
        }
    }

    fn laid(&self) -> Result<(), String> {
        for side in ["practice", "a", "b"] {
            let space = self.space(side);
            ip(&["netns", "add", &space])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        for (n, side) in [(1, "a"), (2, "b")] {
            let (here, there) = (self.space("practice"), self.space(side));
            let (near, far) = (format!("to-{side}"), "cable");
            ip(&[
                "-n", &here, "link", "add", &near, "type", "veth", "peer", "name", far, "netns",
                &there,
            ])?;
            for (space, link, last) in [(&here, near.as_str(), 1), (&there, far, 2)] {
                let address = format!("10.77.{n}.{last}/24");
                ip(&["-n", space, "address", "add", &address, "dev", link])?;
                ip(&["-n", space, "link", "set", link, "up"])?;
            }
        }
        Ok(())
    }

    fn space(&self, side: &str) -> String {
        format!("{}-{side}", self.name)
    }

    /// A node that runs on that side.
    #[track_caller]
    fn running(&self, side: &str, node: &Node) -> Running {
        let kith_run = node.command(["--json", "run", "--listen", "0.0.0.0:4712"]);
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.space(side)])
            .arg(kith());
        command.args(kith_run.get_args());
        node.started(command)
    }

    fn can_reach(&self, side: &str, address: &str) -> bool {
        let space = self.space(side);
        let port = format!("exec 3<>/dev/tcp/{address}/4712");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &space, "timeout", "5", "bash", "-c", &port]);
        command.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for side in ["practice", "a", "b"] {
            // Whatever was made of it is gone with it; what was not made is no matter.
            let _gone = ip(&["netns", "del", &self.space(side)]);
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", words.join(" "), said.trim()))
}

fn is_carried(node: &Node) -> bool {
    node.json(["status"])["addresses"]
        .to_string()
        .contains("/p2p-circuit")
}

#[test]
fn what_one_laptop_writes_reaches_the_other_through_the_practice_that_does_not_hold_it() {
    let Some(networks) = Networks::lay() else {
        return;
    };
    let practice = Node::set_up("Riverside Surgery", "practice");
    let (ada, sam) = (
        Node::set_up("Ada's laptop", "person"),
        Node::set_up("Sam's laptop", "person"),
    );
    let known = practice.import(&sample("ips.json"));
    let _practice_runs = networks.running("practice", &practice);
    let _ada_runs = networks.running("a", &ada);
    let _sam_runs = networks.running("b", &sam);
    assert!(
        networks.can_reach("a", "10.77.1.1"),
        "the practice is there"
    );
    assert!(
        !networks.can_reach("a", "10.77.2.2"),
        "the other laptop is not"
    );
    assert!(!is_carried(&ada), "nobody relays for somebody unknown");

    for laptop in [&ada, &sam] {
        laptop.join(&practice.share(&known, "all", "daily-care"));
        until("the practice keeps a way open", || is_carried(laptop));
    }
    let made = ada.json(["record", "new", "--family", "Underhill", "--given", "Ada"]);
    let own = made["record"].as_str().expect("it has an id").to_owned();
    sam.join(&ada.share(&own, "all", "daily-care"));
    both_hold_the_same(&ada, &sam, &own);
    ada.note(&own, "Carried by the practice");
    until("the note reaches the other laptop", || {
        sam.show(&own)
            .to_string()
            .contains("Carried by the practice")
    });
    sam.note(&own, "And back again");
    until("the answer reaches the first", || {
        ada.show(&own).to_string().contains("And back again")
    });
    let held = practice.json(["record", "list"]).to_string();
    assert!(!held.contains(&own), "the practice holds none of it");
}
