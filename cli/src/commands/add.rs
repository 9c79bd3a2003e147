//! `kith add`.

use kith_node::{
    api::{Addition, Reply, Request},
    failure::{Ending, Failure},
};

use super::record;
use crate::{
    args::{AddArgs, AddCommand},
    ask::{Session, absolute, odd_answer},
    render,
};

pub fn run(session: &Session, args: AddArgs) -> Result<Ending, Failure> {
    let what = match args.what {
        AddCommand::Note { text } => Addition::Note(text),
        AddCommand::Reading { what, value, unit } => Addition::Reading { what, value, unit },
        AddCommand::Basics { text } => Addition::Basics(text),
        AddCommand::Result {
            what,
            value,
            unit,
            date,
            laboratory,
        } => Addition::Result {
            what,
            value,
            unit,
            date,
            laboratory,
        },
        AddCommand::Medicine { name, dose } => Addition::Medicine { name, dose },
        AddCommand::Task { what, by } => Addition::Task { what, by },
        AddCommand::Letter {
            file,
            title,
            date,
            replaces,
        } => Addition::Letter {
            file: absolute(&file),
            title,
            date,
            replaces,
        },
    };
    let request = Request::Add {
        record: args.record,
        what,
        staff: args.staff,
    };
    let Reply::Added(added) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&added);
    }
    render::say(&format!("Added to {}.", added.section));
    if !added.mind.is_empty() {
        render::say("Look at these results, which matter for medicines:");
        added.mind.iter().for_each(record::line);
    }
    Ok(Ending::Done)
}
