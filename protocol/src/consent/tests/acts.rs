//! Who gets a token to sign an act in a record's own logs.

use super::world::{ADA, Who, World};
use crate::{
    consent::{
        Denial, Issuer, Whoever,
        cut::Cut,
        grant::{Actions, Basis, Grant, Purposes},
    },
    id::EventId,
    logs::{
        Act, CoreAct, LabelAct,
        record::{Control, Link, LinkState, Revoke},
    },
};

const NOW: u64 = 5_000_000;

fn who(world: &World, of: Who) -> Whoever {
    Whoever {
        principal: world.pens[of].principal,
        device: world.pens[of].device(),
        staff: None,
    }
}

fn share(to: Whoever, parent: Option<EventId>) -> Act {
    Act::Label(LabelAct::Grant(Grant {
        audience: to.principal,
        sections: kith_crdt::Section::ALL.to_vec(),
        actions: Actions::READ,
        from_ms: 0,
        until_ms: None,
        purposes: Purposes::CARE,
        basis: Basis::Consent,
        depth: 0,
        parent,
        custodians: Vec::new(),
    }))
}

fn stop(grant: EventId) -> Act {
    Act::Label(LabelAct::Revoke(Revoke {
        link: Link::Grant(grant),
        cut: Cut::Nothing,
        keep: Vec::new(),
        void: Vec::new(),
        is_final: false,
    }))
}

fn asks(world: &World, by: Who, grant: Option<EventId>, act: Act) -> Result<Issuer, Denial> {
    let label = kith_crdt::Label::general();
    let label = matches!(act, Act::Label(_)).then_some(&label);
    let by = who(world, by);
    world.judge().decide_act(&by, label, grant, act, NOW)
}

#[test]
fn only_those_above_get_a_token_to_share_and_to_stop() {
    let mut world = World::new();
    let (practice, hospital, stranger) = (world.person(), world.person(), world.person());
    let to_practice = world.share(ADA, None, practice);
    world.tell_all();
    let to_hospital = world.share_with(practice, Some(to_practice), hospital, |grant| {
        grant.depth = 0;
    });
    let later = who(&world, stranger);
    assert!(asks(&world, ADA, None, share(later, None)).is_ok());
    let under = Some(to_practice);
    assert!(asks(&world, practice, under, share(later, under)).is_ok());
    let under = Some(to_hospital);
    let no_further = asks(&world, hospital, under, share(later, under));
    assert_eq!(no_further, Err(Denial::Scope));
    let refused = asks(&world, stranger, None, share(later, None));
    assert_eq!(refused, Err(Denial::NothingShared));
    assert!(asks(&world, ADA, None, stop(to_hospital)).is_ok());
    assert!(asks(&world, practice, Some(to_practice), stop(to_hospital)).is_ok());
    for grant in [to_practice, to_hospital] {
        let refused = asks(&world, hospital, Some(to_hospital), stop(grant));
        assert_eq!(refused, Err(Denial::NothingShared));
    }
}

#[test]
fn only_a_controller_gets_a_token_for_the_core_log() {
    let mut world = World::new();
    let practice = world.person();
    world.share(ADA, None, practice);
    let other = world.record;
    let acts = [
        Act::Core(CoreAct::Control(Control::Leave)),
        Act::Core(CoreAct::SamePerson {
            other,
            link: LinkState::Confirmed,
            evidence: String::new(),
        }),
    ];
    for act in acts {
        assert!(asks(&world, ADA, None, act.clone()).is_ok());
        let refused = asks(&world, practice, None, act);
        assert_eq!(refused, Err(Denial::NothingShared));
    }
}

#[test]
fn whoever_was_stopped_gets_no_token_and_an_act_joins_its_own_log() {
    let mut world = World::new();
    let practice = world.person();
    let grant = world.share(ADA, None, practice);
    world.tell_all();
    let stopped = world.stop(ADA, None, Link::Grant(grant));
    let to = who(&world, ADA);
    let refused = asks(&world, practice, Some(grant), share(to, Some(grant)));
    assert_eq!(refused, Err(Denial::Stopped(stopped)));
    let elsewhere = world.judge().decide_act(&to, None, None, stop(grant), NOW);
    assert_eq!(elsewhere, Err(Denial::Scope));
}
