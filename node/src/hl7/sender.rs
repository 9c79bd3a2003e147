//! Messages that go out by MLLP, one after another to each system, until it has them.

use std::time::Duration;

use kith_protocol::limits::HL7_MESSAGE_LEN_MAX;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    driver::Driver,
    failure::Ending,
    health::hl7v2::{
        Header, Message,
        frame::{Came, Framer, framed},
    },
    node::{OutMessage, OutOutcome, now_ms},
};

/// Until a system answers a call.
const CALL_LASTS: Duration = Duration::from_secs(10);
/// Until it answers a message.
const ANSWER_LASTS: Duration = Duration::from_secs(30);
/// After a failure of the store.
const REST: Duration = Duration::from_secs(5);

/// Sends whatever waits, for as long as the node runs.
pub(super) async fn keep_sending(driver: Driver) {
    let mut changes = driver.interfaces();
    loop {
        changes.mark_unchanged();
        let next = driver
            .ask(|node| Ok((node.next_out()?, node.next_out_ms())))
            .await;
        match next {
            Ok((Some(message), _)) => {
                let (number, outcome) = (message.number, send(&message).await);
                let kept = driver
                    .ask(move |node| node.went_out(number, &outcome))
                    .await;
                if let Err(failure) = kept {
                    tracing::warn!(ending = ?failure.ending, "what came of a message was not kept");
                    tokio::time::sleep(REST).await;
                }
            }
            Ok((None, next)) => {
                let wait = next.map(|next| next.saturating_sub(now_ms()).max(50));
                // Where nothing waits, it looks again when something was queued.
                let wait = Duration::from_millis(wait.unwrap_or(u64::from(u32::MAX)));
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Err(failure) if failure.ending == Ending::NotRunning => return,
            Err(failure) => {
                tracing::warn!(ending = ?failure.ending, "what waits to be sent cannot be read");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn send(message: &OutMessage) -> OutOutcome {
    let again = OutOutcome::Again;
    let mut stream = match timeout(CALL_LASTS, TcpStream::connect(&message.to)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return again(format!("{} does not answer: {error}", message.to)),
        Err(_) => return again(format!("{} does not answer", message.to)),
    };
    match timeout(ANSWER_LASTS, exchange(&mut stream, message)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => again(format!("the connection with {} broke: {error}", message.to)),
        Err(_) => again(format!(
            "{} took the call and did not answer the message",
            message.to
        )),
    }
}

async fn exchange(stream: &mut TcpStream, message: &OutMessage) -> std::io::Result<OutOutcome> {
    stream.write_all(&framed(&message.bytes)).await?;
    let mut framer = Framer::new(HL7_MESSAGE_LEN_MAX);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(OutOutcome::Again(
                "the other side closed the connection before it answered".to_owned(),
            ));
        }
        framer.take(&buffer[..len]);
        while let Some(came) = framer.next_whole() {
            if let Came::Message(answer) = came
                && let Some(outcome) = outcome(&answer, &message.control_id)
            {
                return Ok(outcome);
            }
        }
    }
}

/// What an answer says, where it is one to this message.
fn outcome(answer: &[u8], control_id: &str) -> Option<OutOutcome> {
    let header = Header::of(answer).ok()?;
    let answer = Message::parse(header, answer, "8859/1").ok()?;
    let msa = answer.segment("MSA")?;
    if msa.field(2).first().c(1) != control_id {
        return None;
    }
    let why = msa.text(3).unwrap_or("no reason was given").to_owned();
    match msa.field(1).first().c(1) {
        "AA" | "CA" => Some(OutOutcome::Taken),
        "AE" | "CE" => Some(OutOutcome::Again(format!(
            "the other side says: send again ({why})"
        ))),
        "AR" | "CR" => Some(OutOutcome::Refused(format!(
            "the other side does not take it: {why}"
        ))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::outcome;
    use crate::node::OutOutcome;

    #[test]
    fn an_answer_counts_for_the_message_that_it_names() {
        let answer = |code: &str, id: &str| {
            format!("MSH|^~\\&|B|B|A|A|2026||ACK|9|P|2.5\rMSA|{code}|{id}|why\r").into_bytes()
        };
        assert_eq!(outcome(&answer("AA", "7"), "7"), Some(OutOutcome::Taken));
        assert_eq!(outcome(&answer("CA", "7"), "7"), Some(OutOutcome::Taken));
        assert_eq!(outcome(&answer("AA", "8"), "7"), None);
        assert!(
            matches!(outcome(&answer("AE", "7"), "7"), Some(OutOutcome::Again(why)) if why.contains("why"))
        );
        assert!(matches!(
            outcome(&answer("AR", "7"), "7"),
            Some(OutOutcome::Refused(_))
        ));
        assert_eq!(outcome(b"nothing", "7"), None);
    }
}
