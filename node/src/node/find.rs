//! Which records are here: begun, listed, found.

use kith_crdt::{
    Body, DocumentId, Edit, Label, Meta, Resource, Section, flag::is_nhs_number,
    person::NHS_NUMBER_SYSTEM,
};
use kith_protocol::{
    id::RecordId,
    logs::{principal::RecoverySet, record::Policy},
    record::Record,
};
use serde_json::json;

use super::{Node, import, now_ms, people::Known};
use crate::{
    api::{NewPerson, RecordLine, RecordMade},
    failure::{Ending, Failure},
};

impl Node {
    pub(super) fn record_list(&mut self) -> Result<Vec<RecordLine>, Failure> {
        let lines = self.people.iter().map(|(id, known)| line(*id, known));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by(|a, b| {
            a.person
                .cmp(&b.person)
                .then_with(|| a.record.cmp(&b.record))
        });
        Ok(lines)
    }

    /// Records whose person fits all words: a part of a name, a birth date, digits of a number.
    pub(super) fn find(&mut self, words: &[String]) -> Result<Vec<RecordLine>, Failure> {
        let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
        if words.iter().all(String::is_empty) {
            return Err(Failure::new(
                Ending::Usage,
                "There is nothing to look for.",
                "Give a name, a birth date (1950-01-31) or a number.",
            ));
        }
        let mut found = self.record_list()?;
        found.retain(|line| {
            let known = RecordId::from_hex(&line.record).and_then(|id| self.people.get(&id));
            known.is_some_and(|known| words.iter().all(|word| fits(known, word)))
        });
        let records = found
            .iter()
            .filter_map(|line| RecordId::from_hex(&line.record));
        self.disclose_found(records.collect())?;
        Ok(found)
    }

    pub(super) fn record_new(&mut self, person: &NewPerson) -> Result<RecordMade, Failure> {
        let text = patient(person)?;
        let log = self.principal_log()?;
        let mut rng = self.rng.clone();
        let pen = self.pen(now_ms());
        let (mut record, genesis) = Record::begin(
            &pen,
            &log,
            RecoverySet::default(),
            Policy::default(),
            &mut rng,
        );
        let document = DocumentId::first(Section::Identity, Label::general());
        let resource = Resource {
            meta: Meta {
                kind: "Patient".to_owned(),
                batch: (pen.time_ms, 0),
                ..Meta::default()
            },
            body: Body::parse(&text, Section::Identity).unwrap_or_else(|_| Body::whole(text)),
        };
        let mut items = vec![genesis];
        let edits = [(document, vec![Edit::Create(resource)])].into();
        import::write_all(&mut record, &pen, edits, &mut items, &mut rng)?;
        self.rng = rng;
        let known = Known {
            library: false,
            said: self.said_of(&mut record),
        };
        let id = record.id();
        items.push(self.people.note(id, known.clone()));
        self.commit_noting(items)?;
        self.keep_record(record);
        Ok(RecordMade {
            record: id.to_string(),
            alike: self.alike(id, &known),
        })
    }
}

pub(super) fn line(id: RecordId, known: &Known) -> RecordLine {
    RecordLine {
        record: id.to_string(),
        person: known.banner(),
        born: known.birth_date().map(str::to_owned),
        nhs_number: known.nhs_number().map(str::to_owned),
    }
}

fn fits(known: &Known, word: &str) -> bool {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    known.said.iter().any(|said| {
        let name = format!("{} {}", said.family, said.given).to_lowercase();
        let numbered = said.identifiers.iter().any(|(_, value)| {
            value.to_lowercase() == word
                || (digits.len() >= 10
                    && value
                        .chars()
                        .filter(char::is_ascii_digit)
                        .collect::<String>()
                        == digits)
        });
        name.contains(word) || (!said.birth_date.is_empty() && said.birth_date == word) || numbered
    })
}

fn patient(person: &NewPerson) -> Result<String, Failure> {
    if person.family.trim().is_empty() {
        return Err(Failure::new(
            Ending::Usage,
            "A record needs at least a family name.",
            "Give --family NAME; --given, --born and --nhs-number help to tell people apart.",
        ));
    }
    if let Some(number) = person.nhs_number.as_deref().filter(|n| !is_nhs_number(n)) {
        return Err(Failure::new(
            Ending::Usage,
            format!("The check digit of the NHS number {number:?} is wrong."),
            "Read it from the source again. Nothing was changed.",
        ));
    }
    if let Some(date) = person.birth_date.as_deref().filter(|date| !is_date(date)) {
        return Err(Failure::new(
            Ending::Usage,
            format!("{date:?} is not a birth date."),
            "Write it as 1950, 1950-01 or 1950-01-31. Nothing was changed.",
        ));
    }
    let mut text = json!({"resourceType": "Patient"});
    if let Some(number) = &person.nhs_number {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        text["identifier"] = json!([{"system": NHS_NUMBER_SYSTEM, "value": digits}]);
    }
    text["name"] = json!([{"family": person.family.trim(), "given": person.given}]);
    if person.given.is_empty() {
        text["name"] = json!([{"family": person.family.trim()}]);
    }
    if let Some(date) = &person.birth_date {
        text["birthDate"] = json!(date);
    }
    Ok(text.to_string())
}

/// FHIR `date`: a year, a month or a day.
pub(super) fn is_date(text: &str) -> bool {
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    full.len() == 10 && full.parse::<jiff::civil::Date>().is_ok()
}
