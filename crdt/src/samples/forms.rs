//! Forms: a questionnaire and what the person answered.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    page::{Closed, Page},
};

/// A form of the practice.
struct Form {
    key: &'static str,
    title: &'static str,
    questions: &'static [(&'static str, &'static [&'static str])],
}

const REVIEW: Form = Form {
    key: "yearly-review",
    title: "Before your yearly review",
    questions: &[
        (
            "What would you like to talk about?",
            &[
                "My knees",
                "Sleep",
                "Whether I need all these tablets",
                "Nothing in particular",
            ],
        ),
        (
            "Have you fallen in the last year?",
            &["No", "Once", "Twice or more"],
        ),
        (
            "Do you miss doses of your medicines?",
            &["Never", "Now and then", "Often"],
        ),
        (
            "Do you buy medicines without a prescription?",
            &["No", "Paracetamol", "Antihistamine in summer", "Vitamin D"],
        ),
    ],
};
const MOOD: Form = Form {
    key: "mood",
    title: "How have you been in the last two weeks?",
    questions: &[
        (
            "Little interest or pleasure in doing things",
            &["Not at all", "Several days", "More than half the days"],
        ),
        (
            "Feeling down, depressed or hopeless",
            &["Not at all", "Several days", "More than half the days"],
        ),
        (
            "Trouble falling or staying asleep",
            &["Not at all", "Several days", "Nearly every day"],
        ),
    ],
};

/// What the practice asked.
pub(super) fn practice(page: &mut Page<'_>) {
    if page.life.age < 16 {
        return;
    }
    let day = TODAY.back(page.stream("form").between(10, 200));
    asked(page, &REVIEW, day, Closed::Open);
    if let Some(had) = page.life.has_closed(Closed::MentalHealth) {
        let day = had.since.on(30).min(TODAY.back(5));
        asked(page, &MOOD, day, Closed::MentalHealth);
    }
}

fn url(page: &Page<'_>, form: &Form) -> String {
    format!(
        "https://{}.example/Questionnaire/{}",
        page.source.host(),
        form.key
    )
}

fn asked(page: &mut Page<'_>, form: &Form, day: Day, closed: Closed) {
    let items: Vec<Value> = form
        .questions
        .iter()
        .zip(1..)
        .map(|((text, _), n)| json!({"linkId": n.to_string(), "text": text, "type": "string"}))
        .collect();
    let body = json!({
        "resourceType": "Questionnaire",
        "url": url(page, form),
        "version": "1.0",
        "name": form.key.replace('-', "_"),
        "title": form.title,
        "status": "active",
        "subjectType": ["Patient"],
        "date": TODAY.back(700).to_string(),
        "publisher": page.source.name,
        "item": items,
    });
    let key = format!("form/{}", form.key);
    page.add(&key, TODAY.back(700), closed, form.title, body);
    answered(page, form, day, closed);
}

fn answered(page: &mut Page<'_>, form: &Form, day: Day, closed: Closed) {
    let key = format!("answers/{}", form.key);
    let mut stream = page.stream(&key);
    let items: Vec<Value> = form
        .questions
        .iter()
        .zip(1..)
        .map(|((text, answers), n)| {
            json!({"linkId": n.to_string(), "text": text, "answer": [{"valueString": stream.pick(answers)}]})
        })
        .collect();
    let body = json!({
        "resourceType": "QuestionnaireResponse",
        "identifier": page.identifier("answers", &key)[0],
        "questionnaire": format!("{}|1.0", url(page, form)),
        "status": "completed",
        "subject": page.patient(),
        "authored": day.at(20 * 60 + 12),
        "author": page.patient(),
        "source": page.patient(),
        "item": items,
    });
    page.add(
        &key,
        day,
        closed,
        &format!("Answered: {}", form.title),
        body,
    );
}
