//! What several people look at together is entered together, before any of them sees it.

use kith_protocol::id::RecordId;

use crate::{
    api::Request,
    node::{Node, peers::tests::Place},
};

fn looks(node: &mut Node, record: RecordId) {
    let record = record.to_string();
    let shown = node.one_look(|node| node.handle(Request::Show { record }, &mut |_| {}));
    shown.expect("it is shown");
}

fn entered(node: &Node) -> usize {
    node.access_log().expect("a log that is whole").len()
}

#[test]
fn looks_that_are_gathered_are_links_of_one_chain_in_one_commit() {
    let mut place = Place::new("Sam's laptop");
    let records = [place.record(), place.record()];
    let node = &mut place.node;
    let before = entered(node);
    node.gather_looks();
    for record in records {
        looks(node, record);
        looks(node, record);
    }
    assert_eq!(entered(node), before, "nothing is on the disk yet");
    node.enter_looks().expect("there is room");
    assert_eq!(entered(node), before + 4);
    looks(node, records[0]);
    assert_eq!(entered(node), before + 5, "the chain goes on");
    node.enter_looks().expect("nothing was gathered");
    assert_eq!(entered(node), before + 5);
}
