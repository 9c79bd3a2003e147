//! The words of events, tasks, rules and handover.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(clap::Args)]
pub struct EventArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
    #[command(subcommand)]
    pub what: EventCommand,
}

#[derive(Subcommand)]
pub enum EventCommand {
    /// The person fell
    Fall(HappenedArgs),
    /// The person was taken into hospital
    Admission(HappenedArgs),
    /// The person left hospital
    Discharge(HappenedArgs),
    /// The person was brought to another ward or place of care
    Transfer(HappenedArgs),
    /// An event did not happen, or a discharge did not: its tasks are withdrawn
    Cancel {
        /// The event, as kith handover names it
        event: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        because: Option<String>,
    },
}

#[derive(clap::Args)]
pub struct HappenedArgs {
    /// When, such as 2026-12-24 or 2026-12-24T14:30:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub when: Option<String>,
    /// Where
    #[arg(long = "where", value_name = "PLACE")]
    pub place: Option<String>,
    /// Why, or how
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TasksArgs {
    /// One record; all where it is left out
    pub record: Option<String>,
    /// Only those that you are asked for, or have accepted
    #[arg(long)]
    pub mine: bool,
    /// Also those that are done or withdrawn
    #[arg(long)]
    pub all: bool,
    #[command(subcommand)]
    pub answer: Option<AnswerCommand>,
}

#[derive(Subcommand)]
pub enum AnswerCommand {
    /// You do it
    Accept(AnswerArgs),
    /// You did it
    Done(AnswerArgs),
    /// You do not
    Decline(AnswerArgs),
}

#[derive(clap::Args)]
pub struct AnswerArgs {
    /// The task: its id or the beginning of it, as kith tasks names it
    pub task: String,
    /// Why, or what you want to say with it
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
    /// In this record, where the task is closed or its id fits several
    #[arg(long)]
    pub record: Option<String>,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
}

#[derive(clap::Args)]
pub struct CheckArgs {
    /// The file, or - for standard input
    pub file: PathBuf,
    /// Also say which names are nobody's who shares this record
    #[arg(long)]
    pub record: Option<String>,
}

#[derive(clap::Args)]
pub struct RulesArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// Keep the text of this file as its rules, in place of the one before; - for standard input
    #[arg(long, value_name = "FILE")]
    pub set: Option<PathBuf>,
    /// There are no rules any more
    #[arg(long, conflicts_with = "set")]
    pub end: bool,
    /// Print the text as it was written, to edit it
    #[arg(long, conflicts_with_all = ["set", "end"])]
    pub text: bool,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
}

#[derive(clap::Args)]
pub struct HandoverArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// Sign that you have read it
    #[arg(long)]
    pub read: bool,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
}
