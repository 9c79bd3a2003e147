//! What becomes late while a page is open is told to it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use super::Surgery;
use crate::harness::pages::{Visitor, request};

/// So many seconds from now, as FHIR writes it.
pub fn in_seconds(seconds: u32) -> String {
    let mut date = Command::new("date");
    date.args([
        "-u",
        "-d",
        &format!("+{seconds} seconds"),
        "+%Y-%m-%dT%H:%M:%SZ",
    ]);
    let said = date.output().expect("the time is known");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

/// Follows what a page is told until it is told this.
fn told(visitor: &Visitor, what: &str, meanwhile: impl FnOnce()) {
    let Visitor { host, cookie } = visitor;
    let mut stream = TcpStream::connect(host).expect("the pages are served");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a socket");
    let headers = [("Host", host.as_str()), ("Cookie", cookie)];
    let asked = request("GET /live", &headers, b"");
    stream.write_all(&asked).expect("it is asked");
    let mut meanwhile = Some(meanwhile);
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&said).contains(what) {
        let len = stream.read(&mut buffer).expect("it is told in time");
        assert!(
            len > 0,
            "the node hung up: {}",
            String::from_utf8_lossy(&said)
        );
        said.extend_from_slice(&buffer[..len]);
        if let Some(meanwhile) = meanwhile.take_if(|_| said.windows(4).any(|end| end == b"news")) {
            meanwhile();
        }
    }
}

#[test]
fn a_page_that_is_open_is_told_when_something_becomes_late() {
    let surgery = Surgery::open();
    let to_do = surgery.page("/to-do");
    let due = in_seconds(3);
    told(&surgery.visitor, "event: late", || {
        let task = ["add", &surgery.record, "task", "Ring the daughter"];
        surgery.node.json(task.iter().chain(&["--by", &due]));
        let page = surgery.visitor.page(&to_do).says("Ring the daughter");
        assert!(!page.answer.text().contains("Late since"));
    });
    let page = surgery.visitor.page(&to_do).says("Late since");
    let text = page.answer.text();
    assert!(text.contains("1 late") && !text.contains(&due), "{text}");
}
