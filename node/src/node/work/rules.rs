//! The rules of a record: kept, shown, explained.

use kith_crdt::{
    Body, DocumentId, Edit, Held, Meta, Resource, Section,
    classify::{self, LabelRules},
    refile::difference,
};
use kith_protocol::{
    audit::How,
    consent::grant::Actions,
    id::PrincipalId,
    record::{Pen, Record},
    store::Item,
};
use serde_json::Value;

use super::{following::named, reading::HeldRules};
use crate::{
    api::{RulesAct, RulesRequest, RulesShown, RulesText, UnknownName},
    failure::{Ending, Failure},
    health::work::rules::{self, Rules, parse, plan},
    node::{
        Node, add,
        import::{may_write, who_writes, write_into},
        now_ms, show,
    },
};
impl Node {
    pub(in crate::node) fn rules(&mut self, asked: &RulesRequest) -> Result<RulesShown, Failure> {
        let id = self.record_named(&asked.record)?;
        self.with_record(id, |node, record| {
            let now = now_ms();
            let pen = node.pen(now);
            match &asked.act {
                RulesAct::Show => {
                    node.disclose_part(record, &[Section::Circle], How::Show)?;
                    Ok(node.rules_shown(record, None, None))
                }
                RulesAct::Check(text) => Ok(node.rules_shown(record, Some(text), None)),
                RulesAct::Set(text) => match parse(text) {
                    Ok(rules) => {
                        let edits = node.keeping(record, &pen, Some((text, &rules)))?;
                        let note = node.keep_rules(record, edits)?;
                        Ok(node.rules_shown(record, None, note))
                    }
                    Err(_) => Ok(node.rules_shown(record, Some(text), None)),
                },
                RulesAct::End => {
                    let edits = node.keeping(record, &pen, None)?;
                    let note = node.keep_rules(record, edits)?;
                    Ok(node.rules_shown(record, None, note))
                }
            }
        })
    }

    fn keep_rules(
        &mut self,
        record: &mut Record,
        (document, edits): (DocumentId, Vec<Edit>),
    ) -> Result<Option<String>, Failure> {
        if edits.is_empty() {
            return Err(Failure::new(
                Ending::Usage,
                "It says that already.",
                "There is nothing to do.",
            ));
        }
        let (mut items, mut rng) = (Vec::new(), self.rng.clone());
        write_into(
            record,
            &self.pen(now_ms()),
            document,
            &edits,
            &mut items,
            &mut rng,
        )?;
        self.rng = rng;
        items.extend(self.deadlines.mark(record.id()));
        self.commit(items)?;
        Ok(Some(
            "Kept with the record. They hold for what happens from now on.".to_owned(),
        ))
    }

    /// The edits by which rules are kept: in the place of the ones that stand, where this node may
    /// change them, else beside those of others.
    fn keeping(
        &self,
        record: &mut Record,
        pen: &Pen<'_>,
        new: Option<(&String, &Rules)>,
    ) -> Result<(DocumentId, Vec<Edit>), Failure> {
        let work = self.work_of(record);
        let own = self.identity.principal;
        let who = who_writes(pen);
        let mut standing: Vec<&HeldRules> = work.rules.iter().collect();
        standing.sort_by_key(|rules| rules.signed.by != Some(own));
        let first = standing.into_iter().find(|rules| {
            let document = &rules.placed.document;
            may_write(record, &who, document, Actions::EDIT, pen.time_ms).is_ok()
        });
        let names = self.names_of_holders(record);
        let value = new.map(|(text, rules)| {
            plan(text, rules, &show::time(pen.time_ms), |name| {
                named(&names, name).map(|who| who.to_string())
            })
        });
        match (first, value) {
            (Some(first), Some(value)) if first.text != new.map_or("", |(text, _)| text) => {
                Ok((first.placed.document.clone(), changed(first, &value)))
            }
            (Some(first), Some(_)) => Ok((first.placed.document.clone(), Vec::new())),
            (Some(first), None) => {
                let text = first.placed.held.to_text(0);
                let mut value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                value["status"] = "retired".into();
                Ok((first.placed.document.clone(), changed(first, &value)))
            }
            (None, Some(value)) => {
                let document = classify::document(&value, &LabelRules::default());
                let resource = add::resource(&value, &document, pen.time_ms);
                Ok((document, vec![Edit::Create(resource)]))
            }
            (None, None) => Err(Failure::new(
                Ending::Failed,
                "There are no rules here that this node may end.",
                "Run kith record rules RECORD to see who wrote those that stand. Nothing was changed.",
            )),
        }
    }

    /// Notes that rules came into a record of which nothing was to be watched so far. Nearly every
    /// entry in a circle brings name cards and nothing else.
    pub(in crate::node) fn note_rules(&mut self, record: &Record, items: &[Item]) -> Option<Item> {
        let brings = |item: &Item| {
            let Item::Entry { document, id, .. } = item else {
                return false;
            };
            let is_plan = |one: &Held| one.meta.kind == "PlanDefinition";
            document.section == Section::Circle
                && record
                    .creations(id)
                    .is_none_or(|made| made.iter().any(is_plan))
        };
        items
            .iter()
            .any(brings)
            .then(|| self.deadlines.mark(record.id()))?
    }

    fn rules_shown(
        &self,
        record: &mut Record,
        checked: Option<&String>,
        note: Option<String>,
    ) -> RulesShown {
        let work = self.work_of(record);
        let texts = work.rules.iter().map(|rules| RulesText {
            id: rules.placed.held.id.to_string(),
            text: rules.text.clone(),
            by: self.signer(rules.signed.by),
            when: show::time(rules.signed.at_ms),
        });
        let holders = self.names_of_holders(record);
        let (mut all, mut mistakes) = (Vec::new(), Vec::new());
        match checked.map(|text| parse(text)) {
            Some(Ok(rules)) => all.push(rules),
            Some(Err(odd)) => mistakes = odd,
            None => all.extend(work.rules.iter().map(|rules| rules.rules.clone())),
        }
        let unknown = all.iter().flat_map(|rules| unknown_names(rules, &holders));
        RulesShown {
            record: record.id().to_string(),
            known: self.known_of(record, Section::Circle, !work.rules.is_empty()),
            texts: texts.collect(),
            sentences: all.iter().flat_map(Rules::sentences).collect(),
            unknown: unknown.collect(),
            names: holders.into_iter().map(|(_, name)| name).collect(),
            mistakes,
            note,
        }
    }
}

fn changed(rules: &HeldRules, value: &Value) -> Vec<Edit> {
    let section = rules.placed.document.section;
    let Ok(body) = Body::parse(&value.to_string(), section) else {
        return Vec::new();
    };
    let meta = Meta {
        kind: "PlanDefinition".to_owned(),
        ..Meta::default()
    };
    difference(&rules.placed.held, &Resource { meta, body })
}

fn unknown_names(rules: &Rules, holders: &[(PrincipalId, String)]) -> Vec<UnknownName> {
    let names = || holders.iter().map(|(_, name)| name.as_str());
    let unknown = rules.rules.iter();
    unknown
        .filter(|rule| named(holders, &rule.who).is_none())
        .map(|rule| UnknownName {
            line: rule.line,
            column: rule.column,
            name: rule.who.clone(),
            meant: rules::near(&rule.who, names()).map(str::to_owned),
        })
        .collect()
}
