//! Messages of many systems at once, over sockets of this machine: each is answered before the next
//! is sent, and all have to be filed in the end.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::{Bench, measure::share_of, odd};
use crate::{
    api::{ConnectHl7, InboxAsk, InboxShown, Reply, Request},
    control::Client,
    daemon::Daemon,
    failure::{Ending, Failure},
    health::hl7v2::frame::framed,
    home::{Home, Unlock},
    node::{Node, Role},
};

/// Systems that are connected, messages of all of them together in a second, and for how long.
const SYSTEMS: usize = 50;
const A_SECOND: usize = 200;
const SECONDS: usize = 10;
/// People whom they are about.
const PEOPLE: usize = 100;

impl Bench {
    pub(super) fn hl7(&mut self) -> Result<(), Failure> {
        let home = Home::at(self.place.folder().join("hl7"));
        Node::set_up(&home, "Hospital", Role::Hospital, &Unlock::KeyFile)?;
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let listen = Request::ConnectHl7(Some(ConnectHl7 {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..ConnectHl7::default()
        }));
        node.handle(listen, &mut |_| {})?;
        drop(node);
        let runtime = tokio::runtime::Runtime::new().map_err(|error| broken(&error))?;
        let (at, stop, running) = runtime.block_on(start(home.clone()))?;
        let started = Instant::now();
        let answers = send_all(at);
        let sent_s = started.elapsed().as_secs_f64();
        let filed = wait_until_filed(&home);
        let filed_s = started.elapsed().as_secs_f64();
        drop(stop);
        runtime.block_on(async {
            match running.await {
                Ok(ended) => ended,
                Err(_) => Err(odd()),
            }
        })?;
        let mut answers = answers?;
        let (count, filed) = (answers.len(), filed?);
        let wanted = A_SECOND * SECONDS;
        if count != wanted || filed != wanted {
            return Err(Failure::new(
                Ending::Failed,
                format!("Of {wanted} messages {count} were acknowledged and {filed} are filed."),
                "This is a fault of kith.",
            ));
        }
        answers.sort_by(f64::total_cmp);
        let what = format!("{SYSTEMS} systems, {A_SECOND} messages/s");
        #[expect(
            clippy::cast_precision_loss,
            reason = "some thousand messages are a number that is exact"
        )]
        let count = count as f64;
        self.figures.aim(
            &format!("{what}: acknowledged in a second"),
            count / sent_s,
            "messages",
            None,
        );
        self.figures.aim(
            &format!("{what}: an answer, the slowest of twenty"),
            share_of(&answers, 0.95),
            "ms",
            Some(250.0),
        );
        self.figures.aim(
            &format!("{what}: filed in a second"),
            count / filed_s,
            "messages",
            None,
        );
        Ok(())
    }
}

type Started = (
    SocketAddr,
    tokio::sync::oneshot::Sender<()>,
    tokio::task::JoinHandle<Result<(), Failure>>,
);

/// A node that listens, until the sender is dropped.
async fn start(home: Home) -> Result<Started, Failure> {
    let mut daemon = Daemon::start(home, Unlock::KeyFile).await?;
    let own = ["127.0.0.1:0".to_owned()];
    daemon
        .listen(&own, crate::whereabouts::ReachableAt::default())
        .await?;
    let at = daemon.connect().await?.ok_or_else(odd)?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(daemon.run(async {
        if stopped.await.is_ok() {
            tracing::debug!("the benchmark ends");
        }
    }));
    Ok((at, stop, running))
}

/// Sends from all systems at their pace; milliseconds until each answer.
fn send_all(at: SocketAddr) -> Result<Vec<f64>, Failure> {
    let sending: Vec<_> = (0..SYSTEMS)
        .map(|system| std::thread::spawn(move || send(at, system)))
        .collect();
    let mut all = Vec::new();
    for sending in sending {
        let answers = sending.join().map_err(|_| odd())?;
        all.extend(answers.map_err(|error| broken(&error))?);
    }
    Ok(all)
}

fn send(at: SocketAddr, system: usize) -> std::io::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let started = Instant::now();
    let own = A_SECOND * SECONDS / SYSTEMS;
    let mut answers = Vec::with_capacity(own);
    for n in 0..own {
        let due = Duration::from_secs_f64(f64_of(n * SYSTEMS + system) / f64_of(A_SECOND));
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        let person = (n * SYSTEMS + system) % PEOPLE;
        let begun = Instant::now();
        stream.write_all(&framed(&message(system, n, person)))?;
        let mut answer = Vec::new();
        let mut buffer = [0; 2048];
        while !answer.ends_with(b"\x1c\r") {
            let len = stream.read(&mut buffer)?;
            if len == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&buffer[..len]);
        }
        if answer.windows(7).any(|seven| seven == b"MSA|AA|") {
            answers.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(answers)
}

fn message(system: usize, n: usize, person: usize) -> Vec<u8> {
    let day = 1 + person % 28;
    format!(
        "MSH|^~\\&|LAB{system}|RXH|KITH|GP|20261129101500+0000||ORU^R01|{system}-{n}|P|2.5.1\rPID|1||{person}^^^RXH^MR||Penn{person}^Ada||194102{day:02}|F\rOBR|1|P{n}^GP|{system}-{n}^LAB|24323-8^Renal panel^LN|||20261129100000+0000||||||||||||||||||F\rOBX|1|NM|2823-3^Potassium^LN||4.10|mmol/L^^UCUM|3.5-5.3|N|||F\rOBX|2|NM|2160-0^Creatinine^LN||88|umol/L^^UCUM|60-110|N|||F\r"
    )
    .into_bytes()
}

/// Waits until nothing waits any more; how many are filed.
fn wait_until_filed(home: &Home) -> Result<usize, Failure> {
    loop {
        let shown = inbox(home, InboxAsk::List { all: false })?;
        if shown.wait == 0 {
            let sent = A_SECOND * SECONDS;
            return Ok(sent - shown.need_a_person);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn inbox(home: &Home, asked: InboxAsk) -> Result<InboxShown, Failure> {
    let client = Client::connect(home).ok_or_else(odd)?;
    let reply = client.command(Request::Inbox(asked), &mut |_| {})?;
    let Reply::Inbox(shown) = reply else {
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
