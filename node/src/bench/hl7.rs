//! Messages of many systems at once, over sockets of this machine: each is answered before the next
//! is sent, the node is killed in the middle and started again, and each has to be there in the end,
//! filed or waiting to be.

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use super::{
    Bench,
    measure::{Clock, share_of},
    odd,
    station::Station,
};
use crate::{
    api::{ConnectHl7, InboxAsk, InboxShown, Reply, Request},
    failure::{Ending, Failure},
    hl7::Caller,
    node::Role,
    place,
};

/// Systems that are connected, messages of all of them together in a second, and for how long.
const SYSTEMS: usize = 50;
const A_SECOND: usize = 200;
const SECONDS: usize = 60;
const MESSAGES: usize = A_SECOND * SECONDS;
/// People whom they are about.
const PEOPLE: usize = 100;
/// When the node is killed.
const KILLED_AFTER: Duration = Duration::from_secs(30);
/// How long a system tries to be heard again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a system waits after it was not heard.
const REST: Duration = Duration::from_millis(20);

/// What one system saw.
#[derive(Default)]
struct Sent {
    /// Milliseconds until each answer, counted from when the message went out for the last time.
    answered_ms: Vec<f64>,
    /// Messages that went out again, since the node was gone before it answered.
    again: usize,
}

impl Bench {
    pub(super) fn hl7(&mut self) -> Result<(), Failure> {
        let mut node = self.station("hl7", "Hospital", Role::Hospital)?;
        let at = free_port()?;
        let listen = Request::ConnectHl7(Some(ConnectHl7 {
            listen: Some(at),
            ..ConnectHl7::default()
        }));
        node.node()?.handle(listen, &mut |_| {})?;
        node.start()?;
        let started = Instant::now();
        let sending = std::thread::spawn(move || send_all(at));
        std::thread::sleep(KILLED_AFTER);
        let before_s = node.processor_s();
        node.kill()?;
        let killed = Clock::start();
        node.start()?;
        let back_s = killed.stop().wall_s;
        let sent = sending.join().map_err(|_| odd())??;
        let sent_s = started.elapsed().as_secs_f64();
        let here = inbox(&node)?;
        let used_s = before_s + node.processor_s();
        let count = sent.answered_ms.len();
        let kept = here.messages.len() + here.not_listed;
        if count != MESSAGES || kept != MESSAGES || here.need_a_person > 0 {
            return Err(Failure::new(
                Ending::Failed,
                format!(
                    "Of {MESSAGES} messages {count} were acknowledged, {kept} are on the disk, and {} need a person.",
                    here.need_a_person
                ),
                "This is a fault of kith.",
            ));
        }
        let mut times = sent.answered_ms;
        times.sort_by(f64::total_cmp);
        let what = format!("{SYSTEMS} systems, {A_SECOND} messages/s for {SECONDS} s");
        let all = f64_of(MESSAGES);
        let figures = &mut self.figures;
        figures.note(&format!("{what}: acknowledged"), all, "messages");
        figures.note(&format!("{what}: in a second"), all / sent_s, "messages");
        figures.note(
            &format!("{what}: an answer, half within"),
            share_of(&times, 0.5),
            "ms",
        );
        figures.aim(
            &format!("{what}: an answer, 95 in 100 within"),
            share_of(&times, 0.95),
            "ms",
            Some(250.0),
        );
        figures.note("killed in the middle: it listens again after", back_s, "s");
        figures.note(
            "killed in the middle: sent again",
            f64_of(sent.again),
            "messages",
        );
        figures.note(
            "on the disk after the kill, of those acknowledged",
            f64_of(kept) / all,
            "",
        );
        figures.note(
            "filed meanwhile, in a second",
            (all - f64_of(here.wait)) / sent_s,
            "messages",
        );
        figures.note("processor time meanwhile", used_s, "s");
        Ok(())
    }
}

fn free_port() -> Result<SocketAddr, Failure> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .map_err(|error| place::failure(&error))
}

/// Sends from all systems at their pace.
fn send_all(at: SocketAddr) -> Result<Sent, Failure> {
    let sending: Vec<_> = (0..SYSTEMS)
        .map(|system| std::thread::spawn(move || send(at, system)))
        .collect();
    let mut all = Sent::default();
    for sending in sending {
        let sent = sending.join().map_err(|_| odd())?;
        let sent = sent.map_err(|error| broken(&error))?;
        all.answered_ms.extend(sent.answered_ms);
        all.again += sent.again;
    }
    Ok(all)
}

fn send(at: SocketAddr, system: usize) -> std::io::Result<Sent> {
    let mut caller = connected(at)?;
    let started = Instant::now();
    let mut sent = Sent::default();
    for n in 0..MESSAGES / SYSTEMS {
        let due = Duration::from_secs_f64(f64_of(n * SYSTEMS + system) / f64_of(A_SECOND));
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        let person = (n * SYSTEMS + system) % PEOPLE;
        let message = message(system, n, person);
        loop {
            let begun = Instant::now();
            match caller.send(&message) {
                Ok(answer) if answer == "AA" => {
                    sent.answered_ms
                        .push(begun.elapsed().as_secs_f64() * 1000.0);
                    break;
                }
                // It asks for patience, or is gone.
                Ok(_) => std::thread::sleep(REST),
                Err(_) => caller = connected(at)?,
            }
            sent.again += 1;
        }
    }
    Ok(sent)
}

fn connected(at: SocketAddr) -> std::io::Result<Caller> {
    let since = Instant::now();
    loop {
        match Caller::connect(at) {
            Ok(caller) => return Ok(caller),
            Err(error) if since.elapsed() > PATIENCE => return Err(error),
            Err(_) => std::thread::sleep(REST),
        }
    }
}

fn message(system: usize, n: usize, person: usize) -> Vec<u8> {
    let day = 1 + person % 28;
    format!(
        "MSH|^~\\&|LAB{system}|RXH|KITH|GP|20261129101500+0000||ORU^R01|{system}-{n}|P|2.5.1\rPID|1||{person}^^^RXH^MR||Penn{person}^Ada||194102{day:02}|F\rOBR|1|P{n}^GP|{system}-{n}^LAB|24323-8^Renal panel^LN|||20261129100000+0000||||||||||||||||||F\rOBX|1|NM|2823-3^Potassium^LN||4.10|mmol/L^^UCUM|3.5-5.3|N|||F\rOBX|2|NM|2160-0^Creatinine^LN||88|umol/L^^UCUM|60-110|N|||F\r"
    )
    .into_bytes()
}

/// Everything that came in.
fn inbox(node: &Station) -> Result<InboxShown, Failure> {
    let asked = InboxAsk::List { all: true };
    let Reply::Inbox(shown) = node.ask(Request::Inbox(asked))? else {
        return Err(odd());
    };
    Ok(shown)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "some thousand messages are a number that is exact"
)]
const fn f64_of(n: usize) -> f64 {
    n as f64
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The benchmark of messages was broken off.",
        "Run it again when the machine has less to do.",
    )
    .because(error)
}
