//! `kith join`.

use kith_node::{
    api::{JoinBy, JoinRequest, JoinStep, Joined, Offered},
    daemon::Daemon,
    failure::{Ending, Failure},
    home::Home,
    pairing::{
        newcomer,
        questioner::Questioner,
        words::{self, Words},
    },
};

use crate::{
    args::JoinArgs,
    ask::{Reached, Session, no_answer},
    commands::{run::runtime, setup},
    render,
};

pub fn run(session: &Session, args: JoinArgs) -> Result<Ending, Failure> {
    let by = match args.link {
        Some(link) => JoinBy::Link(link),
        None => spoken(&args.words)?,
    };
    let request = JoinRequest { by, yes: args.yes };
    let home = session.home()?;
    let mut ask = |step: &JoinStep| asked(session, step);
    let joined = if !home.exists() {
        as_device(session, home, request, &mut ask)?
    } else {
        let runtime = runtime()?;
        let start = |unlock| runtime.block_on(Daemon::start(home.clone(), unlock));
        match session.reach(&home, start)? {
            Reached::Running(client) => client.join(request, &mut ask)?,
            Reached::Here(daemon) => runtime.block_on(async {
                let joined = daemon.join(request, &mut Questioner::Here(&mut ask)).await;
                daemon.close().await;
                joined
            })?,
        }
    };
    say(session, &joined)
}

/// Four words, with where the other node is before them or without: four words at the end that
/// leave one thing at the beginning say that it is a place.
fn spoken(typed: &[String]) -> Result<JoinBy, Failure> {
    let (host, typed) = match typed.split_first() {
        Some((host, rest)) if words::split(rest).len() == words::SPOKEN => {
            (Some(host.clone()), rest)
        }
        Some((host, rest)) if host.contains(['.', ':', '/']) && !rest.is_empty() => {
            (Some(host.clone()), rest)
        }
        Some(_) | None => (None, typed),
    };
    let words = Words::read(typed)?;
    Ok(JoinBy::Words { words, host })
}

/// Where there is no node: this machine becomes another device of somebody's.
fn as_device(
    session: &Session,
    home: Home,
    request: JoinRequest,
    ask: &mut (dyn FnMut(&JoinStep) -> Result<bool, Failure> + Send),
) -> Result<Joined, Failure> {
    let unlock = setup::unlock(session)?;
    runtime()?.block_on(async {
        let joined = newcomer::join(&home, &unlock, request, &mut Questioner::Here(ask)).await?;
        let daemon = Daemon::start(home, unlock).await?;
        let fetched = daemon.fetch_own().await;
        daemon.close().await;
        if let Err(failure) = fetched {
            // The node is made, and its recovery code has to be shown whatever comes after.
            render::failure(session, &failure);
        }
        Ok(joined)
    })
}

fn say(session: &Session, joined: &Joined) -> Result<Ending, Failure> {
    if session.json {
        return render::json(joined);
    }
    let Some(record) = &joined.record else {
        render::say(&render::clean(&format!(
            "This is a device of {} now, and has what {} has.",
            joined.from, joined.from
        )));
        if let Some(recovery) = &joined.recovery {
            setup::say_recovery(
                recovery,
                "Keep the sheet of your first device too: it is that one which retires devices.",
            );
        }
        render::say("Start it with kith run; kith devices list shows all of them.");
        return Ok(Ending::Done);
    };
    render::say(&format!(
        "{} shares record {} with you. You can see {}{}.",
        render::clean(&joined.from),
        &record[..12],
        joined.see,
        and_do(&joined.add, &joined.change)
    ));
    Ok(Ending::Done)
}

/// What can be done besides seeing.
fn and_do(add: &str, change: &str) -> String {
    let also = [("add to", add), ("change", change)];
    let also = also.iter().filter(|(_, scopes)| !scopes.is_empty());
    also.map(|(what, scopes)| format!(", and {what} {scopes}"))
        .collect()
}

/// Tells a step, and asks where it is a question.
fn asked(session: &Session, step: &JoinStep) -> Result<bool, Failure> {
    match step {
        JoinStep::Offered(offered) => confirm(session, offered),
        JoinStep::Waits { from, check_words } => {
            if !session.json {
                render::say(&render::clean(&format!(
                    "{from} has to confirm that it is you. Your check words: {check_words}. Read them to each other by telephone."
                )));
                render::say(
                    "Ctrl-C stops the waiting: what is shared comes later, while this node runs.",
                );
            }
            Ok(true)
        }
    }
}

fn confirm(session: &Session, offered: &Offered) -> Result<bool, Failure> {
    if session.no_input {
        return Ok(false);
    }
    let until = render::until(offered.until.as_deref());
    let what = if offered.device {
        format!(
            "{} ({}) would make this machine another device of theirs.",
            offered.from, offered.kind
        )
    } else {
        format!(
            "{} ({}) would share a record with you: you could see {}{}, until {until}.",
            offered.from,
            offered.kind,
            offered.see,
            and_do(&offered.add, &offered.change)
        )
    };
    render::say(&render::clean(&what));
    inquire::Confirm::new("Is this the right person?")
        .prompt()
        .map_err(|error| no_answer(&error))
}

#[cfg(test)]
mod tests {
    use kith_node::api::JoinBy;

    use super::spoken;

    fn place(typed: &str) -> Option<String> {
        let typed: Vec<_> = typed.split(' ').map(str::to_owned).collect();
        match spoken(&typed).expect("four words") {
            JoinBy::Words { words, host } => {
                assert_eq!(words.to_string(), "birch lamp river forty");
                host
            }
            JoinBy::Link(_) => None,
        }
    }

    #[test]
    fn a_place_stands_before_the_words_or_is_left_out() {
        assert_eq!(place("birch lamp river forty"), None);
        assert_eq!(place("birch-lamp-river-forty"), None);
        assert_eq!(
            place("surgery-pc birch lamp, river forty").as_deref(),
            Some("surgery-pc")
        );
        assert_eq!(
            place("[::1]:9 Birch-Lamp-River-Forty").as_deref(),
            Some("[::1]:9")
        );
        assert!(spoken(&["riverside.example".to_owned(), "birch".to_owned()]).is_err());
    }
}
