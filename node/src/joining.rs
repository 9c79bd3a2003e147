//! Accepting an invitation, on a stream of its own that is open to strangers.

use kith_protocol::id::DeviceId;

use crate::{
    api::Joined,
    driver::Driver,
    failure::{Ending, Failure},
    network::{Channel, ChannelError, Network, NetworkError, Talk, parse_address},
    node::{Invited, JoinAnswer, JoinAsk},
};

/// Answers one who presents an invitation.
pub async fn welcome(
    driver: Driver,
    device: DeviceId,
    mut channel: Channel,
) -> Result<(), Failure> {
    let ask: JoinAsk = said(channel.receive().await)?;
    let answer = driver.ask(move |node| node.accept(device, &ask)).await?;
    said(channel.send(&answer).await)?;
    said(channel.close().await)
}

/// Presents an invitation.
pub async fn join(driver: &Driver, network: &Network, invited: Invited) -> Result<Joined, Failure> {
    let addresses = invited
        .addresses
        .iter()
        .map(|address| parse_address(address))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreachable_peer(&error))?;
    let mut channel = network
        .open(invited.device, addresses, Talk::Join)
        .await
        .map_err(|error| unreachable_peer(&error))?;
    let asked = invited.clone();
    let ask = driver.ask(move |node| node.ask(&asked)).await?;
    said(channel.send(&ask).await)?;
    let answer: JoinAnswer = said(channel.receive().await)?;
    driver
        .ask(move |node| node.welcomed(&invited, answer))
        .await
}

fn said<T>(result: Result<T, ChannelError>) -> Result<T, Failure> {
    result.map_err(|error| {
        Failure::new(
            Ending::CannotReach,
            "The connection to the other node ended too early.",
            "What had arrived is safe. Try again; the rest follows.",
        )
        .because(&error)
    })
}

fn unreachable_peer(error: &NetworkError) -> Failure {
    Failure::new(
        Ending::CannotReach,
        "The other node cannot be reached.",
        "Check that it is running and that both are on a network; then try again.",
    )
    .because(error)
}
