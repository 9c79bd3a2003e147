//! Requests that a browser is made to send by a page elsewhere, and what a program makes up.

use super::{Surgery, file_name};
use crate::harness::{
    pages::{Visitor, enter, multipart, parts, raw, request},
    until,
};

const MISDIRECTED: u16 = 421;
const FORBIDDEN: u16 = 403;
const UNAUTHORIZED: u16 = 401;

#[test]
fn a_name_that_was_bent_to_this_machine_gets_nothing() {
    let surgery = Surgery::open();
    let Visitor { host, cookie } = &surgery.visitor;
    let (_, port) = host.split_once(':').expect("a port");
    let next = port.parse::<u32>().expect("a number") + 1;
    for other in [
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{next}"),
        "127.0.0.1".to_owned(),
        format!("0.0.0.0:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("2130706433:{port}"),
        format!("127.1:{port}"),
        String::new(),
    ] {
        for path in ["/", "/records", "/style.css", "/live"] {
            let headers = [("Host", other.as_str()), ("Cookie", cookie)];
            let asked = request(&format!("GET {path}"), &headers, b"");
            let answer = raw(host, &asked).expect("an answer");
            let text = answer.text();
            assert_eq!(answer.status, MISDIRECTED, "{other} {path}: {text}");
            assert!(!text.contains("Riverside"), "{text}");
        }
    }
    let twice = [("Host", host.as_str()), ("Host", host), ("Cookie", cookie)];
    let without = [("Cookie", cookie.as_str())];
    for headers in [&twice[..], &without] {
        let answer = raw(host, &request("GET /records", headers, b"")).expect("an answer");
        assert!([400, MISDIRECTED].contains(&answer.status), "{headers:?}");
    }
}

#[test]
fn another_site_moves_nobody_to_do_anything() {
    let surgery = Surgery::open();
    let Visitor { host, cookie } = &surgery.visitor;
    let digest = surgery.node.digest(&surgery.record);
    let token = surgery.visitor.token(&surgery.page("/add"));
    let body = format!("form={token}&note=Forged&what=note");
    let (name, port) = host.split_once(':').expect("a port");
    let here = format!("http://{host}");
    let neighbour = format!(
        "http://{name}:{}",
        port.parse::<u32>().expect("a number") + 1
    );
    let cases: [&[(&str, &str)]; 9] = [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", &here)],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", &neighbour)],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", &neighbour)],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "null")],
        &[("Origin", "http://evil.example")],
        &[("Origin", &neighbour)],
        &[("Origin", &here), ("Origin", "http://evil.example")],
        &[],
    ];
    for case in cases {
        let mut headers = vec![
            ("Host", host.as_str()),
            ("Cookie", cookie),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        headers.extend(case);
        let line = format!("POST {}", surgery.page("/add"));
        let answer = raw(host, &request(&line, &headers, body.as_bytes())).expect("an answer");
        assert_eq!(answer.status, FORBIDDEN, "{case:?}: {}", answer.text());
    }
    for site in ["cross-site", "same-site"] {
        let headers = [
            ("Host", host.as_str()),
            ("Cookie", cookie),
            ("Sec-Fetch-Site", site),
        ];
        for path in ["/records", "/live", "/script.js"] {
            let asked = request(&format!("GET {path}"), &headers, b"");
            let answer = raw(host, &asked).expect("an answer");
            assert_eq!(answer.status, FORBIDDEN, "{site} {path}");
        }
    }
    assert_eq!(
        surgery.node.digest(&surgery.record),
        digest,
        "nothing was written"
    );
}

#[test]
fn a_form_without_the_sessions_own_token_does_nothing() {
    let surgery = Surgery::open();
    let digest = surgery.node.digest(&surgery.record);
    let add = surgery.page("/add");
    let note = [("note", "Forged"), ("what", "note")];
    let made_up = "0".repeat(64);
    let other = surgery.node.visited().token(&add);
    for token in ["", "x", &made_up, &other] {
        let mut fields = vec![("form", token)];
        fields.extend(note);
        let answer = surgery.visitor.post(&add, &fields);
        answer.is(FORBIDDEN).says("nothing was done");
        let (kind, body) = multipart(&[("form", token)], &[("file", "a.txt", b"Forged")]);
        surgery.visitor.send(&add, &kind, &body).is(FORBIDDEN);
    }
    surgery.visitor.post(&add, &note).is(FORBIDDEN);
    // A file before the token is not taken on trust.
    let token = surgery.visitor.token(&add);
    let (kind, body) = multipart(&[], &[("file", "a.txt", b"Forged")]);
    let end = body.len() - 2 - "------kith-tests-7MA4YWxkTrZu0gW--".len();
    let late = format!("\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n");
    let mut late_token = body[..end].to_vec();
    late_token.extend(b"------kith-tests-7MA4YWxkTrZu0gW");
    late_token.extend(late.into_bytes());
    late_token.extend(b"------kith-tests-7MA4YWxkTrZu0gW--\r\n");
    surgery.visitor.send(&add, &kind, &late_token).is(FORBIDDEN);
    assert_eq!(
        surgery.node.digest(&surgery.record),
        digest,
        "nothing was written"
    );
}

#[test]
fn links_and_sessions_end_and_belong_to_one_node() {
    let (surgery, clinic) = (Surgery::open(), Surgery::open());
    let (host, secret) = parts(&surgery.node.link());
    // Looking at a link, as a messenger does, does not use it up.
    for _ in 0..3 {
        let headers = [("Host", host.as_str())];
        let asked = request(&format!("GET /enter/{secret}"), &headers, b"");
        raw(&host, &asked).expect("an answer").is(200);
    }
    let entered = enter(&host, &secret).is(303);
    let cookie = entered.header("set-cookie").expect("a session").to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    enter(&host, &secret)
        .is(UNAUTHORIZED)
        .says("does not open kith any more");
    enter(&host, &"0".repeat(64)).is(UNAUTHORIZED);

    // A session that was left is over, also for whoever kept its cookie.
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    let (name, session) = pair.split_once('=').expect("a name");
    let visitor = Visitor {
        host,
        cookie: pair.clone(),
    };
    let token = visitor.token("/records/new");
    visitor
        .post("/leave", &[("form", &token)])
        .is(200)
        .says("Closed");
    visitor.get("/records").is(UNAUTHORIZED);

    // Nobody gets in with the cookie of another node, or under another name.
    let own = clinic
        .visitor
        .cookie
        .split('=')
        .next()
        .expect("a name")
        .to_owned();
    let live = surgery.visitor.cookie.split_once('=').expect("a name").1;
    for cookie in [
        surgery.visitor.cookie.clone(),
        format!("{own}={live}"),
        format!("{own}={session}"),
        format!("{own}="),
        format!("{name}={live}; x"),
        "x".repeat(4000),
    ] {
        let stranger = Visitor {
            host: clinic.visitor.host.clone(),
            cookie,
        };
        stranger.get("/records").is(UNAUTHORIZED);
    }
    clinic.visitor.get("/records").is(200);
}

#[test]
fn what_files_are_called_leads_nowhere() {
    let surgery = Surgery::open();
    let add = surgery.page("/add");
    let outside = surgery.node.beside("outside.txt");
    let names = [
        "../../outside.txt",
        "..\\..\\outside.txt",
        "/etc/../tmp/outside.txt",
        "..",
        ".",
        "%2e%2e%2foutside.txt",
        "a\u{0}b.txt",
    ];
    for name in names {
        let token = surgery.visitor.token(&add);
        let fields = [("form", token.as_str()), ("title", ""), ("what", "file")];
        let (kind, body) = multipart(&fields, &[("file", name, b"a letter")]);
        let answer = surgery.visitor.send(&add, &kind, &body);
        assert!(
            [303, 400, 409].contains(&answer.status),
            "{name}: {}",
            answer.text()
        );
        assert!(!outside.exists(), "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(surgery.node.home())
        .expect("the node's folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with("passing") || name.contains("outside"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    for path in [
        "/../../etc/passwd",
        "/r/../../../etc/passwd",
        "/r/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        &surgery.page("/thing/..%2f..%2fkey/file/0"),
        &surgery.page("/part/..%2f..%2fidentity"),
        &surgery.page("/thing/x/file/18446744073709551616"),
        "/enter/..%2f..%2fetc",
    ] {
        let answer = surgery.visitor.get(path);
        assert!(answer.status < 500, "{path}: {}", answer.text());
        assert!(!answer.text().contains("root:"), "{path}");
    }
}

#[test]
fn a_title_puts_no_header_into_an_answer() {
    let surgery = Surgery::open();
    let add = surgery.page("/add");
    let evil = "x\"\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>\u{202e}";
    let token = surgery.visitor.token(&add);
    let fields = [("form", token.as_str()), ("title", evil), ("what", "file")];
    let page = b"<script>alert(1)</script>";
    let (kind, body) = multipart(&fields, &[("file", "evil.html", page)]);
    surgery.visitor.send(&add, &kind, &body).is(303);
    let letters = surgery.page("/part/letters");
    until("the letter is in the record", || {
        surgery.visitor.get(&letters).status == 200
    });
    let mut files = 0;
    for link in surgery.visitor.page(&letters).links() {
        if !link.contains("/thing/") {
            continue;
        }
        for file in surgery.visitor.page(&link).links() {
            if !file.contains("/file/") {
                continue;
            }
            files += 1;
            let answer = surgery.visitor.get(&file).is(200);
            assert!(answer.header("set-cookie").is_none(), "{answer:?}");
            assert!(
                !file_name(&answer).contains(['\r', '\n', '<']),
                "{answer:?}"
            );
            let kind = answer.header("content-type").unwrap_or_default();
            assert!(
                !kind.contains("html"),
                "a page is never shown from a record: {kind}"
            );
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("sandbox"), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
    assert!(files > 0, "the letter has a file");
}

#[test]
fn every_answer_forbids_what_a_page_must_not_do() {
    let surgery = Surgery::open();
    let stranger = Visitor {
        cookie: String::new(),
        ..surgery.visitor.clone()
    };
    for (visitor, path) in [
        (&surgery.visitor, "/records"),
        (&surgery.visitor, "/no-such-page"),
        (&surgery.visitor, "/style.css"),
        (&stranger, "/records"),
        (&stranger, "/enter/x"),
    ] {
        let answer = visitor.get(path);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(
            answer.header("access-control-allow-origin").is_none(),
            "{path}"
        );
    }
}
