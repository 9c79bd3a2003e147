//! The pages of a node, as a program reads and fills them in over a plain socket.

mod form;
mod html;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use serde_json::Value;

pub use form::{Form, multipart};
pub use html::{attributes, tags, text_of};

use super::{Node, until};

/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(60);

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(said, _)| said.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn html(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What people read of it.
    pub fn text(&self) -> String {
        text_of(&self.html())
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let text = self.text();
        assert!(text.contains(words), "no {words:?} in: {text}");
        self
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        });
        Some(Self {
            status,
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        })
    }
}

/// Sends bytes as they are to a site, and reads the answer until the node hangs up. Nothing where
/// it hangs up without one.
pub fn raw(host: &str, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(host).expect("the pages are served");
    stream.set_read_timeout(Some(LONGEST)).expect("a socket");
    // A node that has read enough answers and hangs up before all was sent.
    let _whole = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ended = stream.read_to_end(&mut bytes);
    Answer::read(&bytes)
}

/// A request with these headers and nothing else.
pub fn request(line: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("{line} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        request.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    if !body.is_empty() {
        request.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    }
    request.extend(b"Connection: close\r\n\r\n");
    request.extend(body);
    request
}

/// Somebody who has come in by a link.
#[derive(Clone)]
pub struct Visitor {
    pub host: String,
    pub cookie: String,
}

/// A page, and where it is.
pub struct Page {
    pub path: String,
    pub answer: Answer,
}

impl Visitor {
    /// Comes in by a one-use link.
    #[track_caller]
    pub fn enter(link: &str) -> Self {
        let (host, secret) = parts(link);
        let answer = enter(&host, &secret).is(303);
        let cookie = answer.header("set-cookie").expect("a session");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { host, cookie }
    }

    /// One page as it is answered.
    pub fn get(&self, path: &str) -> Answer {
        let headers = [("Host", self.host.as_str()), ("Cookie", &self.cookie)];
        let answer = raw(&self.host, &request(&format!("GET {path}"), &headers, b""));
        answer.unwrap_or_else(|| panic!("no answer to {path}"))
    }

    /// One page, and whatever it leads on to.
    #[track_caller]
    pub fn page(&self, path: &str) -> Page {
        self.follow(path.to_owned(), self.get(path))
    }

    /// Sends a form as a browser does.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        self.send(path, "application/x-www-form-urlencoded", body.as_bytes())
    }

    /// Sends bytes as a form.
    pub fn send(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        let origin = format!("http://{}", self.host);
        let headers = [
            ("Host", self.host.as_str()),
            ("Cookie", &self.cookie),
            ("Origin", &origin),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", kind),
        ];
        let answer = raw(
            &self.host,
            &request(&format!("POST {path}"), &headers, body),
        );
        answer.unwrap_or_else(|| panic!("no answer to the form for {path}"))
    }

    #[track_caller]
    fn follow(&self, path: String, answer: Answer) -> Page {
        let (mut path, mut answer) = (path, answer);
        for _ in 0..10 {
            let Some(to) = answer.header("location").map(str::to_owned) else {
                return Page { path, answer };
            };
            answer = self.get(&to);
            path = to;
        }
        panic!("{path} leads on for ever");
    }

    /// What the forms of this session carry.
    #[track_caller]
    pub fn token(&self, path: &str) -> String {
        let page = self.page(path);
        let form = page.forms().into_iter().next();
        form.expect("a form").value("form")
    }

    /// Looks at a page again and again until it says something.
    #[track_caller]
    pub fn until_it_says(&self, path: &str, words: &str) -> Page {
        until(words, || self.page(path).answer.text().contains(words));
        self.page(path)
    }
}

impl Page {
    /// Its forms, in their order.
    pub fn forms(&self) -> Vec<Form> {
        Form::all(&self.answer.html())
    }

    /// The form with a button on which these words stand.
    #[track_caller]
    pub fn form(&self, button: &str) -> Form {
        let form = self.forms().into_iter().find(|form| form.has(button));
        let text = || self.answer.text();
        form.unwrap_or_else(|| panic!("no button {button:?} on {}: {}", self.path, text()))
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let Self { path, answer } = self;
        let answer = answer.says(words);
        Self { path, answer }
    }

    /// Where its links lead, on this site.
    pub fn links(&self) -> Vec<String> {
        let html = self.answer.html();
        let links = tags(&html, "a").into_iter().filter_map(|tag| {
            let href = attributes(tag).into_iter().find(|(name, _)| name == "href");
            href.map(|(_, href)| href)
        });
        links.filter(|href| href.starts_with('/')).collect()
    }
}

/// Where a one-use link leads, and its secret.
pub fn parts(link: &str) -> (String, String) {
    let rest = link.strip_prefix("http://").expect("a link of a page");
    let (host, secret) = rest.split_once("/enter/").expect("a one-use link");
    (host.to_owned(), secret.to_owned())
}

/// Uses a one-use link.
pub fn enter(host: &str, secret: &str) -> Answer {
    let origin = format!("http://{host}");
    let headers = [
        ("Host", host),
        ("Origin", &origin),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let body = format!("link={}", encoded(secret));
    let answer = raw(host, &request("POST /enter", &headers, body.as_bytes()));
    answer.expect("an answer")
}

/// As forms write it.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `kith ui` where no node runs yet, until this is dropped.
pub struct Opened {
    child: Child,
    pub link: String,
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Node {
    /// `kith ui` where no node runs: its pages, and a link into them.
    #[track_caller]
    pub fn opened(&self) -> Opened {
        let mut command = self.command(["--json", "ui", "--no-open"]);
        command.args(["--pages", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
        let log = File::create(self.beside("run.log")).expect("a file for the test");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("kith can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it can be read");
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: kith ui said {line:?} {}", self.log()));
        Opened {
            child,
            link: said["link"].as_str().expect("a link").to_owned(),
            _stdout: stdout,
        }
    }

    /// A link into the pages of a node that runs.
    #[track_caller]
    pub fn link(&self) -> String {
        let said = self.json(["ui", "--no-open"]);
        said["link"].as_str().expect("a link").to_owned()
    }

    /// Comes into the pages of a node that runs.
    #[track_caller]
    pub fn visited(&self) -> Visitor {
        Visitor::enter(&self.link())
    }
}
