//! Chromium, spoken to over its own pipe (decision 0094): JSON messages, each ended by a zero byte,
//! on file descriptors 3 and 4.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::skipped;

/// How long the browser may think about one thing.
const LONGEST: Duration = Duration::from_secs(60);

/// A browser without a window, until this is dropped.
pub struct Chromium {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    events: VecDeque<Value>,
    _profile: TempDir,
}

/// Where Chromium is; nothing, said loudly, where there is none.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("KITH_TEST_BROWSER").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
    let found = named.or_else(|| {
        let mut usual = usual.iter().map(PathBuf::from);
        usual.find(|path| path.exists())
    });
    assert!(
        found.is_some() || !is_required(),
        "there is no Chromium here"
    );
    if found.is_none() {
        skipped("the pages in a browser: there is no Chromium here (docs/ci.md)");
    }
    found
}

/// Whether a browser and its judge have to be here.
pub fn is_required() -> bool {
    std::env::var("KITH_TEST_BROWSER_REQUIRED").is_ok_and(|said| said == "1")
}

impl Chromium {
    pub fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        // A shell hands the pipes of its input and output on as 3 and 4.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >&2"#, "sh"]);
        command.arg(program).args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-sandbox",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--disable-sync",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            "--lang=en-GB",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        let to = child.stdin.take().expect("it is piped");
        let out = child.stdout.take().expect("it is piped");
        let (tell, from) = channel();
        std::thread::spawn(move || {
            for message in messages(out) {
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            to,
            from,
            last: 0,
            events: VecDeque::new(),
            _profile: profile,
        }
    }

    /// Asks for something, and waits for the answer; what is told meanwhile is kept.
    pub fn ask(
        &mut self,
        session: Option<&str>,
        method: &str,
        more: &Value,
    ) -> Result<Value, String> {
        let id = self.say(session, method, more);
        let began = Instant::now();
        loop {
            let message = self.next(method, began);
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
            self.keep(message);
        }
    }

    /// What a session was told since it was asked last.
    pub fn told(&mut self, session: &str) -> Vec<Value> {
        let (its, others) = self
            .events
            .drain(..)
            .partition(|event| event["sessionId"] == session);
        self.events = others;
        Vec::from_iter::<VecDeque<Value>>(its)
    }

    /// Waits until a session is told something.
    pub fn until_told(&mut self, session: &str, method: &str) {
        let is_it = |event: &Value| event["sessionId"] == session && event["method"] == method;
        let began = Instant::now();
        while !self.events.iter().any(is_it) {
            let message = self.next(method, began);
            self.keep(message);
        }
    }

    fn keep(&mut self, message: Value) {
        if message["method"] == "Page.javascriptDialogOpening" {
            // Nothing goes on in a page that asks something.
            let session = message["sessionId"].as_str().map(str::to_owned);
            let no = json!({"accept": false});
            self.say(session.as_deref(), "Page.handleJavaScriptDialog", &no);
        }
        if message.get("method").is_some() {
            self.events.push_back(message);
        }
    }

    fn say(&mut self, session: Option<&str>, method: &str, more: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": more});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser runs");
        self.last
    }

    fn next(&self, what: &str, began: Instant) -> Value {
        let left = LONGEST.saturating_sub(began.elapsed());
        match self.from.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("the browser does not come to {what}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended before {what}"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn messages(out: impl Read) -> impl Iterator<Item = Value> {
    let mut out = BufReader::new(out);
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        out.read_until(0, &mut bytes).ok()?;
        bytes.pop()?;
        serde_json::from_slice(&bytes).ok()
    })
}
