//! `kith record control`.

use kith_node::{
    api::{ActsAs, ControlChange, ControlShown, ControllerLine, NewController, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::{Capacity, ControlArgs, ControlCommand, ControllerArgs},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ControlArgs) -> Result<Ending, Failure> {
    let change = args.change.map(|change| match change {
        ControlCommand::Add(args) => ControlChange::Add(new(args)),
        ControlCommand::HandOver(args) => ControlChange::HandOver(new(args)),
        ControlCommand::Leave => ControlChange::Leave,
    });
    let record = args.record;
    let Reply::Control(shown) = session.ask(Request::Control { record, change })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shown);
    }
    let ControlShown {
        controllers, note, ..
    } = shown;
    if let Some(note) = note {
        render::say(&render::clean(&note));
    }
    controllers
        .iter()
        .for_each(|one| render::say(&sentence(one)));
    Ok(Ending::Done)
}

fn new(args: ControllerArgs) -> NewController {
    NewController {
        name: args.name,
        capacity: args.capacity.map(|capacity| match capacity {
            Capacity::Patient => ActsAs::Patient,
            Capacity::Keeper => ActsAs::Keeper,
            Capacity::Parent => ActsAs::Parent,
            Capacity::Attorney => ActsAs::Attorney,
            Capacity::BestInterests => ActsAs::BestInterests,
        }),
        until: args.until,
        evidence: args.evidence,
    }
}

/// One who controls a record, in one line.
pub(super) fn sentence(one: &ControllerLine) -> String {
    let capacity = one.capacity.map_or("began it", ActsAs::words);
    let until = match (&one.until, one.state.as_str()) {
        (Some(until), "ended") => format!(", ended {until}"),
        (Some(until), _) => format!(", until {until}"),
        (None, _) => String::new(),
    };
    let us = if one.is_us { " (this node)" } else { "" };
    render::clean(&format!(
        "Controlled by {}{us}: {capacity}, since {}{until}.",
        one.name, one.since
    ))
}
