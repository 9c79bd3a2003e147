//! A round over the conversations: whoever has something to say says it, and whoever has nothing to
//! do with what came in is passed over.

use super::{Changes, Engine};
use crate::{
    store::{Store, StoreError},
    sync::{
        chances::Chances,
        input::LinkId,
        link::Link,
        links::Links,
        message::Farewell,
        output::{News, Output},
        shell::Shell,
    },
};

impl Engine {
    /// Lets every conversation to which something happened say what it has to say.
    pub(super) fn pump<S: Shell>(&mut self, shell: &mut S) {
        if self.looks_at_all {
            self.links.wake_all();
        }
        let mut round = Round::of(&self.links);
        let awake = self.links.take_awake();
        let has_moved = self.passed != self.seen;
        let ids = if has_moved {
            self.links.ids()
        } else {
            awake.iter().copied().collect()
        };
        for id in ids {
            if has_moved && !awake.contains(&id) {
                match self.passes_over(shell, id) {
                    None => {}
                    Some(Ok(())) => continue,
                    Some(Err(_)) => {
                        round.comes_to(id, &self.links, &mut self.chances);
                        self.chances.pass(1);
                        self.say_bye(id, Farewell::Store);
                        continue;
                    }
                }
            }
            round.comes_to(id, &self.links, &mut self.chances);
            let done = self.at_desk(shell, id, Link::pump);
            self.ends_where_over(id, done.as_ref());
            let settles = self.links.work(id, Link::settles);
            if let (Some(true), Some(link)) = (settles, self.links.get(id)) {
                let device = link.device;
                self.calling.settled(&device);
                self.outputs.push_back(Output::Tell(News::UpToDate(device)));
            }
        }
        round.ends(&mut self.chances);
        self.passed = self.seen;
        self.tail = Changes::default();
    }

    /// Passes over a conversation that has nothing to do with what came into the journal, or not
    /// now: that counts as given then, and is kept as if it had been looked at. Nothing where it
    /// has to be looked at.
    fn passes_over<S: Shell>(
        &mut self,
        shell: &mut S,
        id: LinkId,
    ) -> Option<Result<(), StoreError>> {
        let link = self.links.get(id)?;
        if !link.looks_at_the_journal() {
            return Some(Ok(()));
        }
        // What another conversation entered into the access log meanwhile is looked at with it.
        let is_end = shell.store().journal(self.seen, 1);
        if self.tail.concern(link) || !is_end.is_ok_and(|beyond| beyond.is_empty()) {
            return None;
        }
        let (before, end) = (self.passed, self.seen);
        let passed = self.links.work(id, |link| link.passes_over(before, end));
        let row = passed.flatten()?;
        Some(match row {
            Some(row) => shell.commit(&mut [], vec![row]).map(|_| ()),
            None => Ok(()),
        })
    }
}

/// A round over all conversations, of which only some are looked at: each has its chances.
pub(super) struct Round {
    left: usize,
}

impl Round {
    pub(super) fn of(links: &Links) -> Self {
        Self { left: links.len() }
    }

    /// Passes over those before this one.
    pub(super) fn comes_to(&mut self, id: LinkId, links: &Links, chances: &mut Chances) {
        let after = links.len_after(id);
        chances.pass(self.left.saturating_sub(after + 1));
        self.left = after;
    }

    pub(super) fn ends(self, chances: &mut Chances) {
        chances.pass(self.left);
    }
}
