//! Tasks and answers as FHIR R4.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Answer;
use crate::health::work::{
    CARE_SYSTEM, PRINCIPAL_SYSTEM, code_of, event::EventKind, principal_of, reference_to,
    resource_of,
};

/// Names tasks that rules make of events, the same wherever they are made.
const TASK_SYSTEM: &str = "urn:kith:task";

/// What a rule asks for after an event.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// See [`Rule::key`](crate::health::work::rules::Rule::key).
    pub key: &'a str,
    /// What is to be done.
    pub what: &'a str,
    /// Who is asked, by name.
    pub who: &'a str,
    /// And by their key, where that is known.
    pub principal: Option<&'a str>,
    /// By when, RFC 3339.
    pub end: &'a str,
    /// Why.
    pub because: Option<&'a str>,
    /// What kind of event it follows from.
    pub on: EventKind,
    /// The resource that tells of the event: type and id.
    pub event: (&'a str, &'a str),
    /// When it is asked, RFC 3339.
    pub now: &'a str,
}

/// A task that follows from an event.
pub fn task(asking: &Asking<'_>) -> Value {
    let mut owner = json!({"display": asking.who});
    if let Some(principal) = asking.principal {
        owner["identifier"] = json!({"system": PRINCIPAL_SYSTEM, "value": principal});
    }
    let (kind, event) = asking.event;
    let event = reference_to(kind, event, asking.on.word());
    let mut task = json!({
        "resourceType": "Task",
        "identifier": [{"system": TASK_SYSTEM, "value": asking.key}],
        "basedOn": [event],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": CARE_SYSTEM, "code": asking.on.word()}]},
        "description": asking.what,
        "focus": event,
        "authoredOn": asking.now,
        "owner": owner,
        "restriction": {"period": {"end": asking.end}},
    });
    if let Some(because) = asking.because {
        task["reasonCode"] = json!({ "text": because });
    }
    task
}

/// The name that a rule gave a task.
pub fn identity_of(task: &Value) -> Option<&str> {
    let identifiers = task.get("identifier")?.as_array()?;
    identifiers.iter().find_map(|identifier| {
        let is_ours = identifier.get("system").and_then(Value::as_str) == Some(TASK_SYSTEM);
        is_ours.then(|| identifier.get("value")?.as_str())?
    })
}

/// The event that a task follows from: the resource's id, and its kind where that is said.
pub fn asked_of(task: &Value) -> Option<(&str, Option<EventKind>)> {
    let event = task
        .pointer("/basedOn/0")
        .or_else(|| task.get("focus"))
        .and_then(resource_of)?;
    let code = code_of(task.get("code"), CARE_SYSTEM);
    let kind = EventKind::ALL
        .into_iter()
        .find(|kind| Some(kind.word()) == code);
    Some((event, kind))
}

/// When a task's time ends, milliseconds since 1970 UTC: a day ends with the day.
pub fn end_of(task: &Value) -> Option<u64> {
    let end = task.pointer("/restriction/period/end")?.as_str()?;
    let time = end.parse::<Timestamp>().ok().or_else(|| {
        let day: jiff::civil::Date = end.parse().ok()?;
        let next = day.tomorrow().ok()?.at(0, 0, 0, 0);
        jiff::tz::Offset::UTC.to_timestamp(next).ok()
    })?;
    u64::try_from(time.as_millisecond()).ok()
}

/// What the status of a task itself says, by whoever wrote it: an answer, or that it was taken back.
pub fn said_of(task: &Value) -> Result<Option<Answer>, TakenBack> {
    match task
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "accepted" | "in-progress" | "on-hold" => Ok(Some(Answer::Accept)),
        "completed" => Ok(Some(Answer::Done)),
        "rejected" | "failed" => Ok(Some(Answer::Decline)),
        "cancelled" | "entered-in-error" => Err(TakenBack),
        _ => Ok(None),
    }
}

/// A task was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack;

/// An answer to a task, as a resource of its own: whoever may add can sign one.
pub fn answer(
    task: &str,
    said: Answer,
    (name, principal): (&str, &str),
    because: Option<&str>,
    now: &str,
) -> Value {
    let words = match said {
        Answer::Accept => "Accepted",
        Answer::Done => "Done",
        Answer::Decline => "Declined",
    };
    let text = because.map_or_else(|| words.to_owned(), |why| format!("{words}: {why}"));
    let mut answer = json!({
        "resourceType": "Communication",
        "basedOn": [reference_to("Task", task, "the task")],
        "status": "completed",
        "category": [{"coding": [{"system": CARE_SYSTEM, "code": said.code()}]}],
        "sent": now,
        "sender": {"display": name, "identifier": {"system": PRINCIPAL_SYSTEM, "value": principal}},
        "payload": [{"contentString": text}],
    });
    if let Some(because) = because {
        answer["reasonCode"] = json!([{ "text": because }]);
    }
    answer
}

/// The task that an answer names, what it says and why; and who it says it is from, which proves
/// nothing.
pub fn answer_of(resource: &Value) -> Option<(&str, Answer, Option<&str>, Option<&str>)> {
    let task = resource.pointer("/basedOn/0").and_then(resource_of)?;
    let codes = resource.get("category")?.as_array()?;
    let code = codes
        .iter()
        .find_map(|concept| code_of(Some(concept), CARE_SYSTEM))?;
    let answer = Answer::ALL
        .into_iter()
        .find(|answer| answer.code() == code)?;
    let because = resource
        .pointer("/reasonCode/0/text")
        .and_then(Value::as_str);
    let sender = resource.get("sender").and_then(principal_of);
    Some((task, answer, because, sender))
}
