//! Addresses: as people write them, as libp2p does, and which of them are of use to others.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use socket2::{Domain, Socket, Type};

use super::NetworkError;

/// Reads `HOST:PORT`, where the host is an IP address or a name, or a multiaddress.
pub fn parse_address(text: &str) -> Result<Multiaddr, NetworkError> {
    let wrong = || NetworkError::Address(text.to_owned());
    if text.starts_with('/') {
        return text.parse().map_err(|_| wrong());
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port())));
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    if !is_host_name(host) {
        return Err(wrong());
    }
    Ok(Multiaddr::empty()
        .with(Protocol::Dns(host.into()))
        .with(Protocol::Tcp(port)))
}

/// Letters, digits and hyphens between dots (RFC 1123), which an IP address with a mistake is not.
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    host.len() <= 253
        && host.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// The internet address that a connection comes from or an address leads to; nothing for a name
/// and for the far end of a carried connection.
pub(super) fn place(address: &Multiaddr) -> Option<IpAddr> {
    if is_carried(address) {
        return None;
    }
    address.iter().next().and_then(|part| ip(&part))
}

/// Where TCP listens at this address; nothing where it is spoken over something else.
pub(super) fn tcp(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let place = parts.next().and_then(|part| ip(&part))?;
    match parts.next() {
        Some(Protocol::Tcp(port)) => Some(SocketAddr::new(place, port)),
        _ => None,
    }
}

/// Whether no other socket listens there. An address of IPv6 says nothing of IPv4, as for libp2p.
pub(super) fn is_free(wanted: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(wanted), Type::STREAM, None)?;
    if wanted.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // What an earlier run left behind does not keep the address.
    socket.set_reuse_address(true)?;
    socket.bind(&wanted.into())
}

/// Whether it is spoken over datagrams, whose senders may lie about where they are.
pub(super) fn is_datagrams(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Udp(_)))
}

/// Whether it leads through a relay.
pub fn is_carried(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// An address without the name of the device at its end.
pub(super) fn nameless(address: &Multiaddr, peer: &PeerId) -> Multiaddr {
    let mut address = address.clone();
    if address.iter().last() == Some(Protocol::P2p(*peer)) {
        address.pop();
    }
    address
}

/// The addresses behind an address with a host name, as the system finds them now: a laptop that
/// changed its network asks the new one. An address without a name is its own answer.
pub async fn resolve(address: &Multiaddr) -> Vec<Multiaddr> {
    let Some(name) = address.iter().next().and_then(|part| host(&part)) else {
        return vec![address.clone()];
    };
    let found = match tokio::net::lookup_host((name.as_str(), 0)).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "a host name was not found");
            return Vec::new();
        }
    };
    let wanted = address.iter().next();
    found
        .map(|socket| socket.ip())
        .filter(|ip| match wanted {
            Some(Protocol::Dns4(_)) => ip.is_ipv4(),
            Some(Protocol::Dns6(_)) => ip.is_ipv6(),
            Some(_) | None => true,
        })
        .filter_map(|ip| address.replace(0, |_| Some(Protocol::from(ip))))
        .collect()
}

/// Which of the addresses that are listened on somebody else can dial: those of this machine's
/// networks, and those of the machine itself when there are no others.
pub(super) fn of_use(listening: &[Multiaddr]) -> Vec<Multiaddr> {
    let can_be_dialled = |address: &&Multiaddr| place(address).is_some_and(|ip| is_reachable(&ip));
    let is_own = |address: &&Multiaddr| place(address).is_some_and(|ip| ip.is_loopback());
    let mut found: Vec<_> = listening.iter().filter(can_be_dialled).cloned().collect();
    if found.is_empty() {
        found = listening.iter().filter(is_own).cloned().collect();
    }
    // TCP first: it carries more for less. Addresses that only this link knows come last.
    found.sort_by_key(|address| {
        (
            place(address).is_some_and(is_of_link),
            is_datagrams(address),
        )
    });
    found.dedup();
    found
}

/// Whether others can dial it, without being told by which interface.
fn is_reachable(ip: &IpAddr) -> bool {
    let needs_interface = match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !ip.is_unspecified() && !needs_interface
}

fn is_of_link(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if Ipv4Addr::is_link_local(&ip))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other parts of a multiaddress are no internet addresses"
)]
const fn ip(part: &Protocol<'_>) -> Option<IpAddr> {
    match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(*ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(*ip)),
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other parts of a multiaddress are no host names"
)]
fn host(part: &Protocol<'_>) -> Option<String> {
    match part {
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => {
            Some(name.clone().into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::Multiaddr;

    use super::{is_carried, is_datagrams, of_use, parse_address, place, resolve};

    fn address(text: &str) -> Multiaddr {
        parse_address(text).expect("an address of this test")
    }

    #[test]
    fn addresses_are_read_in_every_spelling() {
        for (written, read) in [
            ("127.0.0.1:4712", "/ip4/127.0.0.1/tcp/4712"),
            ("[::1]:4712", "/ip6/::1/tcp/4712"),
            ("riverside.example:4712", "/dns/riverside.example/tcp/4712"),
            ("localhost:1", "/dns/localhost/tcp/1"),
            (
                "/ip4/0.0.0.0/udp/4712/quic-v1",
                "/ip4/0.0.0.0/udp/4712/quic-v1",
            ),
        ] {
            assert_eq!(address(written).to_string(), read);
        }
        for wrong in [
            "riverside",
            "riverside.example",
            "riverside.example:many",
            "256.1.1.1:4712",
            "a..b:1",
            "-a.example:1",
            "two words:1",
            ":4712",
            "/ip4/one/tcp/1",
        ] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_a_connection_comes_from_is_the_first_part_of_its_address() {
        let direct = address("/ip4/192.0.2.1/udp/4712/quic-v1");
        assert_eq!(place(&direct), "192.0.2.1".parse().ok());
        assert!(is_datagrams(&direct) && !is_carried(&direct));
        let relay = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
        let carried = address(&format!("/ip4/192.0.2.1/tcp/1/p2p/{relay}/p2p-circuit"));
        assert!(is_carried(&carried));
        assert_eq!(place(&carried), None, "it is the relay's address");
    }

    #[test]
    fn others_are_told_addresses_that_they_can_dial() {
        let listening: Vec<_> = [
            "/ip4/127.0.0.1/udp/1/quic-v1",
            "/ip4/169.254.3.4/tcp/1",
            "/ip4/10.0.0.7/udp/1/quic-v1",
            "/ip6/fe80::1/tcp/1",
            "/ip4/10.0.0.7/tcp/1",
            "/ip6/2001:db8::7/tcp/1",
            "/ip4/127.0.0.1/tcp/1",
        ]
        .map(address)
        .to_vec();
        let told: Vec<_> = of_use(&listening).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/ip4/10.0.0.7/tcp/1",
                "/ip6/2001:db8::7/tcp/1",
                "/ip4/10.0.0.7/udp/1/quic-v1",
                "/ip4/169.254.3.4/tcp/1",
            ]
        );
        let alone = [address("/ip4/127.0.0.1/tcp/1")];
        assert_eq!(of_use(&alone), alone);
    }

    #[tokio::test]
    async fn a_host_name_is_looked_up_when_it_is_dialled() {
        let found = resolve(&address("localhost:4712")).await;
        assert!(found.contains(&address("127.0.0.1:4712")), "{found:?}");
        let only = resolve(&address("/dns4/localhost/tcp/1")).await;
        assert!(
            only.iter()
                .all(|found| found.to_string().starts_with("/ip4/"))
        );
        assert!(resolve(&address("nowhere.invalid:1")).await.is_empty());
        let plain = address("192.0.2.1:1");
        assert_eq!(resolve(&plain).await, [plain]);
    }
}
