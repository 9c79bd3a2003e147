//! Nodes as processes of this program, for what is measured over a real connection.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    ops::ControlFlow,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use kith_protocol::id::DeviceId;

use super::{
    measure::{Memory, memory_of, processor_s_of},
    odd, place,
};
use crate::{
    api::{JoinBy, JoinRequest, Joined, Occurred, Reply, Request, Since},
    control::{Asked, Client, Said},
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::{Node, Role},
};

/// How long a node may take to end in good order.
const ENDING_LASTS: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// A node that runs when it is asked to, always at the same port, so that others find it again.
pub(super) struct Station {
    pub(super) home: Home,
    pub(super) device: DeviceId,
    port: u16,
    running: Option<Child>,
}

/// Bytes of a node's streams since it started.
#[derive(Clone, Copy)]
pub(super) struct Exchanged {
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Exchanged {
    pub(super) const fn both(self) -> u64 {
        self.sent + self.received
    }
}

impl Station {
    /// A node that is set up and does not run yet.
    pub(super) fn new(home: Home, name: &str, role: Role) -> Result<Self, Failure> {
        Node::set_up(&home, name, role, &Unlock::KeyFile)?;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .map_err(|error| place::failure(&error))?
            .port();
        let device = Node::open(&home, &Unlock::KeyFile)?.device();
        Ok(Self {
            home,
            device,
            port,
            running: None,
        })
    }

    /// The node in this process, with the address that it will have in its own.
    pub(super) fn node(&self) -> Result<Node, Failure> {
        let mut node = Node::open(&self.home, &Unlock::KeyFile)?;
        node.set_addresses(vec![format!("/ip4/127.0.0.1/tcp/{}", self.port)]);
        Ok(node)
    }

    /// Starts it and waits until it listens.
    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let program = std::env::current_exe().map_err(|error| not_started(&error))?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KITH_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .arg("--home")
            .arg(self.home.folder())
            .args(["--json", "--no-input", "run", "--until-input-ends"])
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_started(&error))?;
        let stdout = child.stdout.take();
        self.running = Some(child);
        let mut line = String::new();
        let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line));
        if matches!(read, Some(Ok(_))) && line.contains("addresses") {
            return Ok(());
        }
        Err(gone())
    }

    /// Ends it in good order: the end of its standard input is its sign.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.running.take() else {
            return Ok(());
        };
        drop(child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < ENDING_LASTS {
            match child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => std::thread::sleep(BETWEEN_LOOKS),
                Err(error) => return Err(gone().because(&error)),
            }
        }
        let ended = child.kill().and_then(|()| child.wait());
        ended.map(drop).map_err(|error| gone().because(&error))
    }

    pub(super) fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let said = self.client()?.ask(&Asked::Command(request), &mut |_| {})?;
        match said {
            Said::Reply(reply) => Ok(*reply),
            Said::Joining(_)
            | Said::Joined(_)
            | Said::Happened(_)
            | Said::Progress(_)
            | Said::Exchanged { .. }
            | Said::Failure(_) => Err(odd()),
        }
    }

    pub(super) fn join(&self, link: String) -> Result<Joined, Failure> {
        let request = JoinRequest {
            by: JoinBy::Link(link),
            yes: true,
        };
        self.client()?.join(request, &mut |_| Ok(true))
    }

    /// Waits until it and another have everything of each other.
    pub(super) fn exchanged_with(&self, other: &Self) -> Result<Exchanged, Failure> {
        let asked = Asked::Exchanged(other.device.to_string());
        match self.client()?.ask(&asked, &mut |_| {})? {
            Said::Exchanged { sent, received } => Ok(Exchanged { sent, received }),
            Said::Joining(_)
            | Said::Joined(_)
            | Said::Happened(_)
            | Said::Progress(_)
            | Said::Reply(_)
            | Said::Failure(_) => Err(odd()),
        }
    }

    /// What happens in a record there from the beginning on, with the moment at which it was told.
    pub(super) fn follow(&self, record: String) -> Result<Receiver<(Instant, Occurred)>, Failure> {
        let client = self.client()?;
        let (tell, told) = channel();
        let since = Since {
            after: None,
            record: Some(record),
        };
        std::thread::spawn(move || listen(client, since, &tell));
        Ok(told)
    }

    /// Its processor time so far, in seconds.
    pub(super) fn processor_s(&self) -> f64 {
        let running = self.running.as_ref();
        let used = running.and_then(|child| processor_s_of(&child.id().to_string()));
        used.unwrap_or_default()
    }

    /// Its memory.
    pub(super) fn memory(&self) -> Memory {
        let running = self.running.as_ref();
        let used = running.map(|child| memory_of(&child.id().to_string()));
        used.unwrap_or_default()
    }

    fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.home).ok_or_else(gone)
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if let Err(failure) = self.stop() {
            tracing::warn!(what = failure.what, "a node of the benchmark did not end");
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
        "A node of the benchmark could not be started.",
        "Check that this program may start itself, then try again.",
    )
    .because(error)
}

pub(super) fn gone() -> Failure {
    Failure::new(
        Ending::Failed,
        "A node of the benchmark has ended.",
        "Run kith bench again; if it ends again, this is a fault of kith.",
    )
}
