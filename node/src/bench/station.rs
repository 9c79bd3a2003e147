//! A node of a benchmark, which runs in a process of its own when it is asked to.

use std::{net::TcpListener, sync::mpsc::Receiver, time::Instant};

use kith_protocol::id::DeviceId;

use super::{
    measure::{Memory, memory_of, processor_s_of},
    odd,
};
use crate::{
    api::{Joined, Occurred, Reply, Request, Since},
    control::{Asked, Said},
    failure::Failure,
    home::{Home, Unlock},
    node::{Node, Role},
    place,
    process::{NodeProcess, gone},
};

/// A node that is always at the same port when it runs, so that others find it again.
pub(super) struct Station {
    pub(super) home: Home,
    pub(super) device: DeviceId,
    port: u16,
    process: Option<NodeProcess>,
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
            process: None,
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
        let listen = format!("127.0.0.1:{}", self.port);
        self.process = Some(NodeProcess::start(&self.home, &listen)?);
        Ok(())
    }

    /// Ends it in good order.
    pub(super) fn stop(&mut self) {
        self.process = None;
    }

    /// Ends it in the middle of what it does.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        let process = self.process.take().ok_or_else(gone)?;
        process.kill().map_err(|error| place::failure(&error))
    }

    pub(super) fn ask(&self, request: Request) -> Result<Reply, Failure> {
        self.process()?.ask(request)
    }

    pub(super) fn join(&self, link: String) -> Result<Joined, Failure> {
        self.process()?.join(link)
    }

    /// Waits until it and another have everything of each other.
    pub(super) fn exchanged_with(&self, other: &Self) -> Result<Exchanged, Failure> {
        let asked = Asked::Exchanged(other.device.to_string());
        match self.process()?.client()?.ask(&asked, &mut |_| {})? {
            Said::Exchanged { sent, received } => Ok(Exchanged { sent, received }),
            Said::Joining(_)
            | Said::Joined(_)
            | Said::Happened(_)
            | Said::Progress(_)
            | Said::Pages(_)
            | Said::Reply(_)
            | Said::Failure(_) => Err(odd()),
        }
    }

    /// What happens in a record there from the beginning on, with the moment at which it was told.
    pub(super) fn follow(&self, record: String) -> Result<Receiver<(Instant, Occurred)>, Failure> {
        self.process()?.follow(Since {
            after: None,
            record: Some(record),
        })
    }

    /// Its processor time so far, in seconds.
    pub(super) fn processor_s(&self) -> f64 {
        let process = self.process.as_ref();
        let used = process.and_then(|process| processor_s_of(&process.id().to_string()));
        used.unwrap_or_default()
    }

    /// Its memory.
    pub(super) fn memory(&self) -> Memory {
        let process = self.process.as_ref();
        let used = process.map(|process| memory_of(&process.id().to_string()));
        used.unwrap_or_default()
    }

    fn process(&self) -> Result<&NodeProcess, Failure> {
        self.process.as_ref().ok_or_else(gone)
    }
}
