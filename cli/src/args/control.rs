//! The words about who controls a record.

use clap::{Subcommand, ValueEnum};

#[derive(clap::Args)]
pub struct ControlArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    #[command(subcommand)]
    pub change: Option<ControlCommand>,
}

#[derive(Subcommand)]
pub enum ControlCommand {
    /// Somebody whose node is known here controls it too
    Add(ControllerArgs),
    /// Somebody whose node is known here controls it, and you do not any more
    HandOver(ControllerArgs),
    /// You do not control it any more; somebody else has to
    Leave,
}

#[derive(clap::Args)]
pub struct ControllerArgs {
    /// What they call themselves
    pub name: String,
    /// In what capacity; an organisation keeps the record where nothing is said
    #[arg(long = "as", value_enum, value_name = "CAPACITY")]
    pub capacity: Option<Capacity>,
    /// The last day, for those who act for the patient
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// What shows that they act for the patient, in a few words
    #[arg(long, value_name = "TEXT")]
    pub evidence: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Capacity {
    /// It is about them
    Patient,
    /// An organisation that keeps it
    Keeper,
    /// With parental responsibility
    Parent,
    /// With a power of attorney or its like
    Attorney,
    /// By a decision in the patient's best interests
    BestInterests,
}
