//! The running node's socket: one command in, progress and one answer out, as lines of JSON.

use std::{
    io::{BufRead, BufReader, Write},
    ops::ControlFlow,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{
    api::{JoinRequest, JoinStep, Joined, Occurred, OpenRequest, Progress, Reply, Request, Since},
    failure::{Ending, Failure},
    home::Home,
};

/// The longest command, in bytes.
const ASKED_LEN_MAX: u32 = 16 * 1024 * 1024;

/// The byte that says yes to a question; any other says no.
const YES: u8 = 1;
const NO: u8 = 0;

/// What a running node is asked.
#[derive(Serialize, Deserialize)]
pub enum Asked {
    /// A command.
    Command(Request),
    /// To accept an invitation.
    Join(JoinRequest),
    /// What happened, and what happens from now on, until whoever asked goes away.
    Follow(Since),
    /// To open a record with the code of its emergency page.
    EmergencyOpen(OpenRequest),
    /// A link that opens the node's pages once.
    Pages,
    /// To wait until this node and the device with these hexadecimal digits have given each other
    /// everything, and what went over the node's streams until then.
    Exchanged(String),
}

/// What it says.
#[derive(Serialize, Deserialize)]
pub enum Said {
    /// How far it is.
    Progress(Progress),
    /// The answer.
    Reply(Box<Reply>),
    /// A step of accepting an invitation; an offer waits for yes or no.
    Joining(JoinStep),
    /// The answer to an invitation.
    Joined(Joined),
    /// Something happened.
    Happened(Box<Occurred>),
    /// The link.
    Pages(String),
    /// What went over the node's streams since it started, in bytes.
    Exchanged {
        /// To others.
        sent: u64,
        /// From others.
        received: u64,
    },
    /// It was not done.
    Failure(Failure),
}

pub(crate) async fn receive(stream: &mut UnixStream) -> std::io::Result<Asked> {
    let len = stream.read_u32().await?;
    if len > ASKED_LEN_MAX {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Yes or no from whoever was asked something.
pub(crate) async fn receive_answer(stream: &mut UnixStream) -> std::io::Result<bool> {
    Ok(stream.read_u8().await? == YES)
}

pub(crate) async fn send(stream: &mut UnixStream, said: &Said) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// A connection to the running node of a home.
pub struct Client {
    stream: std::os::unix::net::UnixStream,
}

impl Client {
    /// Connects; nothing when no node runs there.
    pub fn connect(home: &Home) -> Option<Self> {
        let stream = std::os::unix::net::UnixStream::connect(home.socket()).ok()?;
        Some(Self { stream })
    }

    /// Asks and waits for the answer.
    pub fn ask(
        mut self,
        asked: &Asked,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Said, Failure> {
        self.say(asked)?;
        for line in BufReader::new(&self.stream).lines() {
            match read(line)? {
                Said::Progress(step) => progress(step),
                said @ (Said::Reply(_)
                | Said::Joining(_)
                | Said::Joined(_)
                | Said::Happened(_)
                | Said::Pages(_)
                | Said::Exchanged { .. }) => {
                    return Ok(said);
                }
                Said::Failure(failure) => return Err(failure),
            }
        }
        Err(broken(&std::io::Error::from(
            std::io::ErrorKind::UnexpectedEof,
        )))
    }

    /// Has the node do something and waits for what comes of it.
    ///
    /// # Errors
    /// When it was not done.
    pub fn command(
        self,
        request: Request,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Reply, Failure> {
        match self.ask(&Asked::Command(request), progress)? {
            Said::Reply(reply) => Ok(*reply),
            Said::Joining(_)
            | Said::Joined(_)
            | Said::Happened(_)
            | Said::Progress(_)
            | Said::Pages(_)
            | Said::Exchanged { .. }
            | Said::Failure(_) => Err(odd_answer()),
        }
    }

    /// Accepts an invitation; `ask` is told each step, and answers where it is a question.
    pub fn join(
        mut self,
        request: JoinRequest,
        ask: &mut dyn FnMut(&JoinStep) -> Result<bool, Failure>,
    ) -> Result<Joined, Failure> {
        self.say(&Asked::Join(request))?;
        for line in BufReader::new(&self.stream).lines() {
            match read(line)? {
                Said::Joining(step) => {
                    let yes = ask(&step);
                    if matches!(step, JoinStep::Offered(_)) {
                        let said = if matches!(yes, Ok(true)) { YES } else { NO };
                        let mut stream = &self.stream;
                        stream.write_all(&[said]).map_err(|error| broken(&error))?;
                    }
                    yes?;
                }
                Said::Joined(joined) => return Ok(joined),
                Said::Failure(failure) => return Err(failure),
                Said::Progress(_)
                | Said::Reply(_)
                | Said::Happened(_)
                | Said::Pages(_)
                | Said::Exchanged { .. } => {}
            }
        }
        Err(broken(&std::io::Error::from(
            std::io::ErrorKind::UnexpectedEof,
        )))
    }

    /// Hands over what happens, as it happens, until the node stops or `told` has enough.
    pub fn follow(
        mut self,
        since: Since,
        told: &mut dyn FnMut(Occurred) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        self.say(&Asked::Follow(since))?;
        for line in BufReader::new(&self.stream).lines() {
            match read(line)? {
                Said::Happened(occurred) => {
                    if told(*occurred).is_break() {
                        return Ok(());
                    }
                }
                Said::Failure(failure) => return Err(failure),
                Said::Progress(_)
                | Said::Reply(_)
                | Said::Joining(_)
                | Said::Joined(_)
                | Said::Pages(_)
                | Said::Exchanged { .. } => {}
            }
        }
        Ok(())
    }

    fn say(&mut self, asked: &Asked) -> Result<(), Failure> {
        let request = serde_json::to_vec(asked).map_err(|error| broken(&error))?;
        let len = u32::try_from(request.len())
            .ok()
            .filter(|len| *len <= ASKED_LEN_MAX)
            .ok_or_else(|| {
                Failure::new(
                    Ending::Usage,
                    "This command is too long for the running node.",
                    "Name a folder instead of many files.",
                )
            })?;
        self.stream
            .write_all(&len.to_be_bytes())
            .and_then(|()| self.stream.write_all(&request))
            .map_err(|error| broken(&error))
    }
}

fn read(line: std::io::Result<String>) -> Result<Said, Failure> {
    let line = line.map_err(|error| broken(&error))?;
    serde_json::from_str(&line).map_err(|error| broken(&error))
}

/// A reply of another kind than was asked for.
pub fn odd_answer() -> Failure {
    Failure::new(
        Ending::NewerVersion,
        "The running node is of another version than this command.",
        "Stop it and start it again with this version.",
    )
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::TryAgain,
        "The running node did not answer to the end.",
        "Look whether it still runs (kith status), then try again.",
    )
    .because(error)
}
