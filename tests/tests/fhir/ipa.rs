//! The CapabilityStatement of International Patient Access 1.1.0 is walked: every read and search
//! that it says a server SHALL do (and those that it should) is done on imported records, and the
//! answer is compared with a walk through what the record gives back.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{App, json, served};
use crate::harness::{Node, data};

/// What a parameter looks at, as this test knows it.
struct Param {
    name: &'static str,
    elements: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Codings of a CodeableConcept, or of several.
    Concept,
    /// A bare code.
    Code,
    Identifier,
    /// A time, or a Period.
    Date,
    /// How a text begins.
    Text,
}

const PARAMS: [Param; 19] = [
    param("category", &["category"], Kind::Concept),
    param(
        "code",
        &["code", "medicationCodeableConcept"],
        Kind::Concept,
    ),
    param("type", &["type"], Kind::Concept),
    param("clinical-status", &["clinicalStatus"], Kind::Concept),
    param(
        "verification-status",
        &["verificationStatus"],
        Kind::Concept,
    ),
    param("status", &["status"], Kind::Code),
    param("intent", &["intent"], Kind::Code),
    param("gender", &["gender"], Kind::Code),
    param(
        "contenttype",
        &["content.attachment.contentType"],
        Kind::Code,
    ),
    param("identifier", &["identifier"], Kind::Identifier),
    param(
        "date",
        &[
            "effectiveDateTime",
            "effectivePeriod",
            "occurrenceDateTime",
            "date",
        ],
        Kind::Date,
    ),
    param("onset-date", &["onsetDateTime", "onsetPeriod"], Kind::Date),
    param("authoredon", &["authoredOn"], Kind::Date),
    param("birthdate", &["birthDate"], Kind::Date),
    param("period", &["context.period"], Kind::Date),
    param("family", &["name.family"], Kind::Text),
    param("given", &["name.given"], Kind::Text),
    param(
        "name",
        &[
            "name.family",
            "name.given",
            "name.text",
            "name.prefix",
            "name.suffix",
        ],
        Kind::Text,
    ),
    param("vaccine-code", &["vaccineCode"], Kind::Concept),
];

const fn param(name: &'static str, elements: &'static [&'static str], kind: Kind) -> Param {
    Param {
        name,
        elements,
        kind,
    }
}

impl Param {
    fn named(name: &str) -> &'static Self {
        let found = PARAMS.iter().find(|param| param.name == name);
        found.unwrap_or_else(|| panic!("the walk does not know the parameter {name}"))
    }

    /// The values by which a resource is found, as they are written in a request.
    fn values(&self, resource: &Value) -> BTreeSet<String> {
        let mut values = BTreeSet::new();
        for element in self.elements {
            for value in at(resource, element) {
                match self.kind {
                    Kind::Concept => {
                        for coding in at(value, "coding") {
                            values.insert(pair(coding, "code"));
                        }
                    }
                    Kind::Identifier => {
                        values.insert(pair(value, "value"));
                    }
                    Kind::Code | Kind::Text => {
                        values.insert(value.as_str().unwrap_or_default().to_owned());
                    }
                    Kind::Date => {
                        let begins = value.as_str().or_else(|| value["start"].as_str());
                        values.extend(begins.and_then(|text| text.get(..4)).map(str::to_owned));
                    }
                }
            }
        }
        values.remove("");
        values
    }

    /// Whether a resource is found by a value.
    fn finds(&self, resource: &Value, value: &str) -> bool {
        let values = self.values(resource);
        match self.kind {
            Kind::Concept | Kind::Code | Kind::Identifier => values.contains(value),
            Kind::Text => {
                let value = value.to_lowercase();
                let mut values = values.iter();
                values.any(|known| known.to_lowercase().starts_with(&value))
            }
            Kind::Date => {
                let year = value.trim_start_matches(char::is_alphabetic);
                let is_from = value.starts_with("ge");
                let is_within = |value: &Value| {
                    let moment = year_of(value);
                    let begins = moment.or_else(|| year_of(&value["start"]));
                    // A Period without an end goes on.
                    let ends = moment.or_else(|| year_of(&value["end"]));
                    if is_from {
                        ends.is_none_or(|ends| ends >= year)
                    } else {
                        begins.is_none_or(|begins| begins < year)
                    }
                };
                let elements = self.elements.iter();
                elements
                    .flat_map(|element| at(resource, element))
                    .any(is_within)
            }
        }
    }

    /// Some values of what is there, and one of nothing.
    fn tried(&self, resources: &[&Value]) -> Vec<String> {
        let all: BTreeSet<String> = resources.iter().flat_map(|one| self.values(one)).collect();
        let all: Vec<_> = all.into_iter().collect();
        let mut tried: Vec<String> = all.iter().take(3).cloned().collect();
        if self.kind == Kind::Date {
            let middle = all.get(all.len() / 2).cloned().unwrap_or("2000".to_owned());
            tried = vec![
                format!("ge{middle}"),
                format!("lt{middle}"),
                "ge2999".to_owned(),
            ];
        } else {
            tried.push("nothing-like-it".to_owned());
        }
        tried
    }
}

fn year_of(time: &Value) -> Option<&str> {
    time.as_str().and_then(|text| text.get(..4))
}

fn pair(value: &Value, element: &str) -> String {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    match text("system") {
        "" => format!("|{}", text(element)),
        system => format!("{system}|{}", text(element)),
    }
}

/// What stands at a path, through every list on the way.
fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![value];
    for name in path.split('.') {
        found = found
            .into_iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect::<Vec<_>>(),
                Value::Object(_)
                | Value::String(_)
                | Value::Number(_)
                | Value::Bool(_)
                | Value::Null => vec![value],
            })
            .collect();
    }
    found
}

/// A resource without what is this server's to give: ids, versions, and where references lead.
fn content(resource: &Value) -> String {
    let mut resource = resource.clone();
    for name in ["id", "meta", "subject", "patient"] {
        if let Value::Object(members) = &mut resource {
            members.remove(name);
        }
    }
    without_references(&mut resource);
    ordered(&resource)
}

fn without_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.contains_key("reference") || members.contains_key("_reference") {
                for name in ["reference", "_reference", "type", "identifier"] {
                    members.remove(name);
                }
            }
            // A file beside the record is where it is on this server, or nowhere.
            let is_beside =
                |url: &Value| url.as_str().is_some_and(|url| url.starts_with("Binary/"));
            if members.contains_key("_url") || members.get("url").is_some_and(is_beside) {
                members.remove("url");
                members.remove("_url");
            }
            members.values_mut().for_each(without_references);
        }
        Value::Array(items) => items.iter_mut().for_each(without_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// JSON with members in the order of their names.
fn ordered(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", ordered(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(ordered).collect::<Vec<_>>().join(",")
            )
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
    }
}

fn contents<'v>(resources: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let mut contents: Vec<_> = resources.into_iter().map(content).collect();
    contents.sort();
    contents
}

fn expectation(value: &Value) -> Option<&str> {
    let extensions = value["extension"].as_array()?;
    extensions.iter().find(|one| {
        one["url"]
            .as_str()
            .is_some_and(|url| url.ends_with("capabilitystatement-expectation"))
    })?["valueCode"]
        .as_str()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// One record, by an app that sees all of it.
struct Walk<'w> {
    app: &'w App,
    /// What the record gives back.
    lines: Vec<Value>,
    searches: usize,
}

impl Walk<'_> {
    fn of(&self, kind: &str) -> Vec<&Value> {
        let lines = self.lines.iter();
        lines.filter(|one| one["resourceType"] == kind).collect()
    }

    /// A search by these parameters finds what a walk through the lines finds.
    #[track_caller]
    fn compare(&mut self, kind: &str, with_patient: bool, pairs: &[(&Param, String)]) {
        let expected = self.of(kind).into_iter().filter(|one| {
            let mut pairs = pairs.iter();
            pairs.all(|(param, value)| param.finds(one, value))
        });
        let expected = contents(expected);
        let mut query: Vec<_> = pairs
            .iter()
            .map(|(param, value)| format!("{}={}", param.name, encoded(value)))
            .collect();
        if with_patient {
            query.insert(0, format!("patient={}", self.app.patient));
        }
        let query = query.join("&");
        let found = self.app.all(&format!("/{kind}?{query}&_count=7"));
        assert_eq!(contents(&found), expected, "{kind}?{query}");
        self.searches += 1;
    }

    /// Every combination of values that are tried of these parameters.
    #[track_caller]
    fn compare_all(&mut self, kind: &str, with_patient: bool, names: &[&str]) {
        let mut combinations: Vec<Vec<(&Param, String)>> = vec![Vec::new()];
        for name in names {
            let param = Param::named(name);
            let tried = param.tried(&self.of(kind));
            combinations = combinations
                .into_iter()
                .flat_map(|before| {
                    tried.iter().map(move |value| {
                        let mut pairs = before.clone();
                        pairs.push((param, value.clone()));
                        pairs
                    })
                })
                .collect();
        }
        for pairs in combinations {
            self.compare(kind, with_patient, &pairs);
        }
    }

    #[track_caller]
    fn walk(&mut self, stated: &Value) {
        let kind = stated["type"].as_str().expect("a type");
        let all = self.app.all(&format!("/{kind}?_count=11"));
        assert_eq!(contents(&all), contents(self.of(kind)), "{kind}");
        for resource in &all {
            let id = resource["id"].as_str().expect("an id");
            let read = self.app.get(&format!("/{kind}/{id}")).is(200);
            assert_eq!(&json(&read), resource);
            let tag = read.header("etag").expect("a version").to_owned();
            let again = self.app.asks(
                "GET",
                &format!("/{kind}/{id}"),
                &[("If-None-Match", &tag)],
                "",
            );
            assert_eq!(again.status, 304);
        }
        for param in stated["searchParam"].as_array().into_iter().flatten() {
            match param["name"].as_str().expect("a name") {
                "patient" => self.compare(kind, true, &[]),
                "_id" => {
                    for resource in all.iter().take(3) {
                        let id = resource["id"].as_str().expect("an id");
                        let found = self.app.all(&format!("/{kind}?_id={id}"));
                        assert_eq!(found, std::slice::from_ref(resource));
                    }
                }
                name => self.compare_all(kind, kind != "Patient", &[name]),
            }
        }
        for combination in stated["extension"].as_array().into_iter().flatten() {
            let parts = combination["extension"].as_array().into_iter().flatten();
            let names: Vec<_> = parts
                .filter_map(|part| part["valueString"].as_str())
                .collect();
            let with_patient = names.contains(&"patient");
            let names: Vec<_> = names
                .into_iter()
                .filter(|name| *name != "patient")
                .collect();
            if !names.is_empty() {
                self.compare_all(kind, with_patient, &names);
            }
        }
    }
}

#[test]
fn every_read_and_search_of_international_patient_access_answers_rightly() {
    let Some(data) = data() else {
        return;
    };
    let read = |name: &str| fs::read_to_string(data.join(name)).expect("a file");
    let statement = read("ipa/conformance/CapabilityStatement-ipa-server.json");
    let statement: Value = serde_json::from_str(&statement).expect("JSON");
    let node = Node::set_up("Riverside Surgery", "practice");
    // The guide's own examples, of one person.
    let mut examples = String::new();
    let mut files: Vec<_> = fs::read_dir(data.join("ipa/examples"))
        .expect("examples")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    for file in files {
        let example: Value =
            serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("JSON");
        examples.push_str(&example.to_string());
        examples.push('\n');
    }
    let mut bundles: Vec<_> = fs::read_dir(data.join("synthea-r4"))
        .expect("bundles")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .map(|path| (fs::metadata(&path).expect("a size").len(), path))
        .collect();
    bundles.sort();
    let (_, small) = bundles.first().expect("a bundle");
    let records = [
        node.import(&node.file("examples.ndjson", examples)),
        node.import(small),
    ];
    let (_running, host) = served(&node);
    let mut searches = 0;
    for record in records {
        let app = App::connect(&node, &host, &record, "Walker", &["--see", "all"]);
        let lines = String::from_utf8(node.ndjson(&record)).expect("text");
        let mut walk = Walk {
            app: &app,
            lines: lines
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect(),
            searches: 0,
        };
        let own = json(&app.get("/metadata").is(200));
        for stated in statement["rest"][0]["resource"].as_array().expect("types") {
            states_as_much(&own, stated);
            walk.walk(stated);
        }
        searches += walk.searches;
        docref(&app);
    }
    assert!(searches > 200, "{searches} searches were compared");
}

/// What the guide says a server SHALL state, this server states.
#[track_caller]
fn states_as_much(own: &Value, stated: &Value) {
    let kind = &stated["type"];
    let types = own["rest"][0]["resource"].as_array().expect("types");
    let own = types.iter().find(|one| one["type"] == *kind);
    let own = own.unwrap_or_else(|| panic!("{kind} is not served"));
    for (list, name) in [
        ("interaction", "code"),
        ("searchParam", "name"),
        ("operation", "name"),
    ] {
        for wanted in stated[list].as_array().into_iter().flatten() {
            let known = own[list].as_array().into_iter().flatten();
            let mut known = known.map(|one| &one[name]);
            assert!(
                known.any(|one| *one == wanted[name]),
                "{kind}: {} ({:?})",
                wanted[name],
                expectation(wanted)
            );
        }
    }
}

#[track_caller]
fn docref(app: &App) {
    let all = app.all("/DocumentReference");
    let by = |query: &str| {
        let path = format!("/DocumentReference/$docref?patient={}{query}", app.patient);
        let bundle = json(&app.get(&path).is(200));
        assert_eq!(bundle["type"], "searchset");
        bundle["total"].as_u64().expect("a number")
    };
    assert_eq!(by("&start=1800&end=2999"), all.len() as u64);
    assert_eq!(by("&end=1801"), 0);
    assert_eq!(by("&on-demand=true"), 0);
    assert_eq!(by("") > 0, !all.is_empty());
    let without = app.get("/DocumentReference/$docref");
    assert_eq!(
        json(&without.is(400))["issue"][0]["expression"][0],
        "http.patient"
    );
    let body = format!(
        r#"{{"resourceType":"Parameters","parameter":[{{"name":"patient","valueId":"{}"}},{{"name":"start","valueDateTime":"1800"}}]}}"#,
        app.patient
    );
    let kind = [("Content-Type", "application/fhir+json")];
    let answer = app
        .asks("POST", "/DocumentReference/$docref", &kind, &body)
        .is(200);
    assert_eq!(json(&answer)["total"], all.len());
}
