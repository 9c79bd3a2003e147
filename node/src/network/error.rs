//! Why the network did not do what it was asked, as people can be told.

use std::collections::BTreeSet;

use libp2p::{Multiaddr, TransportError};

/// Why a network operation failed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The address is not one that can be listened on or dialled.
    #[error(
        "{0:?} is not an address such as 127.0.0.1:4712, riverside.example:4712 or /ip4/127.0.0.1/udp/4712/quic-v1"
    )]
    Address(String),
    /// Listening failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The transport could not be built.
    #[error("the network could not be started")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The other side does not answer.
    #[error("the other node does not answer at any of its addresses")]
    Unreachable(#[source] Unheard),
    /// Nobody ever said where the other side is.
    #[error("no address of the other node is known")]
    NoAddress,
    /// Another device is where the other side was said to be.
    #[error("another device answers at the other node's address")]
    SomebodyElse,
    /// This node takes no connections now.
    #[error("this machine has no memory left for more connections")]
    Full,
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

impl NetworkError {
    /// The same for somebody else who waits. What only one can have is told as not reached.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::NoAddress => Self::NoAddress,
            Self::SomebodyElse => Self::SomebodyElse,
            Self::Full => Self::Full,
            Self::Stopped => Self::Stopped,
            Self::Unreachable(why) => Self::Unreachable(why.clone()),
            Self::Address(_) | Self::Listen { .. } | Self::Start(_) => {
                Self::Unreachable(Unheard::for_no_reason())
            }
        }
    }
}

/// What the network said of a call that came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unheard(Box<str>);

impl Unheard {
    /// Nothing was said of it.
    pub(super) fn for_no_reason() -> Self {
        Self("no connection came about".into())
    }

    /// This was said of it.
    pub(super) fn of(error: &impl ToString) -> Self {
        Self(error.to_string().into())
    }

    /// What was said of each of the addresses, once each.
    pub(super) fn at_all(tried: &[(Multiaddr, TransportError<std::io::Error>)]) -> Self {
        let said: BTreeSet<_> = tried
            .iter()
            .map(|(_, error)| match error {
                TransportError::MultiaddrNotSupported(_) => error.to_string(),
                TransportError::Other(error) => error.to_string(),
            })
            .collect();
        let said: Vec<_> = said.into_iter().collect();
        Self(said.join("; ").into())
    }
}
