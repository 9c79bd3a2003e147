//! The pages of real nodes over plain sockets: the first five minutes, what goes wrong in them, and
//! what an attacker on the same machine or in another tab of the browser sends.

mod attacks;
mod bringing;
mod doubts;
mod first_minutes;
mod flood;
mod history;
pub mod late;
mod other_user;
mod paper;
mod sizes;
mod visits;

use crate::harness::{
    Node, Running,
    pages::{Answer, Visitor},
    sample,
};

/// A surgery with a record, that runs, and somebody who has come into its pages.
struct Surgery {
    node: Node,
    record: String,
    visitor: Visitor,
    runs: Running,
}

impl Surgery {
    fn open() -> Self {
        let node = Node::set_up("Riverside Surgery", "practice");
        let record = node.import(&sample("ips.json"));
        let runs = node.running();
        let visitor = node.visited();
        Self {
            node,
            record,
            visitor,
            runs,
        }
    }

    fn page(&self, path: &str) -> String {
        format!("/r/{}{path}", self.record)
    }
}

/// The file in which an answer comes, where it is one.
fn file_name(answer: &Answer) -> &str {
    answer.header("content-disposition").unwrap_or_default()
}
