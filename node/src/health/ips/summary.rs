//! A record as a summary sees it: copies with full URLs, in their sections. What stands here
//! follows from the record and the sources alone, not from who asks or when.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use kith_protocol::id::RecordId;
use serde_json::{Map, Value, json};

use super::{
    Source, SummarySection,
    absence::{Absent, Extent, Said, nil_known},
    carry::{self, Copy},
    codes::{code, date, has_code, words},
    elements::Elements,
    held::{Entry, Held, kind},
    line::Line,
    own,
    references::References,
    require, section, subject,
};

/// A resource that may go into the bundle.
pub(super) struct Carried {
    pub(super) full_url: String,
    pub(super) value: Value,
    /// The resources that it leads to, by place.
    pub(super) targets: BTreeSet<usize>,
    pub(super) line: Line,
    /// Whether it stands in a document with another label than `general`.
    pub(super) restricted: bool,
}

/// Everything that a summary of a record can carry.
pub(super) struct Summary {
    pub(super) record: RecordId,
    /// What the sources hold, then what the summary makes out of it.
    pub(super) resources: Vec<Carried>,
    /// The place of the Patient.
    pub(super) patient: usize,
    /// Whether the Patient stands in several versions or says what no source said.
    pub(super) patient_undecided: bool,
    /// Places by section, in the order in which they are shown.
    pub(super) sections: BTreeMap<SummarySection, Vec<usize>>,
    pub(super) unreadable: BTreeMap<SummarySection, usize>,
}

impl Summary {
    /// Reads the sources.
    pub(super) fn of(record: &RecordId, sources: &[Source]) -> Self {
        let held = Held::read(record, sources);
        let principal = subject::principal(&held);
        let patient_url = principal.map_or_else(
            || own::made_url(record, own::PATIENT),
            |place| held.entries[place].full_url.clone(),
        );
        let mut maker = Maker {
            record,
            held: &held,
            patient_url,
            resources: Vec::new(),
        };
        maker.carry(principal);
        let patient = maker.patient(principal);
        maker.say_none();
        maker.say_devices_used(patient);
        maker.put_in_words();
        let mut sections = sections(&maker.resources);
        maker.say_not_known(&mut sections);
        Self {
            record: *record,
            patient_undecided: principal
                .is_some_and(|place| subject::is_undecided(&held.entries[place])),
            resources: maker.resources,
            patient,
            sections,
            unreadable: held.unreadable,
        }
    }

    /// The extent of what the entries of a section say.
    pub(super) fn extents(&self, section: SummarySection) -> BTreeSet<Extent> {
        let places = self.sections.get(&section).into_iter().flatten();
        places
            .map(|place| Extent::of(&self.resources[*place].value))
            .collect()
    }
}

struct Maker<'h> {
    record: &'h RecordId,
    held: &'h Held<'h>,
    patient_url: String,
    resources: Vec<Carried>,
}

impl Maker<'_> {
    /// Copies every entry, at its own place.
    fn carry(&mut self, principal: Option<usize>) {
        let entries = &self.held.entries;
        let bundle = carry::Bundle {
            references: References::of(entries),
            elements: Elements::of_r4(),
            full_urls: entries
                .iter()
                .map(|entry| entry.full_url.as_str())
                .collect(),
            patient_url: &self.patient_url,
        };
        let copies: Vec<Copy> = entries
            .iter()
            .map(|entry| carry::copy(entry, &bundle))
            .collect();
        let used = devices_used(entries, &copies);
        let mut others = Vec::new();
        for (place, mut copy) in copies.into_iter().enumerate() {
            let entry = &entries[place];
            if entry.kind() == "Patient" && Some(place) != principal {
                others.push((copy.value.clone(), copy.targets.clone()));
            }
            require::fill_all(entry.kind(), &mut copy.value, &self.patient_url);
            if used.contains(&place) {
                require::fill_person(&mut copy.value, "patient", &self.patient_url);
            }
            self.resources.push(carried(entry, copy));
        }
        if let Some(place) = principal {
            self.join_patients(place, others);
        }
    }

    fn join_patients(&mut self, place: usize, others: Vec<(Map<String, Value>, BTreeSet<usize>)>) {
        let patient = &mut self.resources[place];
        let mut said = Vec::new();
        for (other, targets) in others {
            said.push(other);
            patient.targets.extend(targets);
        }
        if let Value::Object(members) = &mut patient.value {
            subject::join(members, &self.patient_url, said);
        }
    }

    /// The place of the Patient; where no source has one, an entry that says so.
    fn patient(&mut self, principal: Option<usize>) -> usize {
        if let Some(place) = principal {
            return place;
        }
        let mut patient = Map::new();
        patient.insert("resourceType".to_owned(), Value::from("Patient"));
        patient.insert("id".to_owned(), Value::from(own::id_of(&self.patient_url)));
        require::fill("Patient", &mut patient, &self.patient_url);
        self.push(made(self.patient_url.clone(), Value::Object(patient)))
    }

    /// What documents of origin say of whole sections: that there is nothing.
    fn say_none(&mut self) {
        for document in &self.held.compositions {
            for absent in nil_known(&document.received) {
                let full_url = own::derived_url(self.record, &document.full_url, absent.name());
                let said = Said {
                    date: document.received.get("date").and_then(Value::as_str),
                    author: &document.source.author,
                };
                let value = absent.none_said(&full_url, &said, &self.patient_url);
                let mut none = made(full_url, value);
                none.restricted = is_restricted(document);
                self.push(none);
            }
        }
    }

    /// A device of the person that no statement speaks of is used by them, since when nobody said.
    fn say_devices_used(&mut self, patient: usize) {
        let spoken: BTreeSet<usize> = self
            .resources
            .iter()
            .filter(|resource| kind(&resource.value) == "DeviceUseStatement")
            .flat_map(|statement| statement.targets.iter().copied())
            .collect();
        for place in 0..self.held.entries.len() {
            let entry = &self.held.entries[place];
            let own = entry.kind() == "Device" && entry.received.get("patient").is_some();
            if own && !spoken.contains(&place) {
                let statement = self.device_use(place, patient);
                self.push(statement);
            }
        }
    }

    fn device_use(&self, place: usize, patient: usize) -> Carried {
        let device = &self.resources[place];
        let full_url = own::derived_url(self.record, &device.full_url, "use");
        let mut statement = Map::new();
        for (name, value) in [
            ("resourceType", Value::from("DeviceUseStatement")),
            ("id", Value::from(own::id_of(&full_url))),
            ("subject", json!({"reference": self.patient_url})),
            ("device", json!({"reference": device.full_url})),
        ] {
            statement.insert(name.to_owned(), value);
        }
        if code(&device.value, "status") == Some("active") {
            statement.insert("status".to_owned(), Value::from("active"));
        }
        require::fill("DeviceUseStatement", &mut statement, &self.patient_url);
        let mut use_of = made(full_url, Value::Object(statement));
        use_of.targets = BTreeSet::from([place, patient]);
        use_of.restricted = device.restricted;
        use_of
    }

    fn put_in_words(&mut self) {
        let names: BTreeMap<&str, Option<String>> = self
            .resources
            .iter()
            .filter(|resource| matches!(kind(&resource.value), "Medication" | "Device"))
            .map(|resource| {
                let line = Line::of(&resource.value, |_| None);
                (resource.full_url.as_str(), Some(line.what))
            })
            .collect();
        let named = |url: &str| names.get(url).cloned().flatten();
        let lines: Vec<Line> = self
            .resources
            .iter()
            .map(|resource| self.line(resource, &named))
            .collect();
        for (resource, line) in self.resources.iter_mut().zip(lines) {
            resource.line = Line {
                marks: [line.marks, std::mem::take(&mut resource.line.marks)].concat(),
                details: [line.details, std::mem::take(&mut resource.line.details)].concat(),
                what: line.what,
            };
        }
    }

    fn line(&self, resource: &Carried, named: &impl Fn(&str) -> Option<String>) -> Line {
        let contained = |url: &str| {
            let id = url.strip_prefix('#')?;
            let inside = resource.value.get("contained")?.as_array()?;
            let found = inside
                .iter()
                .find(|inside| inside.get("id").and_then(Value::as_str) == Some(id))?;
            words(found.get("code")).or_else(|| words(found.get("type")))
        };
        Line::of(&resource.value, |url| named(url).or_else(|| contained(url)))
    }

    /// Where a required section would be empty, an entry for what is not known. Others' entries of
    /// that kind say nothing about the person and are left out.
    fn say_not_known(&mut self, sections: &mut BTreeMap<SummarySection, Vec<usize>>) {
        for absent in Absent::ALL {
            let places = sections.entry(absent.section()).or_default();
            places
                .retain(|place| Extent::of(&self.resources[*place].value) != Extent::NoInformation);
            if places.is_empty() {
                let (full_url, value) = absent.entry(self.record, &self.patient_url);
                let mut entry = made(full_url, value);
                entry.line = Line::of(&entry.value, |_| None);
                places.push(self.resources.len());
                self.resources.push(entry);
            }
        }
    }

    fn push(&mut self, resource: Carried) -> usize {
        self.resources.push(resource);
        self.resources.len() - 1
    }
}

fn carried(entry: &Entry<'_>, copy: Copy) -> Carried {
    let mut line = Line::default();
    line.said_by(entry, copy.left_out);
    Carried {
        full_url: entry.full_url.clone(),
        value: Value::Object(copy.value),
        targets: copy.targets,
        line,
        restricted: is_restricted(entry),
    }
}

fn made(full_url: String, value: Value) -> Carried {
    Carried {
        full_url,
        value,
        targets: BTreeSet::new(),
        line: Line::default(),
        restricted: false,
    }
}

fn is_restricted(entry: &Entry<'_>) -> bool {
    kith_crdt::classify::strictness(&entry.source.document.label) > 0
}

/// Devices that statements speak of.
fn devices_used(entries: &[Entry<'_>], copies: &[Copy]) -> BTreeSet<usize> {
    let statements = entries
        .iter()
        .zip(copies)
        .filter(|(entry, _)| entry.kind() == "DeviceUseStatement");
    statements
        .flat_map(|(_, copy)| copy.targets.iter().copied())
        .filter(|place| entries[*place].kind() == "Device")
        .collect()
}

/// Places by section, what matters now first, then the newest.
fn sections(resources: &[Carried]) -> BTreeMap<SummarySection, Vec<usize>> {
    let mut sections: BTreeMap<SummarySection, Vec<usize>> = BTreeMap::new();
    for (place, resource) in resources.iter().enumerate() {
        if let Some(section) = SummarySection::of(&resource.value) {
            sections.entry(section).or_default().push(place);
        }
    }
    for places in sections.values_mut() {
        places.sort_by_key(|place| {
            let value = &resources[*place].value;
            (is_past(value), Reverse(date(value)), *place)
        });
    }
    keep_one_of_each(&mut sections, resources);
    sections
}

fn is_past(resource: &Value) -> bool {
    let past = [
        "inactive",
        "resolved",
        "remission",
        "completed",
        "stopped",
        "cancelled",
        "not-taken",
        "revoked",
    ];
    let medicine = matches!(kind(resource), "MedicationRequest" | "MedicationStatement");
    let status = if medicine { "status" } else { "clinicalStatus" };
    code(resource, status).is_some_and(|code| past.contains(&code))
}

/// The guide lets a summary say one thing about tobacco and one about alcohol. The newest stands
/// there, what others say and said before beneath the other entries.
fn keep_one_of_each(sections: &mut BTreeMap<SummarySection, Vec<usize>>, resources: &[Carried]) {
    let mut more = Vec::new();
    if let Some(places) = sections.get_mut(&SummarySection::SocialHistory) {
        for habit in [section::TOBACCO, section::ALCOHOL] {
            let same = |place: &usize| has_code(resources[*place].value.get("code"), &[habit]);
            let (said, rest): (Vec<usize>, Vec<usize>) = places.iter().partition(|p| same(p));
            let newest = said.first().copied();
            places.retain(|place| Some(*place) == newest || rest.contains(place));
            more.extend(said.into_iter().skip(1));
        }
    }
    if !more.is_empty() {
        sections
            .entry(SummarySection::Other)
            .or_default()
            .extend(more);
    }
}
