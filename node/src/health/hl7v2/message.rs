//! The structure of a message: segments, fields, repetitions, components, subcomponents, with
//! escapes undone.
//!
//! The fields of a segment are taken apart by the crate `hl7_parser`. What stands around that is our
//! own, since the crate stops without a word at the first line that is no segment, knows no fifth
//! encoding character (2.7), and undoes escapes by places that are wrong after the first letter that
//! is not ASCII.

use std::{cell::RefCell, collections::BTreeSet};

use hl7_parser::{message::Separators, parser::parse_segment_with_separators};

use super::charset::{self, NotText};

/// Segments of one message; a large laboratory report has some thousands.
const SEGMENTS_MAX: usize = 20_000;

/// Fields and parts of fields of one segment, and of one message: each takes some hundred bytes of
/// memory, and a message of nothing but separators has one for each of its bytes.
const PARTS_OF_SEGMENT_MAX: usize = 20_000;
const PARTS_MAX: usize = 300_000;

/// Bytes of the first segment that are read for an answer.
const HEADER_LEN_MAX: usize = 64 * 1024;

/// What is known of a message whose header can be read, whatever else is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// MSH-3.
    pub application: String,
    /// MSH-4.
    pub facility: String,
    /// MSH-5.
    pub to_application: String,
    /// MSH-6.
    pub to_facility: String,
    /// MSH-9 as `ADT^A01`.
    pub kind: String,
    /// MSH-10.
    pub control_id: String,
    /// MSH-11.
    pub processing: String,
    /// MSH-12.
    pub version: String,
    /// MSH-15: when an accept acknowledgement is wanted; empty in original mode.
    pub accept: String,
    /// MSH-16: when an application acknowledgement is wanted; empty in original mode.
    pub answer: String,
    /// MSH-18.
    pub charset: String,
}

/// There is no header, so nobody can be answered in the language of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this does not begin with an MSH segment")]
pub struct NoHeader;

impl Header {
    /// Reads the first segment, of which only ASCII matters for an answer.
    ///
    /// # Errors
    /// When the bytes do not begin with an MSH segment.
    pub fn of(bytes: &[u8]) -> Result<Self, NoHeader> {
        let line = first_line(bytes);
        let line = &line[..line.len().min(HEADER_LEN_MAX)];
        // Whatever the character set, an answer quotes the names as they came or leaves them out.
        let text = String::from_utf8_lossy(line);
        let (separators, rest) = separators(&text).ok_or(NoHeader)?;
        if parts(&text, separators) > PARTS_OF_SEGMENT_MAX {
            return Err(NoHeader);
        }
        let segment = msh(&text, rest, separators);
        let whole = |n| {
            let mut raw = String::new();
            segment.field(n).first().write(&mut raw);
            raw
        };
        let kind = segment.field(9).first();
        let kind = match (kind.c(1), kind.c(2)) {
            (kind, "") => kind.to_owned(),
            (kind, trigger) => format!("{kind}^{trigger}"),
        };
        Ok(Self {
            application: whole(3),
            facility: whole(4),
            to_application: whole(5),
            to_facility: whole(6),
            kind,
            control_id: segment.field(10).first().c(1).to_owned(),
            processing: segment.field(11).first().c(1).to_owned(),
            version: segment.field(12).first().c(1).to_owned(),
            accept: segment.field(15).first().c(1).to_owned(),
            answer: segment.field(16).first().c(1).to_owned(),
            charset: segment.field(18).first().c(1).to_owned(),
        })
    }

    /// `APPLICATION|FACILITY`, without what identifies them in other systems.
    pub fn sender(&self) -> String {
        let name = |text: &str| text.split('^').next().unwrap_or_default().to_owned();
        format!("{}|{}", name(&self.application), name(&self.facility))
    }
}

/// A message, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// Its segments, the header first.
    pub segments: Vec<Segment>,
    /// What is odd about its form, in words.
    pub odd: Vec<String>,
}

impl Message {
    /// Takes a message apart; `default_charset` is what a site says of senders that name none.
    ///
    /// # Errors
    /// When the bytes are not text in the character set that they name. Whether there is a header
    /// is asked first, with [`Header::of`].
    pub fn parse(header: Header, bytes: &[u8], default_charset: &str) -> Result<Self, NotText> {
        let text = charset::decode(trimmed(bytes), &header.charset, default_charset)?;
        let mut odd = Vec::new();
        let Some((separators, rest)) = separators(&text) else {
            return Ok(Self {
                header,
                segments: Vec::new(),
                odd,
            });
        };
        if rest.doubled {
            odd.push("the escape character is written twice in MSH-2".to_owned());
        }
        let mut segments = Vec::new();
        let mut all = 0;
        let mut lines = joined(&text, separators.field, &mut odd).into_iter();
        let first = lines.next().unwrap_or_default();
        if parts(&first, separators) > PARTS_OF_SEGMENT_MAX {
            return Err(NotText::TooMany(PARTS_OF_SEGMENT_MAX));
        }
        segments.push(msh(&first, rest, separators));
        for (n, line) in lines.enumerate() {
            if n >= SEGMENTS_MAX {
                odd.push(format!(
                    "what follows after {SEGMENTS_MAX} segments was not read"
                ));
                break;
            }
            let parts = parts(&line, separators);
            all += parts;
            if parts > PARTS_OF_SEGMENT_MAX {
                return Err(NotText::TooMany(PARTS_OF_SEGMENT_MAX));
            }
            if all > PARTS_MAX {
                return Err(NotText::TooMany(PARTS_MAX));
            }
            segments.push(Segment::parse(&line, separators));
        }
        Ok(Self {
            header,
            segments,
            odd,
        })
    }

    /// The first segment of a name.
    pub fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.name == name)
    }

    /// Every segment of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Segment> {
        self.segments
            .iter()
            .filter(move |segment| segment.name == name)
    }
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its three letters.
    pub name: String,
    /// Its fields, from 1.
    fields: Vec<Field>,
    /// The numbers of those that somebody asked for: what is left was not read.
    read: RefCell<BTreeSet<usize>>,
}

static NO_FIELD: Field = Field(Vec::new());
static NO_REPEAT: Repeat = Repeat(Vec::new());

impl Segment {
    fn parse(line: &str, separators: Separators) -> Self {
        let name: String = line.chars().take(3).collect();
        // What has a name and no separator behind it has no fields.
        let fields = match parse_segment_with_separators(line, separators) {
            Ok(segment) => segment
                .fields()
                .map(|field| Field::of(field, separators))
                .collect(),
            Err(_) => Vec::new(),
        };
        Self {
            name,
            fields,
            read: RefCell::default(),
        }
    }

    /// A field by its number; an empty one where there is none.
    pub fn field(&self, n: usize) -> &Field {
        self.read.borrow_mut().insert(n);
        n.checked_sub(1)
            .and_then(|n| self.fields.get(n))
            .unwrap_or(&NO_FIELD)
    }

    /// The first component of the first repetition of a field, where something is in it.
    pub fn text(&self, n: usize) -> Option<&str> {
        self.field(n).first().filled(1)
    }

    /// Whether a field was asked for.
    pub fn was_read(&self, n: usize) -> bool {
        self.read.borrow().contains(&n)
    }

    /// Its fields with their numbers.
    pub fn fields(&self) -> impl Iterator<Item = (usize, &Field)> {
        (1..).zip(&self.fields)
    }
}

/// One field: its repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(Vec<Repeat>);

impl Field {
    fn of(field: &hl7_parser::message::Field<'_>, separators: Separators) -> Self {
        let escape = separators.escape;
        let repeats = field.repeats().map(|repeat| {
            let components = repeat.components().map(|component| {
                let parts = component.subcomponents();
                parts
                    .map(|part| unescape(part.raw_value(), escape, separators))
                    .collect()
            });
            Repeat(components.collect())
        });
        Self(repeats.collect())
    }

    /// The first repetition; an empty one where there is none.
    pub fn first(&self) -> &Repeat {
        self.0.first().unwrap_or(&NO_REPEAT)
    }

    /// The repetitions in which something is.
    pub fn repeats(&self) -> impl Iterator<Item = &Repeat> {
        self.0.iter().filter(|repeat| !repeat.is_empty())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Repeat::is_empty)
    }

    /// Whether it says that what stood here before is deleted: `""`.
    pub fn deletes(&self) -> bool {
        matches!(self.0.as_slice(), [one] if one.c(1) == NULL && one.0.len() == 1)
    }
}

/// What deletes (HL7 2.5, chapter 2.5.3.1).
const NULL: &str = "\"\"";

/// One repetition: its components, each with its subcomponents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat(Vec<Vec<String>>);

impl Repeat {
    /// The first subcomponent of a component; empty where there is none.
    pub fn c(&self, component: usize) -> &str {
        self.sub(component, 1)
    }

    /// A subcomponent of a component; empty where there is none.
    pub fn sub(&self, component: usize, part: usize) -> &str {
        let component = component.checked_sub(1).and_then(|n| self.0.get(n));
        let found = component.and_then(|parts| parts.get(part.checked_sub(1)?));
        found.map_or("", String::as_str)
    }

    /// A component in which something is that is not a deletion, without space around it.
    pub fn filled(&self, component: usize) -> Option<&str> {
        self.part(component, 1)
    }

    /// The same of a subcomponent.
    pub fn part(&self, component: usize, part: usize) -> Option<&str> {
        let text = self.sub(component, part).trim();
        (!text.is_empty() && text != NULL).then_some(text)
    }

    /// Everything in it, with the separators of the standard, for people.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, into: &mut String) {
        let components: Vec<_> = self.0.iter().map(|parts| parts.join("&")).collect();
        into.push_str(components.join("^").trim_end_matches('^'));
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().flatten().all(|text| text.trim().is_empty())
    }
}

/// How often something is parted in a line.
fn parts(line: &str, separators: Separators) -> usize {
    let parting = [
        separators.field,
        separators.repetition,
        separators.component,
        separators.subcomponent,
    ];
    line.chars().filter(|char| parting.contains(char)).count()
}

/// The first segment is there in full at the start, or the bytes are no message.
fn first_line(bytes: &[u8]) -> &[u8] {
    let bytes = trimmed(bytes);
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    &bytes[..end]
}

/// Without the marks and white space that may stand before a message.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b)
        .unwrap_or(bytes.len());
    &bytes[start..]
}

/// Where in the first segment the fields begin after MSH-2.
#[derive(Clone, Copy)]
struct Rest {
    at: usize,
    doubled: bool,
}

/// The separators that a message names, and where its third field begins.
fn separators(text: &str) -> Option<(Separators, Rest)> {
    let after = text.strip_prefix("MSH")?;
    let field = after.chars().next().filter(char::is_ascii_punctuation)?;
    let named = after.get(1..)?;
    let len = named.find([field, '\r', '\n']).unwrap_or(named.len());
    let named: Vec<char> = named.get(..len)?.chars().collect();
    // A sixth character is one too many for any version.
    if named.len() > 5 || !named.iter().all(char::is_ascii_punctuation) {
        return None;
    }
    let at = |n: usize, default| named.get(n).copied().unwrap_or(default);
    let doubled = named.len() == 5 && at(2, '\\') == at(3, '&');
    let separators = Separators {
        field,
        component: at(0, '^'),
        repetition: at(1, '~'),
        escape: at(2, '\\'),
        subcomponent: at(if doubled { 4 } else { 3 }, '&'),
        lenient_newlines: false,
    };
    let at = "MSH".len() + 1 + len + 1;
    Some((separators, Rest { at, doubled }))
}

/// The header segment: its first two fields are the separators themselves.
fn msh(line: &str, rest: Rest, separators: Separators) -> Segment {
    let one = |text: String| Field(vec![Repeat(vec![vec![text]])]);
    let behind = line.get(rest.at..).unwrap_or_default();
    let plain = format!("MSH{}{behind}", separators.field);
    let mut fields = vec![
        one(separators.field.to_string()),
        one(line
            .get(4..rest.at.saturating_sub(1))
            .unwrap_or_default()
            .to_owned()),
    ];
    fields.extend(Segment::parse(&plain, separators).fields);
    Segment {
        name: "MSH".to_owned(),
        fields,
        read: RefCell::default(),
    }
}

/// The segments of a text, a line each. A line that does not begin with a segment's name was broken
/// off from the one before it by a sender that put a line break into a field.
fn joined(text: &str, field: char, odd: &mut Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split(['\r', '\n']) {
        if line.trim().is_empty() {
            continue;
        }
        match lines.last_mut() {
            Some(before) if !begins_segment(line, field) => {
                before.push('\u{b}');
                before.push_str(line);
                let what = "a line that is no segment was taken for a part of the one before it";
                if !odd.iter().any(|odd| odd == what) {
                    odd.push(what.to_owned());
                }
            }
            Some(_) | None => lines.push(line.to_owned()),
        }
    }
    lines
}

fn begins_segment(line: &str, field: char) -> bool {
    let mut chars = line.chars();
    let name = [chars.next(), chars.next(), chars.next()];
    let is_name = name.into_iter().enumerate().all(|(n, char)| {
        char.is_some_and(|char| char.is_ascii_uppercase() || (n > 0 && char.is_ascii_digit()))
    });
    is_name && chars.next().is_none_or(|next| next == field)
}

/// Undoes escapes (HL7 2.5, chapter 2.7): the separators, bytes in hexadecimal, breaks of lines.
/// Marks of highlighting are left out; whatever else stands between two escape characters, and an
/// escape that does not end, stays as it is.
fn unescape(raw: &str, escape: char, separators: Separators) -> String {
    // What `joined` joined.
    let raw = raw.replace('\u{b}', "\n");
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some(start) = rest.find(escape) {
        let (before, from) = rest.split_at(start);
        text.push_str(before);
        let inside = &from[escape.len_utf8()..];
        let Some(end) = inside.find(escape) else {
            text.push_str(from);
            return text;
        };
        let named = &inside[..end];
        match meaning(named, separators) {
            Some(meant) => text.push_str(&meant),
            None => {
                text.push(escape);
                text.push_str(named);
                text.push(escape);
            }
        }
        rest = &inside[end + escape.len_utf8()..];
    }
    text.push_str(rest);
    text
}

fn meaning(named: &str, separators: Separators) -> Option<String> {
    let meant = match named {
        "F" => separators.field.to_string(),
        "S" => separators.component.to_string(),
        "T" => separators.subcomponent.to_string(),
        "R" => separators.repetition.to_string(),
        "E" => separators.escape.to_string(),
        "H" | "N" => String::new(),
        ".br" | ".ce" => "\n".to_owned(),
        ".sp" => "\n".to_owned(),
        _ => return hexadecimal(named),
    };
    Some(meant)
}

fn hexadecimal(named: &str) -> Option<String> {
    let digits = named.strip_prefix('X')?;
    if digits.is_empty() || digits.len() % 2 != 0 {
        return None;
    }
    let bytes = data_encoding::HEXUPPER_PERMISSIVE
        .decode(digits.as_bytes())
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Header, Message, NoHeader, NotText};

    fn parse(bytes: &[u8]) -> Message {
        let header = Header::of(bytes).expect("a header");
        Message::parse(header, bytes, "").expect("text")
    }

    #[test]
    fn line_ends_of_every_kind_make_the_same_message() {
        let of = |end: &str| {
            let text = [
                "MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5",
                "PID|1||7^^^X",
                "PV1|1|I",
                "",
            ];
            parse(text.join(end).as_bytes())
        };
        let by_cr = of("\r");
        assert_eq!(by_cr.segments.len(), 3);
        assert_eq!(by_cr, of("\n"));
        assert_eq!(by_cr, of("\r\n"));
        assert_eq!(
            by_cr.segment("PID").expect("PID").field(3).first().c(4),
            "X"
        );
    }

    #[test]
    fn a_message_says_which_characters_part_it() {
        let message = parse(b"MSH#*%!$#A#B#C#D#2026##ADT*A01#1#P#2.5\rPID#1##7*8%9!T!x$y");
        assert_eq!(message.header.kind, "ADT^A01");
        let pid = message.segment("PID").expect("PID");
        let repeats: Vec<_> = pid.field(3).repeats().collect();
        assert_eq!((repeats[0].c(1), repeats[0].c(2)), ("7", "8"));
        assert_eq!((repeats[1].c(1), repeats[1].sub(1, 2)), ("9$x", "y"));
    }

    #[test]
    fn the_fifth_encoding_character_and_a_doubled_escape_shift_nothing() {
        let truncating = parse(b"MSH|^~\\&#|A|B|||2026||ADT^A01|1|P|2.7\rPID|1");
        assert_eq!(truncating.header.application, "A");
        assert!(truncating.odd.is_empty());
        let doubled = parse(b"MSH|^~\\\\&|A|B|||2026||ADT^A01|1|P|2.6\rPID|1||7&8");
        assert_eq!(doubled.header.application, "A");
        assert_eq!(
            doubled
                .segment("PID")
                .expect("PID")
                .field(3)
                .first()
                .sub(1, 2),
            "8"
        );
        assert_eq!(doubled.odd.len(), 1);
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        let text = "MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.5|||||||UNICODE UTF-8\rOBX|1|TX|||\
                    Müller \\T\\ \\S\\ é \\X41\\\\.br\\next \\H\\loud\\N\\ \\Zx\\ C:\\dir";
        let message = parse(text.as_bytes());
        let said = message
            .segment("OBX")
            .expect("OBX")
            .text(5)
            .map(str::to_owned);
        let said = said.expect("a text");
        assert_eq!(said, "Müller & ^ é A\nnext loud \\Zx\\ C:\\dir");
    }

    #[test]
    fn a_field_with_a_line_break_in_it_keeps_what_stands_behind() {
        let message =
            parse(b"MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.5\nOBX|1|TX|||first\nsecond line|x\nPID|1");
        assert_eq!(message.segments.len(), 3);
        assert_eq!(message.segments[1].text(5), Some("first\nsecond line"));
        assert_eq!(message.segments[1].text(6), Some("x"));
        assert_eq!(message.odd.len(), 1);
    }

    #[test]
    fn what_is_no_message_has_no_header() {
        for bytes in [
            &b""[..],
            b"PID|1",
            b"MSH",
            b"MSHXYZ",
            b"\x00\xff\xfe",
            b"{}",
            b"MSH|^~\\&%%%%|A",
        ] {
            assert_eq!(Header::of(bytes), Err(NoHeader), "{bytes:?}");
        }
        assert!(Header::of(b"\xef\xbb\xbf\r\n\x0bMSH|^~\\&|A").is_ok());
    }

    #[test]
    fn a_message_of_nothing_but_separators_is_not_taken_apart() {
        let mut bytes = b"MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|".to_vec();
        bytes.extend(vec![b'|'; 1 << 20]);
        let header = Header::of(&bytes).expect("a header");
        let parsed = Message::parse(header, &bytes, "");
        assert_eq!(parsed, Err(NotText::TooMany(super::PARTS_OF_SEGMENT_MAX)));
        let first = [b"MSH|^~\\&|".to_vec(), vec![b'|'; 1 << 20]].concat();
        assert_eq!(Header::of(&first), Err(NoHeader));
    }

    #[test]
    fn a_deletion_is_no_text() {
        let message = parse(b"MSH|^~\\&|A|B|||2026||ADT^A08|1|P|2.5\rPID|1||7||\"\"|x");
        let pid = message.segment("PID").expect("PID");
        assert!(pid.field(5).deletes() && !pid.field(6).deletes() && !pid.field(7).deletes());
        assert_eq!(pid.text(5), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
            let mut all = if head { b"MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\r".to_vec() } else { b"MSH".to_vec() };
            all.extend(bytes);
            if let Ok(header) = Header::of(&all) {
                let _sender = header.sender();
                if let Ok(message) = Message::parse(header, &all, "8859/1") {
                    for segment in &message.segments {
                        for (_, field) in segment.fields() {
                            for repeat in field.repeats() {
                                let _shown = repeat.shown();
                            }
                        }
                    }
                }
            }
        }

        #[test]
        fn escapes_of_any_text_are_undone_without_a_loss(text in "[a-zé|^&~\\\\\n]{0,40}") {
            let escaped: String = text.chars().map(|char| match char {
                '|' => "\\F\\".to_owned(),
                '^' => "\\S\\".to_owned(),
                '&' => "\\T\\".to_owned(),
                '~' => "\\R\\".to_owned(),
                '\\' => "\\E\\".to_owned(),
                '\n' => "\\.br\\".to_owned(),
                other => other.to_string(),
            }).collect();
            let message = format!("MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.5\rOBX|1|TX|||x{escaped}x");
            let message = parse(message.as_bytes());
            prop_assert_eq!(message.segments[1].field(5).first().c(1), format!("x{text}x"));
        }
    }
}
