//! `kith setup`.

use kith_node::{
    api::{Role, SetUp},
    failure::{Ending, Failure},
    home::Unlock,
    node::Node,
};

use crate::{
    args::{Kind, SetupArgs},
    ask::{Session, no_answer},
    render,
};

pub fn run(session: &Session, args: &SetupArgs) -> Result<Ending, Failure> {
    let home = session.home()?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => ask_name(session)?,
    };
    let kind = match args.kind {
        Some(kind) => kind,
        None => ask_kind(session)?,
    };
    let unlock = unlock(session)?;
    let made = Node::set_up(&home, &name, role(kind), &unlock)?;
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

fn say(made: &SetUp) {
    render::say(&format!(
        "{} is ready in {}.",
        render::clean(&made.name),
        made.home.display()
    ));
    say_recovery(&made.recovery);
    render::say("Next: kith import FILE, or kith record new --family NAME.");
}

/// What opens a node when everything else is lost.
pub(super) fn say_recovery(recovery: &str) {
    render::say("");
    render::say("RECOVERY SHEET: write this down and keep it where you keep important papers.");
    render::say(&format!("    {recovery}"));
    render::say(
        "It opens this node when the passphrase or key file is lost. It is not shown again.",
    );
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
