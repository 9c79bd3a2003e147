//! What stands in a trace, in words.

use kith_protocol::{
    codec,
    sync::{
        Message, Output,
        trace::{Call, Step, Told},
    },
};

use super::Differs;

/// What happened at a step.
pub(super) fn step(step: &Step) -> String {
    match step {
        Step::Start(_) => "when the engine was made".to_owned(),
        Step::Others(_) => "when other hands had written".to_owned(),
        Step::Stop(_) => "when it was told to stop".to_owned(),
        Step::Input { at_ms, told, .. } => format!("at {at_ms} ms, told of {}", self::told(told)),
    }
}

fn told(told: &Told) -> String {
    match told {
        Told::Connected {
            link,
            device,
            is_caller,
        } => {
            let who = if *is_caller { "this side" } else { "the other" };
            format!("link {} to {device}, which {who} opened", link.0)
        }
        Told::Received { link, frame } => format!("{} on link {}", self::frame(frame), link.0),
        Told::Heard { link, frame } => {
            let frame = self::frame(frame);
            format!("{frame} on link {}, read beside the engine", link.0)
        }
        Told::Sent { link } => format!("a frame that left on link {}", link.0),
        Told::Lost { link } => format!("the end of link {}", link.0),
        Told::NotReached { device } => format!("{device}, which was not reached"),
        Told::Changed => "what other hands changed".to_owned(),
        Told::Timer => "time that has passed".to_owned(),
        Told::Awake => "a machine that woke up".to_owned(),
    }
}

/// What the engine asked.
pub(super) fn call(call: &Call) -> String {
    match call {
        Call::Commit { given, .. } => format!("asked to keep {} items", given.len()),
        Call::Disclose { what, .. } => format!("asked to enter {} disclosures", what.len()),
        Call::PutBlob { blob, .. } => format!("asked to keep the attachment {blob}"),
        Call::NoteCommon { principal, record } => {
            format!("asked to note that {record} is common to {principal} too")
        }
        Call::MadeParts { record, parts } => {
            format!("asked for {} parts that are made, of {record}", parts.len())
        }
    }
}

/// Two outputs that are not the same.
pub(super) fn outputs(place: String, real: Option<&Output>, simulated: Option<&Output>) -> Differs {
    if let (
        Some(Output::Send {
            link,
            frame,
            together,
        }),
        Some(Output::Send {
            link: to,
            frame: by,
            together: with,
        }),
    ) = (real, simulated)
        && (link, together) == (to, with)
    {
        let same = frame.iter().zip(by).take_while(|(a, b)| a == b).count();
        let from = |bytes: &[u8]| {
            let rest = bytes.get(same..).unwrap_or_default();
            let shown = &rest[..rest.len().min(16)];
            format!(
                "{} on link {}, from byte {same} on {shown:02x?}",
                self::frame(bytes),
                link.0
            )
        };
        return Differs::new(place, from(frame), from(by));
    }
    Differs::new(place, output(real), output(simulated))
}

fn output(output: Option<&Output>) -> String {
    match output {
        None => "none".to_owned(),
        Some(Output::Send {
            link,
            frame,
            together,
        }) => {
            let frame = self::frame(frame);
            format!("sends {frame} on link {}, {together:?}", link.0)
        }
        Some(Output::Close { link, at_once }) => {
            let when = if *at_once { " at once" } else { "" };
            format!("closes link {}{when}", link.0)
        }
        Some(Output::Dial { device }) => format!("calls {device}"),
        Some(Output::Tell(news)) => format!("tells {news:?}"),
    }
}

fn frame(frame: &[u8]) -> String {
    let said = codec::decode::<Message>(frame).map(|message| format!("{message:?}"));
    let said = said.unwrap_or_else(|_| "nothing that is understood".to_owned());
    let ends = said.find([' ', '{']).unwrap_or(said.len());
    let said = if said.starts_with("nothing") {
        &said
    } else {
        &said[..ends]
    };
    format!("a frame of {} bytes ({said})", frame.len())
}

/// A time, or none.
pub(super) fn time(ms: Option<u64>) -> String {
    ms.map_or_else(|| "never".to_owned(), |ms| format!("at {ms} ms"))
}
