//! Whoever is asked while an invitation is accepted.

use tokio::net::UnixStream;

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
