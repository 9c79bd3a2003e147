//! Acknowledgements, as the table of the design has them: `AA` what is durable, filed or waiting for
//! a person; `AE` what is not durable now and is to be sent again; `AR` what cannot be read as a
//! message, or asks for what is not done, and is not to be sent again.

use super::Header;

/// What is said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is on the disk.
    Accepted,
    /// It is not on the disk now.
    SendAgain,
    /// It is no message.
    Refused,
}

impl Word {
    /// MSA-1 in original mode.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "AA",
            Self::SendAgain => "AE",
            Self::Refused => "AR",
        }
    }

    /// MSA-1 as an accept acknowledgement of enhanced mode.
    const fn accept_code(self) -> &'static str {
        match self {
            Self::Accepted => "CA",
            Self::SendAgain => "CE",
            Self::Refused => "CR",
        }
    }
}

/// Which acknowledgements a sender asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One `AA`, `AE` or `AR`.
    Original,
    /// One answer when either of these says so; kith's word is that of the application too, since
    /// what is durable is accepted.
    Enhanced {
        /// MSH-15.
        accept: Wanted,
        /// MSH-16.
        answer: Wanted,
    },
}

/// A condition of enhanced mode (table 0155).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `AL`.
    Always,
    /// `NE`, or nothing where the other of the two is valued.
    Never,
    /// `ER`.
    OnError,
    /// `SU`.
    OnSuccess,
}

impl Wanted {
    fn of(code: &str) -> Option<Self> {
        match code.trim() {
            "AL" => Some(Self::Always),
            "NE" | "" => Some(Self::Never),
            "ER" => Some(Self::OnError),
            "SU" => Some(Self::OnSuccess),
            _ => None,
        }
    }

    const fn fits(self, word: Word) -> bool {
        match (self, word) {
            (Self::Always, _) => true,
            (Self::Never, _) => false,
            (Self::OnError, Word::Accepted) => false,
            (Self::OnError, Word::SendAgain | Word::Refused) => true,
            (Self::OnSuccess, Word::Accepted) => true,
            (Self::OnSuccess, Word::SendAgain | Word::Refused) => false,
        }
    }
}

impl Mode {
    /// What MSH-15 and MSH-16 ask for; the reason where they ask for what is not known.
    ///
    /// # Errors
    /// The sentence that goes back with `AR`.
    pub fn of(header: &Header) -> Result<Self, String> {
        if header.accept.trim().is_empty() && header.answer.trim().is_empty() {
            return Ok(Self::Original);
        }
        let read = |field: &str, code: &str| {
            Wanted::of(code).ok_or_else(|| {
                format!(
                    "{field} is {code:?}; table 0155 has AL, NE, ER and SU. Nothing was taken in"
                )
            })
        };
        let (accept, answer) = (
            read("MSH-15", &header.accept)?,
            read("MSH-16", &header.answer)?,
        );
        // Whoever wants no answer at all would never know that a message is durable, and most that
        // say so wait for one all the same: they are answered as in original mode.
        if accept == Wanted::Never && answer == Wanted::Never {
            return Ok(Self::Original);
        }
        Ok(Self::Enhanced { accept, answer })
    }
}

/// What is written when, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// Now, as HL7 writes it.
    pub now: &'a str,
    /// A number of this answer.
    pub id: &'a str,
    /// The name of this node.
    pub name: &'a str,
}

/// The answer to a message; none where none is wanted. Over MLLP one message has one answer: where
/// both are wanted, that of the application says what the other would.
pub fn answer(
    header: Option<&Header>,
    mode: Mode,
    word: Word,
    why: &str,
    with: Answering<'_>,
) -> Option<Vec<u8>> {
    let code = match mode {
        Mode::Original => word.code(),
        Mode::Enhanced { accept, answer } => match (accept.fits(word), answer.fits(word), word) {
            (_, true, Word::Accepted) | (false, true, Word::SendAgain | Word::Refused) => {
                word.code()
            }
            (true, _, _) => word.accept_code(),
            (false, false, _) => return None,
        },
    };
    Some(written(header, code, why, with))
}

fn written(header: Option<&Header>, code: &str, why: &str, with: Answering<'_>) -> Vec<u8> {
    let field = |text: &str| text.replace(['\r', '\n', '|', '\u{b}', '\u{1c}'], " ");
    let plain = |text: &str| {
        let text: String = field(text)
            .chars()
            .map(|char| match char {
                '^' | '~' | '\\' | '&' => ' ',
                other => other,
            })
            .collect();
        text
    };
    let (to_application, to_facility, version, processing, trigger, control_id) =
        header.map_or(("", "", "2.5", "P", "", ""), |header| {
            let trigger = header.kind.split('^').nth(1).unwrap_or_default();
            let version = match header.version.as_str() {
                "" => "2.5",
                version => version,
            };
            let processing = match header.processing.as_str() {
                "" => "P",
                processing => processing,
            };
            (
                header.application.as_str(),
                header.facility.as_str(),
                version,
                processing,
                trigger,
                header.control_id.as_str(),
            )
        });
    let (own_application, own_facility) = header
        .filter(|header| !header.to_application.is_empty())
        .map_or_else(
            || ("KITH".to_owned(), plain(with.name)),
            |header| (field(&header.to_application), field(&header.to_facility)),
        );
    let kind = match trigger {
        "" => "ACK".to_owned(),
        trigger => format!("ACK^{}^ACK", plain(trigger)),
    };
    let mut text = format!(
        "MSH|^~\\&|{own_application}|{own_facility}|{}|{}|{}||{kind}|{}|{}|{}||||||UNICODE UTF-8\r",
        field(to_application),
        field(to_facility),
        with.now,
        with.id,
        plain(processing),
        plain(version),
    );
    text.push_str(&format!(
        "MSA|{code}|{}|{}\r",
        field(control_id),
        plain(why)
    ));
    if code != "AA" && code != "CA" {
        let kind = if code.ends_with('R') { "207" } else { "203" };
        text.push_str(&format!(
            "ERR|||{kind}^Application internal error^HL70357|E||||{}\r",
            plain(why)
        ));
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Answering, Mode, Word, answer};
    use crate::health::hl7v2::{Header, Message};

    const WITH: Answering<'_> = Answering {
        now: "20261129120000+0000",
        id: "k1",
        name: "St Elsewhere",
    };

    fn codes(msh: &str, word: Word) -> Vec<String> {
        let header = Header::of(msh.as_bytes()).expect("a header");
        let mode = Mode::of(&header).expect("a mode");
        let answers = answer(Some(&header), mode, word, "why", WITH);
        let read = |bytes: &Vec<u8>| {
            let header = Header::of(bytes).expect("an answer has a header");
            let message = Message::parse(header, bytes, "").expect("text");
            let msa = message.segment("MSA").expect("MSA");
            assert_eq!(msa.field(2).first().c(1), "77");
            msa.field(1).first().c(1).to_owned()
        };
        answers.iter().map(read).collect()
    }

    #[test]
    fn who_asks_for_enhanced_mode_gets_what_it_asks_for() {
        let msh = |modes: &str| format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|77|P|2.5|||{modes}");
        for (modes, word, expected) in [
            ("|", Word::Accepted, vec!["AA"]),
            ("|", Word::SendAgain, vec!["AE"]),
            ("|", Word::Refused, vec!["AR"]),
            ("AL|NE", Word::Accepted, vec!["CA"]),
            ("AL|AL", Word::Accepted, vec!["AA"]),
            ("AL|AL", Word::SendAgain, vec!["CE"]),
            ("NE|AL", Word::Refused, vec!["AR"]),
            ("NE|AL", Word::Accepted, vec!["AA"]),
            ("NE|NE", Word::Accepted, vec!["AA"]),
            ("ER|NE", Word::Accepted, vec![]),
            ("ER|NE", Word::SendAgain, vec!["CE"]),
            ("AL|", Word::Refused, vec!["CR"]),
            ("SU|SU", Word::Accepted, vec!["AA"]),
        ] {
            assert_eq!(codes(&msh(modes), word), expected, "{modes}");
        }
        let odd = Header::of(msh("XX|AL").as_bytes()).expect("a header");
        assert!(
            Mode::of(&odd)
                .expect_err("it is refused")
                .contains("MSH-15")
        );
    }

    #[test]
    fn what_is_no_message_is_refused_in_words() {
        let all = answer(None, Mode::Original, Word::Refused, "no | header\r", WITH);
        let text = String::from_utf8(all.expect("an answer")).expect("text");
        assert!(text.contains("MSA|AR||no   header"), "{text}");
        assert!(text.contains("|KITH|St Elsewhere|"), "{text}");
    }
}
