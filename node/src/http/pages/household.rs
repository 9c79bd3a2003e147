//! Who lives with whom and who supports whom, where both sides agreed to say so.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Tab, Where, token},
    go, page,
    parts::{self, Field, radio},
};
use crate::{
    api::{
        Bond, HouseholdAct, HouseholdAsk, HouseholdLine, HouseholdShown, HouseholdState, Reply,
        Request,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, visitor::Visitor},
};

/// What the person of a record can be to another, as a form sends it and as people read it.
const BONDS: [(Bond, &str, &str); 3] = [
    (Bond::LivesWith, "lives-with", "They live together"),
    (
        Bond::Supports,
        "supports",
        "The person of this record supports the other",
    ),
    (
        Bond::SupportedBy,
        "supported-by",
        "The person of this record is supported by the other",
    ),
];

/// `/r/RECORD/household`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let request = request(&record, HouseholdAct::Show);
    let (heading, reply) = visitor.look_by(&record, request).await?;
    let shown = shown(reply)?;
    let changes = !visitor.is_phone();
    let main = html! {
        (parts::done(&asked))
        h1 { "Household" }
        p { "Two records say here that two people live together or support each other, where both sides agreed. A record says the name and how to reach them, and nothing else of one record is in the other." }
        @if shown.links.is_empty() {
            section.panel { p { "Nobody agreed here to say so of anybody. That does not mean that nobody lives with them." } }
        }
        @for link in &shown.links { (panel(&record, link, &visitor, changes)) }
        @if changes { (offering(&record, &visitor)) (taking(&record, &visitor)) }
    };
    let at = Where::OfRecord(Tab::Sharing);
    Ok(page(&visitor, &heading, ("Household", at), &main))
}

fn panel(record: &str, link: &HouseholdLine, visitor: &Visitor, changes: bool) -> Markup {
    html! {
        section.panel {
            h2 { (link.what) @if link.state != HouseholdState::Agreed { " " span.mark { (state(link.state)) } } }
            dl.facts {
                @if let Some(reach) = &link.reach { dt { "Reached so" } dd { (reach) } }
                dt { "Offered by" } dd { (link.offered) }
                @if let Some(answered) = &link.answered { dt { "Accepted by" } dd { (answered) } }
                @if let Some(ended) = &link.ended { dt { "Ended by" } dd { (ended) } }
            }
            @if changes {
                @if let Some(give) = &link.give { (text_for_others(link, give)) }
                @if link.state != HouseholdState::Ended {
                    form method="post" action=(format!("/r/{record}/household/end")) {
                        (token(&visitor.session))
                        input type="hidden" name="link" value=(link.link);
                        button.grave { "End this" }
                    }
                }
            }
        }
    }
}

fn text_for_others(link: &HouseholdLine, give: &str) -> Markup {
    let id = format!("give-{}", link.link);
    html! {
        details open[link.state == HouseholdState::Offered] {
            summary { "The text for whoever looks after the other record" }
            label for=(id) { "Give them all of it, by mail or on paper. They paste it on this page of their own record." }
            textarea id=(id) readonly rows="4" { (give) }
        }
    }
}

const fn state(state: HouseholdState) -> &'static str {
    match state {
        HouseholdState::Agreed => "both agreed",
        HouseholdState::Offered => "not answered yet",
        HouseholdState::Ended => "ended",
    }
}

fn offering(record: &str, visitor: &Visitor) -> Markup {
    html! {
        section.panel {
            h2 { "Offer to say so" }
            form method="post" action=(format!("/r/{record}/household")) {
                (token(&visitor.session))
                fieldset {
                    legend { "What are they to each other?" }
                    @for (bond, word, said) in BONDS { (radio("bond", word, said, bond == Bond::LivesWith)) }
                }
                (Field { name: "to", label: "Who is the other?", hint: "Such as Bert Penn", required: true, ..Field::TEXT }.draw())
                (own_fields("offer"))
                button.main { "Make the offer" }
            }
        }
    }
}

fn own_fields(of: &str) -> Markup {
    let (name, reach) = (format!("name-{of}"), format!("reach-{of}"));
    html! {
        (Field { name: "name", id: Some(&name), label: "What is the person of this record called there?", hint: "As this record says, where you leave it empty", ..Field::TEXT }.draw())
        (Field { name: "reach", id: Some(&reach), label: "How are they reached?", hint: "For the other side to see, such as a telephone number; may be left empty", ..Field::TEXT }.draw())
    }
}

fn taking(record: &str, visitor: &Visitor) -> Markup {
    html! {
        section.panel {
            h2 { "I was given a text" }
            form method="post" action=(format!("/r/{record}/household/text")) {
                (token(&visitor.session))
                label for="text" { "The text, from kith: to its end" }
                textarea id="text" name="text" rows="4" required {}
                button { "See what it says" }
            }
        }
    }
}

/// Makes an offer.
pub(super) async fn offer(Path(record): Path<String>, sent: Sent) -> Answer {
    let word = sent.text("bond");
    let bond = BONDS.iter().find(|(_, name, _)| *name == word);
    let act = HouseholdAct::Offer {
        bond: bond.map(|(bond, _, _)| *bond).ok_or_else(no_bond)?,
        to: sent.text("to").to_owned(),
        name: sent.given("name"),
        reach: sent.given("reach"),
    };
    sent.by.ask(request(&record, act)).await?;
    Ok(go(&format!("/r/{record}/household?done=offered")))
}

/// Reads a text that somebody was given: an offer waits for a yes, the rest is taken in.
pub(super) async fn text(Path(record): Path<String>, sent: Sent) -> Answer {
    let text = sent.text("text").to_owned();
    if sent.text("yes") == "yes" {
        let act = HouseholdAct::Answer {
            text,
            name: sent.given("name"),
            reach: sent.given("reach"),
        };
        sent.by.ask(request(&record, act)).await?;
        return Ok(go(&format!("/r/{record}/household?done=agreed")));
    }
    let act = HouseholdAct::TakeIn { text: text.clone() };
    let (heading, reply) = sent.by.look_by(&record, request(&record, act)).await?;
    let shown = shown(reply)?;
    if !shown.is_offer {
        return Ok(go(&format!("/r/{record}/household?done=taken-in")));
    }
    let main = html! {
        h1 { "Somebody offers this" }
        section.panel {
            p { (shown.note.unwrap_or_default()) }
            p { "Talk to them before you accept." }
            form method="post" action=(format!("/r/{record}/household/text")) {
                (token(&sent.by.session))
                input type="hidden" name="text" value=(text);
                input type="hidden" name="yes" value="yes";
                (own_fields("answer"))
                button.main { "Accept" }
            }
            p { a href=(format!("/r/{record}/household")) { "Do not accept" } }
        }
    };
    let at = Where::OfRecord(Tab::Sharing);
    Ok(page(&sent.by, &heading, ("Household", at), &main))
}

/// Ends a link.
pub(super) async fn end(Path(record): Path<String>, sent: Sent) -> Answer {
    let act = HouseholdAct::End {
        link: sent.text("link").to_owned(),
    };
    sent.by.ask(request(&record, act)).await?;
    Ok(go(&format!("/r/{record}/household?done=ended")))
}

fn request(record: &str, act: HouseholdAct) -> Request {
    Request::Household(HouseholdAsk {
        record: record.to_owned(),
        act,
    })
}

fn shown(reply: Reply) -> Result<HouseholdShown, Refusal> {
    let Reply::Household(shown) = reply else {
        return Err(odd_answer().into());
    };
    Ok(shown)
}

fn no_bond() -> Failure {
    Failure::new(
        Ending::Usage,
        "It was not said what the two are to each other.",
        "Choose one of the three. Nothing was changed.",
    )
}
