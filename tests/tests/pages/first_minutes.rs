//! From the program and two empty folders to a shared record, in the pages and with few answers;
//! and what is said and offered when it goes wrong.

use std::{path::Path, process::Command};

use crate::harness::{
    Node,
    pages::{Opened, Page, Visitor, attributes, tags, text_of},
    skipped, until,
};

/// So many answers are asked of each at most.
const ANSWERS_MAX: usize = 6;

/// Somebody at the pages of their own machine, with how often they had to answer.
struct Person {
    node: Node,
    opened: Opened,
    visitor: Visitor,
    answers: usize,
}

impl Person {
    /// `kith ui` on a machine where there was never a node.
    fn begins() -> Self {
        let node = Node::nowhere();
        let opened = node.opened();
        let visitor = Visitor::enter(&opened.link);
        Self {
            node,
            opened,
            visitor,
            answers: 0,
        }
    }

    /// Presses a button, which is one answer.
    #[track_caller]
    fn presses(&mut self, page: &Page, fields: &[(&str, &str)], button: &str) -> Page {
        self.answers += 1;
        let mut form = page.form(button);
        for (name, value) in fields {
            form = form.with(name, value);
        }
        form.press(&self.visitor, button)
    }

    /// Follows a link to where it leads.
    #[track_caller]
    fn goes(&self, page: &Page, to: &str) -> Page {
        let links = page.links();
        let link = links.iter().find(|link| link.ends_with(to));
        let link = link.unwrap_or_else(|| panic!("no link to {to} on {}: {links:?}", page.path));
        self.visitor.page(link)
    }

    /// Starts with a record of one's own.
    fn starts_a_record(&mut self) -> String {
        let welcome = self.visitor.page("/");
        let start = self.goes(&welcome, "/start/record");
        assert!(
            !self.node.home().exists(),
            "nothing is made before the answer"
        );
        let about = [
            ("name", "Ada's laptop"),
            ("family", "Okoro"),
            ("given", "Ada"),
        ];
        let sheet = self
            .presses(&start, &about, "Start")
            .says("Your recovery sheet");
        let record = self.presses(&sheet, &[], "I have it").says("Summary").path;
        record.trim_start_matches("/r/").to_owned()
    }

    /// Invites somebody to the record; the page of the invitation.
    fn shares(&mut self, record: &str) -> Page {
        let sharing = self.visitor.page(&format!("/r/{record}/sharing"));
        let new = self.goes(&sharing, "/sharing/new");
        self.presses(&new, &[], "Share").says("Say four words")
    }

    /// Accepts an invitation on a new machine; the page that shows how it goes.
    fn accepts(&mut self, said: &str, host: &str) -> Page {
        let welcome = self.visitor.page("/");
        let start = self.goes(&welcome, "/start/invitation");
        assert!(
            !self.node.home().exists(),
            "nothing is made before the answer"
        );
        let about = [("said", said), ("host", host), ("name", "Sam's laptop")];
        let sheet = self.presses(&start, &about, "Look who it is from");
        self.presses(&sheet.says("Your recovery sheet"), &[], "I have it")
    }

    fn says_yes(&mut self, joining: &Page) -> String {
        let offer = self
            .visitor
            .until_it_says(&joining.path, "Is this the right person?");
        self.presses(&offer, &[], "Yes, that is right").path
    }

    #[track_caller]
    fn answered_little(&self) {
        assert!(self.answers <= ANSWERS_MAX, "{} answers", self.answers);
    }
}

/// What stands in the element with a class or id that has these words for it.
fn marked(page: &Page, name: &str, attribute: (&str, &str)) -> String {
    let html = page.answer.html();
    let tag = tags(&html, name).into_iter().find(|tag| {
        let mut attributes = attributes(tag).into_iter();
        attributes.any(|(name, value)| (name.as_str(), value.as_str()) == attribute)
    });
    let tag = tag.unwrap_or_else(|| panic!("no {attribute:?} on {}", page.path));
    let (_, rest) = html.split_once(&format!("<{tag}>")).expect("it is there");
    let (inside, _) = rest.split_once(&format!("</{name}>")).expect("it ends");
    text_of(inside)
}

/// The words of an invitation, its link, and where its maker is.
fn doors(invitation: &Page) -> (String, String, String) {
    (
        marked(invitation, "p", ("id", "words")),
        marked(invitation, "p", ("id", "link")),
        tags(&invitation.answer.html(), "kbd")
            .first()
            .map(|_| {
                let html = invitation.answer.html();
                let (_, rest) = html.split_once("<kbd>").expect("it is there");
                text_of(rest.split_once("</kbd>").expect("it ends").0)
            })
            .unwrap_or_default(),
    )
}

#[test]
fn four_words_share_a_record_in_few_answers_on_each_side() {
    let (mut ada, mut sam) = (Person::begins(), Person::begins());
    let record = ada.starts_a_record();
    let invitation = ada.shares(&record);
    let (words, _, place) = doors(&invitation);
    assert_eq!(words.split(' ').count(), 4, "{words}");
    let joining = sam.accepts(&words, &place);
    let path = sam.says_yes(&joining);
    let here = sam.visitor.until_it_says(&path, "It is here");
    sam.goes(&here, &record).says("Summary");
    ada.visitor.until_it_says(&invitation.path, "has joined");
    until("both hold the same record", || {
        ada.node.digest(&record) == sam.node.digest(&record)
    });
    ada.answered_little();
    sam.answered_little();
}

#[test]
fn a_link_shares_once_both_have_compared_check_words() {
    let (mut ada, mut sam) = (Person::begins(), Person::begins());
    let record = ada.starts_a_record();
    let invitation = ada.shares(&record);
    let (_, link, _) = doors(&invitation);
    let joining = sam.accepts(&link, "");
    let path = sam.says_yes(&joining);
    let theirs = sam
        .visitor
        .until_it_says(&path, "has to confirm that it is you");
    let review = ada.visitor.page("/review").says("Somebody wants to join");
    let asked = ada.goes(&review, &invitation.path);
    let class = ("class", "words");
    assert_eq!(marked(&asked, "p", class), marked(&theirs, "p", class));
    ada.presses(&asked, &[], "Their check words are the same");
    sam.visitor.until_it_says(&path, "It is here");
    ada.answered_little();
    sam.answered_little();
}

#[test]
fn wrong_check_words_share_nothing_and_both_are_told() {
    let (mut ada, mut sam) = (Person::begins(), Person::begins());
    let record = ada.starts_a_record();
    let invitation = ada.shares(&record);
    let (_, link, _) = doors(&invitation);
    let joining = sam.accepts(&link, "");
    let path = sam.says_yes(&joining);
    let asked = ada.visitor.until_it_says(&invitation.path, "wants to join");
    ada.presses(&asked, &[], "They are not the same")
        .says("Nothing was shared");
    let told = sam.visitor.until_it_says(&path, "That was not done");
    sam.goes(&told, "/join").says("The four words, or the link");
    assert_eq!(
        sam.node.json(["record", "list"])["records"],
        serde_json::json!([])
    );
    // There is a way on: a new invitation.
    let again = ada.shares(&record);
    assert_ne!(doors(&again).1, link);
}

#[test]
fn a_lost_invitation_is_taken_back_and_opens_nothing() {
    let (mut ada, mut sam) = (Person::begins(), Person::begins());
    let record = ada.starts_a_record();
    let invitation = ada.shares(&record);
    let (_, link, _) = doors(&invitation);
    // Whoever opened the pages anew sees no secret of it, and can take it back.
    let later = Visitor::enter(&ada.node.link());
    let sharing = later
        .page(&format!("/r/{record}/sharing"))
        .says("Waiting for somebody");
    assert!(
        sharing.links().contains(&invitation.path),
        "{:?}",
        sharing.links()
    );
    let back = ada.visitor.page(&invitation.path);
    ada.presses(&back, &[], "Take the invitation back")
        .says("was taken back");
    let joining = sam.accepts(&link, "");
    let told = sam
        .visitor
        .until_it_says(&joining.path, "That was not done");
    let told = told.says("was used already, has ended, or was never made there");
    sam.goes(&told, "/join").says("The four words, or the link");
}

#[test]
fn a_mistyped_word_is_asked_about_and_makes_nothing() {
    let mut sam = Person::begins();
    let start = sam.visitor.page("/start/invitation");
    let about = |said| [("said", said), ("name", "Sam's laptop")];
    let told = sam.presses(
        &start,
        &about("bich lamp river forty"),
        "Look who it is from",
    );
    let told = told.says("did you mean birch?").says("They still hold");
    assert!(!told.links().is_empty(), "there is a way on");
    let told = sam.presses(&start, &about("birch lamp river"), "Look who it is from");
    told.says("has four words, and here are 3");
    let told = sam.presses(&start, &about("kith:nonsense"), "Look who it is from");
    assert!(told.answer.status >= 400);
    assert!(!told.answer.text().to_lowercase().contains("invalid"));
    assert!(!sam.node.home().exists(), "nothing was made");
}

/// What lets a program believe that it is later.
fn later_clock() -> Option<&'static str> {
    const LIBRARIES: [&str; 3] = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/faketime/libfaketimeMT.so.1",
    ];
    let found = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    let is_required = std::env::var("KITH_TEST_CLOCK_REQUIRED").is_ok_and(|said| said == "1");
    assert!(found.is_some() || !is_required, "libfaketime is not here");
    found
}

#[test]
fn an_expired_invitation_is_said_to_have_ended() {
    let Some(library) = later_clock() else {
        skipped("an invitation that has ended: that needs libfaketime");
        return;
    };
    let (mut ada, mut sam) = (Person::begins(), Person::begins());
    let record = ada.starts_a_record();
    let invitation = ada.shares(&record);
    let (_, link, place) = doors(&invitation);
    let Person { node, opened, .. } = ada;
    drop(opened);
    // Eight days later; links hold for a week.
    let mut command: Command = node.command(["--json", "run", "--listen", &place]);
    command.env("LD_PRELOAD", library).env("FAKETIME", "+8d");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let _runs = node.started(command);
    let joining = sam.accepts(&link, "");
    let told = sam
        .visitor
        .until_it_says(&joining.path, "That was not done");
    let told = told.says("has ended");
    sam.goes(&told, "/join").says("The four words, or the link");
    let visitor = node.visited();
    visitor
        .page(&invitation.path)
        .says("This invitation has ended");
    let sharing = visitor.page(&format!("/r/{record}/sharing"));
    assert!(
        sharing
            .links()
            .iter()
            .any(|link| link.ends_with("/sharing/new"))
    );
}
