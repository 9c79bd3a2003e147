//! The words about recovering a record.

use clap::Subcommand;

#[derive(clap::Args)]
pub struct RecoverArgs {
    #[command(subcommand)]
    pub command: RecoverCommand,
}

#[derive(Subcommand)]
pub enum RecoverCommand {
    /// Who may recover a record, and what waits for their word
    Show {
        /// The record: its id or the beginning of it
        record: String,
    },
    /// Name people who may recover a record together, in place of those before
    Set {
        /// The record: its id or the beginning of it
        record: String,
        /// Somebody whose node is known here, or you; repeat it for each
        #[arg(long = "member", value_name = "NAME", required = true)]
        members: Vec<String>,
        /// How many of them have to agree: more than half
        #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(1..=100))]
        needed: u8,
    },
    /// Put a record into the hands of somebody else, with as many of those named as it takes
    Record {
        /// The record: its id or the beginning of it
        record: String,
        /// Who is to control it: somebody whose node is known here, or you
        #[arg(long, value_name = "NAME")]
        controller: String,
    },
    /// Who can give you a new start should you lose every device, and what waits for their word;
    /// names them with --member
    Me {
        /// Somebody whose node is known here; repeat it for each: they take the place of those
        /// before
        #[arg(long = "member", value_name = "NAME", requires = "needed")]
        members: Vec<String>,
        /// How many of them have to agree: more than half
        #[arg(long, value_name = "K", requires = "members", value_parser = clap::value_parser!(u8).range(1..=100))]
        needed: Option<u8>,
        /// Use the recovery sheet of the device on which you began: its code is asked for, or read
        /// from FILE
        #[arg(long, num_args = 0..=1, value_name = "FILE", requires = "members")]
        recovery_sheet: Option<Option<std::path::PathBuf>>,
    },
    /// Help somebody who lost every device: prints what they begin with on a new one
    Person {
        /// Who: somebody whose node is known here
        name: String,
    },
    /// Begin again on a new machine, where there is no node yet, after you lost every device
    Begin {
        /// What one of your people gave you (kith recover person), a file with it, or - for
        /// standard input
        #[arg(value_name = "TEXT or FILE")]
        person: String,
    },
    /// Agree to what somebody asks you; prints what to send back
    Approve {
        /// The text that they sent, a file with it, or - for standard input
        #[arg(value_name = "TEXT or FILE")]
        asked: String,
        /// You agree: do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take in an agreement that came back
    Agreed {
        /// The text that they sent back, a file with it, or - for standard input
        #[arg(value_name = "TEXT or FILE")]
        agreement: String,
    },
}
