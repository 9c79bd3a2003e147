//! What is looked at when a day ends, of every record into which something came: nobody holds what
//! was never shared with them, nothing that was acknowledged is gone, and holders who say that they
//! have everything of each other do.

use std::collections::BTreeSet;

use kith_crdt::Section;
use kith_protocol::{
    id::{EnvelopeId, EventId, RecordId},
    store::Store,
};

use crate::{HostId, World};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("day {day}: {said}")]
pub struct Broken {
    /// Which day, from 1.
    pub day: u64,
    /// What, in words.
    pub said: String,
}

/// An entry that was acknowledged to whoever wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Which.
    pub entry: EnvelopeId,
    /// Where.
    pub section: Section,
    /// On which host.
    pub host: HostId,
}

/// A node with which a record is shared, or was.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The node.
    pub host: HostId,
    /// What people call it.
    pub name: String,
    /// What it may see.
    pub sees: BTreeSet<Section>,
    /// What says so; nothing for whoever controls the record.
    pub grants: Vec<EventId>,
    /// How many entries there were when sharing with it was stopped, where it was.
    pub ended_after: Option<usize>,
}

/// A record when a day ends.
pub struct Looked<'a> {
    /// Which.
    pub record: RecordId,
    /// What it is called in sentences.
    pub name: String,
    /// The node of whoever controls it.
    pub controller: HostId,
    /// What was written into it.
    pub written: &'a [Written],
    /// With whom it is shared, or was.
    pub holders: &'a [Holder],
}

impl Looked<'_> {
    /// Holds against what is on the disks what was shared, written, and held before by each holder:
    /// that is noted anew in `held`.
    ///
    /// # Errors
    /// Says what must not be.
    pub fn hold(&self, world: &World, held: &mut Vec<(HostId, Vec<bool>)>) -> Result<(), String> {
        for host in world.hosts() {
            self.within_shares(world, host)?;
        }
        for (nth, written) in self.written.iter().enumerate() {
            if !has(world, written.host, written) {
                return Err(self.says(&format!(
                    "entry {} is gone from where it was written",
                    nth + 1
                )));
            }
        }
        for holder in self.holders {
            let now = self.written.iter();
            let now: Vec<_> = now.map(|one| has(world, holder.host, one)).collect();
            let known = held.iter_mut().find(|(host, _)| *host == holder.host);
            let Some((_, before)) = known else {
                held.push((holder.host, now));
                continue;
            };
            if let Some(nth) = before
                .iter()
                .zip(&now)
                .position(|(before, now)| *before && !now)
            {
                let said = format!(
                    "entry {} is gone from {}, which had it",
                    nth + 1,
                    holder.name
                );
                return Err(self.says(&said));
            }
            *before = now;
        }
        Ok(())
    }

    /// Nothing is on a host that was not shared with it.
    fn within_shares(&self, world: &World, host: HostId) -> Result<(), String> {
        let disk = &world.look(host).disk;
        let documents = disk
            .documents(&self.record)
            .map_err(|error| error.to_string())?;
        let Some(holder) = self.holders.iter().find(|holder| holder.host == host) else {
            return match documents.first() {
                None => Ok(()),
                Some(document) => {
                    let said = format!(
                        "a node with which it was never shared holds its {}",
                        document.section
                    );
                    Err(self.says(&said))
                }
            };
        };
        if let Some(beyond) = documents
            .iter()
            .find(|one| !holder.sees.contains(&one.section))
        {
            let said = format!(
                "{} holds its {}, which it may not see",
                holder.name, beyond.section
            );
            return Err(self.says(&said));
        }
        // Whoever controls the record knows of the end at once, and says it before anything later.
        let later = self
            .written
            .iter()
            .skip(holder.ended_after.unwrap_or(usize::MAX));
        let mut later = later.filter(|written| written.host == self.controller);
        if later.any(|written| has(world, host, written)) {
            let said = format!(
                "{} holds what was written after sharing with it was stopped",
                holder.name
            );
            return Err(self.says(&said));
        }
        Ok(())
    }

    /// Pairs of holders that say that they have everything of each other and do not, by their
    /// places among the holders: one may be about to tell, so they are looked at again.
    pub fn differing(&self, world: &World) -> Vec<(usize, usize)> {
        let mut differing = Vec::new();
        for (nth, one) in self.holders.iter().enumerate() {
            for (mth, other) in self.holders.iter().enumerate().skip(nth + 1) {
                if self.differ(world, one, other).is_some() {
                    differing.push((nth, mth));
                }
            }
        }
        differing
    }

    /// Holds that two are the same, or are on their way to be.
    ///
    /// # Errors
    /// Says what they differ in.
    pub fn hold_pair(&self, world: &World, (nth, mth): (usize, usize)) -> Result<(), String> {
        let (Some(one), Some(other)) = (self.holders.get(nth), self.holders.get(mth)) else {
            return Ok(());
        };
        match self.differ(world, one, other) {
            None => Ok(()),
            Some(entry) => Err(self.says(&format!(
                "{} and {} have told each other for half an hour that they have everything, and entry {} is on one of them only",
                one.name,
                other.name,
                entry + 1
            ))),
        }
    }

    /// The first entry that both may see and one of them has, where both say that there is none.
    fn differ(&self, world: &World, one: &Holder, other: &Holder) -> Option<usize> {
        let ended = one.ended_after.or(other.ended_after).is_some();
        // Whoever shared it may be away: what neither has heard of neither gives.
        let have_heard = knows(world, one, other) && knows(world, other, one);
        if ended || !have_heard || !are_up_to_date(world, one.host, other.host) {
            return None;
        }
        self.written.iter().position(|written| {
            one.sees.contains(&written.section)
                && other.sees.contains(&written.section)
                && has(world, one.host, written) != has(world, other.host, written)
        })
    }

    fn says(&self, said: &str) -> String {
        format!("of {}, {said}", self.name)
    }
}

fn has(world: &World, host: HostId, written: &Written) -> bool {
    let disk = &world.look(host).disk;
    disk.has_entry(&written.entry).is_ok_and(|has| has)
}

/// Whether one of two knows of the shares of both.
fn knows(world: &World, one: &Holder, other: &Holder) -> bool {
    let disk = &world.look(one.host).disk;
    let mut grants = one.grants.iter().chain(&other.grants);
    grants.all(|grant| disk.has_event(grant).is_ok_and(|has| has))
}

fn are_up_to_date(world: &World, one: HostId, other: HostId) -> bool {
    [(one, other), (other, one)].iter().all(|(from, to)| {
        let engine = world.look(*from).engine.as_ref();
        let device = world.look(*to).device();
        engine.and_then(|engine| engine.is_up_to_date(&device)) == Some(true)
    })
}

#[cfg(test)]
mod tests {
    use kith_crdt::Section;
    use kith_protocol::{id::EventId, store::Item};

    use super::{Holder, Looked, Written};
    use crate::{HostId, Sight, World, document_named};

    struct Two {
        world: World,
        holders: Vec<Holder>,
        written: Vec<Written>,
        record: kith_protocol::id::RecordId,
    }

    impl Two {
        /// A practice shares plans with a daughter, and has written one.
        fn new() -> Self {
            let mut world = World::new(7);
            let (practice, daughter) = (world.host(), world.host());
            let record = world.record(practice);
            let sights = [Sight::sees("plans:general")];
            let grants = world.share(practice, record, daughter, &sights);
            let holder = |host, name: &str, sees: &[Section]| Holder {
                host,
                name: name.to_owned(),
                sees: sees.iter().copied().collect(),
                grants: Vec::new(),
                ended_after: None,
            };
            let mut holders = vec![
                holder(
                    practice,
                    "practice 1",
                    &[Section::Plans, Section::Medicines],
                ),
                holder(daughter, "daughter 1", &[Section::Plans]),
            ];
            holders[1].grants = grants;
            let mut two = Self {
                world,
                holders,
                written: Vec::new(),
                record,
            };
            two.writes("plans:general");
            two.world.run_for(60_000);
            two
        }

        fn writes(&mut self, document: &str) {
            let (host, document) = (self.holders[0].host, document_named(document));
            let record = self.record;
            let done = self
                .world
                .act(host, |host| host.note(record, &document, "a plan"));
            let [Item::Entry { id, .. }] = done.items() else {
                panic!("one entry");
            };
            self.written.push(Written {
                entry: *id,
                section: document.section,
                host,
            });
        }

        fn looked(&self) -> Looked<'_> {
            Looked {
                record: self.record,
                name: "patient 1".to_owned(),
                controller: self.holders[0].host,
                written: &self.written,
                holders: &self.holders,
            }
        }

        fn holds(&self, held: &mut Vec<(HostId, Vec<bool>)>) -> Result<(), String> {
            self.looked().hold(&self.world, held)
        }
    }

    #[test]
    fn what_was_shared_and_written_holds() {
        let two = Two::new();
        let mut held = Vec::new();
        assert_eq!(two.holds(&mut held), Ok(()));
        assert_eq!(
            held,
            [
                (two.holders[0].host, vec![true]),
                (two.holders[1].host, vec![true])
            ]
        );
        assert!(two.looked().differing(&two.world).is_empty());
    }

    #[test]
    fn what_somebody_holds_beyond_their_share_is_said() {
        let mut two = Two::new();
        two.holders[1].sees = [Section::Letters].into();
        let said = two
            .holds(&mut Vec::new())
            .expect_err("it may not see plans");
        assert_eq!(
            said,
            "of patient 1, daughter 1 holds its plans, which it may not see"
        );
        two.holders.truncate(1);
        let said = two.holds(&mut Vec::new()).expect_err("nothing was shared");
        assert!(said.contains("never shared"), "{said}");
    }

    #[test]
    fn what_came_to_somebody_after_the_end_is_said() {
        let mut two = Two::new();
        two.holders[1].ended_after = Some(1);
        assert_eq!(two.holds(&mut Vec::new()), Ok(()));
        two.writes("plans:general");
        two.world.run_for(60_000);
        let said = two
            .holds(&mut Vec::new())
            .expect_err("the share was never stopped");
        assert!(said.contains("after sharing with it was stopped"), "{said}");
    }

    #[test]
    fn what_is_gone_from_a_disk_is_said() {
        let mut two = Two::new();
        let (practice, daughter) = (two.holders[0].host, two.holders[1].host);
        let before = two.world.look(daughter).disk.clone();
        two.writes("plans:general");
        two.world.run_for(60_000);
        let mut held = Vec::new();
        assert_eq!(two.holds(&mut held), Ok(()));
        two.world.crash(daughter);
        two.world.at(daughter).disk = before;
        let said = two.holds(&mut held).expect_err("an older copy");
        assert_eq!(
            said,
            "of patient 1, entry 2 is gone from daughter 1, which had it"
        );
        two.world.at(practice).disk = crate::disk::Disk::default();
        let said = two.holds(&mut Vec::new()).expect_err("an empty disk");
        assert!(
            said.contains("entry 1 is gone from where it was written"),
            "{said}"
        );
    }

    #[test]
    fn who_says_that_they_have_everything_and_has_not_is_said() {
        let mut two = Two::new();
        // What its engine does not learn of is on the disk of one of them only.
        let (practice, record) = (two.holders[0].host, two.record);
        let document = document_named("plans:general");
        let done = two.world.at(practice).note(record, &document, "another");
        let [Item::Entry { id, .. }] = done.items() else {
            panic!("one entry");
        };
        two.written.push(Written {
            entry: *id,
            section: Section::Plans,
            host: practice,
        });
        assert_eq!(two.looked().differing(&two.world), [(0, 1)]);
        let said = two
            .looked()
            .hold_pair(&two.world, (0, 1))
            .expect_err("they differ");
        assert!(said.contains("entry 2 is on one of them only"), "{said}");
        let mut unheard = two.looked().holders.to_vec();
        unheard[1].grants.push(EventId::from_bytes([9; 32]));
        let looked = Looked {
            holders: &unheard,
            ..two.looked()
        };
        assert!(
            looked.differing(&two.world).is_empty(),
            "nobody heard of it"
        );
        two.world.cut(practice, two.holders[1].host);
        two.world.run_for(1000);
        assert_eq!(two.looked().hold_pair(&two.world, (0, 1)), Ok(()));
    }
}
