//! The invited side of a pairing.

use std::time::Duration;

use kith_protocol::{
    id::DeviceId,
    limits::{FRAME_LEN_MAX, KNOCK_LASTS_MS, KNOCK_LEN_MAX},
};
use libp2p::Multiaddr;
use serde_bytes::ByteBuf;

use super::{
    host::{PairError, Paired},
    key::{Half, Side},
    message::{Answer, Checked, Door, Heard, Knock, Offer, Outcome, PAIR_VERSION, Proof, Refusal},
    place,
    words::Words,
};
use crate::{
    api::{JoinBy, JoinRequest, JoinStep, Joined},
    driver::Driver,
    failure::{Ending, Failure},
    network::{Channel, Network, NetworkError, Talk, parse_address},
    node::{Invited, offered, refused},
    pairing::questioner::Questioner,
};

/// What was typed, understood.
pub enum Invitation {
    /// A link.
    Link(Invited),
    /// Four words, and where they are to be said.
    Words(Words, Vec<Multiaddr>),
}

impl Invitation {
    /// Understands what was typed; a name is looked up, and the network asked where none was
    /// typed.
    pub async fn of(by: JoinBy) -> Result<Self, Failure> {
        Ok(match by {
            JoinBy::Link(link) => Self::Link(link.parse()?),
            JoinBy::Words { words, host } => {
                let addresses = match host {
                    Some(host) => place::addresses(&host).await?,
                    None => return Err(no_host()),
                };
                Self::Words(words, addresses)
            }
        })
    }

    fn door(&self) -> Door {
        match self {
            Self::Link(invited) => Door::Link(*invited.name().as_bytes()),
            Self::Words(words, _) => Door::Words(words.name()),
        }
    }

    fn password(&self) -> Vec<u8> {
        match self {
            Self::Link(invited) => invited.password().to_vec(),
            Self::Words(words, _) => words.password(),
        }
    }

    pub(super) const fn link(&self) -> Option<&Invited> {
        match self {
            Self::Link(invited) => Some(invited),
            Self::Words(..) => None,
        }
    }

    /// Opens a stream to whoever made it; who that is and where.
    async fn call(&self, network: &Network) -> Result<(DeviceId, Vec<String>, Channel), Failure> {
        match self {
            Self::Link(invited) => {
                let known = invited.addresses.iter();
                let addresses = known
                    .map(|address| parse_address(address))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| unreachable(&error))?;
                let channel = network.open(invited.device, addresses, Talk::Pair).await;
                let channel = channel.map_err(|error| unreachable(&error))?;
                Ok((invited.device, invited.addresses.clone(), channel))
            }
            Self::Words(_, addresses) => {
                let mut last = NetworkError::Unreachable;
                for address in addresses {
                    match network.call(address.clone(), Talk::Pair).await {
                        Ok((device, channel)) => {
                            return Ok((device, vec![address.to_string()], channel));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(unreachable(&last))
            }
        }
    }
}

/// Somebody who has proved that they made the invitation, and what they offer.
pub(super) struct Met {
    paired: Paired,
    pub(super) host: DeviceId,
    pub(super) addresses: Vec<String>,
    pub(super) offer: Offer,
}

impl Met {
    /// Knocks, finds a key, and hears what is offered.
    pub(super) async fn knock(
        network: &Network,
        own: DeviceId,
        invitation: &Invitation,
    ) -> Result<Self, Failure> {
        let (host, addresses, mut channel) = invitation.call(network).await?;
        channel.limit(KNOCK_LEN_MAX);
        let patience = Duration::from_millis(KNOCK_LASTS_MS);
        let door = invitation.door();
        let half = Half::begin(Side::Guest, door, &invitation.password(), (own, host));
        let knock = Knock {
            version: PAIR_VERSION,
            door,
            half: ByteBuf::from(half.said()),
        };
        channel.send(&knock).await.map_err(cut)?;
        let key = match channel.receive(patience).await.map_err(cut)? {
            Heard::Half(heard) => half.finish(&heard),
            Heard::No(refusal) => return Err(refused(refusal)),
        };
        let key = key.ok_or_else(|| refused(Refusal::Misspoke))?;
        channel.send(&Proof(key.proof())).await.map_err(cut)?;
        match channel.receive(patience).await.map_err(cut)? {
            Checked::Holds(proof) if key.proves(&proof.0) => {}
            // It says that the words match and does not know them itself.
            Checked::Holds(_) => return Err(refused(Refusal::NotMatched)),
            Checked::No(refusal) => return Err(refused(refusal)),
        }
        // Whoever answers knows the secret: what comes now may be a practice's list of nodes.
        channel.limit(FRAME_LEN_MAX);
        let mut paired = Paired { channel, key };
        let offer: Result<Offer, Refusal> = paired.hear().await.map_err(cut)?;
        Ok(Self {
            paired,
            host,
            addresses,
            offer: offer.map_err(refused)?,
        })
    }

    /// Answers the offer.
    pub(super) async fn answer(&mut self, answer: &Answer) -> Result<Outcome, Failure> {
        self.paired.say(answer).await.map_err(cut)?;
        self.paired.hear().await.map_err(cut)
    }

    /// What a person on the other side has decided; nothing where that takes long.
    pub(super) async fn decision(&mut self) -> Result<Option<Outcome>, Failure> {
        match self.paired.hear().await {
            Ok(outcome) => Ok(Some(outcome)),
            Err(PairError::Unbound) => Err(refused(Refusal::Misspoke)),
            Err(error) => {
                tracing::debug!(%error, "nobody has decided yet");
                Ok(None)
            }
        }
    }
}

/// Accepts an invitation: nothing is stored before a person has said that it is the right one.
pub async fn join(
    driver: &Driver,
    network: &Network,
    request: JoinRequest,
    questioner: &mut Questioner<'_>,
) -> Result<(DeviceId, Joined), Failure> {
    let invitation = Invitation::of(request.by).await?;
    let own = driver.ask(|node| Ok(node.device())).await?;
    let mut met = Met::knock(network, own, &invitation).await?;
    let shown = offered(met.host, &met.offer)?;
    let offer = met.offer.clone();
    let answer = driver.ask(move |node| node.accepts(&offer)).await?;
    if !request.yes && !questioner.asks(&JoinStep::Offered(shown.clone())).await? {
        met.answer(&Answer::Declined).await?;
        return Err(declined());
    }
    let mut outcome = met.answer(&answer).await?;
    if outcome == Outcome::Waits
        && let Some(invited) = invitation.link()
    {
        let (asked, offer) = (invited.clone(), met.offer.clone());
        let check_words = driver
            .ask(move |node| node.waits(&asked, &offer))
            .await?;
        let step = JoinStep::Waits {
            from: shown.from,
            check_words,
        };
        questioner.asks(&step).await?;
        outcome = met.decision().await?.ok_or_else(not_yet)?;
    }
    took(driver, met, &invitation, outcome).await
}

/// Asks again, where a person on the other side had to confirm first.
pub async fn ask_again(
    driver: &Driver,
    network: &Network,
    invited: Invited,
    accepted: Offer,
) -> Result<(), Failure> {
    let own = driver.ask(|node| Ok(node.device())).await?;
    let invitation = Invitation::Link(invited.clone());
    let mut met = match Met::knock(network, own, &invitation).await {
        Err(failure) if failure.ending == Ending::NotAllowed => {
            driver.ask(move |node| node.not_joined(&invited)).await?;
            return Err(failure);
        }
        met => met?,
    };
    // Nobody took what is offered now if it is something else.
    if met.offer.gives != accepted.gives || met.offer.until_ms != accepted.until_ms {
        return Err(refused(Refusal::Misspoke));
    }
    let answer = driver.ask(move |node| node.accepts(&accepted)).await?;
    let mut outcome = met.answer(&answer).await?;
    if outcome == Outcome::Waits {
        match met.decision().await? {
            Some(decided) => outcome = decided,
            None => return Ok(()),
        }
    }
    if let Outcome::No(_) = &outcome {
        driver.ask(move |node| node.not_joined(&invited)).await?;
    }
    took(driver, met, &invitation, outcome).await.map(|_| ())
}

/// Notes what was given.
async fn took(
    driver: &Driver,
    met: Met,
    invitation: &Invitation,
    outcome: Outcome,
) -> Result<(DeviceId, Joined), Failure> {
    let record = match outcome {
        Outcome::Shared { record } => record,
        Outcome::No(refusal) => return Err(refused(refusal)),
        Outcome::Added(_) | Outcome::Waits => return Err(refused(Refusal::Misspoke)),
    };
    let Met {
        host,
        addresses,
        offer,
        ..
    } = met;
    let link = invitation.link().map(Invited::name);
    let joined = driver
        .ask(move |node| node.joined(host, addresses, &offer, record, link))
        .await?;
    Ok((host, joined))
}

pub(super) fn declined() -> Failure {
    Failure::new(
        Ending::NeedsPerson,
        "The invitation was not accepted, and whoever made it is told so.",
        "Nothing was stored here. Words have ended with this; a link can still be used. With --yes nobody is asked.",
    )
}

fn not_yet() -> Failure {
    Failure::new(
        Ending::TryAgain,
        "The other side has not confirmed yet.",
        "It comes by itself as soon as they have, while this node runs: kith run. kith status says what is waited for.",
    )
}

pub(super) fn cut(error: impl Into<PairError>) -> Failure {
    Failure::new(
        Ending::CannotReach,
        "The connection to the other node ended too early.",
        "Nothing was changed here. Try again; where four words were used they may have ended with this, and the link of the invitation still works.",
    )
    .because(&error.into())
}

fn unreachable(error: &NetworkError) -> Failure {
    Failure::new(
        Ending::CannotReach,
        "The other node cannot be reached.",
        "Check that it is running and that both are on a network; then try again. The invitation still holds.",
    )
    .because(error)
}

fn no_host() -> Failure {
    Failure::new(
        Ending::Usage,
        "It is not said where the other node is.",
        "Write it before the words, such as kith join riverside.example birch lamp river forty; whoever invited you sees it with the words. They still hold: nothing was tried.",
    )
}
