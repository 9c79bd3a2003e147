//! The nodes of the demo: real processes on this machine, each with a folder of its own.

use std::{
    net::SocketAddr,
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use kith_node::{
    api::{ConnectHl7, Joined, Occurred, Reply, Request, Role, Since},
    control::{Asked, Said, odd_answer},
    failure::Failure,
    hl7::Caller,
    home::{Home, Unlock},
    node::Node,
    place::Place,
    process::{NodeProcess, gone},
};

use super::Interrupt;

/// How long anything may take to be seen; on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often an interruption is looked for while something is waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// One node, and what was seen on it so far.
pub struct Player {
    /// What people call it.
    pub name: String,
    home: Home,
    running: Option<Running>,
    seen: Vec<(Instant, Occurred)>,
    last: u64,
}

/// A node that runs, and what is told of it.
struct Running {
    process: NodeProcess,
    told: Receiver<(Instant, Occurred)>,
}

impl Player {
    /// A node that is set up and does not run yet.
    pub fn new(place: &Place, folder: &str, name: &str, role: Role) -> Result<Self, Failure> {
        let home = Home::at(place.folder().join(folder));
        Node::set_up_for_demo(&home, name, role, &Unlock::KeyFile)?;
        Ok(Self {
            name: name.to_owned(),
            home,
            running: None,
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
        let process = NodeProcess::start(&self.home, "127.0.0.1:0")?;
        let told = process.follow(Since {
            after: Some(self.last),
            record: None,
        })?;
        self.running = Some(Running { process, told });
        Ok(())
    }

    /// Has it listen for messages of other systems on this machine; before it is started.
    pub fn listens_for_messages(&self) -> Result<(), Failure> {
        let own = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = ConnectHl7 {
            listen: Some(own),
            ..ConnectHl7::default()
        };
        self.ask(Request::ConnectHl7(Some(listen))).map(drop)
    }

    /// Sends it a message, as a system of its organisation does; the code of the answer.
    pub fn receives(&self, message: &str) -> Result<String, Failure> {
        let Reply::Connections(connections) = self.ask(Request::ConnectHl7(None))? else {
            return Err(odd_answer());
        };
        let at = connections.listen.ok_or_else(odd_answer)?;
        let sent = Caller::connect(at).and_then(|mut caller| caller.send(message.as_bytes()));
        sent.map_err(|error| gone().because(&error))
    }

    /// Ends it in good order, as a laptop that is shut.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// A link that opens its pages once.
    pub fn pages(&self) -> Result<String, Failure> {
        let running = self.running.as_ref().ok_or_else(gone)?;
        match running.process.client()?.ask(&Asked::Pages, &mut |_| {})? {
            Said::Pages(link) => Ok(link),
            Said::Progress(_)
            | Said::Reply(_)
            | Said::Joining(_)
            | Said::Joined(_)
            | Said::Happened(_)
            | Said::Exchanged { .. }
            | Said::Failure(_) => Err(odd_answer()),
        }
    }

    /// Asks it; when it does not run, works on its folder itself, as the command line does.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        match &self.running {
            Some(running) => running.process.ask(request),
            None => Node::open(&self.home, &Unlock::KeyFile)?.handle(request, &mut |_| {}),
        }
    }

    /// Accepts an invitation.
    pub fn join(&self, link: String) -> Result<Joined, Failure> {
        let running = self.running.as_ref().ok_or_else(gone)?;
        running.process.join(link)
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
        while let Some(running) = &self.running
            && let Ok((at, occurred)) = running.told.try_recv()
        {
            self.note(at, occurred);
        }
        Ok(self.seen.iter().any(|(_, occurred)| wanted(occurred)))
    }

    /// Waits a little for the next thing that happens here; says whether the node still runs.
    fn listen(&mut self) -> Result<bool, Failure> {
        let Some(running) = &self.running else {
            return Ok(false);
        };
        match running.told.recv_timeout(BETWEEN_LOOKS) {
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
