//! Asking the node: the running one over its socket, or the store itself.

use std::{
    io::{IsTerminal, Read},
    path::PathBuf,
    time::{Duration, Instant},
};

use anstream::eprintln;
use indicatif::{ProgressBar, ProgressStyle};
use kith_node::{
    api::{Progress, Reply, Request},
    control::Client,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::Node,
};

use crate::args::Args;

pub use kith_node::control::odd_answer;

/// Bytes of a text that goes from hand to hand, read from a file or from standard input.
const TEXT_LEN_MAX: u64 = 1 << 20;

/// How this command was called.
pub struct Session {
    pub json: bool,
    pub no_input: bool,
    passphrase_file: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Session {
    pub fn new(args: &Args) -> Self {
        Self {
            json: args.json,
            no_input: args.no_input || !std::io::stdin().is_terminal(),
            passphrase_file: args.passphrase_file.clone(),
            home: args.home.clone(),
        }
    }

    /// The node's home: what was named, or the data folder of whoever runs kith.
    pub fn home(&self) -> Result<Home, Failure> {
        if let Some(home) = &self.home {
            return Ok(Home::at(absolute(home)));
        }
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let data = data.filter(|data| data.is_absolute()).or_else(|| {
            let home = std::env::var_os("HOME")?;
            Some(PathBuf::from(home).join(".local/share"))
        });
        data.map(|data| Home::at(data.join("kith"))).ok_or_else(|| {
            Failure::new(
                Ending::Usage,
                "It is not known where your node is.",
                "Name its folder with --home DIR or KITH_HOME.",
            )
        })
    }

    /// The file with the passphrase, where one was named.
    pub fn passphrase_path(&self) -> Option<PathBuf> {
        self.passphrase_file.as_deref().map(absolute)
    }

    /// Has the node do something.
    pub fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let home = self.home()?;
        let bar = Bar::new(self.json);
        let mut progress = |step: Progress| bar.show(&step);
        match self.reach(&home, |unlock| Node::open(&home, &unlock))? {
            Reached::Running(client) => client.command(request, &mut progress),
            Reached::Here(mut node) => node.handle(request, &mut progress),
        }
    }

    /// The running node, or what `open` makes of the store itself where none runs. While another
    /// command has the store, this one waits for it, and for a node that is starting.
    pub fn reach<T>(
        &self,
        home: &Home,
        mut open: impl FnMut(Unlock) -> Result<T, Failure>,
    ) -> Result<Reached<T>, Failure> {
        let mut unlock = None;
        let mut waiting = Waiting::new(self.json);
        loop {
            if let Some(client) = Client::connect(home) {
                return Ok(Reached::Running(client));
            }
            let unlock = match &unlock {
                Some(unlock) => unlock,
                None => unlock.insert(self.unlock(home)?),
            };
            match open(unlock.clone()) {
                Err(failure) if failure.is_in_use() && waiting.goes_on() => {}
                opened => return opened.map(Reached::Here),
            }
        }
    }

    /// Where long work that is not the node's shows how far it is.
    pub fn bar(&self) -> Bar {
        Bar::new(self.json)
    }

    /// What opens the home: its key file, a passphrase in a file, or one that is typed.
    pub fn unlock(&self, home: &Home) -> Result<Unlock, Failure> {
        if !home.wants_passphrase()? {
            return Ok(Unlock::KeyFile);
        }
        self.passphrase("Passphrase of this node:")
            .map(Unlock::Passphrase)
    }

    /// A passphrase from the node's file, or typed.
    pub fn passphrase(&self, prompt: &str) -> Result<String, Failure> {
        match self.passphrase_from_file()? {
            Some(words) => Ok(words),
            None => self.typed_passphrase(prompt),
        }
    }

    /// A passphrase that is typed.
    pub fn typed_passphrase(&self, prompt: &str) -> Result<String, Failure> {
        if self.no_input {
            return Err(Failure::new(
                Ending::Locked,
                "A passphrase is needed, and nobody can be asked for it.",
                "Name a file that holds it with --passphrase-file, or run the command at a terminal.",
            ));
        }
        inquire::Password::new(prompt)
            .without_confirmation()
            .prompt()
            .map_err(|error| no_answer(&error))
    }

    pub fn passphrase_from_file(&self) -> Result<Option<String>, Failure> {
        self.passphrase_file.as_deref().map(words_in).transpose()
    }

    /// Asks; when a sealed bundle needs a passphrase and somebody can be asked, asks again with it.
    pub fn ask_unlocking(
        &self,
        file: Option<&std::path::Path>,
        request: impl Fn(Option<String>) -> Request,
    ) -> Result<Reply, Failure> {
        let words = file.map(words_in).transpose()?;
        let known = words.is_some();
        match self.ask(request(words)) {
            Ok(Reply::Imported(imported)) if !known && self.wants_words(&imported) => {
                let words = self.typed_passphrase("Passphrase of the bundle:")?;
                self.ask(request(Some(words)))
            }
            Err(failure) if failure.ending == Ending::Locked && !known && !self.no_input => {
                let words = self.typed_passphrase("Passphrase of the bundle:")?;
                self.ask(request(Some(words)))
            }
            answered => answered,
        }
    }

    fn wants_words(&self, imported: &kith_node::api::Imported) -> bool {
        let mut refused = imported.refused.iter();
        !self.no_input && refused.any(|refused| refused.failure.ending == Ending::Locked)
    }
}

/// Who does what is asked.
pub enum Reached<T> {
    /// The running node.
    Running(Client),
    /// This process, with the store open.
    Here(T),
}

/// A command's patience with another one that has the store.
struct Waiting {
    since: Instant,
    /// Whether somebody is there to be told and does not know yet.
    tells: bool,
}

impl Waiting {
    const LASTS: Duration = Duration::from_secs(10);
    const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
    /// Most commands end sooner, and nobody has to read about them.
    const UNSAID: Duration = Duration::from_millis(500);

    fn new(json: bool) -> Self {
        Self {
            since: Instant::now(),
            tells: !json && std::io::stderr().is_terminal(),
        }
    }

    /// Waits a little; nothing is left to wait for when it took too long already.
    fn goes_on(&mut self) -> bool {
        let waited = self.since.elapsed();
        if waited >= Self::LASTS {
            return false;
        }
        if self.tells && waited >= Self::UNSAID {
            eprintln!("Another kith command is using this node's store; waiting for it to end.");
            self.tells = false;
        }
        std::thread::sleep(Self::BETWEEN_LOOKS);
        true
    }
}

/// The passphrase in a file, without its last line break.
pub fn words_in(path: &std::path::Path) -> Result<String, Failure> {
    let mut words = String::new();
    let mut file = std::fs::File::open(path).map_err(|error| no_passphrase_file(&error))?;
    file.read_to_string(&mut words)
        .map_err(|error| no_passphrase_file(&error))?;
    Ok(words.trim_end_matches(['\n', '\r']).to_owned())
}

/// The user ended the question.
pub fn no_answer(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The question was not answered.",
        "Nothing was changed. Run the command again when you like.",
    )
    .because(error)
}

fn no_passphrase_file(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Locked,
        "The file with the passphrase or code cannot be read.",
        "Check its name and that you may read it.",
    )
    .because(error)
}

/// Asks a person whether they agree.
pub fn agrees(question: &str) -> Result<bool, Failure> {
    inquire::Confirm::new(question)
        .with_default(false)
        .prompt()
        .map_err(|error| no_answer(&error))
}

/// Paths are sent to the running node, which has a working folder of its own.
pub fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A progress bar on standard error, where that is a terminal.
pub struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(json: bool) -> Self {
        let wanted = !json && std::io::stderr().is_terminal();
        Self(wanted.then(|| {
            let bar = ProgressBar::no_length();
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        }))
    }

    pub fn show(&self, step: &Progress) {
        if let Some(bar) = &self.0 {
            bar.set_length(step.total);
            bar.set_position(step.done);
            bar.set_message(step.doing.clone());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A text that goes from hand to hand: itself, or what a file or standard input (`-`) holds.
pub fn text_of(word: &str) -> Result<String, Failure> {
    if word.trim_start().starts_with("kith:") {
        return Ok(word.to_owned());
    }
    let mut text = String::new();
    let read = if word == "-" {
        std::io::stdin()
            .take(TEXT_LEN_MAX)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(word).and_then(|file| file.take(TEXT_LEN_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            "That is neither such a text, from kith: to its end, nor a file that can be read.",
            "Paste the text as it was sent, or name the file that it is in. Nothing was changed.",
        )
        .because(&error)
    })?;
    Ok(text)
}
