//! Files of several messages: one after another, or between FHS/BHS and BTS/FTS.

/// The messages of a file, each with its bytes as they stand there.
pub fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut begun: Option<usize> = None;
    let mut at = 0;
    while at < bytes.len() {
        let line = &bytes[at..];
        let starts = |name: &[u8]| {
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            let line = line.strip_prefix(b"\x0b").unwrap_or(line);
            line.starts_with(name) && line.get(3).is_some_and(u8::is_ascii_punctuation)
        };
        let ends_one = ["FHS", "BHS", "BTS", "FTS"]
            .iter()
            .any(|name| starts(name.as_bytes()));
        let begins_one = starts(b"MSH");
        if begins_one || ends_one {
            found.extend(begun.take().map(|from| &bytes[from..at]));
        }
        if begins_one {
            begun = Some(at);
        }
        let len = line.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        at += len.map_or(line.len(), |len| len + 1);
    }
    found.extend(begun.map(|from| &bytes[from..]));
    found
        .into_iter()
        .map(|message| {
            // The marks of MLLP, which some engines leave in files.
            let end = message
                .iter()
                .rposition(|byte| !byte.is_ascii_whitespace() && *byte != 0x1c)
                .map_or(0, |last| last + 1);
            &message[..end]
        })
        .collect()
}

/// Whether a file begins like one of messages.
pub fn is_of_messages(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b)
        .unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    let named = ["MSH", "FHS", "BHS"]
        .iter()
        .any(|name| bytes.starts_with(name.as_bytes()));
    named && bytes.get(3).is_some_and(u8::is_ascii_punctuation)
}

#[cfg(test)]
mod tests {
    use super::{is_of_messages, messages};

    #[test]
    fn a_batch_is_its_messages_and_nothing_else() {
        let file =
            b"FHS|^~\\&|x\rBHS|^~\\&|x\rMSH|^~\\&|a\rPID|1\rMSH|^~\\&|b\r\nPID|2\r\nBTS|2\rFTS|1\r";
        let found = messages(file);
        assert_eq!(found, [&b"MSH|^~\\&|a\rPID|1"[..], b"MSH|^~\\&|b\r\nPID|2"]);
        assert_eq!(
            messages(b"\x0bMSH|^~\\&|a\r\x1c\r"),
            [&b"\x0bMSH|^~\\&|a"[..]]
        );
        assert!(messages(b"nothing").is_empty());
        assert!(
            is_of_messages(file) && is_of_messages(b"\xef\xbb\xbfMSH|") && !is_of_messages(b"MSHA")
        );
    }
}
