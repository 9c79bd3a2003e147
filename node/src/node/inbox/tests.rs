use std::path::PathBuf;

use tempfile::TempDir;

use super::Arrival;
use crate::{
    api::{
        ConnectHl7, ExportForm, ImportRequest, Imported, InboxAsk, InboxLine, InboxShown,
        InboxState, Reply, Request, ReviewKind, SendAsk,
    },
    failure::Ending,
    home::{Home, Unlock},
    node::{Node, OutOutcome, Role},
};

struct Desk {
    folder: TempDir,
    node: Node,
}

fn desk() -> Desk {
    let folder = TempDir::new().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    Node::set_up(&home, "Castlebridge", Role::Hospital, &Unlock::KeyFile).expect("set up");
    let node = Node::open(&home, &Unlock::KeyFile).expect("opened");
    Desk { folder, node }
}

const PENN: &str = "77^^^RXH^MR||Penn^Ada||19410203|F";

fn message(kind: &str, id: &str, pid: &str, rest: &str) -> String {
    format!(
        "MSH|^~\\&|ADT|RXH|KITH|GP|20261129101500+0000||{kind}|{id}|P|2.5.1\rEVN|A01|20261129101500+0000\rPID|1||{pid}\r{rest}"
    )
}

fn admission(id: &str, pid: &str) -> String {
    message("ADT^A01", id, pid, "PV1|1|I|W3||||||||||||||||V1^^^RXH")
}

impl Desk {
    /// Takes messages in and files what waits for nobody; the numbers that they have.
    fn comes(&mut self, messages: &[&str]) -> Vec<u64> {
        let arrivals = messages.iter().map(|message| Arrival {
            bytes: message.as_bytes().to_vec(),
            from: "test".to_owned(),
            stop: None,
        });
        let taken = self.node.take_in(arrivals.collect()).expect("durable");
        while self.node.file_next().expect("filed") {}
        taken.iter().map(|taken| taken.number).collect()
    }

    fn ask(&mut self, request: Request) -> Result<Reply, Ending> {
        let done = self.node.handle(request, &mut |_| {});
        done.map_err(|failure| failure.ending)
    }

    fn inbox(&mut self, asked: InboxAsk) -> InboxShown {
        match self.ask(Request::Inbox(asked)) {
            Ok(Reply::Inbox(shown)) => shown,
            other => panic!("no inbox: {:?}", other.err()),
        }
    }

    fn line(&mut self, number: u64) -> InboxLine {
        self.node
            .inbox_line(number)
            .expect("read")
            .expect("it is there")
    }

    fn record(&mut self, number: u64) -> String {
        let line = self.line(number);
        assert_eq!(line.state, InboxState::Filed, "{line:?}");
        line.record.expect("a record")
    }

    fn lines(&mut self, record: &str) -> Vec<serde_json::Value> {
        let export = Request::Export {
            record: record.to_owned(),
            form: ExportForm::Ndjson,
        };
        match self.ask(export) {
            Ok(Reply::Exported(exported)) => {
                let text = exported.text.expect("lines");
                let lines = text.lines();
                lines
                    .map(|line| serde_json::from_str(line).expect("JSON"))
                    .collect()
            }
            other => panic!("not exported: {:?}", other.err()),
        }
    }

    fn of(&mut self, record: &str, kind: &str) -> Vec<serde_json::Value> {
        let mut lines = self.lines(record);
        lines.retain(|line| line["resourceType"] == kind);
        lines
    }

    fn proposals(&mut self) -> usize {
        match self.ask(Request::Review { record: None }) {
            Ok(Reply::Review(review)) => {
                let items = review.items.iter();
                items
                    .filter(|item| item.kind == ReviewKind::SamePerson)
                    .count()
            }
            other => panic!("no list: {:?}", other.err()),
        }
    }

    fn import(&mut self, name: &str, bytes: &[u8], record: Option<&str>) -> Imported {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let request = Request::Import(ImportRequest {
            paths: vec![path],
            record: record.map(str::to_owned),
            ..ImportRequest::default()
        });
        match self.ask(request) {
            Ok(Reply::Imported(imported)) => imported,
            other => panic!("not imported: {:?}", other.err()),
        }
    }
}

#[test]
fn the_same_bytes_are_filed_once_and_the_same_number_with_other_bytes_is_filed_and_flagged() {
    let mut desk = desk();
    let first = admission("1", PENN);
    let changed = first.replace("W3", "W4");
    let numbers = desk.comes(&[&first, &first]);
    assert_eq!(numbers[0], numbers[1], "in one commit");
    assert_eq!(desk.comes(&[&first]), [numbers[0]], "and later");
    let record = desk.record(numbers[0]);
    let before = desk.lines(&record).len();
    let other = desk.comes(&[&changed])[0];
    assert_ne!(other, numbers[0]);
    assert_eq!(desk.record(other), record);
    assert!(desk.line(other).notes[0].contains("used this number before"));
    // The visit is the one that was there; the message and where it comes from are new.
    assert_eq!(desk.of(&record, "Encounter").len(), 1);
    assert_eq!(desk.lines(&record).len(), before + 2);
    assert_eq!(desk.comes(&[&changed, &first]), [other, numbers[0]]);
    assert_eq!(desk.inbox(InboxAsk::List { all: true }).messages.len(), 2);
}

#[test]
fn what_is_taken_in_stays_when_the_node_is_opened_again() {
    let mut desk = desk();
    let arrivals = vec![Arrival {
        bytes: admission("1", PENN).into_bytes(),
        from: "test".to_owned(),
        stop: None,
    }];
    let taken = desk.node.take_in(arrivals).expect("durable");
    let home = Home::at(desk.folder.path().join("home"));
    let Desk { folder, node } = desk;
    drop(node);
    let node = Node::open(&home, &Unlock::KeyFile).expect("opened");
    let mut desk = Desk { folder, node };
    assert_eq!(desk.line(taken[0].number).state, InboxState::Received);
    while desk.node.file_next().expect("filed") {}
    let record = desk.record(taken[0].number);
    assert_eq!(desk.of(&record, "Patient").len(), 1);
    assert!(desk.comes(&[&admission("2", PENN)])[0] > taken[0].number);
}

#[test]
fn every_resource_has_its_provenance_and_the_message_is_under_the_strictest_label() {
    let mut desk = desk();
    let psychosis = "PV1|1|I|W3||||||||||||||||V1^^^RXH\rDG1|1||58214004^Schizophrenia^SCT\rAL1|1|DA|7980^Penicillin^RXNORM\r";
    let number = desk.comes(&[&message("ADT^A08", "1", PENN, psychosis)])[0];
    let record = desk.record(number);
    let sources = desk.of(&record, "Provenance");
    assert_eq!(sources.len(), 2, "one for each label");
    let targets: usize = sources
        .iter()
        .map(|source| source["target"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(targets, 4, "a patient, a visit, a diagnosis, an allergy");
    let original = desk.of(&record, "DocumentReference");
    let data = original[0]["content"][0]["attachment"]["data"]
        .as_str()
        .expect("data");
    let kept = data_encoding::BASE64
        .decode(data.as_bytes())
        .expect("base64");
    assert_eq!(kept, message("ADT^A08", "1", PENN, psychosis).into_bytes());
    let said = |source: &serde_json::Value| source["entity"][0]["what"].to_string();
    let hidden = sources
        .iter()
        .filter(|source| said(source).contains("from a message received on"));
    assert_eq!(
        hidden.count(),
        1,
        "whoever sees the general part learns no more"
    );

    let id = kith_protocol::id::RecordId::from_hex(&record).expect("an id");
    let labels = desk.node.with_record(id, |node, record| {
        let placed = node.read_all(record)?;
        let letters = placed
            .iter()
            .filter(|placed| placed.held.meta.kind == "DocumentReference");
        Ok(letters
            .map(|placed| placed.document.label.to_string())
            .collect::<Vec<_>>())
    });
    assert_eq!(labels.expect("read"), ["mental-health"]);
}

#[test]
fn filing_again_what_was_filed_changes_nothing() {
    let mut desk = desk();
    let number = desk.comes(&[&admission("1", PENN)])[0];
    let record = desk.record(number);
    let before = desk.lines(&record);
    // As after a crash between the record's commit and that of the inbox.
    let mut row = desk
        .node
        .inbox_row(number)
        .expect("read")
        .expect("it is there");
    row.set_state(InboxState::Received);
    let name = number.to_be_bytes();
    let bytes = super::rows::Kept::Here(admission("1", PENN).into_bytes());
    let items = vec![
        row.item(number),
        super::super::identity::no_row(super::RowKind::InboxFiled, &name),
        super::super::identity::row(super::RowKind::InboxBytes, &name, &bytes),
    ];
    desk.node.commit(items).expect("kept");
    desk.node.inbox.note(number, InboxState::Received);
    while desk.node.file_next().expect("filed") {}
    assert_eq!(desk.record(number), record);
    assert_eq!(desk.lines(&record), before);
}

#[test]
fn a_number_of_somebody_else_waits_for_a_person_who_says_whose_it_is() {
    let mut desk = desk();
    let first = desk.comes(&[&admission("1", PENN)])[0];
    let record = desk.record(first);
    // The same number, and neither the name nor the birth date.
    let doubtful = desk.comes(&[&admission("2", "77^^^RXH^MR||Hale^Sam||19800909|M")])[0];
    let line = desk.line(doubtful);
    assert_eq!(line.state, InboxState::NeedsPerson);
    assert!(line.reason.expect("why").contains(&record[..12]));
    // One of both is enough: people marry.
    let married = desk.comes(&[&admission("3", "77^^^RXH^MR||Hale^Ada||19410203|F")])[0];
    assert_eq!(desk.record(married), record);
    // The number of another authority is another number.
    let other = desk.comes(&[&admission("4", "77^^^OTHER^MR||Lee^Kim||19500505|M")])[0];
    assert_ne!(desk.record(other), record);

    let linked = desk.inbox(InboxAsk::Link {
        number: doubtful,
        record: record.clone(),
    });
    assert_eq!(linked.messages[0].state, InboxState::Filed);
    let own = linked.messages[0].record.clone().expect("a record");
    assert_ne!(
        own, record,
        "another Patient never enters a record: it is joined by a link"
    );
    assert_eq!(linked.need_a_person, 0);
}

#[test]
fn an_nhs_number_alone_is_never_enough() {
    let mut desk = desk();
    let nhs = "9876543210^^^NHS^NH";
    let first = desk.comes(&[&admission("1", &format!("{nhs}||Penn^Ada||19410203|F"))])[0];
    let other = desk.comes(&[&admission("2", &format!("{nhs}||Hale^Ada||19410203|F"))])[0];
    let same = desk.comes(&[&admission("3", &format!("{nhs}||PENN^Ada||19410203|F"))])[0];
    assert_eq!(desk.line(other).state, InboxState::NeedsPerson);
    assert_eq!(desk.record(same), desk.record(first));
}

#[test]
fn what_is_not_understood_waits_with_the_reason_and_can_be_tried_again() {
    let mut desk = desk();
    let odd = [
        "no message at all".to_owned(),
        message("SIU^S12", "2", PENN, ""),
        message("ADT^A01", "3", "||Penn^Ada||19410203|F", "PV1|1|I"),
        admission("4", PENN).replace("2.5.1", "3.0"),
        admission("5", PENN).replace("|2.5.1", "|2.5.1||||||8859/77"),
    ];
    let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
    let numbers = desk.comes(&odd);
    let reasons = ["MSH", "SIU^S12", "no number", "3.0", "8859/77"];
    for (number, reason) in numbers.iter().zip(reasons) {
        let line = desk.line(*number);
        assert_eq!(line.state, InboxState::NeedsPerson);
        assert!(
            line.reason
                .as_deref()
                .is_some_and(|why| why.contains(reason)),
            "{line:?}"
        );
    }
    let again = desk.inbox(InboxAsk::Retry { number: None });
    assert_eq!((again.messages.len(), again.need_a_person), (5, 5));
    let shown = desk.inbox(InboxAsk::Show { number: numbers[1] });
    let fields = shown.fields.expect("fields").fields;
    assert!(
        fields
            .iter()
            .any(|field| field.place == "PID-5" && field.said == "Penn^Ada")
    );
}

#[test]
fn two_numbers_of_one_person_are_proposed_and_nothing_is_merged() {
    let mut desk = desk();
    let numbers = desk.comes(&[
        &admission("1", "1^^^RXH||Penn^Ada||19410203|F"),
        &admission("2", "2^^^RXH||Hale^Ada||19500101|F"),
    ]);
    let (one, two) = (desk.record(numbers[0]), desk.record(numbers[1]));
    assert_ne!(one, two);
    assert_eq!(desk.proposals(), 0);
    let merge = message(
        "ADT^A40",
        "3",
        "1^^^RXH||Penn^Ada||19410203|F",
        "MRG|2^^^RXH",
    );
    let number = desk.comes(&[&merge])[0];
    assert_eq!(desk.record(number), one);
    assert_eq!(desk.proposals(), 2, "in both records");
    assert_eq!(desk.of(&one, "Patient").len(), 1);
    assert_eq!(desk.of(&two, "Patient").len(), 1);
    let again = desk.comes(&[&merge.replace("|3|", "|4|")])[0];
    assert_eq!(desk.record(again), one);
    assert_eq!(desk.proposals(), 2, "once");
    let unknown = message(
        "ADT^A47",
        "5",
        "1^^^RXH||Penn^Ada||19410203|F",
        "MRG|99^^^RXH",
    );
    let number = desk.comes(&[&unknown])[0];
    assert!(
        desk.line(number)
            .notes
            .iter()
            .any(|note| note.contains("nobody here has"))
    );
}

#[test]
fn only_the_senders_that_were_named_are_filed_by_themselves() {
    let mut desk = desk();
    let set = |senders: &[&str]| {
        Request::ConnectHl7(Some(ConnectHl7 {
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            ..ConnectHl7::default()
        }))
    };
    assert_eq!(desk.ask(set(&["ADT"])).err(), Some(Ending::Usage));
    desk.ask(set(&["LAB|RXH"])).expect("set");
    let number = desk.comes(&[&admission("1", PENN)])[0];
    assert!(desk.line(number).reason.expect("why").contains("ADT|RXH"));
    desk.ask(set(&["LAB|RXH", "ADT|RXH"])).expect("set");
    let again = desk.inbox(InboxAsk::Retry {
        number: Some(number),
    });
    assert_eq!(again.messages[0].state, InboxState::Filed);
    let beyond = Request::ConnectHl7(Some(ConnectHl7 {
        listen: Some(([0, 0, 0, 0], 2575).into()),
        ..ConnectHl7::default()
    }));
    assert_eq!(desk.ask(beyond).err(), Some(Ending::NotAllowed));
}

#[test]
fn a_file_of_messages_is_imported_on_the_same_way() {
    let mut desk = desk();
    let batch = format!(
        "FHS|^~\\&|A\rBHS|^~\\&|A\r{}\r{}\r{}\rBTS|3\rFTS|1\r",
        admission("1", PENN),
        message("SIU^S12", "2", PENN, ""),
        message("ADT^A08", "3", PENN, "AL1|1|DA|7980^Penicillin^RXNORM"),
    );
    let imported = desk.import("batch.hl7", batch.as_bytes(), None);
    assert_eq!((imported.records.len(), imported.refused.len()), (1, 1));
    assert_eq!(imported.records[0].filed.get("allergies"), Some(&1));
    assert_eq!(imported.refused[0].failure.ending, Ending::NeedsPerson);
    let again = desk.import("again.hl7", batch.as_bytes(), None);
    assert!(again.records[0].filed.is_empty(), "{again:?}");
    // Who the patient is was not said, and a person knows.
    let nobody = message(
        "ORU^R01",
        "9",
        "||Penn^Ada",
        "OBR|1||F1|1^Test\rOBX|1|NM|1^Test||5|x|||||F",
    );
    let record = imported.records[0].record.clone();
    let filed = desk.import("nobody.hl7", nobody.as_bytes(), Some(&record));
    assert_eq!(filed.records[0].record, record, "{filed:?}");
    assert_eq!(filed.records[0].filed.get("results"), Some(&2));
}

#[test]
fn what_goes_out_keeps_its_place_until_it_was_taken() {
    let mut desk = desk();
    let file = desk.folder.path().join("out.hl7");
    std::fs::write(
        &file,
        format!("{}\r{}\r", admission("1", PENN), admission("2", PENN)),
    )
    .expect("a file");
    let to = "127.0.0.1:9".to_owned();
    let queue = Request::Send(SendAsk::File { file, to });
    assert!(matches!(desk.ask(queue), Ok(Reply::Outgoing(said)) if said.messages.len() == 2));
    let first = desk.node.next_out().expect("read").expect("one waits");
    assert_eq!(first.control_id, "1");
    desk.node
        .went_out(first.number, &OutOutcome::Again("gone".to_owned()))
        .expect("kept");
    assert!(
        desk.node.next_out().expect("read").is_none(),
        "the second does not overtake"
    );
    desk.ask(Request::Send(SendAsk::Retry {
        number: first.number,
    }))
    .expect("now");
    let first = desk.node.next_out().expect("read").expect("its turn");
    desk.node
        .went_out(first.number, &OutOutcome::Taken)
        .expect("kept");
    let second = desk.node.next_out().expect("read").expect("its turn");
    assert_eq!(second.control_id, "2");
    desk.node
        .went_out(second.number, &OutOutcome::Refused("no".to_owned()))
        .expect("kept");
    assert!(desk.node.next_out().expect("read").is_none());
    let Ok(Reply::Outgoing(said)) = desk.ask(Request::Send(SendAsk::List)) else {
        panic!("no list");
    };
    let states: Vec<_> = said
        .messages
        .iter()
        .map(|line| line.state.words())
        .collect();
    assert_eq!(states, ["sent", "refused"]);
}
