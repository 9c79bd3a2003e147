//! `kith record`, `kith show`.

use kith_node::{
    api::{
        Alike, AllergyState, Doubts, Happened, JoinedRecord, Line, LinkWord, NewPerson, RecordLine,
        RecordShown, Reply, Request, SamePersonRequest, SectionShown,
    },
    failure::{Ending, Failure},
};

use super::{control, emergency, rules};
use crate::{
    args::{RecordArgs, RecordCommand, SameArgs},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: RecordArgs) -> Result<Ending, Failure> {
    match args.command {
        RecordCommand::New(person) => new(
            session,
            NewPerson {
                family: person.family,
                given: person.given,
                birth_date: person.born,
                nhs_number: person.nhs_number,
            },
        ),
        RecordCommand::List => list(session, Request::RecordList),
        RecordCommand::Find { words } => list(session, Request::Find { words }),
        RecordCommand::Show(args) => show(session, args.record),
        RecordCommand::Readings(args) => super::readings::run(session, args),
        RecordCommand::Timeline(args) => timeline(session, args.record),
        RecordCommand::Control(args) => control::run(session, args),
        RecordCommand::Rules(args) => rules::run(session, args),
        RecordCommand::Same(args) => same(session, args),
        RecordCommand::Emergency(args) => emergency::run(session, args),
        RecordCommand::EmergencyOpen(args) => emergency::open(session, args),
    }
}

fn new(session: &Session, person: NewPerson) -> Result<Ending, Failure> {
    let Reply::RecordNew(made) = session.ask(Request::RecordNew(person))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&made);
    }
    render::say(&format!("Record {} was begun.", made.record));
    alike(&made.alike);
    Ok(Ending::Done)
}

/// Records that may be of the same person: a person decides.
pub fn alike(alike: &[Alike]) {
    for other in alike {
        render::say(&format!(
            "Look at record {} ({}): it may be the same person ({}).",
            &other.record[..12],
            render::clean(&other.person),
            other.evidence.join(", ")
        ));
    }
}

fn list(session: &Session, request: Request) -> Result<Ending, Failure> {
    let Reply::Records(lines) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&serde_json::json!({ "records": lines }));
    }
    if lines.is_empty() {
        render::say("No such record is on this node.");
        return Ok(Ending::Done);
    }
    let rows = lines
        .iter()
        .map(|line| {
            vec![
                line.record[..12].to_owned(),
                render::clean(&line.person),
                line.born.clone().unwrap_or_default(),
                line.nhs_number.as_deref().map(grouped).unwrap_or_default(),
            ]
        })
        .collect();
    render::say(&render::table(
        &["record", "person", "born", "NHS number"],
        rows,
    ));
    Ok(Ending::Done)
}

/// An NHS number as 3-3-4.
fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 10 {
        return render::clean(number);
    }
    let part = |range: std::ops::Range<usize>| digits[range].iter().collect::<String>();
    [part(0..3), part(3..6), part(6..10)].join(" ")
}

pub fn show(session: &Session, record: String) -> Result<Ending, Failure> {
    let Reply::Record(shown) = session.ask(Request::Show { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shown);
    }
    banner(&shown.person, shown.allergies);
    doubts(&shown.doubts);
    sections(&shown.sections);
    render::say("");
    ending(&shown);
    shown.joined.iter().for_each(joined);
    Ok(Ending::Done)
}

/// What may be missing, and from whom, before anything that could be taken for the whole.
fn doubts(doubts: &Doubts) {
    if !doubts.coming.is_empty() {
        render::say(&format!(
            "Not everything has come yet from {}: what stands here may be a part.",
            render::clean(&doubts.coming.join(", "))
        ));
    }
    if !doubts.away.is_empty() {
        let away = doubts.away.iter().map(|source| match &source.last {
            Some(last) => format!("{}, last heard {last}", source.name),
            None => source.name.clone(),
        });
        render::say(&format!(
            "Not connected now: {}. There may be something newer that is not here.",
            render::clean(&away.collect::<Vec<_>>().join("; "))
        ));
    }
}

fn sections(sections: &[SectionShown]) {
    let lines = sections.iter().flat_map(|section| &section.lines);
    let matter: Vec<_> = lines.filter(|line| line.matters_for_medicines()).collect();
    if !matter.is_empty() {
        render::say("");
        render::say("RESULTS THAT MATTER FOR MEDICINES");
        matter.into_iter().for_each(line);
    }
    for section in sections {
        render::say("");
        let label = if section.label == "general" {
            String::new()
        } else {
            format!(" ({})", section.label)
        };
        render::say(&format!("{}{label}", section.section.to_uppercase()));
        section.lines.iter().for_each(line);
    }
}

/// Another record of the same person, beside the one that was asked for.
fn joined(other: &JoinedRecord) {
    render::say("");
    render::say(&format!(
        "ANOTHER RECORD OF THE SAME PERSON: {}",
        &other.record[..12]
    ));
    other
        .control
        .iter()
        .for_each(|one| render::say(&control::sentence(one)));
    banner(&other.person, other.allergies);
    sections(&other.sections);
}

fn same(session: &Session, args: SameArgs) -> Result<Ending, Failure> {
    let word = match (args.confirm, args.withdraw) {
        (true, _) => LinkWord::Confirm,
        (false, true) => LinkWord::Withdraw,
        (false, false) => LinkWord::Propose,
    };
    let request = SamePersonRequest {
        record: args.record,
        other: args.other,
        word,
        because: args.because,
    };
    let Reply::Decided(decided) = session.ask(Request::SamePerson(request))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&decided);
    }
    render::say(&decided.what);
    Ok(Ending::Done)
}

fn banner(person: &RecordLine, allergies: AllergyState) {
    let born = person.born.as_deref().unwrap_or("not known");
    let number = person
        .nhs_number
        .as_deref()
        .map_or_else(|| "not known".to_owned(), grouped);
    let state = match allergies {
        AllergyState::Recorded => "recorded, see below",
        AllergyState::NoneKnown => "no known allergies, said below",
        AllergyState::NotKnownHere => "NOT KNOWN to this node",
    };
    render::say(&format!(
        "{}   born {born}   NHS number {number}   allergies: {state}",
        render::clean(&person.person)
    ));
}

/// One thing of a record, with whose word it is.
pub fn line(line: &Line) {
    let when = line.when.as_deref().unwrap_or("");
    let marks = if line.marks.is_empty() {
        String::new()
    } else {
        format!("  [{}]", line.marks.join("; "))
    };
    render::say(&format!(
        "  {:10}  {}{marks}  — {}",
        when.get(..10).unwrap_or(when),
        render::clean(&line.text),
        render::clean(&line.said_by())
    ));
}

fn ending(shown: &RecordShown) {
    for one in &shown.control {
        render::say(&control::sentence(one));
    }
    for other in &shown.same_person {
        render::say(&format!(
            "The same person has record {} too: look at both.",
            &other[..12]
        ));
    }
    for source in &shown.as_of {
        render::say(&format!(
            "As of {} from {} ({} entries).",
            source.last,
            render::clean(&source.source),
            source.entries
        ));
    }
    if !shown.not_known_here.is_empty() {
        render::say(&format!(
            "Nothing of these is on this node, which does not mean that there is nothing: {}.",
            shown.not_known_here.join(", ")
        ));
    }
}

fn timeline(session: &Session, record: String) -> Result<Ending, Failure> {
    let Reply::Timeline(happened) = session.ask(Request::Timeline { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&serde_json::json!({ "timeline": happened }));
    }
    happened.iter().for_each(step);
    Ok(Ending::Done)
}

fn step(happened: &Happened) {
    let when = happened.when.as_deref().unwrap_or("");
    let late = happened
        .late
        .as_ref()
        .map_or_else(String::new, |late| format!("  ({late})"));
    render::say(&format!(
        "{:10}  {:13}  {}{late}  — {}",
        when.get(..10).unwrap_or(when),
        happened.section,
        render::clean(&happened.line.text),
        render::clean(&happened.line.said_by())
    ));
}
