//! `kith record emergency`, `kith record emergency-open`.

use kith_node::{
    api::{EmergencyChange, EmergencyShown, OpenRequest, OpenedLine, Reply, Request},
    control::{Asked, Said},
    daemon::Daemon,
    failure::{Ending, Failure},
    node::EmergencyLink,
};

use super::run::runtime;
use crate::{
    args::{EmergencyArgs, EmergencyOpenArgs},
    ask::{Reached, Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: EmergencyArgs) -> Result<Ending, Failure> {
    let change = EmergencyChange {
        allow: args.allow,
        disallow: args.disallow,
        new_secret: args.secret,
        no_secret: args.no_secret,
        labels: args.labels,
    };
    let request = Request::Emergency {
        record: args.record,
        change: (change != EmergencyChange::default()).then_some(change),
    };
    let Reply::Emergency(shown) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shown);
    }
    say(&shown);
    Ok(Ending::Done)
}

fn say(shown: &EmergencyShown) {
    if let Some(note) = &shown.note {
        render::say(&render::clean(note));
    }
    if let Some(ask) = &shown.ask {
        render::say(ask);
    }
    if shown.allowed.is_empty() {
        render::say("Nobody may open this record in an emergency by name.");
    } else {
        render::say(&render::clean(&format!(
            "May open this record in an emergency: {}.",
            shown.allowed.join(", ")
        )));
    }
    render::say(match (&shown.link, shown.has_secret) {
        (Some(_), _) => {
            "Whoever has this link can open it too, once the change holds. It is shown once; print it as a code on the emergency page:"
        }
        (None, true) => "Whoever has the code of its emergency page can open it too.",
        (None, false) => "No code opens it.",
    });
    if let Some(link) = &shown.link {
        render::say(link);
    }
    if !shown.labels.is_empty() {
        render::say(&format!(
            "An emergency opens parts labelled {}.",
            shown.labels.join(", ")
        ));
    }
    shown
        .opened
        .iter()
        .for_each(|opened| render::say(&sentence(opened)));
}

fn sentence(opened: &OpenedLine) -> String {
    let how = if opened.with_secret {
        " with the code of the page"
    } else {
        ""
    };
    render::clean(&format!(
        "{} opened it{how}, from {} until {} ({}): {}",
        opened.by, opened.from, opened.until, opened.state, opened.reason
    ))
}

pub fn open(session: &Session, args: EmergencyOpenArgs) -> Result<Ending, Failure> {
    let what = if args.what == "-" {
        read_link()?
    } else {
        args.what
    };
    let asked = OpenRequest {
        what,
        reason: args.reason,
        hours: args.hours,
    };
    let opened = if EmergencyLink::is_meant(&asked.what) {
        with_link(session, asked)?
    } else {
        let Reply::Opened(opened) = session.ask(Request::EmergencyOpen(asked))? else {
            return Err(odd_answer());
        };
        opened
    };
    if session.json {
        return render::json(&opened);
    }
    render::say(&render::clean(&format!(
        "Record {} is open to you until {}. Those who control it are told that you opened it, and why.",
        &opened.record[..12],
        opened.until
    )));
    Ok(Ending::Done)
}

fn with_link(session: &Session, asked: OpenRequest) -> Result<OpenedLine, Failure> {
    let home = session.home()?;
    let runtime = runtime()?;
    let start = |unlock| runtime.block_on(Daemon::start(home.clone(), unlock));
    match session.reach(&home, start)? {
        Reached::Running(client) => {
            let Said::Reply(reply) = client.ask(&Asked::EmergencyOpen(asked), &mut |_| {})? else {
                return Err(odd_answer());
            };
            let Reply::Opened(opened) = *reply else {
                return Err(odd_answer());
            };
            Ok(opened)
        }
        Reached::Here(daemon) => runtime.block_on(async {
            let opened = daemon.open_emergency(asked).await;
            daemon.close().await;
            opened
        }),
    }
}

fn read_link() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| {
        Failure::new(
            Ending::Usage,
            "The link could not be read from standard input.",
            "Scan the code again. Nothing was changed.",
        )
        .because(&error)
    })?;
    Ok(line.trim().to_owned())
}
