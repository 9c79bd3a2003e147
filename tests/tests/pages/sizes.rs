//! Requests that are too long: each is told so, and the node goes on.

use super::Surgery;
use crate::harness::pages::{multipart, raw, request};

const TOO_LONG: u16 = 413;
const HEADERS_TOO_LONG: u16 = 431;

#[test]
fn headers_without_end_are_refused() {
    let surgery = Surgery::open();
    let host = surgery.visitor.host.as_str();
    for len in [20_000, 60_000, 2_000_000] {
        let long = "x".repeat(len);
        let headers = [("Host", host), ("X-Long", &long)];
        let answer = raw(host, &request("GET /records", &headers, b""));
        // Far above the bound the node hangs up, and may not be heard.
        assert!(
            answer
                .as_ref()
                .is_none_or(|answer| answer.status == HEADERS_TOO_LONG),
            "{len}: {answer:?}"
        );
        assert!(len > 60_000 || answer.is_some(), "{len} bytes are answered");
    }
    let many: Vec<_> = (0..500).map(|n| format!("X-{n}")).collect();
    let mut headers: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
    headers.push(("Host", host));
    let answer = raw(host, &request("GET /records", &headers, b"")).expect("an answer");
    assert_eq!(answer.status, HEADERS_TOO_LONG);
    surgery.visitor.get("/records").is(200);
}

#[test]
fn a_form_or_a_file_that_is_too_long_is_told_so_in_words() {
    let surgery = Surgery::open();
    let digest = surgery.node.digest(&surgery.record);
    let add = surgery.page("/add");
    let token = surgery.visitor.token(&add);
    let note = "x".repeat(300_000);
    let fields = [("form", token.as_str()), ("note", &note), ("what", "note")];
    let answer = surgery.visitor.post(&add, &fields);
    answer.is(TOO_LONG).says("Nothing was changed");

    let file = vec![b'x'; 65 << 20];
    let fields = [("form", token.as_str()), ("what", "file")];
    let (kind, body) = multipart(&fields, &[("file", "long.txt", &file)]);
    let answer = surgery.visitor.send(&add, &kind, &body);
    answer.is(TOO_LONG).says("Nothing was changed");

    // Of what has no session, and of what says nothing of its length, no more is read.
    let host = surgery.visitor.host.as_str();
    let origin = format!("http://{host}");
    let mut asked = format!(
        "POST /enter HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..40 {
        asked.extend(b"2710\r\n");
        asked.extend([b'x'; 10_000]);
        asked.extend(b"\r\n");
    }
    asked.extend(b"0\r\n\r\n");
    let answer = raw(host, &asked);
    assert!(answer.is_none_or(|answer| answer.status >= 400));
    surgery.visitor.get("/records").is(200);
    assert_eq!(surgery.node.digest(&surgery.record), digest);
}
