//! `kith who-looked`.

use kith_node::{
    api::{Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, record: String) -> Result<Ending, Failure> {
    let Reply::Looked(looked) = session.ask(Request::WhoLooked { record })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&serde_json::json!({ "looked": looked }));
    }
    if looked.is_empty() {
        render::say("Nobody has looked at this record on this node.");
    }
    for look in &looked {
        render::say(&format!(
            "{}  {} {}: {}",
            look.when,
            render::clean(&look.who),
            look.how,
            look.parts.join(", ")
        ));
    }
    render::say("What others read on their own nodes is not seen here.");
    Ok(Ending::Done)
}
