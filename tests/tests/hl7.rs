//! HL7 v2 messages over real sockets into nodes that really run.

mod fall;
mod laboratory;
mod listening;
mod lost;
mod page;
mod sender;

use serde_json::Value;

use crate::harness::{Node, Running, until};

pub use sender::Sender;

/// A hospital that listens for messages, and runs.
pub struct Hospital {
    pub node: Node,
    pub running: Running,
}

impl Hospital {
    pub fn listens() -> Self {
        let node = Node::set_up("Castlebridge", "hospital");
        node.json(["connect", "hl7", "--listen", "127.0.0.1:0"]);
        let running = node.running();
        Self { node, running }
    }

    pub fn sender(&self) -> Sender {
        Sender::to(self.running.hl7.as_deref().expect("it listens"))
    }

    /// Every message, once none waits for the node.
    pub fn inbox(&self) -> Vec<Value> {
        settled(&self.node)
    }

    /// The one message with this number at its sender.
    pub fn message(&self, control_id: &str) -> Value {
        let mut all = self.inbox();
        all.retain(|message| message["control_id"] == control_id);
        assert_eq!(all.len(), 1, "{control_id}");
        all.remove(0)
    }

    /// The record in which a message stands.
    pub fn record(&self, control_id: &str) -> String {
        let message = self.message(control_id);
        let record = message["record"].as_str();
        record.unwrap_or_else(|| panic!("{message}")).to_owned()
    }
}

/// Every message of a node, once none waits for it.
pub fn settled(node: &Node) -> Vec<Value> {
    let mut all = Vec::new();
    until("every message was looked at", || {
        let shown = node.json(["inbox", "--all"]);
        all = shown["messages"].as_array().expect("messages").clone();
        shown["wait"] == 0
    });
    all
}

/// A message of a hospital's system about Ada Penn.
pub fn message(kind: &str, control_id: &str, when: &str, rest: &[&str]) -> String {
    let mut text = format!(
        "MSH|^~\\&|ADT|RXH|KITH|GP|{when}||{kind}|{control_id}|P|2.5.1\rEVN||{when}\rPID|1||77^^^RXH^MR||Penn^Ada||19410203|F\r"
    );
    for segment in rest {
        text.push_str(segment);
        text.push('\r');
    }
    text
}

/// Now, as HL7 writes it.
pub fn now() -> String {
    let now = std::process::Command::new("date")
        .args(["-u", "+%Y%m%d%H%M%S+0000"])
        .output()
        .expect("the time is known");
    String::from_utf8_lossy(&now.stdout).trim().to_owned()
}
