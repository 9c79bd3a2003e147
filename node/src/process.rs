//! A node as a process of this very program, for a demo or a benchmark: it is there for whoever
//! started it and ends when they do.

use std::{
    io::{BufRead, BufReader},
    ops::ControlFlow,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use crate::{
    api::{JoinBy, JoinRequest, Joined, Occurred, Reply, Request, Since},
    control::Client,
    failure::{Ending, Failure},
    home::Home,
};

/// How long a node may take to end in good order.
const ENDING_LASTS: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// A `kith run` in a process of its own; it is ended in good order when this is dropped.
pub struct NodeProcess {
    home: Home,
    child: Child,
}

impl NodeProcess {
    /// Starts the node of a home, and waits until it listens at `listen` and can be asked.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(home: &Home, listen: &str) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| not_started(&error))?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KITH_") {
                command.env_remove(name);
            }
        }
        let child = command
            .arg("--home")
            .arg(home.folder())
            .args(["--json", "--no-input", "run", "--until-input-ends"])
            .args(["--listen", listen])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_started(&error))?;
        let mut process = Self {
            home: home.clone(),
            child,
        };
        let stdout = process.child.stdout.take().ok_or_else(gone)?;
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        if read.is_ok() && line.contains("addresses") {
            return Ok(process);
        }
        Err(gone())
    }

    /// Its number among the processes of this machine.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A connection to it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.home).ok_or_else(gone)
    }

    /// Has it do something.
    ///
    /// # Errors
    /// When it did not.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        self.client()?.command(request, &mut |_| {})
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    /// When it is not good, or the other node cannot be reached.
    pub fn join(&self, link: String) -> Result<Joined, Failure> {
        let request = JoinRequest {
            by: JoinBy::Link(link),
            yes: true,
        };
        self.client()?.join(request, &mut |_| Ok(true))
    }

    /// What happens there, each with the moment at which it was told.
    ///
    /// # Errors
    /// When it has ended.
    pub fn follow(&self, since: Since) -> Result<Receiver<(Instant, Occurred)>, Failure> {
        let client = self.client()?;
        let (tell, told) = channel();
        std::thread::spawn(move || listen(client, since, &tell));
        Ok(told)
    }

    /// Ends it as a cut of the power does: nothing that it was at is finished.
    ///
    /// # Errors
    /// When the system does not end it.
    pub fn kill(mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    fn end(&mut self) -> std::io::Result<()> {
        // The end of its standard input is its sign.
        drop(self.child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < ENDING_LASTS {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "a node that was started did not end");
        }
    }
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

fn not_started(error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "A node could not be started as a program of its own.",
        "Check that this program may start itself, then try again.",
    )
    .because(error)
}

/// A node that was started has ended.
pub fn gone() -> Failure {
    Failure::new(
        Ending::Failed,
        "A node that was started for this has ended.",
        "Run the command again; if it ends again, this is a fault of kith.",
    )
}
