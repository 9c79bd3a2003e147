//! A thousand connections that say nothing, or say it slowly, take no page from anybody.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::Surgery;

const SLOW: usize = 1_000;

/// Within this a page is there, on a machine that is busy with other tests.
const IN_TIME: Duration = Duration::from_secs(5);

/// What a thousand slow ones may cost.
const MEMORY_MAX: u64 = 100 << 20;

#[test]
fn a_thousand_slow_connections_do_not_keep_a_page_away() {
    let surgery = Surgery::open();
    let host = surgery.visitor.host.clone();
    surgery.visitor.get("/records").is(200);
    let before = surgery.runs.resident_bytes();
    let begin = format!("GET /records HTTP/1.1\r\nHost: {host}\r\nX-Slow: ");
    let form = format!(
        "POST /enter HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 100000\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\nlink="
    );
    let mut slow: Vec<_> = (0..SLOW)
        .map(|n| {
            let mut stream = TcpStream::connect(&host).expect("a connection");
            let said = match n % 3 {
                0 => "",
                1 => begin.as_str(),
                _ => form.as_str(),
            };
            // One that gave way already has nothing to say.
            let _said = stream.write_all(said.as_bytes());
            stream
        })
        .collect();
    for round in 0..5 {
        for stream in &mut slow {
            let _said = stream.write_all(b"x");
        }
        let began = Instant::now();
        surgery.visitor.get("/records").is(200);
        let took = began.elapsed();
        assert!(took < IN_TIME, "round {round}: {took:?}");
    }
    let cost = surgery.runs.resident_bytes().saturating_sub(before);
    assert!(cost < MEMORY_MAX, "{cost} bytes");
    drop(slow);
    surgery.visitor.get("/records").is(200);
}
