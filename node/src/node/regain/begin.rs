//! A new device of somebody who lost every other: it is made with what one of their people knows
//! of them, and is nobody's until enough agree.

use kith_protocol::{
    bundle::seal::SealingSecret,
    consent::{Ledger, cut::Cut, devices},
    id::RecordId,
    identity::agree_to_stand_for,
    logs::{LogId, PrincipalAct},
    record::event_item,
    store::Store as _,
};

use super::{
    Regaining,
    paper::{Person, Question},
};
use crate::{
    api::Regaining as Begun,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::{
        Node,
        identity::{Identity, RowKind, row},
        setup, sheet,
    },
    store::random,
};

impl Node {
    /// Makes a node in a home for somebody who lost every device, from what `kith recover person`
    /// printed at one of the people whom they had named, and says what to ask those people.
    ///
    /// # Errors
    /// When the home has a node, the text is no such text, or its person had named nobody.
    pub fn begin_again(home: &Home, unlock: &Unlock, text: &str) -> Result<Begun, Failure> {
        let person = Person::read(text)?;
        let sets = devices::recovery_sets(&person.log, person.principal);
        if sets.is_empty() {
            return Err(named_nobody(&person.name));
        }
        let named = (person.name.clone(), person.role);
        let seeds = [random(), random(), random()];
        let identity = Identity::regained(named, person.principal, seeds);
        let mut ledger = Ledger::new(RecordId::from_bytes([0; 32]));
        for event in &person.log {
            ledger.add_event(event.clone());
        }
        let of = LogId::Principal(person.principal);
        let root = identity.adding_key();
        let question = Question {
            principal: person.principal,
            frontiers: ledger.frontiers_for(&of, &person.principal),
            act: PrincipalAct::KeyChange {
                key: *root.device().as_bytes(),
                proof: agree_to_stand_for(person.principal, root),
                approvals: Vec::new(),
                // The key before signed nothing but the owner's own log.
                cut: Cut::Nothing,
                sealing_key: Some(SealingSecret::from_seed(*identity.sealing_seed).public().0),
            },
        };
        let recovery = setup::recovery_code();
        let mut items: Vec<_> = person.log.iter().map(event_item).collect();
        items.push(identity.item());
        items.extend(sheet::kept(&identity, &recovery)?);
        let regaining = Regaining {
            question,
            approvals: Vec::new(),
            names: person.names,
        };
        items.push(row(RowKind::Regaining, b"", &regaining));
        let key = home.create(unlock, &recovery)?;
        home.store(&key)?.commit(items)?;
        let sets = sets.iter().map(|set| regaining.line(set));
        Ok(Begun {
            made: setup::made(home, &identity, recovery),
            text: regaining.question.to_text(root, &person.log),
            check_words: regaining.question.check_words(),
            sets: sets.collect(),
        })
    }
}

pub(super) fn named_nobody(name: &str) -> Failure {
    Failure::new(
        Ending::NotAllowed,
        format!("{name} had named nobody who can give them a new start, as far as is known here."),
        "Somebody else may know more: ask the others. Else a new node is set up, and shares are given to it again. Nothing was changed.",
    )
}
