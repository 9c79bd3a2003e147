//! `kith handover`.

use kith_node::{
    api::{EventLine, HandoverRequest, HandoverShown, Known, Occurred, ReadLine, Reply, Request},
    failure::{Ending, Failure},
};

use super::tasks;
use crate::{
    args::HandoverArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: HandoverArgs) -> Result<Ending, Failure> {
    let request = HandoverRequest {
        record: args.record,
        read: args.read,
        keeps_place: false,
        staff: args.staff,
    };
    let Reply::Handover(shown) = session.ask(Request::Handover(request))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&shown);
    }
    say(&shown);
    Ok(Ending::Done)
}

fn say(shown: &HandoverShown) {
    let as_of = shown.as_of.as_deref().unwrap_or("a time that is not known");
    render::say(&format!(
        "{}   as of {as_of}, for {}",
        render::clean(&shown.person),
        render::clean(&shown.reader)
    ));
    part("TO DO", shown.tasks_known, "no task is open");
    shown.tasks.iter().for_each(tasks::say);
    part("CARE BASICS", shown.basics_known, "none are written down");
    for line in &shown.basics {
        let text = render::clean(&line.text);
        let text = text.strip_prefix("Care basics: ").unwrap_or(&text);
        render::say(&format!(
            "{}  {text}  — {}",
            line.id.get(..8).unwrap_or(&line.id),
            render::clean(&line.by)
        ));
    }
    if !shown.events.is_empty() {
        render::say("\nWHAT HAPPENED");
        shown.events.iter().for_each(event);
    }
    match &shown.since {
        Some(since) => render::say(&format!("\nNEW SINCE YOU LOOKED ({since})")),
        None => render::say("\nWRITTEN LAST (you have not looked before)"),
    }
    if shown.changed.is_empty() {
        render::say("Nothing that is known here.");
    }
    if shown.changed_more > 0 {
        render::say(&format!(
            "… and {} things before these: kith record timeline",
            shown.changed_more
        ));
    }
    shown.changed.iter().for_each(changed);
    if !shown.withheld.is_empty() {
        render::say(&format!(
            "These parts are not shared with this node, and may have changed: {}.",
            shown.withheld.join(", ")
        ));
    }
    render::say("\nREAD BY");
    if shown.read_by.is_empty() {
        render::say(
            "Nobody has said so, as far as is known here. kith handover RECORD --read says that you have.",
        );
    }
    shown.read_by.iter().for_each(read);
    if let Some(note) = &shown.note {
        render::say(note);
    }
}

/// A heading, and what is to be said where nothing stands beneath it.
fn part(name: &str, known: Known, nothing: &str) {
    render::say(&format!("\n{name}"));
    match known {
        Known::Recorded => {}
        Known::NothingRecorded => render::say(&format!("Nothing recorded: {nothing}.")),
        Known::NotKnownHere => {
            render::say("Not known to this node, which does not mean that there is nothing.");
        }
        Known::Withheld => render::say("Not shared with this node."),
    }
}

fn event(event: &EventLine) {
    let part = |text: Option<&String>| {
        text.map_or_else(String::new, |text| format!(", {}", render::clean(text)))
    };
    let cancelled = event.cancelled.as_ref().map_or_else(String::new, |said| {
        let because = said.because.as_ref();
        let because = because.map_or_else(String::new, |why| format!(": {}", render::clean(why)));
        format!(
            "  DID NOT HAPPEN, says {}{because}",
            render::clean(&said.by)
        )
    });
    render::say(&format!(
        "{}  {}  {}{}{}{cancelled}  — {}",
        event.id.get(..8).unwrap_or(&event.id),
        event.when.as_deref().unwrap_or("time not known"),
        event.kind,
        part(event.place.as_ref()),
        part(event.why.as_ref()),
        render::clean(&event.by)
    ));
}

fn changed(occurred: &Occurred) {
    render::say(&format!(
        "{}  {}: {}",
        occurred.when,
        render::clean(&occurred.by),
        render::clean(&occurred.what.join("; "))
    ));
}

fn read(line: &ReadLine) {
    let staff = line.staff.as_ref();
    let staff = staff.map_or_else(String::new, |staff| format!(" ({})", render::clean(staff)));
    let more = if line.is_current {
        ""
    } else {
        "; more has been written since"
    };
    render::say(&format!(
        "{}{staff}, {}{more}",
        render::clean(&line.by),
        line.when
    ));
}
