//! Invitations that are being accepted in pages: each is a conversation with another node that goes
//! on while its page is looked at, asks there whether it is the right person, and waits.

use std::{collections::BTreeMap, sync::Mutex};

use tokio::sync::{mpsc, watch};

use super::{once::lock, sessions::Secret, site::Running};
use crate::{
    api::{JoinRequest, JoinStep, Joined, Offered},
    daemon::join,
    failure::Failure,
    pairing::questioner::{Paper, Questioner},
};

/// Conversations that are kept; the oldest gives way.
const JOINS_MAX: usize = 16;

/// How far one has come.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The other node is looked for.
    Looking,
    /// Is this the right person?
    Offered(Offered),
    /// Yes was said; what is shared is fetched, once the other side has confirmed where it has to.
    Fetching {
        /// What both compare while the other side confirms.
        check_words: Option<(String, String)>,
    },
    /// All is here.
    Joined(Joined),
    /// It came to nothing.
    Failed(Failure),
}

struct Going {
    stage: watch::Receiver<Stage>,
    answers: mpsc::Sender<bool>,
    order: u64,
}

/// All that go on.
#[derive(Default)]
pub(super) struct Joins {
    inner: Mutex<BTreeMap<String, Going>>,
}

impl Joins {
    /// Begins one, and gives its name.
    pub fn begin(&self, node: &Running, request: JoinRequest) -> String {
        let (telling, stage) = watch::channel(Stage::Looking);
        let (answers, answered) = mpsc::channel(1);
        let (steps, stepped) = mpsc::channel(1);
        let node = node.clone();
        tokio::spawn(tell_steps(stepped, telling.clone()));
        tokio::spawn(async move {
            let mut paper = Paper {
                steps,
                answers: answered,
            };
            let mut questioner = Questioner::Page(&mut paper);
            let joined = join(&node.driver, &node.network, request, &mut questioner).await;
            telling.send_replace(match joined {
                Ok(joined) => Stage::Joined(joined),
                Err(failure) => Stage::Failed(failure),
            });
        });
        let name = Secret::draw().as_str()[..16].to_owned();
        let mut going = lock(&self.inner);
        let order = going.values().map(|going| going.order).max().unwrap_or(0) + 1;
        if going.len() >= JOINS_MAX {
            let oldest = going.iter().min_by_key(|(_, going)| going.order);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                going.remove(&name);
            }
        }
        going.insert(
            name.clone(),
            Going {
                stage,
                answers,
                order,
            },
        );
        name
    }

    /// How far one has come.
    pub fn stage(&self, name: &str) -> Option<Stage> {
        let going = lock(&self.inner);
        going.get(name).map(|going| going.stage.borrow().clone())
    }

    /// Answers its question; whoever answers twice is not heard the second time.
    pub fn answer(&self, name: &str, yes: bool) {
        let going = lock(&self.inner);
        if let Some(going) = going.get(name)
            && going.answers.try_send(yes).is_err()
        {
            tracing::debug!("an invitation was answered already");
        }
    }
}

async fn tell_steps(mut steps: mpsc::Receiver<JoinStep>, telling: watch::Sender<Stage>) {
    while let Some(step) = steps.recv().await {
        let stage = match step {
            JoinStep::Offered(offered) => Stage::Offered(offered),
            JoinStep::Waits { from, check_words } => Stage::Fetching {
                check_words: Some((from, check_words)),
            },
        };
        // What has ended stays as it ended.
        telling.send_if_modified(|now| match now {
            Stage::Looking | Stage::Offered(_) | Stage::Fetching { .. } => {
                *now = stage;
                true
            }
            Stage::Joined(_) | Stage::Failed(_) => false,
        });
    }
}
