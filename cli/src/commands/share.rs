//! `kith share`.

use kith_node::{
    api::{Reply, Request, ShareBasis, ShareRequest, ShareTerms, SharedWith},
    failure::{Ending, Failure},
};

use crate::{
    args::{Basis, ShareArgs},
    ask::{Session, odd_answer},
    commands::invitation,
    render,
};

use super::sharing;

pub fn run(session: &Session, args: ShareArgs) -> Result<Ending, Failure> {
    let request = ShareRequest {
        record: args.record,
        see: args.see,
        add: args.add,
        change: args.change,
        until: args.until,
        confirm: invitation::confirms(session, &args.invitation),
        terms: ShareTerms {
            from: args.from,
            share_on: args.share_on.unwrap_or(0),
            review: args.review,
            basis: match args.basis {
                Basis::Care => ShareBasis::Care,
                Basis::Consent => ShareBasis::Consent,
                Basis::Legal => ShareBasis::Legal,
            },
            witnesses: args.witness,
        },
    };
    if let Some(with) = args.with {
        return share_with(session, request, with);
    }
    let Reply::Shared(shared) = session.ask(Request::Share(request))? else {
        return Err(odd_answer());
    };
    if let Some(path) = &args.sheet {
        invitation::write_sheet(
            &shared,
            path,
            "kith sharing RECORD lists it, kith stop RECORD ID takes it back. Name a file that you may write, and share again.",
        )?;
    }
    if session.json {
        return render::json(&shared);
    }
    invitation::say(&shared, &args.invitation)?;
    let until = render::until(shared.until.as_deref());
    render::say(&format!("The share lasts until {until}."));
    render::say("They see earlier versions too, and kith cannot take back what they already have.");
    if let Some(path) = &args.sheet {
        render::say(&format!("The sheet is in {}.", path.display()));
    }
    if session.no_input {
        return Ok(Ending::Done);
    }
    invitation::wait(session, &shared)
}

fn share_with(session: &Session, share: ShareRequest, with: String) -> Result<Ending, Failure> {
    let Reply::SharedWith(shared) = session.ask(Request::ShareWith { share, with })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shared);
    }
    let SharedWith {
        share,
        changed,
        ended_beneath,
    } = shared;
    render::say(&sharing::sentence(&share));
    let name = render::clean(&share.name);
    if changed {
        render::say("It took the place of the share before; what they wrote under that one stays.");
    } else {
        render::say(&format!(
            "It reaches {name} when their node and this one next talk."
        ));
    }
    if ended_beneath > 0 {
        render::say(&format!(
            "{ended_beneath} that {name} had shared on went beyond this and ended with it."
        ));
    }
    render::say("They see earlier versions too, and kith cannot take back what they already have.");
    Ok(Ending::Done)
}
