//! Messages of other systems over the network and out of a folder, while the node runs.
//!
//! Whatever came is made durable first, many messages in one commit (`desk`), then answered, and
//! filed after that, one after another in the order in which they came (`filing`).

mod caller;
mod desk;
mod filing;
mod folder;
mod listener;
mod sender;

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::{
    driver::Driver,
    failure::{Ending, Failure},
    node::Hl7Settings,
};

pub use caller::Caller;
use desk::Desk;

/// What brings messages in and out of a running node.
pub(crate) struct Interfaces {
    work: Vec<JoinHandle<()>>,
    /// Where it listens for messages.
    pub(crate) at: Option<SocketAddr>,
}

impl Interfaces {
    /// Opens what was set, and follows what is set later.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) async fn open(driver: &Driver) -> Result<Self, Failure> {
        let settings = settings(driver).await?;
        let bound = match settings.listen {
            Some(listen) => Some(
                bind(listen)
                    .await
                    .map_err(|reason| no_listener(listen, &reason))?,
            ),
            None => None,
        };
        let at = bound.as_ref().and_then(|bound| bound.local_addr().ok());
        tell(driver, at.map(Ok)).await?;
        let to_file = Arc::new(Notify::new());
        let desk = Desk::start(driver.clone(), Arc::clone(&to_file));
        let work = vec![
            tokio::spawn(filing::keep_filing(driver.clone(), Arc::clone(&to_file))),
            tokio::spawn(sender::keep_sending(driver.clone())),
            tokio::spawn(follow(driver.clone(), desk, settings, bound)),
        ];
        Ok(Self { work, at })
    }
}

impl Drop for Interfaces {
    fn drop(&mut self) {
        for work in &self.work {
            work.abort();
        }
    }
}

/// What listens and what looks into the folder, as long as the settings are the same.
struct Open {
    work: Vec<JoinHandle<()>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        for work in &self.work {
            work.abort();
        }
    }
}

fn open(desk: &Desk, driver: &Driver, settings: &Hl7Settings, bound: Option<TcpListener>) -> Open {
    let mut work = Vec::new();
    if let Some(bound) = bound {
        work.push(tokio::spawn(listener::listen(
            bound,
            desk.clone(),
            settings.clone(),
        )));
    }
    if let Some(folder) = &settings.folder {
        work.push(tokio::spawn(folder::watch(
            folder.clone(),
            desk.clone(),
            driver.clone(),
        )));
    }
    Open { work }
}

/// Keeps open what the settings say, also when they change.
async fn follow(driver: Driver, desk: Desk, mut known: Hl7Settings, bound: Option<TcpListener>) {
    let mut changes = driver.interfaces();
    let mut is_open = open(&desk, &driver, &known, bound);
    while changes.changed().await.is_ok() {
        let Ok(settings) = settings(&driver).await else {
            return;
        };
        if settings == known {
            continue;
        }
        // The address may be the same, with other senders: it has to be free again first.
        drop(is_open);
        tokio::task::yield_now().await;
        let bound = match settings.listen {
            Some(listen) => Some(rebind(listen).await),
            None => None,
        };
        let told = bound.as_ref().map(|bound| match bound {
            Ok(bound) => bound.local_addr().map_err(|error| error.to_string()),
            Err(reason) => Err(reason.clone()),
        });
        if tell(&driver, told).await.is_err() {
            return;
        }
        is_open = open(&desk, &driver, &settings, bound.and_then(Result::ok));
        known = settings;
    }
}

async fn settings(driver: &Driver) -> Result<Hl7Settings, Failure> {
    driver.ask(|node| Ok(node.hl7_settings())).await
}

async fn tell(driver: &Driver, at: Option<Result<SocketAddr, String>>) -> Result<(), Failure> {
    driver
        .ask(move |node| {
            node.listens_for_hl7(at);
            Ok(())
        })
        .await
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(listen)
        .await
        .map_err(|error| error.to_string())
}

/// The listener that was there before needs a moment to go.
async fn rebind(listen: SocketAddr) -> Result<TcpListener, String> {
    let mut tried = bind(listen).await;
    for _ in 0..20 {
        if tried.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        tried = bind(listen).await;
    }
    tried
}

fn no_listener(listen: SocketAddr, reason: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("This node cannot listen for HL7 v2 messages at {listen}: {reason}."),
        "Another program may use that port: stop it, or choose another with kith connect hl7 --listen ADDR.",
    )
}
