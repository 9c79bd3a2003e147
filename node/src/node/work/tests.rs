//! Events and tasks on nodes that give each other what they have.

use kith_protocol::id::RecordId;

use crate::{
    api::{
        ActsAs, Addition, Answer, AnswerRequest, ControlChange, EventKind, EventMade, EventRequest,
        EventSaid, HandoverRequest, HandoverShown, ImportRequest, Known, NewController, Reply,
        Request, RulesAct, RulesRequest, RulesShown, TaskAnswered, TaskLine, TaskState,
        TasksRequest,
    },
    failure::{Ending, Failure},
    node::{Role, now_ms, peers::tests::Place, show},
};

const RULES: &str = "\
on fall
  Riverside Surgery: review his medicines, within 2 days
on admission
  Sam: take his glasses to the ward, within 1 day, because he reads
  Riverside Surgery: tell the carers, within 4 hours
on discharge
  Community nurses: first visit, within 2 days
";

impl Place {
    fn has_rules(&mut self, record: RecordId, act: RulesAct) -> RulesShown {
        let reply = self.does(Request::Rules(RulesRequest {
            record: record.to_string(),
            act,
            staff: None,
        }));
        let Reply::Rules(shown) = reply else {
            panic!("{reply:?}")
        };
        shown
    }

    fn writes(&mut self, record: RecordId, what: EventSaid) -> Result<EventMade, Failure> {
        let asked = EventRequest {
            record: record.to_string(),
            what,
            staff: None,
        };
        let reply = self.node.handle(Request::Event(asked), &mut |_| {})?;
        let Reply::Event(made) = reply else {
            panic!("{reply:?}")
        };
        Ok(made)
    }

    fn says_that(&mut self, record: RecordId, kind: EventKind) -> EventMade {
        let happened = EventSaid::Happened {
            kind,
            when: None,
            place: None,
            why: None,
        };
        self.writes(record, happened).expect("it is written")
    }

    fn cancels(&mut self, record: RecordId, event: &str) -> Result<EventMade, Failure> {
        let cancel = EventSaid::Cancel {
            event: event.to_owned(),
            because: Some("wrong person".to_owned()),
        };
        self.writes(record, cancel)
    }

    fn tasks(&mut self, record: RecordId) -> Vec<TaskLine> {
        let reply = self.does(Request::Tasks(TasksRequest {
            record: Some(record.to_string()),
            mine: false,
            all: true,
        }));
        let Reply::Tasks(list) = reply else {
            panic!("{reply:?}")
        };
        list.tasks
    }

    fn task(&mut self, record: RecordId, what: &str) -> TaskLine {
        let tasks = self.tasks(record);
        let mut found = tasks.iter().filter(|task| task.what.contains(what));
        let task = found
            .next()
            .unwrap_or_else(|| panic!("no {what} in {tasks:?}"));
        assert!(found.next().is_none(), "once");
        task.clone()
    }

    fn answers(&mut self, task: &str, answer: Answer) -> Result<Box<TaskAnswered>, Failure> {
        let asked = AnswerRequest {
            record: None,
            task: task.to_owned(),
            answer,
            because: None,
            staff: None,
        };
        let reply = self.node.handle(Request::Answer(asked), &mut |_| {})?;
        let Reply::Answered(answered) = reply else {
            panic!("{reply:?}")
        };
        Ok(answered)
    }

    fn handover(&mut self, record: RecordId, read: bool) -> HandoverShown {
        let reply = self.does(Request::Handover(HandoverRequest {
            record: record.to_string(),
            read,
            keeps_place: false,
            staff: None,
        }));
        let Reply::Handover(shown) = reply else {
            panic!("{reply:?}")
        };
        *shown
    }

    fn adds(&mut self, record: RecordId, what: Addition) {
        self.does(Request::Add {
            record: record.to_string(),
            what,
            staff: None,
        });
    }
}

/// A surgery with rules for its patient, and a hospital and a daughter with whom it shares.
fn three() -> (Place, Place, Place, RecordId) {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let mut hospital = Place::of("Castlebridge", Role::Hospital);
    let mut daughter = Place::new("Sam");
    let record = surgery.record();
    surgery.invites(&mut hospital, record, "all", Some("encounters,tasks"));
    surgery.gives(&mut hospital, record);
    surgery.invites(&mut daughter, record, "all", Some("daily-care,tasks"));
    surgery.gives(&mut daughter, record);
    let shown = surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    assert!(shown.mistakes.is_empty());
    surgery.gives(&mut hospital, record);
    surgery.gives(&mut daughter, record);
    (surgery, hospital, daughter, record)
}

#[test]
fn an_admission_makes_the_tasks_of_the_rules_and_everyone_has_them_once() {
    let (mut surgery, mut hospital, mut daughter, record) = three();
    let made = hospital.says_that(record, EventKind::Admission);
    assert_eq!(made.tasks.len(), 2, "{made:?}");
    assert_eq!(made.note, None);
    hospital.gives(&mut surgery, record);
    assert!(!surgery.node.follow_up(), "nothing is made twice");
    surgery.gives(&mut daughter, record);
    let glasses = daughter.task(record, "glasses");
    assert!(glasses.is_ours);
    assert_eq!(glasses.who.as_deref(), Some("Sam"));
    assert_eq!(glasses.owner, Some(daughter.node.principal().to_string()));
    assert_eq!(glasses.because.as_deref(), Some("he reads"));
    assert_eq!(glasses.by, "Castlebridge");
    assert_eq!(surgery.tasks(record).len(), 2);

    let answered = daughter
        .answers(&glasses.id, Answer::Accept)
        .expect("signed");
    assert_eq!(answered.task.state, TaskState::Accepted);
    let again = daughter.answers(&glasses.id, Answer::Accept);
    assert_eq!(again.expect_err("once is enough").ending, Ending::Usage);
    daughter.gives(&mut surgery, record);
    surgery.gives(&mut hospital, record);
    let seen = hospital.task(record, "glasses");
    assert_eq!(
        (seen.state, seen.says.as_str()),
        (TaskState::Accepted, "accepted by Sam")
    );
}

#[test]
fn what_others_say_of_a_task_is_shown_and_moves_nothing() {
    let (mut surgery, mut hospital, mut daughter, record) = three();
    hospital.says_that(record, EventKind::Admission);
    hospital.gives(&mut surgery, record);
    surgery.gives(&mut daughter, record);
    let glasses = surgery.task(record, "glasses");
    let answered = surgery.answers(&glasses.id, Answer::Done).expect("signed");
    assert_eq!(answered.task.state, TaskState::Requested);
    assert!(
        answered
            .note
            .is_some_and(|note| note.contains("Sam was asked"))
    );
    let said = &answered.task.answers;
    assert!(said.len() == 1 && !said[0].counts && said[0].by == "Riverside Surgery");
}

#[test]
fn a_cancelled_admission_withdraws_its_tasks_in_whatever_order_it_comes() {
    let (mut surgery, mut hospital, mut daughter, record) = three();
    let made = hospital.says_that(record, EventKind::Admission);
    hospital.gives(&mut surgery, record);
    surgery.gives(&mut daughter, record);
    let glasses = daughter.task(record, "glasses");
    daughter
        .answers(&glasses.id, Answer::Accept)
        .expect("signed");
    let refused = daughter.cancels(record, &made.event);
    assert_eq!(refused.expect_err("not hers").ending, Ending::NotAllowed);
    // The hospital may add and not change: it says so beside it.
    let cancelled = hospital
        .cancels(record, &made.event)
        .expect("it is written");
    assert!(
        cancelled
            .tasks
            .iter()
            .all(|task| task.state == TaskState::Withdrawn)
    );
    hospital.gives(&mut surgery, record);
    surgery.gives(&mut daughter, record);
    daughter.gives(&mut surgery, record);
    for place in [&mut surgery, &mut daughter] {
        let task = place.task(record, "glasses");
        assert_eq!(task.state, TaskState::Withdrawn);
        assert_eq!(
            task.accepted_by,
            ["Sam"],
            "who had accepted it stays in sight"
        );
    }
    let cancelled = surgery.cancels(record, &made.event);
    assert_eq!(cancelled.expect_err("said already").ending, Ending::Usage);
}

#[test]
fn who_may_not_add_tasks_has_them_made_by_whoever_controls_the_record() {
    let (mut surgery, mut ambulance) = (
        Place::of("Riverside Surgery", Role::Practice),
        Place::of("Four Rivers", Role::Ambulance),
    );
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    surgery.invites(&mut ambulance, record, "all", Some("daily-care"));
    surgery.gives(&mut ambulance, record);
    let made = ambulance.says_that(record, EventKind::Fall);
    assert!(made.tasks.is_empty());
    let note = made.note.expect("it is said who does it");
    assert!(note.contains("Riverside Surgery"), "{note}");
    ambulance.gives(&mut surgery, record);
    assert!(surgery.node.follow_up(), "the tasks are made");
    let review = surgery.task(record, "review his medicines");
    assert!(review.is_ours && review.state == TaskState::Requested);
    surgery.gives(&mut ambulance, record);
    assert_eq!(ambulance.tasks(record).len(), 1);
    assert!(!surgery.node.follow_up());
}

#[test]
fn two_who_make_the_tasks_of_one_event_at_the_same_time_make_them_once() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let mut patient = Place::new("Harold");
    let mut ambulance = Place::of("Four Rivers", Role::Ambulance);
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    surgery.invites(&mut patient, record, "all", None);
    surgery.gives(&mut patient, record);
    surgery.does(Request::Control {
        record: record.to_string(),
        change: Some(ControlChange::Add(NewController {
            name: "Harold".to_owned(),
            capacity: Some(ActsAs::Patient),
            until: None,
            evidence: None,
        })),
    });
    surgery.gives(&mut patient, record);
    // The ambulance meets both, and may say that he fell and ask nobody for anything.
    surgery.invites(&mut ambulance, record, "all", Some("daily-care"));
    surgery.gives(&mut ambulance, record);
    let own = patient.record();
    patient.invites(&mut ambulance, own, "identity", None);
    surgery.gives(&mut patient, record);
    patient.gives(&mut ambulance, record);
    ambulance.says_that(record, EventKind::Fall);
    ambulance.gives(&mut surgery, record);
    ambulance.gives(&mut patient, record);
    assert!(
        surgery.node.follow_up() && patient.node.follow_up(),
        "both make it"
    );
    surgery.gives(&mut patient, record);
    patient.gives(&mut surgery, record);
    let first = surgery.task(record, "review his medicines");
    assert_eq!(patient.task(record, "review his medicines").id, first.id);
    surgery.answers(&first.id, Answer::Accept).expect("signed");
    surgery.gives(&mut patient, record);
    let seen = patient.task(record, "review his medicines");
    assert_eq!(seen.state, TaskState::Accepted);
}

#[test]
fn a_controller_waits_a_while_for_the_tasks_of_somebody_who_may_make_them() {
    let (mut surgery, mut hospital, _, record) = three();
    let text = "on transfer\n  Sam: bring his slippers, within 1 day\n";
    surgery.has_rules(record, RulesAct::Set(text.to_owned()));
    // These rules are not at the hospital yet.
    let made = hospital.says_that(record, EventKind::Transfer);
    assert!(made.tasks.is_empty());
    hospital.gives(&mut surgery, record);
    assert!(!surgery.node.follow_up());
    let next = surgery.node.next_deadline_ms().expect("it looks again");
    assert!(next <= now_ms() + 60_000, "within a minute");
    assert!(surgery.tasks(record).is_empty());
}

#[test]
fn what_is_said_of_something_closed_is_closed_as_far() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let mut daughter = Place::new("Sam");
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    surgery.invites(&mut daughter, record, "all:general", Some("tasks"));
    let stay = format!(
        r#"{{"resourceType":"Encounter","status":"in-progress","meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}}]}},"class":{{"code":"IMP"}},"period":{{"start":"{}"}}}}"#,
        show::time(now_ms())
    );
    let file = surgery.folder.path().join("stay.json");
    std::fs::write(&file, stay).expect("a file");
    surgery.does(Request::Import(ImportRequest {
        paths: vec![file],
        record: Some(record.to_string()),
        ..ImportRequest::default()
    }));
    assert_eq!(surgery.tasks(record).len(), 2);
    surgery.gives(&mut daughter, record);
    assert_eq!(
        daughter.tasks(record).len(),
        0,
        "not even that there is something"
    );
}

#[test]
fn an_imported_stay_is_an_admission_and_later_a_discharge_and_history_is_neither() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    let stay = |status: &str, start: &str, end: &str| {
        format!(
            r#"{{"resourceType":"Encounter","identifier":[{{"system":"urn:x","value":"{start}"}}],"status":"{status}","class":{{"code":"IMP"}},"period":{{"start":"{start}"{end}}}}}"#
        )
    };
    let now = show::time(now_ms());
    let brings = |surgery: &mut Place, text: &str| {
        let file = surgery.folder.path().join("stay.json");
        std::fs::write(&file, text).expect("a file");
        surgery.does(Request::Import(ImportRequest {
            paths: vec![file],
            record: Some(record.to_string()),
            ..ImportRequest::default()
        }));
    };
    brings(
        &mut surgery,
        &stay(
            "finished",
            "2019-03-01T10:00:00Z",
            r#","end":"2019-03-04T10:00:00Z""#,
        ),
    );
    assert_eq!(
        surgery.tasks(record).len(),
        0,
        "history asks nobody for anything"
    );
    brings(&mut surgery, &stay("in-progress", &now, ""));
    assert_eq!(surgery.tasks(record).len(), 2);
    brings(
        &mut surgery,
        &stay("finished", &now, &format!(r#","end":"{now}""#)),
    );
    let visit = surgery.task(record, "first visit");
    assert_eq!(
        (visit.who.as_deref(), visit.owner),
        (Some("Community nurses"), None)
    );
    assert_eq!(surgery.tasks(record).len(), 3);
    let answered = surgery.answers(&visit.id, Answer::Accept).expect("signed");
    assert!(
        answered.task.is_ours,
        "who accepts what a name was asked for does it"
    );
}

#[test]
fn a_discharge_that_is_taken_back_leaves_the_stay() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    let admitted = surgery.says_that(record, EventKind::Admission);
    let left = surgery.says_that(record, EventKind::Discharge);
    assert_eq!(admitted.event, left.event, "it ends the stay that was open");
    assert_eq!(
        surgery.task(record, "first visit").state,
        TaskState::Requested
    );
    surgery.cancels(record, &left.event).expect("it is written");
    assert_eq!(
        surgery.task(record, "first visit").state,
        TaskState::Withdrawn
    );
    assert_eq!(surgery.task(record, "glasses").state, TaskState::Requested);
    surgery.cancels(record, &left.event).expect("it is written");
    assert_eq!(surgery.task(record, "glasses").state, TaskState::Withdrawn);
}

#[test]
fn what_nobody_accepted_in_time_is_loud_for_whom_it_concerns() {
    let (mut surgery, _, mut daughter, record) = three();
    surgery.adds(
        record,
        Addition::Task {
            what: "ring the daughter".to_owned(),
            by: Some(show::time(now_ms() + 5_000)),
        },
    );
    surgery.gives(&mut daughter, record);
    daughter.node.follow_up();
    assert!(!surgery.node.deadlines_passed());
    let next = surgery.node.next_deadline_ms().expect("a time is known");
    while now_ms() < next {
        std::thread::sleep(std::time::Duration::from_millis(next - now_ms()));
    }
    assert!(surgery.node.deadlines_passed(), "once");
    assert!(!surgery.node.deadlines_passed());
    let mut after = 0;
    let told = surgery.node.late_from(&mut after, None).expect("told");
    assert!(
        told.len() == 1 && told[0].what[0].contains("nobody has accepted it"),
        "{told:?}"
    );
    assert!(
        surgery
            .node
            .late_from(&mut after, None)
            .expect("told")
            .is_empty()
    );
    let task = surgery.task(record, "ring the daughter");
    assert!(task.late && task.says.starts_with("late since"), "{task:?}");
    let Reply::Status(status) = surgery.does(Request::Status) else {
        panic!("status was asked for")
    };
    assert!(status.late == 1 && status.problems[0].what.contains("late since"));
    let Reply::Status(status) = daughter.does(Request::Status) else {
        panic!("status was asked for")
    };
    assert!(
        status.late == 0 && status.problems.is_empty(),
        "it is not hers"
    );
    assert!(
        status
            .notices
            .iter()
            .any(|notice| notice.contains("late since"))
    );
    daughter.answers(&task.id, Answer::Done).expect("signed");
    daughter.gives(&mut surgery, record);
    surgery.node.follow_up();
    let Reply::Status(status) = surgery.does(Request::Status) else {
        panic!("status was asked for")
    };
    assert_eq!(status.late, 0);
}

#[test]
fn what_is_open_is_known_again_after_a_restart() {
    let mut surgery = Place::of("Riverside Surgery", Role::Practice);
    let record = surgery.record();
    surgery.has_rules(record, RulesAct::Set(RULES.to_owned()));
    surgery.says_that(record, EventKind::Fall);
    let next = surgery.node.next_deadline_ms();
    assert!(next.is_some());
    let home = surgery.node.home.clone();
    drop(surgery.node);
    let node = crate::node::Node::open(&home, &crate::home::Unlock::KeyFile).expect("it opens");
    assert_eq!(node.next_deadline_ms(), next);
}

#[test]
fn a_handover_says_what_is_new_for_its_reader_and_who_has_read_it() {
    let (mut surgery, mut hospital, mut daughter, record) = three();
    daughter.adds(record, Addition::Basics("drinks thickened".to_owned()));
    daughter.gives(&mut surgery, record);
    let first = surgery.handover(record, false);
    assert_eq!(first.since, None);
    assert!(
        first
            .basics
            .iter()
            .any(|line| line.text.contains("drinks thickened"))
    );
    assert_eq!(first.tasks_known, Known::NothingRecorded);
    daughter.notes(record, "slept badly");
    daughter.gives(&mut surgery, record);
    let second = surgery.handover(record, true);
    assert!(second.since.is_some());
    assert_eq!(second.changed.len(), 1, "{:?}", second.changed);
    assert!(second.changed[0].what[0].contains("slept badly"));
    assert!(second.read_by.len() == 1 && second.read_by[0].is_current);
    assert!(surgery.handover(record, false).changed.is_empty());
    surgery.gives(&mut daughter, record);
    let seen = daughter.handover(record, false);
    assert_eq!(seen.read_by[0].by, "Riverside Surgery");
    daughter.notes(record, "and woke at four");
    let seen = daughter.handover(record, false);
    assert!(!seen.read_by[0].is_current, "more was written since");
    surgery.gives(&mut hospital, record);
}

#[test]
fn nothing_recorded_not_known_here_and_not_shared_are_told_apart() {
    let (mut surgery, mut guest) = (
        Place::of("Riverside Surgery", Role::Practice),
        Place::new("Sam"),
    );
    let record = surgery.record();
    surgery.invites(&mut guest, record, "identity,daily-care", None);
    surgery.gives(&mut guest, record);
    let shown = guest.handover(record, true);
    assert_eq!(shown.tasks_known, Known::Withheld);
    assert_eq!(shown.basics_known, Known::NotKnownHere);
    assert!(shown.withheld.contains(&"tasks".to_owned()));
    let note = shown.note.expect("it is said that nobody sees it");
    assert!(note.contains("access log"), "{note}");
    assert_eq!(
        surgery.handover(record, false).tasks_known,
        Known::NothingRecorded
    );
}

#[test]
fn rules_are_kept_shown_changed_and_ended_and_odd_ones_are_not_kept() {
    let (mut surgery, _, mut daughter, record) = three();
    let shown = daughter.has_rules(record, RulesAct::Show);
    assert_eq!(shown.texts[0].text, RULES);
    assert_eq!(shown.texts[0].by, "Riverside Surgery");
    assert!(
        shown
            .unknown
            .iter()
            .any(|one| one.name == "Community nurses")
    );
    let odd = surgery.has_rules(record, RulesAct::Set("on fal\n".to_owned()));
    assert_eq!(odd.mistakes.len(), 1);
    assert_eq!(
        surgery.has_rules(record, RulesAct::Show).texts[0].text,
        RULES
    );
    let new = "on fall\n  Sam: ring the surgery, within 1 hour\n";
    surgery.has_rules(record, RulesAct::Set(new.to_owned()));
    let shown = surgery.has_rules(record, RulesAct::Show);
    assert!(shown.texts.len() == 1 && shown.texts[0].text == new);
    surgery.has_rules(record, RulesAct::End);
    assert!(surgery.has_rules(record, RulesAct::Show).texts.is_empty());
    assert!(surgery.says_that(record, EventKind::Fall).tasks.is_empty());
}
