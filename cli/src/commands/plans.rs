//! `kith plans`.

use kith_node::{
    api::{HasIt, Known, PlanLine, PlansShown, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, record: String) -> Result<Ending, Failure> {
    let Reply::Plans(shown) = session.ask(Request::Plans { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shown);
    }
    say(&shown);
    Ok(Ending::Done)
}

fn say(shown: &PlansShown) {
    render::say(&render::clean(&shown.person));
    render::say("\nPLAN FOR EMERGENCIES");
    if let Some(conflict) = &shown.conflict {
        render::say(&render::loud(&render::clean(conflict)));
    }
    match (shown.current.is_empty(), shown.known) {
        (false, _) => shown.current.iter().for_each(plan),
        (true, Known::Recorded) => render::say("None stands, as far as is known here."),
        (true, Known::NothingRecorded) => render::say("Nothing recorded."),
        (true, Known::NotKnownHere) => {
            render::say("Not known to this node, which does not mean that there is none.");
        }
        (true, Known::Withheld) => render::say("Not shared with this node."),
    }
    for (name, plans) in [
        ("SUPERSEDED: DO NOT FOLLOW", &shown.superseded),
        ("OTHER PLANS", &shown.others),
    ] {
        if !plans.is_empty() {
            render::say(&format!("\n{name}"));
            plans.iter().for_each(plan);
        }
    }
    render::say("\nWHO HAS IT");
    for holder in &shown.holders {
        let you = if holder.is_us { " (you)" } else { "" };
        let says = match holder.has_it {
            HasIt::NotYet => render::loud(&holder.says),
            HasIt::Confirmed | HasIt::NotKnownHere | HasIt::NoPlan => holder.says.clone(),
        };
        render::say(&format!("{}{you}: {says}", render::clean(&holder.name)));
    }
}

fn plan(plan: &PlanLine) {
    let date = plan
        .date
        .as_deref()
        .map_or("not said", |date| date.get(..10).unwrap_or(date));
    render::say(&format!(
        "{}  {} of {date}, {}",
        plan.id.get(..8).unwrap_or(&plan.id),
        render::clean(&plan.kind),
        render::clean(&plan.status)
    ));
    render::say(&format!("          {}", render::clean(&plan.text)));
    let authors = if plan.authors.is_empty() {
        String::new()
    } else {
        format!("written by {}; ", render::clean(&plan.authors.join(", ")))
    };
    render::say(&format!(
        "          {authors}signed by {} on {}",
        render::clean(&plan.signed_by),
        plan.signed
    ));
    if let Some(due) = &plan.review_due {
        let due = format!("to be looked at again by {}", render::clean(due));
        let due = if plan.review_late {
            render::loud(&format!("{due}, which has passed"))
        } else {
            due
        };
        render::say(&format!("          {due}"));
    }
    if let Some(by) = &plan.replaced_by {
        render::say(&format!(
            "          replaced by {}",
            by.get(..8).unwrap_or(by)
        ));
    }
    if !plan.marks.is_empty() {
        render::say(&format!("          {}", plan.marks.join("; ")));
    }
}
