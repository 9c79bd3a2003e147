//! Where messages are handed in: what came in the same moment is on the disk after one commit.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    driver::Driver,
    failure::Failure,
    node::{Arrival, TakenIn},
};

/// Messages that wait to be made durable; whoever brings more has to wait.
const WAITING_MAX: usize = 128;
/// Messages in one commit, and their bytes in all.
const COMMIT_MAX: usize = 64;
const COMMIT_LEN_MAX: usize = 4 * 1024 * 1024;
/// A node that does not answer for so long is busy: the sender sends again.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to the disk.
#[derive(Clone)]
pub(super) struct Desk {
    waiting: mpsc::Sender<HandedIn>,
}

struct HandedIn {
    arrival: Arrival,
    told: oneshot::Sender<Result<TakenIn, Failure>>,
}

impl Desk {
    /// Begins to make messages durable; `to_file` is told when there is one.
    pub(super) fn start(driver: Driver, to_file: Arc<Notify>) -> Self {
        let (waiting, queue) = mpsc::channel(WAITING_MAX);
        tokio::spawn(keep_taking(driver, queue, to_file));
        Self { waiting }
    }

    /// Hands a message in, and waits until it is on the disk; nothing where it is not.
    pub(super) async fn hand_in(&self, arrival: Arrival) -> Option<TakenIn> {
        let (told, answer) = oneshot::channel();
        let handed = HandedIn { arrival, told };
        let taken = async {
            self.waiting.send(handed).await.ok()?;
            answer.await.ok()?.ok()
        };
        tokio::time::timeout(PATIENCE, taken).await.ok().flatten()
    }
}

async fn keep_taking(driver: Driver, mut queue: mpsc::Receiver<HandedIn>, to_file: Arc<Notify>) {
    while let Some(first) = queue.recv().await {
        let mut len = first.arrival.bytes.len();
        let mut arrivals = vec![first.arrival];
        let mut telling = vec![first.told];
        while arrivals.len() < COMMIT_MAX
            && len < COMMIT_LEN_MAX
            && let Ok(next) = queue.try_recv()
        {
            len += next.arrival.bytes.len();
            arrivals.push(next.arrival);
            telling.push(next.told);
        }
        let taken = driver.ask(move |node| node.take_in(arrivals)).await;
        match taken {
            Ok(taken) => {
                for (told, taken) in telling.into_iter().zip(taken) {
                    // Whoever waited for it may have gone.
                    let _gone = told.send(Ok(taken));
                }
                to_file.notify_one();
            }
            Err(failure) => {
                tracing::warn!(ending = ?failure.ending, "messages were not made durable");
                for told in telling {
                    let _gone = told.send(Err(failure.clone()));
                }
            }
        }
    }
}
