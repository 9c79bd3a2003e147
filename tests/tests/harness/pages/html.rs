//! Just enough of HTML to read pages that our own templates wrote.

/// The beginnings of all elements of a kind, such as `<a href="/x">` without its brackets.
pub fn tags<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let open = format!("<{name}");
    html.match_indices(&open)
        .filter_map(|(at, _)| {
            let tag = &html[at + 1..];
            let tag = &tag[..tag.find('>')?];
            let after = tag.as_bytes().get(name.len());
            (after.is_none() || after == Some(&b' ')).then_some(tag)
        })
        .collect()
}

/// The attributes of a tag; those without a value are empty.
pub fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = tag.split_once(' ').map_or("", |(_, rest)| rest);
    loop {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return attributes;
        }
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                rest = after;
                unescaped(value)
            }
            None => String::new(),
        };
        attributes.push((name.to_owned(), value));
    }
}

/// What people read: the text without its marks.
pub fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
        text.push(' ');
    }
    text.push_str(rest);
    let words: Vec<_> = text.split_whitespace().collect();
    unescaped(&words.join(" "))
}

/// Text as it stood before it was escaped.
pub fn unescaped(text: &str) -> String {
    let quotes = text.replace("&quot;", "\"").replace("&lt;", "<");
    quotes.replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn attributes_and_text_are_read_as_they_were_written() {
    let html = r#"<p>a <b>&lt;b&gt;</b></p><a class="x" href="/y?a=1&amp;b" hidden>go</a><abbr>"#;
    assert_eq!(text_of(html), "a <b> go");
    let tags = tags(html, "a");
    assert_eq!(tags.len(), 1);
    let found = attributes(tags[0]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let wanted = [
        pair("class", "x"),
        pair("href", "/y?a=1&b"),
        pair("hidden", ""),
    ];
    assert_eq!(found, wanted);
}
