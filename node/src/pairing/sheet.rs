//! An invitation on paper: one A4 page that says who invites, to what, and how to join: to a share,
//! or as another device of one's own.

use std::fmt::{self, Write};

use jiff::Timestamp;

use super::code;
use crate::{
    api::Shared,
    failure::{Ending, Failure},
    node::last_day,
};

/// The page. What others wrote stands in it as text and never as markup, and it asks no other
/// machine for anything.
pub fn page(shared: &Shared, now: Timestamp) -> Result<String, Failure> {
    let code = code::for_page(&shared.link)?;
    written(shared, &code, now).map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The sheet could not be written.",
            "This is a fault of kith.",
        )
        .because(&error)
    })
}

fn written(shared: &Shared, code: &str, now: Timestamp) -> Result<String, fmt::Error> {
    let mut page = String::new();
    let from = escaped(&shared.from);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Invitation from {from}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )?;
    let mut lines = begin(&mut page, shared, &from)?;
    lines.push(("Use this invitation before", day(&shared.invitation_ends)));
    for (name, value) in lines {
        let value = if value.is_empty() { "nothing" } else { &value };
        writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(value))?;
    }
    page.push_str("</dl>\n<h2>How to join</h2>\n<ol>\n");
    let [install, answers] = match is_share(shared) {
        true => [
            "Install kith on your computer and make your node: <kbd>kith setup</kbd>".to_owned(),
            format!(
                "Look whether it is {from} who answers. You may be asked for check words: read them to each other by telephone."
            ),
        ],
        false => [
            "Install kith on the new machine, and make no node there: joining makes it".to_owned(),
            format!(
                "Look whether it is {from} that answers. You may be asked for check words: compare them with those on the device that made this page, before you confirm there."
            ),
        ],
    };
    writeln!(page, "<li>{install}</li>")?;
    writeln!(
        page,
        "<li>Scan this code, or type the link below it: <kbd>kith join --link LINK</kbd></li>"
    )?;
    writeln!(page, "<li>{answers}</li>\n</ol>")?;
    writeln!(page, "<div class=\"code\">{code}</div>")?;
    writeln!(page, "<p class=\"link\">{}</p>", escaped(&shared.link))?;
    if let Some((words, ends)) = words(shared, now) {
        writeln!(
            page,
            "<p>Until {} four words do the same: <b>{}</b>{}</p>",
            escaped(&time(ends)),
            escaped(words),
            match shared.at.first() {
                Some(at) => format!(" (<kbd>kith join {} {}</kbd>)", escaped(at), escaped(words)),
                None => String::new(),
            }
        )?;
    }
    let (heading, meanings) = match is_share(shared) {
        true => (
            "What sharing means",
            vec![
                "You see earlier versions of what you may see too.".to_owned(),
                format!("{from} can stop sharing at any time. kith cannot take back what you already have on your own device."),
                "What you were sent is written down where it came from, and the person can read who looked.".to_owned(),
            ],
        ),
        false => (
            "What another device means",
            vec![
                format!("The new device gets everything that {from} has, and can do all that {from} can, until it is retired."),
                "Destroy this page when the new device has joined, or when you no longer want one.".to_owned(),
                "A device that is lost is stopped from another one: <kbd>kith devices retire</kbd>.".to_owned(),
            ],
        ),
    };
    writeln!(page, "<h2>{heading}</h2>\n<ul>")?;
    writeln!(
        page,
        "<li>This page works once. Whoever has it can use it: keep it as you would a key.</li>"
    )?;
    for meaning in meanings {
        writeln!(page, "<li>{meaning}</li>")?;
    }
    writeln!(page, "</ul>\n</body>\n</html>")?;
    Ok(page)
}

/// A share has an end; another device of one's own has none.
const fn is_share(shared: &Shared) -> bool {
    shared.until.is_some()
}

/// Who invites to what, and the lines that say so.
fn begin<'a>(
    page: &mut String,
    shared: &Shared,
    from: &str,
) -> Result<Vec<(&'a str, String)>, fmt::Error> {
    let kind = escaped(shared.kind.name());
    let Some(until) = &shared.until else {
        writeln!(
            page,
            "<h1>Another device of {from}</h1>\n<p>With this page a new machine becomes a device of {from} ({kind}).</p>\n<dl>"
        )?;
        return Ok(Vec::new());
    };
    writeln!(
        page,
        "<h1>{from} invites you</h1>\n<p>{from} ({kind}) shares parts of a person's record with you.</p>\n<dl>"
    )?;
    Ok(vec![
        ("You can see", in_words(&shared.see)),
        ("You can add to", in_words(&shared.add)),
        ("You can change", in_words(&shared.change)),
        ("Until the end of", last(until)),
    ])
}

const STYLE: &str = "@page{size:A4;margin:18mm}body{font:12pt/1.4 sans-serif;max-width:174mm;margin:0 auto;color:#000;background:#fff}\
h1{font-size:20pt;margin:0 0 4mm}h2{font-size:14pt;margin:5mm 0 2mm}dt{font-weight:bold}dd{margin:0 0 1.5mm}\
dl{margin:0}kbd{font-family:monospace}.code svg{width:62mm;height:62mm}.link{font:9pt/1.3 monospace;overflow-wrap:anywhere}\
ul,ol{margin:0;padding-left:6mm}";

/// The words, while they hold.
fn words(shared: &Shared, now: Timestamp) -> Option<(&str, &str)> {
    let words = shared.words.as_deref()?;
    let ends = shared.words_end.as_deref()?;
    let holds = ends.parse::<Timestamp>().is_ok_and(|ends| now < ends);
    holds.then_some((words, ends))
}

/// `medicines,plans:general` as people say it.
fn in_words(scopes: &str) -> String {
    let parts: Vec<_> = scopes
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(':') {
            _ if part == "all" => "everything".to_owned(),
            Some(("all", label)) => format!("everything labelled {}", spaced(label)),
            Some((section, label)) => format!("{} labelled {}", spaced(section), spaced(label)),
            None => spaced(part),
        })
        .collect();
    parts.join(", ")
}

fn spaced(word: &str) -> String {
    word.replace('-', " ")
}

/// The last day of a share.
fn last(until: &str) -> String {
    last_day(until).unwrap_or_else(|| time(until))
}

/// The day of an instant.
fn day(instant: &str) -> String {
    instant.split('T').next().unwrap_or(instant).to_owned()
}

/// An instant without its seconds.
fn time(instant: &str) -> String {
    match instant.parse::<Timestamp>() {
        Ok(instant) => instant.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => instant.to_owned(),
    }
}

/// As text in a page, without what could steer a reader of it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::page;
    use crate::{api::Shared, node::Role};

    fn shared() -> Shared {
        Shared {
            words: Some("birch lamp river forty".to_owned()),
            link: "kith:join/AAAA".to_owned(),
            until: Some("2027-12-31T00:00:00Z".to_owned()),
            words_end: Some("2026-11-28T10:15:00Z".to_owned()),
            invitation_ends: "2026-12-05T10:00:00Z".to_owned(),
            invitation: "0123456789ab".to_owned(),
            confirm: false,
            at: vec!["192.168.1.20".to_owned()],
            from: "<script>alert('x')</script> & Sons".to_owned(),
            kind: Role::Practice,
            see: "medicines,conditions:sexual-health".to_owned(),
            add: String::new(),
            change: String::new(),
        }
    }

    fn page_at(now: &str) -> String {
        let now: Timestamp = now.parse().expect("a time");
        page(&shared(), now).expect("a page")
    }

    #[test]
    fn a_name_is_text_and_nothing_is_fetched() {
        let page = page_at("2026-11-28T10:00:00Z");
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; Sons"));
        let outside = ["http:", "https:", "src=", "url(", "<link", "@import"];
        let said = page.replace("http://www.w3.org/2000/svg", "");
        for word in outside {
            assert!(!said.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn a_page_for_a_device_says_what_a_device_is_and_of_no_share() {
        let shared = Shared {
            until: None,
            see: String::new(),
            ..shared()
        };
        let page = page(&shared, Timestamp::UNIX_EPOCH).expect("a page");
        assert!(!page.contains("<script"), "{page}");
        for said in ["Another device of", "make no node there", "kith:join/AAAA"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        for word in ["You can see", "shares parts", "kith setup", "stop sharing"] {
            assert!(!page.contains(word), "{word}: {page}");
        }
        assert!(page.contains("Use this invitation before</dt><dd>2026-12-05"));
    }

    #[test]
    fn it_says_what_is_shared_and_the_words_while_they_hold() {
        let page = page_at("2026-11-28T10:14:59Z");
        assert!(
            page.contains("medicines, conditions labelled sexual health"),
            "{page}"
        );
        assert!(page.contains("kith join 192.168.1.20 birch lamp river forty"));
        assert!(page.contains("kith cannot take back"));
        assert!(page.contains("kith:join/AAAA"));
        assert!(!page_at("2026-11-28T10:15:00Z").contains("birch lamp"));
    }
}
