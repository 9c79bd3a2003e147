//! The invited side of a pairing.

use std::{collections::BTreeSet, time::Duration};

use kith_protocol::{
    id::DeviceId,
    limits::{FRAME_LEN_MAX, KNOCK_LASTS_MS, KNOCK_LEN_MAX},
};
use libp2p::Multiaddr;
use serde_bytes::ByteBuf;
use tokio::time::{Instant, sleep};

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

/// How long nodes on the same network are looked for.
const LOOKING_LASTS: Duration = Duration::from_secs(15);
/// How long between two looks at who was found.
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// How long a node that does not answer is called before whoever joins is told so; each is called
/// twice at least.
const CALLING_LASTS: Duration = Duration::from_secs(3);
/// How long between two questions whether the other side has confirmed.
const BETWEEN_ASKING: Duration = Duration::from_secs(5);

/// What was typed, understood.
pub enum Invitation {
    /// A link.
    Link(Invited),
    /// Four words, and where they are to be said; to every node nearby where that is not known.
    Words(Words, Option<Multiaddr>),
}

impl Invitation {
    /// Understands what was typed.
    pub fn of(by: JoinBy) -> Result<Self, Failure> {
        Ok(match by {
            JoinBy::Link(link) => Self::Link(link.parse()?),
            JoinBy::Words { words, host } => {
                let host = host.as_deref().map(place::address).transpose()?;
                Self::Words(words, host)
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
}

/// Somebody who has proved that they made the invitation, and what they offer.
pub(super) struct Met {
    paired: Paired,
    pub(super) host: DeviceId,
    pub(super) addresses: Vec<String>,
    pub(super) offer: Offer,
}

impl Met {
    /// Finds whoever made an invitation, and hears what they offer.
    pub(super) async fn find(
        network: &Network,
        own: DeviceId,
        invitation: &Invitation,
    ) -> Result<Self, Failure> {
        match invitation {
            Invitation::Link(invited) => {
                let known = invited.addresses.iter();
                let addresses = known
                    .map(|address| parse_address(address))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| unreachable(&error))?;
                let called = call(network, invited.device, &addresses).await;
                let channel = called.map_err(|error| unreachable(&error))?;
                let there = (invited.device, invited.addresses.clone());
                Self::knock(channel, own, there, invitation).await
            }
            Invitation::Words(_, Some(address)) => {
                let opened = network.open_at(address.clone(), Talk::Pair).await;
                let (host, channel) = opened.map_err(|error| unreachable(&error))?;
                let there = (host, vec![address.to_string()]);
                Self::knock(channel, own, there, invitation).await
            }
            Invitation::Words(_, None) => {
                let found = Self::find_nearby(network, own, invitation).await;
                if let Err(error) = network.look_around(false).await {
                    tracing::debug!(%error, "looking around was not ended");
                }
                found
            }
        }
    }

    /// Says the words to each node on the same network, until one knows them.
    async fn find_nearby(
        network: &Network,
        own: DeviceId,
        invitation: &Invitation,
    ) -> Result<Self, Failure> {
        let until = Instant::now() + LOOKING_LASTS;
        let mut asked = BTreeSet::new();
        let mut answered = None;
        while Instant::now() < until {
            // Whoever else looks around in this node may have ended it.
            let looking = network.look_around(true).await;
            looking.map_err(|error| unreachable(&error))?;
            let nearby = network.nearby().await;
            for (host, addresses) in nearby.map_err(|error| unreachable(&error))? {
                if !asked.insert(host) {
                    continue;
                }
                let at = addresses.iter().map(ToString::to_string).collect();
                let Ok(channel) = network.open(host, addresses, Talk::Pair).await else {
                    continue;
                };
                match Self::knock(channel, own, (host, at), invitation).await {
                    Ok(met) => return Ok(met),
                    Err(failure) => answered = Some(failure),
                }
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Err(answered.unwrap_or_else(nobody_near))
    }

    /// Knocks, finds a key, and hears what is offered.
    async fn knock(
        mut channel: Channel,
        own: DeviceId,
        (host, addresses): (DeviceId, Vec<String>),
        invitation: &Invitation,
    ) -> Result<Self, Failure> {
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

/// Calls whoever made an invitation. A machine that is just waking up, or a network that is, answers
/// a moment later.
async fn call(
    network: &Network,
    host: DeviceId,
    addresses: &[Multiaddr],
) -> Result<Channel, NetworkError> {
    let until = Instant::now() + CALLING_LASTS;
    let mut is_first = true;
    loop {
        let opened = network.open(host, addresses.to_vec(), Talk::Pair).await;
        let is_silent = matches!(opened, Err(NetworkError::Unreachable(_)));
        if !is_silent || (!is_first && Instant::now() > until) {
            return opened;
        }
        is_first = false;
        sleep(BETWEEN_LOOKS).await;
    }
}

/// Accepts an invitation: nothing is stored before a person has said that it is the right one.
pub async fn join(
    driver: &Driver,
    network: &Network,
    request: JoinRequest,
    questioner: &mut Questioner<'_>,
) -> Result<(DeviceId, Joined), Failure> {
    let invitation = Invitation::of(request.by)?;
    let own = driver.ask(|node| Ok(node.device())).await?;
    let mut met = Met::find(network, own, &invitation).await?;
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
        let check_words = driver.ask(move |node| node.waits(&asked, &offer)).await?;
        let step = JoinStep::Waits {
            from: shown.from,
            check_words,
        };
        questioner.asks(&step).await?;
        while outcome == Outcome::Waits {
            outcome = match met.decision().await? {
                Some(decided) => decided,
                // A stranger's connection does not last: asked again on the next one.
                None => {
                    sleep(BETWEEN_ASKING).await;
                    let again = Met::find(network, own, &invitation).await;
                    met = again.map_err(|failure| not_yet().because(&failure))?;
                    met.answer(&answer).await?
                }
            };
        }
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
    let mut met = match Met::find(network, own, &invitation).await {
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

fn nobody_near() -> Failure {
    Failure::new(
        Ending::CannotReach,
        "No node with an open invitation was found on this network.",
        "Write before the words where the other node is, such as kith join riverside.example birch lamp river forty; whoever invited you sees it with the words. They still hold: nothing was tried.",
    )
}
