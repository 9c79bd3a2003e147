//! The page that one source writes on: ids, references, and what every resource carries.

use serde_json::{Map, Value, json};

use super::{
    day::{Day, TODAY},
    life::Life,
    organisations::{Kind, SampleOrganisation},
    stream::Stream,
};

/// What closes a resource to most readers: nothing, or a word in `meta.security`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Open,
    MentalHealth,
    SexualHealth,
    SocialCare,
    Private,
}

impl Closed {
    fn security(self) -> Option<Value> {
        let (list, code) = match self {
            Self::Open => return None,
            Self::MentalHealth => ("v3-ActCode", "MH"),
            Self::SexualHealth => ("v3-ActCode", "STD"),
            Self::SocialCare => ("v3-ActCode", "SOC"),
            Self::Private => ("v3-Confidentiality", "R"),
        };
        let system = format!("http://terminology.hl7.org/CodeSystem/{list}");
        Some(json!([{"system": system, "code": code}]))
    }
}

/// One resource on a page.
pub(super) struct Entry {
    pub(super) full_url: String,
    pub(super) resource: Value,
}

/// What one source writes about one person.
pub(super) struct Page<'a> {
    pub(super) life: &'a Life,
    pub(super) source: &'a SampleOrganisation,
    pub(super) entries: Vec<Entry>,
}

impl<'a> Page<'a> {
    pub(super) fn new(life: &'a Life, source: &'a SampleOrganisation) -> Self {
        Self {
            life,
            source,
            entries: Vec::new(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.source.kind
    }

    /// The stream of a purpose at this source.
    pub(super) fn stream(&self, purpose: &str) -> Stream {
        let purpose = format!("{}/{purpose}", self.source.code);
        Stream::of(self.life.seed, self.life.number, &purpose)
    }

    /// The id of the resource of this key at this source. Staff and places are the same for
    /// everybody; the rest is this person's.
    pub(super) fn id(&self, key: &str) -> String {
        let purpose = format!("{}/id/{key}", self.source.code);
        let number = if key.starts_with("organisation") {
            0
        } else {
            self.life.number
        };
        Stream::of(self.life.seed, number, &purpose).uuid()
    }

    fn url(&self, key: &str) -> String {
        format!("urn:uuid:{}", self.id(key))
    }

    /// A reference to the resource of this key, with its name for people.
    pub(super) fn reference(&self, key: &str, display: &str) -> Value {
        json!({"reference": self.url(key), "display": display})
    }

    /// A reference to the Patient.
    pub(super) fn patient(&self) -> Value {
        self.reference("patient", &self.life.person.name())
    }

    /// A reference to the source itself.
    pub(super) fn organisation(&self) -> Value {
        self.reference("organisation", self.source.name)
    }

    /// A reference to one of the people who work at the source.
    pub(super) fn staff(&self, n: usize) -> Value {
        let n = n % self.source.staff().len();
        let name = self.source.staff_name(self.life.seed, n);
        self.reference(&format!("organisation/staff/{n}"), &name)
    }

    /// An identifier of the source's own.
    pub(super) fn identifier(&self, what: &str, key: &str) -> Value {
        let system = format!("https://{}.example/id/{what}", self.source.host());
        let value = &self.id(&format!("business/{key}"))[..18];
        json!([{"system": system, "value": value.to_ascii_uppercase()}])
    }

    /// Writes a resource down. `story` is what a person reads of it.
    pub(super) fn add(&mut self, key: &str, day: Day, closed: Closed, story: &str, body: Value) {
        let id = self.id(key);
        let Value::Object(mut members) = body else {
            return;
        };
        let minute = Stream::of(self.life.seed, self.life.number, &id).between(8 * 60, 18 * 60);
        let mut meta = Map::new();
        meta.insert("versionId".into(), "1".into());
        meta.insert("lastUpdated".into(), day.at(minute).into());
        let source = format!("https://{}.example/fhir", self.source.host());
        meta.insert("source".into(), source.into());
        if let Some(security) = closed.security() {
            meta.insert("security".into(), security);
        }
        members.shift_insert(1, "id".into(), id.clone().into());
        members.shift_insert(2, "meta".into(), meta.into());
        members.shift_insert(3, "text".into(), narrative(story));
        let resource = Value::Object(members);
        self.entries.push(Entry {
            full_url: format!("urn:uuid:{id}"),
            resource,
        });
    }

    /// The page as a collection Bundle.
    pub(super) fn bundle(self, kept: impl Fn(usize) -> bool) -> String {
        let mut stream = self.stream("bundle");
        let mut text = format!(
            "{{\"resourceType\":\"Bundle\",\"id\":\"{}\",\"type\":\"collection\",\"timestamp\":\"{}\",\"entry\":[",
            stream.uuid(),
            TODAY.at(stream.between(6 * 60, 9 * 60)),
        );
        let mut comma = "";
        for (_, entry) in self.entries.iter().enumerate().filter(|(n, _)| kept(*n)) {
            text.push_str(comma);
            text.push_str(&format!(
                "{{\"fullUrl\":\"{}\",\"resource\":",
                entry.full_url
            ));
            text.push_str(&entry.resource.to_string());
            text.push('}');
            comma = ",";
        }
        text.push_str("]}");
        text
    }
}

fn narrative(story: &str) -> Value {
    let story = escaped(story);
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{story}</p></div>");
    json!({"status": "generated", "div": div})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A CodeableConcept of one SNOMED CT code, or of text alone where the code is empty.
pub(super) fn snomed(code: &str, term: &str) -> Value {
    coded("http://snomed.info/sct", code, term)
}

/// A CodeableConcept of one LOINC code, or of text alone where the code is empty.
pub(super) fn loinc(code: &str, term: &str) -> Value {
    coded("http://loinc.org", code, term)
}

/// A CodeableConcept of one code of an HL7 terminology list, such as `condition-clinical`.
pub(super) fn hl7(list: &str, code: &str) -> Value {
    let system = format!("http://terminology.hl7.org/CodeSystem/{list}");
    json!({"coding": [{"system": system, "code": code}]})
}

fn coded(system: &str, code: &str, term: &str) -> Value {
    if code.is_empty() {
        return json!({"text": term});
    }
    json!({"coding": [{"system": system, "code": code, "display": term}], "text": term})
}

/// A Quantity whose number is written as `value` is: `2.50` stays `2.50`.
pub(super) fn quantity(value: &str, unit: &str, ucum: &str) -> Value {
    json!({"value": number(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": ucum})
}

/// A number as it is written.
pub(super) fn number(text: &str) -> Value {
    text.parse::<serde_json::Number>()
        .map_or(Value::Null, Value::Number)
}

/// `hundredths` with this many places: `decimal(250, 2)` is `2.50`, `decimal(250, 1)` is `2.5`.
pub(super) fn decimal(hundredths: i32, places: usize) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let cut = if places == 0 { 3 } else { 2 - places };
    text[..text.len() - cut].to_owned()
}
