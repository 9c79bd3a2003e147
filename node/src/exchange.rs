//! Talking with another node about the records that both hold.
//!
//! A round, for each record: the caller says what it holds within what the other may see, takes
//! what it lacks, then gives what the other lacks. Rights are looked at for each batch at the
//! moment of sending. The sync engine takes the place of this (`docs/state.md`).

use kith_protocol::id::{DeviceId, RecordId};
use serde::{Deserialize, Serialize};

use crate::{
    api::Joined,
    driver::Driver,
    failure::{Ending, Failure},
    network::{Channel, ChannelError, Network, NetworkError, Talk, parse_address},
    node::{Batch, Have, Invited, JoinAnswer, JoinAsk, Peer},
};

/// What is said on an exchange stream.
#[derive(Serialize, Deserialize)]
enum Word {
    /// What the caller holds of a record; the other side answers with what it lacks.
    Have(RecordId, Have),
    /// Something for the other side; the last of a row says so.
    Take(RecordId, Batch),
    /// What was taken is on the disk, and this is what is held now.
    Taken(Have),
    /// Nothing more.
    Done,
}

/// Batches of one record in one round; the next round goes on.
const BATCHES_MAX: usize = 100_000;

/// Serves one stream that a known device opened.
pub async fn serve(driver: Driver, device: DeviceId, mut channel: Channel) -> Result<(), Failure> {
    loop {
        match channel.receive::<Word>().await {
            Ok(Word::Have(record, have)) => {
                give(&driver, device, &mut channel, (record, have), Answers::No).await?;
                let held = driver.ask(move |node| node.have(device, record)).await?;
                said(channel.send(&Word::Taken(held)).await)?;
            }
            Ok(Word::Take(record, batch)) => {
                let held = take(&driver, device, record, batch).await?;
                said(channel.send(&Word::Taken(held)).await)?;
            }
            Ok(Word::Done) | Err(ChannelError::Ended(_)) => return Ok(()),
            Ok(Word::Taken(_)) => return Err(misspoken()),
            Err(error) => return said(Err(error)),
        }
    }
}

/// One round with a known node over all records that both hold.
pub async fn call(driver: &Driver, network: &Network, peer: &Peer) -> Result<(), Failure> {
    let device = peer.device;
    let addresses = peer
        .addresses
        .iter()
        .filter_map(|address| parse_address(address).ok());
    let mut channel = network
        .open(device, addresses.collect(), Talk::Exchange)
        .await
        .map_err(|error| unreachable_peer(&error))?;
    let through = driver.ask(|node| Ok(node.position())).await?;
    for record in peer.records.clone() {
        let have = driver.ask(move |node| node.have(device, record)).await?;
        said(channel.send(&Word::Have(record, have)).await)?;
        let mut batches = 0_usize;
        let theirs = loop {
            match said(channel.receive::<Word>().await)? {
                Word::Take(of, batch) if of == record && batches < BATCHES_MAX => {
                    batches += 1;
                    take(driver, device, record, batch).await?;
                }
                Word::Taken(theirs) => break theirs,
                Word::Take(..) | Word::Have(..) | Word::Done => return Err(misspoken()),
            }
        };
        give(
            driver,
            device,
            &mut channel,
            (record, theirs),
            Answers::EachBatch,
        )
        .await?;
    }
    said(channel.send(&Word::Done).await)?;
    said(channel.close().await)?;
    driver
        .ask(move |node| node.has_everything(device, through))
        .await
}

/// Whether the other side says after each batch that it is on its disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    EachBatch,
    No,
}

/// Sends batch after batch of what the other side lacks.
async fn give(
    driver: &Driver,
    device: DeviceId,
    channel: &mut Channel,
    (record, mut theirs): (RecordId, Have),
    answers: Answers,
) -> Result<(), Failure> {
    loop {
        let asked = theirs.clone();
        let stopped = driver.stopped();
        let batch = driver
            .ask(move |node| node.batch(device, record, &asked))
            .await?;
        theirs.include(&batch);
        let is_last = batch.is_last || batch.is_empty();
        if !batch.is_empty() {
            send_unless_stopped(channel, &Word::Take(record, batch), stopped).await?;
            if answers == Answers::EachBatch {
                match said(channel.receive::<Word>().await)? {
                    Word::Taken(_) => {}
                    Word::Take(..) | Word::Have(..) | Word::Done => return Err(misspoken()),
                }
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Sends a batch; when sharing is stopped meanwhile, what of it has not left does not leave, and
/// the conversation ends. Whoever still shares calls again.
async fn send_unless_stopped(
    channel: &mut Channel,
    word: &Word,
    mut stopped: tokio::sync::watch::Receiver<u64>,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        Ok(()) = stopped.changed() => said(Err(ChannelError::Ended(
            std::io::ErrorKind::ConnectionAborted.into(),
        ))),
        sent = channel.send(word) => said(sent),
    }
}

async fn take(
    driver: &Driver,
    device: DeviceId,
    record: RecordId,
    batch: Batch,
) -> Result<Have, Failure> {
    driver
        .ask(move |node| {
            node.take(device, record, &batch)?;
            node.have(device, record)
        })
        .await
}

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

fn misspoken() -> Failure {
    Failure::new(
        Ending::Failed,
        "The other node said something that does not belong here.",
        "Both sides may need the same version of kith.",
    )
}

fn unreachable_peer(error: &NetworkError) -> Failure {
    Failure::new(
        Ending::CannotReach,
        "The other node cannot be reached.",
        "Check that it is running and that both are on a network; then try again.",
    )
    .because(error)
}
