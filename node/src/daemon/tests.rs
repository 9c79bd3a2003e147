use std::time::Duration;

use super::Daemon;
use crate::{
    failure::Ending,
    home::{Home, Unlock},
    node::{Node, Role},
    whereabouts::ReachableAt,
};

#[tokio::test]
async fn a_node_that_is_broken_does_not_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    Node::set_up(&home, "Sam", Role::Person, &Unlock::KeyFile).expect("a node");
    let started = Daemon::start(home.clone(), Unlock::KeyFile).await;
    let mut daemon = started.expect("it starts");
    let here = ["127.0.0.1:0".to_owned()];
    let listening = daemon.listen(&here, ReachableAt::default()).await;
    listening.expect("it listens");
    let driver = daemon.driver.clone();
    let runs = tokio::spawn(daemon.run(std::future::pending()));
    let asked = driver
        .ask::<()>(|_| panic!("as a fault in the node would"))
        .await;
    asked.expect_err("the node is broken");
    let ended = tokio::time::timeout(Duration::from_mins(1), runs).await;
    let ended = ended.expect("it ends").expect("in order");
    assert_eq!(ended.expect_err("and says so").ending, Ending::Failed);
    assert!(!home.socket().exists(), "nobody is kept waiting");
}
