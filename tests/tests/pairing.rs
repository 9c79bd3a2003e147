//! Two people meet for the first time: by four words, by a link, on paper; and a second device.

mod another_device;
mod paper;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::harness::{Node, contains, never, sample, skipped, text, until};

fn surgery_and_laptop() -> (Node, Node, String) {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam's laptop", "person");
    let record = surgery.import(&sample("ips.json"));
    (surgery, laptop, record)
}

/// An invitation to see a record, as a program makes it.
fn invitation(surgery: &Node, record: &str, more: &[&str]) -> Value {
    let words = ["share", record, "--see", "all", "--add", "daily-care"];
    let until = ["--until", "2099-12-31"];
    surgery.json(words.iter().chain(&until).chain(more))
}

fn said<'a>(invitation: &'a Value, name: &str) -> &'a str {
    let said = invitation[name].as_str();
    said.unwrap_or_else(|| panic!("no {name} in {invitation}"))
}

/// Where a node is, as its invitation says it.
fn place(invitation: &Value) -> &str {
    let place = invitation["at"][0].as_str();
    place.unwrap_or_else(|| panic!("no place in {invitation}"))
}

/// The words of an invitation with another one at the end.
fn misheard(invitation: &Value) -> String {
    let words = said(invitation, "words");
    let (rest, last) = words.rsplit_once(' ').expect("four words");
    let other = if last == "lamp" { "river" } else { "lamp" };
    format!("{rest} {other}")
}

fn begun(node: &Node, words: &[&str]) -> Child {
    let mut command = node.command(words);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("kith can be started")
}

fn shares(node: &Node, record: &str) -> Vec<Value> {
    let sharing = node.json(["sharing", record]);
    sharing["shares"].as_array().cloned().unwrap_or_default()
}

fn is_in(state: &str) -> impl Fn(&Value) -> bool {
    move |share| share["state"] == state
}

fn same_digests(one: &Node, other: &Node, record: &str) -> bool {
    one.digest(record) == other.digest(record)
}

fn records(node: &Node) -> usize {
    let list = node.json(["record", "list"]);
    list["records"].as_array().map_or(0, Vec::len)
}

#[test]
fn four_words_said_on_the_telephone_share_a_record_and_end_the_link() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    let invited = invitation(&surgery, &record, &[]);
    let typed = said(&invited, "words").to_uppercase().replace(' ', ", ");
    let joined = laptop.json(["join", place(&invited), &typed, "--yes"]);
    assert_eq!(joined["record"], record.as_str());
    assert_eq!(joined["from"], "Riverside Surgery");
    until("the laptop holds the same record", || {
        same_digests(&surgery, &laptop, &record)
    });
    laptop.note(&record, "Slept badly");
    until("the note reaches the surgery", || {
        contains(&surgery.ndjson(&record), "Slept badly")
    });
    // One invitation, two doors: nobody else comes in by the link.
    let other = Node::set_up("Somebody", "person");
    let ran = other.kith(["join", "--link", said(&invited, "link"), "--yes"]);
    assert!(ran.ended(13).err.contains("Somebody else has used"));
    assert!(!shares(&surgery, &record).iter().any(is_in("waiting")));
}

#[test]
fn on_one_network_the_words_alone_are_enough() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running_at(["--listen", "0.0.0.0:0"]);
    let invited = invitation(&surgery, &record, &[]);
    if place(&invited).starts_with("127.") {
        skipped("this machine has no network on which a node could be found");
        return;
    }
    let joined = laptop.json(["join", said(&invited, "words"), "--yes"]);
    assert_eq!(joined["record"], record.as_str());
}

#[test]
fn wrong_words_end_the_words_tell_their_maker_and_leave_the_link() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let invited = invitation(&surgery, &record, &[]);
    let at = place(&invited);

    // A word that is none of ours is asked about, and nothing is tried.
    let typed = said(&invited, "words").replace(' ', "x ");
    let ran = laptop.kith(["join", at, &typed, "--yes"]).ended(2);
    assert!(ran.err.contains("none of kith's words"), "{ran}");
    assert_eq!(
        surgery.json(["status"])["problems"],
        Value::Array(Vec::new())
    );

    let ran = laptop.kith(["join", at, &misheard(&invited), "--yes"]);
    let ran = ran.ended(13);
    assert!(ran.err.contains("The words did not match"), "{ran}");
    let status = surgery.json(["status"]).to_string();
    assert!(status.contains("wrong words"), "{status}");
    let review = surgery.json(["review", &record]).to_string();
    assert!(review.contains("wrong words were tried"), "{review}");

    let ran = laptop.kith(["join", at, said(&invited, "words"), "--yes"]);
    assert!(
        ran.ended(13).err.contains("did not match"),
        "there is one attempt"
    );
    assert_eq!(records(&laptop), 0);

    let joined = laptop.join(said(&invited, "link"));
    assert_eq!(joined["record"], record.as_str());
    assert!(same_digests(&surgery, &laptop, &record));
    let status = surgery.json(["status"]).to_string();
    assert!(!status.contains("wrong words"), "it is over: {status}");
}

#[test]
fn who_says_no_stores_nothing_and_the_maker_hears_of_it() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    let invited = invitation(&surgery, &record, &[]);
    // Nobody can be asked whether it is the right person, so it is not.
    let ran = laptop.kith(["join", place(&invited), said(&invited, "words")]);
    assert!(ran.ended(4).err.contains("was not accepted"));
    assert_eq!(records(&laptop), 0);
    assert_eq!(
        laptop.json(["status"])["connections"],
        Value::Array(Vec::new())
    );
    assert_eq!(
        surgery.json(["status"])["connections"],
        Value::Array(Vec::new())
    );
    let review = surgery.json(["review"]).to_string();
    assert!(review.contains("an invitation was declined"), "{review}");
    assert!(shares(&surgery, &record).iter().all(is_in("waiting")));
    laptop.join(said(&invited, "link"));
}

#[test]
fn who_comes_with_a_link_waits_until_the_check_words_were_compared() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let surgery_runs = surgery.running();
    let invited = invitation(&surgery, &record, &["--confirm"]);
    let link = said(&invited, "link").to_owned();
    let mut joining = begun(&laptop, &["join", "--link", &link, "--yes"]);
    let said_there = BufReader::new(joining.stdout.take().expect("it is piped"));
    let mut lines = said_there.lines().map(|line| line.expect("it can be read"));
    assert!(
        lines.any(|line| line.contains("Ctrl-C stops the waiting")),
        "the laptop waits"
    );
    let review = surgery.json(["review"]).to_string();
    assert!(review.contains("somebody wants to join") && review.contains("Sam's laptop"));
    joining.kill().expect("the daughter does not wait");
    joining.wait().expect("it ends");
    assert_eq!(records(&laptop), 0, "nothing before it was confirmed");
    assert!(!shares(&surgery, &record).iter().any(is_in("active")));

    let id = said(&invited, "invitation");
    let review = surgery.json(["review"])["items"][0].clone();
    let words = said(&review, "what")
        .rsplit(": ")
        .next()
        .expect("check words");
    assert!(laptop.json(["status"]).to_string().contains(words));

    // Somebody else who got hold of the link is not let in meanwhile.
    let thief = Node::set_up("Somebody", "person");
    let ran = thief.kith(["join", "--link", &link, "--yes"]).ended(13);
    assert!(ran.err.contains("Somebody else has used"), "{ran}");

    surgery.json(["review", "admit", id]);
    let _laptop_runs = laptop.running();
    until("what was confirmed comes by itself", || {
        records(&laptop) == 1 && same_digests(&surgery, &laptop, &record)
    });
    assert!(
        !laptop
            .json(["status"])
            .to_string()
            .contains("has to confirm")
    );
    drop(surgery_runs);
}

#[test]
fn who_waits_at_the_terminal_is_let_in_or_told_no() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    for (yes, code) in [(true, 0), (false, 13)] {
        let invited = invitation(&surgery, &record, &["--confirm"]);
        let link = said(&invited, "link");
        let mut joining = begun(&laptop, &["join", "--link", link, "--yes"]);
        until("the surgery is asked", || {
            let review = surgery.json(["review", &record]).to_string();
            review.contains("somebody wants to join")
        });
        let word = if yes { "admit" } else { "decline" };
        surgery.json(["review", word, said(&invited, "invitation")]);
        let ended = joining.wait().expect("it ends");
        assert_eq!(ended.code(), Some(code));
    }
    let active = shares(&surgery, &record);
    assert_eq!(
        active.iter().filter(|share| is_in("active")(share)).count(),
        1
    );
}

#[test]
fn an_invitation_that_waits_is_listed_without_its_secret_and_taken_back() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let invited = invitation(&surgery, &record, &[]);
    let listed = surgery.json(["sharing", &record]).to_string();
    assert!(!listed.contains(said(&invited, "link")) && !listed.contains(said(&invited, "words")));
    let waiting = shares(&surgery, &record);
    assert!(waiting.iter().all(is_in("waiting")) && waiting.len() == 1);
    let id = said(&waiting[0], "id");
    assert_eq!(id, said(&invited, "invitation"));
    surgery.json(["stop", &record, id]);
    assert!(shares(&surgery, &record).is_empty());
    laptop
        .kith(["join", place(&invited), said(&invited, "words"), "--yes"])
        .ended(13);
    let ran = laptop.kith(["join", "--link", said(&invited, "link"), "--yes"]);
    assert!(ran.ended(13).err.contains("was used already"));
}

#[test]
fn whoever_guesses_is_slowed_down_and_the_words_still_hold() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let invited = invitation(&surgery, &record, &[]);
    let own = said(&invited, "words").split(' ').next().expect("a word");
    let guessed = if own == "lamp" { "river" } else { "lamp" };
    let guess = format!("{guessed} {guessed} {guessed} {guessed}");
    let stranger = Node::set_up("Somebody", "person");
    let mut slowed = false;
    for _ in 0..12 {
        let ran = stranger.kith(["join", place(&invited), &guess, "--yes"]);
        slowed |= ran.code == Some(75);
    }
    assert!(slowed, "ten attempts a minute");
    never("the guesses end the words", || {
        surgery.json(["status"]).to_string().contains("wrong words")
    });
    laptop.join(said(&invited, "link"));
}

#[test]
fn a_link_that_is_asked_for_again_by_the_same_node_gives_the_same() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let link = said(&invitation(&surgery, &record, &[]), "link").to_owned();
    laptop.join(&link);
    let again = laptop.join(&link);
    assert_eq!(again["record"], record.as_str());
    assert_eq!(shares(&surgery, &record).len(), 1);
}

#[test]
fn the_file_of_a_sheet_that_cannot_be_written_is_said() {
    let (surgery, _, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let nowhere = surgery.beside("no folder/sheet.html");
    let words = ["share", &record, "--see", "all", "--until", "2099-12-31"];
    let ran = surgery.kith(words.iter().chain(&["--sheet", text(&nowhere)]));
    assert!(ran.ended(1).err.contains("could not be written"));
}
