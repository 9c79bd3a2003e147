//! Emergencies between nodes in one process.

use kith_protocol::{
    id::{DeviceId, RecordId},
    identity::SecretKey,
    logs::{Act, CoreAct, principal::RecoverySet},
};

use super::{EmergencyAnswer, EmergencyAsk, EmergencyLink};
use crate::{
    api::{EmergencyChange, EmergencyShown, OpenRequest, Reply, Request},
    failure::{Ending, Failure},
    node::{Role, now_ms, peers::tests::Place},
};

fn asked(what: String) -> OpenRequest {
    OpenRequest {
        what,
        reason: "found on the floor".to_owned(),
        hours: 4,
    }
}

impl Place {
    fn rules(&mut self, record: RecordId, change: EmergencyChange) -> EmergencyShown {
        let reply = self.does(Request::Emergency {
            record: record.to_string(),
            change: Some(change),
        });
        let Reply::Emergency(shown) = reply else {
            panic!("{reply:?}")
        };
        shown
    }

    fn allows(&mut self, record: RecordId, name: &str) -> EmergencyShown {
        let change = EmergencyChange {
            allow: vec![name.to_owned()],
            ..EmergencyChange::default()
        };
        self.rules(record, change)
    }

    fn opens(&mut self, record: RecordId) -> Result<Reply, Failure> {
        self.node.handle(
            Request::EmergencyOpen(asked(record.to_string())),
            &mut |_| {},
        )
    }

    fn reads(&mut self, record: RecordId, words: &str) -> bool {
        let held = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            Ok(placed
                .iter()
                .any(|placed| placed.held.to_text(0).contains(words)))
        });
        held.expect("a record")
    }

    fn waits(&mut self) -> Vec<String> {
        let Reply::Review(review) = self.does(Request::Review { record: None }) else {
            panic!("a list was asked for")
        };
        review.items.into_iter().map(|item| item.what).collect()
    }
}

/// A practice that knows an ambulance service and a hospital, and a record with a note.
fn practice() -> (Place, Place, Place, RecordId) {
    let mut practice = Place::of("Riverside", Role::Practice);
    let mut ambulance = Place::of("North Ambulance", Role::Ambulance);
    let mut hospital = Place::of("General", Role::Hospital);
    let (record, other) = (practice.record(), practice.record());
    practice.notes(record, "takes warfarin");
    practice.invites(&mut ambulance, other, "identity", None);
    practice.invites(&mut hospital, record, "identity", None);
    practice.gives(&mut ambulance, other);
    practice.gives(&mut hospital, record);
    (practice, ambulance, hospital, record)
}

#[test]
fn whom_the_rules_name_opens_the_record_and_whoever_controls_it_is_told_until_they_look() {
    let (mut practice, mut ambulance, mut hospital, record) = practice();
    let shown = practice.allows(record, "North Ambulance");
    assert_eq!(shown.allowed, ["North Ambulance"]);
    practice.gives(&mut ambulance, record);
    practice.gives(&mut hospital, record);
    assert!(ambulance.reads(record, "Quince"), "the person can be found");
    assert!(!ambulance.reads(record, "warfarin"));
    let refused = hospital.opens(record);
    let refused = refused.expect_err("the rules do not name it");
    assert_eq!(refused.ending, Ending::NotAllowed);

    ambulance.opens(record).expect("it is opened");
    ambulance.gives(&mut practice, record);
    assert!(ambulance.reads(record, "warfarin"));
    assert!(!hospital.reads(record, "warfarin"));
    let waits = practice.waits();
    assert!(waits[0].contains("found on the floor"), "{waits:?}");
    let Reply::Status(status) = practice.does(Request::Status) else {
        panic!("a status was asked for")
    };
    assert!(status.problems[0].what.contains("North Ambulance"));
    let seen = practice.rules(record, EmergencyChange::default()).opened[0]
        .id
        .clone();
    practice.does(Request::Decide {
        record: record.to_string(),
        decision: crate::api::Decision::Seen { emergency: seen },
    });
    assert!(practice.waits().is_empty());

    // What is written in an emergency counts.
    ambulance.notes(record, "pulse 40 on arrival");
    ambulance.gives(&mut practice, record);
    assert!(practice.reads(record, "pulse 40"));
    assert!(practice.waits().is_empty());
}

#[test]
fn nobody_but_whoever_controls_a_record_changes_its_rules_and_not_alone_once_others_must_agree() {
    let (mut practice, _ambulance, mut hospital, record) = practice();
    let change = EmergencyChange {
        allow: vec!["Riverside".to_owned()],
        ..EmergencyChange::default()
    };
    let refused = hospital.node.handle(
        Request::Emergency {
            record: record.to_string(),
            change: Some(change),
        },
        &mut |_| {},
    );
    assert_eq!(
        refused.expect_err("it does not control").ending,
        Ending::NotAllowed
    );
    let set = RecoverySet {
        needed: 1,
        members: vec![hospital.node.principal()],
    };
    let done = practice.node.with_record(record, |node, record| {
        let act = Act::Core(CoreAct::RecoverySet {
            set: set.clone(),
            approvals: Vec::new(),
        });
        let (_, item) = node.act(record, None, act, now_ms())?;
        node.commit(vec![item])?;
        assert_eq!(record.ledger().recovery_sets(), [set]);
        let alone = Act::Core(CoreAct::RecoverySet {
            set: RecoverySet::default(),
            approvals: Vec::new(),
        });
        node.act(record, None, alone, now_ms())?;
        assert_eq!(record.ledger().recovery_sets().len(), 1);
        assert!(
            !record.ledger().recovery_sets()[0].members.is_empty(),
            "nobody agreed to that"
        );
        Ok(())
    });
    done.expect("a record");
    let change = EmergencyChange {
        allow: vec!["General".to_owned()],
        ..EmergencyChange::default()
    };
    let shown = practice.rules(record, change);
    assert!(shown.ask.is_some(), "somebody has to agree");
    assert!(shown.allowed.is_empty(), "nothing changed yet: {shown:?}");
}

/// The three words that pass between two nodes, in one process.
fn opened_with(
    page: &EmergencyLink,
    hub: &mut Place,
    crew: &mut Place,
) -> Result<EmergencyAnswer, Failure> {
    let (hub_device, crew_device): (DeviceId, DeviceId) = (hub.node.device(), crew.node.device());
    let ask = crew.node.emergency_ask(page)?;
    let Some((caller, rights)) = hub.node.emergency_asked(crew_device, &ask)? else {
        return Ok(EmergencyAnswer::Refused);
    };
    let request = asked(page.to_string());
    let (event, _) = crew
        .node
        .emergency_shown((page, hub_device), &rights, &request)?;
    hub.node
        .emergency_opened(&caller, &EmergencyAsk::Open { event })
}

#[test]
fn the_code_of_the_page_opens_the_record_to_a_node_that_nobody_knew() {
    let (mut practice, _ambulance, _hospital, record) = practice();
    let mut crew = Place::of("Hill Rescue", Role::Ambulance);
    let change = || EmergencyChange {
        new_secret: true,
        ..EmergencyChange::default()
    };
    let old = practice.rules(record, change()).link.expect("a link");
    let page = practice.rules(record, change()).link.expect("a link");
    let (old, page): (EmergencyLink, EmergencyLink) =
        (old.parse().expect("a link"), page.parse().expect("a link"));
    for wrong in [
        old,
        EmergencyLink {
            secret: *SecretKey::from_seed([9; 32]).seed(),
            ..page.clone()
        },
        EmergencyLink {
            record: RecordId::from_bytes([7; 32]),
            ..page.clone()
        },
    ] {
        let answer = opened_with(&wrong, &mut practice, &mut crew).expect("an answer");
        assert_eq!(answer, EmergencyAnswer::Refused);
    }
    let answer = opened_with(&page, &mut practice, &mut crew).expect("an answer");
    assert_eq!(answer, EmergencyAnswer::Opened);
    crew.gives(&mut practice, record);
    assert!(crew.reads(record, "warfarin"));
    assert!(practice.waits()[0].contains("Hill Rescue"));
}
