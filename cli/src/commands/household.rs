//! `kith household`.

use kith_node::{
    api::{Bond, HouseholdAct, HouseholdAsk, HouseholdLine, HouseholdShown, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::{BondWord, HouseholdArgs, HouseholdCommand},
    ask::{self, Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: HouseholdArgs) -> Result<Ending, Failure> {
    let (record, act) = match args.command {
        HouseholdCommand::Show { record } => (record, HouseholdAct::Show),
        HouseholdCommand::Offer {
            record,
            bond,
            with,
            name,
            reach,
        } => (
            record,
            HouseholdAct::Offer {
                bond: bond_of(bond),
                to: with,
                name,
                reach,
            },
        ),
        HouseholdCommand::Answer {
            record,
            offer,
            name,
            reach,
            yes,
        } => {
            let text = ask::text_of(&offer)?;
            if !yes && !agrees(session, &record, &text)? {
                render::say("You have not accepted. Nothing was changed.");
                return Ok(Ending::Done);
            }
            let act = HouseholdAct::Answer { text, name, reach };
            (record, act)
        }
        HouseholdCommand::TakeIn { record, text } => {
            let text = ask::text_of(&text)?;
            (record, HouseholdAct::TakeIn { text })
        }
        HouseholdCommand::End { record, link } => (record, HouseholdAct::End { link }),
    };
    let shown = asked(session, record, act)?;
    if session.json {
        return render::json(&shown);
    }
    if let Some(note) = &shown.note {
        render::say(&render::clean(note));
    }
    match &shown.text {
        Some(text) => render::say(text),
        None if shown.is_offer => render::say("Accept it with kith household answer."),
        None => list(&shown),
    }
    Ok(Ending::Done)
}

/// What was offered is shown before it is accepted.
fn agrees(session: &Session, record: &str, text: &str) -> Result<bool, Failure> {
    let act = HouseholdAct::TakeIn {
        text: text.to_owned(),
    };
    let shown = asked(session, record.to_owned(), act)?;
    let note = shown.note.ok_or_else(odd_answer)?;
    if !shown.is_offer {
        render::say(&render::clean(&note));
        return Ok(false);
    }
    if session.no_input {
        return Err(Failure::new(
            Ending::NeedsPerson,
            note,
            "Talk to whoever offers it before you accept; then add --yes. Nothing was changed.",
        ));
    }
    render::say(&render::clean(&note));
    ask::agrees("Do you accept?")
}

fn asked(session: &Session, record: String, act: HouseholdAct) -> Result<HouseholdShown, Failure> {
    let asked = HouseholdAsk { record, act };
    let Reply::Household(shown) = session.ask(Request::Household(asked))? else {
        return Err(odd_answer());
    };
    Ok(shown)
}

fn list(shown: &HouseholdShown) {
    if shown.links.is_empty() {
        render::say(
            "This record says of nobody that they live together or support each other. That means only that nobody agreed here to say so.",
        );
    }
    for link in &shown.links {
        say(link);
    }
}

fn say(link: &HouseholdLine) {
    let mut said = format!("{}  {}", &link.link[..8], link.what);
    if let Some(reach) = &link.reach {
        said.push_str(&format!(" ({reach})"));
    }
    let how = match (&link.ended, &link.answered) {
        (Some(ended), _) => format!("ended by {ended}"),
        (None, Some(answered)) => {
            format!("offered by {}, accepted by {answered}", link.offered)
        }
        (None, None) => format!("offered by {}, no answer here yet", link.offered),
    };
    render::say(&render::clean(&said));
    render::say(&render::clean(&format!("          {how}")));
}

const fn bond_of(bond: BondWord) -> Bond {
    match bond {
        BondWord::LivesWith => Bond::LivesWith,
        BondWord::Supports => Bond::Supports,
        BondWord::SupportedBy => Bond::SupportedBy,
    }
}
