//! Opening a record with the code of its emergency page, on a stream of its own that is open to
//! strangers.

use std::time::Duration;

use kith_protocol::id::DeviceId;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    api::{OpenRequest, OpenedLine},
    driver::Driver,
    failure::{Ending, Failure},
    network::{Channel, ChannelError, Incoming, Network, Talk, parse_address},
    node::{EmergencyAnswer, EmergencyAsk, EmergencyLink},
};

/// Either side has this long to say the next thing: they may be anyone.
const ANSWER_LASTS: Duration = Duration::from_secs(10);
/// And all of it may take this long.
const OPENING_LASTS: Duration = Duration::from_secs(20);

/// Answers whoever says that they hold the code of an emergency page, who may be anyone.
pub async fn welcome(driver: Driver, incoming: Incoming, _place: OwnedSemaphorePermit) {
    let answer = answer(driver, incoming.device, incoming.channel);
    match tokio::time::timeout(OPENING_LASTS, answer).await {
        Ok(Err(failure)) => tracing::info!(what = failure.what, "nothing was opened"),
        Ok(Ok(())) => {}
        Err(_) => tracing::info!("somebody with an emergency page took too long"),
    }
}

/// Answers one who says that they hold the code.
async fn answer(driver: Driver, device: DeviceId, mut channel: Channel) -> Result<(), Failure> {
    let ask: EmergencyAsk = said(channel.receive(ANSWER_LASTS).await)?;
    let asked = driver
        .ask(move |node| node.emergency_asked(device, &ask))
        .await?;
    let Some((caller, rights)) = asked else {
        said(channel.send(&EmergencyAnswer::Refused).await)?;
        return said(channel.close().await);
    };
    said(channel.send(&rights).await)?;
    let opens: EmergencyAsk = said(channel.receive(ANSWER_LASTS).await)?;
    let answer = driver
        .ask(move |node| node.emergency_opened(&caller, &opens))
        .await?;
    said(channel.send(&answer).await)?;
    said(channel.close().await)
}

/// Opens a record at the first node of the code that has it, and says at which.
pub async fn open(
    driver: &Driver,
    network: &Network,
    link: EmergencyLink,
    asked: OpenRequest,
) -> Result<(DeviceId, OpenedLine), Failure> {
    let mut failure = Failure::new(
        Ending::Usage,
        "The code of the emergency page names no node.",
        "Scan it again, from kith: to its end.",
    );
    for (hub, _) in &link.hubs {
        match open_at(driver, network, (&link, *hub), &asked).await {
            Ok(opened) => return Ok((*hub, opened)),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

async fn open_at(
    driver: &Driver,
    network: &Network,
    (link, hub): (&EmergencyLink, DeviceId),
    asked: &OpenRequest,
) -> Result<OpenedLine, Failure> {
    let addresses = link.hubs.iter().find(|(device, _)| *device == hub);
    let addresses = addresses.map(|(_, at)| at.as_slice()).unwrap_or_default();
    let addresses = addresses.iter().filter_map(|at| parse_address(at).ok());
    let mut channel = network
        .open(hub, addresses.collect(), Talk::Emergency)
        .await
        .map_err(|error| unreachable_hub().because(&error))?;
    let page = link.clone();
    let ask = driver.ask(move |node| node.emergency_ask(&page)).await?;
    said(channel.send(&ask).await)?;
    let answer: EmergencyAnswer = said(channel.receive(ANSWER_LASTS).await)?;
    let (page, request) = (link.clone(), asked.clone());
    let (event, opened) = driver
        .ask(move |node| node.emergency_shown((&page, hub), &answer, &request))
        .await?;
    said(channel.send(&EmergencyAsk::Open { event }).await)?;
    match said(channel.receive(ANSWER_LASTS).await)? {
        EmergencyAnswer::Opened => Ok(opened),
        EmergencyAnswer::Refused | EmergencyAnswer::Rights { .. } => Err(Failure::new(
            Ending::NotAllowed,
            "The other node did not take it that the record was opened.",
            "The clocks of the two may be far apart: look at both, then try again.",
        )),
    }
}

fn said<T>(result: Result<T, ChannelError>) -> Result<T, Failure> {
    result.map_err(|error| unreachable_hub().because(&error))
}

fn unreachable_hub() -> Failure {
    Failure::new(
        Ending::CannotReach,
        "None of the nodes on the emergency page can be reached.",
        "Check the network, or ask the practice by telephone; then try again.",
    )
}
