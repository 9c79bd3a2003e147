//! The sandbox: one throw-away node with people who do not exist and its interfaces open, for
//! people who code.

mod fill;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use fill::fill;

/// Where an app in a browser is gone back to, unless somebody says otherwise: the first example of
/// `docs/build-on-kith.md` is served there.
pub const REDIRECT: &str = "http://127.0.0.1:9000/results.html";

/// How many people there are.
pub const PEOPLE: u32 = 20;

/// What is in a sandbox before it runs.
pub struct Filled {
    /// The records, each with whose it is; the first has the form's rule and the app.
    pub records: Vec<Line>,
    /// What the app sends as `Authorization: Bearer`.
    pub token: String,
    /// The id of the first record's person for the app.
    pub patient: String,
    /// By what an app in a browser calls itself.
    pub client_id: String,
    /// The title of the form in the library.
    pub form: String,
    /// A message of another system that fits the first record.
    pub message: PathBuf,
    /// The folder out of which messages are taken.
    pub folder: PathBuf,
}

/// A record of a sandbox.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its id.
    pub record: String,
    /// Whose.
    pub person: String,
}

/// A sandbox that runs, as it is told.
#[derive(Debug, Serialize)]
pub struct Told<'a> {
    /// Its folder: `kith --home` takes it.
    pub home: &'a Path,
    /// A link that opens its pages once.
    pub pages: String,
    /// The base of its FHIR server.
    pub fhir: String,
    /// See [`Filled::token`].
    pub token: &'a str,
    /// See [`Filled::patient`].
    pub patient: &'a str,
    /// See [`Filled::client_id`].
    pub client_id: &'a str,
    /// Where it is gone back to.
    pub redirect: &'a str,
    /// Where it listens for HL7 v2 messages (MLLP).
    pub hl7: Option<String>,
    /// See [`Filled::folder`].
    pub folder: &'a Path,
    /// See [`Filled::message`].
    pub message: &'a Path,
    /// See [`Filled::form`].
    pub form: &'a str,
    /// The first record.
    pub record: &'a str,
    /// See [`Filled::records`].
    pub records: &'a [Line],
    /// A line for a shell: the first person's medicines over FHIR.
    pub curl: String,
    /// Another: what changes, as it changes.
    pub follow: String,
    /// Another: a message over the drop folder.
    pub drop: String,
}

impl<'a> Told<'a> {
    /// What is told of a sandbox with these addresses.
    pub fn of(
        filled: &'a Filled,
        home: &'a Path,
        redirect: &'a str,
        (pages, fhir, hl7): (String, String, Option<String>),
    ) -> Self {
        let bearer = format!("-H 'Authorization: Bearer {}'", filled.token);
        Self {
            curl: format!(
                "curl -s {bearer} '{fhir}/MedicationRequest?patient={}'",
                filled.patient
            ),
            follow: format!("curl -sN {bearer} '{fhir}/$events'"),
            drop: format!(
                "cp '{}' '{}'",
                filled.message.display(),
                filled.folder.display()
            ),
            home,
            pages,
            fhir,
            token: &filled.token,
            patient: &filled.patient,
            client_id: &filled.client_id,
            redirect,
            hl7,
            folder: &filled.folder,
            message: &filled.message,
            form: &filled.form,
            record: filled.records.first().map_or("", |line| &line.record),
            records: &filled.records,
        }
    }

    /// The same, to be read.
    pub fn to_text(&self) -> String {
        let hl7 = self.hl7.as_deref().unwrap_or("nowhere");
        let (home, record) = (
            self.home.display(),
            &self.record[..self.record.len().min(12)],
        );
        format!(
            "pages      {}\n\
             FHIR R4    {}\n\
             token      {}\n\
             patient    {}\n\
             client_id  {} (goes back to {})\n\
             HL7 v2     {hl7} (MLLP), files into {}\n\
             record     {record}, and {} more: kith --home {home} record list\n\
             form       {:?}: kith --home {home} form fill {record} {:?}\n\
             \n\
             {}\n{}\n{}\n",
            self.pages,
            self.fhir,
            self.token,
            self.patient,
            self.client_id,
            self.redirect,
            self.folder.display(),
            self.records.len().saturating_sub(1),
            self.form,
            self.form,
            self.curl,
            self.follow,
            self.drop,
        )
    }
}
