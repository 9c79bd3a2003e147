//! Accepting what others offer, and waiting until it is here.

use std::time::Duration;

use kith_protocol::id::DeviceId;

use crate::{
    api::{JoinRequest, Joined, OpenRequest, OpenedLine},
    driver::Driver,
    failure::{Ending, Failure},
    network::Network,
    opening,
    pairing::{guest, questioner::Questioner},
};

/// Whoever joined waits this long for what they may see: 256 MiB over a slow line.
const FETCH_LASTS: Duration = Duration::from_mins(10);

pub(crate) async fn join(
    driver: &Driver,
    network: &Network,
    request: JoinRequest,
    questioner: &mut Questioner<'_>,
) -> Result<Joined, Failure> {
    let (host, joined) = guest::join(driver, network, request, questioner).await?;
    fetch(driver, host).await.map(|()| joined)
}

/// Waits until all that another node has for this one is here.
pub(super) async fn fetch(driver: &Driver, from: DeviceId) -> Result<(), Failure> {
    let fetched = driver.up_to_date_with(from);
    match tokio::time::timeout(FETCH_LASTS, fetched).await {
        Ok(fetched) => fetched,
        Err(_) => Err(Failure::new(
            Ending::CannotReach,
            "The invitation was accepted, and not everything has arrived yet.",
            "What arrived is safe. Start this node with kith run; the rest follows.",
        )),
    }
}

pub(super) async fn open_emergency(
    driver: &Driver,
    network: &Network,
    asked: OpenRequest,
) -> Result<OpenedLine, Failure> {
    let link = asked.what.parse()?;
    let (hub, opened) = opening::open(driver, network, link, asked).await?;
    let fetched = driver.up_to_date_with(hub);
    match tokio::time::timeout(FETCH_LASTS, fetched).await {
        Ok(fetched) => fetched.map(|()| opened),
        Err(_) => Err(Failure::new(
            Ending::CannotReach,
            "The record was opened, and not everything has arrived yet.",
            "What arrived can be read: kith show RECORD. Start this node with kith run; the rest follows.",
        )),
    }
}
