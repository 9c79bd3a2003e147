//! The one thread that owns a node, and the handle by which everything else asks it.

use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::Node,
};

type Job = Box<dyn FnOnce(&mut Node) + Send>;

/// Jobs that wait for the node; more than that and whoever asks has to wait.
const JOBS_MAX: usize = 64;

/// A handle on a node that runs in a thread of its own.
#[derive(Clone)]
pub struct Driver {
    jobs: mpsc::Sender<Job>,
    changed: watch::Receiver<u64>,
    stopped: watch::Receiver<u64>,
}

impl Driver {
    /// Opens a node in a thread of its own.
    pub async fn start(home: Home, unlock: Unlock) -> Result<(Self, JoinHandle<()>), Failure> {
        let (jobs, mut queue) = mpsc::channel::<Job>(JOBS_MAX);
        let (opened, is_open) = oneshot::channel();
        let (notify, changed) = watch::channel(0);
        let (warn, stopped) = watch::channel(0);
        let thread = std::thread::Builder::new()
            .name("kith-node".to_owned())
            .spawn(move || {
                let mut node = match Node::open(&home, &unlock) {
                    Ok(node) => {
                        if opened.send(Ok(())).is_err() {
                            return;
                        }
                        node
                    }
                    Err(failure) => {
                        if opened.send(Err(failure)).is_err() {
                            tracing::debug!("nobody waits for the node");
                        }
                        return;
                    }
                };
                notify.send_replace(node.position().0);
                while let Some(job) = queue.blocking_recv() {
                    job(&mut node);
                    warn.send_if_modified(|stops| {
                        std::mem::replace(stops, node.stops()) != node.stops()
                    });
                    notify.send_replace(node.position().0);
                }
            })
            .map_err(|error| node_stopped().because(&error))?;
        is_open.await.map_err(|_| node_stopped())??;
        let driver = Self {
            jobs,
            changed,
            stopped,
        };
        Ok((driver, thread))
    }

    /// Has the node do something and waits for what comes of it.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |node| {
            if answer.send(work(node)).is_err() {
                tracing::debug!("nobody waits for an answer");
            }
        });
        self.jobs.send(job).await.map_err(|_| node_stopped())?;
        answered.await.map_err(|_| node_stopped())?
    }

    /// Tells when sharing was stopped: what is being sent then has to end.
    pub fn stopped(&self) -> watch::Receiver<u64> {
        let mut stopped = self.stopped.clone();
        // Stops before now are in what the node answers from now on.
        stopped.mark_unchanged();
        stopped
    }

    /// The end of the journal, as it moves.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }
}

fn node_stopped() -> Failure {
    Failure::new(
        Ending::NotRunning,
        "The node has stopped.",
        "Start it again with kith run.",
    )
}
