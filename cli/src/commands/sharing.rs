//! `kith sharing`.

use kith_node::{
    api::{Reply, Request, ShareBasis, ShareLine, Side},
    failure::{Ending, Failure},
};

use crate::{
    ask::{Session, odd_answer},
    render,
};

pub fn list(session: &Session, record: Option<String>) -> Result<Ending, Failure> {
    let all = record.is_none();
    let request = record.map_or(Request::AllSharing, |record| Request::Sharing { record });
    let Reply::Sharing(sharing) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&sharing);
    }
    let shares = &sharing.shares;
    if shares.is_empty() {
        render::say(if all {
            "Nothing is shared from here, and nothing with you."
        } else {
            "This record is shared with nobody."
        });
    }
    let sides = [
        (Side::WithUs, "SHARED WITH YOU"),
        (Side::FromUs, "SHARED BY YOU"),
        (Side::BetweenOthers, "SHARED BY OTHERS"),
    ];
    for (side, head) in sides {
        let of_side: Vec<_> = shares.iter().filter(|share| share.side == side).collect();
        if !of_side.is_empty() {
            render::say(head);
        }
        for share in of_side {
            if all {
                let person = render::clean(&share.person);
                render::say(&format!("{} {person}", &share.record[..12]));
            }
            render::say(&format!("  {}  {}", share.id, sentence(share)));
        }
    }
    Ok(Ending::Done)
}

/// A share in one line.
pub(super) fn sentence(share: &ShareLine) -> String {
    let who = match share.side {
        Side::WithUs => format!("from {}", share.by),
        Side::FromUs if share.name.is_empty() => "nobody yet".to_owned(),
        Side::FromUs => share.name.clone(),
        Side::BetweenOthers => format!("{}, from {}", share.name, share.by),
    };
    let mut line = format!(
        "{who} ({}): can see {}; can add {}; until {}",
        share.state,
        nothing(&share.see),
        nothing(&share.add),
        render::until(share.until.as_deref())
    );
    if !share.change.is_empty() {
        line += &format!("; can change {}", share.change);
    }
    if let Some(from) = &share.from {
        line += &format!("; from {from}");
    }
    match share.share_on {
        0 => {}
        1 => line += "; may share it on",
        steps => line += &format!("; may share it on over {steps} steps"),
    }
    if share.review {
        line += "; decides what counts";
    }
    match share.basis {
        ShareBasis::Consent => {}
        ShareBasis::Care => line += "; for direct care",
        ShareBasis::Legal => line += "; by a duty in law",
    }
    if !share.via.is_empty() {
        line += &format!("; via {}", share.via.join(", "));
    }
    render::clean(&line)
}

fn nothing(scopes: &str) -> &str {
    if scopes.is_empty() { "nothing" } else { scopes }
}
