//! `kith send`.

use kith_node::{
    api::{OutLine, OutState, Outgoing, Reply, Request, SendAsk},
    failure::{Ending, Failure},
};

use crate::{
    args::{SendArgs, SendCommand},
    ask::{Session, absolute, odd_answer},
    render,
};

pub fn run(session: &Session, args: SendArgs) -> Result<Ending, Failure> {
    let asked = match args.command {
        None => SendAsk::List,
        Some(SendCommand::Hl7 { file, to }) => SendAsk::File {
            file: absolute(&file),
            to,
        },
        Some(SendCommand::Retry { number }) => SendAsk::Retry { number },
        Some(SendCommand::Drop { number }) => SendAsk::Drop { number },
    };
    let Reply::Outgoing(outgoing) = session.ask(Request::Send(asked))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&outgoing);
    }
    say(&outgoing);
    Ok(Ending::Done)
}

fn say(outgoing: &Outgoing) {
    if outgoing.messages.is_empty() {
        render::say("Nothing waits to be sent.");
    }
    outgoing.messages.iter().for_each(line);
    let waits = outgoing
        .messages
        .iter()
        .any(|line| line.state == OutState::Waiting);
    if waits && !outgoing.running {
        render::say("They leave when the node runs: kith run.");
    }
}

fn line(line: &OutLine) {
    render::say(&format!(
        "{}  {} (number {}) to {}: {}",
        line.number,
        render::clean(&line.kind),
        render::clean(&line.control_id),
        render::clean(&line.to),
        line.state.words()
    ));
    if let Some(reason) = &line.reason {
        render::say(&format!("   {}", render::clean(reason)));
    }
    if let Some(next) = &line.next {
        render::say(&format!("   tried {} times, next {next}", line.tries));
    }
}
