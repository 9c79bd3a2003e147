//! Root keys that change, terms of a record that change, and the secret on the emergency page.

use kith_crdt::Section;

use super::world::{ADA, MEMBERS, Who, World, label, secret};
use crate::{
    consent::{
        Cause, Denial, Fault, Ledger, Status, Whoever,
        approval::prove_emergency_secret,
        cut::{Cut, CutTree},
        devices,
        grant::Purposes,
    },
    id::{EventId, PrincipalId},
    identity::{SecretKey, agree_to_stand_for},
    logs::{
        Act, CoreAct, LogId, PrincipalAct,
        principal::RecoverySet,
        record::{Link, Policy},
    },
};

/// A new key for Ada, and the act that makes it her root key.
fn new_key(world: &mut World, cut: Cut) -> (Who, Act) {
    let principal = world.pens[ADA].principal;
    let new = world.pen_with(Some(principal));
    let key = world.pens[new].key();
    let act = Act::Principal(PrincipalAct::KeyChange {
        key: *key.device().as_bytes(),
        proof: agree_to_stand_for(principal, &key),
        approvals: Vec::new(),
        cut,
        sealing_key: None,
    });
    (new, act)
}

fn own_log(world: &World, who: Who) -> LogId {
    LogId::Principal(world.pens[who].principal)
}

#[test]
fn a_root_key_that_replaces_itself_ends_and_loses_nothing() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    world.tell_all();
    let before = world.write(root, None);
    let unaware = world.double(root);
    let (new, act) = new_key(&mut world, Cut::Nothing);
    let log = own_log(&world, ADA);
    world.sign(root, log, None, act);
    let offline = world.write(unaware, None);
    world.tell_all();
    let knowing = world.write(root, None);
    let by_new_key = world.write(new, None);
    let by_laptop = world.write(ADA, None);
    assert_eq!(world.status_apart(before), Status::Accepted);
    assert_eq!(world.status_apart(offline), Status::Accepted);
    assert_eq!(world.status_apart(by_new_key), Status::Accepted);
    assert_eq!(world.status_apart(by_laptop), Status::Accepted);
    assert_eq!(world.status_apart(knowing), Status::Invalid(Fault::Device));
}

#[test]
fn a_device_does_not_replace_the_root_key_and_nobody_stands_in_for_a_key_that_did_not_agree() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    world.tell_all();
    let log = own_log(&world, ADA);
    let (by_laptop, act) = new_key(&mut world, Cut::Nothing);
    world.sign(ADA, log.clone(), None, act);
    let (unasked, act) = new_key(&mut world, Cut::Nothing);
    let Act::Principal(PrincipalAct::KeyChange { key, cut, .. }) = act else {
        panic!("a change of key was made")
    };
    let someone_elses = agree_to_stand_for(world.pens[ADA].principal, &secret(9_999));
    let act = Act::Principal(PrincipalAct::KeyChange {
        key,
        proof: someone_elses,
        approvals: Vec::new(),
        cut,
        sealing_key: None,
    });
    world.sign(root, log, None, act);
    for pen in [by_laptop, unasked] {
        world.tell(pen);
        let entry = world.write(pen, None);
        assert_eq!(world.status_apart(entry), Status::Invalid(Fault::Device));
    }
    world.tell(root);
    let entry = world.write(root, None);
    assert_eq!(world.status_apart(entry), Status::Accepted);
}

/// Ada names who may replace her key, and a thief has a copy of it.
fn with_a_stolen_root_key() -> (World, Who, Who) {
    let mut world = World::new();
    let root = world.root_of(ADA);
    let mut members: Vec<_> = MEMBERS
        .iter()
        .map(|who| world.pens[*who].principal)
        .collect();
    members.sort_unstable();
    let set = RecoverySet { needed: 2, members };
    let log = own_log(&world, ADA);
    world.sign(
        root,
        log,
        None,
        Act::Principal(PrincipalAct::RecoverySet(set)),
    );
    world.tell_all();
    let thief = world.double(root);
    (world, root, thief)
}

/// The new key takes the place of the old one with the approval of these members.
fn replace_root_key(world: &mut World, root: Who, members: &[Who]) -> (Who, EventId) {
    let old = world.pens[root].device();
    let parts = world.pens[ADA].knows.keep_everything(Link::Device(old));
    let tree = CutTree::new(parts);
    let (new, act) = new_key(world, tree.cut());
    world.tell(new);
    let log = own_log(world, ADA);
    let act = world.approved_in(&log, new, members, act);
    let change = world.sign(new, log, None, act);
    world.send_parts(new, &tree, change);
    world.tell(new);
    (new, change)
}

#[test]
fn a_lost_root_key_is_replaced_by_two_of_three_and_what_a_thief_does_with_it_falls() {
    let (mut world, root, thief) = with_a_stolen_root_key();
    let before = world.write(root, None);
    world.tell(ADA);
    let (new, change) = replace_root_key(&mut world, root, &[MEMBERS[0], MEMBERS[1]]);
    let stolen = world.write(thief, None);
    let device_of_thief = world.add_device(thief);
    let by_its_device = world.write(device_of_thief, None);
    let by_laptop = world.write(ADA, None);
    let by_new_key = world.write(new, None);
    let fallen = Status::Contested(Cause::Revoked(change));
    assert_eq!(world.status_apart(before), Status::Accepted);
    assert_eq!(world.status_apart(stolen), fallen);
    assert_eq!(world.status_apart(by_its_device), fallen);
    assert_eq!(world.status_apart(by_laptop), Status::Accepted);
    assert_eq!(world.status_apart(by_new_key), Status::Accepted);
}

#[test]
fn one_of_three_does_not_replace_a_root_key() {
    let (mut world, root, thief) = with_a_stolen_root_key();
    for members in [vec![MEMBERS[0]], vec![MEMBERS[0], MEMBERS[0]]] {
        let (new, _) = replace_root_key(&mut world, root, &members);
        let by_new_key = world.write(new, None);
        assert_eq!(
            world.status_apart(by_new_key),
            Status::Invalid(Fault::Device)
        );
    }
    let by_old_key = world.write(thief, None);
    assert_eq!(world.status_apart(by_old_key), Status::Accepted);
}

/// The same, with approvals that show by themselves whose they are.
fn replaced_by_those_who_vouch(world: &mut World, members: &[Who]) -> (Who, EventId) {
    let (new, act) = new_key(world, Cut::Nothing);
    world.tell(new);
    let log = own_log(world, ADA);
    let act = world.vouched_in(&log, new, members, act);
    let change = world.sign(new, log, None, act);
    (new, change)
}

#[test]
fn an_approval_that_shows_whose_it_is_needs_no_other_log() {
    let (mut world, _, thief) = with_a_stolen_root_key();
    let (new, _) = replaced_by_those_who_vouch(&mut world, &[MEMBERS[0], MEMBERS[1]]);
    let device_of_thief = world.add_device(thief);
    let laptop = world.pens[ADA].device();
    let log = world.log_of(ADA);
    let ada = world.pens[ADA].principal;
    let certified = devices::certified(&log, ada);
    let expected = [laptop, world.pens[new].device()];
    assert_eq!(certified, expected.into());
    assert!(devices::ever(&log, ada).contains(&world.pens[thief].device()));
    assert!(!certified.contains(&world.pens[device_of_thief].device()));
    // The ledger holds nothing of the members but what the change itself carries.
    let mut alone = Ledger::new(world.record);
    log.iter().for_each(|event| alone.add_event(event.clone()));
    assert!(log.iter().all(|event| {
        let by_thief = event.value().device == world.pens[thief].device();
        by_thief || alone.is_valid(&event.id())
    }));
}

#[test]
fn one_who_vouches_twice_or_for_something_else_or_is_no_member_is_not_two() {
    let stranger = 9;
    for members in [
        vec![MEMBERS[0], MEMBERS[0]],
        vec![MEMBERS[0], stranger],
        vec![stranger, ADA],
    ] {
        let (mut world, root, _) = with_a_stolen_root_key();
        assert_eq!(world.person(), stranger);
        world.tell_all();
        let (new, change) = replaced_by_those_who_vouch(&mut world, &members);
        let log = world.log_of(ADA);
        let ada = world.pens[ADA].principal;
        assert!(!devices::certifies(&log, ada, world.pens[new].device()));
        assert!(devices::root_keys(&log, ada).contains(&world.pens[root].device()));
        assert!(!world.judge().is_valid(&change));
    }
    let (mut world, _, _) = with_a_stolen_root_key();
    let (new, other) = new_key(&mut world, Cut::Nothing);
    let (_, act) = new_key(&mut world, Cut::Nothing);
    world.tell(new);
    let log = own_log(&world, ADA);
    let Act::Principal(PrincipalAct::KeyChange { approvals, .. }) =
        world.vouched_in(&log, new, &[MEMBERS[0], MEMBERS[1]], act)
    else {
        panic!("a change of key was made")
    };
    let Act::Principal(PrincipalAct::KeyChange { key, proof, .. }) = other else {
        panic!("a change of key was made")
    };
    let act = Act::Principal(PrincipalAct::KeyChange {
        key,
        proof,
        approvals,
        cut: Cut::Nothing,
        sealing_key: None,
    });
    let change = world.sign(new, log, None, act);
    assert!(!world.judge().is_valid(&change), "they agreed to another");
}

#[test]
fn who_was_recovered_once_is_recovered_again_and_may_agree_for_others() {
    let (mut world, _, thief) = with_a_stolen_root_key();
    let (first, _) = replaced_by_those_who_vouch(&mut world, &[MEMBERS[0], MEMBERS[1]]);
    let phone = world.add_device(first);
    world.tell_all();
    let (second, _) = replaced_by_those_who_vouch(&mut world, &[MEMBERS[1], MEMBERS[2]]);
    let (by_phone, by_second) = (world.write(phone, None), world.write(second, None));
    let tablet = world.add_device(second);
    let by_tablet = world.write(tablet, None);
    for entry in [by_phone, by_second, by_tablet] {
        assert_eq!(world.status_apart(entry), Status::Accepted);
    }
    let ada = world.pens[ADA].principal;
    let log = world.log_of(ADA);
    let root = world.pens[second].device();
    assert_eq!(devices::root_keys(&log, ada), [root].into());
    assert!(!devices::certifies(&log, ada, world.pens[thief].device()));

    // A member of Ada's own is recovered by her; her approval shows what was agreed for her.
    let cleo = MEMBERS[0];
    let of_cleo = world.root_of(cleo);
    let set = RecoverySet {
        needed: 1,
        members: vec![ada],
    };
    let log = own_log(&world, cleo);
    let act = Act::Principal(PrincipalAct::RecoverySet(set));
    world.sign(of_cleo, log.clone(), None, act);
    world.tell_all();
    let principal = world.pens[cleo].principal;
    let new = world.pen_with(Some(principal));
    let key = world.pens[new].key();
    let act = Act::Principal(PrincipalAct::KeyChange {
        key: *key.device().as_bytes(),
        proof: agree_to_stand_for(principal, &key),
        approvals: Vec::new(),
        cut: Cut::Nothing,
        sealing_key: Some([3; 32]),
    });
    world.tell(new);
    let act = world.vouched_in(&log, new, &[tablet], act);
    world.sign(new, log, None, act);
    let log = world.log_of(cleo);
    assert!(devices::root_keys(&log, principal).contains(&key.device()));
    assert_eq!(devices::sealing_key(&log, principal), Some([3; 32]));
}

/// Ada's people give her a new key, which stops her lost laptop before anybody knows what of its
/// work stands.
#[test]
fn what_a_lost_device_wrote_is_marked_until_its_owner_says_what_stands() {
    let (mut world, _, _) = with_a_stolen_root_key();
    let grant = world.share(ADA, None, MEMBERS[0]);
    world.tell_all();
    let (mine, theirs) = (world.write(ADA, None), world.write(MEMBERS[0], Some(grant)));
    let (new, _) = replaced_by_those_who_vouch(&mut world, &[MEMBERS[0], MEMBERS[1]]);
    let laptop = world.pens[ADA].device();
    let lost = world.double(ADA);
    let retire = |cut| {
        Act::Principal(PrincipalAct::DeviceRetire {
            device: laptop,
            last: None,
            cut,
            void: Vec::new(),
        })
    };
    let log = own_log(&world, ADA);
    let first = world.sign(new, log.clone(), None, retire(Cut::to_be_said()));
    world.tell(ADA);
    world.tell(MEMBERS[0]);
    let waits = Status::Marked(Cause::PartMissing(first));
    assert_eq!(world.status_apart(mine), waits);
    assert_eq!(world.status_apart(theirs), waits);
    let knowing = world.write(ADA, None);
    assert!(matches!(world.status_apart(knowing), Status::Invalid(_)));
    let meanwhile = world.write(MEMBERS[0], Some(grant));
    assert_eq!(world.status_apart(meanwhile), waits, "it is not lost");
    world.tell(new);
    let kept = world.pens[new]
        .knows
        .keep_instead(Link::Device(laptop), u64::MAX, &[first]);
    let tree = CutTree::new(kept);
    let second = world.sign(new, log, None, retire(tree.cut()));
    world.send_parts(new, &tree, second);
    let late = world.write(lost, None);
    for entry in [mine, theirs, meanwhile] {
        assert_eq!(world.status_apart(entry), Status::Accepted);
    }
    assert_eq!(
        world.status_apart(late),
        Status::Contested(Cause::Revoked(second))
    );
}

fn whoever(world: &World, who: Who) -> Whoever {
    Whoever {
        principal: world.pens[who].principal,
        device: world.pens[who].device(),
        staff: None,
    }
}

/// Whether someone who says now that it is an emergency may read.
fn opens(world: &mut World, who: Who, proof: Option<Vec<u8>>) -> Result<(), Denial> {
    world.tell(who);
    let act = Act::Core(CoreAct::BreakGlass {
        reason: "found unconscious".into(),
        until_ms: world.time_ms + 5 * 3_600_000,
        secret_proof: proof.map(serde_bytes::ByteBuf::from),
        sections: vec![Section::Medicines],
    });
    let core = world.core();
    world.sign(who, core, None, act);
    let asker = whoever(world, who);
    let (document, now) = (world.document.clone(), world.time_ms);
    let mut all = world.judge();
    all.decide_read(&asker, &document, Purposes::EMERGENCY, now)
        .map(|_| ())
}

fn policy(emergency: Vec<PrincipalId>, secret: Option<[u8; 32]>) -> Act {
    Act::Core(CoreAct::Policy {
        policy: Policy {
            emergency,
            emergency_secret: secret,
            emergency_labels: vec![label()],
        },
        approvals: Vec::new(),
    })
}

/// Signs an act of the core log with the approval of these.
fn agreed(world: &mut World, by: Who, members: &[Who], act: Act) {
    world.tell(by);
    let act = world.approved(by, members, act);
    let core = world.core();
    world.sign(by, core, None, act);
}

#[test]
fn the_policy_is_changed_by_a_controller_with_one_member_or_by_the_quorum() {
    let other_than_a_member = 8;
    for (by, members, changes) in [
        (ADA, vec![], false),
        (ADA, vec![MEMBERS[0]], true),
        (ADA, vec![ADA], false),
        (ADA, vec![other_than_a_member], false),
        (MEMBERS[0], vec![MEMBERS[0]], false),
        (MEMBERS[0], vec![MEMBERS[0], MEMBERS[1]], true),
    ] {
        let mut world = World::new();
        let stranger = world.person();
        world.tell_all();
        assert_eq!(stranger, other_than_a_member);
        let ambulance = world.pens[stranger].principal;
        agreed(&mut world, by, &members, policy(vec![ambulance], None));
        let opened = opens(&mut world, stranger, None);
        assert_eq!(opened.is_ok(), changes, "by {by} with {members:?}");
        if !changes {
            assert_eq!(opened, Err(Denial::NothingShared));
        }
    }
}

#[test]
fn a_former_member_of_the_recovery_set_no_longer_recovers() {
    for (by, approving, changes) in [
        (ADA, vec![MEMBERS[0]], true),
        (MEMBERS[0], vec![MEMBERS[0], MEMBERS[1]], true),
        (ADA, vec![], false),
        (MEMBERS[1], vec![MEMBERS[1]], false),
    ] {
        let mut world = World::new();
        let (one, two, heir) = (world.person(), world.person(), world.person());
        world.tell_all();
        let mut members = vec![world.pens[one].principal, world.pens[two].principal];
        members.sort_unstable();
        let act = Act::Core(CoreAct::RecoverySet {
            set: RecoverySet { needed: 2, members },
            approvals: Vec::new(),
        });
        agreed(&mut world, by, &approving, act);
        world.tell_all();
        let recover = |world: &World| {
            Act::Core(CoreAct::Recover {
                previous: None,
                cut: Cut::Nothing,
                keep: Vec::new(),
                void: Vec::new(),
                controller: world.pens[heir].principal,
                approvals: Vec::new(),
            })
        };
        let act = recover(&world);
        agreed(&mut world, MEMBERS[0], &[MEMBERS[0], MEMBERS[1]], act);
        let ada = world.pens[ADA].principal;
        let heir_id = world.pens[heir].principal;
        let expected = if changes { ada } else { heir_id };
        assert_eq!(world.judge().controllers(), vec![expected]);
        if changes {
            let act = recover(&world);
            agreed(&mut world, one, &[one, two], act);
            assert_eq!(world.judge().controllers(), vec![heir_id]);
        }
        world.tell(heir);
        let entry = world.write(heir, None);
        assert_eq!(world.status(entry), Status::Accepted);
    }
}

#[test]
fn the_secret_of_the_emergency_page_opens_once_for_one_device() {
    let page = secret(4_242);
    let public = *page.device().as_bytes();
    let prove = |with: &SecretKey, world: &World, who: Who| {
        let pen = &world.pens[who];
        prove_emergency_secret(
            with,
            world.record,
            pen.principal,
            pen.device(),
            world.time_ms,
        )
    };
    let mut world = World::new();
    let (ambulance, bystander) = (world.person(), world.person());
    world.tell_all();
    agreed(
        &mut world,
        ADA,
        &[MEMBERS[0]],
        policy(Vec::new(), Some(public)),
    );
    let wrong = prove(&secret(1_111), &world, ambulance);
    assert_eq!(
        opens(&mut world, ambulance, Some(wrong)),
        Err(Denial::NothingShared)
    );
    assert_eq!(
        opens(&mut world, ambulance, None),
        Err(Denial::NothingShared)
    );
    let right = prove(&page, &world, ambulance);
    // Whoever reads the log may copy the proof: it serves no other device and no other time.
    assert_eq!(
        opens(&mut world, bystander, Some(right.clone())),
        Err(Denial::NothingShared)
    );
    world.time_ms += 1;
    assert_eq!(
        opens(&mut world, ambulance, Some(right.clone())),
        Err(Denial::NothingShared)
    );
    world.time_ms -= 1;
    assert_eq!(opens(&mut world, ambulance, Some(right)), Ok(()));
}
