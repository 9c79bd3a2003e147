//! What an app is given, refused and lets in.

use kith_crdt::samples::sample_bundle;
use kith_protocol::id::RecordId;
use serde_json::{Value, json};

use super::{FhirAsked, FhirGiven};
use crate::{
    api::{
        ConnectAsk, ConnectShown, ExportForm, ImportRequest, Keep, Reply, Request, ShareRequest,
        ShareTerms,
    },
    health::fhir::{Handling, Outcome, TYPES, capability, interaction},
    node::{Role, peers::tests::Place},
};

const BASE: &str = "http://127.0.0.1:1/fhir";

/// A practice with one record, and an app with a share of it.
struct Desk {
    place: Place,
    record: RecordId,
    token: String,
    patient: String,
}

impl Desk {
    fn with(see: &str, add: Option<&str>, change: Option<&str>) -> Self {
        let mut place = Place::of("Riverside", Role::Practice);
        let record = files(&mut place, &sample_bundle(5, 1, 120));
        let mut desk = Self {
            place,
            record,
            token: String::new(),
            patient: String::new(),
        };
        desk.connect("Heart diary", see, add, change);
        desk
    }

    /// What the record gives back, a resource a line.
    fn lines(&mut self) -> Vec<String> {
        let request = Request::Export {
            record: self.record.to_string(),
            form: ExportForm::Ndjson,
        };
        let Reply::Exported(exported) = self.place.does(request) else {
            panic!("another answer");
        };
        let text = exported.text.expect("lines");
        text.lines().map(str::to_owned).collect()
    }

    fn connect(&mut self, name: &str, see: &str, add: Option<&str>, change: Option<&str>) {
        let share = ShareRequest {
            record: self.record.to_string(),
            see: see.to_owned(),
            add: add.map(str::to_owned),
            change: change.map(str::to_owned),
            until: "2099-12-31".to_owned(),
            confirm: false,
            terms: ShareTerms::default(),
        };
        let name = name.to_owned();
        let asked = ConnectAsk::Token { name, share };
        let Reply::Connect(shown) = self.place.does(Request::Connect(asked)) else {
            panic!("another answer");
        };
        let ConnectShown::Token(token) = *shown else {
            panic!("no token");
        };
        self.token = token.token;
        self.patient = token.patient;
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Result<FhirGiven, Outcome> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let pairs = |query: &str| {
            let pairs = query.split('&').filter(|pair| !pair.is_empty());
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (name.to_owned(), value.to_owned())
                })
                .collect::<Vec<_>>()
        };
        let asked = FhirAsked {
            base: BASE.to_owned(),
            interaction: interaction(method, path)?,
            params: pairs(query),
            handling: Handling::Lenient,
            body: body.as_bytes().to_vec(),
            if_match: header("If-Match"),
            if_none_exist: header("If-None-Exist").map(|query| pairs(&query)),
        };
        let token = self.token.clone();
        self.place.node.fhir(&token, &asked)
    }

    fn get(&mut self, path: &str) -> Result<FhirGiven, u16> {
        self.send("GET", path, "", &[]).map_err(|said| said.status)
    }

    /// The resources of all pages of a search, and what is said beside them.
    fn all(&mut self, path: &str) -> (Vec<Value>, Vec<Value>) {
        let (mut found, mut said) = (Vec::new(), Vec::new());
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let bundle = self.get(&path).expect("a page").body;
            for entry in bundle["entry"].as_array().into_iter().flatten() {
                let resource = entry["resource"].clone();
                match entry["search"]["mode"].as_str() {
                    Some("match") => found.push(resource),
                    Some("outcome") => said.push(resource),
                    other => panic!("{other:?}"),
                }
            }
            let links = bundle["link"].as_array().cloned().unwrap_or_default();
            next = links
                .iter()
                .find(|link| link["relation"] == "next")
                .and_then(|link| link["url"].as_str()?.strip_prefix(BASE).map(str::to_owned));
        }
        (found, said)
    }
}

fn files(place: &mut Place, json: &str) -> RecordId {
    let path = place.folder.path().join("bundle.json");
    std::fs::write(&path, json).expect("a file");
    let request = ImportRequest {
        paths: vec![path],
        ..ImportRequest::default()
    };
    let Reply::Imported(imported) = place.does(Request::Import(request)) else {
        panic!("another answer")
    };
    RecordId::from_hex(&imported.records[0].record).expect("an id")
}

#[test]
fn an_app_reads_what_is_shared_with_it_and_nothing_else() {
    let mut desk = Desk::with("all", None, None);
    let (everything, said) = desk.all("/Patient/$everything?_count=7");
    assert_eq!(said.len(), 0, "{said:?}");
    let exported = desk.lines().len();
    assert_eq!(everything.len(), exported);
    for resource in &everything {
        let kind = resource["resourceType"].as_str().expect("a type");
        let id = resource["id"].as_str().expect("an id");
        let read = desk.get(&format!("/{kind}/{id}")).expect("it is read");
        assert_eq!(&read.body, resource);
    }
    desk.connect("Address book", "identity:general", None, None);
    let (some, said) = desk.all("/Patient/$everything");
    let is_of_identity = |resource: &Value| {
        let kinds = [
            "Location",
            "Organization",
            "Patient",
            "Practitioner",
            "PractitionerRole",
            "RelatedPerson",
        ];
        kinds.contains(&resource["resourceType"].as_str().unwrap_or_default())
    };
    let expected = everything.iter().filter(|one| is_of_identity(one)).count();
    assert!(expected > 0);
    assert_eq!(some.len(), expected);
    assert!(some.iter().all(is_of_identity));
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["issue"][0]["code"], "incomplete");
    let allergies = desk.get("/AllergyIntolerance").expect("a search").body;
    assert_eq!(allergies["total"], 0);
    let outcome = &allergies["entry"][0]["resource"];
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][1]["code"], "incomplete");
    let hidden = everything
        .iter()
        .find(|one| !is_of_identity(one))
        .expect("one");
    let path = |kind: &Value, id: &str| format!("/{}/{id}", kind.as_str().unwrap_or_default());
    let there = path(
        &hidden["resourceType"],
        hidden["id"].as_str().expect("an id"),
    );
    let made_up = path(&hidden["resourceType"], "0123456789abcdef01234567");
    let said = |desk: &mut Desk, path: &str| {
        let outcome = desk.send("GET", path, "", &[]).expect_err("refused");
        let text = outcome.to_value().to_string();
        (
            outcome.status,
            text.replace(path.rsplit('/').next().unwrap_or_default(), "ID"),
        )
    };
    assert_eq!(said(&mut desk, &there), said(&mut desk, &made_up));
}

#[test]
fn references_lead_somewhere_on_this_server() {
    let mut desk = Desk::with("all", None, None);
    let (everything, _) = desk.all("/Patient/$everything");
    let known: Vec<_> = everything
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{}/{}", text("resourceType"), text("id"))
        })
        .collect();
    let mut references = Vec::new();
    for resource in &everything {
        collect(resource, &mut references);
    }
    assert!(references.len() > 50);
    let patient = format!("Patient/{}", desk.patient);
    assert!(references.contains(&patient));
    for reference in references {
        assert!(known.contains(&reference), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("reference") {
                found.push(reference.clone());
            }
            members.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_share_that_is_stopped_ends_its_token_at_once_and_who_looked_names_the_app() {
    let mut desk = Desk::with("all", None, None);
    desk.get("/Observation").expect("a search");
    let request = Request::WhoLooked {
        record: desk.record.to_string(),
    };
    let Reply::Looked(looked) = desk.place.does(request) else {
        panic!("another answer");
    };
    assert_eq!(looked[0].who, "Heart diary");
    assert_eq!(looked[0].how, "read it through another program");
    desk.place.does(Request::Stop {
        record: desk.record.to_string(),
        share: "Heart diary".to_owned(),
        keep: Keep::All,
        keep_shared_on: false,
    });
    for path in ["/Observation", "/Patient/$everything", "/Patient/$summary"] {
        assert_eq!(desk.get(path).err(), Some(401), "{path}");
    }
    let token = std::mem::take(&mut desk.token);
    assert_eq!(desk.get("/Observation").err(), Some(401), "no token");
    desk.token = token.to_uppercase();
    assert_eq!(desk.get("/Observation").err(), Some(401), "another token");
}

#[test]
fn what_an_app_writes_is_signed_by_it_and_changed_only_from_what_stands() {
    let mut desk = Desk::with("all", None, Some("results"));
    let reading = r#"{"resourceType":"Observation","id":"mine","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"text":"Wellbeing of today"},"identifier":[{"system":"urn:x","value":"1"}],"valueQuantity":{"value":4.10,"unit":"mmol/L"}}"#;
    let made = desk
        .send("POST", "/Observation", reading, &[])
        .expect("created");
    assert_eq!(made.status, 201);
    let id = made.body["id"].as_str().expect("an id").to_owned();
    assert_ne!(id, "mine");
    assert_eq!(
        made.body["subject"]["reference"],
        format!("Patient/{}", desk.patient)
    );
    assert!(made.body.to_string().contains("4.10"));
    let again = [("If-None-Exist", "identifier=urn:x|1")];
    let same = desk
        .send("POST", "/Observation", reading, &again)
        .expect("it is there");
    assert_eq!(
        (same.status, same.body["id"].as_str()),
        (200, Some(id.as_str()))
    );

    let path = format!("/Observation/{id}");
    let mut next = made.body.clone();
    next["valueQuantity"]["value"] = json!(5);
    let text = next.to_string();
    let tag = format!("W/\"{}\"", made.version.expect("a version"));
    let without = desk.send("PUT", &path, &text, &[]).expect_err("refused");
    assert_eq!(without.status, 400);
    let old = [("If-Match", "W/\"0000\"")];
    assert_eq!(
        desk.send("PUT", &path, &text, &old)
            .expect_err("refused")
            .status,
        412
    );
    let changed = desk
        .send("PUT", &path, &text, &[("If-Match", &tag)])
        .expect("changed");
    assert_eq!(changed.body["valueQuantity"]["value"], 5);
    let stale = desk.send("PUT", &path, &text, &[("If-Match", &tag)]);
    assert_eq!(
        stale.expect_err("refused").status,
        412,
        "of an earlier version"
    );

    let lines = desk.lines();
    let kept = lines
        .iter()
        .find(|line| line.contains("Wellbeing of today"))
        .expect("kept");
    assert!(!kept.contains("subject"), "nothing was put into it: {kept}");
    let Reply::Timeline(timeline) = desk.place.does(Request::Timeline {
        record: desk.record.to_string(),
    }) else {
        panic!("another answer");
    };
    let told = timeline
        .iter()
        .find(|happened| happened.line.text.contains("Wellbeing of today"))
        .expect("told");
    assert_eq!(told.line.by, "Heart diary");
}

#[test]
fn what_may_not_be_written_is_refused_with_the_place() {
    let mut desk = Desk::with("all", Some("results"), None);
    for (method, path, body, status, at) in [
        ("POST", "/Observation", "{", 400, None),
        ("POST", "/Observation", "[]", 400, None),
        (
            "POST",
            "/Observation",
            r#"{"resourceType":"Condition"}"#,
            400,
            Some("Observation.resourceType"),
        ),
        (
            "POST",
            "/Observation",
            r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/somebody-else"}}"#,
            422,
            Some("Observation.subject"),
        ),
        (
            "POST",
            "/Condition",
            r#"{"resourceType":"Condition","code":{"text":"x"}}"#,
            403,
            None,
        ),
        (
            "POST",
            "/Patient",
            r#"{"resourceType":"Patient"}"#,
            405,
            None,
        ),
        (
            "PUT",
            "/Observation/nothing",
            r#"{"resourceType":"Observation","id":"nothing"}"#,
            404,
            None,
        ),
        ("DELETE", "/Observation/nothing", "", 405, None),
    ] {
        let before = desk.lines();
        let outcome = desk.send(method, path, body, &[]).expect_err("refused");
        assert_eq!(outcome.status, status, "{method} {path} {body}");
        let said = outcome.to_value();
        assert_eq!(said["issue"][0]["expression"][0].as_str(), at, "{said}");
        assert!(
            said["issue"][0]["diagnostics"]
                .as_str()
                .is_some_and(|text| text.ends_with('.'))
        );
        assert_eq!(desk.lines(), before, "nothing was written");
    }
}

#[test]
fn everything_that_is_stated_works_and_nothing_else_is_stated() {
    let mut desk = Desk::with("all", None, None);
    let stated = capability(BASE, false);
    let types = stated["rest"][0]["resource"].as_array().expect("types");
    assert_eq!(types.len(), TYPES.len());
    for stated in types {
        let kind = stated["type"].as_str().expect("a type");
        let codes: Vec<_> = stated["interaction"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|code| code["code"].as_str())
            .collect();
        for (method, path, code) in [
            ("GET", format!("/{kind}/x"), "read"),
            ("GET", format!("/{kind}"), "search-type"),
            ("POST", format!("/{kind}/_search"), "search-type"),
            ("POST", format!("/{kind}"), "create"),
            ("PUT", format!("/{kind}/x"), "update"),
            ("DELETE", format!("/{kind}/x"), "delete"),
            ("PATCH", format!("/{kind}/x"), "patch"),
            ("GET", format!("/{kind}/x/_history"), "history-instance"),
            ("GET", format!("/{kind}/x/_history/1"), "vread"),
        ] {
            assert_eq!(
                interaction(method, &path).is_ok(),
                codes.contains(&code),
                "{method} {path}"
            );
        }
        for param in stated["searchParam"].as_array().expect("parameters") {
            let name = param["name"].as_str().expect("a name");
            let value = match param["type"].as_str() {
                Some("date") => "ge1900".to_owned(),
                Some("reference") => desk.patient.clone(),
                _ => "x".to_owned(),
            };
            let answer = desk.get(&format!("/{kind}?{name}={value}"));
            let bundle = answer.expect("it is searched").body.to_string();
            assert!(!bundle.contains("not-supported"), "{kind}?{name}: {bundle}");
        }
        let not_stated = desk.get(&format!("/{kind}?colour=red")).expect("left out");
        assert!(not_stated.body.to_string().contains("not-supported"));
    }
    let patient = desk.patient.clone();
    for path in [
        "/Patient/$summary".to_owned(),
        format!("/Patient/{patient}/$everything"),
        format!("/DocumentReference/$docref?patient={patient}"),
    ] {
        let bundle = desk.get(&path).expect("an operation").body;
        assert_eq!(bundle["resourceType"], "Bundle", "{path}");
    }
}

#[test]
fn shares_and_who_looked_are_shown_to_an_app_that_sees_everything() {
    let mut desk = Desk::with("all", None, Some("all"));
    desk.get("/Patient").expect("a search");
    let (consents, _) = desk.all("/Consent?patient=x");
    assert_eq!(consents.len(), 0, "of nobody else");
    let (consents, _) = desk.all("/Consent");
    let share = consents
        .iter()
        .find(|one| {
            one["id"]
                .as_str()
                .is_some_and(|id| id.starts_with("share-"))
        })
        .expect("a share");
    assert_eq!(
        share["provision"]["actor"][0]["reference"]["display"],
        "Heart diary"
    );
    assert_eq!(share["status"], "active");
    let path = format!("/Consent/{}", share["id"].as_str().unwrap_or_default());
    let headers = [("If-Match", "W/\"x\"")];
    let changed = desk.send("PUT", &path, &share.to_string(), &headers);
    assert_eq!(changed.expect_err("refused").status, 405);
    let (looked, _) = desk.all("/AuditEvent?date=ge2020");
    assert!(!looked.is_empty());
    assert_eq!(looked[0]["agent"][0]["who"]["display"], "Heart diary");
    assert_eq!(desk.all("/AuditEvent?date=lt2020").0.len(), 0);
    let posted = desk.send(
        "POST",
        "/AuditEvent",
        r#"{"resourceType":"AuditEvent"}"#,
        &[],
    );
    assert_eq!(posted.expect_err("refused").status, 405);
    desk.connect("Address book", "identity:general", None, None);
    assert_eq!(desk.all("/AuditEvent").0.len(), 0);
    assert_eq!(desk.all("/Consent").0.len(), 0);
}

#[test]
fn an_app_that_waits_is_told_of_what_it_may_see_and_goes_on_where_it_was() {
    let mut desk = Desk::with("all", None, None);
    let all = desk.token.clone();
    desk.connect("Address book", "identity:general", None, None);
    let some = desk.token.clone();
    let after = |desk: &mut Desk, token: &str, after: Option<&str>| {
        let changed = desk.place.node.fhir_changes(token, after);
        changed.map_err(|outcome| outcome.status)
    };
    let begun = [&all, &some].map(|token| after(&mut desk, token, None).expect("a place"));
    assert!(begun.iter().all(|begun| begun.changes.is_empty()));
    desk.place.notes(desk.record, "Slept well");
    let told = after(&mut desk, &all, Some(&begun[0].through)).expect("changes");
    let [(id, things)] = told.changes.as_slice() else {
        panic!("{} changes", told.changes.len());
    };
    desk.token = all.clone();
    let note = desk.get(&format!("/{}", things[0])).expect("it is read");
    assert_eq!(note.body["valueString"], "Slept well");
    let nothing = after(&mut desk, &some, Some(&begun[1].through)).expect("changes");
    assert!(nothing.changes.is_empty());
    let again = after(&mut desk, &all, Some(id)).expect("changes");
    assert!(again.changes.is_empty());
    for foreign in [begun[1].through.as_str(), "12", ""] {
        assert_eq!(after(&mut desk, &all, Some(foreign)).err(), Some(400));
    }
    desk.place.does(Request::Stop {
        record: desk.record.to_string(),
        share: "Heart diary".to_owned(),
        keep: Keep::All,
        keep_shared_on: false,
    });
    assert_eq!(after(&mut desk, &all, Some(id)).err(), Some(401));
}
