//! `kith inbox`.

use kith_node::{
    api::{InboxAsk, InboxLine, InboxShown, InboxState, MessageExplained, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::{InboxArgs, InboxCommand},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: InboxArgs) -> Result<Ending, Failure> {
    let asked = match args.command {
        None => InboxAsk::List { all: args.all },
        Some(InboxCommand::Show { number }) => InboxAsk::Show { number },
        Some(InboxCommand::Retry { number }) => InboxAsk::Retry { number },
        Some(InboxCommand::Link { number, record }) => InboxAsk::Link { number, record },
    };
    let acts = matches!(asked, InboxAsk::Retry { .. } | InboxAsk::Link { .. });
    let Reply::Inbox(shown) = session.ask(Request::Inbox(asked))? else {
        return Err(odd_answer());
    };
    let waits = shown
        .messages
        .iter()
        .any(|line| line.state != InboxState::Filed);
    let ending = if acts && waits {
        Ending::NeedsPerson
    } else {
        Ending::Done
    };
    if session.json {
        render::json(&shown)?;
        return Ok(ending);
    }
    say(&shown);
    Ok(ending)
}

fn say(shown: &InboxShown) {
    if shown.messages.is_empty() {
        render::say("Nothing waits in the inbox.");
    }
    shown.messages.iter().for_each(line);
    if let Some(fields) = &shown.fields {
        explained(fields);
    }
    if shown.not_listed > 0 {
        render::say(&format!("… and {} more.", shown.not_listed));
    }
    if shown.need_a_person > 0 {
        render::say(&format!(
            "{} need a person: kith inbox show NUMBER says what stands in one, kith inbox link NUMBER RECORD files it.",
            shown.need_a_person
        ));
    }
    if shown.wait > 0 {
        render::say(&format!("{} wait for this node.", shown.wait));
    }
}

fn line(line: &InboxLine) {
    let kind = if line.kind.is_empty() {
        "no message"
    } else {
        &line.kind
    };
    render::say(&format!(
        "{}  {}  {kind} of {} (number {}), by {}: {}",
        line.number,
        line.received,
        render::clean(&line.sender),
        render::clean(&line.control_id),
        render::clean(&line.from),
        line.state.words(),
    ));
    if let Some(reason) = &line.reason {
        render::say(&format!("   {}", render::clean(reason)));
    }
    if let Some(record) = &line.record {
        let began = if line.began_record {
            ", which it began"
        } else {
            ""
        };
        render::say(&format!(
            "   in record {}{began}",
            &record[..12.min(record.len())]
        ));
    }
    for note in &line.notes {
        render::say(&format!("   {}", render::clean(note)));
    }
}

/// What a message would do, field by field.
pub fn explained(message: &MessageExplained) {
    render::say(&format!(
        "{} of {}, number {}",
        render::clean(&message.kind),
        render::clean(&message.sender),
        render::clean(&message.control_id)
    ));
    for sentence in &message.would {
        render::say(&render::clean(sentence));
    }
    for resource in &message.resources {
        render::say(&format!("  {}", render::clean(resource)));
    }
    for note in &message.notes {
        render::say(&format!("  Odd: {}", render::clean(note)));
    }
    let rows = message.fields.iter().map(|field| {
        let read = if field.read {
            "read"
        } else {
            "kept in the message"
        };
        vec![
            field.place.clone(),
            read.to_owned(),
            render::clean(&field.said),
        ]
    });
    render::say(&render::table(
        &["Field", "", "What stands there"],
        rows.collect(),
    ));
}
