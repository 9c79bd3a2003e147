//! The inviting side of a pairing.

use std::{sync::Arc, time::Duration};

use kith_protocol::{
    codec,
    id::DeviceId,
    limits::{JOIN_FRAME_LEN_MAX, KNOCK_LASTS_MS, KNOCK_LEN_MAX, PERSON_LASTS_MS},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{
    key::{Half, Key, Side},
    message::{Answer, Bound, Checked, Door, Heard, Knock, Offer, Outcome, Proof, Refusal},
};
use crate::{
    driver::Driver,
    network::{Channel, ChannelError},
    node::{InvitationId, Opening, Refused, now_ms},
};

/// How often it is looked whether an invitation has ended, besides each time that something became
/// of one.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Why a pairing went no further.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The stream broke, or what came was no message.
    #[error("the conversation ended")]
    Channel(#[from] ChannelError),
    /// Too long was taken.
    #[error("whoever knocked did not prove in time that they were invited")]
    Late,
    /// What came is not bound to the key.
    #[error("a message is not from whoever proved that they were invited")]
    Unbound,
    /// There is no room for one more who waits.
    #[error("too many guests wait already")]
    Full,
    /// This node could not.
    #[error("{0}")]
    Node(#[from] crate::failure::Failure),
}

/// A conversation whose two sides have the key.
pub(super) struct Paired {
    pub(super) channel: Channel,
    pub(super) key: Key,
}

impl Paired {
    pub(super) async fn say<T: Serialize>(&mut self, message: &T) -> Result<(), PairError> {
        let bound = self.key.bind(codec::encode(message));
        Ok(self.channel.send(&bound).await?)
    }

    pub(super) async fn hear<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, PairError> {
        let patience = Duration::from_millis(PERSON_LASTS_MS);
        let bound: Bound = self.channel.receive(patience).await?;
        let body = self.key.unbind(bound).ok_or(PairError::Unbound)?;
        Ok(codec::decode(&body).map_err(ChannelError::from)?)
    }
}

/// Answers whoever knocks, who may be anyone. `place` is one of few; those who have proved that
/// they were invited wait elsewhere.
pub async fn welcome(
    driver: Driver,
    device: DeviceId,
    mut channel: Channel,
    place: OwnedSemaphorePermit,
    guests: Arc<Semaphore>,
) -> Result<(), PairError> {
    channel.limit(KNOCK_LEN_MAX);
    let proving = prove(&driver, device, channel);
    let proved = timeout(Duration::from_millis(KNOCK_LASTS_MS), proving).await;
    let Some((mut paired, name, door)) = proved.map_err(|_| PairError::Late)?? else {
        return Ok(());
    };
    let _waits = guests.try_acquire_owned().map_err(|_| PairError::Full)?;
    drop(place);
    paired.channel.limit(JOIN_FRAME_LEN_MAX);
    let answer: Answer = paired.hear().await?;
    let answered = driver
        .ask(move |node| node.answered((name, door), device, answer, now_ms()))
        .await?;
    paired.say(&answered).await?;
    if answered == Outcome::Waits
        && let Some(outcome) = decided(&driver, &mut paired, name, device).await?
    {
        paired.say(&outcome).await?;
    }
    Ok(paired.channel.close().await?)
}

/// Finds a key with whoever knocks, and offers what they were invited to; nothing where they were
/// not, which they have been told.
async fn prove(
    driver: &Driver,
    device: DeviceId,
    mut channel: Channel,
) -> Result<Option<(Paired, InvitationId, Door)>, PairError> {
    let patience = Duration::from_millis(KNOCK_LASTS_MS);
    let knock: Knock = channel.receive(patience).await?;
    let door = knock.door;
    let asked = knock.clone();
    let (own, opening) = driver
        .ask(move |node| Ok((node.device(), node.knocked(device, &asked, now_ms())?)))
        .await?;
    let (invitation, password) = match opening {
        Opening::Half {
            invitation,
            password,
        } => (invitation, password),
        Opening::No(refusal) => {
            channel.send(&Heard::No(refusal)).await?;
            channel.close().await?;
            return Ok(None);
        }
    };
    let half = Half::begin(Side::Host, door, &password, (device, own));
    let said = ByteBuf::from(half.said());
    let key = half.finish(&knock.half);
    channel.send(&Heard::Half(said)).await?;
    // Whoever goes away now has tried nothing: it got a half that says nothing of the words.
    let proof: Proof = channel.receive(patience).await?;
    let key = key.filter(|key| key.proves(&proof.0));
    let holds = key.is_some();
    let refused = driver
        .ask(move |node| node.proved(invitation, door, holds, now_ms()))
        .await?;
    let (Some(key), Some(name), None) = (key, invitation, refused) else {
        let refusal = refused.unwrap_or(Refusal::NotMatched);
        channel.send(&Checked::No(refusal)).await?;
        channel.close().await?;
        return Ok(None);
    };
    channel.send(&Checked::Holds(Proof(key.proof()))).await?;
    let mut paired = Paired { channel, key };
    let offer: Result<Offer, Refused> = driver
        .ask(move |node| Ok(node.offer(name, door, now_ms())))
        .await?;
    let offer = match offer {
        Ok(offer) => Ok(offer),
        Err(Refused::No(refusal)) => Err(refusal),
        Err(Refused::Failed(failure)) => return Err(failure.into()),
    };
    paired.say(&offer).await?;
    Ok(offer.is_ok().then_some((paired, name, door)))
}

/// Waits until a person has decided; nothing where whoever waits has gone, or nobody decided for
/// long: they ask again.
async fn decided(
    driver: &Driver,
    paired: &mut Paired,
    name: InvitationId,
    device: DeviceId,
) -> Result<Option<Outcome>, PairError> {
    let mut met = driver.met();
    let until = Instant::now() + Duration::from_millis(PERSON_LASTS_MS);
    while Instant::now() < until {
        met.mark_unchanged();
        let decided = driver
            .ask(move |node| node.decided(name, device, now_ms()))
            .await?;
        if decided.is_some() {
            return Ok(decided);
        }
        tokio::select! {
            () = paired.channel.gone() => return Ok(None),
            changed = timeout(BETWEEN_LOOKS, met.changed()) => if let Ok(Err(_)) = changed {
                return Ok(None);
            }
        }
    }
    Ok(None)
}
