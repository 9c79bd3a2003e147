//! `kith check`: a file that says what has to happen after an event, explained.

use std::{io::Read, path::Path};

use kith_node::{
    api::{Mistake, Reply, Request, RulesAct, RulesRequest, UnknownName},
    failure::{Ending, Failure},
    health::work::rules::{self, TEXT_LEN_MAX},
};

use crate::{
    args::CheckArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: &CheckArgs) -> Result<Ending, Failure> {
    let text = text_in(&args.file)?;
    let (sentences, mistakes, unknown, names) = if let Some(record) = &args.record {
        let request = RulesRequest {
            record: record.clone(),
            act: RulesAct::Check(text),
            staff: None,
        };
        let Reply::Rules(shown) = session.ask(Request::Rules(request))? else {
            return Err(odd_answer());
        };
        (shown.sentences, shown.mistakes, shown.unknown, shown.names)
    } else {
        match rules::parse(&text) {
            Ok(rules) => (rules.sentences(), Vec::new(), Vec::new(), Vec::new()),
            Err(mistakes) => (Vec::new(), mistakes, Vec::new(), Vec::new()),
        }
    };
    let ending = ending_of(&mistakes);
    if session.json {
        let answer = serde_json::json!({
            "sentences": sentences,
            "mistakes": mistakes,
            "unknown": unknown,
            "names": names,
        });
        return render::json(&answer).map(|_| ending);
    }
    say(&sentences, &mistakes);
    say_unknown(&unknown, &names);
    Ok(ending)
}

/// How a command ends that found something that is not understood.
pub fn ending_of(mistakes: &[Mistake]) -> Ending {
    if mistakes.is_empty() {
        Ending::Done
    } else {
        Ending::NotUnderstood
    }
}

/// What a text means, or everything that is odd in it.
pub fn say(sentences: &[String], mistakes: &[Mistake]) {
    for sentence in sentences {
        render::say(&render::clean(sentence));
    }
    for mistake in mistakes {
        render::say(&format!(
            "Line {}, column {}: {}",
            mistake.line,
            mistake.column,
            render::clean(&mistake.what)
        ));
        render::say(&format!("  {}", render::clean(&mistake.remedy)));
    }
}

/// Names that are nobody's, which is no mistake: whoever accepts such a task, it is theirs.
pub fn say_unknown(unknown: &[UnknownName], names: &[String]) {
    for one in unknown {
        let meant = one.meant.as_ref().map_or_else(String::new, |meant| {
            format!(" Did you mean {:?}?", render::clean(meant))
        });
        render::say(&format!(
            "Line {}, column {}: nobody who shares this record is called {:?}.{meant}",
            one.line,
            one.column,
            render::clean(&one.name)
        ));
    }
    if !unknown.is_empty() {
        let names: Vec<_> = names.iter().map(|name| render::clean(name)).collect();
        render::say(&format!(
            "  Those who share it are {}. A task for another name can be accepted by anyone who may add tasks.",
            names.join(", ")
        ));
    }
}

/// The text of a file, or of standard input.
pub fn text_in(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = TEXT_LEN_MAX as u64 + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("{} cannot be read.", file.display()),
            "Check its name and that you may read it. Nothing was changed.",
        )
        .because(&error)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            format!("{} is not a text file.", file.display()),
            "Write it in a plain text editor and save it as UTF-8. Nothing was changed.",
        )
        .because(&error)
    })
}
