//! Something new in a record: a note, a reading, a medicine, a task, a letter.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Answer, bring,
    frame::{Tab, Where, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{Addition, Line, Request},
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, visitor::Visitor},
};

/// `/r/RECORD/add`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
    Query(newer): Query<Newer>,
) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let word = record.clone();
    let looked = visitor.look(&record, move |node| {
        let older = newer.replaces.map(|letter| node.thing(&word, &letter));
        let older = older.transpose()?.map(|thing| thing.line);
        Ok((older, node.mind_for_medicines(&word)?))
    });
    let (heading, (older, mind)) = looked.await?;
    let action = format!("/r/{record}/add");
    let main = html! {
        (parts::done(&asked))
        h1 { "Add" }
        p { "What you add is signed by you and goes to everybody who may see it." }
        p { a href=(format!("/r/{record}/forms")) { "Fill in a form" } }
        (note(&action, &visitor.session))
        div.columns {
            (reading(&action, &visitor.session))
            (medicine(&action, &mind, &visitor.session))
            (result(&action, &visitor.session))
            (task(&action, &visitor.session))
            (letter(&action, older.as_ref(), &visitor.session))
        }
        p { a href="/brought" { "Files that were brought in" } }
    };
    let at = Where::OfRecord(Tab::Add);
    Ok(page(&visitor, &heading, ("Add", at), &main))
}

/// What a letter that is added takes the place of.
#[derive(Deserialize)]
pub(super) struct Newer {
    replaces: Option<String>,
}

fn note(action: &str, session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            div.field {
                label for="note" { "A note" }
                span.hint id="note-hint" { "What happened, in your own words" }
                textarea id="note" name="note" aria-describedby="note-hint" required {}
            }
            button.main name="what" value="note" { "Add the note" }
        }
    }
}

/// Readings that have a name of their own, as people say them.
const READINGS: [(&str, &str); 9] = [
    ("blood-pressure", "Blood pressure, such as 120/80"),
    ("pulse", "Pulse, beats a minute"),
    ("temperature", "Temperature, degrees Celsius"),
    ("weight", "Weight, kg"),
    ("oxygen", "Oxygen, percent"),
    ("breathing", "Breaths a minute"),
    ("glucose", "Glucose, mmol/L"),
    ("pain", "Pain, 0 to 10"),
    ("height", "Height, cm"),
];

fn reading(action: &str, session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            div.field {
                label for="reading" { "A reading" }
                select id="reading" name="reading" { @for (name, said) in READINGS { option value=(name) { (said) } } }
            }
            (Field { name: "value", label: "The number", hint: "Exactly as the device shows it", required: true, ..Field::TEXT }.draw())
            button name="what" value="reading" { "Add the reading" }
        }
    }
}

fn result(action: &str, session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            (Field { name: "test", label: "A result", hint: "What was tested, such as: CYP2D6, vitamin D", required: true, ..Field::TEXT }.draw())
            (Field { name: "outcome", label: "What came of it", hint: "As it stands on the paper", required: true, ..Field::TEXT }.draw())
            (Field { name: "unit", label: "Its unit", ..Field::TEXT }.draw())
            (Field { name: "on", label: "The day that stands on it", kind: "date", ..Field::TEXT }.draw())
            (Field { name: "laboratory", label: "Who tested it", ..Field::TEXT }.draw())
            button name="what" value="result" { "Add the result" }
        }
    }
}

fn medicine(action: &str, mind: &[Line], session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            @if !mind.is_empty() {
                div.note {
                    h2 { "Results that matter for medicines" }
                    ul { @for line in mind { li { (line.text) span.by { (line.said_by()) } } } }
                }
            }
            (Field { name: "medicine", label: "A medicine", hint: "Name and strength, as on the box", required: true, ..Field::TEXT }.draw())
            (Field { name: "dose", label: "How it is taken", hint: "Such as: one tablet in the evening", ..Field::TEXT }.draw())
            button name="what" value="medicine" { "Add the medicine" }
        }
    }
}

fn task(action: &str, session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            (Field { name: "task", label: "Something to do", required: true, ..Field::TEXT }.draw())
            (Field { name: "by", label: "Until", kind: "date", ..Field::TEXT }.draw())
            button name="what" value="task" { "Add the task" }
        }
    }
}

fn letter(action: &str, older: Option<&Line>, session: &Session) -> Markup {
    html! {
        form.panel id="letter" method="post" action=(action) enctype="multipart/form-data" {
            (token(session))
            @if let Some(older) = older {
                p { "It takes the place of: " strong { (older.text) } ", by " (older.said_by()) ". The older letter stays, and is marked." }
                input type="hidden" name="replaces" value=(older.id);
            }
            (Field { name: "title", label: "What the letter is", hint: "Such as: discharge letter. Without it the file's own name is used.", ..Field::TEXT }.draw())
            (Field { name: "date", label: "The day that stands on it", kind: "date", ..Field::TEXT }.draw())
            (Field { name: "file", label: "A letter or a file", hint: "PDF, picture or text; FHIR files are filed as what they are", kind: "file", required: true, ..Field::TEXT }.draw())
            button name="what" value="file" { "Add the file" }
        }
    }
}

/// Writes it.
pub(super) async fn add(Path(record): Path<String>, sent: Sent) -> Answer {
    let what = match sent.text("what") {
        "note" => Addition::Note(sent.text("note").to_owned()),
        "reading" => Addition::Reading {
            what: sent.text("reading").to_owned(),
            value: sent.text("value").to_owned(),
            unit: None,
        },
        "result" => Addition::Result {
            what: sent.text("test").to_owned(),
            value: sent.text("outcome").to_owned(),
            unit: sent.given("unit"),
            date: sent.given("on"),
            laboratory: sent.given("laboratory"),
        },
        "medicine" => Addition::Medicine {
            name: sent.text("medicine").to_owned(),
            dose: sent.given("dose"),
        },
        "task" => Addition::Task {
            what: sent.text("task").to_owned(),
            by: sent.given("by"),
        },
        "file" => return file(&record, sent).await,
        _ => return Err(nothing().into()),
    };
    let request = Request::Add {
        record: record.clone(),
        what,
        staff: None,
    };
    sent.by.ask(request).await?;
    Ok(go(&format!("/r/{record}/add?done=added")))
}

/// A letter with its title, or FHIR as what it is.
async fn file(record: &str, sent: Sent) -> Answer {
    let Some(file) = sent.files.first() else {
        return Err(nothing().into());
    };
    let starts_as_json = file.bytes.trim_ascii_start().starts_with(b"{");
    let replaces = sent.given("replaces");
    if starts_as_json && sent.given("title").is_none() && replaces.is_none() {
        return bring::begin(sent.by, sent.files, Some(record.to_owned())).await;
    }
    let (word, title, date) = (record.to_owned(), sent.given("title"), sent.given("date"));
    let files = sent.files;
    let added = sent.by.work(move |node| {
        node.with_sent_files(&files, |node, paths| {
            let Some(file) = paths.into_iter().next() else {
                return Err(nothing());
            };
            let request = Request::Add {
                record: word,
                what: Addition::Letter {
                    file,
                    title,
                    date,
                    replaces,
                },
                staff: None,
            };
            node.handle(request, &mut |_| {})
        })
    });
    added.await.map_err(Refusal::from)?;
    Ok(go(&format!("/r/{record}/add?done=added")))
}

fn nothing() -> Failure {
    Failure::new(
        Ending::Usage,
        "There is nothing to add.",
        "Go back and fill in one of the forms. Nothing was changed.",
    )
}
