//! Plans for emergencies on nodes that give each other what they have.

use kith_protocol::id::RecordId;

use crate::{
    api::{Change, HasIt, ImportRequest, Known, PlansShown, Reply, Request, ReviewKind},
    node::{Role, peers::tests::Place},
};

impl Place {
    fn plans(&mut self, record: RecordId) -> PlansShown {
        let reply = self.does(Request::Plans {
            record: record.to_string(),
        });
        let Reply::Plans(shown) = reply else {
            panic!("{reply:?}")
        };
        shown
    }

    fn signs_plan(&mut self, record: RecordId, author: &str, more: &str) {
        let file = self.folder.path().join("plan.json");
        let plan = format!(
            r#"{{"resourceType":"DocumentReference","id":"{author}","status":"current","type":{{"coding":[{{"system":"http://snomed.info/sct","code":"1382601000000107"}}]}},"date":"2026-11-01T09:00:00Z","description":"ReSPECT by {author}","author":[{{"display":"{author}"}}]{more}}}"#
        );
        std::fs::write(&file, plan).expect("a file");
        self.does(Request::Import(ImportRequest {
            paths: vec![file],
            record: Some(record.to_string()),
            ..ImportRequest::default()
        }));
    }
}

#[test]
fn a_plan_is_superseded_by_what_says_so_and_two_that_stand_are_for_somebody_to_decide() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let record = surgery.record();
    assert_eq!(surgery.plans(record).known, Known::NothingRecorded);
    surgery.signs_plan(record, "Dr-Ash", "");
    let shown = surgery.plans(record);
    assert!(shown.current.len() == 1 && shown.conflict.is_none());
    assert_eq!(shown.ring, ["Dr-Ash", "Riverside Surgery"]);
    let replaces = r#","context":{"period":{"end":"2020-01-01"}},"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/Dr-Ash"}}]"#;
    surgery.signs_plan(record, "Dr-Birch", replaces);
    let shown = surgery.plans(record);
    assert_eq!(shown.current.len(), 1, "{shown:?}");
    assert!(shown.current[0].text.contains("Dr-Birch"));
    assert!(shown.current[0].review_late);
    assert_eq!(
        shown.superseded[0].replaced_by,
        Some(shown.current[0].id.clone())
    );

    surgery.signs_plan(record, "Dr-Cole", "");
    let shown = surgery.plans(record);
    assert_eq!(shown.current.len(), 2, "that one is newer says nothing");
    let conflict = shown.conflict.expect("somebody has to decide");
    assert!(
        conflict.contains("Dr-Birch") && conflict.contains("Dr-Cole"),
        "{conflict}"
    );
    let Reply::Review(review) = surgery.does(Request::Review {
        record: Some(record.to_string()),
    }) else {
        panic!("the review list was asked for")
    };
    assert_eq!(review.items[0].kind, ReviewKind::TwoPlans);
    assert_eq!(review.items[0].versions.len(), 2);
    assert!(review.items[0].remedy.contains("ring Dr-"));
    let older = &shown.current[1].id;
    surgery.does(Request::Change {
        record: record.to_string(),
        thing: older.clone(),
        change: Change::Status("superseded".to_owned()),
        staff: None,
    });
    let shown = surgery.plans(record);
    assert!(
        shown.current.len() == 1 && shown.conflict.is_none(),
        "{shown:?}"
    );
}

#[test]
fn who_has_the_plan_is_known_when_their_node_said_so() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let (mut ambulance, mut daughter) =
        (Place::of("Four Rivers", Role::Ambulance), Place::new("Sam"));
    let record = surgery.record();
    surgery.invites(&mut ambulance, record, "identity,plans", None);
    surgery.gives(&mut ambulance, record);
    surgery.invites(&mut daughter, record, "identity,daily-care", None);
    surgery.gives(&mut daughter, record);
    surgery.signs_plan(record, "Dr-Ash", "");
    let state = |shown: &PlansShown, name: &str| {
        let holder = shown.holders.iter().find(|holder| holder.name == name);
        holder.map(|holder| holder.has_it)
    };
    let shown = surgery.plans(record);
    assert_eq!(state(&shown, "Four Rivers"), Some(HasIt::NotYet));
    assert_eq!(state(&shown, "Sam"), None, "it is not shared with her");
    assert_eq!(state(&shown, "Riverside Surgery"), Some(HasIt::Confirmed));
    surgery.gives(&mut ambulance, record);
    let shown = surgery.plans(record);
    assert_eq!(state(&shown, "Four Rivers"), Some(HasIt::Confirmed));
    let seen = ambulance.plans(record);
    assert!(seen.current.len() == 1 && seen.known == Known::Recorded);
    let seen = daughter.plans(record);
    assert!(seen.current.is_empty() && seen.known == Known::Withheld);
    surgery.signs_plan(record, "Dr-Birch", "");
    let shown = surgery.plans(record);
    assert_eq!(
        state(&shown, "Four Rivers"),
        Some(HasIt::NotYet),
        "of the newer one"
    );
}
