//! `kith record readings`.

use kith_node::{
    api::{Reply, Request, StreamLine},
    failure::{Ending, Failure},
};
use serde_json::json;

use crate::{
    args::ReadingsArgs,
    ask::{Session, odd_answer},
    render,
};

/// Silences that are written out; the rest are counted.
const GAPS_SHOWN: usize = 20;

pub fn run(session: &Session, args: ReadingsArgs) -> Result<Ending, Failure> {
    let request = Request::Readings {
        record: args.record,
        every_s: args.every,
    };
    let Reply::Readings(streams) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&json!({ "readings": streams }));
    }
    if streams.is_empty() {
        render::say("No readings of devices are known to this node.");
    }
    streams.iter().for_each(say);
    Ok(Ending::Done)
}

fn say(stream: &StreamLine) {
    let text = |text: &Option<String>| render::clean(text.as_deref().unwrap_or("not said"));
    render::say(&format!(
        "{}: {} values, the last {} {} on {}",
        render::clean(&stream.what),
        stream.values,
        text(&stream.last_value),
        render::clean(&stream.unit),
        text(&stream.last)
    ));
    if stream.left_out > 0 {
        let n = stream.left_out;
        render::say(&format!(
            "  {n} left out: nobody has decided between versions, or entered in error"
        ));
    }
    for gap in stream.gaps.iter().take(GAPS_SHOWN) {
        render::say(&format!(
            "  nothing from {} to {}: about {} missing",
            render::clean(&gap.from),
            render::clean(&gap.to),
            gap.missing
        ));
    }
    if stream.gaps.len() > GAPS_SHOWN {
        let more = stream.gaps.len() - GAPS_SHOWN;
        render::say(&format!("  … and {more} more; --json lists them all."));
    }
}
