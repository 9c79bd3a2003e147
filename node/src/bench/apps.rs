//! Apps as they ask over FHIR: searches of one person among very many, over a socket of this
//! machine.

use std::net::SocketAddr;

use super::{
    Bench, RESOURCES, SEED, ask,
    measure::share_of,
    odd,
    pages::{broken, exchanged, start},
};
use crate::{
    api::{ConnectAsk, ConnectShown, Reply, Request, ShareRequest, ShareTerms},
    failure::Failure,
    home::{Home, Unlock},
    node::{Node, Role},
};

/// Records of a practice.
const PEOPLE_MAX: u32 = 10_000;

/// Apps that ask, each about another person: many more than records that stay loaded.
const APPS: usize = 100;

/// Searches of each right after the first.
const AGAIN: usize = 2;

/// An app with its token.
struct App {
    token: String,
    patient: String,
}

impl Bench {
    /// Searches of one person, of a record that is not loaded and of one that is.
    pub(super) fn fhir(&mut self) -> Result<(), Failure> {
        let people = self.size.people.min(PEOPLE_MAX);
        let home = Home::at(self.place.folder().join("apps"));
        Node::set_up(&home, "Apps", Role::Practice, &Unlock::KeyFile)?;
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let records = self.bring(&mut node, SEED + 2, people, RESOURCES)?;
        let step = (records.len() / APPS).max(1);
        let mut apps = Vec::new();
        for (n, record) in records.iter().step_by(step).take(APPS).enumerate() {
            apps.push(connect(&mut node, n, record)?);
        }
        drop(node);
        let runtime = tokio::runtime::Runtime::new().map_err(|error| broken(&error))?;
        let (site, stop, running) = runtime.block_on(start(home))?;
        let measured = measure(site.port(), &apps);
        drop(stop);
        runtime.block_on(async {
            match running.await {
                Ok(ended) => ended,
                Err(_) => Err(odd()),
            }
        })?;
        let (cold, warm) = measured?;
        let what = |how: &str| {
            format!("FHIR search of one person among {people}, {how}, 95 in 100 within")
        };
        self.figures
            .aim(&what("record not loaded"), cold, "ms", Some(20.0));
        self.figures
            .aim(&what("record loaded"), warm, "ms", Some(20.0));
        Ok(())
    }
}

fn connect(node: &mut Node, n: usize, record: &str) -> Result<App, Failure> {
    let asked = ConnectAsk::Token {
        name: format!("App {n}"),
        share: ShareRequest {
            record: record.to_owned(),
            see: "all".to_owned(),
            add: None,
            change: None,
            until: "2999-12-31".to_owned(),
            confirm: false,
            terms: ShareTerms::default(),
        },
    };
    let Reply::Connect(shown) = ask(node, Request::Connect(asked))? else {
        return Err(odd());
    };
    match *shown {
        ConnectShown::Token(token) => Ok(App {
            token: token.token,
            patient: token.patient,
        }),
        ConnectShown::Registered(_) | ConnectShown::List(_) | ConnectShown::Stopped(_) => {
            Err(odd())
        }
    }
}

/// The time under which 95 in 100 searches are: the first ones, whose records are not loaded, and
/// those right after them.
fn measure(port: u16, apps: &[App]) -> Result<(f64, f64), Failure> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for app in apps {
        cold.push(search(address, app)?);
        for _ in 0..AGAIN {
            warm.push(search(address, app)?);
        }
    }
    cold.sort_by(f64::total_cmp);
    warm.sort_by(f64::total_cmp);
    Ok((share_of(&cold, 0.95), share_of(&warm, 0.95)))
}

fn search(address: SocketAddr, app: &App) -> Result<f64, Failure> {
    let request = format!(
        "GET /fhir/Observation?patient={}&_count=20 HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {}\r\nConnection: close\r\n\r\n",
        app.patient, app.token
    );
    let (ms, found) = exchanged(address, &request)?;
    let is_right = found.starts_with("HTTP/1.1 200") && found.contains("\"mode\":\"match\"");
    is_right.then_some(ms).ok_or_else(odd)
}
