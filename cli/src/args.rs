//! The words of the command line.

mod connect;
mod control;
mod emergency;
mod forms;
mod household;
mod integration;
mod practice;
mod records;
mod recover;
mod sandbox;
mod sharing;
mod work;

use std::{net::SocketAddr, path::PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use kith_node::failure::Ending;

pub use connect::{ConnectAppArgs, ConnectArgs, ConnectCommand, ConnectFhirArgs, ConnectHl7Args};
pub use control::{Capacity, ControlArgs, ControlCommand, ControllerArgs};
pub use emergency::{EmergencyArgs, EmergencyOpenArgs};
pub use forms::{FillArgs, FormArgs, FormCommand};
pub use household::{BondWord, HouseholdArgs, HouseholdCommand};
pub use integration::{InboxArgs, InboxCommand, SendArgs, SendCommand};
pub use practice::{DevicesArgs, DevicesCommand, LeavingArgs, StaffArgs, StaffCommand};
pub use records::{
    AddArgs, AddCommand, AttestArgs, ChangeArgs, ExportArgs, Form, ImportArgs, OneRecord,
    ReadingsArgs, RecordArgs, RecordCommand, SameArgs,
};
pub use recover::{RecoverArgs, RecoverCommand};
pub use sandbox::SandboxArgs;
pub use sharing::{Basis, InvitationArgs, JoinArgs, ShareArgs, SharingArgs, StopArgs};
pub use work::{
    AnswerArgs, AnswerCommand, CheckArgs, EventArgs, EventCommand, HandoverArgs, HappenedArgs,
    RulesArgs, TasksArgs,
};

/// One patient record, held by everyone who cares for the person.
#[derive(Parser)]
#[command(
    name = "kith",
    version,
    disable_help_subcommand = false,
    infer_subcommands = false
)]
pub struct Args {
    /// The folder of the node [default: the data folder of whoever runs kith]
    #[arg(long, global = true, env = "KITH_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Results and errors as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Ask nothing: what would have to be asked is an error
    #[arg(long, global = true)]
    pub no_input: bool,
    /// A file with the passphrase, for programs
    #[arg(long, global = true, env = "KITH_PASSPHRASE_FILE", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

/// The command line as it was typed.
pub fn parse() -> Result<Args, clap::Error> {
    Args::from_arg_matches(&command().try_get_matches()?)
}

/// Every word of the command line; `kith help exit-codes` prints the codes.
pub fn command() -> clap::Command {
    Args::command().mut_subcommand("exit-codes", |command| command.long_about(exit_codes()))
}

/// Each code with what it means, a line each.
pub fn exit_codes() -> String {
    let line = |ending: &Ending| format!("{:3}  {}", ending.code(), ending.meaning());
    Ending::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[derive(Subcommand)]
pub enum Command {
    /// A fall, told on four throw-away nodes of this machine
    Demo(DemoArgs),
    /// A throw-away node with 20 people who do not exist and its interfaces open, for people who code
    Sandbox(SandboxArgs),
    /// Make a node: who runs it, its name, keys, recovery sheet
    Setup(SetupArgs),
    /// Run the node until it is stopped
    Run(RunArgs),
    /// Open the pages of this node in a browser; where there is no node, begin one there
    Ui(UiArgs),
    /// How this node is, and what mends it
    Status(StatusArgs),
    /// Records: begin, list, show, timeline, find
    Record(RecordArgs),
    /// Show a record
    Show(OneRecord),
    /// Bring files into records
    Import(ImportArgs),
    /// Add one thing to a record
    Add(AddArgs),
    /// Change one thing in a record, or say that it was entered in error
    Change(ChangeArgs),
    /// Say that you have seen a result that somebody brought, and accept it; it stays theirs
    Attest(AttestArgs),
    /// Say that somebody fell, was admitted, discharged or moved, or that it did not happen
    Event(EventArgs),
    /// What is to be done, and answering: accept, done, decline
    Tasks(TasksArgs),
    /// What somebody needs to know who takes over
    Handover(HandoverArgs),
    /// Plans for emergencies such as ReSPECT, and who has them
    Plans(OneRecord),
    /// Forms (FHIR Questionnaires): keep, list, fill, check, and what answers would put into a record
    Form(FormArgs),
    /// Explain a file that says what has to happen after an event
    Check(CheckArgs),
    /// Give a record back
    Export(ExportArgs),
    /// Check every signature, link and status from the raw bytes
    Verify(VerifyArgs),
    /// Why an entry has its status; what a file of HL7 v2 messages would do, field by field
    Explain(ExplainArgs),
    /// What needs a decision, and deciding
    Review(ReviewArgs),
    /// Share parts of a record
    Share(ShareArgs),
    /// Accept an invitation
    Join(JoinArgs),
    /// Who can see what
    Sharing(SharingArgs),
    /// Who lives with whom and who supports whom, where both sides agreed to say so
    Household(HouseholdArgs),
    /// Stop sharing, or give back what is shared with you
    Stop(StopArgs),
    /// Connect other software: apps that read a record over FHIR, systems that send HL7 v2
    Connect(ConnectArgs),
    /// Who looked at a record
    WhoLooked(OneRecord),
    /// Messages of other systems that came in, and what became of them
    Inbox(InboxArgs),
    /// Messages to other systems: send, and those that wait
    Send(SendArgs),
    /// What happened on this node, and what happens
    Events(EventsArgs),
    /// The people who work here: enter, list, end
    Staff(StaffArgs),
    /// The devices that act for this node's owner: add, list, retire
    Devices(DevicesArgs),
    /// Recover a record together, when whoever controls it is gone; a new start for somebody who
    /// lost every device
    Recover(RecoverArgs),
    /// A sealed copy of this node in a folder, or what is new since the last one
    Backup(BackupArgs),
    /// A node again, from a backup
    Restore(RestoreArgs),
    /// Measure this machine on made-up records, in a folder that is taken away again
    Bench(BenchArgs),
    /// Completions for a shell
    Completions(CompletionsArgs),
    /// Manual pages, into a folder
    ManPages(ManPagesArgs),
    /// What the exit codes mean
    ExitCodes,
}

#[derive(clap::Args)]
pub struct SetupArgs {
    /// The name that others know, such as "Riverside Surgery"
    #[arg(long)]
    pub name: Option<String>,
    /// Who runs it
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Also write a systemd unit, so that the node can run whenever this machine does; for a node
    /// that exists, only that
    #[arg(long)]
    pub service: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A general practice
    Practice,
    /// A hospital
    Hospital,
    /// An ambulance service
    Ambulance,
    /// A care home
    CareHome,
    /// A laboratory
    Laboratory,
    /// A patient, a carer, family or friends
    Person,
}

#[derive(clap::Args)]
pub struct RunArgs {
    /// An address of this machine and a port, such as 127.0.0.1:4712; can be given several times
    #[arg(long, default_values = ["0.0.0.0:4712", "/ip4/0.0.0.0/udp/4712/quic-v1"], value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Where others reach this machine from elsewhere, such as riverside.example:4712; can be given
    /// several times
    #[arg(long, value_name = "HOST:PORT")]
    pub reachable_at: Vec<String>,
    /// Where this node's pages are, for whoever sits at this machine: an address of this machine
    /// alone; with port 0 any that is free
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub pages: SocketAddr,
    /// Without pages
    #[arg(long, conflicts_with = "pages")]
    pub no_pages: bool,
    /// Where staff sign in, over TLS: an address of this machine, such as 0.0.0.0:8743
    #[arg(long, value_name = "ADDR")]
    pub staff_pages: Option<SocketAddr>,
    /// A name by which browsers call the staff pages, such as riverside.example; can be given
    /// several times
    #[arg(long, value_name = "NAME", requires = "staff_pages")]
    pub staff_name: Vec<String>,
    /// The certificate of the staff pages with its chain, PEM; this node signs its own otherwise
    #[arg(long, value_name = "FILE", requires_all = ["staff_pages", "tls_key"])]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Stop when standard input ends, as when the program that started this node has gone
    #[arg(long, hide = true)]
    pub until_input_ends: bool,
}

#[derive(clap::Args)]
pub struct UiArgs {
    /// Where the pages are, where no node runs yet: an address of this machine alone
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub pages: SocketAddr,
    /// Where others reach this node, where none runs yet; can be given several times
    #[arg(long, default_values = ["0.0.0.0:4712", "/ip4/0.0.0.0/udp/4712/quic-v1"], value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Print the link and open no browser
    #[arg(long)]
    pub no_open: bool,
}

#[derive(clap::Args)]
pub struct DemoArgs {
    /// End when the story is told, instead of waiting for Ctrl-C
    #[arg(long)]
    pub once: bool,
    /// Keep what the engines were told and did in this folder, for comparing it with the simulator
    #[cfg(feature = "trace")]
    #[arg(long, value_name = "DIR", hide = true)]
    pub traces: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct StatusArgs {
    /// End with 4 when something needs a person
    #[arg(long)]
    pub check: bool,
}

#[derive(clap::Args)]
pub struct VerifyArgs {
    /// A bundle file, or a record
    #[arg(value_name = "FILE or RECORD")]
    pub what: String,
    /// A file with the passphrase of a sealed bundle
    #[arg(long, value_name = "FILE")]
    pub bundle_passphrase_file: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct ExplainArgs {
    /// An entry's or resource's id, at least six characters of an entry's, or a file of HL7 v2
    /// messages
    #[arg(value_name = "ENTRY or FILE")]
    pub entry: String,
}

#[derive(clap::Args)]
pub struct ReviewArgs {
    /// One record; all where it is left out
    pub record: Option<String>,
    #[command(subcommand)]
    pub decision: Option<ReviewCommand>,
}

#[derive(Subcommand)]
pub enum ReviewCommand {
    /// Make an entry count, with all that it builds on
    Adopt {
        /// The entry
        entry: String,
    },
    /// Of several versions, keep one
    Choose {
        /// The resource
        resource: String,
        /// The version's number, from 1
        version: usize,
    },
    /// Write what came in after its part was begun anew into what stands now
    Bring {
        /// The resource
        resource: String,
    },
    /// Leave what came in after its part was begun anew where it is, out of sight
    Leave {
        /// The resource
        resource: String,
    },
    /// Let somebody in who came with the link of an invitation: their check words are yours
    Admit {
        /// The invitation
        invitation: String,
    },
    /// Let somebody not in who came with the link of an invitation
    Decline {
        /// The invitation
        invitation: String,
    },
    /// A stop of sharing that waits, since whoever signed it was stopped too, holds
    Confirm {
        /// The stop, as kith review names it
        stop: String,
    },
    /// A stop of sharing that waits, since whoever signed it was stopped too, does not hold
    Void {
        /// The stop, as kith review names it
        stop: String,
    },
    /// Take back an adoption or a choice between versions: what stood before is written anew, and
    /// nothing in the history goes
    Undo {
        /// The entry that adopted or chose, as the decision printed it
        entry: String,
        /// Which version stands again, where there were more than two: without it they are listed
        version: Option<usize>,
    },
    /// Somebody here has seen that the record was opened in an emergency
    Seen {
        /// The emergency, as kith review names it
        emergency: String,
    },
}

#[derive(clap::Args)]
pub struct EventsArgs {
    /// One record; all where it is left out
    pub record: Option<String>,
    /// Go on and tell what happens, until the node stops
    #[arg(long)]
    pub follow: bool,
    /// Only what came after this number, the last one that you have seen
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
}

#[derive(clap::Args)]
pub struct BackupArgs {
    /// The folder: new, empty, or with a backup of this node
    pub folder: PathBuf,
    /// Read every part of the backup that is there, and change nothing
    #[arg(long)]
    pub check: bool,
}

#[derive(clap::Args)]
pub struct RestoreArgs {
    /// The folder of the backup; the node is made where --home says
    pub folder: PathBuf,
}

#[derive(clap::Args)]
pub struct BenchArgs {
    /// Records of 60 resources that are imported
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub records: u32,
    /// Entries of the one large record
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub entries: u32,
    /// Small records of the practice that somebody leaves; records among which apps search, up to
    /// 10,000
    #[arg(long, default_value_t = 12_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub people: u32,
    /// Only this part
    #[arg(long, value_enum, value_name = "NAME")]
    pub only: Option<BenchPart>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchPart {
    /// Files into records, and the same files again
    Import,
    /// What it takes on the disk
    Disk,
    /// One record shown, cold and warm
    Show,
    /// One record given back in each form
    Export,
    /// One record verified
    Verify,
    /// The status of a record with many entries
    Status,
    /// Somebody leaves a practice of many small records
    Leaver,
    /// Two nodes catch up, in memory
    Sync,
    /// Two nodes as processes: everything shared, nothing new, one note
    Wire,
    /// A hub with very many small records in common with another node
    Hub,
    /// Pages of a long record, and of many while everybody clicks
    Pages,
    /// HL7 v2 messages of fifty systems at once
    Hl7,
    /// Apps that search for one person among many, over FHIR
    Fhir,
}

#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(clap::Args)]
pub struct ManPagesArgs {
    /// The folder
    pub folder: PathBuf,
}
