//! The words about household and support links.

use clap::{Subcommand, ValueEnum};

#[derive(clap::Args)]
pub struct HouseholdArgs {
    #[command(subcommand)]
    pub command: HouseholdCommand,
}

#[derive(Subcommand)]
pub enum HouseholdCommand {
    /// What a record says of whom the person lives with, supports or is supported by
    Show {
        /// The record: its id, its beginning, or words that find one person
        record: String,
    },
    /// Offer a link; prints a text for whoever looks after the other record
    Offer {
        /// The record: its id, its beginning, or words that find one person
        record: String,
        /// What the person of this record is to the other
        #[arg(long, value_enum)]
        bond: BondWord,
        /// What the other is called here, such as "Bert Penn"
        #[arg(long, value_name = "NAME")]
        with: String,
        /// What the person of this record is called there; as the record says where it is left out
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How they are reached, for the other side to see, such as a telephone number
        #[arg(long, value_name = "TEXT")]
        reach: Option<String>,
    },
    /// Accept what somebody offered, for this record; prints a text for them
    Answer {
        /// The record: its id, its beginning, or words that find one person
        record: String,
        /// The text that they gave you, a file with it, or - for standard input
        #[arg(value_name = "TEXT or FILE")]
        offer: String,
        /// What the person of this record is called there; as the record says where it is left out
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How they are reached, for the other side to see, such as a telephone number
        #[arg(long, value_name = "TEXT")]
        reach: Option<String>,
        /// You accept: do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take in what the other side gave you: its answer, or that it ended the link
    TakeIn {
        /// The record: its id, its beginning, or words that find one person
        record: String,
        /// The text that they gave you, a file with it, or - for standard input
        #[arg(value_name = "TEXT or FILE")]
        text: String,
    },
    /// End a link; prints a text for the other side
    End {
        /// The record: its id, its beginning, or words that find one person
        record: String,
        /// With whom, or the beginning of the link's name
        link: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BondWord {
    /// They live together
    LivesWith,
    /// The person of this record supports the other
    Supports,
    /// The person of this record is supported by the other
    SupportedBy,
}
