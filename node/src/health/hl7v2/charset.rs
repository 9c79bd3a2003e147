//! Character sets (MSH-18, HL7 table 0211).

use encoding_rs::Encoding;

/// Why bytes are not read as text; they are kept as they came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// MSH-18 names a set that is not known here.
    #[error("MSH-18 names the character set {0:?}, which kith does not read")]
    Unknown(String),
    /// It has more parts than are taken apart.
    #[error("it has more than {0} fields and parts of fields")]
    TooMany(usize),
    /// The bytes are not of the set that they are said to be of.
    #[error("some bytes are not of the character set {0}")]
    Other(String),
}

/// Reads bytes in the character set that MSH-18 names. Where it names none, they are ASCII or, since
/// many senders do not say so, UTF-8.
pub(super) fn decode(bytes: &[u8], named: &str, default: &str) -> Result<String, NotText> {
    let name = if named.trim().is_empty() {
        default
    } else {
        named
    };
    let encoding = match label(name) {
        Label::Ascii => {
            return match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(NotText::Other("ASCII (none is named)".to_owned())),
            };
        }
        Label::Of(label) => Encoding::for_label(label.as_bytes()),
        Label::None => None,
    };
    let encoding = encoding.ok_or_else(|| NotText::Unknown(name.trim().to_owned()))?;
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| NotText::Other(name.trim().to_owned()))
}

enum Label {
    Ascii,
    Of(String),
    None,
}

fn label(name: &str) -> Label {
    let name = name.trim().to_ascii_uppercase();
    match name.as_str() {
        "" | "ASCII" | "US-ASCII" | "ISO IR6" => Label::Ascii,
        "UNICODE" | "UNICODE UTF-8" | "UTF-8" | "UTF8" => Label::Of("utf-8".to_owned()),
        "ISO IR14" | "ISO IR87" | "ISO IR159" => Label::Of("iso-2022-jp".to_owned()),
        "GB 18030-2000" | "GB18030" => Label::Of("gb18030".to_owned()),
        "KS X 1001" => Label::Of("euc-kr".to_owned()),
        "BIG-5" | "BIG5" => Label::Of("big5".to_owned()),
        "ISO-8859-1" | "WINDOWS-1252" => Label::Of("windows-1252".to_owned()),
        other => match other.strip_prefix("8859/").map(str::parse::<u8>) {
            Some(Ok(part)) => Label::Of(format!("iso-8859-{part}")),
            Some(Err(_)) | None => Label::None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{NotText, decode};

    #[test]
    fn sets_are_read_by_the_names_of_table_0211() {
        let read = |bytes: &[u8], name: &str| decode(bytes, name, "");
        assert_eq!(read(b"M\xfcller", "8859/1").as_deref(), Ok("Müller"));
        assert_eq!(
            read(b"M\xc3\xbcller", "UNICODE UTF-8").as_deref(),
            Ok("Müller")
        );
        assert_eq!(read(b"M\xc3\xbcller", "").as_deref(), Ok("Müller"));
        assert_eq!(read(b"\xb1", "8859/2").as_deref(), Ok("ą"));
        assert_eq!(
            read(b"M\xfcller", "UNICODE UTF-8"),
            Err(NotText::Other("UNICODE UTF-8".to_owned()))
        );
        assert!(matches!(
            read(b"M\xfcller", "ASCII"),
            Err(NotText::Other(_))
        ));
        assert_eq!(
            read(b"x", "8859/77"),
            Err(NotText::Unknown("8859/77".to_owned()))
        );
        assert_eq!(decode(b"M\xfcller", "", "8859/1").as_deref(), Ok("Müller"));
    }
}
