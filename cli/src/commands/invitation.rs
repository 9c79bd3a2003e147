//! An invitation at the terminal: its two doors, and waiting for whoever comes.

use std::{path::Path, time::Duration};

use kith_node::{
    api::{InvitationState, Reply, Request, Shared},
    failure::{Ending, Failure},
    pairing::{code, sheet},
};

use crate::{
    args::InvitationArgs,
    ask::{Session, no_answer, odd_answer},
    render,
};

/// How often it is looked whether somebody has come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Whether whoever comes with the link waits: where a person can be asked, and where it was said.
pub fn confirms(session: &Session, args: &InvitationArgs) -> bool {
    args.confirm || !(session.json || session.no_input)
}

/// Says how to join.
pub fn say(shared: &Shared, args: &InvitationArgs) -> Result<(), Failure> {
    if let (Some(words), Some(ends)) = (&shared.words, &shared.words_end) {
        render::say("Say these four words to one person, by telephone or face to face:");
        render::say(&format!("    {words}"));
        let at = shared.at.first().map_or("HOST", String::as_str);
        render::say(&format!(
            "They type: kith join {at} {words}    (once, until {ends})"
        ));
    }
    render::say("Or send this link, in a way that only they can read:");
    render::say(&shared.link);
    render::say(&format!(
        "It works once, until {}. When the words or the link are used, both end.",
        shared.invitation_ends
    ));
    if !args.no_qr {
        render::say(&code::for_terminal(&shared.link)?);
    }
    Ok(())
}

/// Writes an invitation as a page; `back` says what lists it, what takes it back, and what to do.
pub fn write_sheet(shared: &Shared, path: &Path, back: &str) -> Result<(), Failure> {
    let page = sheet::page(shared, jiff::Timestamp::now())?;
    std::fs::write(path, page).map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("The sheet {} could not be written.", path.display()),
            format!("The invitation was made: {back}"),
        )
        .because(&error)
    })
}

/// Waits until somebody has joined, and asks whether it is the right person. Ctrl-C only stops
/// the waiting.
pub fn wait(session: &Session, shared: &Shared) -> Result<Ending, Failure> {
    render::say(
        "Waiting for whoever you invited. Ctrl-C stops the waiting and not the invitation: kith review shows who came.",
    );
    let mut told = None;
    loop {
        let state = state(session, &shared.invitation)?;
        if state.trouble != told {
            told.clone_from(&state.trouble);
            if let Some(trouble) = &told {
                render::say(trouble);
            }
        }
        match state.state.as_str() {
            "joined" => {
                let name = state.name.unwrap_or_else(|| "Your new device".to_owned());
                render::say(&render::clean(&format!("{name} has joined.")));
                return Ok(Ending::Done);
            }
            "asked" => answer(session, shared, &state)?,
            "waiting" => std::thread::sleep(BETWEEN_LOOKS),
            _ => {
                render::say("The invitation has ended.");
                return Ok(Ending::Done);
            }
        }
    }
}

fn state(session: &Session, id: &str) -> Result<InvitationState, Failure> {
    let id = id.to_owned();
    let Reply::Invitation(state) = session.ask(Request::Invitation { id })? else {
        return Err(odd_answer());
    };
    Ok(state)
}

/// Shows who wants to join, and asks.
fn answer(session: &Session, shared: &Shared, state: &InvitationState) -> Result<(), Failure> {
    let name = state.name.as_deref().unwrap_or("Somebody");
    let kind = state.kind.as_deref().unwrap_or("not known");
    render::say(&render::clean(&format!("{name} ({kind}) wants to join.")));
    // Without words to compare there is nothing to ask.
    let words = state.check_words.as_deref().ok_or_else(odd_answer)?;
    render::say(&format!(
        "Your check words: {words}. Ask them for theirs; a name proves nothing."
    ));
    let yes = inquire::Confirm::new("Are their check words the same?")
        .prompt()
        .map_err(|error| no_answer(&error))?;
    let id = shared.invitation.clone();
    let Reply::Decided(decided) = session.ask(Request::Admit { id, yes })? else {
        return Err(odd_answer());
    };
    render::say(&render::clean(&decided.what));
    Ok(())
}
