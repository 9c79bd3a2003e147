//! The emergency page on paper: what a stranger in a hurry needs, on one sheet where it fits.

use super::{Paper, PaperError};

/// How wide the code is, in points: five centimetres and a half.
const CODE_WIDTH: f32 = 156.0;

/// What stands on an emergency page.
pub struct Needed {
    /// `SURNAME, Given`.
    pub person: String,
    /// Birth date, NHS number, in words.
    pub about: Vec<(String, String)>,
    /// Section by section: a heading, and lines with what is said of each.
    pub parts: Vec<(String, Vec<(String, String)>)>,
    /// When it was made, RFC 3339.
    pub made: String,
    /// What the code says that opens the record; nothing where there is none.
    pub link: Option<String>,
}

/// The page.
///
/// # Errors
/// When the file cannot be made.
pub fn emergency(needed: &Needed) -> Result<Vec<u8>, PaperError> {
    let mut paper = Paper::new(&format!("Emergency page, made {}", needed.made))?;
    paper.title("In an emergency");
    paper.strong(&needed.person);
    for (name, value) in &needed.about {
        paper.paragraph(&format!("{name}: {value}"));
    }
    for (heading, lines) in &needed.parts {
        paper.heading(heading);
        for (what, details) in lines {
            paper.item(what, details);
        }
    }
    if let Some(link) = &needed.link {
        paper.heading("Opens the record");
        paper.code(link, CODE_WIDTH)?;
        paper.small(link);
        paper.small("Whoever has this code can open the record for some hours, with a reason. Those who decide about the record are told each time.");
    }
    paper.finish("Emergency page", &needed.made, Vec::new())
}
