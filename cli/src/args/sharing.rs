//! The words of sharing.

use std::path::PathBuf;

use clap::ValueEnum;

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
    /// The first day of the share; at once where it is left out
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// They may share it on, within this share: over one further step, or over N
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = clap::value_parser!(u8).range(1..=6))]
    pub share_on: Option<u8>,
    /// They may decide what counts of what others wrote, where they can add
    #[arg(long)]
    pub review: bool,
    /// On what ground
    #[arg(long, value_enum, default_value = "consent")]
    pub basis: Basis,
    /// Who else can say that the share has ended, by the name of a node that is known here: two of
    /// them count as much as you; may be repeated
    #[arg(long, value_name = "NAME")]
    pub witness: Vec<String>,
    /// With somebody whose node is known here, without an invitation; where they have a share from
    /// you, this one takes its place
    #[arg(long = "with", value_name = "NAME")]
    pub with: Option<String>,
    #[command(flatten)]
    pub invitation: InvitationArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Basis {
    /// Direct care
    Care,
    /// The person's consent
    Consent,
    /// A duty in law
    Legal,
}

#[derive(clap::Args)]
pub struct SharingArgs {
    /// The record: its id or the beginning of it; everything that you share and that is shared
    /// with you where it is left out
    pub record: Option<String>,
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
    /// Those with whom they shared it on keep what they have
    #[arg(long)]
    pub keep_shared_on: bool,
}
