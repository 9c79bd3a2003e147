//! `kith recover`.

use std::io::Read;

use kith_node::{
    api::{RecoveryAsk, RecoveryShown, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::{RecoverArgs, RecoverCommand},
    ask::{self, Session, odd_answer},
    render,
};

/// Bytes of a text that is read from a file or from standard input.
const TEXT_LEN_MAX: u64 = 1 << 20;

pub fn run(session: &Session, args: RecoverArgs) -> Result<Ending, Failure> {
    match args.command {
        RecoverCommand::Show { record } => show(session, RecoveryAsk::Show { record }),
        RecoverCommand::Set {
            record,
            members,
            needed,
        } => show(
            session,
            RecoveryAsk::Set {
                record,
                members,
                needed,
            },
        ),
        RecoverCommand::Record { record, controller } => {
            show(session, RecoveryAsk::Record { record, controller })
        }
        RecoverCommand::Approve { asked, yes } => approve(session, &asked, yes),
        RecoverCommand::Agreed { agreement } => {
            let text = text_of(&agreement)?;
            show(session, RecoveryAsk::Agreed { text })
        }
    }
}

fn ask(session: &Session, asked: RecoveryAsk) -> Result<RecoveryShown, Failure> {
    let Reply::Recovery(shown) = session.ask(Request::Recovery(asked))? else {
        return Err(odd_answer());
    };
    Ok(shown)
}

fn show(session: &Session, asked: RecoveryAsk) -> Result<Ending, Failure> {
    let shown = ask(session, asked)?;
    if session.json {
        return render::json(&shown);
    }
    say_new(&shown);
    if shown.sets.is_empty() {
        render::say("Nobody is named who may recover this record: kith recover set names them.");
    }
    for set in &shown.sets {
        render::say(&render::clean(&format!(
            "{} of these may recover this record together: {}.",
            set.needed,
            set.members.join(", ")
        )));
    }
    for waiting in &shown.waiting {
        let agreed = match waiting.agreed.as_slice() {
            [] => "nobody yet".to_owned(),
            some => some.join(", "),
        };
        render::say(&render::clean(&format!(
            "Waits for others: {} Agreed: {agreed}.",
            waiting.what
        )));
        if shown.text.is_none() {
            render::say(&waiting.text);
        }
    }
    Ok(Ending::Done)
}

/// What it is is shown before it is signed.
fn approve(session: &Session, asked: &str, yes: bool) -> Result<Ending, Failure> {
    let text = text_of(asked)?;
    if !yes {
        let shown = ask(
            session,
            RecoveryAsk::Approve {
                text: text.clone(),
                yes: false,
            },
        )?;
        if session.no_input {
            return Err(Failure::new(
                Ending::NeedsPerson,
                shown.note.ok_or_else(odd_answer)?,
                "Talk to whoever asks before you agree, then add --yes. Nothing was changed.",
            ));
        }
        say_new(&shown);
        render::say(
            "Talk to whoever asks before you agree: on the telephone, or better in person.",
        );
        if !ask::agrees("Do you agree?")? {
            render::say("You have not agreed. Nothing was changed.");
            return Ok(Ending::Done);
        }
    }
    let shown = ask(session, RecoveryAsk::Approve { text, yes: true })?;
    if session.json {
        return render::json(&shown);
    }
    say_new(&shown);
    render::say("Send this back to whoever asked; they give it to kith recover agreed.");
    Ok(Ending::Done)
}

fn say_new(shown: &RecoveryShown) {
    if let Some(note) = &shown.note {
        render::say(&render::clean(note));
    }
    if let Some(text) = &shown.text {
        render::say(text);
    }
}

/// The text itself, or what a file or standard input holds.
fn text_of(word: &str) -> Result<String, Failure> {
    if word.trim_start().starts_with("kith:") {
        return Ok(word.to_owned());
    }
    let mut text = String::new();
    let read = if word == "-" {
        std::io::stdin()
            .take(TEXT_LEN_MAX)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(word).and_then(|file| file.take(TEXT_LEN_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            "That is neither such a text, from kith: to its end, nor a file that can be read.",
            "Paste the text as it was sent, or name the file that it is in. Nothing was changed.",
        )
        .because(&error)
    })?;
    Ok(text)
}
