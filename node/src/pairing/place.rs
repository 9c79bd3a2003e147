//! Where a node is, as people type it, and back.

use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::{
    failure::{Ending, Failure},
    network::parse_address,
};

/// The port that a node listens on where nothing else is said.
pub const PORT: u16 = 4712;

/// A name or address with or without a port, as an address to dial.
pub fn address(typed: &str) -> Result<Multiaddr, Failure> {
    let whole = if typed.starts_with('/') {
        typed.to_owned()
    } else {
        match host_and_port(typed) {
            (host, port) if host.contains(':') => format!("[{host}]:{port}"),
            (host, port) => format!("{host}:{port}"),
        }
    };
    parse_address(&whole).map_err(|error| odd(typed, &error))
}

/// `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
fn host_and_port(typed: &str) -> (&str, u16) {
    if let Some((host, rest)) = typed
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return (host, port.unwrap_or(PORT));
    }
    match typed.split_once(':') {
        Some((host, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => (typed, PORT),
        },
        Some(_) | None => (typed, PORT),
    }
}

/// Where a node listens, as one types it on another machine: what only this machine reaches comes
/// last, and the usual port is left out.
pub fn typed(addresses: &[String]) -> Vec<String> {
    let sockets = addresses.iter().filter_map(|address| socket_of(address));
    let mut sockets: Vec<_> = sockets.collect();
    sockets.sort_by_key(|(ip, _)| ip.is_loopback());
    sockets
        .into_iter()
        .map(|(ip, port)| match (ip, port) {
            (ip, PORT) => ip.to_string(),
            (std::net::IpAddr::V4(ip), port) => format!("{ip}:{port}"),
            (std::net::IpAddr::V6(ip), port) => format!("[{ip}]:{port}"),
        })
        .collect()
}

fn socket_of(address: &str) -> Option<(std::net::IpAddr, u16)> {
    let address: Multiaddr = address.parse().ok()?;
    let (mut ip, mut port) = (None, None);
    for part in &address {
        if let Protocol::Ip4(found) = part {
            ip = Some(std::net::IpAddr::V4(found));
        } else if let Protocol::Ip6(found) = part {
            ip = Some(std::net::IpAddr::V6(found));
        } else if let Protocol::Tcp(found) = part {
            port = Some(found);
        }
    }
    Some((ip?, port?))
}

fn odd(typed: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Usage,
        format!("{typed:?} is no place where a node could be."),
        "Write a name or an address, such as riverside.example or 192.168.1.20:4712. The words still hold: nothing was tried.",
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::{PORT, address, host_and_port, typed};

    #[test]
    fn a_place_is_read_with_and_without_a_port() {
        assert_eq!(
            host_and_port("riverside.example"),
            ("riverside.example", PORT)
        );
        assert_eq!(
            host_and_port("riverside.example:9"),
            ("riverside.example", 9)
        );
        assert_eq!(host_and_port("192.168.1.20:4712"), ("192.168.1.20", PORT));
        assert_eq!(host_and_port("[::1]:9"), ("::1", 9));
        assert_eq!(host_and_port("[::1]"), ("::1", PORT));
        assert_eq!(host_and_port("fe80::1"), ("fe80::1", PORT));
    }

    #[test]
    fn a_name_is_dialled_at_the_usual_port() {
        let dialled = |typed: &str| address(typed).map(|found| found.to_string()).ok();
        assert_eq!(dialled("surgery").as_deref(), Some("/dns/surgery/tcp/4712"));
        assert_eq!(dialled("::1").as_deref(), Some("/ip6/::1/tcp/4712"));
        assert_eq!(dialled("two words"), None);
    }

    #[test]
    fn what_others_reach_is_said_first() {
        let addresses = [
            "/ip4/127.0.0.1/tcp/9",
            "/ip4/192.168.1.20/tcp/4712",
            "/ip6/::1/tcp/9",
        ];
        let said = typed(&addresses.map(str::to_owned));
        assert_eq!(said, ["192.168.1.20", "127.0.0.1:9", "[::1]:9"]);
    }
}
