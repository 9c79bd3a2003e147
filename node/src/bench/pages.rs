//! Pages as a browser gets them: over a socket of this machine, with a session.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Barrier},
    time::Instant,
};

use kith_crdt::samples::sample_bundle;

use super::{
    Bench, RUNS, SEED, import,
    measure::{median, share_of},
    odd,
};
use crate::{
    daemon::Daemon,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    http::Pages,
    node::{Node, Role},
};

/// Resources of a record of twenty years, and of those that staff click through.
const LONG: usize = 10_000;
const SHORT: usize = 60;

/// Staff who click at the same moment, and how often.
const STAFF: u32 = 50;
const CLICKS: usize = 6;

/// A browser with a session.
#[derive(Clone)]
struct Browser {
    address: SocketAddr,
    cookie: String,
}

/// An answer.
struct Got {
    ms: f64,
    kb: f64,
    head: String,
}

impl Bench {
    /// Pages of one long record, and of many short ones while everybody clicks.
    pub(super) fn pages(&mut self) -> Result<(), Failure> {
        let home = Home::at(self.place.folder().join("pages"));
        Node::set_up(&home, "Pages", Role::Practice, &Unlock::KeyFile)?;
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let long = self.bring(&mut node, SEED + 1, 1, LONG)?;
        let short = self.bring(&mut node, SEED, STAFF, SHORT)?;
        drop(node);
        let runtime = tokio::runtime::Runtime::new().map_err(|error| broken(&error))?;
        let (site, stop, running) = runtime.block_on(start(home))?;
        let measured = measure(&site, &long, &short);
        drop(stop);
        runtime.block_on(async {
            match running.await {
                Ok(ended) => ended,
                Err(_) => Err(odd()),
            }
        })?;
        let (of_long, clicks) = measured?;
        for (path, ms, kb) in of_long {
            let what = format!("record with {LONG} resources: {path}");
            self.figures.aim(&what, ms, "ms", Some(150.0));
            self.figures.aim(&what, kb, "KB", Some(300.0));
        }
        let what = format!("{STAFF} people click at once, {CLICKS} times: 95 in 100 within");
        self.figures.aim(&what, clicks.all_ms, "ms", Some(200.0));
        let what = "of these the first, on records that nobody has looked at, within";
        self.figures.note(what, clicks.first_ms, "ms");
        self.figures
            .note("of these the later, within", clicks.later_ms, "ms");
        Ok(())
    }

    /// Records of so many made-up people, and their ids.
    pub(super) fn bring(
        &self,
        node: &mut Node,
        seed: u64,
        people: u32,
        resources: usize,
    ) -> Result<Vec<String>, Failure> {
        let folder = self.place.folder().join(format!("pages-{seed}"));
        let wrote = std::fs::create_dir(&folder).and_then(|()| {
            (0..people)
                .map(|number| {
                    let path = folder.join(format!("{number:06}.json"));
                    std::fs::write(&path, sample_bundle(seed, number, resources))?;
                    Ok(path)
                })
                .collect::<std::io::Result<Vec<_>>>()
        });
        let paths = wrote.map_err(|error| super::place::failure(&error))?;
        import(node, &paths)
    }
}

pub(super) type Started = (
    Arc<crate::http::Site>,
    tokio::sync::oneshot::Sender<()>,
    tokio::task::JoinHandle<Result<(), Failure>>,
);

/// A node that runs with its pages, until the sender is dropped.
pub(super) async fn start(home: Home) -> Result<Started, Failure> {
    let pages = Pages::open(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let site = Arc::clone(pages.site());
    let mut daemon = Daemon::start(home, Unlock::KeyFile).await?;
    daemon.show(pages);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(daemon.run(async {
        if stopped.await.is_ok() {
            tracing::debug!("the benchmark ends");
        }
    }));
    Ok((site, stop, running))
}

/// The time under which 95 in 100 clicks are: of all, of the first of everybody, of the others.
struct Clicks {
    all_ms: f64,
    first_ms: f64,
    later_ms: f64,
}

type Measured = (Vec<(String, f64, f64)>, Clicks);

fn measure(
    site: &crate::http::Site,
    long: &[String],
    short: &[String],
) -> Result<Measured, Failure> {
    let browser = Browser::enter(site)?;
    let record = long.first().ok_or_else(odd)?;
    let mut of_long = Vec::new();
    for path in ["", "/timeline", "/part/results", "/review", "/who-looked"] {
        let whole = format!("/r/{record}{path}");
        browser.get(&whole)?;
        let mut times = Vec::new();
        let mut kb = 0.0;
        for _ in 0..RUNS {
            let got = browser.get(&whole)?;
            times.push(got.ms);
            kb = got.kb;
        }
        let name = if path.is_empty() { "summary" } else { path };
        of_long.push((name.trim_start_matches('/').to_owned(), median(times), kb));
    }
    Ok((of_long, clicked(&browser, short)?))
}

/// Everybody clicks at the same moment, each on the record of somebody else, some times in a row;
/// the first time nothing of these records is loaded.
fn clicked(browser: &Browser, records: &[String]) -> Result<Clicks, Failure> {
    let start = Arc::new(Barrier::new(records.len()));
    let threads: Vec<_> = records
        .iter()
        .map(|record| {
            let (browser, record, start) = (browser.clone(), record.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut times = Vec::new();
                for _ in 0..CLICKS {
                    start.wait();
                    times.push(browser.get(&format!("/r/{record}"))?.ms);
                }
                Ok::<_, Failure>(times)
            })
        })
        .collect();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for thread in threads {
        let mut own = thread.join().map_err(|_| odd())??;
        later.extend(own.split_off(1));
        first.extend(own);
    }
    let most = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        share_of(&times, 0.95)
    };
    Ok(Clicks {
        all_ms: most([first.clone(), later.clone()].concat()),
        first_ms: most(first),
        later_ms: most(later),
    })
}

impl Browser {
    fn enter(site: &crate::http::Site) -> Result<Self, Failure> {
        let link = site.entrance();
        let (base, secret) = link.split_once("/enter/").ok_or_else(odd)?;
        let address = base.strip_prefix("http://").ok_or_else(odd)?;
        let address = address.parse().map_err(|_| odd())?;
        let mut browser = Self {
            address,
            cookie: String::new(),
        };
        let got = browser.ask("POST /enter", &format!("link={secret}"))?;
        let cookie = got.head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then_some(value)
        });
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        cookie.ok_or_else(odd)?.clone_into(&mut browser.cookie);
        Ok(browser)
    }

    fn get(&self, path: &str) -> Result<Got, Failure> {
        let got = self.ask(&format!("GET {path}"), "")?;
        if got.head.starts_with("HTTP/1.1 200") {
            Ok(got)
        } else {
            Err(odd())
        }
    }

    fn ask(&self, what: &str, body: &str) -> Result<Got, Failure> {
        let Self { address, cookie } = self;
        let request = format!(
            "{what} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let (ms, answer) = exchanged(*address, &request)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
        Ok(Got {
            ms,
            kb: f64::from(u32::try_from(body.len()).unwrap_or(u32::MAX)) / 1000.0,
            head: head.to_owned(),
        })
    }
}

/// Sends a request on a connection of its own, and reads until that ends: how long it took,
/// milliseconds, and the answer.
pub(super) fn exchanged(address: SocketAddr, request: &str) -> Result<(f64, String), Failure> {
    let asked = Instant::now();
    let mut answer = Vec::new();
    TcpStream::connect(address)
        .and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_end(&mut answer)
        })
        .map_err(|error| broken(&error))?;
    let ms = asked.elapsed().as_secs_f64() * 1000.0;
    Ok((ms, String::from_utf8_lossy(&answer).into_owned()))
}

pub(super) fn broken(error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The pages could not be asked.",
        "Run the benchmark again.",
    )
    .because(error)
}
