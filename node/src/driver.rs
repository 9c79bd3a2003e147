//! The one thread that owns a node and its sync engine, and the handle by which everything else
//! asks it.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    thread::JoinHandle,
    time::{Duration, Instant},
};

#[cfg(not(feature = "trace"))]
use kith_protocol::sync::Engine;
use kith_protocol::{
    id::DeviceId,
    sync::{Input, News, Output},
};
use tokio::sync::{mpsc, oneshot, watch};

#[cfg(feature = "trace")]
use crate::node::TracedEngine as Engine;
use crate::{
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::{Node, now_ms},
    store::random,
};

/// What the thread is to do next.
enum Job {
    /// A command, or a question.
    Work(Box<dyn FnOnce(&mut Node) + Send>),
    /// Something is read, and given out when that stands in the access log.
    Look(Look),
    /// Something happened on the network, or time has passed.
    Input(Input),
    /// Time has passed in which nobody may have asked for anything.
    Quiet,
    /// Whether a device is connected and both have everything.
    IsUpToDate(DeviceId, oneshot::Sender<Option<bool>>),
    /// Say goodbye to everyone.
    Stop,
}

/// Something that is read.
struct Look {
    /// The record that it is mostly about, as it is named.
    about: Option<String>,
    /// Reads it; what it returns gives the answer, or says why nothing is given out.
    read: Box<dyn FnOnce(&mut Node) -> Answer + Send>,
}

type Answer = Box<dyn FnOnce(Result<(), Failure>)>;

impl Job {
    const fn as_look(&self) -> Option<&Look> {
        match self {
            Self::Look(look) => Some(look),
            Self::Work(_) | Self::Input(_) | Self::Quiet | Self::IsUpToDate(..) | Self::Stop => {
                None
            }
        }
    }
}

/// Looks that are entered into the access log in one commit: more would have the first of them
/// wait.
const LOOKS_MAX: usize = 16;

/// After so long no other is taken with them.
const LOOKS_LAST: Duration = Duration::from_millis(15);

/// After so long without a question the node lets go of what it keeps at hand.
const QUIET: Duration = Duration::from_secs(3);

/// Jobs that wait for the node; more than that and whoever asks has to wait.
const JOBS_MAX: usize = 64;

/// Things to do that wait for the network; they are taken at once, so this is never reached for
/// long.
const OUTPUTS_MAX: usize = 256;

/// A handle on a node that runs in a thread of its own.
#[derive(Clone)]
pub struct Driver {
    jobs: mpsc::Sender<Job>,
    signs: Signs,
}

/// What can be seen of the node from outside its thread, as it changes.
#[derive(Clone)]
struct Signs {
    wake: watch::Receiver<Option<u64>>,
    settled: watch::Receiver<u64>,
    taken: watch::Receiver<u64>,
    met: watch::Receiver<u64>,
    late: watch::Receiver<u64>,
    interfaces: watch::Receiver<u64>,
}

/// The other end of [`Signs`].
struct Telling {
    wake: watch::Sender<Option<u64>>,
    settled: watch::Sender<u64>,
    taken: watch::Sender<u64>,
    met: watch::Sender<u64>,
    late: watch::Sender<u64>,
    interfaces: watch::Sender<u64>,
}

fn signs() -> (Signs, Telling) {
    let (waking, wake) = watch::channel(None);
    let (settling, settled) = watch::channel(0);
    let (taking, taken) = watch::channel(0);
    let (meeting, met) = watch::channel(0);
    let (passing, late) = watch::channel(0);
    let (changing, interfaces) = watch::channel(0);
    let signs = Signs {
        wake,
        settled,
        taken,
        met,
        late,
        interfaces,
    };
    let telling = Telling {
        wake: waking,
        settled: settling,
        taken: taking,
        met: meeting,
        late: passing,
        interfaces: changing,
    };
    (signs, telling)
}

/// How long whoever waits for another node waits without a conversation with it.
const ALONE_LASTS: Duration = Duration::from_mins(1);

/// How often such a conversation is looked for.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What the engine wants done, as it comes.
pub type Outputs = mpsc::Receiver<Output>;

/// What the thread works with.
struct Worker {
    node: Node,
    engine: Engine,
    outputs: mpsc::Sender<Output>,
    telling: Telling,
    /// When somebody asked for something last; nothing once the node rests.
    asked: Option<Instant>,
    /// When another node last said something; nothing once the node rests.
    heard: Option<Instant>,
}

impl Driver {
    /// Opens a node in a thread of its own.
    pub async fn start(
        home: Home,
        unlock: Unlock,
    ) -> Result<(Self, Outputs, JoinHandle<()>), Failure> {
        let (jobs, mut queue) = mpsc::channel::<Job>(JOBS_MAX);
        let (output, outputs) = mpsc::channel(OUTPUTS_MAX);
        let (opened, is_open) = oneshot::channel();
        let (signs, telling) = signs();
        let thread = std::thread::Builder::new()
            .name("kith-node".to_owned())
            .spawn(move || {
                let started = Worker::start(&home, &unlock, output, telling);
                let (said, worker) = match started {
                    Ok(worker) => (Ok(()), Some(worker)),
                    Err(failure) => (Err(failure), None),
                };
                if opened.send(said).is_err() {
                    tracing::debug!("nobody waits for the node");
                    return;
                }
                let Some(mut worker) = worker else {
                    return;
                };
                worker.pass_on();
                while let Some(job) = queue.blocking_recv() {
                    if worker.does(job, &mut queue).is_break() {
                        return;
                    }
                }
            })
            .map_err(|error| node_stopped().because(&error))?;
        is_open.await.map_err(|_| node_stopped())??;
        tokio::spawn(say_quiet(jobs.downgrade()));
        Ok((Self { jobs, signs }, outputs, thread))
    }

    /// Waits until the node's thread takes no more jobs: it was told to stop, or it is broken.
    pub async fn ended(&self) {
        self.jobs.closed().await;
    }

    /// Has the node do something and waits for what comes of it.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Work(Box::new(move |node| {
            if answer.send(work(node)).is_err() {
                tracing::debug!("nobody waits for an answer");
            }
        }));
        self.jobs.send(job).await.map_err(|_| node_stopped())?;
        answered.await.map_err(|_| node_stopped())?
    }

    /// Has the node read something for somebody, as one look: the answer comes when that stands in
    /// the access log. Looks that wait for the node at the same time are entered together, and the
    /// records that they are about are loaded together.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        about: Option<String>,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let read = Box::new(move |node: &mut Node| -> Answer {
            let done = node.one_look(work);
            Box::new(move |entered| {
                if answer.send(entered.and(done)).is_err() {
                    tracing::debug!("nobody waits for an answer");
                }
            })
        });
        let job = Job::Look(Look { about, read });
        self.jobs.send(job).await.map_err(|_| node_stopped())?;
        answered.await.map_err(|_| node_stopped())?
    }

    /// Tells the engine what happened.
    pub async fn tell(&self, input: Input) -> Result<(), Failure> {
        let sent = self.jobs.send(Job::Input(input)).await;
        sent.map_err(|_| node_stopped())
    }

    /// Ends all conversations with a word, and the node: its store is closed soon after.
    pub async fn stop(&self) {
        if self.jobs.send(Job::Stop).await.is_err() {
            tracing::debug!("the node had stopped already");
        }
    }

    /// Waits until this node and another have given each other everything that they may; gives up
    /// when there was no conversation with it for a minute, or there is none since the disk is full.
    pub async fn up_to_date_with(&self, device: DeviceId) -> Result<(), Failure> {
        let mut settled = self.signs.settled.clone();
        let mut talked = Instant::now();
        loop {
            settled.mark_unchanged();
            let (answer, answered) = oneshot::channel();
            let job = Job::IsUpToDate(device, answer);
            self.jobs.send(job).await.map_err(|_| node_stopped())?;
            match answered.await.map_err(|_| node_stopped())? {
                Some(true) => return Ok(()),
                Some(false) => talked = Instant::now(),
                None if !self.ask(|node| Ok(node.has_room())).await? => return Err(no_room()),
                None if talked.elapsed() > ALONE_LASTS => return Err(left_alone()),
                None => {}
            }
            if let Ok(Err(_)) = tokio::time::timeout(BETWEEN_LOOKS, settled.changed()).await {
                return Err(node_stopped());
            }
        }
    }

    /// Changes when whom the node knows or expects, or where they are, may have changed.
    pub fn met(&self) -> watch::Receiver<u64> {
        self.signs.met.clone()
    }

    /// Changes when it was set otherwise how messages of other systems come in, or one goes out.
    pub(crate) fn interfaces(&self) -> watch::Receiver<u64> {
        self.signs.interfaces.clone()
    }

    /// Changes when the time of a task has passed.
    pub fn late(&self) -> watch::Receiver<u64> {
        self.signs.late.clone()
    }

    /// The end of the journal: it changes when something was taken in.
    pub fn taken(&self) -> watch::Receiver<u64> {
        self.signs.taken.clone()
    }

    /// When the engine wants to be told that time has passed, milliseconds since 1970 UTC.
    pub fn wake(&self) -> watch::Receiver<Option<u64>> {
        self.signs.wake.clone()
    }
}

impl Worker {
    fn start(
        home: &Home,
        unlock: &Unlock,
        outputs: mpsc::Sender<Output>,
        telling: Telling,
    ) -> Result<Self, Failure> {
        let mut node = Node::open(home, unlock)?;
        node.runs();
        let engine = Engine::new(&mut node, random(), now_ms())?;
        Ok(Self {
            node,
            engine,
            outputs,
            telling,
            asked: None,
            heard: None,
        })
    }

    /// Does what is to be done next, and those that wait behind it where they can be done together;
    /// after [`Job::Stop`] nothing is.
    fn does(&mut self, job: Job, queue: &mut mpsc::Receiver<Job>) -> ControlFlow<()> {
        let mut waiting = VecDeque::from([job]);
        while let Some(job) = waiting.pop_front() {
            self.passes_time();
            match job {
                Job::Look(first) => {
                    self.asked = Some(Instant::now());
                    self.look(first, &mut waiting, queue);
                }
                Job::Work(work) => {
                    self.asked = Some(Instant::now());
                    self.node.stands(self.engine.standings());
                    work(&mut self.node);
                    self.happened(Input::Changed);
                }
                Job::Input(input) => {
                    if matches!(input, Input::Received { .. } | Input::Heard { .. }) {
                        self.heard = Some(Instant::now());
                    }
                    self.happened(input);
                }
                Job::Quiet => self.rest_if_quiet(),
                Job::IsUpToDate(device, answer) => {
                    if answer.send(self.engine.is_up_to_date(&device)).is_err() {
                        tracing::debug!("nobody waits for an answer");
                    }
                }
                Job::Stop => {
                    self.engine.stop();
                    self.pass_on();
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Has those who wait look at the same time: what they see is entered into the access log in one
    /// commit, and then given out. What waits behind them and is no look is left to be done.
    fn look(&mut self, first: Look, waiting: &mut VecDeque<Job>, queue: &mut mpsc::Receiver<Job>) {
        self.node.stands(self.engine.standings());
        self.node.gather_looks();
        let begun = Instant::now();
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(look) = next.take() {
            while waiting.len() < LOOKS_MAX
                && let Ok(job) = queue.try_recv()
            {
                waiting.push_back(job);
            }
            if answers.is_empty() {
                let others = waiting.iter().map_while(Job::as_look);
                let about = std::iter::once(&look).chain(others);
                self.node
                    .get_ready(about.filter_map(|look| look.about.as_deref()));
            }
            answers.push((look.read)(&mut self.node));
            if answers.len() < LOOKS_MAX && begun.elapsed() < LOOKS_LAST {
                let is_look = |job: &mut Job| job.as_look().is_some();
                if let Some(Job::Look(look)) = waiting.pop_front_if(is_look) {
                    next = Some(look);
                }
            }
        }
        let entered = self.node.enter_looks();
        for answer in answers {
            answer(entered.clone());
        }
        self.happened(Input::Changed);
    }

    /// Lets go of what is kept at hand, unless somebody asks for things: what they asked for they
    /// ask for again. Where nobody does, other nodes must have been silent too.
    fn rest_if_quiet(&mut self) {
        let last = self.asked.or(self.heard);
        if last.is_some_and(|last| last.elapsed() >= QUIET) {
            (self.asked, self.heard) = (None, None);
            self.node.rest();
        }
    }

    /// Says what time alone makes different.
    fn passes_time(&mut self) {
        self.node.say_ends();
        if self.node.deadlines_passed() {
            self.telling.late.send_modify(|times| *times += 1);
        }
    }

    /// Has the engine and the node do what follows from something.
    fn happened(&mut self, input: Input) {
        if let Err(error) = self.engine.handle(&mut self.node, input, now_ms()) {
            tracing::error!(%error, "the store does not answer");
        }
        // What came in may ask for something that goes to others at once.
        if self.node.follow_up()
            && let Err(error) = self.engine.handle(&mut self.node, Input::Changed, now_ms())
        {
            tracing::error!(%error, "the store does not answer");
        }
        self.pass_on();
    }

    /// Hands over what the engine wants done.
    fn pass_on(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            let output = match output {
                Output::Tell(news) => {
                    self.hear(&news);
                    continue;
                }
                Output::Send { .. } | Output::Close { .. } | Output::Dial { .. } => output,
            };
            if self.outputs.blocking_send(output).is_err() {
                tracing::debug!("the network has stopped");
            }
        }
        let wakes = [
            self.engine.poll_timeout(),
            self.node.next_end_ms(),
            self.node.next_deadline_ms(),
        ];
        say(&self.telling.wake, wakes.into_iter().flatten().min());
        say(&self.telling.met, self.node.met());
        say(&self.telling.interfaces, self.node.hl7_changes());
        say(&self.telling.taken, self.node.events_end());
    }

    fn hear(&mut self, news: &News) {
        match news {
            News::UpToDate(device) => {
                let through = self.node.position();
                if let Err(failure) = self.node.has_everything(*device, through) {
                    tracing::warn!(what = failure.what, "a connection's state was not kept");
                }
                self.rest_if_quiet();
                self.telling.settled.send_modify(|times| *times += 1);
            }
            News::Connected(_) | News::Arrived { .. } => {}
            News::KeptBack { count, .. } => {
                tracing::warn!(count, "another node did not take all that was sent");
            }
            News::Ended { with, why } => {
                tracing::debug!(?why, "a conversation ended");
                self.node.talked(*with, *why);
            }
            News::Unreadable(_) => {
                tracing::warn!("a record is damaged, so nothing of it is sent");
            }
        }
    }
}

/// Tells a node now and then that time has passed, for as long as there is one. A node that is too
/// busy to hear it is not quiet.
async fn say_quiet(jobs: mpsc::WeakSender<Job>) {
    loop {
        tokio::time::sleep(QUIET).await;
        let Some(jobs) = jobs.upgrade().filter(|jobs| !jobs.is_closed()) else {
            return;
        };
        if jobs.try_send(Job::Quiet).is_err() {
            tracing::debug!("the node has much to do");
        }
    }
}

/// Says how something is now, to those who wait for a change.
fn say<T: PartialEq>(to: &watch::Sender<T>, now: T) {
    to.send_if_modified(|before| {
        let is_new = *before != now;
        *before = now;
        is_new
    });
}

fn no_room() -> Failure {
    Failure::new(
        Ending::TryAgain,
        "The invitation was accepted, and this node's disk is full before everything arrived.",
        "What arrived is safe and can be read. Make room and start this node with kith run; the rest follows.",
    )
}

fn left_alone() -> Failure {
    Failure::new(
        Ending::CannotReach,
        "The invitation was accepted, and the other node is gone before everything arrived.",
        "What arrived is safe. Start this node with kith run; the rest follows when the other is back.",
    )
}

fn node_stopped() -> Failure {
    Failure::new(
        Ending::NotRunning,
        "The node has stopped.",
        "Start it again with kith run.",
    )
}
