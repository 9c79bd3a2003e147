//! Plans: care plans, consent to treatment, and the ReSPECT plan of frail people.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    letters,
    life::{Had, Life},
    page::{Closed, Page, hl7, snomed},
};
use crate::classify::RESPECT_DOCUMENT;

/// The plan that the practice made with the person.
pub(super) fn care_plan(page: &mut Page<'_>) {
    let lasting = |had: &&Had| !had.problem.is_passing();
    let Some(had) = page.life.problems.iter().find(lasting) else {
        return;
    };
    let day = TODAY
        .back(page.stream("care plan").between(20, 300))
        .working()
        .max(had.since);
    let term = had.problem.term;
    let body = json!({
        "resourceType": "CarePlan",
        "identifier": page.identifier("plan", "care plan"),
        "status": "active",
        "intent": "plan",
        "title": format!("Yearly review: {term}"),
        "subject": page.patient(),
        "period": {"start": day.to_string(), "end": day.on(365).to_string()},
        "created": day.at(11 * 60),
        "author": page.staff(0),
        "addresses": [page.reference(&format!("condition/{}", had.problem.key), term)],
        "activity": [
            activity("Blood tests before the review"),
            activity("Review of medicines with the clinical pharmacist"),
        ],
    });
    let story = format!("Yearly review of {term}");
    page.add("plan/review", day, had.problem.closed, &story, body);
    if let Some(had) = page.life.has_closed(Closed::MentalHealth) {
        crisis_plan(page, had.since.on(30).min(TODAY.back(2)).working());
    }
}

fn crisis_plan(page: &mut Page<'_>, day: Day) {
    let body = json!({
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "Staying well plan",
        "description": "Early signs: not sleeping, not answering the telephone. First: ring the named friend. Then: the crisis line.",
        "subject": page.patient(),
        "created": day.at(15 * 60),
        "author": page.staff(0),
        "activity": [activity("Talk to somebody every day"), activity("Review in four weeks")],
    });
    page.add(
        "plan/crisis",
        day,
        Closed::MentalHealth,
        "Staying well plan",
        body,
    );
}

fn activity(text: &str) -> Value {
    json!({"detail": {"status": "in-progress", "description": text}})
}

/// What carers do each day, agreed with adult social care.
pub(super) fn support_plan(page: &mut Page<'_>) {
    let day = TODAY
        .back(page.stream("support plan").between(20, 200))
        .working();
    let body = json!({
        "resourceType": "CarePlan",
        "identifier": page.identifier("plan", "support plan"),
        "status": "active",
        "intent": "plan",
        "title": "Care and support plan",
        "subject": page.patient(),
        "period": {"start": day.to_string()},
        "created": day.at(13 * 60),
        "author": page.organisation(),
        "activity": [
            activity("Morning: wash, dress, breakfast, medicines from the box"),
            activity("Noon: hot meal, drinks within reach, walk to the window and back"),
            activity("Evening: supper, medicines, call bell within reach"),
        ],
    });
    page.add(
        "plan/support",
        day,
        Closed::SocialCare,
        "Care and support plan",
        body,
    );
}

/// Consent to a treatment, and to nothing else.
pub(super) fn consent(page: &mut Page<'_>) {
    let Some(had) = [
        "hip-fracture",
        "cataract",
        "osteoarthritis",
        "ischaemic-heart-disease",
    ]
    .iter()
    .find_map(|problem| page.life.had(problem)) else {
        return;
    };
    let day = had.since.on(1).min(TODAY.back(10));
    let text = format!(
        "Consent to an operation for {}",
        had.problem.term.to_lowercase()
    );
    let body = json!({
        "resourceType": "Consent",
        "identifier": page.identifier("consent", "operation"),
        "status": "active",
        "scope": hl7("consentscope", "treatment"),
        "category": [{"text": text}],
        "patient": page.patient(),
        "dateTime": day.at(8 * 60 + 30),
        "performer": [page.patient()],
        "organization": [page.organisation()],
        "policyRule": {"text": "Consent form 1, version of the hospital"},
        "provision": {"type": "permit"},
    });
    page.add("consent/operation", day, Closed::Open, &text, body);
}

/// The ReSPECT plan: the form as a document, and its answers.
pub(super) fn respect(page: &mut Page<'_>) {
    let day = TODAY
        .back(page.stream("respect").between(210, 340))
        .working();
    let plan = Respect::of(page.life);
    respect_answers(page, day, &plan);
    respect_document(page, day, &plan);
}

/// What a ReSPECT plan recommends.
struct Respect {
    priorities: &'static str,
    recommendations: &'static str,
    attempt_cpr: bool,
    has_capacity: bool,
}

impl Respect {
    fn of(life: &Life) -> Self {
        let has_capacity = !life.has("dementia");
        let very_frail = life.age >= 84 || life.has("dementia") || life.has("heart-failure");
        if very_frail {
            Self {
                priorities: "Comfort first; to stay at home as long as it can be made comfortable",
                recommendations: "For antibiotics by mouth, fluids under the skin and a short stay in hospital if something can be mended, such as a broken hip. Not for intensive care or ventilation.",
                attempt_cpr: false,
                has_capacity,
            }
        } else {
            Self {
                priorities: "To live longer, as long as getting back home is likely",
                recommendations: "For hospital and for ward-based treatment, and for non-invasive ventilation. Ask before intensive care.",
                attempt_cpr: true,
                has_capacity,
            }
        }
    }

    fn cpr(&self) -> &'static str {
        if self.attempt_cpr {
            "CPR attempts recommended"
        } else {
            "CPR attempts NOT recommended"
        }
    }
}

fn respect_answers(page: &mut Page<'_>, day: Day, plan: &Respect) {
    let carer = &page.life.person.carer;
    let contact = format!(
        "{} {} ({}), {}",
        carer.given, carer.family, carer.words, carer.phone
    );
    let clinician = page.source.staff_name(page.life.seed, 0);
    let conditions: Vec<_> = page
        .life
        .problems
        .iter()
        .filter(|had| had.problem.closed == Closed::Open)
        .map(|had| had.problem.term)
        .collect();
    let capacity = if plan.has_capacity {
        "Yes"
    } else {
        "No: discussed with those close to the person"
    };
    let (signed, review) = (day.at(11 * 60 + 30), day.on(365).words());
    let answers = [
        (
            "2",
            "Summary of relevant information",
            conditions.join("; "),
        ),
        (
            "3",
            "Personal preferences: what matters most",
            plan.priorities.to_owned(),
        ),
        (
            "4",
            "Clinical recommendations for emergency care and treatment",
            plan.recommendations.to_owned(),
        ),
        (
            "4.cpr",
            "Decision on cardiopulmonary resuscitation",
            plan.cpr().to_owned(),
        ),
        (
            "5",
            "Does the person have capacity to take part?",
            capacity.to_owned(),
        ),
        (
            "6",
            "Involvement in making this plan",
            format!("The person and {} {}", carer.given, carer.family),
        ),
        (
            "7",
            "Clinician's signature",
            format!(
                "{clinician}, {}, {}, {signed}",
                page.source.staff()[0],
                page.source.name
            ),
        ),
        ("8", "Emergency contacts", contact),
        ("9", "Review date", review),
    ];
    let items: Vec<_> = answers
        .iter()
        .map(|(link, question, answer)| json!({"linkId": link, "text": question, "answer": [{"valueString": answer}]}))
        .collect();
    let body = json!({
        "resourceType": "QuestionnaireResponse",
        "identifier": page.identifier("respect", "respect")[0],
        "questionnaire": "https://kith.example/Questionnaire/respect-form-3",
        "status": "completed",
        "subject": page.patient(),
        "authored": signed,
        "author": page.staff(0),
        "source": page.patient(),
        "item": items,
    });
    let story = format!("ReSPECT plan: {}. {}", plan.cpr(), plan.recommendations);
    page.add("respect/answers", day, Closed::Open, &story, body);
}

fn respect_document(page: &mut Page<'_>, day: Day, plan: &Respect) {
    let text = format!(
        "Recommended Summary Plan for Emergency Care and Treatment\n\n{}\nBorn {}\nNHS number {}\n\n{}\n{}\n\n{}\n\nSigned by {} on {}. Review by {}.\n",
        page.life.person.name(),
        page.life.person.born().words(),
        page.life.person.nhs_number,
        plan.priorities,
        plan.recommendations,
        plan.cpr(),
        page.source.staff_name(page.life.seed, 0),
        day.words(),
        day.on(365).words(),
    );
    let mut body = letters::document(page, "respect", day, "ReSPECT plan", &text);
    body["docStatus"] = "final".into();
    body["type"] = snomed(
        RESPECT_DOCUMENT,
        "Recommended Summary Plan for Emergency Care and Treatment",
    );
    body["context"] = json!({
        "period": {"start": day.to_string(), "end": day.on(365).to_string()},
        "related": [page.reference("respect/answers", "Answers of the ReSPECT form")],
    });
    let story = format!("ReSPECT plan, signed on {}: {}", day.words(), plan.cpr());
    page.add("respect/document", day, Closed::Open, &story, body);
}
