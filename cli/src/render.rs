//! How answers are written: JSON for programs, sentences for people.

use std::io::Write;

use anstream::{eprintln, print};
use kith_node::{
    failure::{Ending, Failure},
    node::last_day,
};
use serde::Serialize;

use crate::ask::Session;

/// One object on standard output.
pub fn json<T: Serialize>(value: &T) -> Result<Ending, Failure> {
    out(&json_line(value)?)
}

/// One object on a line.
pub fn json_line<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The answer could not be written as JSON.",
            "This is a fault of kith.",
        )
        .because(&error)
    })?;
    Ok(text + "\n")
}

/// Text on standard output; a reader that has gone is no fault.
pub fn out(text: &str) -> Result<Ending, Failure> {
    while_read(text).map(|_| Ending::Done)
}

/// Text on standard output, and whether anybody reads it still.
pub fn while_read(text: &str) -> Result<bool, Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(
            Ending::Failed,
            "The result could not be written out.",
            "Check that the disk has room.",
        )
        .because(&error)),
    }
}

/// A line for people.
pub fn say(text: &str) {
    print!("{text}\n");
}

/// What went wrong.
pub fn failure(session: &Session, failure: &Failure) {
    if session.json {
        failure_json(failure);
        return;
    }
    eprintln!("{}", failure.what);
    for reason in &failure.why {
        eprintln!("  because: {reason}");
    }
    eprintln!("{}", failure.remedy);
    eprintln!("({})", failure.ending.code());
}

/// What went wrong, as one object on standard error.
pub fn failure_json(failure: &Failure) {
    let object = serde_json::json!({
        "error": {
            "code": failure.ending.code(),
            "what": failure.what,
            "why": failure.why,
            "do": failure.remedy,
        }
    });
    eprintln!("{object}");
}

/// Milliseconds since 1970 UTC as RFC 3339, to the second.
pub fn time(time_ms: u64) -> String {
    let time = i64::try_from(time_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(
        || "not known".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// The end of a share, as people say it.
pub fn until(end: Option<&str>) -> String {
    let Some(end) = end else {
        return "further notice".to_owned();
    };
    last_day(end).map_or_else(|| end.to_owned(), |day| format!("the end of {day}"))
}

/// Rows with a head, for people.
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// Text from others, without what could steer a terminal.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Words that nobody may pass over, in red where colours are seen: for [`say`].
pub fn loud(text: &str) -> String {
    format!("\u{1b}[1;31m{text}\u{1b}[0m")
}

/// The same for what goes out as it is.
pub fn loud_out(text: &str) -> String {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => text.to_owned(),
        anstream::ColorChoice::Auto
        | anstream::ColorChoice::Always
        | anstream::ColorChoice::AlwaysAnsi => loud(text),
    }
}
