//! Invitations, shares, and the end of shares.

mod admitting;
mod giving;
mod guest;
mod hosting;
mod invitation;
mod joining;
mod link;
mod scopes;

use std::collections::BTreeMap;

use kith_protocol::{
    consent::{GrantFate, GrantState, cut::CutTree, grant::Actions},
    id::PrincipalId,
    logs::{
        Act, LabelAct,
        record::{Link, Revoke},
    },
    record::Record,
    store::Item,
};

use super::{Node, now_ms, show};
use crate::{
    api::{Keep, ShareLine, Sharing, Stopped},
    failure::{Ending, Failure},
};

pub use hosting::{Opening, Refused};
pub use joining::{meet, offered, owner_of, refused};
pub use link::{InvitationId, Invited};
use scopes::Scopes;

impl Node {
    pub(super) fn sharing(&mut self, word: &str) -> Result<Sharing, Failure> {
        let id = self.record_named(word)?;
        let shares = self.with_record(id, |_, record| Ok(shares(record)))?;
        let mut lines: Vec<_> = shares.iter().map(|share| self.share_line(share)).collect();
        lines.extend(self.waiting_lines(id)?);
        Ok(Sharing { shares: lines })
    }

    fn share_line(&self, share: &Share) -> ShareLine {
        let scopes = |with: Actions| {
            let grants = share
                .grants
                .iter()
                .filter(|grant| grant.grant.actions.contains(with));
            grants
                .map(|grant| (grant.label.clone(), grant.grant.sections.clone()))
                .collect::<Scopes>()
                .to_string()
        };
        ShareLine {
            id: share.id(),
            who: share.audience.to_string(),
            name: self.name_of(share.audience),
            see: scopes(Actions::READ),
            add: scopes(Actions::APPEND),
            change: scopes(Actions::EDIT),
            until: share
                .grants
                .first()
                .and_then(|grant| grant.grant.until_ms)
                .map(show::time),
            state: share.state(now_ms()).to_owned(),
        }
    }

    pub(super) fn stop(&mut self, word: &str, share: &str, keep: Keep) -> Result<Stopped, Failure> {
        let id = self.record_named(word)?;
        if let Some(taken_back) = self.take_back(id, share)? {
            return Ok(taken_back);
        }
        let audience = self.with_record(id, |node, record| {
            let share = node.share_named(record, share)?;
            let now = now_ms();
            let mut items = Vec::new();
            for grant in share
                .grants
                .iter()
                .filter(|grant| grant.state == GrantFate::Active)
            {
                items.extend(node.revoke(record, grant, keep, now)?);
            }
            node.commit(items)?;
            Ok((share.audience, share.id()))
        })?;
        let name = self.name_of(audience.0);
        Ok(Stopped {
            share: audience.1,
            note: format!(
                "Nothing more goes to {name}. kith cannot take back what {name} already has."
            ),
            name,
        })
    }

    fn revoke(
        &mut self,
        record: &mut Record,
        grant: &GrantState,
        keep: Keep,
        now: u64,
    ) -> Result<Vec<Item>, Failure> {
        let link = Link::Grant(grant.id);
        let parts = match keep {
            Keep::All => record.ledger().keep_everything(link),
            Keep::NoneAfter(time_ms) => record.ledger().keep_none_after(link, time_ms),
        };
        let cut = CutTree::new(parts);
        let act = Act::Label(LabelAct::Revoke(Revoke {
            link,
            cut: cut.cut(),
            keep: Vec::new(),
            void: Vec::new(),
            is_final: false,
        }));
        let (event, item) = self.act(record, Some(&grant.label), act, now)?;
        let mut items = vec![item];
        for part in cut.proven(event) {
            items.push(Item::Part {
                record: record.id(),
                revocation: event,
                bytes: kith_protocol::codec::encode(&part),
            });
            record.ledger().add_part(part);
        }
        Ok(items)
    }

    fn share_named(&self, record: &mut Record, word: &str) -> Result<Share, Failure> {
        let lower = word.to_lowercase();
        let mut found: Vec<_> = shares(record)
            .into_iter()
            .filter(Share::is_active)
            .filter(|share| {
                share.id() == word
                    || share.audience.to_string() == word
                    || self.name_of(share.audience).to_lowercase() == lower
            })
            .collect();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(Failure::new(
                Ending::Failed,
                format!("There is no share called {word:?} that could be stopped."),
                "Run kith sharing RECORD to see who can see what.",
            )),
            n => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{word:?} fits {n} shares."),
                "Name one by its id: kith sharing RECORD lists them.",
            )),
        }
    }
}
/// Grants that were issued together to one principal.
struct Share {
    audience: PrincipalId,
    grants: Vec<GrantState>,
}

impl Share {
    fn id(&self) -> String {
        let first = self.grants.iter().map(|grant| grant.id).min();
        first.map_or_else(String::new, |id| id.to_string()[..12].to_owned())
    }

    fn is_active(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.state == GrantFate::Active)
    }

    fn state(&self, now: u64) -> &'static str {
        let ended = self
            .grants
            .iter()
            .all(|grant| grant.grant.until_ms.is_some_and(|until| until < now));
        match (self.is_active(), ended) {
            (true, false) => "active",
            (true, true) => "ended",
            (false, _) => "stopped",
        }
    }
}

fn shares(record: &mut Record) -> Vec<Share> {
    let mut shares: BTreeMap<(PrincipalId, PrincipalId, u64), Share> = BTreeMap::new();
    for grant in record.ledger().grants() {
        let key = (grant.issuer, grant.grant.audience, grant.grant.from_ms);
        let audience = grant.grant.audience;
        let share = shares.entry(key).or_insert_with(|| Share {
            audience,
            grants: Vec::new(),
        });
        share.grants.push(grant);
    }
    shares.into_values().collect()
}
/// The end of a day, or an instant, in milliseconds since 1970 UTC.
pub(super) fn end_of(text: &str) -> Result<u64, Failure> {
    moment(text, |day| day.tomorrow().ok())
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
mod tests;
