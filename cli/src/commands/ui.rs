//! `kith ui`: the pages of this node, in a browser.

use kith_node::{
    control::{Asked, Client, Said},
    daemon::Daemon,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    http::{Pages, Wish},
    node::Node,
    whereabouts::ReachableAt,
};

use crate::{
    args::UiArgs,
    ask::{Reached, Session, odd_answer},
    commands::run::{runtime, stopped},
    render,
};

pub fn run(session: &Session, args: &UiArgs) -> Result<Ending, Failure> {
    let home = session.home()?;
    if let Some(client) = Client::connect(&home) {
        return of_running(session, args, client);
    }
    let runtime = runtime()?;
    if !home.exists() {
        return runtime.block_on(first_time(session, args, home));
    }
    let start = |unlock| runtime.block_on(Daemon::start(home.clone(), unlock));
    match session.reach(&home, start)? {
        Reached::Running(client) => of_running(session, args, client),
        Reached::Here(daemon) => runtime.block_on(async {
            let pages = Pages::open(args.pages).await?;
            show(session, args, &pages)?;
            go_on(daemon, pages, args).await
        }),
    }
}

/// The node runs already: it gives a link.
fn of_running(session: &Session, args: &UiArgs, client: Client) -> Result<Ending, Failure> {
    let Said::Pages(link) = client.ask(&Asked::Pages, &mut |_| {})? else {
        return Err(odd_answer());
    };
    tell(session, args, &link)?;
    Ok(Ending::Done)
}

/// There is no node: the first page asks what is wanted, and nothing is made before the answer.
async fn first_time(session: &Session, args: &UiArgs, home: Home) -> Result<Ending, Failure> {
    let mut pages = Pages::open(args.pages).await?;
    show(session, args, &pages)?;
    let ended = stopped();
    tokio::pin!(ended);
    loop {
        let wish = tokio::select! {
            wish = pages.wish() => wish,
            () = &mut ended => return Ok(Ending::Done),
        };
        let Some(wish) = wish else {
            return Ok(Ending::Done);
        };
        let Wish {
            name,
            role,
            unlock,
            made,
        } = wish;
        match begin(&home, (&name, role), unlock, args).await {
            Ok((mut daemon, recovery)) => {
                daemon.show(pages);
                if made.send(Ok(recovery)).is_err() {
                    tracing::warn!("nobody waits for the node any more");
                }
                daemon.run(ended).await?;
                return Ok(Ending::Done);
            }
            Err(failure) => {
                if made.send(Err(failure)).is_err() {
                    tracing::warn!("nobody waits for the node any more");
                }
            }
        }
    }
}

/// Makes a node and starts it; its recovery code.
async fn begin(
    home: &Home,
    (name, role): (&str, kith_node::node::Role),
    unlock: Unlock,
    args: &UiArgs,
) -> Result<(Daemon, String), Failure> {
    let made = Node::set_up(home, name, role, &unlock)?;
    let mut daemon = Daemon::start(home.clone(), unlock).await?;
    daemon.listen(&args.listen, ReachableAt::read(&[])?).await?;
    daemon.connect().await?;
    Ok((daemon, made.recovery))
}

async fn go_on(mut daemon: Daemon, pages: Pages, args: &UiArgs) -> Result<Ending, Failure> {
    daemon.listen(&args.listen, ReachableAt::read(&[])?).await?;
    daemon.connect().await?;
    daemon.show(pages);
    daemon.run(stopped()).await?;
    Ok(Ending::Done)
}

fn show(session: &Session, args: &UiArgs, pages: &Pages) -> Result<(), Failure> {
    tell(session, args, &pages.site().entrance())?;
    if !session.json {
        render::say("Your node runs for as long as this does. Stop it with Ctrl-C.");
    }
    Ok(())
}

/// Says where the pages are, and opens them.
fn tell(session: &Session, args: &UiArgs, link: &str) -> Result<(), Failure> {
    if session.json {
        render::json(&serde_json::json!({ "link": link }))?;
    } else {
        render::say("Open this link on this computer; it works once, for ten minutes:");
        render::out(&format!("{link}\n"))?;
    }
    if !args.no_open && !session.json && !session.no_input {
        open_browser(link);
    }
    Ok(())
}

/// Has the system show it. Where nothing can, the link is on the screen.
fn open_browser(link: &str) {
    use std::process::{Command, Stdio};
    let opened = Command::new("xdg-open")
        .arg(link)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match opened {
        // Whoever waits for it is a thread of its own: it may stay for as long as the browser.
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => tracing::debug!(%error, "no browser was opened"),
    }
}
