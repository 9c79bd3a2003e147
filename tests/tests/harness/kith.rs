//! The program, a node, and a node that runs.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use cargo_metadata::Message;
use serde_json::Value;
use tempfile::TempDir;

/// The program under test, built once.
pub fn kith() -> &'static Path {
    static KITH: OnceLock<PathBuf> = OnceLock::new();
    KITH.get_or_init(build)
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // The same selection as the README's command: any other would build the libraries again.
    cargo.args(["test", "--workspace", "--no-run", "--locked", "--quiet"]);
    if cfg!(feature = "trace") {
        cargo.args(["--features", "kith-cli/trace,kith-tests/trace"]);
    }
    cargo.arg("--message-format=json-render-diagnostics");
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // What cargo says of this package to its tests would be taken for a change by build scripts of
    // libraries (ring's), and everything above them would be built again, each time.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cargo could not be run: {error}"));
    assert!(output.status.success(), "kith could not be built");
    Message::parse_stream(output.stdout.as_slice())
        .filter_map(|message| {
            let message = message.expect("cargo writes messages");
            if let Message::CompilerArtifact(artifact) = message
                && artifact.target.name == "kith"
                && !artifact.profile.test
            {
                return artifact.executable;
            }
            None
        })
        .next()
        .expect("cargo names the program that it built")
        .into()
}

/// A command that has ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
    what: String,
}

impl Ran {
    /// It must have done all that it was asked.
    #[track_caller]
    pub fn done(self) -> Self {
        self.ended(0)
    }

    /// It must have ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Its answer as one JSON object.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Its answer as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let out: String = self.text().chars().take(2000).collect();
        write!(
            f,
            "kith {} ended with {:?}\n{out}\n{}",
            self.what, self.code, self.err
        )
    }
}

/// How much of it is shown.
const LINES_SHOWN: usize = 60;

/// A node's folder, gone when the story ends.
pub struct Node {
    folder: TempDir,
}

/// What is set for the tests is not meant for what they start.
pub(super) fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KITH_") {
            command.env_remove(name);
        }
    }
}

impl Node {
    /// What running nodes log, shown where a test fails.
    pub const LOGGED: &str =
        "kith_node::network=debug,libp2p_swarm=debug,libp2p_tcp=trace,libp2p_stream=debug";

    /// A folder without a node.
    pub fn nowhere() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder for the test"),
        }
    }

    /// A node, and the code on its recovery sheet in a file.
    pub fn with_sheet(name: &str, kind: &str) -> (Self, PathBuf) {
        let node = Self::nowhere();
        let made = node.json(["setup", "--name", name, "--kind", kind]);
        let sheet = node.sheet(&made);
        (node, sheet)
    }

    /// The code of a recovery sheet as it is said when a node is made, in a file.
    pub fn sheet(&self, made: &Value) -> PathBuf {
        let code = made["recovery"].as_str().expect("a code is shown once");
        self.file("sheet", code)
    }

    /// A node whose key file opens it.
    pub fn set_up(name: &str, kind: &str) -> Self {
        let node = Self::nowhere();
        node.kith(["setup", "--name", name, "--kind", kind]).done();
        node
    }

    /// The node's folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path beside the node's folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file beside the node's folder.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside(name);
        std::fs::write(&path, bytes).expect("a file for the test");
        path
    }

    /// The command, not yet started.
    pub fn command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I) -> Command {
        let mut command = Command::new(kith());
        forget_settings(&mut command);
        command.env_remove("COLUMNS").stdin(Stdio::null());
        command.arg("--home").arg(self.home()).arg("--no-input");
        command.args(words);
        command
    }

    /// Runs a command to its end.
    pub fn kith<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I) -> Ran {
        self.ran(&mut self.command(words))
    }

    /// Runs such a command to its end.
    pub fn ran(&self, command: &mut Command) -> Ran {
        let output = command.output().expect("kith can be started");
        let home = self.home();
        let words: Vec<_> = command
            .get_args()
            .skip_while(|word| *word != home.as_os_str())
            .skip(2)
            .map(OsStr::to_string_lossy)
            .collect();
        Ran {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            what: words.join(" "),
        }
    }

    /// Runs a command that must succeed, for its JSON.
    #[track_caller]
    pub fn json<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I) -> Value {
        let mut all = vec![OsStr::new("--json").to_owned()];
        all.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self.kith(all).done().json()
    }

    /// Begins a record of somebody, and gives back its id.
    #[track_caller]
    pub fn begins(&self, family: &str, given: &str, born: &str) -> String {
        let words = [
            "record", "new", "--family", family, "--given", given, "--born", born,
        ];
        let made = self.json(words);
        made["record"].as_str().expect("an id").to_owned()
    }

    /// Imports a file that is about one person.
    #[track_caller]
    pub fn import(&self, file: &Path) -> String {
        let imported = self.json([OsStr::new("import"), file.as_os_str()]);
        word(&imported, "record")
    }

    #[track_caller]
    pub fn note(&self, record: &str, text: &str) -> String {
        word(&self.json(["add", record, "note", text]), "entry")
    }

    #[track_caller]
    pub fn show(&self, record: &str) -> Value {
        self.json(["show", record])
    }

    /// Equal digests mean equal records.
    #[track_caller]
    pub fn digest(&self, record: &str) -> String {
        word(&self.show(record), "digest")
    }

    #[track_caller]
    pub fn ndjson(&self, record: &str) -> Vec<u8> {
        self.kith(["export", record, "--as", "ndjson"]).done().out
    }

    /// Every signature, link and status must hold.
    #[track_caller]
    pub fn verify(&self, what: &str) {
        self.kith(["verify", what]).done();
    }

    /// Shares, and gives back the link.
    #[track_caller]
    pub fn share(&self, record: &str, see: &str, add: &str) -> String {
        let words = ["share", record, "--see", see, "--add", add];
        let until = ["--until", "2099-12-31"];
        word(&self.json(words.iter().chain(&until)), "link")
    }

    #[track_caller]
    pub fn join(&self, link: &str) -> Value {
        self.json(["join", "--link", link, "--yes"])
    }

    /// Shares all of a record with a guest that runs, who joins. This node runs too.
    #[track_caller]
    pub fn shares_all_with(&self, guest: &Self, record: &str) {
        let joined = guest.join(&self.share(record, "all", "all"));
        assert_eq!(joined["record"], record);
    }

    /// Starts it, and waits until others can reach it.
    #[track_caller]
    pub fn running(&self) -> Running {
        self.running_at(["--listen", "127.0.0.1:0"])
    }

    /// The same, with what else `kith run` is told.
    #[track_caller]
    pub fn running_at<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I) -> Running {
        let mut command = self.command(["--json", "run"]);
        command.args(words);
        self.started(command)
    }

    /// The same, with all that it logs from this level on.
    #[track_caller]
    pub fn running_with_log(&self, listen: &str, level: &str) -> Running {
        let mut command = self.command(["--json", "run", "--listen", listen]);
        command.env("KITH_LOG", level);
        self.started(command)
    }

    /// What it wrote to its standard error since it was started last.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.beside("run.log")).expect("it was started");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The same, from a command that leads to `kith --json run`.
    #[track_caller]
    pub fn started(&self, mut command: Command) -> Running {
        let log = File::create(self.beside("run.log")).expect("a file for the test");
        if !command
            .get_envs()
            .any(|(name, level)| name == "KITH_LOG" && level.is_some())
        {
            command.env("KITH_LOG", Self::LOGGED);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("kith can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it can be read");
        let said = std::fs::read_to_string(self.beside("run.log")).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: kith run said {line:?} {said}"));
        let addresses = ready["addresses"].as_array().expect("it says where");
        Running {
            child,
            addresses: addresses
                .iter()
                .filter_map(|address| address.as_str().map(str::to_owned))
                .collect(),
            hl7: ready["hl7"].as_str().map(str::to_owned),
            _stdout: stdout,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if !self.beside("run.log").exists() {
            return;
        }
        let log = self.log();
        if std::thread::panicking() {
            let lines: Vec<_> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!(
                "\n{} logged last:\n{}",
                self.home().display(),
                shown.join("\n")
            );
        } else {
            assert!(
                !log.contains("panicked at"),
                "a running node panicked:\n{log}"
            );
        }
    }
}

#[track_caller]
fn word(object: &Value, name: &str) -> String {
    let word = object[name].as_str();
    word.unwrap_or_else(|| panic!("no {name} in {object}"))
        .to_owned()
}

/// A node that runs until this is dropped.
pub struct Running {
    child: Child,
    pub addresses: Vec<String>,
    /// Where it listens for HL7 v2 messages.
    pub hl7: Option<String>,
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is what the caller wants.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Running {
    /// Asks it to stop, as a service manager does, and says how it ended.
    #[track_caller]
    pub fn stopped(&mut self) -> Option<i32> {
        signal(&self.child, "TERM");
        self.child.wait().expect("it ends").code()
    }

    /// Ctrl-C: asks it to stop, and says how it ended.
    #[track_caller]
    pub fn interrupted(&mut self) -> Option<i32> {
        signal(&self.child, "INT");
        self.child.wait().expect("it ends").code()
    }

    /// Bytes of its memory that are in use now.
    #[track_caller]
    pub fn resident_bytes(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok())
            .expect("it says how much")
            * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to a process that the test started.
#[track_caller]
pub fn signal(child: &Child, name: &str) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &child.id().to_string()]);
    assert!(kill.status().is_ok_and(|status| status.success()));
}
