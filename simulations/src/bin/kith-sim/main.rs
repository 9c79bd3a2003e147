//! `kith-sim`: asks what a federated record would change.
//!
//! Each command is one file in `commands`. Results go to standard output, words about what is going
//! on to standard error. It ends as `kith` does: with 0, with 1 where something failed or differs
//! that should be the same, with 2 where the command is wrong, and with 15 where a file is.

mod args;
mod commands;
mod cost;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// A sixth of the time of a run over the real engine went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a command ends that does not end well.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said.
    pub said: String,
}

impl Failure {
    /// Something differs that should be the same, or cannot be done.
    pub fn of(said: impl Into<String>) -> Self {
        Self {
            code: 1,
            said: said.into(),
        }
    }

    /// A file is wrong.
    pub fn of_file(said: impl Into<String>) -> Self {
        Self {
            code: 15,
            said: said.into(),
        }
    }

    /// The command is wrong.
    pub fn of_usage(said: impl Into<String>) -> Self {
        Self {
            code: 2,
            said: said.into(),
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(error.to_string())
    }
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            let printed = error.print();
            return ExitCode::from(if printed.is_ok() { code } else { 1 });
        }
    };
    let ended = match &args.command {
        Command::New(args) => commands::new::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Merge(args) => commands::merge::run(args),
        Command::Report(args) => commands::report::run(args),
        Command::Verify(args) => commands::verify::run(args),
        Command::Trace(args) => commands::trace::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Slurm(args) => commands::slurm::run(args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.said);
            ExitCode::from(failure.code)
        }
    }
}
