//! The words about other systems.

use std::path::PathBuf;

use clap::Subcommand;

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
