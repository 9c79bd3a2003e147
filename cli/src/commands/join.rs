//! `kith join`.

use kith_node::{
    api::Joined,
    control::{Asked, Client, Said},
    daemon::Daemon,
    failure::{Ending, Failure},
};

use crate::{
    args::JoinArgs,
    ask::{Session, no_answer, odd_answer},
    commands::run::runtime,
    render,
};

pub fn run(session: &Session, args: JoinArgs) -> Result<Ending, Failure> {
    if !args.yes {
        confirm(session)?;
    }
    let home = session.home()?;
    let joined = match Client::connect(&home) {
        Some(client) => match client.ask(&Asked::Join(args.link), &mut |_| {})? {
            Said::Joined(joined) => joined,
            Said::Reply(_) | Said::Happened(_) | Said::Progress(_) | Said::Failure(_) => {
                return Err(odd_answer());
            }
        },
        None => {
            let unlock = session.unlock(&home)?;
            runtime()?.block_on(async {
                let daemon = Daemon::start(home, unlock).await?;
                let joined = match args.link.parse() {
                    Ok(invited) => daemon.join(invited).await,
                    Err(failure) => Err(failure),
                };
                daemon.close().await;
                joined
            })?
        }
    };
    say(session, &joined)
}

fn say(session: &Session, joined: &Joined) -> Result<Ending, Failure> {
    if session.json {
        return render::json(joined);
    }
    let can_add = if joined.add.is_empty() {
        String::new()
    } else {
        format!(", and add to {}", joined.add)
    };
    render::say(&format!(
        "{} shares record {} with you. You can see {}{can_add}.",
        render::clean(&joined.from),
        &joined.record[..12],
        joined.see
    ));
    Ok(Ending::Done)
}

fn confirm(session: &Session) -> Result<(), Failure> {
    let declined = || {
        Failure::new(
            Ending::NeedsPerson,
            "The invitation was not accepted.",
            "Check with whoever sent it; it can still be used. With --yes nobody is asked.",
        )
    };
    if session.no_input {
        return Err(declined());
    }
    let sure = inquire::Confirm::new("Did this link come from the person you expect?")
        .prompt()
        .map_err(|error| no_answer(&error))?;
    if sure { Ok(()) } else { Err(declined()) }
}
