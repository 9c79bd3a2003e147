//! `kith connect fhir`, `app`, `list` and `stop`.

use kith_node::{
    api::{
        AppLine, AppList, AppRegistered, AppStopped, AppToken, ConnectAsk, ConnectShown, Reply,
        Request, ShareBasis, ShareRequest, ShareTerms,
    },
    failure::{Ending, Failure},
};

use crate::{
    args::ConnectFhirArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, asked: ConnectAsk) -> Result<Ending, Failure> {
    match ask(session, asked)? {
        ConnectShown::Token(token) => say_token(session, &token),
        ConnectShown::Registered(app) => say_registered(session, &app),
        ConnectShown::List(list) => say_list(session, &list),
        ConnectShown::Stopped(stopped) => say_stopped(session, &stopped),
    }
}

pub fn ask(session: &Session, asked: ConnectAsk) -> Result<ConnectShown, Failure> {
    let Reply::Connect(shown) = session.ask(Request::Connect(asked))? else {
        return Err(odd_answer());
    };
    Ok(*shown)
}

pub fn by_token(args: ConnectFhirArgs) -> ConnectAsk {
    ConnectAsk::Token {
        name: args.name,
        share: ShareRequest {
            record: args.record,
            see: args.see,
            add: args.add,
            change: args.change,
            until: args.until,
            confirm: false,
            terms: ShareTerms {
                from: None,
                share_on: 0,
                review: false,
                basis: ShareBasis::Consent,
                witnesses: Vec::new(),
            },
        },
    }
}

const NOT_RUNNING: &str = "This node does not run. kith run --pages 127.0.0.1:8700 serves apps at http://127.0.0.1:8700/fhir.";

fn say_token(session: &Session, token: &AppToken) -> Result<Ending, Failure> {
    if session.json {
        return render::json(token);
    }
    let name = render::clean(&token.app.name);
    render::say(&format!("{name} can read this record now."));
    match &token.base {
        Some(base) => {
            render::say("Where it reads, the id of the person there, and its token:");
            render::out(&format!("{base}\n"))?;
        }
        None => {
            render::say(NOT_RUNNING);
            render::say("The id of the person there, and its token:");
        }
    }
    render::out(&format!("{}\n", token.patient))?;
    render::out(&format!("{}\n", token.token))?;
    render::say("The token is shown this once. Whoever has it reads what the app may see.");
    render::say(&format!(
        "kith connect stop {:?} ends it. What it reads stands in kith who-looked.",
        token.app.name
    ));
    Ok(Ending::Done)
}

fn say_registered(session: &Session, app: &AppRegistered) -> Result<Ending, Failure> {
    if session.json {
        return render::json(app);
    }
    render::say(&format!(
        "{} can ask you now, and gets nothing before you have said yes.",
        render::clean(&app.name)
    ));
    match &app.base {
        Some(base) => {
            render::say("Tell it where to ask (iss), and what it calls itself (client_id):");
            render::out(&format!("{base}\n"))?;
        }
        None => {
            render::say(NOT_RUNNING);
            render::say("Tell it what it calls itself (client_id):");
        }
    }
    render::out(&format!("{}\n", app.client_id))?;
    Ok(Ending::Done)
}

pub fn say_list(session: &Session, list: &AppList) -> Result<Ending, Failure> {
    if session.json {
        return render::json(list);
    }
    if list.apps.is_empty() && list.registered.is_empty() {
        render::say("No app is connected.");
    }
    for app in &list.apps {
        render::out(&format!("{}\n", line(app)))?;
    }
    for app in &list.registered {
        let redirects: Vec<_> = app.redirects.iter().map(|url| render::clean(url)).collect();
        render::out(&format!(
            "{}  {}: may ask, and goes back to {}\n",
            app.client_id,
            render::clean(&app.name),
            redirects.join(", ")
        ))?;
    }
    Ok(Ending::Done)
}

fn line(app: &AppLine) -> String {
    let name = render::clean(&app.name);
    let Some(share) = &app.share else {
        return format!("{}  {name}: its share is not found in the record", app.id);
    };
    let mut said = format!(
        "{}  {name}: {}, {}; can see {}",
        app.id,
        share.state,
        render::clean(&share.person),
        share.see
    );
    if !share.add.is_empty() {
        said += &format!("; can add to {}", share.add);
    }
    if !share.change.is_empty() {
        said += &format!("; can change {}", share.change);
    }
    said + &format!("; until {}", render::until(share.until.as_deref()))
}

fn say_stopped(session: &Session, stopped: &AppStopped) -> Result<Ending, Failure> {
    if session.json {
        return render::json(stopped);
    }
    render::say(&render::clean(&stopped.note));
    Ok(Ending::Done)
}
