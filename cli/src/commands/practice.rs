//! `kith staff` and `kith devices`.

use std::path::{Path, PathBuf};

use kith_node::{
    api::{DeviceList, Leaving, Left, NewStaff, Reply, Request, Retiring, StaffLine, StaffList},
    failure::{Ending, Failure},
};

use super::{invitation, stop::keep};
use crate::{
    args::{DevicesArgs, DevicesCommand, InvitationArgs, LeavingArgs, StaffArgs, StaffCommand},
    ask::{Session, odd_answer, words_in},
    render,
};

pub fn staff(session: &Session, args: StaffArgs) -> Result<Ending, Failure> {
    match args.command {
        StaffCommand::Add {
            name,
            role,
            may,
            until,
        } => {
            let new = NewStaff {
                name,
                role,
                may,
                until,
            };
            let Reply::StaffAdded(line) = session.ask(Request::StaffAdd(new))? else {
                return Err(odd_answer());
            };
            if session.json {
                return render::json(&line);
            }
            render::say(&render::clean(&format!(
                "{} is entered as {} and can {}. Their id is {}.",
                line.name, line.role, line.may, line.id
            )));
            Ok(Ending::Done)
        }
        StaffCommand::Account { who } => account(session, who),
        StaffCommand::List => {
            let Reply::Staff(list) = session.ask(Request::StaffList)? else {
                return Err(odd_answer());
            };
            if session.json {
                return render::json(&list);
            }
            say_staff(&list);
            Ok(Ending::Done)
        }
        StaffCommand::End(args) => left(session, Request::StaffEnd(leaving(args)?)),
    }
}

fn account(session: &Session, who: String) -> Result<Ending, Failure> {
    let Reply::StaffAccount(made) = session.ask(Request::StaffAccount { who })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&made);
    }
    render::say(&render::clean(&format!(
        "Give this code to {} and to nobody else; it works once, for seven days:",
        made.name
    )));
    render::out(&format!("{}\n", made.code))?;
    render::say(
        "They open the staff pages in a browser and choose \"I have a code for a new account\".",
    );
    Ok(Ending::Done)
}

pub fn devices(session: &Session, args: DevicesArgs) -> Result<Ending, Failure> {
    match args.command {
        DevicesCommand::Add { sheet, invitation } => {
            add_device(session, sheet.as_deref(), &invitation)
        }
        DevicesCommand::List => {
            let Reply::Devices(list) = session.ask(Request::DeviceList)? else {
                return Err(odd_answer());
            };
            if session.json {
                return render::json(&list);
            }
            say_devices(&list);
            Ok(Ending::Done)
        }
        DevicesCommand::Retire(args) => {
            let retiring = Retiring {
                sheet: sheet_code(session, args.recovery_sheet.as_ref())?,
                leaving: leaving(args.leaving)?,
            };
            left(session, Request::DeviceRetire(retiring))
        }
    }
}

/// The code of a recovery sheet, where one is to be used: from a file, or typed.
pub(super) fn sheet_code(
    session: &Session,
    named: Option<&Option<PathBuf>>,
) -> Result<Option<String>, Failure> {
    let code = named.map(|file| match file {
        Some(file) => words_in(file),
        None if session.no_input => Err(Failure::new(
            Ending::Usage,
            "The code of the recovery sheet is needed, and nobody can be asked for it.",
            "Name a file that holds it: --recovery-sheet FILE. Nothing was changed.",
        )),
        None => session.typed_passphrase("Code of the recovery sheet of your first device:"),
    });
    code.transpose()
}

/// An invitation for another device of the same owner.
fn add_device(
    session: &Session,
    sheet: Option<&Path>,
    args: &InvitationArgs,
) -> Result<Ending, Failure> {
    let confirm = invitation::confirms(session, args);
    let Reply::Shared(shared) = session.ask(Request::DeviceAdd { confirm })? else {
        return Err(odd_answer());
    };
    if let Some(path) = sheet {
        invitation::write_sheet(
            &shared,
            path,
            "kith devices list lists it, kith devices retire ID takes it back. Name a file that you may write, and invite again.",
        )?;
    }
    if session.json {
        return render::json(&shared);
    }
    render::say("On your new machine, where there is no node yet:");
    invitation::say(&shared, args)?;
    render::say(
        "The new device gets all that you have, and can do what you can, until you retire it.",
    );
    if let Some(path) = sheet {
        render::say(&format!("The sheet is in {}.", path.display()));
    }
    if session.no_input {
        return Ok(Ending::Done);
    }
    invitation::wait(session, &shared)
}

fn leaving(args: LeavingArgs) -> Result<Leaving, Failure> {
    Ok(Leaving {
        keep: keep(&args.keep)?,
        who: args.who,
    })
}

fn left(session: &Session, request: Request) -> Result<Ending, Failure> {
    let Reply::Left(left) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&left);
    }
    let Left {
        note,
        records,
        event,
        ..
    } = left;
    if event.is_empty() {
        render::say(&note);
        return Ok(Ending::Done);
    }
    render::say(&render::clean(&format!(
        "{note} One signed event says so for {records} records."
    )));
    Ok(Ending::Done)
}

fn say_staff(list: &StaffList) {
    if list.staff.is_empty() {
        render::say("Nobody is entered. kith staff add NAME --role ROLE enters somebody.");
        return;
    }
    let row = |line: &StaffLine| {
        vec![
            line.name.clone(),
            line.role.clone(),
            line.may.clone(),
            line.until.clone().unwrap_or_default(),
            line.state.clone(),
            line.id[..12].to_owned(),
        ]
    };
    let rows = list.staff.iter().map(row).collect();
    let heads = ["NAME", "ROLE", "CAN", "UNTIL", "STATE", "ID"];
    render::say(&render::table(&heads, rows));
}

fn say_devices(list: &DeviceList) {
    let row = |line: &kith_node::api::DeviceLine| {
        let this = if line.is_this { "this device" } else { "" };
        vec![
            line.id[..12].to_owned(),
            line.state.clone(),
            line.since.clone(),
            this.to_owned(),
        ]
    };
    let rows = list.devices.iter().map(row).collect();
    render::say(&render::table(&["ID", "STATE", "SINCE", ""], rows));
    for waiting in &list.waiting {
        render::say(&format!(
            "An invitation for another device waits until {}: kith devices retire {} takes it back.",
            waiting.ends,
            &waiting.id[..12]
        ));
    }
}
