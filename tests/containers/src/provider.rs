//! A node in a container.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt, TestcontainersError,
    core::{ExecCommand, Healthcheck, Mount, WaitFor, wait::ExitWaitStrategy},
    runners::AsyncRunner,
};
use tokio::sync::RwLock;

use crate::{Engine, until, wait::a_moment};

/// Where a node's folder is in the image.
const HOME: &str = "/var/lib/kith";

/// How a command ended in a container. No code: the container ended first.
#[derive(Debug)]
pub struct Ran {
    /// As `kith exit-codes` lists them.
    pub code: Option<i64>,
    /// What it answered.
    pub out: String,
    /// What it told people.
    pub err: String,
}

/// A note, and how its command ended where the container ran it.
#[derive(Debug)]
pub struct Written {
    /// The note.
    pub text: String,
    /// Nothing where the container runs no commands.
    pub ran: Option<Ran>,
}

impl Written {
    /// What was acknowledged must never be lost; what was not may be there or not.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.ran.as_ref().is_some_and(|ran| ran.code == Some(0))
    }
}

/// A node that runs in a container until this is dropped.
pub struct Provider {
    name: &'static str,
    address: String,
    container: ContainerAsync<GenericImage>,
    /// Not while its machine is stopped, or about to be.
    serves: AtomicBool,
    /// Held while a command runs in the container: an engine whose command is frozen as it starts
    /// holds the container until it is freed by hand.
    commands: RwLock<()>,
    attempts: AtomicUsize,
    acknowledged: AtomicUsize,
}

impl Provider {
    /// Sets a node up in a volume and runs it on a network, or on none.
    ///
    /// # Panics
    /// When the engine or the node refuses.
    pub async fn on(
        engine: &Engine,
        (name, kind): (&'static str, &str),
        volume: &str,
        network: Option<&str>,
        other_mounts: &[Mount],
    ) -> Self {
        let home = Mount::volume_mount(volume, HOME);
        let setup = engine
            .container(&format!("{name}-setup"), None)
            .with_mount(home.clone())
            .with_cmd(["setup", "--name", name, "--kind", kind, "--no-input"])
            .with_ready_conditions(vec![WaitFor::exit(
                ExitWaitStrategy::new().with_exit_code(0),
            )]);
        let setup = setup.start().await;
        let setup = setup.unwrap_or_else(|error| panic!("{name} is not set up: {error}"));
        setup.rm().await.expect("what has ended can be removed");

        let address = format!("{}:4712", engine.named(name));
        let mut run = engine
            .container(name, network)
            // The engine's own commands must not be frozen as they start either.
            .with_health_check(Healthcheck::none())
            .with_mount(home)
            .with_cmd(["--json", "run", "--reachable-at", &address])
            .with_ready_conditions(vec![WaitFor::message_on_stdout("addresses")]);
        for mount in other_mounts {
            run = run.with_mount(mount.clone());
        }
        let container = run.start().await;
        Self {
            name,
            address,
            container: container.unwrap_or_else(|error| panic!("{name} does not run: {error}")),
            serves: AtomicBool::new(true),
            commands: RwLock::new(()),
            attempts: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where others on its network reach it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the engine calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.container.id()
    }

    /// Whether its machine is on.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.serves.load(Ordering::SeqCst)
    }

    /// How many writes it has acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Runs a command in its container.
    ///
    /// # Errors
    /// When the container runs no commands now.
    pub async fn kith(&self, words: &[&str]) -> Result<Ran, TestcontainersError> {
        let _running = self.commands.read().await;
        let words = ["/kith", "--no-input"]
            .into_iter()
            .chain(words.iter().copied());
        let mut ran = self.container.exec(ExecCommand::new(words)).await?;
        let out = ran.stdout_to_vec().await?;
        let err = ran.stderr_to_vec().await?;
        // Output ends a little before the engine has noted the code.
        let mut code = ran.exit_code().await?;
        while code.is_none() && self.container.is_running().await? {
            a_moment().await;
            code = ran.exit_code().await?;
        }
        Ok(Ran {
            code,
            out: String::from_utf8_lossy(&out).into_owned(),
            err: String::from_utf8_lossy(&err).into_owned(),
        })
    }

    /// A command that must do all that it was asked, for its JSON.
    ///
    /// # Panics
    /// When it did not.
    pub async fn json(&self, words: &[&str]) -> Value {
        let words: Vec<_> = ["--json"]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        let ran = self.kith(&words).await;
        let ran = ran.unwrap_or_else(|error| panic!("{}: {words:?}: {error}", self.name));
        assert_eq!(ran.code, Some(0), "{}: {words:?}: {ran:?}", self.name);
        serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{}: {words:?}: {error}: {ran:?}", self.name))
    }

    /// Writes a note that nobody else writes, now or later.
    pub async fn writes(&self, record: &str) -> Written {
        let n = self.attempts.fetch_add(1, Ordering::SeqCst);
        let text = format!("Seen by {} as number {n}.", self.name);
        let ran = self.kith(&["add", record, "note", &text]).await.ok();
        let written = Written { text, ran };
        if written.is_acknowledged() {
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        written
    }

    /// Its process stands still.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn freezes(&self) {
        self.serves.store(false, Ordering::SeqCst);
        let _none_runs = self.commands.write().await;
        self.container.pause().await.expect("it runs");
    }

    /// And goes on.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn thaws(&self) {
        self.container.unpause().await.expect("it stood still");
        self.serves.store(true, Ordering::SeqCst);
    }

    /// A power cut, at whatever it is doing.
    pub async fn loses_power(&self, engine: &Engine) {
        engine.kill(self.id()).await;
        self.serves.store(false, Ordering::SeqCst);
    }

    /// It is asked to stop, and ends by itself.
    ///
    /// # Panics
    /// When it had to be killed, or did not end well.
    pub async fn stops(&self) {
        self.serves.store(false, Ordering::SeqCst);
        let stopped = self.container.stop_with_timeout(Some(60)).await;
        stopped.expect("it runs");
        let code = self.container.exit_code().await.expect("it has ended");
        assert_eq!(code, Some(0), "{} did not stop by itself", self.name);
    }

    /// Its machine is switched on again.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn starts(&self) {
        let before = self.times_ready().await;
        self.container.start().await.expect("it was stopped");
        until(&format!("{} runs again", self.name), async || {
            if self.times_ready().await > before {
                return Ok(());
            }
            let said = self.container.stderr_to_vec().await.unwrap_or_default();
            Err(String::from_utf8_lossy(&said).into_owned())
        })
        .await;
        self.serves.store(true, Ordering::SeqCst);
    }

    /// How often it has said that others can reach it.
    async fn times_ready(&self) -> usize {
        let said = self.container.stdout_to_vec().await.expect("its log");
        let said = String::from_utf8_lossy(&said);
        said.lines()
            .filter(|line| line.contains("addresses"))
            .count()
    }
}
