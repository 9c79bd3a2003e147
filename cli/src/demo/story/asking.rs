//! What the story has its nodes do.

use kith_node::{
    api::{
        Addition, Answer, AnswerRequest, Change, Decision, EventRequest, EventSaid, ImportRequest,
        RecordShown, Reply, Request, Review, RulesAct, RulesRequest, TaskLine, TasksRequest,
    },
    failure::Failure,
};

use super::{Story, Who};
use crate::{ask::odd_answer, demo::cast::Player};

impl Story<'_> {
    pub(super) fn shown(&mut self, who: Who) -> Result<RecordShown, Failure> {
        let request = Request::Show {
            record: self.record.clone(),
        };
        let Reply::Record(shown) = self.player(who).ask(request)? else {
            return Err(odd_answer());
        };
        Ok(*shown)
    }

    pub(super) fn review(&mut self, who: Who) -> Result<Review, Failure> {
        let request = Request::Review {
            record: Some(self.record.clone()),
        };
        let Reply::Review(review) = self.player(who).ask(request)? else {
            return Err(odd_answer());
        };
        Ok(review)
    }

    pub(super) fn add(&mut self, who: Who, what: Addition) -> Result<(), Failure> {
        let request = Request::Add {
            record: self.record.clone(),
            what,
            staff: None,
        };
        self.player(who).ask(request).map(drop)
    }

    pub(super) fn event(&mut self, who: Who, what: EventSaid) -> Result<(), Failure> {
        let request = EventRequest {
            record: self.record.clone(),
            what,
            staff: None,
        };
        self.player(who).ask(Request::Event(request)).map(drop)
    }

    pub(super) fn rules(&mut self, who: Who, text: &str) -> Result<(), Failure> {
        let request = RulesRequest {
            record: self.record.clone(),
            act: RulesAct::Set(text.to_owned()),
            staff: None,
        };
        self.player(who).ask(Request::Rules(request)).map(drop)
    }

    /// The task that says so, as a node shows it.
    pub(super) fn task(&mut self, who: Who, words: &str) -> Result<Option<TaskLine>, Failure> {
        let request = TasksRequest {
            record: Some(self.record.clone()),
            all: true,
            ..TasksRequest::default()
        };
        let Reply::Tasks(list) = self.player(who).ask(Request::Tasks(request))? else {
            return Err(odd_answer());
        };
        let mut tasks = list.tasks.into_iter();
        Ok(tasks.find(|task| task.what.contains(words)))
    }

    /// Accepts a task.
    pub(super) fn accepted(&mut self, who: Who, words: &str) -> Result<(), Failure> {
        let task = self.task(who, words)?.ok_or_else(odd_answer)?;
        let request = AnswerRequest {
            record: Some(self.record.clone()),
            task: task.id,
            answer: Answer::Accept,
            because: Some("on my way".to_owned()),
            staff: None,
        };
        self.player(who).ask(Request::Answer(request)).map(drop)
    }

    pub(super) fn changed(&mut self, who: Who, thing: &str, dose: &str) -> Result<(), Failure> {
        let request = Request::Change {
            record: self.record.clone(),
            thing: thing.to_owned(),
            change: Change::Dose(dose.to_owned()),
            staff: None,
        };
        self.player(who).ask(request).map(drop)
    }

    /// Chooses the version that says `words`.
    pub(super) fn decided(&mut self, who: Who, thing: &str, words: &str) -> Result<(), Failure> {
        let review = self.review(who)?;
        let item = review.items.iter().find(|item| item.id == thing);
        let version = item.and_then(|item| {
            let mut versions = item.versions.iter();
            versions.position(|version| version.contains(words))
        });
        let request = Request::Decide {
            record: self.record.clone(),
            decision: Decision::Choose {
                resource: thing.to_owned(),
                version: version.map_or(0, |n| n + 1),
            },
        };
        self.player(who).ask(request).map(drop)
    }

    /// Files into the record, on one node.
    pub(super) fn bring(
        &self,
        player: &Player,
        paths: Vec<std::path::PathBuf>,
    ) -> Result<(), Failure> {
        let request = ImportRequest {
            paths,
            record: Some(self.record.clone()),
            ..ImportRequest::default()
        };
        import(player, request).map(drop)
    }
}

/// Imports, and gives back the first record; a file of which nothing was filed ends the demo.
pub(super) fn import(player: &Player, request: ImportRequest) -> Result<String, Failure> {
    let Reply::Imported(imported) = player.ask(Request::Import(request))? else {
        return Err(odd_answer());
    };
    if let Some(refused) = imported.refused.into_iter().next() {
        return Err(refused.failure);
    }
    let first = imported.records.into_iter().next();
    first.map(|filed| filed.record).ok_or_else(odd_answer)
}
