//! `kith recover`.

use std::path::PathBuf;

use kith_node::{
    api::{RecoveryAsk, RecoveryShown, Reply, Request, SetLine},
    failure::{Ending, Failure},
    node::Node,
};

use crate::{
    args::{RecoverArgs, RecoverCommand},
    ask::{self, Session, odd_answer},
    commands::{practice, setup},
    render,
};

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
        RecoverCommand::Me {
            members,
            needed,
            recovery_sheet,
        } => me(session, members, needed, recovery_sheet.as_ref()),
        RecoverCommand::Person { name } => person(session, name),
        RecoverCommand::Begin { person } => begin(session, &person),
        RecoverCommand::Approve { asked, yes } => approve(session, &asked, yes),
        RecoverCommand::Agreed { agreement } => {
            let text = ask::text_of(&agreement)?;
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

/// One's own people: who they are, or other ones.
fn me(
    session: &Session,
    members: Vec<String>,
    needed: Option<u8>,
    sheet: Option<&Option<PathBuf>>,
) -> Result<Ending, Failure> {
    let asked = match needed {
        Some(needed) => RecoveryAsk::SetOwn {
            members,
            needed,
            sheet: practice::sheet_code(session, sheet)?,
        },
        None => RecoveryAsk::Own,
    };
    let shown = ask(session, asked)?;
    if session.json {
        return render::json(&shown);
    }
    say_own(&shown);
    Ok(Ending::Done)
}

fn say_own(shown: &RecoveryShown) {
    say_new(shown);
    if shown.sets.is_empty() {
        render::say(
            "You named nobody who can give you a new start should you lose every device and your recovery sheet: kith recover me --member NAME --needed K names them.",
        );
    }
    say_helpers(&shown.sets);
    for waiting in &shown.waiting {
        let agreed = match waiting.agreed.as_slice() {
            [] => "nobody yet".to_owned(),
            some => some.join(", "),
        };
        render::say(&render::clean(&format!(
            "{} Agreed: {agreed}.",
            waiting.what
        )));
        say_question(&waiting.text, shown.check_words.as_deref());
    }
}

fn say_helpers(sets: &[SetLine]) {
    for set in sets {
        render::say(&render::clean(&format!(
            "{} of these can give you a new start together: {}.",
            set.needed,
            set.members.join(", ")
        )));
    }
}

fn say_question(text: &str, check_words: Option<&str>) {
    render::say(
        "Send them this text. Each runs kith recover approve with it, and sends back what that prints, which you give to kith recover agreed.",
    );
    render::say(text);
    if let Some(words) = check_words {
        render::say(&format!("Your check words: {words}"));
        render::say(
            "Read them to each of them on the telephone, or better in person, so that they know that it is you.",
        );
    }
}

fn person(session: &Session, name: String) -> Result<Ending, Failure> {
    let shown = ask(session, RecoveryAsk::Person { name })?;
    if session.json {
        return render::json(&shown);
    }
    say_new(&shown);
    Ok(Ending::Done)
}

/// Makes the node: nothing is asked of one here.
fn begin(session: &Session, person: &str) -> Result<Ending, Failure> {
    let home = session.home()?;
    let text = ask::text_of(person)?;
    let unlock = setup::unlock(session)?;
    let begun = Node::begin_again(&home, &unlock, &text)?;
    if session.json {
        return render::json(&begun);
    }
    render::say(&render::clean(&format!(
        "A node is made in {}. It is {}'s as soon as enough of the people agree whom they had named.",
        home.folder().display(),
        begun.made.name
    )));
    setup::say_recovery(
        &begun.made.recovery,
        "With it, another device of yours can retire this one: kith devices retire.",
    );
    say_helpers(&begun.sets);
    say_question(&begun.text, Some(&begun.check_words));
    Ok(Ending::Done)
}

fn show(session: &Session, asked: RecoveryAsk) -> Result<Ending, Failure> {
    let shown = ask(session, asked)?;
    if session.json {
        return render::json(&shown);
    }
    if shown.record.is_empty() {
        say_own(&shown);
        return Ok(Ending::Done);
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
    let text = ask::text_of(asked)?;
    if !yes {
        let shown = ask(
            session,
            RecoveryAsk::Approve {
                text: text.clone(),
                yes: false,
            },
        )?;
        if session.no_input {
            let words = shown.check_words.as_ref();
            let words = words.map_or_else(String::new, |words| format!(" Check words: {words}."));
            return Err(Failure::new(
                Ending::NeedsPerson,
                format!("{}{words}", shown.note.ok_or_else(odd_answer)?),
                "Talk to whoever asks before you agree, and compare the check words where there are any; then add --yes. Nothing was changed.",
            ));
        }
        say_new(&shown);
        render::say(
            "Talk to whoever asks before you agree: on the telephone, or better in person.",
        );
        let question = match &shown.check_words {
            Some(words) => {
                render::say(&format!("Check words: {words}"));
                "Is it them, whose voice or face you know, and did they read these very words to you?"
            }
            None => "Do you agree?",
        };
        if !ask::agrees(question)? {
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
