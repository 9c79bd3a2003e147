//! The words of forms.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(clap::Args)]
pub struct FormArgs {
    #[command(subcommand)]
    pub command: FormCommand,
}

#[derive(Subcommand)]
pub enum FormCommand {
    /// Keep a form, a FHIR Questionnaire as JSON: in the library of this node, or with a record
    Add {
        /// The file
        file: PathBuf,
        /// With this record
        #[arg(long)]
        record: Option<String>,
    },
    /// The forms here
    List {
        /// Also those of this record
        record: Option<String>,
    },
    /// Answer a form; what the record knows is answered already, each with its source
    Fill(FillArgs),
    /// Hold a response against its form, or look at a form
    Check {
        /// A QuestionnaireResponse or a Questionnaire as JSON, or - for standard input
        file: PathBuf,
        /// The form, where the response does not name it
        #[arg(long)]
        form: Option<String>,
        /// Look for the form in this record too
        #[arg(long)]
        record: Option<String>,
    },
    /// What answers would put into the record: nothing is filed
    Extract {
        /// The record: its id or the beginning of it
        record: String,
        /// The form: its id or the beginning of it, its address or its title
        form: String,
        /// The answers: a QuestionnaireResponse, or answers by the names of their questions
        #[arg(long, value_name = "FILE")]
        answers: PathBuf,
    },
}

#[derive(clap::Args)]
pub struct FillArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// The form: its id or the beginning of it, its address or its title
    pub form: String,
    /// A file with the answers, or - for standard input: a QuestionnaireResponse, or a JSON object
    /// with answers by the names of their questions; asked on the terminal where it is left out
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Only what the file answers: nothing from the record
    #[arg(long, requires = "answers")]
    pub only_answers: bool,
    /// Show the form with what the record answers, and file nothing
    #[arg(long, conflicts_with = "answers")]
    pub show: bool,
    /// As which member of staff: a name or an id
    #[arg(long = "as", value_name = "STAFF")]
    pub staff: Option<String>,
}
