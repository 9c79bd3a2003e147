//! The words about other systems.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Subcommand;

#[derive(clap::Args)]
pub struct ConnectArgs {
    #[command(subcommand)]
    pub command: Option<ConnectCommand>,
}

#[derive(Subcommand)]
pub enum ConnectCommand {
    /// HL7 v2: where messages come in, by MLLP or out of a folder, and whose
    Hl7(ConnectHl7Args),
}

#[derive(clap::Args)]
pub struct ConnectHl7Args {
    /// Listen for MLLP here while the node runs, such as 127.0.0.1:2575
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// An address that may connect where the node listens for more than this machine; can be given
    /// several times
    #[arg(long, value_name = "IP")]
    pub allow: Vec<IpAddr>,
    /// File by itself only what comes from this sender, as MSH-3 and MSH-4 name it:
    /// 'APPLICATION|FACILITY'; can be given several times
    #[arg(long, value_name = "APP|FACILITY")]
    pub sender: Vec<String>,
    /// Take files out of this folder while the node runs: to done or to waiting beside them
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Codes of your own beside kith's, a TOML file
    #[arg(long, value_name = "FILE")]
    pub tables: Option<PathBuf>,
    /// Take nothing in any more, and forget all of this
    #[arg(long, conflicts_with_all = ["listen", "allow", "sender", "folder", "tables"])]
    pub off: bool,
}

#[derive(clap::Args)]
pub struct InboxArgs {
    #[command(subcommand)]
    pub command: Option<InboxCommand>,
    /// Those that are filed too, newest first
    #[arg(long)]
    pub all: bool,
}

#[derive(Subcommand)]
pub enum InboxCommand {
    /// One message, field by field
    Show {
        /// Its number
        number: u64,
    },
    /// Try again to file one message, or all that wait
    Retry {
        /// Its number
        number: Option<u64>,
    },
    /// Say whose a message is, and file it there
    Link {
        /// Its number
        number: u64,
        /// The record
        record: String,
    },
}

#[derive(clap::Args)]
pub struct SendArgs {
    #[command(subcommand)]
    pub command: Option<SendCommand>,
}

#[derive(Subcommand)]
pub enum SendCommand {
    /// HL7 v2 messages to another system, by MLLP
    Hl7 {
        /// The file with the messages
        file: PathBuf,
        /// The other system
        #[arg(long, value_name = "HOST:PORT")]
        to: String,
    },
    /// Try a message again that was refused
    Retry {
        /// Its number
        number: u64,
    },
    /// Do not send a message after all
    Drop {
        /// Its number
        number: u64,
    },
}
