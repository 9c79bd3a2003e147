//! What people read who find the folder.

use std::fmt::Write as _;

use crate::folder::{ABOUT, About, JOURNAL, SUMS};

/// What is said in it.
pub(super) struct Readme<'a> {
    /// Whose record it is.
    pub(super) person: String,
    pub(super) about: &'a About,
    /// Who controls the record.
    pub(super) controllers: Vec<String>,
    /// Parts of which nothing is here.
    pub(super) not_known_here: Vec<String>,
    /// What is odd about this export.
    pub(super) notes: &'a [String],
}

impl Readme<'_> {
    /// Its text, lines of at most some 80 letters where no name makes them longer.
    pub(super) fn to_text(&self) -> String {
        let about = self.about;
        let mut text = format!(
            "A HEALTH RECORD\n\n\
             Of:       {}\n\
             Record:   {}\n\
             Written:  {} by {}, with kith {}\n\
             Has:      {} resources\n\n\
             If you found this and it is not yours: it is private. Please give it back to the\n\
             person or to {}, and do not read on.\n\n",
            clean(&self.person),
            about.record,
            about.made,
            clean(&about.by),
            env!("CARGO_PKG_VERSION"),
            about.resources.len(),
            clean(&about.by),
        );
        text.push_str(
            "WHAT IS HERE\n\n\
             resources/       one file for each thing in the record, by part and by how private it\n\
             \u{20}                is: FHIR R4 in JSON, exactly as it was received\n\
             documents/       letters, pictures and other files that are in those, each named by\n\
             \u{20}                the SHA-256 of its bytes\n",
        );
        let _ = write!(
            text,
            "{JOURNAL}   who wrote what and when, one change a line; each line has the SHA-256\n\
             \u{20}                of the line before it\n\
             {ABOUT} which resource came when, and with which address\n\
             {SUMS}       the SHA-256 of every file\n\n",
        );
        self.withheld(&mut text);
        let _ = write!(
            text,
            "IS IT WHOLE?\n\n\
             sha256sum -c {SUMS}     (on a Mac: shasum -a 256 -c {SUMS})\n\
             kith import FOLDER              checks this and the journal, and says what differs\n\n\
             This finds what was changed by accident or in passing. It proves nothing against\n\
             somebody who writes the whole folder anew: for that, ask for a signed bundle file\n\
             (kith export RECORD --as bundle).\n\n\
             TO TAKE IT INTO A RECORD AGAIN\n\n\
             kith import FOLDER\n",
        );
        text
    }

    fn withheld(&self, text: &mut String) {
        text.push_str("WHAT IS NOT HERE\n\n");
        if self.about.whole {
            let _ = writeln!(
                text,
                "{} controls this record, and nothing of it is withheld from them. What others\n\
                 wrote and has not arrived yet is not here.",
                clean(&self.about.by)
            );
        } else {
            let _ = writeln!(
                text,
                "{} was shown a part of this record. Other parts may be withheld: whoever controls\n\
                 the record has all of it ({}).",
                clean(&self.about.by),
                clean(&self.controllers.join(", "))
            );
        }
        if !self.not_known_here.is_empty() {
            let _ = writeln!(
                text,
                "Of these parts there is nothing here: {}.\n\
                 That does not say that there is nothing: it may be withheld or not have arrived.",
                self.not_known_here.join(", ")
            );
        }
        for note in self.notes {
            let _ = writeln!(text, "{}", clean(note));
        }
        text.push('\n');
    }
}

/// Names stay on their line.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
