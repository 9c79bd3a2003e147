//! A record in a folder of files, and back.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::harness::{Node, all_files, data, sample, text};

/// A letter that is longer than what stays in a document.
const LETTER_LEN: usize = 40_000;

/// A practice with a record that was imported, added to and changed.
fn with_a_record() -> (Node, String) {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    node.note(&record, "Walks with a stick");
    let letter = node.file("letter.txt", "Dear colleague. ".repeat(LETTER_LEN / 16));
    node.kith(["add", &record, "letter", text(&letter), "--title", "Clinic"])
        .done();
    (node, record)
}

fn exported(node: &Node, record: &str, name: &str) -> PathBuf {
    let folder = node.beside(name);
    let words = ["export", record, "--as", "folder", "--to", text(&folder)];
    node.kith(words).done();
    folder
}

/// The texts of all resources of a folder, in the order in which it lists them.
fn resources(folder: &Path) -> Vec<String> {
    let about = fs::read(folder.join("kith-folder.json")).expect("it says what it is");
    let about: Value = serde_json::from_slice(&about).expect("JSON");
    let listed = about["resources"].as_array().expect("a list").iter();
    listed
        .map(|listed| {
            let file = folder.join(listed["file"].as_str().expect("a name"));
            fs::read_to_string(file).expect("it is there")
        })
        .collect()
}

/// A file of a resource in which something stands.
fn file_with(folder: &Path, words: &str) -> PathBuf {
    all_files(&folder.join("resources"))
        .into_iter()
        .find(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(words)))
        .unwrap_or_else(|| panic!("no file has {words}"))
}

#[test]
fn a_record_goes_into_a_folder_and_comes_back_byte_for_byte_once() {
    let (surgery, record) = with_a_record();
    let folder = exported(&surgery, &record, "first");
    let given = surgery.ndjson(&record);
    let given = String::from_utf8(given).expect("text");
    assert_eq!(resources(&folder), given.lines().collect::<Vec<_>>());
    let letters = all_files(&folder.join("documents"));
    let long = letters
        .iter()
        .map(|file| fs::read(file).expect("it is there"));
    assert!(long.into_iter().any(|bytes| bytes.len() == LETTER_LEN));

    let laptop = Node::set_up("Sam's laptop", "person");
    let imported = laptop.json(["import", text(&folder)]);
    let other = imported["record"].as_str().expect("one record");
    assert_ne!(other, record, "it is a record of the laptop's own");
    let again = exported(&laptop, other, "second");
    assert_eq!(resources(&again), resources(&folder));

    let before = laptop.digest(other);
    for folder in [&folder, &again] {
        let twice = laptop.json(["import", text(folder)]);
        assert_eq!(twice["filed"], serde_json::json!({}), "{twice}");
        assert_eq!(twice["unchanged"], resources(folder).len());
    }
    assert_eq!(laptop.digest(other), before);

    let home = surgery.json(["import", text(&folder)]);
    assert_eq!(home["record"], record, "its own record knows all of it");
    assert_eq!(home["filed"], serde_json::json!({}), "{home}");
}

#[test]
fn other_programs_check_the_folder_and_its_journal_is_a_chain() {
    let (surgery, record) = with_a_record();
    let folder = exported(&surgery, &record, "record");
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]);
    let checked = sums
        .current_dir(&folder)
        .status()
        .expect("sha256sum is there");
    assert!(checked.success());

    let journal = fs::read_to_string(folder.join("journal.ndjson")).expect("it is there");
    let mut before = Value::Null;
    for line in journal.lines() {
        let said: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(said["previous"], before);
        assert_eq!(said["who"], "Riverside Surgery");
        before = sha256sum(line).into();
    }
    let readme = fs::read_to_string(folder.join("README.txt")).expect("it is there");
    assert!(readme.contains("nothing of it is withheld"), "{readme}");
    let looked = surgery.json(["who-looked", &record]);
    assert!(
        looked.to_string().contains("exported it to a file"),
        "{looked}"
    );
}

/// As another program makes it.
fn sha256sum(text: &str) -> String {
    use std::io::Write as _;
    let mut sum = Command::new("sha256sum");
    let sum = sum.stdin(std::process::Stdio::piped());
    let mut sum = sum
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("sha256sum");
    let mut input = sum.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let said = sum.wait_with_output().expect("it ends").stdout;
    String::from_utf8_lossy(&said)
        .split(' ')
        .next()
        .expect("a sum")
        .to_owned()
}

#[test]
fn what_differs_is_named_and_nothing_is_filed_before_somebody_says_so() {
    let (surgery, record) = with_a_record();
    let folder = exported(&surgery, &record, "record");
    let note = file_with(&folder, "Walks with a stick");
    let changed = fs::read_to_string(&note).expect("it is there");
    fs::write(&note, changed.replace("a stick", "two sticks")).expect("room");
    let gone = file_with(&folder, "\"Patient\"");
    let kept = fs::read(&gone).expect("it is there");
    fs::remove_file(&gone).expect("it is there");
    let more = note.with_file_name("Observation-more.json");
    fs::write(&more, r#"{"resourceType":"Observation","status":"final"}"#).expect("room");

    let laptop = Node::set_up("Sam's laptop", "person");
    let refused = laptop.kith(["import", text(&folder)]).ended(4);
    let name = |path: &Path| {
        let inside = path.strip_prefix(&folder).expect("it is inside");
        text(inside).to_owned()
    };
    for said in [
        format!("{} was changed", name(&note)),
        format!("{} is missing", name(&gone)),
        format!("{} was added", name(&more)),
    ] {
        assert!(refused.err.contains(&said), "{said}: {refused}");
    }
    assert_eq!(
        laptop.json(["record", "list"])["records"],
        serde_json::json!([])
    );

    fs::write(&gone, kept).expect("room");
    let taken = laptop.json(["import", text(&folder), "--even-if-changed"]);
    let flags = taken["flagged"].to_string();
    assert!(
        flags.contains(&name(&note)) && flags.contains(&name(&more)),
        "{taken}"
    );
    let filed = laptop.ndjson(taken["record"].as_str().expect("a record"));
    let filed = String::from_utf8(filed).expect("text");
    assert!(filed.contains("two sticks"), "what is there is filed");
    assert_eq!(
        filed.lines().count(),
        resources(&folder).len(),
        "what was added is not"
    );
}

#[test]
fn an_older_folder_takes_nothing_back_in_its_own_record() {
    let (surgery, record) = with_a_record();
    surgery
        .kith([
            "add",
            &record,
            "medicine",
            "Amlodipine 5 mg",
            "--dose",
            "one a day",
        ])
        .done();
    let folder = exported(&surgery, &record, "record");
    let shown = surgery.show(&record);
    let sections = shown["sections"].as_array().expect("a list").iter();
    let medicine = sections
        .flat_map(|section| section["lines"].as_array().expect("a list"))
        .find(|line| {
            line["text"]
                .as_str()
                .is_some_and(|text| text.contains("Amlodipine"))
        })
        .expect("it was added");
    let medicine = medicine["id"].as_str().expect("an id").to_owned();
    surgery
        .kith([
            "change",
            &record,
            &medicine,
            "--mistake",
            "another patient's",
        ])
        .done();
    let before = surgery.digest(&record);
    surgery.kith(["import", text(&folder)]).done();
    assert_eq!(
        surgery.digest(&record),
        before,
        "what was entered in error does not come back"
    );

    let later = exported(&surgery, &record, "later");
    let laptop = Node::set_up("Sam's laptop", "person");
    let taken = laptop.json(["import", text(&later)]);
    assert!(
        taken["flagged"].to_string().contains("entered in error"),
        "{taken}"
    );
    let filed = laptop.ndjson(taken["record"].as_str().expect("a record"));
    assert!(!String::from_utf8_lossy(&filed).contains("Amlodipine"));
}

#[test]
fn a_folder_is_written_over_by_its_own_record_alone() {
    let (surgery, record) = with_a_record();
    let folder = exported(&surgery, &record, "record");
    surgery.note(&record, "Likes tea");
    exported(&surgery, &record, "record");
    assert!(file_with(&folder, "Likes tea").exists());

    let other = surgery.json(["record", "new", "--family", "Other"]);
    let other = other["record"].as_str().expect("a record");
    let over = |record: &str, place: &Path| {
        let words = ["export", record, "--as", "folder", "--to", text(place)];
        surgery.kith(words).ended(2)
    };
    let refused = over(other, &folder);
    assert!(
        refused.err.contains("folder of another record"),
        "{refused}"
    );
    fs::write(folder.join("mine.txt"), "mine").expect("room");
    let refused = over(&record, &folder);
    assert!(refused.err.contains("mine.txt was added"), "{refused}");
    let mine = surgery.beside("mine");
    fs::create_dir(&mine).expect("room");
    fs::write(mine.join("a"), "a").expect("room");
    over(&record, &mine);
    assert_eq!(all_files(&mine).len(), 1);
    let left: BTreeMap<_, _> = fs::read_dir(surgery.beside(""))
        .expect("a folder")
        .map(|entry| (entry.expect("an entry").file_name(), ()))
        .collect();
    let drafts = left
        .keys()
        .filter(|name| name.to_string_lossy().contains("unfinished"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn a_hostile_folder_leads_nowhere() {
    let (surgery, record) = with_a_record();
    let laptop = Node::set_up("Sam's laptop", "person");
    let refuses = |name: &str, spoil: &dyn Fn(&Path)| {
        let folder = exported(&surgery, &record, name);
        spoil(&folder);
        for words in [
            &["import", text(&folder)][..],
            &["import", text(&folder), "--even-if-changed"],
        ] {
            let ran = laptop.kith(words);
            assert!(matches!(ran.code, Some(1 | 15)), "{name}: {ran}");
        }
    };
    refuses("link", &|folder| {
        let secret = laptop.home().join("keys");
        std::os::unix::fs::symlink(secret, folder.join("resources/keys.json")).expect("a link");
    });
    refuses("climbing index", &|folder| {
        let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("it is there");
        fs::write(
            folder.join("SHA256SUMS"),
            sums.replace("README.txt", "../README.txt"),
        )
        .expect("room");
    });
    refuses("deep", &|folder| {
        fs::create_dir_all(folder.join("1/2/3/4/5/6/7/8")).expect("room");
    });
    refuses("long", &|folder| {
        let file = fs::File::create(folder.join("long")).expect("room");
        file.set_len(600 << 20).expect("a file with a hole");
    });
    // What it lists outside itself is not read, whatever somebody says.
    let folder = exported(&surgery, &record, "climbing list");
    let about = fs::read_to_string(folder.join("kith-folder.json")).expect("it is there");
    let secret = surgery.file("secret.json", r#"{"resourceType":"Basic","id":"secret"}"#);
    let mut about: Value = serde_json::from_str(&about).expect("JSON");
    about["resources"][0]["file"] = text(&secret).into();
    fs::write(folder.join("kith-folder.json"), about.to_string()).expect("room");
    let taken = laptop.json(["import", text(&folder), "--even-if-changed"]);
    let filed = laptop.ndjson(taken["record"].as_str().expect("a record"));
    assert!(!String::from_utf8_lossy(&filed).contains("secret"));
}

#[test]
fn what_is_withheld_is_said() {
    let (surgery, record) = with_a_record();
    let laptop = Node::set_up("Sam's laptop", "person");
    let _runs = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "identity,allergies", "letters"));
    crate::harness::until("the record has come", || !laptop.ndjson(&record).is_empty());
    let folder = exported(&laptop, &record, "part");
    let readme = fs::read_to_string(folder.join("README.txt")).expect("it is there");
    assert!(
        readme.contains("was shown a part of this record"),
        "{readme}"
    );
    assert!(readme.contains("medicines"), "{readme}");
}

#[test]
fn every_published_record_comes_back_from_a_folder() {
    let Some(synthea) = data() else {
        return;
    };
    let file = all_files(&synthea.join("synthea-r4"))
        .into_iter()
        .find(|file| {
            let bytes = fs::metadata(file).map_or(0, |about| about.len());
            file.extension().is_some_and(|kind| kind == "json") && bytes < 3_000_000
        });
    let file = file.expect("one of them is small");
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&file);
    let folder = exported(&node, &record, "first");
    let other = Node::set_up("Hillside Surgery", "practice");
    let record = other.import(&folder);
    let again = exported(&other, &record, "second");
    assert_eq!(resources(&again), resources(&folder));
}
