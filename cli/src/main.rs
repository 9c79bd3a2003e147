//! `kith`: what people type.
//!
//! Each command is one file in `commands`. A command asks the running node over its socket, or
//! works on the store itself when none runs; the answer is the same. Results go to standard
//! output, words for people and progress to standard error.

mod args;
mod ask;
mod commands;
mod demo;
mod render;
mod sandbox;
mod service;

use std::process::ExitCode;

use kith_node::failure::{Ending, Failure};

use args::Command;
use ask::Session;

/// A node makes and drops very many small things; the system's allocator took an eighth of its time,
/// and keeps what a busy minute left. How this one is set: `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    kith_node::home::keep_files_private();
    let session = Session::new(&args);
    start_log();
    let ended = run(&session, args.command);
    match ended {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(failure) => {
            render::failure(&session, &failure);
            ExitCode::from(failure.ending.code())
        }
    }
}

fn run(session: &Session, command: Command) -> Result<Ending, Failure> {
    match command {
        Command::Demo(args) => commands::demo::run(session, &args),
        Command::Sandbox(args) => commands::sandbox::run(session, &args),
        Command::Setup(args) => commands::setup::run(session, &args),
        Command::Run(args) => commands::run::run(session, &args),
        Command::Ui(args) => commands::ui::run(session, &args),
        Command::Status(args) => commands::status::run(session, &args),
        Command::Record(args) => commands::record::run(session, args),
        Command::Show(args) => commands::record::show(session, args.record),
        Command::Import(args) => commands::import::run(session, &args),
        Command::Add(args) => commands::add::run(session, args),
        Command::Change(args) => commands::change::run(session, args),
        Command::Attest(args) => commands::attest::run(session, args),
        Command::Event(args) => commands::event::run(session, args),
        Command::Tasks(args) => commands::tasks::run(session, args),
        Command::Handover(args) => commands::handover::run(session, args),
        Command::Plans(args) => commands::plans::run(session, args.record),
        Command::Form(args) => commands::form::run(session, args),
        Command::Check(args) => commands::check::run(session, &args),
        Command::Export(args) => commands::export::run(session, args),
        Command::Verify(args) => commands::verify::run(session, &args),
        Command::Explain(args) => commands::explain::run(session, args),
        Command::Review(args) => commands::review::run(session, args),
        Command::Share(args) => commands::share::run(session, args),
        Command::Join(args) => commands::join::run(session, args),
        Command::Sharing(args) => commands::sharing::list(session, args.record),
        Command::Stop(args) => commands::stop::run(session, args),
        Command::Connect(args) => commands::connect::run(session, args),
        Command::WhoLooked(args) => commands::who_looked::run(session, args.record),
        Command::Inbox(args) => commands::inbox::run(session, args),
        Command::Send(args) => commands::send::run(session, args),
        Command::Events(args) => commands::events::run(session, args),
        Command::Staff(args) => commands::practice::staff(session, args),
        Command::Devices(args) => commands::practice::devices(session, args),
        Command::Household(args) => commands::household::run(session, args),
        Command::Recover(args) => commands::recover::run(session, args),
        Command::Backup(args) => commands::backup::run(session, &args),
        Command::Restore(args) => commands::restore::run(session, &args),
        Command::Bench(args) => commands::bench::run(session, &args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::ManPages(args) => commands::completions::man_pages(&args),
        Command::ExitCodes => commands::completions::exit_codes(session),
    }
}

/// What clap found wrong, or help that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args().any(|arg| arg == "--json");
    if json && error.use_stderr() {
        let failure = Failure::new(
            Ending::Usage,
            error.render().to_string().trim().to_owned(),
            "Run kith help to see how commands are written.",
        );
        render::failure_json(&failure);
        return ExitCode::from(Ending::Usage.code());
    }
    if let Err(error) = error.print() {
        eprintln!("{error}");
    }
    let ending = if error.use_stderr() {
        Ending::Usage
    } else {
        Ending::Done
    };
    ExitCode::from(ending.code())
}

/// Structured logs on standard error, off unless `KITH_LOG` asks for them.
fn start_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("KITH_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .json()
        .init();
}
