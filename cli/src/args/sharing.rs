//! The words of sharing.

use std::path::PathBuf;

#[derive(clap::Args)]
pub struct ShareArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// What they can see: all, or parts such as medicines,plans:general
    #[arg(long, value_name = "PARTS")]
    pub see: String,
    /// What they can add to
    #[arg(long, value_name = "PARTS")]
    pub add: Option<String>,
    /// What they can change, such as medicines; they can add to it too
    #[arg(long, value_name = "PARTS")]
    pub change: Option<String>,
    /// The last day of the share
    #[arg(long, value_name = "DATE")]
    pub until: String,
    /// A printable page with the invitation, for a letter
    #[arg(long, value_name = "FILE.html")]
    pub sheet: Option<PathBuf>,
    #[command(flatten)]
    pub invitation: InvitationArgs,
}

#[derive(clap::Args)]
pub struct InvitationArgs {
    /// Whoever comes with the link waits until you have compared check words: so it is at a
    /// terminal; programs ask for it
    #[arg(long)]
    pub confirm: bool,
    /// Draw no QR code
    #[arg(long)]
    pub no_qr: bool,
}

#[derive(clap::Args)]
pub struct JoinArgs {
    /// Where the other node is, then the four words, such as riverside.example birch lamp river
    /// forty; on the same network the words alone
    #[arg(
        value_name = "HOST or WORD",
        required_unless_present = "link",
        conflicts_with = "link"
    )]
    pub words: Vec<String>,
    /// The link of the invitation
    #[arg(long, value_name = "LINK")]
    pub link: Option<String>,
    /// It is the right person: do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(clap::Args)]
pub struct StopArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// The share's id, or the name of whom it is for
    #[arg(value_name = "WHO")]
    pub share: String,
    /// What stays of what they wrote: all, or none-after DATE
    #[arg(long, num_args = 1..=2, value_names = ["all|none-after", "DATE"], default_value = "all")]
    pub keep: Vec<String>,
}
