//! Who controls a record: adding somebody, handing over, leaving.

use kith_protocol::{
    consent::Controller,
    id::PrincipalId,
    identity::NameCard,
    logs::{
        Act, CoreAct,
        principal::PrincipalKind,
        record::{ActingGround, Capacity, Control},
    },
    record::Record,
    store::Store,
};

use super::{
    Node,
    identity::{RowKind, read_row},
    now_ms,
    peers::Peer,
    sharing::end_of,
    show,
};
use crate::{
    api::{ActsAs, ControlChange, ControlShown, ControllerLine, NewController},
    failure::{Ending, Failure},
};

impl Node {
    pub(super) fn control(
        &mut self,
        word: &str,
        change: Option<&ControlChange>,
    ) -> Result<ControlShown, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let note = match change {
                None => None,
                Some(change) => Some(node.change_control(record, change)?),
            };
            Ok(ControlShown {
                record: id.to_string(),
                controllers: node.controllers(record),
                note,
            })
        })
    }

    /// Who controls a record, for people.
    pub(super) fn controllers(&self, record: &mut Record) -> Vec<ControllerLine> {
        let now = now_ms();
        let all = record.ledger().control();
        let line = |controller: &Controller| ControllerLine {
            who: controller.who.to_string(),
            name: self.name_of(controller.who),
            capacity: controller.capacity.as_ref().map(acts_as),
            since: show::time(controller.since_ms),
            until: controller.until_ms.map(show::time),
            state: if is_now(controller, now) {
                "now"
            } else {
                "ended"
            }
            .to_owned(),
            is_us: controller.who == self.identity.principal,
        };
        all.iter().map(line).collect()
    }

    fn change_control(
        &mut self,
        record: &mut Record,
        change: &ControlChange,
    ) -> Result<String, Failure> {
        let own = self.identity.principal;
        let controls = record.ledger().control();
        let now = now_ms();
        if !controls
            .iter()
            .any(|one| one.who == own && is_now(one, now))
        {
            return Err(Failure::new(
                Ending::NotAllowed,
                "This record is controlled elsewhere, so who controls it cannot be changed from here.",
                format!("Ask {}. Nothing was changed.", self.one_of(&controls)),
            ));
        }
        match change {
            ControlChange::Add(new) => {
                let (who, capacity) = self.new_controller(&controls, new)?;
                let act = Control::Add {
                    controller: who,
                    capacity,
                };
                self.say_control(record, act, Some(who))?;
                Ok(format!(
                    "{} controls this record too, as soon as their node has heard of it. Each of you can share it, and nobody can remove the other.",
                    self.name_of(who)
                ))
            }
            ControlChange::HandOver(new) => {
                let (who, capacity) = self.new_controller(&controls, new)?;
                let act = Control::HandOver {
                    controller: who,
                    capacity,
                };
                self.say_control(record, act, Some(who))?;
                let name = self.name_of(who);
                Ok(format!(
                    "{name} controls this record now, and you do not. What is here stays here; what comes later only reaches you where {name} shares it with you. Shares that you gave go on until {name} stops them."
                ))
            }
            ControlChange::Leave => {
                let others: Vec<_> = controls
                    .iter()
                    .filter(|one| one.who != own && is_now(one, now))
                    .cloned()
                    .collect();
                if others.is_empty() {
                    return Err(Failure::new(
                        Ending::NotAllowed,
                        "Nobody else controls this record: if you left, nobody could share it or stop sharing it ever again.",
                        "Add somebody first, or hand it over: kith record control RECORD hand-over NAME. Nothing was changed.",
                    ));
                }
                self.say_control(record, Control::Leave, None)?;
                Ok(format!(
                    "You do not control this record any more; {} can. What is here stays here. Shares that you gave go on.",
                    self.one_of(&others)
                ))
            }
        }
    }

    fn say_control(
        &mut self,
        record: &mut Record,
        change: Control,
        new: Option<PrincipalId>,
    ) -> Result<(), Failure> {
        let mut items = Vec::new();
        if let Some(who) = new {
            for event in &*self.store.principal_log(&who)? {
                record.ledger().add_event(event.clone());
            }
            items.extend(self.in_common(who, record.id())?);
        }
        let act = Act::Core(CoreAct::Control(change));
        let (_, item) = self.act(record, None, act, now_ms())?;
        items.push(item);
        self.commit(items)
    }

    fn new_controller(
        &self,
        controls: &[Controller],
        new: &NewController,
    ) -> Result<(PrincipalId, Capacity), Failure> {
        let who = self.known(&new.name)?;
        if controls.iter().any(|one| one.who == who) {
            return Err(Failure::new(
                Ending::Failed,
                format!("{} controls this record already.", self.name_of(who)),
                "kith record control RECORD says who does; leave gives up your own control. Nothing was changed.",
            ));
        }
        let capacity = match (new.capacity, self.kind_of(who)?) {
            (Some(capacity), _) => capacity,
            (None, Some(PrincipalKind::Organisation)) => ActsAs::Keeper,
            (None, Some(PrincipalKind::Person) | None) => {
                return Err(Failure::new(
                    Ending::Usage,
                    format!(
                        "It is not said in what capacity {} would control the record.",
                        self.name_of(who)
                    ),
                    "Add --as patient, parent, attorney or best-interests. Nothing was changed.",
                ));
            }
        };
        let ground = match capacity {
            ActsAs::Patient | ActsAs::Keeper if new.until.is_some() => {
                return Err(Failure::new(
                    Ending::Usage,
                    "Only somebody who acts for the patient does so until a day.",
                    "Leave --until out, or say --as parent, attorney or best-interests. Nothing was changed.",
                ));
            }
            ActsAs::Patient => return Ok((who, Capacity::Self_)),
            ActsAs::Keeper => return Ok((who, Capacity::Keeper)),
            ActsAs::Parent => ActingGround::Parent,
            ActsAs::Attorney => ActingGround::PowerOfAttorney,
            ActsAs::BestInterests => ActingGround::BestInterests,
        };
        let until_ms = new.until.as_deref().map(end_of).transpose()?;
        if until_ms.is_some_and(|until| until <= now_ms()) {
            return Err(Failure::new(
                Ending::Usage,
                "That day has passed.",
                "Name a day in the future. Nothing was changed.",
            ));
        }
        let evidence = new.evidence.clone().unwrap_or_default();
        let capacity = Capacity::ActingFor {
            ground,
            until_ms,
            evidence,
        };
        Ok((who, capacity))
    }

    /// Whether somebody known is a person or an organisation, by their own card.
    fn kind_of(&self, who: PrincipalId) -> Result<Option<PrincipalKind>, Failure> {
        let peer: Option<Peer> = read_row(&self.store, RowKind::Peers, who.as_bytes())?;
        let card = peer.and_then(|peer| NameCard::verify(&peer.card, peer.device).ok());
        Ok(card.map(|card| card.kind))
    }

    fn one_of(&self, controllers: &[Controller]) -> String {
        let names: Vec<_> = controllers
            .iter()
            .map(|one| self.name_of(one.who))
            .collect();
        names.join(" or ")
    }

    /// Whether this node's owner controls a record now.
    pub(super) fn controls(&self, record: &mut Record) -> bool {
        let (own, now) = (self.identity.principal, now_ms());
        let control = record.ledger().control();
        control.iter().any(|one| one.who == own && is_now(one, now))
    }
}

fn is_now(controller: &Controller, now: u64) -> bool {
    controller.until_ms.is_none_or(|until| until > now)
}

const fn acts_as(capacity: &Capacity) -> ActsAs {
    match capacity {
        Capacity::Self_ => ActsAs::Patient,
        Capacity::Keeper => ActsAs::Keeper,
        Capacity::ActingFor { ground, .. } => match ground {
            ActingGround::Parent => ActsAs::Parent,
            ActingGround::PowerOfAttorney => ActsAs::Attorney,
            ActingGround::BestInterests => ActsAs::BestInterests,
        },
    }
}
