//! Where the pages are served, and what stands behind them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use axum::serve::Listener;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    asking::Joins,
    connections, door,
    fhir::Codes,
    once::{Invitations, Recovery},
    pages,
    sessions::{Secret, Sessions, Viewer},
    tls::{Certificate, TlsListener},
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

/// For whom pages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whoever sits at the node's own machine.
    OwnMachine,
    /// The staff of an organisation, who sign in.
    Staff,
    /// A phone of the node's owner, which looks and does nothing else.
    Phone,
}

/// Where the staff of an organisation sign in.
pub struct StaffPages {
    /// An address of this machine.
    pub address: SocketAddr,
    /// Names by which browsers call it.
    pub names: Vec<String>,
    /// A certificate with its chain and its key, as PEM files; one that this node signs itself
    /// where none is given.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// What is behind the pages, for every request.
pub struct Site {
    pub(super) kind: Kind,
    address: SocketAddr,
    names: Vec<String>,
    /// The SHA-256 of the certificate, where there is one.
    pub(super) fingerprint: Option<String>,
    /// Pages for a phone, while they are open.
    pub(super) phone: Mutex<Option<Pages>>,
    pub(super) sessions: Sessions,
    pub(super) joins: Joins,
    pub(super) wishes: mpsc::Sender<Wish>,
    pub(super) invitations: Invitations,
    pub(super) recovery: Recovery,
    /// Codes that apps were given for the answer of whoever runs the node.
    pub(super) codes: Codes,
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
        let site = Site::at(Kind::OwnMachine, address, wishing);
        Ok(Self::serve(listener, site, wishes))
    }

    /// Listens for the staff of an organisation, over TLS.
    ///
    /// # Errors
    /// When the certificate cannot be read or made, and when the address is in use.
    pub async fn open_to_staff(home: &Path, staff: StaffPages) -> Result<Self, Failure> {
        let certificate = match &staff.certificate {
            Some((chain, key)) => Certificate::read(chain, key)?,
            None => Certificate::own(home, &staff.names)?,
        };
        Self::open_over_tls(Kind::Staff, staff.address, staff.names, &certificate).await
    }

    /// Listens for a phone on the same network, over TLS.
    pub(super) async fn open_to_phone(home: &Path) -> Result<Self, Failure> {
        let certificate = Certificate::own(home, &[])?;
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        Self::open_over_tls(Kind::Phone, any, Vec::new(), &certificate).await
    }

    async fn open_over_tls(
        kind: Kind,
        address: SocketAddr,
        names: Vec<String>,
        certificate: &Certificate,
    ) -> Result<Self, Failure> {
        let listener = TlsListener::open(address, certificate).await?;
        let (wishing, wishes) = mpsc::channel(1);
        let mut site = Site::at(kind, listener.address(), wishing);
        site.names = names;
        site.fingerprint = Some(certificate.fingerprint());
        Ok(Self::serve(listener, site, wishes))
    }

    fn serve<L>(listener: L, site: Site, wishes: mpsc::Receiver<Wish>) -> Self
    where
        L: Listener,
    {
        let site = Arc::new(site);
        let router = pages::router(Arc::clone(&site));
        let serving = tokio::spawn(connections::serve(listener, router));
        Self {
            site,
            serving,
            wishes,
        }
    }

    /// Where they are. Whoever knows it sees nothing without a link.
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// The SHA-256 of its certificate, in groups, where it is reached over TLS.
    pub fn fingerprint(&self) -> Option<&str> {
        self.site.fingerprint.as_deref()
    }

    /// Whether they are for whoever sits at this machine, who needs no more than a link.
    pub(crate) fn are_of_own_machine(&self) -> bool {
        self.site.kind == Kind::OwnMachine
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
    fn at(kind: Kind, address: SocketAddr, wishes: mpsc::Sender<Wish>) -> Self {
        Self {
            kind,
            address,
            names: Vec::new(),
            fingerprint: None,
            phone: Mutex::default(),
            sessions: Sessions::new(address.port(), kind != Kind::OwnMachine),
            joins: Joins::default(),
            wishes,
            invitations: Invitations::default(),
            recovery: Recovery::default(),
            codes: Codes::default(),
            running: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn for_tests(port: u16) -> Self {
        let (wishes, _) = mpsc::channel(1);
        Self::at(
            Kind::OwnMachine,
            SocketAddr::from(([127, 0, 0, 1], port)),
            wishes,
        )
    }

    pub(super) fn running(&self) -> Option<Running> {
        self.running.get().cloned()
    }

    pub(super) fn is_called(&self, host: &str) -> bool {
        let port = self.address.port();
        match self.kind {
            Kind::OwnMachine => door::is_ours(host, port),
            // A name may be bent to any address; an address is what it is.
            Kind::Staff | Kind::Phone => door::is_address_or_named(host, port, &self.names),
        }
    }

    /// Whether apps can ask here for a share: of whoever sits at the machine.
    pub(super) fn has_launch(&self) -> bool {
        self.kind == Kind::OwnMachine
    }

    /// Whether browsers reach it over TLS.
    pub(super) fn is_over_tls(&self) -> bool {
        self.kind != Kind::OwnMachine
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let scheme = if self.is_over_tls() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Where apps read (FHIR R4).
    pub fn fhir_base(&self) -> String {
        format!("{}fhir", self.url())
    }

    /// The port at which it is served.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// A link that opens the pages once, for the node's owner.
    pub fn entrance(&self) -> String {
        let link: Secret = self.sessions.link(Viewer::Owner);
        format!("{}enter/{}", self.url(), link.as_str())
    }
}
