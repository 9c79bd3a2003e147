//! `kith sandbox`, and the examples of `docs/build-on-kith.md`, which run here as they stand there.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::Value;

use crate::harness::{
    Node, kith,
    pages::{self, Answer},
    signal, skipped, text, until,
};

/// The longest that an example may be.
const LINES_MAX: usize = 60;

/// How long another program may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn examples() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/build-on-kith"
    ))
}

/// A sandbox that runs, and what it said of itself.
pub struct Sandbox {
    /// Its commands are said from here: the sandbox's home is not in this folder.
    node: Node,
    child: Child,
    pub told: Value,
}

impl Sandbox {
    pub fn starts(more: &[&str]) -> Self {
        let node = Node::nowhere();
        let mut command = node.command(["--json", "sandbox"]);
        command
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("kith can be started");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        assert!(read.is_ok_and(|len| len > 0), "the sandbox said nothing");
        let told = serde_json::from_str(&line).expect("JSON");
        Self { node, child, told }
    }

    pub fn word(&self, name: &str) -> &str {
        let word = self.told[name].as_str();
        word.unwrap_or_else(|| panic!("no {name} in {}", self.told))
    }

    /// What a command says about the node of the sandbox.
    fn json(&self, words: &[&str]) -> Value {
        let mut command = Command::new(kith());
        command.args(["--json", "--no-input", "--home", self.word("home")]);
        let output = command.args(words).output().expect("kith can be started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn host(&self) -> &str {
        let host = self.word("fhir").strip_prefix("http://");
        host.and_then(|host| host.strip_suffix("/fhir"))
            .expect("an address")
    }

    /// What is answered to a request with these headers and the token.
    fn asks(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.word("token"));
        let mut all = vec![("Host", self.host()), ("Authorization", bearer.as_str())];
        all.extend(headers);
        let request = pages::request(line, &all, body);
        pages::raw(self.host(), &request).expect("an answer")
    }

    /// Ctrl-C.
    pub fn ends(mut self) -> (Option<i32>, PathBuf) {
        let home = PathBuf::from(self.word("home"));
        signal(&self.child, "INT");
        (self.child.wait().expect("it ends").code(), home)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(&self.child, "INT");
            let _status = self.child.wait();
        }
    }
}

/// What a line for a shell says.
fn pasted(line: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", line])
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{line}");
    String::from_utf8(output.stdout).expect("text")
}

fn is_there(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    let is_there = asked.is_ok_and(|output| output.status.success());
    let required =
        std::env::var_os("KITH_TEST_PROGRAMS_REQUIRED").is_some_and(|value| value == "1");
    assert!(is_there || !required, "{program} is not here");
    if !is_there {
        skipped(&format!("what needs {program}: it is not here"));
    }
    is_there
}

#[test]
fn everything_that_a_sandbox_says_works_and_nothing_stays() {
    let sandbox = Sandbox::starts(&[]);
    assert_eq!(sandbox.told["records"].as_array().map(Vec::len), Some(20));
    let record = sandbox.word("record").to_owned();
    for section in ["medicines", "allergies", "conditions", "results", "plans"] {
        let shown = sandbox.json(&["show", &record]);
        let mut sections = shown["sections"].as_array().expect("sections").iter();
        assert!(sections.any(|one| one["section"] == section), "{section}");
    }
    if is_there("curl") {
        let found: Value = serde_json::from_str(&pasted(sandbox.word("curl"))).expect("JSON");
        assert_eq!(found["resourceType"], "Bundle");
        assert_eq!(
            found["entry"][0]["resource"]["resourceType"],
            "MedicationRequest"
        );
    }
    let forms = sandbox.json(&["form", "list"]);
    assert_eq!(forms["forms"][0]["title"], sandbox.word("form"));
    let apps = sandbox.json(&["connect", "list"]);
    assert_eq!(
        apps["registered"][0]["client_id"],
        sandbox.word("client_id")
    );

    let admitted = || {
        let handover = sandbox.json(&["handover", &record]);
        handover["events"].to_string().contains("admission")
    };
    assert!(!admitted());
    pasted(sandbox.word("drop"));
    until("the message is filed", admitted);
    std::net::TcpStream::connect(sandbox.word("hl7")).expect("it listens for messages");

    let opened = pages::raw(sandbox.host(), &{
        let path = sandbox
            .word("pages")
            .split_once(sandbox.host())
            .expect("a link")
            .1;
        pages::request(&format!("GET {path}"), &[("Host", sandbox.host())], b"")
    });
    assert_eq!(opened.expect("an answer").status, 200);
    let (code, home) = sandbox.ends();
    assert_eq!(code, Some(0));
    let place = home.parent().expect("a folder");
    assert!(!place.exists(), "{} stays", place.display());
}

#[test]
fn only_pages_of_a_registered_app_may_ask_from_a_browser() {
    const OURS: &str = "http://127.0.0.1:9";
    let sandbox = Sandbox::starts(&["--redirect", "http://127.0.0.1:9/app.html"]);
    let script = |origin| {
        [
            ("Origin", origin),
            ("Sec-Fetch-Site", "same-site"),
            ("Sec-Fetch-Mode", "cors"),
        ]
    };
    let first = |origin, path: &str| {
        let mut headers = script(origin).to_vec();
        headers.push(("Access-Control-Request-Method", "GET"));
        headers.push(("Access-Control-Request-Headers", "authorization"));
        sandbox.asks(&format!("OPTIONS {path}"), &headers, b"")
    };
    let allowed = |answer: &Answer| {
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    let medicines = format!(
        "/fhir/MedicationRequest?patient={}",
        sandbox.word("patient")
    );

    let told = first(OURS, &medicines);
    assert_eq!((told.status, allowed(&told)), (204, Some(OURS.to_owned())));
    assert!(
        told.header("access-control-allow-headers")
            .is_some_and(|said| said.contains("authorization"))
    );
    let given = sandbox.asks(&format!("GET {medicines}"), &script(OURS), b"");
    assert_eq!(
        (given.status, allowed(&given)),
        (200, Some(OURS.to_owned()))
    );
    assert_eq!(given.header("vary"), Some("Origin"));
    assert_eq!(given.header("access-control-allow-credentials"), None);
    let wrong = sandbox.asks("GET /fhir/Nothing", &script(OURS), b"");
    assert_eq!(
        (wrong.status, allowed(&wrong)),
        (404, Some(OURS.to_owned()))
    );

    for origin in [
        "http://127.0.0.1:8",
        "http://localhost:9",
        "https://127.0.0.1:9",
        "http://evil.example",
        "null",
    ] {
        for answer in [
            first(origin, &medicines),
            sandbox.asks(&format!("GET {medicines}"), &script(origin), b""),
        ] {
            assert_eq!((answer.status, allowed(&answer)), (403, None), "{origin}");
            assert!(!answer.html().contains("MedicationRequest"), "{origin}");
        }
    }
    // Not the node's own pages, nor the page that asks people.
    for path in ["/", "/records", "/fhir/authorize", "/apps/ask"] {
        for answer in [
            first(OURS, path),
            sandbox.asks(&format!("GET {path}"), &script(OURS), b""),
        ] {
            assert_eq!((answer.status, allowed(&answer)), (403, None), "{path}");
        }
    }
    // An image or a form of that page is no script.
    let image = [
        ("Origin", OURS),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Mode", "no-cors"),
    ];
    assert_eq!(
        sandbox
            .asks(&format!("GET {medicines}"), &image, b"")
            .status,
        403
    );
    // Nor is an app that was stopped one that is registered.
    sandbox.json(&["connect", "stop", sandbox.word("client_id")]);
    let ended = sandbox.asks(&format!("GET {medicines}"), &script(OURS), b"");
    assert_eq!((ended.status, allowed(&ended)), (403, None));
}

/// Lines that a program says.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("it is piped");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    told
}

#[test]
fn the_script_tells_what_changes() {
    if !is_there("python3") {
        return;
    }
    let sandbox = Sandbox::starts(&[]);
    let mut python = Command::new("python3");
    python.arg(examples().join("watch.py"));
    python.args([sandbox.word("fhir"), sandbox.word("token")]);
    let mut watching = python.stdout(Stdio::piped()).spawn().expect("python3 runs");
    let told = lines_of(&mut watching);
    let record = sandbox.word("record").to_owned();
    // It may not wait yet when the first note is written.
    let heard = (0..30).any(|n| {
        sandbox.json(&["add", &record, "note", &format!("note {n}")]);
        let line = told.recv_timeout(Duration::from_secs(2));
        line.is_ok_and(|line| line.starts_with("Observation/") && line.ends_with(": Note"))
    });
    assert!(heard, "nothing was told");
    // With its share it ends.
    sandbox.json(&["connect", "stop", "An app with a token"]);
    let mut waited = Duration::ZERO;
    while watching.try_wait().expect("it can be asked").is_none() {
        assert!(waited < PATIENCE, "it goes on after its share has ended");
        std::thread::sleep(Duration::from_millis(100));
        waited += Duration::from_millis(100);
    }
    assert_eq!(watching.wait().expect("it ended").code(), Some(1));
}

#[test]
fn the_form_and_its_rule_do_what_they_are_there_for() {
    let sandbox = Sandbox::starts(&[]);
    let record = sandbox.word("record").to_owned();
    let form = examples().join("fall.questionnaire.json");
    let checked = sandbox.json(&["form", "check", text(&form)]);
    assert_eq!(checked["findings"], serde_json::json!([]), "{checked}");
    let rules = sandbox.json(&["check", text(&examples().join("fall.rules"))]);
    assert_eq!(rules["mistakes"], serde_json::json!([]));
    assert_eq!(
        rules["sentences"].as_array().map(Vec::len),
        Some(2),
        "{rules}"
    );

    let answers = |answers: &str| {
        let file = sandbox.node.file("answers.json", answers);
        sandbox.json(&[
            "form",
            "fill",
            &record,
            "Have you fallen?",
            "--answers",
            text(&file),
        ])
    };
    let tasks = || {
        let list = sandbox.json(&["tasks", &record]);
        list["tasks"].to_string()
    };
    answers(r#"{"fell": false}"#);
    assert!(!tasks().contains("ring them"), "nobody fell");
    let now = pasted("date -u +%Y-%m-%dT%H:%M:%SZ");
    let now = now.trim();
    let filled = answers(&format!(
        r#"{{"fell": true, "when": "{now}", "how": "on the stairs"}}"#
    ));
    assert!(filled["resources"].to_string().contains("Fall"), "{filled}");
    until("the rule asks for something", || {
        let tasks = tasks();
        tasks.contains("ring them") && tasks.contains("medicines that make them dizzy")
    });
}

#[test]
fn examples_are_short_and_stand_in_the_document_as_they_are() {
    let document = include_str!("../../docs/build-on-kith.md");
    let mut said = 0;
    for name in [
        "results.html",
        "watch.py",
        "fall.questionnaire.json",
        "fall.rules",
    ] {
        let example = std::fs::read_to_string(examples().join(name)).expect("it is there");
        assert!(example.lines().count() < LINES_MAX, "{name}");
        assert!(document.contains(&example), "{name} stands there otherwise");
        said += 1;
    }
    assert_eq!(
        std::fs::read_dir(examples()).expect("a folder").count(),
        said
    );
    let page = std::fs::read_to_string(examples().join("results.html")).expect("it is there");
    assert!(!page.contains("src=") && !page.contains("http://") && !page.contains("https://"));
}

/// Serves one file to a browser, until the test ends: where it is.
pub fn served(file: &Path) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("it has an address");
    let name = file
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    (listener, format!("http://{address}/{name}"))
}

/// Answers every request with this page.
pub fn serve(listener: TcpListener, page: String) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = [0; 8192];
            let read = stream.read(&mut asked);
            if read.is_ok_and(|len| len > 0) {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                // A browser that went away wants nothing.
                let _sent = stream.write_all(head.as_bytes());
            }
        }
    });
}
