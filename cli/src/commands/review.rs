//! `kith review`.

use kith_node::{
    api::{Decision, Reply, Request, ToReview},
    failure::{Ending, Failure},
};

use crate::{
    args::{ReviewArgs, ReviewCommand},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ReviewArgs) -> Result<Ending, Failure> {
    let Some(decision) = args.decision else {
        return list(session, args.record);
    };
    let decision = match decision {
        ReviewCommand::Adopt { entry } => Decision::Adopt { entry },
        ReviewCommand::Choose { resource, version } => Decision::Choose { resource, version },
        ReviewCommand::Bring { resource } => Decision::Settle {
            resource,
            wanted: true,
        },
        ReviewCommand::Leave { resource } => Decision::Settle {
            resource,
            wanted: false,
        },
        ReviewCommand::Admit { invitation } => return admit(session, invitation, true),
        ReviewCommand::Decline { invitation } => return admit(session, invitation, false),
        ReviewCommand::Confirm { stop } => Decision::Confirm { stop },
        ReviewCommand::Void { stop } => Decision::Void { stop },
        ReviewCommand::Undo { entry, version } => Decision::Undo { entry, version },
        ReviewCommand::Seen { emergency } => Decision::Seen { emergency },
    };
    let record = args.record.ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            "It is not said in which record.",
            "Write kith review RECORD adopt ENTRY, or kith review RECORD choose RESOURCE VERSION.",
        )
    })?;
    let Reply::Decided(decided) = session.ask(Request::Decide { record, decision })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&decided);
    }
    render::say(&decided.what);
    Ok(Ending::Done)
}

/// Somebody who came with the link of an invitation is let in, or is not.
fn admit(session: &Session, id: String, yes: bool) -> Result<Ending, Failure> {
    let Reply::Decided(decided) = session.ask(Request::Admit { id, yes })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&decided);
    }
    render::say(&render::clean(&decided.what));
    Ok(Ending::Done)
}

fn list(session: &Session, record: Option<String>) -> Result<Ending, Failure> {
    let Reply::Review(review) = session.ask(Request::Review { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&review);
    }
    if review.items.is_empty() {
        render::say("Nothing to review.");
    }
    review.items.iter().for_each(say);
    Ok(Ending::Done)
}

fn say(item: &ToReview) {
    render::say(&format!(
        "{} {}: {} — {}",
        item.record.get(..12).unwrap_or("This node"),
        render::clean(&item.person),
        item.kind.words(),
        render::clean(&item.what)
    ));
    for (n, version) in (1..).zip(&item.versions) {
        render::say(&format!("  {n}. {}", render::clean(version)));
    }
    render::say(&format!("  {}", item.remedy));
}
