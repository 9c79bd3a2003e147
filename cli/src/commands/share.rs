//! `kith share`.

use kith_node::{
    api::{Reply, Request, ShareBasis, ShareRequest, ShareTerms, SharedWith},
    failure::{Ending, Failure},
};

use crate::{
    args::{Basis, ShareArgs},
    ask::{Session, odd_answer},
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
