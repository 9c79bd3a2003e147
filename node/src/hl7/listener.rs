//! The listener: who may connect, how many, how long, and what each is answered.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use kith_protocol::limits::{HL7_MESSAGE_LEN_MAX, MLLP_CONNECTIONS_MAX};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use super::desk::Desk;
use crate::{
    health::hl7v2::{
        Header,
        ack::{Answering, Mode, Word, answer},
        frame::{Came, Framer, framed},
    },
    node::{Arrival, Hl7Settings},
};

/// A connection on which nothing is sent for so long is closed; senders open it again.
const IDLE_LASTS: Duration = Duration::from_mins(30);
/// Once a message has begun it is there within so long.
const MESSAGE_LASTS: Duration = Duration::from_secs(60);
/// An answer that is not taken within so long is not waited for.
const ANSWER_LASTS: Duration = Duration::from_secs(30);
/// After an error of the listener itself, such as too many open files.
const REST: Duration = Duration::from_millis(200);
/// Bytes of what is too long that are kept.
const TOO_LONG_KEPT: usize = 64 * 1024;

/// Takes connections until it is dropped, and ends them with itself.
pub(super) async fn listen(listener: TcpListener, desk: Desk, settings: Hl7Settings) {
    let places = Arc::new(Semaphore::new(MLLP_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        if !settings.allows(address.ip()) {
            tracing::warn!("a connection of an address that is not allowed was closed");
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("too many systems are connected; one more was closed");
            continue;
        };
        let desk = desk.clone();
        connections.spawn(async move {
            serve(stream, address, &desk).await;
            drop(place);
        });
    }
}

async fn serve(mut stream: TcpStream, address: SocketAddr, desk: &Desk) {
    let mut framer = Framer::new(HL7_MESSAGE_LEN_MAX);
    let mut buffer = vec![0; 64 * 1024];
    let mut begun: Option<tokio::time::Instant> = None;
    loop {
        let lasts = match begun {
            Some(since) => MESSAGE_LASTS.saturating_sub(since.elapsed()),
            None => IDLE_LASTS,
        };
        let len = match timeout(lasts, stream.read(&mut buffer)).await {
            Ok(Ok(len)) if len > 0 => len,
            // What was cut off was never acknowledged: its sender has it and sends it again.
            Ok(Ok(_)) | Ok(Err(_)) => break,
            Err(_) => {
                tracing::debug!("a connection was closed: a message did not end, or none came");
                break;
            }
        };
        framer.take(&buffer[..len]);
        while let Some(came) = framer.next_whole() {
            let ends = matches!(came, Came::TooLong(_));
            if let Some(answer) = answered(came, address, desk).await {
                let sent = timeout(ANSWER_LASTS, stream.write_all(&framed(&answer))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
            if ends {
                return;
            }
        }
        begun = match (framer.is_begun(), begun) {
            (true, Some(since)) => Some(since),
            (true, None) => Some(tokio::time::Instant::now()),
            (false, _) => None,
        };
    }
}

/// Makes what came durable, and says what is sent back.
async fn answered(came: Came, address: SocketAddr, desk: &Desk) -> Option<Vec<u8>> {
    let from = address.to_string();
    match came {
        Came::Message(bytes) => message(bytes, from, desk).await,
        Came::Broken(bytes) => {
            let stop = "its frame was broken: it did not stand between the marks of MLLP";
            broken(bytes, from, stop, desk).await
        }
        Came::TooLong(mut bytes) => {
            let stop = format!(
                "it did not end within {} MiB; its beginning is kept",
                HL7_MESSAGE_LEN_MAX >> 20
            );
            bytes.truncate(TOO_LONG_KEPT);
            broken(bytes, from, &stop, desk).await
        }
    }
}

async fn message(bytes: Vec<u8>, from: String, desk: &Desk) -> Option<Vec<u8>> {
    let header = Header::of(&bytes).ok();
    let mode = header.as_ref().map_or(Ok(Mode::Original), Mode::of);
    let stop = mode.as_ref().err().cloned();
    let arrival = Arrival {
        bytes,
        from,
        stop: stop.clone(),
    };
    let taken = desk.hand_in(arrival).await;
    let (word, why) = match (&taken, &header, &stop) {
        (None, _, _) => (
            Word::SendAgain,
            "it is not on the disk: send it again".to_owned(),
        ),
        (Some(_), None, _) => (
            Word::Refused,
            "it does not begin with an MSH segment; the bytes are kept in the inbox".to_owned(),
        ),
        (Some(_), Some(_), Some(stop)) => (Word::Refused, stop.clone()),
        (Some(taken), Some(_), None) if taken.again => {
            (Word::Accepted, "it was received before".to_owned())
        }
        (Some(_), Some(_), None) => (Word::Accepted, String::new()),
    };
    say(header.as_ref(), mode.unwrap_or(Mode::Original), word, &why)
}

async fn broken(bytes: Vec<u8>, from: String, stop: &str, desk: &Desk) -> Option<Vec<u8>> {
    let header = Header::of(&bytes).ok();
    let arrival = Arrival {
        bytes,
        from,
        stop: Some(stop.to_owned()),
    };
    let (word, why) = match desk.hand_in(arrival).await {
        Some(_) => (
            Word::Refused,
            format!("{stop}; the bytes are kept in the inbox"),
        ),
        None => (
            Word::SendAgain,
            "it is not on the disk: send it again".to_owned(),
        ),
    };
    say(header.as_ref(), Mode::Original, word, &why)
}

fn say(header: Option<&Header>, mode: Mode, word: Word, why: &str) -> Option<Vec<u8>> {
    let now = Timestamp::now();
    let id = format!(
        "K{}",
        data_encoding::HEXUPPER.encode(&crate::store::random::<8>())
    );
    let with = Answering {
        now: &now.strftime("%Y%m%d%H%M%S+0000").to_string(),
        id: &id,
        name: "KITH",
    };
    answer(header, mode, word, why, with)
}
