//! What a person on the inviting side has to know, and whom they let in.

use kith_protocol::id::RecordId;

use super::{
    invitation::{Giving, Invitation, State, Trouble},
    last_day,
    link::InvitationId,
};
use crate::{
    api::{Decided, ReviewKind, ToReview},
    failure::{Ending, Failure},
    node::{Node, now_ms, people::Known, show},
    pairing::message::Outcome,
};

impl Node {
    /// A person has compared the check words.
    pub(in crate::node) fn admit(&mut self, word: &str, yes: bool) -> Result<Decided, Failure> {
        let now = now_ms();
        let found = self.invitation_named(word, now)?;
        let (name, mut made, asking) = match found {
            Some((name, made)) => match made.state.clone() {
                State::Asked(asking) => (name, made, asking),
                State::Open | State::Given(_) | State::Refused(_) => return Err(nobody(word)),
            },
            None => return Err(nobody(word)),
        };
        let what = if yes {
            match self.give(name, made, &asking, now)? {
                Outcome::Shared { .. } | Outcome::Added(_) => {
                    format!("{} has joined.", asking.name)
                }
                Outcome::Waits | Outcome::No(_) => return Err(nobody(word)),
            }
        } else {
            made.state = State::Refused(asking.device);
            made.spoken = None;
            self.commit(vec![made.row(name)])?;
            format!(
                "{} gets nothing, and is told so. The invitation has ended.",
                asking.name
            )
        };
        Ok(Decided {
            entry: name.to_string(),
            what,
        })
    }

    /// What a person has to know or decide about invitations.
    pub(in crate::node) fn invitations_to_review(
        &self,
        record: Option<RecordId>,
    ) -> Result<Vec<ToReview>, Failure> {
        let mut open = self.open_invitations(now_ms())?;
        open.retain(|(_, made)| record.is_none() || made.record() == record);
        let item = |(name, made): (InvitationId, Invitation)| {
            let about = made.record();
            let known = about.and_then(|id| self.people.get(&id));
            let (kind, what, remedy) = match (&made.state, made.trouble) {
                (State::Asked(asking), _) => (
                    ReviewKind::WantsToJoin,
                    format!(
                        "{} ({}) wants to join: {}. Check words: {}",
                        asking.name,
                        asking.role,
                        made.in_words(),
                        self.check_words(name, asking)
                    ),
                    format!(
                        "Ask them for their check words. If they are the same: kith review admit {name}. If not: kith review decline {name}"
                    ),
                ),
                (State::Open, Some(trouble)) => (
                    match trouble {
                        Trouble::WrongWords(_) => ReviewKind::WrongWords,
                        Trouble::Declined(_) => ReviewKind::Declined,
                    },
                    trouble.said(),
                    match about {
                        Some(record) => format!(
                            "kith share makes new words; kith stop {} {name} takes this invitation back",
                            &record.to_string()[..12]
                        ),
                        None => "kith devices add makes new words".to_owned(),
                    },
                ),
                (State::Open, None) | (State::Given(_) | State::Refused(_), _) => return None,
            };
            Some(ToReview {
                record: about.map_or_else(String::new, |id| id.to_string()),
                person: known.map_or_else(String::new, Known::banner),
                kind,
                id: name.to_string(),
                what,
                versions: Vec::new(),
                remedy,
            })
        };
        Ok(open.into_iter().filter_map(item).collect())
    }
}

impl Invitation {
    fn in_words(&self) -> String {
        match &self.gives {
            Giving::Share(terms) => {
                let mut said = format!("would see {}", terms.see.to_string().replace(',', ", "));
                for (what, scopes) in [("add to", &terms.add), ("change", &terms.change)] {
                    if !scopes.is_empty() {
                        let scopes = scopes.to_string().replace(',', ", ");
                        said = format!("{said}; {what} {scopes}");
                    }
                }
                let until = show::time(terms.until_ms);
                let last = last_day(&until).unwrap_or(until);
                format!("{said}; until {last}")
            }
            Giving::Device => "would be able to do all that you can".to_owned(),
        }
    }
}

fn nobody(word: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("Nobody waits with an invitation called {word:?}."),
        "kith review lists who wants to join. Nothing was changed.",
    )
}
