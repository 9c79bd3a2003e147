//! Plans for emergencies: which one stands, what took its place, and who has it.
//!
//! A plan is superseded where it says so itself, or where another one says that it replaces it; never
//! because another is newer. Two that both stand are for a person to decide about, at once.

mod holders;
#[cfg(test)]
mod tests;

use kith_crdt::{Section, classify::RESPECT_DOCUMENT};
use kith_protocol::{
    audit::How,
    id::{EnvelopeId, PrincipalId},
    record::{Placed, Record},
};
use serde_json::Value;

use super::{Node, now_ms, people, show, work::signed_by};
use crate::{
    api::{PlanLine, PlansShown, ReviewKind, ToReview},
    failure::Failure,
    health::{
        line,
        replaced::{Relations, replaced},
        search::Mark,
    },
};

/// LOINC: advance directives.
const ADVANCE_DIRECTIVE: &str = "42348-3";

/// A plan as it is held.
struct HeldPlan {
    placed: Placed,
    value: Value,
    by: Option<PrincipalId>,
    at_ms: u64,
    /// The entry that wrote what stands.
    entry: Option<EnvelopeId>,
    /// The id of the one that took its place.
    replaced_by: Option<String>,
}

impl Node {
    pub(super) fn plans(&mut self, word: &str) -> Result<PlansShown, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let mut documents = record.ledger().documents();
            documents.retain(|id| id.section == Section::Plans);
            let said = Self::state_of(record, documents, node.owner(), None, How::Show);
            node.disclosed(vec![said], Vec::new())?;
            let held = node.held_plans(record);
            let known = node.known_of(record, Section::Plans, !held.is_empty());
            let (mut current, mut superseded, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for plan in &held {
                let line = node.plan_line(plan);
                if !plan.is_for_emergencies() {
                    others.push(line);
                } else if plan.stands() {
                    current.push(line);
                } else {
                    superseded.push(line);
                }
            }
            let standing: Vec<_> = held
                .iter()
                .filter(|plan| plan.stands_in_emergencies())
                .collect();
            let person = node.people.get(&id);
            Ok(PlansShown {
                record: id.to_string(),
                person: person.map_or_else(String::new, people::Known::banner),
                known,
                conflict: node.conflict(&standing),
                ring: node.to_ring(&standing),
                holders: node.plan_holders(record, &standing)?,
                current,
                superseded,
                others,
            })
        })
    }

    /// What a person has to decide about plans that both stand.
    pub(super) fn plans_to_review(&self, record: &mut Record, person: &str) -> Option<ToReview> {
        let has_plans = record.ledger().documents();
        if !has_plans.iter().any(|id| id.section == Section::Plans) {
            return None;
        }
        let held = self.held_plans(record);
        let standing: Vec<_> = held
            .iter()
            .filter(|plan| plan.stands_in_emergencies())
            .collect();
        if standing.len() < 2 {
            return None;
        }
        let what = self.conflict(&standing)?;
        let id = record.id();
        let versions = standing.iter().map(|plan| {
            let line = self.plan_line(plan);
            format!(
                "{} (signed by {} on {})",
                line.text, line.signed_by, line.signed
            )
        });
        let last = standing.last().map_or_else(String::new, |plan| plan.id());
        Some(ToReview {
            record: id.to_string(),
            person: person.to_owned(),
            kind: ReviewKind::TwoPlans,
            id: standing[0].id(),
            what,
            versions: versions.collect(),
            remedy: format!(
                "ring {}; then end the one that does not hold, such as kith change {id} {last} --status superseded",
                self.to_ring(&standing).join(" and ")
            ),
        })
    }

    /// Every plan, the newest signature first.
    fn held_plans(&self, record: &mut Record) -> Vec<HeldPlan> {
        let mut plans = Vec::new();
        let documents = record.ledger().documents();
        for document in documents.iter().filter(|id| id.section == Section::Plans) {
            for placed in self.read_document(record, document) {
                if placed.held.meta.made_here || placed.late {
                    continue;
                }
                let Ok(value) = serde_json::from_str::<Value>(&placed.held.to_text(0)) else {
                    continue;
                };
                let written = crate::health::search::writers(&placed.held).next();
                let written = written.unwrap_or(placed.held.created);
                let signed = signed_by(record, document, &written);
                plans.push(HeldPlan {
                    value,
                    by: signed.by,
                    at_ms: signed.at_ms,
                    entry: record.writer(&written),
                    placed,
                    replaced_by: None,
                });
            }
        }
        plans.sort_by_key(|plan| (std::cmp::Reverse(plan.at_ms), plan.id()));
        let related: Vec<_> = plans
            .iter()
            .map(|plan| (Relations::of(&plan.placed.held, &plan.value), plan.by))
            .collect();
        let mut replaced = replaced(&related);
        for plan in &mut plans {
            plan.replaced_by = replaced.remove(&plan.id());
        }
        plans
    }

    fn conflict(&self, standing: &[&HeldPlan]) -> Option<String> {
        match standing {
            [] => None,
            [one] => one.placed.held.siblings().next().map(|_| {
                "This plan was changed in two places at the same time: both versions stand until somebody chooses (kith review).".to_owned()
            }),
            [first, ..] => Some(format!(
                "{} plans for emergencies stand and none says that it replaces the other. The last signature is {}'s. Ring {} before you follow one of them.",
                standing.len(),
                first.by.map_or_else(|| "not known".to_owned(), |by| self.name_of(by)),
                self.to_ring(standing).join(" and ")
            )),
        }
    }

    /// Whoever wrote the plans that stand, and whoever signed them here.
    fn to_ring(&self, standing: &[&HeldPlan]) -> Vec<String> {
        let mut ring: Vec<String> = Vec::new();
        for plan in standing {
            let signer = plan.by.map(|by| self.name_of(by));
            for name in plan.authors().into_iter().chain(signer) {
                if !ring.contains(&name) {
                    ring.push(name);
                }
            }
        }
        ring
    }

    fn plan_line(&self, plan: &HeldPlan) -> PlanLine {
        let review_due = plan.review_due().map(str::to_owned);
        let today = show::time(now_ms());
        let marks = Mark::of(&plan.placed);
        let status = plan.text("/status").unwrap_or("not said");
        PlanLine {
            id: plan.id(),
            kind: plan.kind(),
            text: line::describe(&plan.value),
            date: line::when(&plan.value).map(str::to_owned),
            authors: plan.authors(),
            signed_by: plan
                .by
                .map_or_else(|| "not known".to_owned(), |by| self.name_of(by)),
            signed: show::time(plan.at_ms),
            review_late: review_due
                .as_deref()
                .and_then(|due| due.get(..10))
                .is_some_and(|due| due < &today[..10]),
            review_due,
            status: match &plan.replaced_by {
                Some(_) => "superseded".to_owned(),
                None => status.to_owned(),
            },
            replaced_by: plan.replaced_by.clone(),
            marks: marks.iter().map(|mark| mark.words().to_owned()).collect(),
        }
    }
}

impl HeldPlan {
    fn id(&self) -> String {
        self.placed.held.id.to_string()
    }

    fn text(&self, place: &str) -> Option<&str> {
        self.value.pointer(place)?.as_str()
    }

    /// ReSPECT, or another advance-care document.
    fn is_for_emergencies(&self) -> bool {
        match self.placed.held.meta.kind.as_str() {
            "DocumentReference" => {
                self.is_typed(RESPECT_DOCUMENT) || self.is_typed(ADVANCE_DIRECTIVE)
            }
            // Nothing else of this kind stands among plans.
            "QuestionnaireResponse" => true,
            _ => false,
        }
    }

    fn is_typed(&self, code: &str) -> bool {
        let codings = self.value.pointer("/type/coding").and_then(Value::as_array);
        let mut codings = codings.into_iter().flatten();
        codings.any(|coding| coding.get("code").and_then(Value::as_str) == Some(code))
    }

    /// Whether its author stands by it.
    fn counts(&self) -> bool {
        let wrong = matches!(self.text("/status"), Some("entered-in-error"));
        !wrong && !self.placed.held.is_retracted()
    }

    fn stands(&self) -> bool {
        let says_so = match self.placed.held.meta.kind.as_str() {
            "DocumentReference" => self.text("/status") == Some("current"),
            _ => matches!(
                self.text("/status"),
                Some("completed" | "amended" | "active")
            ),
        };
        says_so && self.counts() && self.replaced_by.is_none()
    }

    fn stands_in_emergencies(&self) -> bool {
        self.is_for_emergencies() && self.stands()
    }

    fn kind(&self) -> String {
        if self.is_typed(RESPECT_DOCUMENT) {
            return "ReSPECT plan".to_owned();
        }
        let said = line::concept(self.value.get("type"));
        said.unwrap_or_else(|| match self.placed.held.meta.kind.as_str() {
            "CarePlan" => "care plan".to_owned(),
            "Consent" => "consent to treatment".to_owned(),
            _ => "plan for emergencies".to_owned(),
        })
    }

    fn authors(&self) -> Vec<String> {
        let all = self.value.get("author");
        let each = match all {
            Some(Value::Array(authors)) => authors.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let names = each.into_iter().chain(self.value.get("authenticator"));
        names
            .filter_map(|author| author.get("display")?.as_str().map(str::to_owned))
            .collect()
    }

    fn review_due(&self) -> Option<&str> {
        self.text("/context/period/end")
            .or_else(|| self.text("/period/end"))
    }
}
