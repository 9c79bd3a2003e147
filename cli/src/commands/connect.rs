//! `kith connect`.

mod apps;
mod hl7;

use kith_node::{
    api::{ConnectAsk, ConnectShown},
    failure::{Ending, Failure},
};

use crate::{
    args::{ConnectAppArgs, ConnectArgs, ConnectCommand},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ConnectArgs) -> Result<Ending, Failure> {
    match args.command {
        None => show(session),
        Some(ConnectCommand::Hl7(args)) => hl7::run(session, args),
        Some(ConnectCommand::Fhir(args)) => apps::run(session, apps::by_token(args)),
        Some(ConnectCommand::App(ConnectAppArgs { name, redirect })) => {
            let asked = ConnectAsk::Register {
                name,
                redirects: redirect,
            };
            apps::run(session, asked)
        }
        Some(ConnectCommand::List) => apps::run(session, ConnectAsk::List),
        Some(ConnectCommand::Stop { app }) => apps::run(session, ConnectAsk::Stop { who: app }),
    }
}

/// All other software that is connected.
fn show(session: &Session) -> Result<Ending, Failure> {
    let messages = hl7::connections(session, None)?;
    let ConnectShown::List(list) = apps::ask(session, ConnectAsk::List)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&serde_json::json!({ "hl7": messages, "fhir": list }));
    }
    hl7::say(&messages);
    apps::say_list(session, &list)
}
