//! `kith form`.

mod asking;

use std::{fs::File, io::Read, path::Path};

use kith_node::{
    api::{FillRequest, FormFilled, FormOpened, FormsReply, FormsRequest, Reply, Request},
    failure::{Ending, Failure},
    health::forms::{Finding, Weight, finding::has_errors, prefill::Prefilled},
};
use serde_json::{Value, json};

use crate::{
    args::{FillArgs, FormArgs, FormCommand},
    ask::{Session, absolute, odd_answer},
    render,
};

/// The longest file of answers, in bytes.
const FILE_LEN_MAX: u64 = 16 * 1024 * 1024;

pub fn run(session: &Session, args: FormArgs) -> Result<Ending, Failure> {
    match args.command {
        FormCommand::Add { file, record } => add(session, &file, record),
        FormCommand::List { record } => list(session, record),
        FormCommand::Fill(args) => fill(session, args),
        FormCommand::Check { file, form, record } => check(session, &file, form, record),
        FormCommand::Extract {
            record,
            form,
            answers,
        } => {
            let request = FillRequest {
                record,
                form,
                answers: text_in(&answers)?,
                with_known: false,
                basis: None,
                dry_run: true,
                staff: None,
            };
            filled(session, request)
        }
    }
}

fn ask(session: &Session, request: FormsRequest) -> Result<FormsReply, Failure> {
    let Reply::Forms(reply) = session.ask(Request::Forms(request))? else {
        return Err(odd_answer());
    };
    Ok(reply)
}

fn add(session: &Session, file: &Path, record: Option<String>) -> Result<Ending, Failure> {
    let file = absolute(file);
    let FormsReply::Added(added) = ask(session, FormsRequest::Add { file, record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&added);
    }
    let title = render::clean(&added.title);
    render::say(&if added.was_here {
        format!("{title} is here already.")
    } else {
        format!("Kept {title}: {} questions and groups.", added.questions)
    });
    findings(&added.notes);
    Ok(Ending::Done)
}

fn list(session: &Session, record: Option<String>) -> Result<Ending, Failure> {
    let FormsReply::List(forms) = ask(session, FormsRequest::List { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&json!({ "forms": forms }));
    }
    if forms.is_empty() {
        render::say("There are no forms here. kith form add FILE keeps one.");
    }
    for form in forms {
        let place = if form.record.is_some() {
            "this record"
        } else {
            "library"
        };
        render::say(&format!(
            "{}  {} ({} questions; {place}; by {})",
            form.id.get(..12).unwrap_or(&form.id),
            render::clean(&form.title),
            form.questions,
            render::clean(&form.by)
        ));
        if let Some(url) = &form.url {
            let version = form.version.as_ref();
            let version = version.map_or_else(String::new, |version| format!("|{version}"));
            render::say(&format!(
                "              {}",
                render::clean(&format!("{url}{version}"))
            ));
        }
    }
    Ok(Ending::Done)
}

fn check(
    session: &Session,
    file: &Path,
    form: Option<String>,
    record: Option<String>,
) -> Result<Ending, Failure> {
    let text = text_in(file)?;
    let FormsReply::Checked(checked) = ask(session, FormsRequest::Check { text, form, record })?
    else {
        return Err(odd_answer());
    };
    let ending = if has_errors(&checked.findings) {
        Ending::NotUnderstood
    } else {
        Ending::Done
    };
    if session.json {
        return render::json(&checked).map(|_| ending);
    }
    findings(&checked.findings);
    render::say(if ending == Ending::Done {
        "It fits."
    } else {
        "It does not fit. Nothing was changed."
    });
    Ok(ending)
}

fn fill(session: &Session, args: FillArgs) -> Result<Ending, Failure> {
    let (answers, with_known, basis) = match &args.answers {
        Some(file) => (text_in(file)?, !args.only_answers, None),
        None => {
            let asked = FormsRequest::Open {
                record: args.record.clone(),
                form: args.form.clone(),
            };
            let FormsReply::Opened(opened) = ask(session, asked)? else {
                return Err(odd_answer());
            };
            if args.show {
                return shown(session, &opened);
            }
            if session.no_input {
                return Err(Failure::new(
                    Ending::Usage,
                    "The questions have to be asked, and nobody can be asked.",
                    "Give the answers with --answers FILE; --show prints the form with what the record answers. Nothing was changed.",
                ));
            }
            known(&opened.known);
            let answers = asking::ask(&opened)?;
            (answers.to_string(), false, Some(opened.basis))
        }
    };
    let request = FillRequest {
        record: args.record,
        form: args.form,
        answers,
        with_known,
        basis,
        dry_run: false,
        staff: args.staff,
    };
    filled(session, request)
}

fn shown(session: &Session, opened: &FormOpened) -> Result<Ending, Failure> {
    if session.json {
        let mut object = json!(opened);
        object["questionnaire"] = value_of(&opened.questionnaire);
        return render::json(&object);
    }
    render::say(&render::clean(&opened.form.title));
    for line in asking::lines(opened) {
        render::say(&render::clean(&line));
    }
    known(&opened.known);
    for open in &opened.open {
        render::say(&format!(
            "Left open: {}: {}",
            render::clean(&open.link_id),
            render::clean(&open.why)
        ));
    }
    Ok(Ending::Done)
}

fn filled(session: &Session, request: FillRequest) -> Result<Ending, Failure> {
    let dry_run = request.dry_run;
    let FormsReply::Filled(filled) = ask(session, FormsRequest::Fill(request))? else {
        return Err(odd_answer());
    };
    let ending = if has_errors(&filled.findings) {
        Ending::NotUnderstood
    } else if !filled.changed_since.is_empty() {
        Ending::NeedsPerson
    } else if !filled.left_out.is_empty() {
        Ending::Partly
    } else {
        Ending::Done
    };
    if session.json {
        return render::json(&object(&filled)).map(|_| ending);
    }
    known(&filled.known);
    findings(&filled.findings);
    if !filled.changed_since.is_empty() {
        render::say("The record answers otherwise now than when the form was opened:");
        for line in &filled.changed_since {
            render::say(&format!("  {}", render::clean(line)));
        }
        render::say("Nothing was filed. Open the form again and look at these answers.");
        return Ok(ending);
    }
    for resource in &filled.resources {
        let verb = if filled.filed { "Filed" } else { "Would file" };
        render::say(&format!(
            "{verb} in {}: {}",
            resource.section,
            render::clean(&resource.text)
        ));
    }
    for line in &filled.left_out {
        render::say(&format!("Left out: {}", render::clean(line)));
    }
    render::say(match (filled.filed, dry_run) {
        (true, _) => "The answers are in the record, signed by you.",
        (false, true) if ending != Ending::NotUnderstood => {
            "Nothing was filed: this only shows it."
        }
        (false, _) => "The answers do not fit the form. Nothing was filed.",
    });
    Ok(ending)
}

/// Answers with their resources as JSON and not as texts.
fn object(filled: &FormFilled) -> Value {
    let mut object = json!(filled);
    object["response"] = value_of(&filled.response);
    let resources = object.get_mut("resources").and_then(Value::as_array_mut);
    for (shown, resource) in resources.into_iter().flatten().zip(&filled.resources) {
        shown["resource"] = value_of(&resource.resource);
    }
    object
}

fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn known(known: &[Prefilled]) {
    for one in known {
        render::say(&format!(
            "From the record: {}: {} ({})",
            render::clean(&one.link_id),
            render::clean(&one.answers.join(", ")),
            render::clean(&one.source)
        ));
    }
}

fn findings(findings: &[Finding]) {
    for finding in findings {
        let word = match finding.weight {
            Weight::Error => "Does not fit",
            Weight::Warning => "Look at",
            Weight::Note => "Note",
        };
        render::say(&format!(
            "{word}: {}: {}",
            render::clean(&finding.expression),
            render::clean(&finding.what)
        ));
    }
}

/// The text of a file, or of standard input, with a bound.
fn text_in(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let most = FILE_LEN_MAX + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("{} cannot be read as text.", file.display()),
            "Check its name and that you may read it. Nothing was changed.",
        )
        .because(&error)
    })?;
    if text.len() as u64 > FILE_LEN_MAX {
        return Err(Failure::new(
            Ending::NotUnderstood,
            format!(
                "{} has more than {} MB.",
                file.display(),
                FILE_LEN_MAX >> 20
            ),
            "Give a shorter file. Nothing was changed.",
        ));
    }
    Ok(text)
}
