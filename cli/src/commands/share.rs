//! `kith share`, `kith sharing`.

use std::path::Path;

use kith_node::{
    api::{Reply, Request, ShareRequest, Shared},
    failure::{Ending, Failure},
    pairing::sheet,
};

use crate::{
    args::ShareArgs,
    ask::{Session, odd_answer},
    commands::invitation,
    render,
};

pub fn run(session: &Session, args: ShareArgs) -> Result<Ending, Failure> {
    let request = ShareRequest {
        record: args.record,
        see: args.see,
        add: args.add,
        change: args.change,
        until: args.until,
        confirm: invitation::confirms(session, &args.invitation),
    };
    let Reply::Shared(shared) = session.ask(Request::Share(request))? else {
        return Err(odd_answer());
    };
    if let Some(path) = &args.sheet {
        write_sheet(&shared, path)?;
    }
    if session.json {
        return render::json(&shared);
    }
    invitation::say(&shared, &args.invitation)?;
    let until = shared.until.as_deref().unwrap_or("further notice");
    render::say(&format!("The share ends {until}."));
    render::say("They see earlier versions too, and kith cannot take back what they already have.");
    if let Some(path) = &args.sheet {
        render::say(&format!("The sheet is in {}.", path.display()));
    }
    if session.no_input {
        return Ok(Ending::Done);
    }
    invitation::wait(session, &shared)
}

fn write_sheet(shared: &Shared, path: &Path) -> Result<(), Failure> {
    let page = sheet::page(shared, jiff::Timestamp::now())?;
    std::fs::write(path, page).map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("The sheet {} could not be written.", path.display()),
            "The invitation was made: kith sharing RECORD lists it, kith stop RECORD ID takes it back. Name a file that you may write, and share again.",
        )
        .because(&error)
    })
}

pub fn list(session: &Session, record: String) -> Result<Ending, Failure> {
    let Reply::Sharing(sharing) = session.ask(Request::Sharing { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&sharing);
    }
    if sharing.shares.is_empty() {
        render::say("This record is shared with nobody.");
    }
    for share in &sharing.shares {
        render::say(&format!(
            "{}  {} ({}): can see {}; can add {}; can change {}; until {}",
            share.id,
            match share.name.as_str() {
                "" => "nobody yet".to_owned(),
                name => render::clean(name),
            },
            share.state,
            nothing(&share.see),
            nothing(&share.add),
            nothing(&share.change),
            share.until.as_deref().unwrap_or("further notice")
        ));
    }
    Ok(Ending::Done)
}

fn nothing(scopes: &str) -> &str {
    if scopes.is_empty() { "nothing" } else { scopes }
}
