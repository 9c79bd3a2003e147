//! `kith setup`.

use std::path::Path;

use kith_node::{
    api::{Role, SetUp},
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::Node,
};

use crate::{
    args::{Kind, SetupArgs},
    ask::{Session, no_answer},
    render,
    service::{Before, COMMANDS, Unit},
};

pub fn run(session: &Session, args: &SetupArgs) -> Result<Ending, Failure> {
    let home = session.home()?;
    if args.service && home.exists() {
        let unit = unit(session, &home, home.wants_passphrase()?)?;
        unit.write()?;
        if session.json {
            return render::json(&serde_json::json!({"service": unit.path()}));
        }
        say_service(unit.path());
        return Ok(Ending::Done);
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => ask_name(session)?,
    };
    let kind = match args.kind {
        Some(kind) => kind,
        None => ask_kind(session)?,
    };
    let unlock = unlock(session)?;
    let is_passphrase = matches!(unlock, Unlock::Passphrase(_));
    let unit = if args.service || wants_service(session, is_passphrase)? {
        Some(unit(session, &home, is_passphrase)?)
    } else {
        None
    };
    let mut made = Node::set_up(&home, &name, role(kind), &unlock)?;
    if let Some(unit) = unit {
        // The node is made; what goes wrong now must not hide its recovery sheet.
        match unit.write() {
            Ok(()) => made.service = Some(unit.path().to_owned()),
            Err(failure) => render::failure(session, &failure),
        }
    }
    if session.json {
        return render::json(&made);
    }
    say(&made);
    Ok(Ending::Done)
}

/// What is to open a new node.
pub(super) fn unlock(session: &Session) -> Result<Unlock, Failure> {
    match session.passphrase_from_file()? {
        Some(words) => Ok(Unlock::Passphrase(words)),
        None if session.no_input => Ok(Unlock::KeyFile),
        None => ask_passphrase(),
    }
}

/// The unit for this node, if it may be written where it belongs.
fn unit(session: &Session, home: &Home, is_passphrase: bool) -> Result<Unit, Failure> {
    let passphrase_file = session.passphrase_path();
    if is_passphrase && passphrase_file.is_none() {
        return Err(Failure::new(
            Ending::Usage,
            "A service cannot ask for a passphrase.",
            "Name a file that holds it with --passphrase-file, or leave out --service. Nothing was changed.",
        ));
    }
    let unit = Unit::of(home, passphrase_file.as_deref())?;
    match unit.before() {
        Before::Nothing | Before::TheSame => Ok(unit),
        Before::Another if !session.no_input && wants_over(unit.path())? => Ok(unit),
        Before::Another => Err(Failure::new(
            Ending::NeedsPerson,
            format!(
                "{} is there already and says something else.",
                unit.path().display()
            ),
            "Look at it and move it away if it is not needed, then try again. Nothing was changed.",
        )),
    }
}

/// Asks in a terminal, where the system has a manager of services and could open the node.
fn wants_service(session: &Session, is_passphrase: bool) -> Result<bool, Failure> {
    let could_open = !is_passphrase || session.passphrase_path().is_some();
    if session.no_input || !could_open || !Path::new("/run/systemd/system").exists() {
        return Ok(false);
    }
    inquire::Confirm::new("Shall this node run whenever this machine does (a systemd service)?")
        .with_default(false)
        .prompt()
        .map_err(|error| no_answer(&error))
}

fn wants_over(path: &Path) -> Result<bool, Failure> {
    inquire::Confirm::new(&format!(
        "{} is there already and says something else. Write over it?",
        path.display()
    ))
    .with_default(false)
    .prompt()
    .map_err(|error| no_answer(&error))
}

fn say_service(path: &Path) {
    render::say(&format!("The service is written to {}.", path.display()));
    render::say("These two commands have it run, now and also while you are not logged in:");
    for command in COMMANDS {
        render::say(&format!("    {command}"));
    }
}

fn say(made: &SetUp) {
    render::say(&format!(
        "{} is ready in {}.",
        render::clean(&made.name),
        made.home.display()
    ));
    say_recovery(
        &made.recovery,
        "With it, another device of yours can retire this one: kith devices retire.",
    );
    if let Some(service) = &made.service {
        say_service(service);
    }
    render::say("Next: kith import FILE, or kith record new --family NAME.");
}

/// What opens a node when everything else is lost, and what it is for besides.
pub(super) fn say_recovery(recovery: &str, besides: &str) {
    render::say("");
    render::say("RECOVERY SHEET: write this down and keep it where you keep important papers.");
    render::say(&format!("    {recovery}"));
    render::say(
        "It opens this node when the passphrase or key file is lost. It is not shown again.",
    );
    render::say(besides);
    render::say("");
}

fn ask_name(session: &Session) -> Result<String, Failure> {
    if session.no_input {
        return Err(missing("--name NAME"));
    }
    inquire::Text::new("What do others call you or your organisation?")
        .prompt()
        .map_err(|error| no_answer(&error))
}

fn ask_kind(session: &Session) -> Result<Kind, Failure> {
    if session.no_input {
        return Err(missing(
            "--kind practice|hospital|ambulance|care-home|laboratory|person",
        ));
    }
    let kinds = [
        ("A person: patient, carer, family or friend", Kind::Person),
        ("A general practice", Kind::Practice),
        ("A hospital", Kind::Hospital),
        ("An ambulance service", Kind::Ambulance),
        ("A care home", Kind::CareHome),
        ("A laboratory", Kind::Laboratory),
    ];
    let names: Vec<_> = kinds.iter().map(|(name, _)| *name).collect();
    let chosen = inquire::Select::new("Who runs this node?", names)
        .raw_prompt()
        .map_err(|error| no_answer(&error))?;
    Ok(kinds[chosen.index].1)
}

fn ask_passphrase() -> Result<Unlock, Failure> {
    let words =
        inquire::Password::new("A passphrase for this node (empty: a key file in its folder):")
            .prompt()
            .map_err(|error| no_answer(&error))?;
    Ok(if words.is_empty() {
        Unlock::KeyFile
    } else {
        Unlock::Passphrase(words)
    })
}

fn missing(flag: &str) -> Failure {
    Failure::new(
        Ending::Usage,
        "Something is missing, and nobody can be asked.",
        format!("Add {flag}."),
    )
}

const fn role(kind: Kind) -> Role {
    match kind {
        Kind::Practice => Role::Practice,
        Kind::Hospital => Role::Hospital,
        Kind::Ambulance => Role::Ambulance,
        Kind::CareHome => Role::CareHome,
        Kind::Laboratory => Role::Laboratory,
        Kind::Person => Role::Person,
    }
}
