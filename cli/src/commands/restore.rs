//! `kith restore`.

use kith_node::{
    failure::{Ending, Failure},
    node::Node,
};

use crate::{
    args::RestoreArgs,
    ask::{Session, absolute},
    render,
};

pub fn run(session: &Session, args: &RestoreArgs) -> Result<Ending, Failure> {
    let home = session.home()?;
    let folder = absolute(&args.folder);
    let code = session.passphrase("Passphrase, or the code of the recovery sheet:")?;
    let bar = session.bar();
    let restored = Node::restore(&home, &folder, code.trim(), &mut |step| bar.show(&step))?;
    drop(bar);
    if session.json {
        return render::json(&restored);
    }
    render::say(&format!(
        "{} is back in {}, as it was on {}, with {} records.",
        render::clean(&restored.name),
        restored.home.display(),
        restored.taken,
        restored.records
    ));
    render::say(
        "It goes on as a new device. What was written since then comes back from those with whom its records are shared: start it with kith run.",
    );
    render::say(&format!(
        "Do not start the old copy again. When all is up to date: kith devices retire {}",
        &restored.before[..12]
    ));
    Ok(Ending::Done)
}
