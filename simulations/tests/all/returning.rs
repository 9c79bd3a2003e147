//! Coming again: what did not change is not found out again.

use kith_protocol::id::RecordId;
use kith_simulations::{HostId, Sight, World};

/// Long enough for everything that has to be said while nothing is broken.
const A_WHILE: u64 = 30_000;

struct Many {
    world: World,
    practice: HostId,
    daughter: HostId,
    records: Vec<RecordId>,
}

impl Many {
    /// Many records that the practice shares with the daughter, until then where something is said.
    fn shared(seed: u64, until: Option<u64>) -> Self {
        let mut world = World::new(seed);
        let until = until.map(|ms| world.now_ms() + ms);
        let (practice, daughter) = (world.host(), world.host());
        let mut records = Vec::new();
        for n in 0..12 {
            let record = world.record(practice);
            assert!(world.write(practice, record, "plans:general", &format!("plan {n}")));
            let sights = [Sight::sees("plans:general")];
            world.share_until(practice, record, (daughter, until), &sights);
            records.push(record);
        }
        world.run_for(A_WHILE);
        Self {
            world,
            practice,
            daughter,
            records,
        }
    }

    /// Both go down, and come again.
    fn both_return(&mut self) {
        self.world.crash(self.daughter);
        self.world.crash(self.practice);
        self.world.run_for(1000);
        self.world.frames.clear();
        for host in [self.practice, self.daughter] {
            self.world.at(host).taken.clear();
            self.world.restart(host);
        }
        self.world.run_for(10 * 60_000);
    }
}

#[test]
fn whoever_comes_again_with_nothing_changed_costs_no_record() {
    let mut many = Many::shared(41, None);
    for _ in 0..2 {
        many.both_return();
        for host in [many.practice, many.daughter] {
            assert!(many.world.at(host).taken.is_empty());
        }
        assert!(!many.world.frames.is_empty(), "they did talk");
    }
}

#[test]
fn what_changed_while_they_were_apart_is_found_out_and_nothing_else() {
    let mut many = Many::shared(42, None);
    let (practice, daughter, changed) = (many.practice, many.daughter, many.records[5]);
    many.world.crash(daughter);
    assert!(
        many.world
            .write(practice, changed, "medicines:general", "warfarin")
    );
    let more = [Sight::sees("medicines:general")];
    many.world.share(practice, changed, daughter, &more);
    many.both_return();
    assert_eq!(many.world.at(practice).taken, [changed].into());
    assert_eq!(many.world.at(daughter).taken, [changed].into());
    assert_eq!(many.world.texts(daughter, changed), ["plan 5", "warfarin"]);
}

#[test]
fn what_is_written_goes_to_whoever_came_again() {
    let mut many = Many::shared(43, None);
    many.both_return();
    let (practice, daughter, record) = (many.practice, many.daughter, many.records[7]);
    assert!(
        many.world
            .write(practice, record, "plans:general", "written since")
    );
    many.world.run_for(A_WHILE);
    assert_eq!(many.world.at(practice).taken, [record].into());
    assert_eq!(
        many.world.texts(daughter, record),
        ["plan 7", "written since"]
    );
}

#[test]
fn a_share_ends_by_itself_for_whoever_came_again_before() {
    let mut many = Many::shared(44, Some(60 * 60_000));
    many.both_return();
    assert!(many.world.at(many.practice).taken.is_empty());
    many.world.run_for(2 * 60 * 60_000);
    many.world.frames.clear();
    let (practice, daughter, record) = (many.practice, many.daughter, many.records[3]);
    assert!(
        many.world
            .write(practice, record, "plans:general", "after the end")
    );
    many.world.run_for(A_WHILE);
    let to_daughter = |frame: &&(HostId, HostId, Vec<u8>)| frame.1 == daughter;
    assert_eq!(many.world.frames.iter().filter(to_daughter).count(), 0);
    assert_eq!(many.world.texts(daughter, record), ["plan 3"]);
}

#[test]
fn a_share_that_ended_while_they_were_apart_gives_nothing_more() {
    let mut many = Many::shared(45, Some(60 * 60_000));
    many.world.crash(many.daughter);
    many.world.run_for(2 * 60 * 60_000);
    let (practice, daughter, record) = (many.practice, many.daughter, many.records[3]);
    assert!(
        many.world
            .write(practice, record, "plans:general", "after the end")
    );
    many.both_return();
    assert_eq!(many.world.texts(daughter, record), ["plan 3"]);
}
