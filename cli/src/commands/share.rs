//! `kith share`, `kith sharing`.

use kith_node::{
    api::{Reply, Request, ShareRequest},
    failure::{Ending, Failure},
};

use crate::{
    args::ShareArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ShareArgs) -> Result<Ending, Failure> {
    let request = ShareRequest {
        record: args.record,
        see: args.see,
        add: args.add,
        change: args.change,
        until: args.until,
    };
    let Reply::Shared(shared) = session.ask(Request::Share(request))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shared);
    }
    render::say("Send this link to one person, in a way that only they can read:");
    render::say(&shared.link);
    render::say(&format!(
        "It works once, until {}. The share ends {}.",
        shared.invitation_ends, shared.until
    ));
    render::say("They see earlier versions too, and kith cannot take back what they already have.");
    Ok(Ending::Done)
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
            render::clean(&share.name),
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
