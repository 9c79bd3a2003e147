//! Whoever is asked while an invitation is accepted.

use tokio::{net::UnixStream, sync::mpsc};

use crate::{
    api::JoinStep,
    control::{self, Said},
    failure::{Ending, Failure},
};

/// Whoever is asked: at this process's terminal, or at the other end of the node's socket.
pub enum Questioner<'a> {
    /// In this process.
    Here(&'a mut (dyn FnMut(&JoinStep) -> Result<bool, Failure> + Send)),
    /// The command that asked the running node.
    Socket(&'a mut UnixStream),
    /// A page.
    Page(&'a mut Paper),
}

/// Where a page's steps go, and where its answers come from.
pub struct Paper {
    /// Each step as it comes.
    pub steps: mpsc::Sender<JoinStep>,
    /// Yes or no.
    pub answers: mpsc::Receiver<bool>,
}

impl Questioner<'_> {
    /// Tells a step, and waits for yes or no where it is a question.
    pub async fn asks(&mut self, step: &JoinStep) -> Result<bool, Failure> {
        match self {
            Self::Here(ask) => ask(step),
            Self::Socket(stream) => {
                let said = Said::Joining(step.clone());
                control::send(stream, &said).await.map_err(|_| gone())?;
                match step {
                    JoinStep::Offered(_) => {
                        control::receive_answer(stream).await.map_err(|_| gone())
                    }
                    JoinStep::Waits { .. } => Ok(true),
                }
            }
            Self::Page(paper) => {
                paper.steps.send(step.clone()).await.map_err(|_| gone())?;
                match step {
                    JoinStep::Offered(_) => paper.answers.recv().await.ok_or_else(gone),
                    JoinStep::Waits { .. } => Ok(true),
                }
            }
        }
    }
}

fn gone() -> Failure {
    Failure::new(
        Ending::Failed,
        "Whoever was asked has gone.",
        "Nothing was changed. Run the command again when you like.",
    )
}
