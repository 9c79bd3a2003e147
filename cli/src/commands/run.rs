//! `kith run`.

use kith_node::{
    control::Client,
    daemon::Daemon,
    failure::{Ending, Failure},
    home::Home,
    http::{Pages, StaffPages},
    whereabouts::ReachableAt,
};

use crate::{
    args::RunArgs,
    ask::{Reached, Session},
    render,
};

pub fn run(session: &Session, args: &RunArgs) -> Result<Ending, Failure> {
    let home = session.home()?;
    if Client::connect(&home).is_some() {
        return Err(runs_already());
    }
    let reachable_at = ReachableAt::read(&args.reachable_at)?;
    let runtime = runtime()?;
    let start = |unlock| runtime.block_on(Daemon::start(home.clone(), unlock));
    let Reached::Here(mut daemon) = session.reach(&home, start)? else {
        return Err(runs_already());
    };
    runtime.block_on(async {
        let pages = if args.no_pages {
            None
        } else {
            Some(Pages::open(args.pages).await?)
        };
        let addresses = daemon.listen(&args.listen, reachable_at).await?;
        let hl7 = daemon.connect().await?;
        let http = pages.as_ref().map(Pages::url);
        if let Some(pages) = pages {
            daemon.show(pages);
        }
        let staff = staff_pages(&home, args).await?;
        let staff_url = staff.as_ref().map(Pages::url);
        if let Some(staff) = staff {
            say_staff(session, &staff);
            daemon.show(staff);
        }
        if session.json {
            let mut said = serde_json::json!({"addresses": addresses, "http": http});
            if let Some(url) = staff_url {
                said["staff"] = url.into();
            }
            if let Some(hl7) = hl7 {
                said["hl7"] = hl7.to_string().into();
            }
            render::json(&said)?;
        } else {
            render::say(&format!(
                "Running; others reach this node at {}.",
                addresses.join(", ")
            ));
            if http.is_some() {
                render::say("Its pages are opened by kith ui, on this machine.");
            }
            if let Some(hl7) = hl7 {
                render::say(&format!("It listens for HL7 v2 messages at {hl7}."));
            }
            render::say("Stop it with Ctrl-C.");
        }
        let input_ends = args.until_input_ends;
        daemon
            .run(async {
                tokio::select! {
                    () = stopped() => {}
                    () = input_ended(), if input_ends => {}
                }
            })
            .await
    })?;
    Ok(Ending::Done)
}

/// The pages at which staff sign in, where they are wanted.
async fn staff_pages(home: &Home, args: &RunArgs) -> Result<Option<Pages>, Failure> {
    let Some(address) = args.staff_pages else {
        return Ok(None);
    };
    let certificate = args.tls_cert.clone().zip(args.tls_key.clone());
    let staff = StaffPages {
        address,
        names: args.staff_name.clone(),
        certificate,
    };
    Pages::open_to_staff(home.folder(), staff).await.map(Some)
}

fn say_staff(session: &Session, pages: &Pages) {
    if session.json {
        return;
    }
    render::say(&format!("Staff sign in at {}.", pages.url()));
    if let Some(fingerprint) = pages.fingerprint() {
        render::say(&format!("The SHA-256 of its certificate: {fingerprint}"));
    }
}

fn runs_already() -> Failure {
    Failure::new(
        Ending::Failed,
        "This node is running already.",
        "Use it as it is: commands reach it by themselves.",
    )
}

/// The runtime for what needs the network.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The network could not be started.",
            "Try again.",
        )
        .because(&error)
    })
}

/// Whoever started this program closed its standard input, or has gone.
async fn input_ended() {
    let (ended, is_ended) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: nothing can break off a read of standard input.
    std::thread::spawn(move || {
        let read = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        tracing::debug!(?read, "standard input has ended");
        drop(ended);
    });
    if is_ended.await.is_ok() {
        tracing::debug!("standard input goes on");
    }
}

/// Ctrl-C, or the system asking politely.
pub async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
