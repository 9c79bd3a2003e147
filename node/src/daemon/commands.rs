//! What the command line of the same user asks of a running node, over its socket.

use std::{path::PathBuf, sync::Arc};

use kith_protocol::id::DeviceId;
use tokio::{io::AsyncReadExt, net::UnixStream, sync::mpsc};

use super::fetching::{join, open_emergency};
use crate::{
    api::{ConnectShown, Progress, Reply, Request, Since},
    control::{self, Asked, Said},
    driver::Driver,
    failure::{Ending, Failure},
    http::Site,
    network::Network,
    pairing::questioner::Questioner,
};

/// Does what the command line of the same user asks.
pub(super) async fn obey(
    driver: Driver,
    network: Network,
    site: Option<Arc<Site>>,
    mut stream: UnixStream,
) {
    let ours = rustix::process::geteuid().as_raw();
    let theirs = stream.peer_cred().map(|peer| peer.uid());
    if !matches!(theirs, Ok(uid) if uid == ours) {
        tracing::warn!("a command of another user was refused");
        return;
    }
    let asked = match control::receive(&mut stream).await {
        Ok(asked) => asked,
        Err(error) => {
            tracing::debug!(%error, "a command was not understood");
            return;
        }
    };
    match asked {
        Asked::Command(request) => command(&driver, site.as_deref(), &mut stream, request).await,
        Asked::EmergencyOpen(asked) => {
            let opened = open_emergency(&driver, &network, asked).await;
            let opened = opened.map(|opened| Said::Reply(Box::new(Reply::Opened(opened))));
            answer(&mut stream, &opened.unwrap_or_else(Said::Failure)).await;
        }
        Asked::Join(request) => {
            let mut questioner = Questioner::Socket(&mut stream);
            let joined = join(&driver, &network, request, &mut questioner).await;
            let said = joined.map_or_else(Said::Failure, Said::Joined);
            answer(&mut stream, &said).await;
        }
        Asked::Pages => answer(&mut stream, &entrance(site.as_deref())).await,
        Asked::Follow(since) => follow(&driver, &mut stream, since).await,
        Asked::Exchanged(device) => {
            let exchanged = exchanged(&driver, &network, &device).await;
            answer(&mut stream, &exchanged.unwrap_or_else(Said::Failure)).await;
        }
    }
}

/// A link that opens the pages once.
fn entrance(site: Option<&Site>) -> Said {
    match site {
        Some(site) => Said::Pages(site.entrance()),
        None => Said::Failure(Failure::new(
            Ending::Failed,
            "This node runs without pages.",
            "Stop it and start it again without --no-pages.",
        )),
    }
}

/// Waits until this node and another have everything of each other, and says what it took.
async fn exchanged(driver: &Driver, network: &Network, device: &str) -> Result<Said, Failure> {
    let device = DeviceId::from_hex(device).ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            "This is not the name of a node.",
            "Use all 64 digits that kith status shows of it.",
        )
    })?;
    driver.up_to_date_with(device).await?;
    Ok(Said::Exchanged {
        sent: network.traffic().all_sent(),
        received: network.traffic().all_received(),
    })
}

/// Has the node do something, and tells how far it is.
async fn command(driver: &Driver, site: Option<&Site>, stream: &mut UnixStream, request: Request) {
    let (progress, mut progressing) = mpsc::channel(4);
    let mut step = move |step| {
        // A slow reader misses steps, and the work does not wait for it.
        if progress.try_send(step).is_err() {
            tracing::trace!("a step of progress was skipped");
        }
    };
    let work = async {
        if let Request::Backup { folder } = request {
            back_up(driver, folder, step).await
        } else {
            driver
                .ask(move |node| node.handle(request, &mut step))
                .await
        }
    };
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            Some(step) = progressing.recv() => {
                if control::send(stream, &Said::Progress(step)).await.is_err() {
                    tracing::debug!("whoever asked is gone; the work goes on");
                }
            }
        }
    };
    let done = done.map(|reply| with_base(reply, site));
    let said = done.map_or_else(Said::Failure, |reply| Said::Reply(Box::new(reply)));
    answer(stream, &said).await;
}

/// Says to an app where it reads.
fn with_base(reply: Reply, site: Option<&Site>) -> Reply {
    let Reply::Connect(mut shown) = reply else {
        return reply;
    };
    let base = site.map(Site::fhir_base);
    match shown.as_mut() {
        ConnectShown::Token(token) => token.base = base,
        ConnectShown::Registered(app) => app.base = base,
        ConnectShown::List(_) | ConnectShown::Stopped(_) => {}
    }
    Reply::Connect(shown)
}

/// Copies what the node holds now, while it goes on.
pub(crate) async fn back_up(
    driver: &Driver,
    folder: PathBuf,
    mut step: impl FnMut(Progress) + Send + 'static,
) -> Result<Reply, Failure> {
    let snapshot = driver.ask(|node| node.snapshot()).await?;
    let copying = tokio::task::spawn_blocking(move || snapshot.copy_to(&folder, &mut step));
    let copied = copying.await.map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The backup was broken off.",
            "Run it again; the backup that was there before stays good.",
        )
        .because(&error)
    })?;
    copied.map(Reply::BackedUp)
}

async fn answer(stream: &mut UnixStream, said: &Said) {
    if control::send(stream, said).await.is_err() {
        tracing::debug!("whoever asked is gone");
    }
}

/// Tells what happens until whoever asked goes away or the node stops.
async fn follow(driver: &Driver, stream: &mut UnixStream, mut since: Since) {
    let (mut taken, mut late) = (driver.taken(), driver.late());
    // What is late already is told at once: nobody who begins to listen misses it.
    let mut late_after_ms = 0;
    loop {
        taken.mark_unchanged();
        late.mark_unchanged();
        let asked = since.clone();
        let told = driver.ask(move |node| node.events_from(&asked)).await;
        let told = match told {
            Ok(told) => told,
            Err(failure) => return answer(stream, &Said::Failure(failure)).await,
        };
        for occurred in told.occurred {
            let said = Said::Happened(Box::new(occurred));
            if control::send(stream, &said).await.is_err() {
                return;
            }
        }
        if since.after.replace(told.through) != Some(told.through) {
            continue;
        }
        let (record, mut after_ms) = (since.record.clone(), late_after_ms);
        let passed = driver
            .ask(move |node| Ok((node.late_from(&mut after_ms, record.as_deref())?, after_ms)))
            .await;
        let (passed, now_ms) = match passed {
            Ok(passed) => passed,
            Err(failure) => return answer(stream, &Said::Failure(failure)).await,
        };
        late_after_ms = now_ms;
        for occurred in passed {
            let said = Said::Happened(Box::new(occurred));
            if control::send(stream, &said).await.is_err() {
                return;
            }
        }
        let mut byte = [0];
        tokio::select! {
            changed = taken.changed() => if changed.is_err() { return },
            passed = late.changed() => if passed.is_err() { return },
            // Whoever follows says nothing more: what can be read is the end.
            _ = stream.read(&mut byte) => return,
        }
    }
}
