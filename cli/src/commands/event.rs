//! `kith event`.

use kith_node::{
    api::{EventKind, EventRequest, EventSaid, Reply, Request},
    failure::{Ending, Failure},
};

use super::tasks;
use crate::{
    args::{EventArgs, EventCommand, HappenedArgs},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: EventArgs) -> Result<Ending, Failure> {
    let what = match args.what {
        EventCommand::Fall(args) => happened(EventKind::Fall, args),
        EventCommand::Admission(args) => happened(EventKind::Admission, args),
        EventCommand::Discharge(args) => happened(EventKind::Discharge, args),
        EventCommand::Transfer(args) => happened(EventKind::Transfer, args),
        EventCommand::Cancel { event, because } => EventSaid::Cancel { event, because },
    };
    let request = EventRequest {
        record: args.record,
        what,
        staff: args.staff,
    };
    let Reply::Event(made) = session.ask(Request::Event(request))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&made);
    }
    render::say(&render::clean(&made.what));
    render::say(&format!("Its id is {}.", made.event));
    made.tasks.iter().for_each(tasks::say);
    if let Some(note) = &made.note {
        render::say(&render::clean(note));
    }
    Ok(Ending::Done)
}

fn happened(kind: EventKind, args: HappenedArgs) -> EventSaid {
    EventSaid::Happened {
        kind,
        when: args.when,
        place: args.place,
        why: args.why,
    }
}
