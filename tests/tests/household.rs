//! A household over two real nodes that share nothing but texts.

use crate::harness::{Node, until};

fn states(node: &Node, record: &str) -> Vec<(String, String)> {
    let shown = node.json(["household", "show", record]);
    let links = shown["links"].as_array().expect("links").clone();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let line = |link: &serde_json::Value| (text(&link["what"]), text(&link["state"]));
    links.iter().map(line).collect()
}

#[test]
fn two_families_agree_by_text_and_a_third_node_reads_it_in_the_circle() {
    let tablet = Node::set_up("Ada's tablet", "person");
    let laptop = Node::set_up("Bert's laptop", "person");
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let hers = tablet.begins("Penn", "Ada", "1950-01-31");
    let his = laptop.begins("Penn", "Bert", "1948-03-02");
    let _tablet_runs = tablet.running();
    surgery.join(&tablet.share(&hers, "all", "tasks"));
    let _surgery_runs = surgery.running();

    let offered = tablet.json([
        "household",
        "offer",
        &hers,
        "--bond",
        "lives-with",
        "--with",
        "my husband",
        "--reach",
        "0113 496 0000",
    ]);
    let offer = offered["text"].as_str().expect("a text").to_owned();
    let file = laptop.file("offer.txt", &offer);
    let refused = laptop.kith(["household", "answer", &his, file.to_str().expect("a path")]);
    refused.ended(4);
    assert!(states(&laptop, &his).is_empty());

    // As a mail program breaks it.
    let broken: Vec<&str> = offer
        .as_bytes()
        .chunks(60)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    let file = laptop.file("offer.txt", broken.join("\r\n"));
    let answered = laptop.json([
        "household",
        "answer",
        &his,
        file.to_str().expect("a path"),
        "--yes",
    ]);
    let answer = answered["text"].as_str().expect("a text").to_owned();
    tablet.json(["household", "take-in", &hers, &answer]);
    let agreed = ("Lives with Bert Penn".to_owned(), "agreed".to_owned());
    assert_eq!(states(&tablet, &hers), std::slice::from_ref(&agreed));
    assert_eq!(
        states(&laptop, &his),
        [("Lives with Ada Penn".to_owned(), "agreed".to_owned())]
    );
    until("the surgery reads it", || {
        states(&surgery, &hers) == std::slice::from_ref(&agreed)
    });
    assert!(!answer.contains(&his) && !offer.contains(&hers));

    let ended = laptop.json(["household", "end", &his, "Ada Penn"]);
    let end = ended["text"].as_str().expect("a text").to_owned();
    surgery
        .kith(["household", "take-in", &hers, &end])
        .ended(13);
    tablet.json(["household", "take-in", &hers, &end]);
    until("the surgery knows that it is over", || {
        states(&surgery, &hers)[0].1 == "ended"
    });
    tablet.verify(&hers);
}
