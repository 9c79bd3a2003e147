//! `kith record rules`.

use kith_node::{
    api::{Known, Reply, Request, RulesAct, RulesRequest, RulesShown},
    failure::{Ending, Failure},
};

use super::check;
use crate::{
    args::RulesArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: RulesArgs) -> Result<Ending, Failure> {
    let act = match (&args.set, args.end) {
        (Some(file), _) => RulesAct::Set(check::text_in(file)?),
        (None, true) => RulesAct::End,
        (None, false) => RulesAct::Show,
    };
    let request = RulesRequest {
        record: args.record,
        act,
        staff: args.staff,
    };
    let Reply::Rules(shown) = session.ask(Request::Rules(request))? else {
        return Err(odd_answer());
    };
    let ending = check::ending_of(&shown.mistakes);
    if session.json {
        return render::json(&shown).map(|_| ending);
    }
    if args.text {
        let texts: Vec<_> = shown.texts.iter().map(|text| text.text.as_str()).collect();
        return render::out(&texts.join("\n"));
    }
    say(&shown);
    Ok(ending)
}

fn say(shown: &RulesShown) {
    if !shown.mistakes.is_empty() {
        check::say(&[], &shown.mistakes);
        render::say("Nothing was kept.");
        return;
    }
    check::say(&shown.sentences, &[]);
    if shown.texts.is_empty() {
        render::say(match shown.known {
            Known::NotKnownHere => {
                "What has to happen is not known to this node, which does not mean that nothing has."
            }
            Known::Withheld => "What has to happen is not shared with this node.",
            Known::Recorded | Known::NothingRecorded => "No rules are recorded.",
        });
    }
    for text in &shown.texts {
        render::say(&format!(
            "Written by {} on {}.",
            render::clean(&text.by),
            text.when
        ));
    }
    check::say_unknown(&shown.unknown, &shown.names);
    if let Some(note) = &shown.note {
        render::say(note);
    }
}
