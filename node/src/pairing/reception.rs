//! What a running node does about invitations by itself: it answers whoever knocks, lets itself be
//! found while words hold, and asks again where somebody has to confirm.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::sleep,
};

use super::{guest, host};
use crate::{
    driver::Driver,
    network::{Incoming, Network},
    node::{Node, now_ms},
};

/// How long whoever waits for another side to confirm waits before it asks again.
const BETWEEN_ASKING: Duration = Duration::from_secs(5);
/// How often it is looked whether there are still words for which this node should be found.
const WHILE_FOUND: Duration = Duration::from_secs(2);

/// Answers whoever knocks with an invitation, who may be anyone.
pub async fn welcome(
    driver: Driver,
    incoming: Incoming,
    place: OwnedSemaphorePermit,
    guests: Arc<Semaphore>,
) {
    let Incoming {
        device, channel, ..
    } = incoming;
    let welcome = host::welcome(driver, device, channel, place, guests);
    if let Err(error) = welcome.await {
        tracing::info!(%error, "nobody joined");
    }
}

/// Lets this node be found on its network while four words hold that were made here, and says
/// nothing there at any other time.
pub async fn keep_findable(driver: Driver, network: Network) {
    let mut met = driver.met();
    let mut is_found = false;
    loop {
        met.mark_unchanged();
        let Ok(wanted) = driver.ask(|node| node.holds_words(now_ms())).await else {
            return;
        };
        // Said again while it holds: whoever joins from here ends looking when it is done.
        if wanted || is_found {
            match network.look_around(wanted).await {
                Ok(()) => is_found = wanted,
                Err(error) => tracing::warn!(%error, "this node cannot be found nearby"),
            }
        }
        if is_found {
            sleep(WHILE_FOUND).await;
        } else if met.changed().await.is_err() {
            return;
        }
    }
}

/// Asks again where an invitation was accepted here and the other side confirms first.
pub async fn keep_asking(driver: Driver, network: Network) {
    let mut met = driver.met();
    let mut names = BTreeSet::new();
    let mut asked = JoinSet::new();
    loop {
        met.mark_unchanged();
        let Ok(joinings) = driver.ask(Node::joinings).await else {
            return;
        };
        if joinings.is_empty() {
            if met.changed().await.is_err() {
                return;
            }
            continue;
        }
        for (invited, offer) in joinings {
            let name = invited.name();
            if names.insert(name) {
                let (driver, network) = (driver.clone(), network.clone());
                asked.spawn(async move {
                    (
                        name,
                        guest::ask_again(&driver, &network, invited, offer).await,
                    )
                });
            }
        }
        sleep(BETWEEN_ASKING).await;
        while let Some(ended) = asked.try_join_next() {
            let Ok((name, ended)) = ended else {
                continue;
            };
            names.remove(&name);
            if let Err(failure) = ended {
                tracing::debug!(what = failure.what, "not joined yet");
            }
        }
    }
}
