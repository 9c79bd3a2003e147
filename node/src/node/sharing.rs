//! Invitations, shares, and the end of shares.

mod admitting;
mod app;
mod direct;
mod ending;
mod giving;
mod held;
mod hosting;
mod invitation;
mod joining;
mod link;
mod scopes;
mod share;
mod stopping;
mod voiding;

use kith_protocol::id::RecordId;

use super::Node;
use crate::{
    api::{ShareLine, Sharing, Side},
    failure::{Ending, Failure},
};

pub(super) use app::NewApp;
pub(super) use ending::Ends;
pub use hosting::{Opening, Refused};
pub use joining::{meet, offered, owner_of, refused};
pub use link::{InvitationId, Invited};
use share::Share;

impl Node {
    pub(super) fn sharing(&mut self, word: &str) -> Result<Sharing, Failure> {
        let id = self.record_named(word)?;
        let mut shares = self.shares_of(id)?;
        shares.extend(self.waiting_lines(id)?);
        Ok(Sharing { shares })
    }

    /// What this node's owner shares, and what is shared with them, in every record here.
    pub(super) fn all_sharing(&mut self) -> Result<Sharing, Failure> {
        let records: Vec<RecordId> = self.people.iter().map(|(id, _)| *id).collect();
        let mut sharing = Sharing::default();
        for id in records {
            let own = |share: &ShareLine| match share.side {
                Side::FromUs | Side::WithUs => true,
                Side::BetweenOthers => false,
            };
            sharing
                .shares
                .extend(self.shares_of(id)?.into_iter().filter(own));
        }
        Ok(sharing)
    }

    fn shares_of(&mut self, id: RecordId) -> Result<Vec<ShareLine>, Failure> {
        let shares = self.with_record(id, |_, record| Ok(Share::shown(record)))?;
        let lines = shares.iter().map(|share| self.share_line(id, share));
        Ok(lines.collect())
    }
}

/// The end of a day, or an instant, in milliseconds since 1970 UTC.
pub(super) fn end_of(text: &str) -> Result<u64, Failure> {
    moment(text, |day| day.tomorrow().ok())
}

/// The last day of what ends when a day ends, as an answer says it; nothing for another instant.
pub fn last_day(until: &str) -> Option<String> {
    let day: jiff::civil::Date = until.strip_suffix("T00:00:00Z")?.parse().ok()?;
    Some(day.yesterday().ok()?.to_string())
}

/// The beginning of a day, or an instant, in milliseconds since 1970 UTC.
pub fn start_of(text: &str) -> Result<u64, Failure> {
    moment(text, Some)
}

fn moment(
    text: &str,
    midnight_of: impl Fn(jiff::civil::Date) -> Option<jiff::civil::Date>,
) -> Result<u64, Failure> {
    let instant = text.parse::<jiff::Timestamp>().ok();
    let day = || {
        let midnight = midnight_of(text.parse().ok()?)?.at(0, 0, 0, 0);
        jiff::tz::Offset::UTC.to_timestamp(midnight).ok()
    };
    let time = instant.or_else(day).ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            format!("{text:?} is not a day."),
            "Write it as 2027-06-30. Nothing was changed.",
        )
    })?;
    Ok(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;
