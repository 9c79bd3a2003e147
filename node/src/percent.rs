//! Texts within addresses and names (RFC 3986), and the pairs of queries and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is written with a percent sign: all but what is reserved for nothing (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as a part of an address or of a name.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A part of an address without percent signs; what is no text then stays as it came.
pub(crate) fn decoded(part: &str) -> String {
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.map_or_else(|_| part.to_owned(), std::borrow::Cow::into_owned)
}

/// The pairs of a query or of a form, as browsers write them.
pub(crate) fn pairs(query: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(query).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::{decoded, encoded, pairs};

    #[test]
    fn texts_come_back_as_they_were() {
        assert_eq!(encoded("s &=#/\u{e9}-._~"), "s%20%26%3D%23%2F%C3%A9-._~");
        assert_eq!(decoded(&encoded("s &=#/\u{e9}%")), "s &=#/\u{e9}%");
        assert_eq!(decoded("%ff%zz"), "%ff%zz", "it is no text");
    }

    #[test]
    fn pairs_are_read_as_a_browser_writes_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs(b"code=http%3A%2F%2Floinc.org%7C8867-4&x=a+b&y&%zz=%e2%82%ac"),
            [
                pair("code", "http://loinc.org|8867-4"),
                pair("x", "a b"),
                pair("y", ""),
                pair("%zz", "\u{20ac}"),
            ]
        );
    }
}
