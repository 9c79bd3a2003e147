//! An app asks: what it would be able to do, in plain words, and the answer; and the apps that
//! there are.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Query, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::ToSpan;
use kith_crdt::Section;
use maud::{Markup, html};

use super::{
    Answer, alone,
    frame::{Place, Where, token},
    go, page,
    parts::{self, Field, radio},
};
use crate::{
    api::{
        AppLine, AppList, ConnectAsk, ConnectShown, RecordLine, Reply, Request, ShareRequest,
        ShareTerms,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    http::{
        door::POLICY, fhir::Question, forms::Sent, refusal::Refusal, site::Site, visitor::Visitor,
        words,
    },
};

/// `/apps/ask?…`: what an app asks for.
pub(super) async fn ask(
    visitor: Visitor,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = query.unwrap_or_default();
    let question = match Question::read(&site, &visitor.node, &headers, &query).await {
        Ok(question) => question,
        Err(none) => return Ok(none.response()),
    };
    let Reply::Records(records) = visitor.ask(Request::RecordList).await? else {
        return Err(odd_answer().into());
    };
    // The library is nobody's record.
    let library = visitor.work(|node| Ok(node.library())).await?;
    let people: Vec<_> = records
        .into_iter()
        .filter(|line| Some(&line.record) != library.as_ref())
        .collect();
    let main = form(&visitor, &question, &people);
    let mut response = alone("An app asks", &main).into_response();
    // Whoever says yes is sent back to the app, which a form may do to no other place.
    let own = POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {}", question.origin()),
    );
    if let Ok(policy) = HeaderValue::from_str(&own) {
        let name = header::CONTENT_SECURITY_POLICY;
        response.headers_mut().insert(name, policy);
    }
    Ok(response)
}

fn form(visitor: &Visitor, question: &Question, records: &[RecordLine]) -> Markup {
    let in_a_season = words::today().saturating_add(90.days()).to_string();
    let [see, add, change] = question.scopes.sections();
    let name = &question.client.name;
    html! {
        section.panel {
            h1 { "May " (name) " read a record?" }
            dl.facts {
                @if !see.is_empty() { dt { "It could see" } dd { (of_parts(&see)) (of_types(question)) } }
                @if !add.is_empty() { dt { "It could add to" } dd { (of_parts(&add)) } }
                @if !change.is_empty() { dt { "It could change" } dd { (of_parts(&change)) } }
                dt { "You would go back to" } dd { (question.redirect) }
                @if question.scopes.is_offline { dt { "When you are not there" } dd { "It could go on reading until the share ends, without asking you again." } }
            }
            @if !question.scopes.refused.is_empty() {
                p.small { "It also asked for what kith does not give: " (question.scopes.refused.join(", ")) }
            }
        }
        @if records.is_empty() {
            section.panel { p { "There is no record here yet that it could read." } }
        } @else {
            form.panel method="post" action=(format!("/apps/ask?{}", question.query)) {
                (token(&visitor.session))
                fieldset {
                    legend { "Whose record?" }
                    @for (n, record) in records.iter().enumerate() {
                        (radio("record", &record.record, &who(record, records), n == 0 && records.len() == 1))
                    }
                }
                fieldset {
                    legend { "What is marked as sensitive (mental health, sexual health, social care, private)" }
                    (radio("labels", "general", "It does not see that", true))
                    (radio("labels", "all", "It sees that too", false))
                }
                (Field { name: "until", label: "Until", hint: "The last day; you can stop earlier at any time", kind: "date", value: &in_a_season, required: true, ..Field::TEXT }.draw())
                p.small { "What it reads stands under \u{201c}Who looked\u{201d}. kith cannot take back what an app has read." }
                button.main name="answer" value="yes" { "Yes, share this with " (name) }
                " "
                button name="answer" value="no" formnovalidate { "No" }
            }
        }
    }
}

/// Whose a record is, so that it is told from each of the others.
fn who(record: &RecordLine, all: &[RecordLine]) -> String {
    let mut who = record.person.clone();
    if let Some(born) = &record.born {
        who.push_str(&format!(", born {}", words::when(born)));
    }
    if let Some(number) = &record.nhs_number {
        who.push_str(&format!(", NHS number {}", words::nhs_number(number)));
    }
    let is_same = |other: &&RecordLine| {
        (&other.person, &other.born, &other.nhs_number)
            == (&record.person, &record.born, &record.nhs_number)
    };
    if all.iter().filter(is_same).count() > 1 {
        who.push_str(&format!(", record {}", &record.record[..12]));
    }
    who
}

fn of_parts(sections: &BTreeSet<Section>) -> String {
    if sections.len() == Section::ALL.len() {
        return "everything".to_owned();
    }
    let names = sections.iter().map(|section| section.name());
    words::scopes(&names.collect::<Vec<_>>().join(","))
}

fn of_types(question: &Question) -> String {
    if question.scopes.reads_all() {
        return String::new();
    }
    format!(" (of these only: {})", question.scopes.types().join(", "))
}

/// The answer.
pub(super) async fn answer(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    sent: Sent,
) -> Answer {
    if !sent.by.runs_it() {
        return Err(sent.by.may_not());
    }
    let query = query.unwrap_or_default();
    let question = match Question::read(&site, &sent.by.node, &headers, &query).await {
        Ok(question) => question,
        Err(none) => return Ok(none.response()),
    };
    if sent.text("answer") != "yes" {
        return Ok(see_other(&question.refused()));
    }
    let share = share(&question, &sent)?;
    let (id, scope) = (
        question.client_id.clone(),
        question.scopes.granted.join(" "),
    );
    let granted = sent
        .by
        .work(move |node| node.connect_client(&id, &share, &scope))
        .await?;
    Ok(see_other(&question.granted(
        &site,
        granted.app,
        granted.patient,
    )))
}

/// To the app, whose address was looked at when it was registered.
fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(_) => Refusal::not_there().into_response(),
    }
}

fn share(question: &Question, sent: &Sent) -> Result<ShareRequest, Failure> {
    let label = match sent.text("labels") {
        "all" => None,
        _ => Some("general"),
    };
    let scopes = |sections: &BTreeSet<Section>| {
        let labels = match label {
            Some(label) => vec![label.to_owned()],
            None => kith_crdt::Label::built_in()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        let each = sections.iter().flat_map(|section| {
            let of_label = |label: &String| format!("{}:{label}", section.name());
            labels.iter().map(of_label).collect::<Vec<_>>()
        });
        each.collect::<Vec<_>>().join(",")
    };
    let [see, add, change] = question.scopes.sections();
    let Some(record) = sent.given("record") else {
        return Err(Failure::new(
            Ending::Usage,
            "No record was chosen.",
            "Go back and choose whose record it may read. Nothing was shared.",
        ));
    };
    let some = |sections: &BTreeSet<Section>| (!sections.is_empty()).then(|| scopes(sections));
    Ok(ShareRequest {
        record,
        see: scopes(&see),
        add: some(&add),
        change: some(&change),
        until: sent.text("until").to_owned(),
        confirm: false,
        terms: ShareTerms::default(),
    })
}

/// `/apps`: the apps that there are.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<parts::Done>) -> Answer {
    let heading = visitor.heading(None).await?;
    let Reply::Connect(shown) = visitor.ask(Request::Connect(ConnectAsk::List)).await? else {
        return Err(odd_answer().into());
    };
    let ConnectShown::List(AppList { apps, registered }) = *shown else {
        return Err(odd_answer().into());
    };
    let main = html! {
        (parts::done(&asked))
        h1 { "Apps" }
        p { "Programs that read a record through this node. Each has a share of its own, and what it reads stands under \u{201c}Who looked\u{201d} of the record." }
        @if apps.is_empty() && registered.is_empty() { section.panel { p { "No app is connected." } } }
        @for app in &apps {
            section.panel {
                h2 { (app.name) }
                (facts(app))
                form method="post" action="/apps/stop" {
                    (token(&visitor.session))
                    input type="hidden" name="app" value=(app.id);
                    button.grave { "Stop " (app.name) }
                }
            }
        }
        @if !registered.is_empty() {
            section.panel {
                h2 { "May ask" }
                p { "These can send your browser here with a question, and get nothing before you say yes." }
                ul.things {
                    @for app in &registered {
                        li {
                            (app.name) span.by { "goes back to " (app.redirects.join(", ")) }
                            form method="post" action="/apps/stop" {
                                (token(&visitor.session))
                                input type="hidden" name="app" value=(app.client_id);
                                button { "May not ask any more" }
                            }
                        }
                    }
                }
            }
        }
        p.small { "In a terminal: " kbd { "kith connect fhir RECORD --name APP --see PARTS --until DATE" } " connects a program by a token, and " kbd { "kith connect app" } " lets one ask." }
    };
    Ok(page(
        &visitor,
        &heading,
        ("Apps", Where::OfNode(Place::Apps)),
        &main,
    ))
}

fn facts(app: &AppLine) -> Markup {
    html! {
        dl.facts {
            @match &app.share {
                Some(share) => {
                    dt { "Record" } dd { a href=(format!("/r/{}/sharing/{}", share.record, share.id)) { (share.person) } }
                    dt { "State" } dd { (share.state) }
                    dt { "Can see" } dd { (words::scopes(&share.see)) }
                    @if !share.add.is_empty() { dt { "Can add to" } dd { (words::scopes(&share.add)) } }
                    @if !share.change.is_empty() { dt { "Can change" } dd { (words::scopes(&share.change)) } }
                    dt { "Ends" } dd { (words::capital(&words::until(share.until.as_deref()))) }
                },
                None => { dt { "State" } dd { "its share is not found in the record" } },
            }
            dt { "Connected" } dd { (words::when(&app.since)) }
        }
    }
}

/// Stops an app.
pub(super) async fn stop(sent: Sent) -> Answer {
    let who = sent.text("app").to_owned();
    sent.by
        .ask(Request::Connect(ConnectAsk::Stop { who }))
        .await?;
    Ok(go("/apps?done=app-stopped"))
}
