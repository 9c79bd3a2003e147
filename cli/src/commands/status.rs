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
        "{} ({}), {}, in {}",
        render::clean(&status.name),
        status.kind.name(),
        match status.records {
            1 => "1 record".to_owned(),
            n => format!("{n} records"),
        },
        status.home.display()
    ));
    match status.addresses.as_slice() {
        [] => render::say("Not running: start it with kith run to share and to be reached."),
        addresses => render::say(&running(addresses)),
    }
    for connection in &status.connections {
        render::say(&line(connection));
    }
    for notice in &status.notices {
        render::say(&render::clean(notice));
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

/// Where others reach this node: what it listens at, and how many carry connections to it.
fn running(addresses: &[String]) -> String {
    let (carried, own): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| address.contains("/p2p-circuit"));
    let own: Vec<_> = own.into_iter().map(String::as_str).collect();
    let through = match carried.len() {
        0 => String::new(),
        1 => ", and through one other node".to_owned(),
        n => format!(", and through {n} other nodes"),
    };
    format!("Running at {}{through}.", own.join(", "))
}
