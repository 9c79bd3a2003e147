//! A share for an app that reads a record beside this node: grants like those of any other share,
//! to a principal that this node made for the app.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::{GrantFate, grant::Actions},
    id::{PrincipalId, RecordId},
    logs::Event,
    record::{Record, event_item},
    signed::Verified,
    store::Item,
};

use super::share::Share;
use crate::{
    api::{ShareLine, ShareRequest},
    failure::{Ending, Failure},
    node::{Node, circle::Card, now_ms},
};

/// Whom a share for an app is for: its principal with its log, and what it calls itself.
pub(in crate::node) struct NewApp {
    pub(in crate::node) principal: PrincipalId,
    pub(in crate::node) log: Vec<Verified<Event>>,
    pub(in crate::node) card: Card,
}

/// What an app may do now, by label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::node) struct AppScope {
    sees: BTreeMap<Label, BTreeSet<Section>>,
}

impl AppScope {
    /// Whether nothing is shared with it any more.
    pub(in crate::node) fn is_empty(&self) -> bool {
        self.sees.is_empty()
    }

    /// Whether it may see every part of a record.
    pub(in crate::node) fn is_all(&self) -> bool {
        let all: BTreeSet<_> = Section::ALL.into();
        let mut labels = Label::built_in().into_iter();
        labels.all(|label| self.sees.get(&label) == Some(&all))
    }
}

impl Node {
    /// Shares with an app, with other rows in the same commit.
    pub(in crate::node) fn share_with_app(
        &mut self,
        id: RecordId,
        asked: &ShareRequest,
        app: NewApp,
        beside: Vec<Item>,
    ) -> Result<ShareLine, Failure> {
        let terms = self.terms(id, asked)?;
        self.with_record(id, |node, record| {
            node.may_share(record, &terms)?;
            let mut items: Vec<_> = app.log.iter().map(event_item).collect();
            items.extend(beside);
            items.extend(node.grant(record, (app.principal, &app.log), &terms)?);
            items.extend(node.introduce(record, app.card)?);
            node.commit(items)?;
            let line = node.line_of_app(record, app.principal);
            line.ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    "The share was written and is not found again.",
                    "This is a fault of kith. Run kith sharing RECORD to see what stands.",
                )
            })
        })
    }

    /// The share of an app, as people see it.
    pub(in crate::node) fn line_of_app(
        &self,
        record: &mut Record,
        app: PrincipalId,
    ) -> Option<ShareLine> {
        let id = record.id();
        let mut shares = Share::shown(record).into_iter();
        let share = shares.rfind(|share| share.audience == app)?;
        Some(self.share_line(id, &share))
    }

    /// Every share of a record, as people see it.
    pub(in crate::node) fn share_lines(&self, record: &mut Record) -> Vec<ShareLine> {
        let id = record.id();
        let shares = Share::shown(record);
        let lines = shares.iter().map(|share| self.share_line(id, share));
        lines.collect()
    }

    /// What is shared with an app at this moment.
    pub(in crate::node) fn scope_of_app(record: &mut Record, app: PrincipalId) -> AppScope {
        let now = now_ms();
        let mut scope = AppScope::default();
        for grant in record.ledger().grants() {
            let is_held = grant.grant.audience == app
                && match grant.state {
                    // A stop that waits for a decision is served on, as it is to others.
                    GrantFate::Active | GrantFate::Suspended => true,
                    GrantFate::Lapsed
                    | GrantFate::Renounced
                    | GrantFate::Revoked
                    | GrantFate::Invalid => false,
                };
            let Some(right) = grant.effective.filter(|_| is_held) else {
                continue;
            };
            let stands = right.from_ms <= now && right.until_ms.is_none_or(|until| now < until);
            if stands && right.actions.contains(Actions::READ) {
                let sections = scope.sees.entry(grant.label).or_default();
                sections.extend(right.sections);
            }
        }
        scope
    }
}
