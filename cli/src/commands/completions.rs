//! `kith completions`, `kith man-pages`, `kith exit-codes`.

use kith_node::failure::{Ending, Failure};

use crate::{
    args::{self, CompletionsArgs, ManPagesArgs},
    ask::Session,
    render,
};

pub fn run(wanted: &CompletionsArgs) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut args::command(), "kith", &mut script);
    render::out(&String::from_utf8_lossy(&script))
}

pub fn man_pages(wanted: &ManPagesArgs) -> Result<Ending, Failure> {
    let written = std::fs::create_dir_all(&wanted.folder)
        .and_then(|()| clap_mangen::generate_to(args::command(), &wanted.folder));
    written.map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!(
                "The manual pages could not be written to {}.",
                wanted.folder.display()
            ),
            "Check that you may write there.",
        )
        .because(&error)
    })?;
    Ok(Ending::Done)
}

pub fn exit_codes(session: &Session) -> Result<Ending, Failure> {
    if session.json {
        let codes: Vec<_> = Ending::ALL
            .iter()
            .map(|ending| serde_json::json!({"code": ending.code(), "meaning": ending.meaning()}))
            .collect();
        return render::json(&serde_json::json!({ "exit_codes": codes }));
    }
    render::say(&args::exit_codes());
    Ok(Ending::Done)
}
