//! `kith attest`.

use kith_node::{
    api::{AttestRequest, Reply, Request},
    failure::{Ending, Failure},
};

use super::record;
use crate::{
    args::AttestArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: AttestArgs) -> Result<Ending, Failure> {
    let request = Request::Attest(AttestRequest {
        record: args.record,
        thing: args.thing,
        note: args.note,
        take_back: args.take_back,
        staff: args.staff,
    });
    let Reply::Attested(attested) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&attested);
    }
    record::line(&attested.result);
    Ok(Ending::Done)
}
