//! The words about staff and devices.

use clap::Subcommand;

#[derive(clap::Args)]
pub struct StaffArgs {
    #[command(subcommand)]
    pub command: StaffCommand,
}

#[derive(Subcommand)]
pub enum StaffCommand {
    /// Enter somebody
    Add {
        /// What they are called here; the name does not leave this node
        name: String,
        /// Such as nurse
        #[arg(long)]
        role: String,
        /// What they may do: some of see, add, change, review, share
        #[arg(long, default_value = "see,add,change", value_name = "WORDS")]
        may: String,
        /// The last day
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// A code by which somebody begins an account for the staff pages (kith run --staff-pages)
    Account {
        /// Who: a name, an id or its beginning
        who: String,
    },
    /// Everyone who was entered
    List,
    /// Somebody leaves: one signed event for all records
    End(LeavingArgs),
}

#[derive(clap::Args)]
pub struct DevicesArgs {
    #[command(subcommand)]
    pub command: DevicesCommand,
}

#[derive(Subcommand)]
pub enum DevicesCommand {
    /// An invitation for another device of yours: kith join on the new machine
    Add {
        /// A printable page with the invitation
        #[arg(long, value_name = "FILE.html")]
        sheet: Option<std::path::PathBuf>,
        #[command(flatten)]
        invitation: super::InvitationArgs,
    },
    /// Every device that acts for this node's owner, and invitations that wait
    List,
    /// A device leaves: one signed event for all records; an invitation that waits is taken back
    Retire(RetireArgs),
}

#[derive(clap::Args)]
pub struct RetireArgs {
    #[command(flatten)]
    pub leaving: LeavingArgs,
    /// Use the recovery sheet of the device on which you began: its code is asked for, or read
    /// from FILE
    #[arg(long, num_args = 0..=1, value_name = "FILE")]
    pub recovery_sheet: Option<Option<std::path::PathBuf>>,
}

#[derive(clap::Args)]
pub struct LeavingArgs {
    /// A name, an id or the beginning of one
    pub who: String,
    /// What stays of what they wrote: all, or none-after DATE
    #[arg(long, num_args = 1..=2, value_names = ["all|none-after", "DATE"], default_value = "all")]
    pub keep: Vec<String>,
}
