//! What people give by mistake: it is refused with what to do, and the record stays as it is.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde_json::Value;

use crate::harness::{Node, Ran, sample, skipped, text};

/// A node with a record that nothing here may change.
struct Story {
    node: Node,
    record: String,
    digest: String,
}

impl Story {
    fn begin() -> Self {
        let node = Node::set_up("Riverside Surgery", "practice");
        let record = node.import(&sample("ips.json"));
        let digest = node.digest(&record);
        Self {
            node,
            record,
            digest,
        }
    }

    /// A command ends with this code, says what to do, also as JSON, and changes nothing.
    #[track_caller]
    fn refuses(&self, words: &[&str], code: i32, what_to_do: &str) {
        says_what_to_do(&self.node, words, code, what_to_do);
        assert_eq!(self.node.digest(&self.record), self.digest);
        assert_eq!(self.node.json(["status"])["records"], 1);
    }

    #[track_caller]
    fn refuses_file(&self, file: &Path, code: i32, what_to_do: &str) {
        self.refuses(&["import", text(file)], code, what_to_do);
    }
}

#[track_caller]
fn says_what_to_do(node: &Node, words: &[&str], code: i32, what_to_do: &str) {
    let ran = node.kith(words).ended(code);
    let said = unwrapped(&ran.err);
    assert!(
        said.contains(what_to_do),
        "{what_to_do:?} is missing: {ran}"
    );
    assert!(!said.to_lowercase().contains("invalid"), "{ran}");
    let ran = node.kith([&["--json"], words].concat()).ended(code);
    let error = error(&ran);
    assert_eq!(error["code"], code, "{ran}");
    for member in ["what", "do"] {
        let sentence = error[member].as_str().unwrap_or_default();
        assert!(!sentence.is_empty(), "no {member:?}: {ran}");
    }
}

fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The one object on standard error.
#[track_caller]
fn error(ran: &Ran) -> Value {
    let mut object: Value =
        serde_json::from_str(&ran.err).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert!(ran.out.is_empty(), "{ran}");
    object["error"].take()
}

#[test]
fn files_that_are_not_understood() {
    let story = Story::begin();
    let node = &story.node;
    story.refuses_file(
        &node.file("holiday.txt", "wish you were here"),
        15,
        "kith add RECORD letter FILE",
    );
    story.refuses_file(
        &node.file("half.json", "{\"resourceType\":\"Pat"),
        15,
        "kith import reads",
    );
    story.refuses_file(
        &node.file("bytes", [0xff, 0xfe, 0x00, 0x80]),
        15,
        "kith import reads",
    );
    story.refuses_file(&node.file("empty.json", ""), 15, "saved or sent whole");
    story.refuses_file(
        &node.file("space.json", " \n\t\n"),
        15,
        "saved or sent whole",
    );
    let message = "MSH|^~\\&|LAB|A|GP|B|20260101||ORU^R01|1|P|2.5.1\rPID|1||1\r";
    story.refuses_file(&node.file("result.hl7", message), 4, "kith inbox show");
    story.refuses_file(
        &node.file("letter.pdf", "%PDF-1.7\n"),
        15,
        "--record RECORD",
    );
}

#[test]
fn files_that_cannot_be_read() {
    let story = Story::begin();
    let node = &story.node;
    story.refuses_file(&node.beside("not-there.json"), 1, "Check the name");
    let folder = node.beside("empty-folder");
    fs::create_dir(&folder).expect("a folder for the test");
    story.refuses_file(&folder, 15, "Name a folder with");

    let huge = node.beside("huge.json");
    let file = File::create(&huge).expect("a file for the test");
    file.set_len((512 << 20) + 1)
        .expect("the disk has sparse files");
    story.refuses_file(&huge, 15, "Split it");

    let secret = node.file("secret.json", "{}");
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).expect("it is ours");
    if File::open(&secret).is_ok() {
        skipped("a file that may not be read: this user may read everything");
        return;
    }
    story.refuses_file(&secret, 1, "you may read it");
}

#[test]
fn another_patients_file_does_not_enter_a_record() {
    let story = Story::begin();
    let other = sample("sexual-health.json");
    story.refuses(
        &["import", text(&other), "--record", &story.record],
        4,
        "--same-person",
    );
    let other_node = Node::set_up("A hospital", "hospital");
    let record = other_node.import(&other);
    let bundle = other_node.beside("other.kith");
    let out = ["--out", text(&bundle), "--open"];
    other_node
        .kith([&["export", &record, "--as", "bundle"], &out[..]].concat())
        .done();
    story.refuses(
        &["import", text(&bundle), "--record", &story.record],
        4,
        "--record",
    );
}

#[test]
fn words_that_name_nothing() {
    let story = Story::begin();
    let record = story.record.as_str();
    story.refuses(&["show", "ffffffff"], 1, "kith record list");
    story.refuses(&["show", "Nobody"], 1, "kith record list");
    story.refuses(&["add", "ffffffff", "note", "x"], 1, "kith record list");
    story.refuses(&["explain", "ffffffff"], 1, "kith review");
    story.refuses(&["stop", record, "Nobody"], 1, "kith sharing");
    story.refuses(&["verify", "not-there"], 1, "kith record list");
    let until = ["--until", "2099-12-31"];
    let share = |see| [&["share", record, "--see", see], &until[..]].concat();
    story.refuses(&share("medicine"), 2, "Did you mean medicines?");
    story.refuses(&share("medicnes"), 2, "Did you mean medicines?");
    story.refuses(&share("qqq"), 2, "The parts are");
    story.refuses(&["shwo", record], 2, "show");
    story.refuses(
        &["join", "--link", "http://example.org", "--yes"],
        2,
        "link",
    );
}

#[test]
fn dates_that_are_none() {
    let story = Story::begin();
    let record = story.record.as_str();
    for date in ["tomorrow", "2026-02-30", "31.12.2099", "2001-01-01"] {
        story.refuses(&["share", record, "--see", "all", "--until", date], 2, "2");
    }
    for date in ["yesterday", "2026-13-01"] {
        story.refuses(
            &["record", "new", "--family", "X", "--born", date],
            2,
            "1950",
        );
    }
    story.refuses(&["add", record, "task", "Ring", "--by", "soon"], 2, "2026");
}

#[test]
fn a_file_that_fits_two_records_waits_for_a_person() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let person = ["--family", "Twice", "--born", "1950-01-31"];
    let number = ["--nhs-number", "9990000026"];
    for _ in 0..2 {
        node.kith([&["record", "new"], &person[..], &number].concat())
            .done();
    }
    let file = node.file(
        "twice.json",
        r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000026"}],"name":[{"family":"Twice"}],"birthDate":"1950-01-31"}"#,
    );
    says_what_to_do(&node, &["import", text(&file)], 4, "--record");
    assert_eq!(node.json(["status"])["records"], 2);
}

#[test]
fn a_node_that_is_not_there_or_does_not_open() {
    says_what_to_do(&Node::nowhere(), &["status"], 10, "kith setup");
    says_what_to_do(&Node::nowhere(), &["run"], 10, "kith setup");

    let story = Story::begin();
    let key = story.node.home().join("key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("it is ours");
    says_what_to_do(&story.node, &["status"], 12, "chmod 600");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
    assert_eq!(story.node.digest(&story.record), story.digest);

    let again = ["setup", "--name", "Again", "--kind", "person"];
    story.refuses(&again, 1, "another folder");
}

#[test]
fn a_passphrase_that_is_another() {
    let node = Node::nowhere();
    let right = node.file("right", "correct horse battery\n");
    let wrong = node.file("wrong", "wrong horse battery\n");
    let with = |file: &Path, words: &[&str]| {
        node.kith([&["--passphrase-file", text(file)], words].concat())
    };
    with(&right, &["setup", "--name", "Ada", "--kind", "person"]).done();
    with(&right, &["status"]).done();
    let words = ["--passphrase-file", text(&wrong), "status"];
    says_what_to_do(&node, &words, 12, "recovery code");
    says_what_to_do(&node, &["status"], 12, "--passphrase-file");
    let missing = node.beside("not-there");
    let words = ["--passphrase-file", text(&missing), "status"];
    says_what_to_do(&node, &words, 12, "Check its name");
}
