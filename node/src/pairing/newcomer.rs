//! A new machine becomes another device of somebody's: its node is made once it has been added.

use kith_protocol::{
    identity::{SecretKey, agree_to_act_for},
    limits::{ACQUAINTANCES_LEN_MAX, FRAME_LEN_MAX},
};
use serde_bytes::ByteBuf;

use super::{
    guest::{Invitation, Met, declined},
    message::{Answer, Gives, Outcome, Refusal},
    questioner::Questioner,
};
use crate::{
    api::{JoinRequest, JoinStep, Joined},
    failure::{Ending, Failure},
    home::{Home, Unlock},
    network::{Network, Settings},
    node::{Adder, NewDevice, Node, offered, owner_of, refused},
    store::random,
};

// What a new device is told of others goes in one frame.
const _: () = assert!(ACQUAINTANCES_LEN_MAX < FRAME_LEN_MAX / 2);

/// Accepts an invitation for a device where there is no node yet, and makes the node.
pub async fn join(
    home: &Home,
    unlock: &Unlock,
    request: JoinRequest,
    questioner: &mut Questioner<'_>,
) -> Result<Joined, Failure> {
    let seed = zeroize::Zeroizing::new(random());
    let device = SecretKey::from_seed(*seed);
    let (network, _incoming) =
        Network::start(&seed, Settings::default()).map_err(|error| no_network(&error))?;
    let invitation = Invitation::of(request.by)?;
    let mut met = Met::find(&network, device.device(), &invitation).await?;
    let shown = offered(met.host, &met.offer)?;
    let owner = owner_of(met.host, &met.offer)?;
    let Gives::Device { parent } = met.offer.gives else {
        return Err(no_node());
    };
    if !request.yes && !questioner.asks(&JoinStep::Offered(shown.clone())).await? {
        met.answer(&Answer::Declined).await?;
        return Err(declined());
    }
    let proof = agree_to_act_for(owner, &device, parent);
    let answer = Answer::Device {
        proof: ByteBuf::from(proof),
    };
    let mut outcome = met.answer(&answer).await?;
    if outcome == Outcome::Waits
        && let Some(invited) = invitation.link()
    {
        let step = JoinStep::Waits {
            from: shown.from.clone(),
            check_words: invited.check_words((device.device(), met.host), (owner, owner)),
        };
        questioner.asks(&step).await?;
        outcome = met.decision().await?.ok_or_else(not_confirmed)?;
    }
    let added = match outcome {
        Outcome::Added(added) => *added,
        Outcome::No(refusal) => return Err(refused(refusal)),
        Outcome::Shared { .. } | Outcome::Waits => return Err(refused(Refusal::Misspoke)),
    };
    let mut addresses = met.addresses.clone();
    addresses.extend(met.offer.addresses.iter().cloned());
    let adder = Adder {
        device: met.host,
        card: met.offer.card.to_vec(),
        addresses,
    };
    let new = NewDevice {
        owner,
        device,
        added,
    };
    let made = Node::set_up_device(home, unlock, new, &adder)?;
    Ok(Joined {
        record: None,
        from: shown.from,
        see: String::new(),
        add: String::new(),
        change: String::new(),
        until: None,
        recovery: Some(made.recovery),
    })
}

fn no_node() -> Failure {
    Failure::new(
        Ending::NoNode,
        "There is no node here that could hold what is shared.",
        "Run kith setup first, then join again: the link of the invitation still works. Nothing was changed.",
    )
}

fn not_confirmed() -> Failure {
    Failure::new(
        Ending::TryAgain,
        "Your other device has not confirmed this one.",
        "No node was made here. Confirm there with kith review, and join again from here within the invitation's days.",
    )
}

fn no_network(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The network could not be opened.",
        "Try again. Nothing was changed.",
    )
    .because(error)
}
