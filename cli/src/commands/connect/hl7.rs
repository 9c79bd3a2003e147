//! `kith connect hl7`.

use kith_node::{
    api::{ConnectHl7, Connections, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::ConnectHl7Args,
    ask::{Session, absolute, odd_answer},
    render,
};

pub fn run(session: &Session, args: ConnectHl7Args) -> Result<Ending, Failure> {
    let asked = ConnectHl7 {
        listen: args.listen,
        allow: args.allow,
        senders: args.sender,
        folder: args.folder.as_deref().map(absolute),
        tables: args.tables.as_deref().map(absolute),
        off: args.off,
    };
    // Without a word about what is to change, it is only shown.
    let asked = Some(asked).filter(|asked| *asked != ConnectHl7::default());
    let connections = connections(session, asked)?;
    if session.json {
        return render::json(&serde_json::json!({ "hl7": connections }));
    }
    say(&connections);
    Ok(Ending::Done)
}

/// How messages come in, after a change in that where one is asked for.
pub fn connections(session: &Session, asked: Option<ConnectHl7>) -> Result<Connections, Failure> {
    let Reply::Connections(connections) = session.ask(Request::ConnectHl7(asked))? else {
        return Err(odd_answer());
    };
    Ok(connections)
}

pub fn say(connections: &Connections) {
    match (connections.listen, connections.listening) {
        (Some(at), true) => render::say(&format!("HL7 v2: listening at {at}.")),
        (Some(at), false) => match &connections.problem {
            Some(problem) => render::say(&format!(
                "HL7 v2: cannot listen at {at}: {}.",
                render::clean(problem)
            )),
            None => render::say(&format!("HL7 v2: listens at {at} when the node runs.")),
        },
        (None, _) => render::say(
            "HL7 v2: listens nowhere. Begin it with kith connect hl7 --listen 127.0.0.1:2575.",
        ),
    }
    if !connections.allow.is_empty() {
        let allowed: Vec<_> = connections.allow.iter().map(ToString::to_string).collect();
        render::say(&format!("May connect: {}.", allowed.join(", ")));
    }
    if connections.senders.is_empty() {
        render::say("Messages of every sender are filed by themselves.");
    } else {
        let senders = connections.senders.join(", ");
        render::say(&format!(
            "Filed by themselves: messages of {}.",
            render::clean(&senders)
        ));
    }
    if let Some(folder) = &connections.folder {
        render::say(&format!("Files are taken out of {}.", folder.display()));
    }
    if connections.own_tables {
        render::say("Codes of your own are used.");
    }
}
