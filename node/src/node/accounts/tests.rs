use tempfile::TempDir;

use super::{Account, TRIES};
use crate::{
    api::{Keep, Leaving, NewStaff, Request},
    home::{Home, Unlock},
    node::{Node, Role},
};

fn practice() -> (TempDir, Node) {
    let folder = TempDir::new().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    Node::set_up(&home, "Riverside Surgery", Role::Practice, &Unlock::KeyFile).expect("set up");
    let mut node = Node::open(&home, &Unlock::KeyFile).expect("opened");
    node.handle(
        Request::StaffAdd(NewStaff {
            name: "Sam Field".to_owned(),
            role: "nurse".to_owned(),
            may: "see,add".to_owned(),
            until: None,
        }),
        &mut |_| {},
    )
    .expect("entered");
    (folder, node)
}

fn begun(node: &mut Node) -> kith_protocol::id::StaffId {
    let (_, code) = node.account_code("Sam Field").expect("a code");
    let chosen = (vec![1; 16], vec![2; 32]);
    node.account_begin(&code, chosen.clone(), 7).expect("begun");
    assert!(
        node.account_begin(&code, chosen, 8).is_err(),
        "a code begins one account"
    );
    let found = node.account_named("sam field").expect("read");
    found.expect("an account").staff
}

#[test]
fn no_code_of_the_hour_is_used_twice() {
    let (_folder, mut node) = practice();
    let staff = begun(&mut node);
    assert!(node.account_tried(staff, Some(7)).is_err(), "used to begin");
    node.account_tried(staff, Some(8)).expect("the next");
    assert!(node.account_tried(staff, Some(8)).is_err());
}

#[test]
fn after_some_wrong_tries_one_has_to_wait() {
    let (_folder, mut node) = practice();
    let staff = begun(&mut node);
    for _ in 0..TRIES {
        assert!(node.account_named("Sam Field").expect("read").is_some());
        node.account_tried(staff, None).expect("noted");
    }
    assert!(node.account_named("Sam Field").is_err(), "has to wait");
}

#[test]
fn whoever_left_has_no_account_and_does_nothing() {
    let (_folder, mut node) = practice();
    let staff = begun(&mut node);
    assert!(
        node.acting_as(Some(staff), |node| node
            .handle(Request::RecordList, &mut |_| {}))
            .is_ok()
    );
    let leaving = Leaving {
        who: "Sam Field".to_owned(),
        keep: Keep::All,
    };
    node.handle(Request::StaffEnd(leaving), &mut |_| {})
        .expect("ended");
    assert!(node.account_named("Sam Field").expect("read").is_none());
    assert!(node.acting_as(Some(staff), |_| Ok(())).is_err());
    assert_eq!(Account::default().passphrase(), None);
}
