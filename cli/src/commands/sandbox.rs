//! `kith sandbox`.

use std::time::Instant;

use kith_node::{
    api::Role,
    daemon::Daemon,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    http::Pages,
    node::Node,
    place::Place,
    whereabouts::ReachableAt,
};
use tokio::sync::oneshot;

use crate::{
    args::SandboxArgs,
    ask::Session,
    commands::run::{runtime, stopped},
    render,
    sandbox::{PEOPLE, Told, fill},
};

pub fn run(session: &Session, args: &SandboxArgs) -> Result<Ending, Failure> {
    let place = Place::new("sandbox")?;
    let ran = open(session, args, &place);
    let removed = place.remove();
    ran.map_err(|failure| match &removed {
        Ok(()) => failure,
        Err(also) => failure.because(also),
    })?;
    removed?;
    if !session.json {
        render::say("The sandbox has ended, and everything that it held is removed.");
    }
    Ok(Ending::Done)
}

/// Fills a node, runs it until somebody ends it, and closes it.
fn open(session: &Session, args: &SandboxArgs, place: &Place) -> Result<(), Failure> {
    let began = Instant::now();
    let runtime = runtime()?;
    // From here on Ctrl-C ends it in good order, also while it is being filled.
    let (ends, is_ended) = oneshot::channel::<()>();
    runtime.spawn(async move {
        stopped().await;
        drop(ends);
    });
    let home = Home::at(place.folder().join("home"));
    Node::set_up(&home, "Sandbox Surgery", Role::Practice, &Unlock::KeyFile)?;
    let mut node = Node::open(&home, &Unlock::KeyFile)?;
    let filled = fill(&mut node, place, &args.redirect)?;
    drop(node);
    runtime.block_on(async {
        let pages = Pages::open(args.pages).await?;
        let mut daemon = Daemon::start(home.clone(), Unlock::KeyFile).await?;
        let here = ["127.0.0.1:0".to_owned()];
        daemon.listen(&here, ReachableAt::default()).await?;
        let hl7 = daemon.connect().await?.map(|at| at.to_string());
        let addresses = (pages.site().entrance(), pages.site().fhir_base(), hl7);
        daemon.show(pages);
        let told = Told::of(&filled, home.folder(), &args.redirect, addresses);
        if session.json {
            render::json(&told)?;
        } else {
            render::out(&told.to_text())?;
            render::say(&format!(
                "Ready after {:.1} s: {PEOPLE} people who do not exist. Ctrl-C ends it and removes everything.",
                began.elapsed().as_secs_f64()
            ));
        }
        daemon
            .run(async {
                // Nothing is ever sent: it ends when the other half goes.
                let _ended = is_ended.await;
            })
            .await
    })
}
