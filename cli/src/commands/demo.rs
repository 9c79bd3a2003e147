//! `kith demo`.

use std::sync::mpsc;

use kith_node::{
    failure::{Ending, Failure},
    place::Place,
};

use crate::{
    args::DemoArgs,
    ask::Session,
    commands::run::{runtime, stopped},
    demo::{Interrupt, Told, story::Story},
    render,
};

pub fn run(session: &Session, args: &DemoArgs) -> Result<Ending, Failure> {
    let place = Place::new("demo")?;
    let told = tell(session, args, &place);
    // Nothing is left behind, also where the traces could not be kept.
    #[cfg(feature = "trace")]
    let told = told.and_then(|ending| match &args.traces {
        Some(folder) => crate::demo::traces::keep(&place, folder).map(|()| ending),
        None => Ok(ending),
    });
    let removed = place.remove();
    let told = told.map_err(|failure| match &removed {
        Ok(()) => failure,
        Err(also) => failure.because(also),
    })?;
    removed?;
    if !session.json {
        render::say("The four nodes have ended, and everything that they held is removed.");
    }
    Ok(if told.held {
        Ending::Done
    } else {
        Ending::Failed
    })
}

/// Tells the story and shows its table; the nodes have ended when this returns.
fn tell(session: &Session, args: &DemoArgs, place: &Place) -> Result<Told, Failure> {
    let interrupt = Interrupt::default();
    let (done, is_done) = mpsc::channel::<()>();
    let runtime = runtime()?;
    let watched = interrupt.clone();
    runtime.spawn(async move {
        stopped().await;
        watched.end();
        drop(done);
    });
    let mut told = Told::new(session);
    let mut story = Story::begin(place, &interrupt, &mut told)?;
    story.tell(&mut told)?;
    if session.json {
        render::json(&told)?;
    } else {
        render::say("");
        render::say(&told.table());
    }
    let wants_to_look = !args.once && !session.no_input && !session.json;
    if wants_to_look {
        look_around(&story)?;
        // Nothing is ever sent: it ends when Ctrl-C is pressed.
        if is_done.recv().is_ok() {
            tracing::debug!("the demo goes on");
        }
    }
    Ok(told)
}

fn look_around(story: &Story<'_>) -> Result<(), Failure> {
    let record = &story.record()[..12];
    render::say("");
    render::say("The nodes still run. Their pages, each link for one browser and ten minutes:");
    for player in story.players() {
        render::say(&format!("    {}: {}", player.name, player.pages()?));
    }
    render::say("In another terminal, look around, for example:");
    for player in story.players() {
        let folder = player.folder().display();
        render::say(&format!("    kith --home {folder} show {record}"));
    }
    render::say("Ctrl-C ends them and removes everything.");
    Ok(())
}
