//! What needs a decision: side by side, named by content, author and date, and what can be done.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Place, Tab, Where, token},
    go, page, parts,
};
use crate::{
    api::{Decision, LinkWord, Reply, Request, ReviewKind, SamePersonRequest, ToReview},
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, told::told, visitor::Visitor, words},
};

/// So many items stand on one page, the gravest first.
const SHOWN_MAX: usize = 100;

/// `/r/RECORD/review`.
pub(super) async fn of_record(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let heading = visitor.heading(Some(&record)).await?;
    let items = items(&visitor, Some(record)).await?;
    let main = html! {
        (parts::done(&asked))
        h1 { "To review" }
        (list(&items, &visitor.session, false))
    };
    let at = Where::OfRecord(Tab::Review);
    Ok(page(&visitor, &heading, ("To review", at), &main))
}

/// `/review`: of every record, by risk.
pub(super) async fn of_all(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let items = items(&visitor, None).await?;
    let main = html! {
        h1 { "To review" }
        p { "The gravest stands first." }
        (list(&items, &visitor.session, true))
    };
    let at = Where::OfNode(Place::Review);
    Ok(page(&visitor, &heading, ("To review", at), &main))
}

async fn items(visitor: &Visitor, record: Option<String>) -> Result<Vec<ToReview>, Refusal> {
    let Reply::Review(mut review) = visitor.ask(Request::Review { record }).await? else {
        return Err(odd_answer().into());
    };
    review.items.sort_by_key(|item| item.kind);
    Ok(review.items)
}

fn list(items: &[ToReview], session: &Session, names_person: bool) -> Markup {
    html! {
        @if items.is_empty() { section.good { p { "Nothing waits for a decision." } } }
        @for item in items.iter().take(SHOWN_MAX) { (one(item, session, names_person)) }
        @if items.len() > SHOWN_MAX { p { "The first " (SHOWN_MAX) " of " (items.len()) " are shown." } }
    }
}

fn one(item: &ToReview, session: &Session, names_person: bool) -> Markup {
    let is_grave = matches!(
        item.kind,
        ReviewKind::Emergency
            | ReviewKind::TwoPlans
            | ReviewKind::TwoVersions
            | ReviewKind::NotRead
    );
    html! {
        article class=(if is_grave { "alert" } else { "panel" }) {
            h2 { (words::capital(item.kind.words())) }
            @if names_person && !item.person.is_empty() {
                p { a href=(format!("/r/{}", item.record)) { (item.person) } }
            }
            p { strong { (told(&item.what)) } }
            (choices(item, session))
        }
    }
}

/// What can be done about it.
fn choices(item: &ToReview, session: &Session) -> Markup {
    let action = format!("/r/{}/review", item.record);
    let button = |word: &str, label: &str, class: &str| {
        html! { button class=(class) name="do" value=(word) { (label) } }
    };
    let form = |buttons: Markup| {
        html! {
            form method="post" action=(action) {
                (token(session))
                input type="hidden" name="id" value=(item.id);
                div.row { (buttons) }
            }
        }
    };
    html! {
        @match item.kind {
            ReviewKind::TwoPlans => {
                ul { @for plan in &item.versions { li { (told(plan)) } } }
                p { (words::capital(&told(&item.remedy))) "." }
            }
            ReviewKind::TwoVersions => (versions(item, session, &action)),
            ReviewKind::MistakeAndChange => {
                @for reason in &item.versions { p { "The reason: " (reason) } }
                (form(html! { input type="hidden" name="version" value="1"; (button("choose", "Keep what stands now", "main")) }))
            }
            ReviewKind::Contested | ReviewKind::Marked => {
                p { "Whoever wrote it may not have been allowed to any more. Ask them, or whoever shares the record, before it counts without a mark." }
                (form(button("adopt", "It counts", "main")))
            }
            ReviewKind::StopWaits => (form(html! { (button("confirm", "The stop holds", "main")) (button("void", "It does not hold", "")) })),
            ReviewKind::Emergency => {
                p { a href=(format!("/r/{}/who-looked", item.record)) { "What they were given" } }
                (form(button("seen", "I have seen this", "main")))
            }
            ReviewKind::SamePerson => {
                p { "Look at both records first: " a href=(format!("/r/{}", item.id)) { "the other one" } ". Nothing is merged; you can take it back." }
                (form(html! { (button("same", "It is one person", "main")) (button("other", "They are two people", "")) }))
            }
            ReviewKind::Late => (form(html! { (button("bring", "Write it into what stands now", "main")) (button("leave", "Leave it where it is", "")) })),
            ReviewKind::WantsToJoin => p { a.button.main href=(format!("/invitations/{}", item.id)) { "Compare check words" } },
            ReviewKind::WrongWords | ReviewKind::Declined => p { a.button href=(format!("/invitations/{}", item.id)) { "Look at the invitation" } },
            ReviewKind::Restored => p { "Nothing is lost: both are kept. Ask whose device it is." },
            ReviewKind::NotRead => p { a href="/connections" { "What is wrong, and what mends it" } },
        }
    }
}

fn versions(item: &ToReview, session: &Session, action: &str) -> Markup {
    html! {
        div.versions {
            @for (n, version) in (1..).zip(&item.versions) {
                section.version {
                    h3 { "Version " (n) }
                    p.large { (told(version)) }
                    form method="post" action=(action) {
                        (token(session))
                        input type="hidden" name="id" value=(item.id);
                        input type="hidden" name="version" value=(n);
                        button name="do" value="choose" { "This one stands" }
                    }
                }
            }
        }
        p { a href=(format!("/r/{}/thing/{}", item.record, item.id)) { "Look at both whole" } ". If you do not know, ring whoever wrote them; both stand until somebody decides." }
    }
}

/// Decides.
pub(super) async fn decide(Path(record): Path<String>, sent: Sent) -> Answer {
    let id = sent.text("id").to_owned();
    let word = sent.text("do").to_owned();
    let request = match word.as_str() {
        "same" | "other" => Request::SamePerson(SamePersonRequest {
            record: record.clone(),
            other: id,
            word: if word == "same" {
                LinkWord::Confirm
            } else {
                LinkWord::Withdraw
            },
            because: Some("decided after looking at both".to_owned()),
        }),
        _ => Request::Decide {
            record: record.clone(),
            decision: decision(&word, id, sent.text("version"))?,
        },
    };
    sent.by.ask(request).await?;
    let done = if word == "seen" { "seen" } else { "decided" };
    Ok(go(&format!("/r/{record}/review?done={done}")))
}

fn decision(word: &str, id: String, version: &str) -> Result<Decision, Failure> {
    Ok(match word {
        "choose" => Decision::Choose {
            resource: id,
            version: version.parse().unwrap_or(0),
        },
        "adopt" => Decision::Adopt { entry: id },
        "confirm" => Decision::Confirm { stop: id },
        "void" => Decision::Void { stop: id },
        "bring" | "leave" => Decision::Settle {
            resource: id,
            wanted: word == "bring",
        },
        "seen" => Decision::Seen { emergency: id },
        _ => {
            return Err(Failure::new(
                Ending::NotUnderstood,
                "It is not said what was decided.",
                "Go back and press one of the buttons. Nothing was changed.",
            ));
        }
    })
}
