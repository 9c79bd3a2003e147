//! The nodes of the demo: real processes on this machine, each with a folder of its own.

use std::{
    fs, io,
    io::{BufRead, BufReader},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use kith_node::{
    api::{JoinBy, JoinRequest, Joined, Occurred, Reply, Request, Role, Since},
    control::{Asked, Client, Said},
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::Node,
};

use super::Interrupt;
use crate::ask::odd_answer;

/// How long anything may take to be seen; on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often an interruption is looked for while something is waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A folder that is taken away when this is dropped.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Result<Self, Failure> {
        let name = format!("kith-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).map_err(|error| no_room(&error))?;
        Ok(Self(folder))
    }

    /// A file in it.
    pub fn file(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        fs::write(&path, text).map_err(|error| no_room(&error))?;
        Ok(path)
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} could not be removed: {error}", self.0.display());
        }
    }
}

/// One node, and what was seen on it so far.
pub struct Player {
    /// What people call it.
    pub name: String,
    home: Home,
    process: Option<Process>,
    seen: Vec<(Instant, Occurred)>,
    last: u64,
}

/// A `kith run` and a thread that follows what happens there.
struct Process {
    child: Child,
    told: Receiver<(Instant, Occurred)>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its standard input is its sign to stop in good order.
        drop(self.child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a node of the demo did not end: {error}");
        }
    }
}

impl Player {
    /// A node that is set up and does not run yet.
    pub fn new(place: &Place, folder: &str, name: &str, role: Role) -> Result<Self, Failure> {
        let home = Home::at(place.folder().join(folder));
        Node::set_up(&home, name, role, &Unlock::KeyFile)?;
        Ok(Self {
            name: name.to_owned(),
            home,
            process: None,
            seen: Vec::new(),
            last: 0,
        })
    }

    /// Its folder, for whoever wants to look around.
    pub fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// Starts it, and follows what happens on it from where that was left.
    pub fn start(&mut self) -> Result<(), Failure> {
        let mut child = run(&self.home)?;
        if let Err(failure) = is_ready(&mut child) {
            // What it was to tell is lost with it; the failure says so.
            let _ended = child.kill();
            let _status = child.wait();
            return Err(failure);
        }
        let (tell, told) = channel();
        let client = Client::connect(&self.home).ok_or_else(gone)?;
        let since = Since {
            after: Some(self.last),
            record: None,
        };
        std::thread::spawn(move || listen(client, since, &tell));
        self.process = Some(Process { child, told });
        Ok(())
    }

    /// Ends it in good order, as a laptop that is shut.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Asks it; when it does not run, works on its folder itself, as the command line does.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        match Client::connect(&self.home) {
            Some(client) => match client.ask(&Asked::Command(request), &mut |_| {})? {
                Said::Reply(reply) => Ok(*reply),
                Said::Joining(_)
                | Said::Joined(_)
                | Said::Happened(_)
                | Said::Progress(_)
                | Said::Exchanged { .. }
                | Said::Failure(_) => Err(odd_answer()),
            },
            None => Node::open(&self.home, &Unlock::KeyFile)?.handle(request, &mut |_| {}),
        }
    }

    /// Accepts an invitation.
    pub fn join(&self, link: String) -> Result<Joined, Failure> {
        let client = Client::connect(&self.home).ok_or_else(gone)?;
        let request = JoinRequest {
            by: JoinBy::Link(link),
            yes: true,
        };
        client.join(request, &mut |_| Ok(true))
    }

    /// Waits until something was seen here that came after `since`, and says when; nothing when it
    /// was not seen in time.
    pub fn sees(
        &mut self,
        interrupt: &Interrupt,
        since: Instant,
        wanted: impl Fn(&Occurred) -> bool,
    ) -> Result<Option<Instant>, Failure> {
        let begun = Instant::now();
        loop {
            let mut seen = self.seen.iter();
            if let Some((at, _)) = seen.find(|(at, seen)| *at >= since && wanted(seen)) {
                return Ok(Some(*at));
            }
            interrupt.check()?;
            if begun.elapsed() > PATIENCE || !self.listen()? {
                return Ok(None);
            }
        }
    }

    /// Whether something was seen here so far.
    pub fn has_seen(&mut self, wanted: impl Fn(&Occurred) -> bool) -> Result<bool, Failure> {
        while let Some(process) = &self.process
            && let Ok((at, occurred)) = process.told.try_recv()
        {
            self.note(at, occurred);
        }
        Ok(self.seen.iter().any(|(_, occurred)| wanted(occurred)))
    }

    /// Waits a little for the next thing that happens here; says whether the node still runs.
    fn listen(&mut self) -> Result<bool, Failure> {
        let Some(process) = &self.process else {
            return Ok(false);
        };
        match process.told.recv_timeout(BETWEEN_LOOKS) {
            Ok((at, occurred)) => self.note(at, occurred),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        }
        Ok(true)
    }

    fn note(&mut self, at: Instant, occurred: Occurred) {
        self.last = self.last.max(occurred.seq);
        self.seen.push((at, occurred));
    }
}

/// This very program as a node of its own, on loopback, that ends when this one does.
fn run(home: &Home) -> Result<Child, Failure> {
    let program = std::env::current_exe().map_err(|error| not_started(&error))?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KITH_") {
            command.env_remove(name);
        }
    }
    command
        .arg("--home")
        .arg(home.folder())
        .args(["--json", "--no-input", "run", "--listen", "127.0.0.1:0"])
        .arg("--until-input-ends")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| not_started(&error))
}

/// Waits for the line with which a node says that it is ready.
fn is_ready(child: &mut Child) -> Result<(), Failure> {
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let mut line = String::new();
    let read = BufReader::new(stdout).read_line(&mut line);
    if read.is_ok() && line.contains("addresses") {
        return Ok(());
    }
    Err(gone())
}

fn listen(client: Client, since: Since, tell: &Sender<(Instant, Occurred)>) {
    let followed = client.follow(
        since,
        &mut |occurred| match tell.send((Instant::now(), occurred)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        },
    );
    if let Err(failure) = followed {
        tracing::debug!(what = failure.what, "a node is not followed any more");
    }
}

fn no_room(error: &io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!(
            "The demo cannot work in {}.",
            std::env::temp_dir().display()
        ),
        "Check that there is room and that you may write there, or name another folder in TMPDIR.",
    )
    .because(error)
}

fn not_started(error: &io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "A node of the demo could not be started.",
        "Check that this program may start itself, then try again.",
    )
    .because(error)
}

fn gone() -> Failure {
    Failure::new(
        Ending::Failed,
        "A node of the demo has ended.",
        "Run kith demo again; if it ends again, this is a fault of kith.",
    )
}
