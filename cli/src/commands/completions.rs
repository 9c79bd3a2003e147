//! `kith completions`, `kith man-pages`, `kith exit-codes`.

use clap::CommandFactory;
use kith_node::failure::{Ending, Failure};

use crate::{
    args::{Args, CompletionsArgs, ManPagesArgs},
    ask::Session,
    render,
};

pub fn run(args: &CompletionsArgs) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "kith", &mut script);
    render::out(&String::from_utf8_lossy(&script))
}

pub fn man_pages(args: &ManPagesArgs) -> Result<Ending, Failure> {
    let written = std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Args::command(), &args.folder));
    written.map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!(
                "The manual pages could not be written to {}.",
                args.folder.display()
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
    for ending in Ending::ALL {
        render::say(&format!("{:3}  {}", ending.code(), ending.meaning()));
    }
    Ok(Ending::Done)
}
