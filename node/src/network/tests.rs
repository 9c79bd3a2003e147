use kith_protocol::{id::DeviceId, identity::SecretKey};

use super::{Incoming, Network, Settings, Talk, device_of, parse_address, peer_of};

#[test]
fn a_device_is_its_libp2p_name() {
    let device = SecretKey::from_seed([3; 32]).device();
    assert_eq!(peer_of(device).and_then(device_of), Some(device));
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(peer_of(DeviceId::from_bytes(no_point)), None);
}

#[tokio::test]
async fn whoever_listens_at_an_address_is_named_by_the_handshake() {
    for where_to in ["127.0.0.1:0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        let (there, mut incoming) = started(1);
        let (here, _streams) = started(2);
        let listening = there
            .listen(parse_address(where_to).expect("an address"))
            .await
            .expect("it listens");
        assert_eq!(listening.len(), 1, "{listening:?}");
        assert_eq!(*there.addresses().borrow(), listening);

        let (device, mut channel) = here
            .open_at(listening[0].clone(), Talk::Pair)
            .await
            .expect("it answers");
        assert_eq!(device, SecretKey::from_seed([1; 32]).device());
        channel.send(&"a word").await.expect("it is sent");
        let Incoming {
            device,
            mut channel,
            ..
        } = incoming.recv().await.expect("it comes");
        assert_eq!(device, SecretKey::from_seed([2; 32]).device());
        let word: String = channel
            .receive(std::time::Duration::from_secs(10))
            .await
            .expect("it is read");
        assert_eq!(word, "a word");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_not_reached() {
    let (here, _streams) = started(1);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a free port");
    let nobody = parse_address(&port.to_string()).expect("an address");
    assert!(here.open_at(nobody, Talk::Pair).await.is_err());
}

#[tokio::test]
async fn nobody_is_near_while_nobody_looks() {
    let (here, _streams) = started(1);
    assert!(here.nearby().await.expect("it runs").is_empty());
    here.look_around(true).await.expect("it looks");
    here.look_around(true).await.expect("it looks already");
    here.look_around(false).await.expect("it no longer looks");
    assert!(here.nearby().await.expect("it runs").is_empty());
}

fn started(seed: u8) -> (Network, tokio::sync::mpsc::Receiver<Incoming>) {
    Network::start(&[seed; 32], Settings::default()).expect("it starts")
}

#[tokio::test]
async fn a_port_is_not_shared_with_another_node() {
    let (here, _streams) = started(6);
    let (there, _others) = started(7);
    let anywhere = parse_address("127.0.0.1:0").expect("an address");
    let taken = here.listen(anywhere).await.expect("it listens").remove(0);
    let refused = there.listen(taken).await.expect_err("somebody has it");
    let said = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(
        said.is_some_and(|said| said.contains("in use")),
        "{refused}"
    );
}

#[tokio::test]
async fn one_port_serves_both_kinds_of_addresses() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("SKIPPED: this machine has no IPv6");
        return;
    }
    let (here, _streams) = started(12);
    let anywhere = parse_address("0.0.0.0:0").expect("an address");
    let listening = here.listen(anywhere).await.expect("it listens").remove(0);
    let listening = listening.to_string();
    let port = listening.rsplit('/').next().expect("a port");
    let also = parse_address(&format!("[::]:{port}")).expect("an address");
    here.listen(also).await.expect("it listens there too");
}

#[tokio::test]
async fn a_call_that_is_refused_says_so() {
    let (here, _streams) = started(8);
    let nobody = free_port();
    let nobody = parse_address(&nobody).expect("an address");
    let device = SecretKey::from_seed([9; 32]).device();
    let opened = here.open(device, vec![nobody], Talk::Pair).await;
    let refused = opened.map(|_| ()).expect_err("nobody is there");
    let why = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(
        why.is_some_and(|why| why.contains("refused")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_port_whose_number_is_in_use_elsewhere_keeps_nobody_from_calling() {
    let other = std::net::TcpListener::bind("127.0.0.2:0").expect("a socket");
    let taken = other.local_addr().expect("it has an address").port();
    let (there, _streams) = started(10);
    let anywhere = parse_address("127.0.0.1:0").expect("an address");
    let listening = there.listen(anywhere).await.expect("it listens");
    let (here, _others) = started(11);
    let own = parse_address(&format!("127.0.0.1:{taken}")).expect("an address");
    here.listen(own).await.expect("it listens");
    let device = SecretKey::from_seed([10; 32]).device();
    let opened = here.open(device, listening, Talk::Pair).await;
    opened.map(|_| ()).expect("it answers");
}

/// An address of this machine at which nobody listens.
fn free_port() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    socket.local_addr().expect("it has an address").to_string()
}

#[tokio::test]
async fn nodes_on_one_network_find_each_other_while_both_look() {
    let (here, _streams) = started(1);
    let (there, _others) = started(2);
    let anywhere = parse_address("0.0.0.0:0").expect("an address");
    here.listen(anywhere.clone()).await.expect("it listens");
    let listening = there.listen(anywhere).await.expect("it listens");
    let is_loopback = |address: &libp2p::Multiaddr| address.to_string().contains("/127.");
    if listening.iter().all(is_loopback) {
        eprintln!("SKIPPED: this machine has no network on which anyone could be found");
        return;
    }
    here.look_around(true).await.expect("it looks");
    there.look_around(true).await.expect("it looks");
    let device = SecretKey::from_seed([2; 32]).device();
    let found = until_found(&here, device).await;
    let (met, _channel) = here
        .open_at(found[0].clone(), Talk::Pair)
        .await
        .expect("it answers");
    assert_eq!(met, device);
    here.look_around(false).await.expect("it no longer looks");
    assert!(here.nearby().await.expect("it runs").is_empty());
}

/// libp2p's discovery answers from tasks that it leaves behind: here they must end with it.
#[tokio::test]
async fn who_no_longer_looks_is_no_longer_found() {
    let (here, _streams) = started(3);
    let (there, _others) = started(4);
    let (later, _more) = started(5);
    let anywhere = parse_address("0.0.0.0:0").expect("an address");
    let listening = there.listen(anywhere).await.expect("it listens");
    let is_loopback = |address: &libp2p::Multiaddr| address.to_string().contains("/127.");
    if listening.iter().all(is_loopback) {
        eprintln!("SKIPPED: this machine has no network on which anyone could be found");
        return;
    }
    there.look_around(true).await.expect("it looks");
    here.look_around(true).await.expect("it looks");
    let device = SecretKey::from_seed([4; 32]).device();
    until_found(&here, device).await;
    there.look_around(false).await.expect("it no longer looks");

    later.look_around(true).await.expect("it looks");
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 4 {
        let near = later.nearby().await.expect("it runs");
        assert!(near.iter().all(|(id, _)| *id != device), "{near:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn until_found(here: &Network, device: DeviceId) -> Vec<libp2p::Multiaddr> {
    let began = std::time::Instant::now();
    loop {
        let near = here.nearby().await.expect("it runs");
        if let Some((_, addresses)) = near.into_iter().find(|(id, _)| *id == device) {
            return addresses;
        }
        assert!(began.elapsed().as_secs() < 30, "nobody was found nearby");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
