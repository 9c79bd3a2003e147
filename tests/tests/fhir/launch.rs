//! SMART App Launch: an app sends a browser to ask, a person answers, and the app reads until the
//! person stops it.

use serde_json::Value;

use super::{App, json, served};
use crate::harness::{
    Node, Running,
    pages::{self, Answer, Visitor, encoded},
    sample,
};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:9/callback";
const SCOPE: &str = "launch/patient patient/*.rs openid offline_access";

/// A person whose node runs, with one record and a registered app.
struct Desk {
    node: Node,
    _running: Running,
    host: String,
    client: String,
}

impl Desk {
    fn open() -> Self {
        let node = Node::set_up("Ada", "person");
        node.import(&sample("ips.json"));
        let (running, host) = served(&node);
        let app = node.json([
            "connect",
            "app",
            "--name",
            "Growth chart",
            "--redirect",
            BACK,
        ]);
        assert_eq!(app["base"], format!("http://{host}/fhir"));
        let client = app["client_id"].as_str().expect("an id").to_owned();
        Self {
            node,
            _running: running,
            host,
            client,
        }
    }

    /// The parameters of a question, with some of them said otherwise.
    fn query(&self, other: &[(&str, &str)]) -> String {
        let aud = format!("http://{}/fhir", self.host);
        let usual = [
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", BACK),
            ("scope", SCOPE),
            ("state", "s&1"),
            ("aud", &aud),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs = usual.into_iter().map(|(name, value)| {
            let said = other.iter().find(|(known, _)| *known == name);
            let value = said.map_or(value, |(_, value)| value);
            format!("{name}={}", encoded(value))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A browser that an app sends here: it comes from another site, without a session.
    fn sent_here(&self, query: &str) -> Answer {
        let headers = [
            ("Host", self.host.as_str()),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Mode", "navigate"),
        ];
        let line = format!("GET /fhir/authorize?{query}");
        let answer = pages::raw(&self.host, &pages::request(&line, &headers, b""));
        answer.expect("an answer")
    }

    /// The person looks at what is asked, and answers: where their browser is sent.
    #[track_caller]
    fn answers(&self, visitor: &Visitor, query: &str, button: &str) -> Vec<(String, String)> {
        let first = self.sent_here(query).is(200).says("asks to read a record");
        assert!(first.html().contains("href=\"/apps/ask?"));
        let question = visitor.page(&format!("/apps/ask?{query}"));
        let question = question.says("May Growth chart read a record?");
        let policy = question.answer.header("content-security-policy");
        assert!(
            policy.is_some_and(|policy| policy.contains("form-action 'self' http://127.0.0.1:9;"))
        );
        let form = question.form(button);
        let fields = form.filled(&[("until", "2099-12-31")], button);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = visitor
            .post(&form.action.replace("&amp;", "&"), &fields)
            .is(303);
        let to = answer.header("location").expect("a place").to_owned();
        let (place, said) = to.split_once('?').expect("an answer");
        assert_eq!(place, BACK);
        said.split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let headers = [
            ("Host", self.host.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let request = pages::request("POST /fhir/token", &headers, body.join("&").as_bytes());
        pages::raw(&self.host, &request).expect("an answer")
    }

    fn by_code(&self, code: &str, verifier: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("client_id", &self.client),
            ("code_verifier", verifier),
        ])
    }

    fn refreshed(&self, token: &str) -> Answer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.client),
        ])
    }

    fn app(&self, given: &Value) -> App {
        let text = |name: &str| given[name].as_str().expect("a word").to_owned();
        App::with_token(&self.host, &text("access_token"), &text("patient"))
    }
}

fn said<'s>(pairs: &'s [(String, String)], name: &str) -> &'s str {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

#[test]
fn an_app_asks_a_person_answers_and_it_reads_until_it_is_stopped() {
    let desk = Desk::open();
    let open = App::with_token(&desk.host, "none", "");
    let stated = json(&open.get("/.well-known/smart-configuration").is(200));
    assert_eq!(stated["code_challenge_methods_supported"][0], "S256");
    assert_eq!(
        stated["authorization_endpoint"],
        format!("http://{}/fhir/authorize", desk.host)
    );
    open.get("/Patient").is(401);
    let visitor = desk.node.visited();
    let query = desk.query(&[]);
    // Somebody without a session sees who asks, and no more.
    let stranger = Visitor {
        cookie: "kith=none".to_owned(),
        ..visitor.clone()
    };
    assert_eq!(stranger.get(&format!("/apps/ask?{query}")).status, 401);

    let no = desk.answers(&visitor, &query, "No");
    assert_eq!(said(&no, "error"), "access_denied");
    assert_eq!(said(&no, "state"), "s%261");

    let yes = desk.answers(&visitor, &query, "Yes, share this with Growth chart");
    assert_eq!(said(&yes, "state"), "s%261");
    let given = json(&desk.by_code(said(&yes, "code"), VERIFIER).is(200));
    assert_eq!(given["expires_in"], 900);
    assert_eq!(given["token_type"], "Bearer");
    assert_eq!(given["scope"], "launch/patient patient/*.rs offline_access");
    let app = desk.app(&given);
    let patient = json(&app.get(&format!("/Patient/{}", app.patient)).is(200));
    assert_eq!(patient["resourceType"], "Patient");
    assert!(!app.all("/Patient/$everything").is_empty());
    let body = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"}}"#;
    let json_kind = [("Content-Type", "application/fhir+json")];
    app.asks("POST", "/Observation", &json_kind, body).is(403);

    // Another token for the one that gives others, once.
    let refresh = given["refresh_token"].as_str().expect("a token");
    let next = json(&desk.refreshed(refresh).is(200));
    desk.app(&next).get("/Condition").is(200);
    desk.refreshed(refresh).is(400);
    desk.app(&next).get("/Condition").is(401);

    // A code that is shown again ends what it gave.
    let yes = desk.answers(&visitor, &query, "Yes, share this with Growth chart");
    let app = desk.app(&json(&desk.by_code(said(&yes, "code"), VERIFIER).is(200)));
    app.get("/Condition").is(200);
    desk.by_code(said(&yes, "code"), VERIFIER).is(400);
    app.get("/Condition").is(401);

    // What the person stops ends at the next request.
    let yes = desk.answers(&visitor, &query, "Yes, share this with Growth chart");
    let app = desk.app(&json(&desk.by_code(said(&yes, "code"), VERIFIER).is(200)));
    app.get("/Condition").is(200);
    let listed = visitor.page("/apps").says("Growth chart");
    listed.form("Stop Growth chart");
    desk.node.kith(["connect", "stop", "Growth chart"]).done();
    let refused = json(&app.get("/Condition").is(401));
    assert_eq!(refused["issue"][0]["code"], "login");
    assert_eq!(
        desk.sent_here(&query).status,
        400,
        "it may not ask any more"
    );
}

#[test]
fn who_is_not_known_or_asks_for_too_much_gets_nothing() {
    let desk = Desk::open();
    let visitor = desk.node.visited();
    // Nobody is sent to an address that was not registered, and nobody unknown is answered.
    for other in [
        ("client_id", "nobody"),
        ("redirect_uri", "http://127.0.0.1:9/callback/"),
        ("redirect_uri", "http://127.0.0.1:9/callback?x=y"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", ""),
    ] {
        let answer = desk.sent_here(&desk.query(&[other]));
        assert_eq!(answer.status, 400, "{other:?}");
        assert_eq!(answer.header("location"), None);
    }
    for (other, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("aud", "http://evil.example/fhir"), "invalid_request"),
        (("aud", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("scope", "openid user/*.rs"), "invalid_scope"),
    ] {
        let answer = desk.sent_here(&desk.query(&[other])).is(303);
        let to = answer.header("location").expect("a place");
        assert!(
            to.starts_with(&format!("{BACK}?error={error}")),
            "{other:?}: {to}"
        );
        assert!(to.ends_with("state=s%261"), "{to}");
    }
    let query = desk.query(&[("scope", "patient/Patient.rs patient/Condition.rs")]);
    let yes = "Yes, share this with Growth chart";
    for verifier in ["", "wrong", &VERIFIER.to_lowercase()] {
        let answer = desk.answers(&visitor, &query, yes);
        let code = said(&answer, "code");
        desk.by_code(code, verifier).is(400);
        desk.by_code(code, VERIFIER).is(400);
    }
    let answer = desk.answers(&visitor, &query, yes);
    let given = json(&desk.by_code(said(&answer, "code"), VERIFIER).is(200));
    assert_eq!(given["refresh_token"], Value::Null);
    let app = desk.app(&given);
    app.get("/Condition").is(200);
    app.get("/Observation").is(403);
    let everything = app.all("/Patient/$everything");
    assert!(everything.iter().all(|one| {
        ["Patient", "Condition"].contains(&one["resourceType"].as_str().unwrap_or_default())
    }));
    // A form of another site does nothing.
    let headers = [
        ("Host", desk.host.as_str()),
        ("Cookie", &visitor.cookie),
        ("Origin", "http://127.0.0.1:9"),
        ("Sec-Fetch-Site", "same-site"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let line = format!("POST /apps/ask?{query}");
    let forged = pages::raw(&desk.host, &pages::request(&line, &headers, b"answer=yes"));
    assert_eq!(forged.expect("an answer").status, 403);
}
