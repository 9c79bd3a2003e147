//! Where a node can be reached: told to those who know it, learned from them, and told again when
//! it changes, as a laptop's does that moves.

use kith_protocol::{
    id::DeviceId,
    limits::{ADDRESSES_MAX, REACHABLE_AT_MAX, RELAYS_MAX},
};
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    driver::Driver,
    failure::{Ending, Failure},
    network::{Channel, Network, Talk, is_carried, parse_address},
};

/// What a node says of where it is.
#[derive(Debug, Serialize, Deserialize)]
struct Whereabouts {
    addresses: Vec<String>,
}

/// Addresses that the owner says this node has, as seen from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct ReachableAt(Vec<Multiaddr>);

impl ReachableAt {
    /// Reads what was typed.
    pub fn read(typed: &[String]) -> Result<Self, Failure> {
        if typed.len() > REACHABLE_AT_MAX {
            return Err(Failure::new(
                Ending::Usage,
                format!("More than {REACHABLE_AT_MAX} public addresses were given."),
                "Name the ones that others use most.",
            ));
        }
        let read = typed.iter().map(|text| {
            parse_address(text).map_err(|error| {
                Failure::new(
                    Ending::Usage,
                    error.to_string(),
                    "Give the name or address and the port at which others reach this machine, such as riverside.example:4712.",
                )
            })
        });
        Ok(Self(read.collect::<Result<_, _>>()?))
    }
}

/// What is told of this node's addresses: what its owner said first, then those of its networks,
/// and ways through relays, for which there is always room.
fn told(reachable_at: &ReachableAt, listening: &[Multiaddr]) -> Vec<String> {
    let (carried, direct): (Vec<_>, Vec<_>) = listening.iter().partition(|at| is_carried(at));
    let carried: Vec<_> = carried.into_iter().take(RELAYS_MAX).collect();
    let first = reachable_at.0.iter().chain(direct);
    let mut told = Vec::new();
    for address in first.take(ADDRESSES_MAX - carried.len()).chain(carried) {
        let address = address.to_string();
        if !told.contains(&address) {
            told.push(address);
        }
    }
    told
}

/// Tells the node where it is, and the network what it may tell; again whenever that changes.
pub async fn keep(
    driver: Driver,
    network: Network,
    reachable_at: ReachableAt,
    telling: watch::Sender<Vec<String>>,
) {
    let mut listening = network.addresses();
    loop {
        let addresses = listening.borrow_and_update().clone();
        let now = told(&reachable_at, &addresses);
        if !now.is_empty() && *telling.borrow() != now {
            note(&driver, &network, now.clone()).await;
            telling.send_replace(now);
        }
        if listening.changed().await.is_err() {
            return;
        }
    }
}

async fn note(driver: &Driver, network: &Network, now: Vec<String>) {
    let read = now.iter().filter_map(|text| parse_address(text).ok());
    if network.reachable_at(read.collect()).await.is_err() {
        tracing::debug!("the network has stopped");
    }
    let noted = driver.ask(move |node| {
        node.set_addresses(now);
        Ok(())
    });
    if noted.await.is_err() {
        tracing::debug!("the node has stopped");
    }
}

/// Tells a device that is connected and known where this node is.
pub async fn tell(driver: Driver, network: Network, device: DeviceId, addresses: Vec<String>) {
    let known = driver.ask(move |node| node.peer_of(device)).await;
    if addresses.is_empty() || !matches!(known, Ok(Some(_))) {
        return;
    }
    let told = async {
        let mut channel = network
            .open(device, Vec::new(), Talk::Where)
            .await
            .map_err(|error| error.to_string())?;
        let sent = channel.send(&Whereabouts { addresses }).await;
        sent.map_err(|error| error.to_string())?;
        channel.close().await.map_err(|error| error.to_string())
    };
    if let Err(error) = told.await {
        tracing::debug!(error, "a device was not told where this node is");
    }
}

/// Learns where a known device is.
pub async fn hear(driver: Driver, device: DeviceId, mut channel: Channel) {
    let said: Whereabouts = match channel.receive().await {
        Ok(said) => said,
        Err(error) => {
            tracing::debug!(%error, "where a device is was not understood");
            return;
        }
    };
    let noted = driver.ask(move |node| node.is_at(device, said.addresses));
    if noted.await.is_err() {
        tracing::debug!("where a device is was not kept");
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::limits::ADDRESSES_MAX;

    use super::{ReachableAt, told};
    use crate::network::parse_address;

    #[test]
    fn what_the_owner_says_comes_first_and_relays_have_room() {
        let typed = ["riverside.example:4712".to_owned()];
        let reachable_at = ReachableAt::read(&typed).expect("it is an address");
        let relay = "/ip4/192.0.2.1/tcp/4712/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X/p2p-circuit";
        let listening: Vec<_> = (0..20)
            .map(|n| format!("10.0.0.{n}:4712"))
            .chain([relay.to_owned()])
            .map(|text| parse_address(&text).expect("it is an address"))
            .collect();
        let told = told(&reachable_at, &listening);
        assert_eq!(told.len(), ADDRESSES_MAX);
        assert_eq!(told[0], "/dns/riverside.example/tcp/4712");
        assert_eq!(told[1], "/ip4/10.0.0.0/tcp/4712");
        assert_eq!(told[ADDRESSES_MAX - 1], relay);
    }

    #[test]
    fn too_many_addresses_and_wrong_ones_are_refused() {
        let many = vec!["riverside.example:1".to_owned(); 5];
        assert!(ReachableAt::read(&many).is_err());
        assert!(ReachableAt::read(&["riverside".to_owned()]).is_err());
    }
}
