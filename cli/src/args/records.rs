//! The words of records and of what is in them.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{ControlArgs, EmergencyArgs, EmergencyOpenArgs, RulesArgs};

#[derive(clap::Args)]
pub struct OneRecord {
    /// The record: its id or the beginning of it
    pub record: String,
}

#[derive(clap::Args)]
pub struct RecordArgs {
    #[command(subcommand)]
    pub command: RecordCommand,
}

#[derive(Subcommand)]
pub enum RecordCommand {
    /// Begin a record for a person
    New(NewArgs),
    /// List the records here
    List,
    /// Show a record
    Show(OneRecord),
    /// What happened when, and when it arrived here
    Timeline(OneRecord),
    /// What devices measured, and where they were silent
    Readings(ReadingsArgs),
    /// Find people by name, birth date or number
    Find {
        /// A part of a name, a birth date (1950-01-31) or a number
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Who controls a record, and changing that
    Control(ControlArgs),
    /// What has to happen around the person after an event: show, keep, end
    Rules(RulesArgs),
    /// Say that two records may be, are, or are not of one person; they are never merged
    Same(SameArgs),
    /// Who may open a record in an emergency, and changing that
    Emergency(EmergencyArgs),
    /// Open a record in an emergency: the person and their practice are told
    EmergencyOpen(EmergencyOpenArgs),
}

#[derive(clap::Args)]
pub struct ReadingsArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// How often a reading is expected, such as 15m, 12h or 1d; as they usually come where it is
    /// left out
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub every: Option<u32>,
}

/// Seconds from a number with m, h or d behind it.
fn every(text: &str) -> Result<u32, String> {
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some(_) | None => return Err("write it as 15m, 12h or 1d".to_owned()),
    };
    let number: Option<u32> = text[..text.len() - 1].parse().ok();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "write it as 15m, 12h or 1d".to_owned())
}

#[derive(clap::Args)]
pub struct SameArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// The other record; its whole id where it is not here
    pub other: String,
    /// They are of one person
    #[arg(long, conflicts_with = "withdraw")]
    pub confirm: bool,
    /// They are not, or it was a mistake
    #[arg(long)]
    pub withdraw: bool,
    /// Why, in a few words
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
}

#[derive(clap::Args)]
pub struct NewArgs {
    /// Family name
    #[arg(long)]
    pub family: String,
    /// Given name; may be repeated
    #[arg(long)]
    pub given: Vec<String>,
    /// Birth date: 1950, 1950-01 or 1950-01-31
    #[arg(long, value_name = "DATE")]
    pub born: Option<String>,
    /// NHS number
    #[arg(long, value_name = "NUMBER")]
    pub nhs_number: Option<String>,
}

#[derive(clap::Args)]
pub struct ImportArgs {
    /// FHIR JSON, NDJSON or bundle files, folders of them, or a record's folder that kith export
    /// wrote
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Into this record
    #[arg(long)]
    pub record: Option<String>,
    /// A file with the passphrase of a sealed bundle
    #[arg(long, value_name = "FILE")]
    pub bundle_passphrase_file: Option<PathBuf>,
    /// The file's Patient is this record's person, although it does not look so
    #[arg(long, requires = "record")]
    pub same_person: bool,
    /// Do not propose that a new record may be of somebody who has one already
    #[arg(long)]
    pub no_proposals: bool,
    /// The files are readings of this device: a table (time,what,value and, where known, unit,id) or
    /// FHIR Observations, one a line
    #[arg(long, value_name = "NAME", requires = "record")]
    pub device: Option<String>,
    /// Take a record's folder also where files of it were changed, are missing or were added; what
    /// differs is named, and what was added is not filed
    #[arg(long)]
    pub even_if_changed: bool,
}

#[derive(clap::Args)]
pub struct AddArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
    #[command(subcommand)]
    pub what: AddCommand,
}

#[derive(Subcommand)]
pub enum AddCommand {
    /// A note in words
    Note {
        /// What it says
        text: String,
    },
    /// A reading
    Reading {
        /// Such as pulse, temperature, weight, oxygen, glucose, blood-pressure
        what: String,
        /// Such as 36.60, or 120/80
        value: String,
        /// Such as kg; the usual one where it is left out
        unit: Option<String>,
    },
    /// A basic of their care, such as "drinks thickened": in every handover until it is ended
    Basics {
        /// What it says
        text: String,
    },
    /// A result from a paper that you have, such as of a genetic test: it is shown as brought by you
    Result {
        /// What was tested, such as CYP2D6
        what: String,
        /// What came of it: a number, or words such as "poor metabolizer"
        value: String,
        /// The unit of a number
        unit: Option<String>,
        /// The day that stands on it, such as 2026-11-28
        #[arg(long, value_name = "DATE")]
        date: Option<String>,
        /// Who tested it
        #[arg(long, value_name = "NAME")]
        laboratory: Option<String>,
    },
    /// A medicine
    Medicine {
        /// Name and strength
        name: String,
        /// How it is taken
        #[arg(long)]
        dose: Option<String>,
    },
    /// Work for someone
    Task {
        /// What is to be done
        what: String,
        /// Until when, such as 2026-12-24 or 2026-12-24T14:30:00Z
        #[arg(long, value_name = "TIME")]
        by: Option<String>,
    },
    /// A file
    Letter {
        /// The file
        file: PathBuf,
        /// What it is
        #[arg(long)]
        title: Option<String>,
        /// The day that stands on it, such as 2026-11-28
        #[arg(long, value_name = "DATE")]
        date: Option<String>,
        /// The letter whose place it takes: its id, as kith show --json says it
        #[arg(long, value_name = "LETTER")]
        replaces: Option<String>,
    },
}

#[derive(clap::Args)]
pub struct AttestArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// The result: its id or the beginning of it, as kith show --json names it
    pub thing: String,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Take back what you said before
    #[arg(long)]
    pub take_back: bool,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
}

#[derive(clap::Args)]
pub struct ExportArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// In which form
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub form: Form,
    /// Where to; standard output for ips and ndjson where it is left out
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// For a bundle: who can open it, by the name of a node that is known here; may be repeated.
    /// For a folder: where to, as --out
    #[arg(long, value_name = "NAME")]
    pub to: Vec<String>,
    /// For a bundle: a file with the passphrase that opens it
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub bundle_passphrase_file: Option<PathBuf>,
    /// For a bundle: not sealed, anyone can read it
    #[arg(long, conflicts_with = "to")]
    pub open: bool,
    /// For an emergency page: with a new code that opens the record; those before it open nothing any
    /// more
    #[arg(long)]
    pub new_code: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// An International Patient Summary
    Ips,
    /// The same as a PDF to be read, with the FHIR inside it
    Pdf,
    /// What a stranger in a hurry needs, as a PDF of one page to be printed
    Emergency,
    /// One received resource a line, exactly as received
    Ndjson,
    /// A folder with a file for each resource, its documents, a journal, and the hash of every file
    Folder,
    /// One signed file from which another node takes the whole record
    Bundle,
    /// A folder with the Automerge documents
    Documents,
}

#[derive(clap::Args)]
pub struct ChangeArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// What is changed: its id or the beginning of it, as kith show --json names it
    pub thing: String,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
    #[command(flatten)]
    pub what: ChangeWhat,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct ChangeWhat {
    /// How a medicine is taken from now on, in words
    #[arg(long, value_name = "TEXT")]
    pub dose: Option<String>,
    /// What a note or a basic of care says from now on
    #[arg(long, value_name = "TEXT")]
    pub words: Option<String>,
    /// A basic of care holds no more
    #[arg(long)]
    pub end: bool,
    /// A status, such as completed or stopped
    #[arg(long, value_name = "WORD")]
    pub status: Option<String>,
    /// A file with the whole new version, FHIR JSON
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// It was entered in error: the reason
    #[arg(long, value_name = "REASON")]
    pub mistake: Option<String>,
}
