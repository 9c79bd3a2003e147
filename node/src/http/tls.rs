//! TLS for pages that other machines reach, by rustls: with a certificate that is given, or one that
//! this node signs itself and keeps, so that browsers see the same one each time.

use std::{fs, io::ErrorKind, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::failure::{Ending, Failure};

/// Where the certificate that this node signed itself is kept in its folder, with its key.
const OWN: &str = "pages.pem";

/// Connections whose handshakes are under way, and how long one may take.
const HANDSHAKES_MAX: usize = 64;
const HANDSHAKE_LASTS: Duration = Duration::from_secs(10);

/// Connections that wait to be taken up.
const WAITING_MAX: usize = 16;

/// How long to wait after the system gave no connection.
const AFTER_TROUBLE: Duration = Duration::from_millis(200);

/// A certificate with its key.
pub(super) struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// From PEM files.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, Failure> {
        let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(|error| not_read(chain, &error))?;
        if certificates.is_empty() {
            return Err(not_read(chain, &std::io::Error::from(ErrorKind::NotFound)));
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| not_read(key, &error))?;
        Ok(Self {
            chain: certificates,
            key,
        })
    }

    /// The one that this node signed itself; made the first time.
    pub fn own(home: &Path, names: &[String]) -> Result<Self, Failure> {
        let path = home.join(OWN);
        if !path.exists() {
            let named = if names.is_empty() {
                vec!["kith".to_owned()]
            } else {
                names.to_vec()
            };
            let made = rcgen::generate_simple_self_signed(named).map_err(|error| {
                Failure::new(
                    Ending::Usage,
                    "No certificate can be made for these names.",
                    "Give names such as riverside.example.",
                )
                .because(&error)
            })?;
            let pem = made.cert.pem() + &made.key_pair.serialize_pem();
            // Private from its first moment: this process makes no file that others can read.
            fs::write(&path, pem).map_err(|error| not_read(&path, &error))?;
        }
        Self::read(&path, &path)
    }

    /// The SHA-256 of the certificate in groups that people can compare.
    pub fn fingerprint(&self) -> String {
        let first = self.chain.first().map_or(&[][..], |der| der.as_ref());
        let hash = data_encoding::HEXUPPER.encode(&Sha256::digest(first));
        let groups: Vec<_> = hash
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect();
        groups.join(" ")
    }

    fn config(&self) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Connections over TLS. Whoever is slow to shake hands keeps nobody else waiting.
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    pub async fn open(address: SocketAddr, certificate: &Certificate) -> Result<Self, Failure> {
        let config = certificate.config().map_err(|error| {
            Failure::new(
                Ending::Usage,
                "The certificate and its key cannot be used.",
                "Check that the two belong together.",
            )
            .because(&error)
        })?;
        let not_opened = |error: std::io::Error| {
            Failure::new(
                Ending::Failed,
                format!("The pages could not be opened at {address}."),
                "Another program may use the port: give another one.",
            )
            .because(&error)
        };
        let listener = TcpListener::bind(address).await.map_err(not_opened)?;
        let address = listener.local_addr().map_err(not_opened)?;
        let (shaken, ready) = mpsc::channel(WAITING_MAX);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(take_up(listener, acceptor, shaken));
        Ok(Self { address, ready })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Takes up connections until nobody wants them any more.
async fn take_up(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shaken: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shaken.closed() => return,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "no connection was taken up");
                tokio::time::sleep(AFTER_TROUBLE).await;
                continue;
            }
        };
        // Over the bound a connection is closed at once: whoever called tries again.
        let Ok(place) = Arc::clone(&handshakes).try_acquire_owned() else {
            continue;
        };
        let (acceptor, shaken) = (acceptor.clone(), shaken.clone());
        tokio::spawn(async move {
            let shook = timeout(HANDSHAKE_LASTS, acceptor.accept(stream)).await;
            drop(place);
            if let Ok(Ok(stream)) = shook
                && shaken.send((stream, from)).await.is_err()
            {
                tracing::debug!("the pages are closed");
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Nothing comes any more; whoever serves is about to end.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

fn not_read(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Usage,
        format!(
            "{} holds no certificate or key that can be used.",
            path.display()
        ),
        "Give PEM files: the certificate with its chain, and its key.",
    )
    .because(error)
}
