//! `kith status`.

use kith_node::{
    api::{Connection, Reply, Request, Status},
    failure::{Ending, Failure},
};

use crate::{
    args::StatusArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: &StatusArgs) -> Result<Ending, Failure> {
    let Reply::Status(status) = session.ask(Request::Status)? else {
        return Err(odd_answer());
    };
    if session.json {
        render::json(&status)?;
    } else {
        say(&status);
    }
    let needs_person = !status.problems.is_empty() || status.to_review > 0;
    Ok(if args.check && needs_person {
        Ending::NeedsPerson
    } else {
        Ending::Done
    })
}

/// How it stands with one other node.
fn line(connection: &Connection) -> String {
    let mut line = format!("{}: {}", render::clean(&connection.name), connection.state);
    if let Some(why) = &connection.why {
        line.push_str(&format!(" ({})", render::clean(why)));
    }
    if let Some(at) = &connection.next_try {
        line.push_str(&format!("; called again {at}"));
    }
    if connection.state == "not connected" {
        line.push_str(if connection.waits {
            "; something waits to be sent"
        } else {
            "; it has everything up to now"
        });
    }
    line
}

fn say(status: &Status) {
    render::say(&format!(
        "{} ({}), {} records, in {}",
        render::clean(&status.name),
        status.kind.name(),
        status.records,
        status.home.display()
    ));
    match status.addresses.as_slice() {
        [] => render::say("Not running: start it with kith run to share and to be reached."),
        addresses => render::say(&format!("Running at {}.", addresses.join(", "))),
    }
    for connection in &status.connections {
        render::say(&line(connection));
    }
    if status.to_review > 0 {
        render::say(&format!("{} to review: kith review", status.to_review));
    }
    if status.problems.is_empty() {
        render::say("Healthy.");
    }
    for problem in &status.problems {
        render::say(&format!("Problem: {}", render::clean(&problem.what)));
        render::say(&format!("  {}", problem.remedy));
    }
}
