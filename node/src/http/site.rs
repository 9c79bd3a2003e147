//! Where the pages are served, and what stands behind them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    asking::Joins,
    door,
    once::{Invitations, Recovery},
    pages,
    sessions::{Secret, Sessions, Viewer},
};
use crate::{
    driver::Driver,
    failure::{Ending, Failure},
    home::Unlock,
    network::Network,
    node::Role,
};

/// The pages of a node, while this is kept.
pub struct Pages {
    site: Arc<Site>,
    serving: JoinHandle<()>,
    wishes: mpsc::Receiver<Wish>,
}

/// What is behind the pages, for every request.
pub struct Site {
    address: SocketAddr,
    pub(super) sessions: Sessions,
    pub(super) joins: Joins,
    pub(super) wishes: mpsc::Sender<Wish>,
    pub(super) invitations: Invitations,
    pub(super) recovery: Recovery,
    running: OnceLock<Running>,
}

/// The node that runs.
#[derive(Clone)]
pub(super) struct Running {
    pub driver: Driver,
    pub network: Network,
}

/// A node that somebody wants to have, where there is none.
pub struct Wish {
    /// What others call its owner.
    pub name: String,
    /// What its owner is.
    pub role: Role,
    /// What is to open it.
    pub unlock: Unlock,
    /// Where the answer goes: the code of its recovery sheet, once it runs.
    pub made: oneshot::Sender<Result<String, Failure>>,
}

impl Pages {
    /// Listens on this machine; `127.0.0.1:0` takes any port.
    ///
    /// # Errors
    /// When the address is not of this machine alone, or is in use.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        if !door::is_this_machine(address.ip()) {
            return Err(Failure::new(
                Ending::Usage,
                format!(
                    "{address} can be reached by other machines, and these pages are for this one."
                ),
                "Give a loopback address such as 127.0.0.1:8700.",
            ));
        }
        let not_opened = |error: std::io::Error| {
            Failure::new(
                Ending::Failed,
                format!("The pages could not be opened at {address}."),
                "Another program may use the port: give another one, or 0 for any.",
            )
            .because(&error)
        };
        let listener = TcpListener::bind(address).await.map_err(not_opened)?;
        let address = listener.local_addr().map_err(not_opened)?;
        let (wishing, wishes) = mpsc::channel(1);
        let site = Arc::new(Site::at(address, wishing));
        let router = pages::router(Arc::clone(&site));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the pages are not served any more");
            }
        });
        Ok(Self {
            site,
            serving,
            wishes,
        })
    }

    /// Where they are. Whoever knows it sees nothing without a link.
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// What gives out one-use links.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Shows a node that runs.
    pub(crate) fn show(&self, driver: Driver, network: Network) {
        let running = Running { driver, network };
        if self.site.running.set(running).is_err() {
            tracing::warn!("a node is shown already");
        }
    }

    /// Waits until somebody wants a node, where there is none.
    pub async fn wish(&mut self) -> Option<Wish> {
        self.wishes.recv().await
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Site {
    fn at(address: SocketAddr, wishes: mpsc::Sender<Wish>) -> Self {
        Self {
            address,
            sessions: Sessions::new(address.port()),
            joins: Joins::default(),
            wishes,
            invitations: Invitations::default(),
            recovery: Recovery::default(),
            running: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn for_tests(port: u16) -> Self {
        let (wishes, _) = mpsc::channel(1);
        Self::at(SocketAddr::from(([127, 0, 0, 1], port)), wishes)
    }

    pub(super) fn running(&self) -> Option<Running> {
        self.running.get().cloned()
    }

    pub(super) fn is_called(&self, host: &str) -> bool {
        door::is_ours(host, self.address.port())
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// A link that opens the pages once, for the node's owner.
    pub fn entrance(&self) -> String {
        let link: Secret = self.sessions.link(Viewer::Owner);
        format!("{}enter/{}", self.url(), link.as_str())
    }
}
