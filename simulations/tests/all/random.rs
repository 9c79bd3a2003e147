//! Anything at any moment: whatever was cut, crashed, shared and stopped, those who may hold the
//! same come to hold the same.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    id::{EventId, RecordId},
    logs::LogId,
    store::Store,
};
use kith_simulations::{Disk, HostId, Sight, World};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

const DOCUMENTS: [&str; 5] = [
    "plans:general",
    "letters:general",
    "monitoring:general",
    "letters:private",
    "results:sexual-health",
];

struct History {
    world: World,
    hosts: Vec<HostId>,
    record: RecordId,
    rng: ChaCha20Rng,
    /// What stands of what was shared: with whom, the grant, the documents.
    shares: Vec<(usize, EventId, BTreeSet<&'static str>)>,
    down: BTreeSet<usize>,
    copies: BTreeMap<usize, Disk>,
    restores: bool,
    told: Vec<String>,
    written: usize,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let hosts: Vec<_> = (0..4).map(|_| world.host()).collect();
        let record = world.record(hosts[0]);
        let mut history = Self {
            world,
            hosts,
            record,
            rng: ChaCha20Rng::seed_from_u64(seed ^ 0x5eed),
            shares: Vec::new(),
            down: BTreeSet::new(),
            copies: BTreeMap::new(),
            restores: seed % 2 == 1,
            told: Vec::new(),
            written: 0,
        };
        for (a, b) in [(1, 2), (2, 3), (1, 3)] {
            if history.below(2) == 0 {
                let (a, b) = (history.hosts[a], history.hosts[b]);
                history.world.know(a, b, record);
            }
        }
        history
    }

    fn below(&mut self, n: u32) -> usize {
        (self.rng.next_u32() % n) as usize
    }

    fn step(&mut self) {
        let (a, b) = (self.below(4), self.below(4));
        let (one, other) = (self.hosts[a], self.hosts[b]);
        let record = self.record;
        match self.below(14) {
            0..=3 => {
                let document = DOCUMENTS[self.below(5)];
                let count = [1, 1, 3, 40][self.below(4)];
                let mut may = true;
                for _ in 0..count {
                    if self.down.contains(&a) || !may {
                        break;
                    }
                    self.written += 1;
                    let long = "x".repeat(self.rng.next_u32() as usize % 20_000);
                    let text = format!("{} {long}", self.written);
                    may = self.world.write(one, record, document, &text);
                }
                self.told
                    .push(format!("{a} writes {count} in {document}: {may}"));
            }
            4..=5 if b != 0 && !self.down.contains(&0) => {
                let count = 1 + self.below(3);
                let documents: BTreeSet<_> = (0..count).map(|_| DOCUMENTS[self.below(5)]).collect();
                for document in documents {
                    let sights = [Sight::sees(document)];
                    let grants = self.world.share(self.hosts[0], record, other, &sights);
                    self.told.push(format!("share {document} with {b}"));
                    for grant in grants {
                        self.shares.push((b, grant, BTreeSet::from([document])));
                    }
                }
            }
            6 if !self.shares.is_empty() && !self.down.contains(&0) => {
                let nth = self.below(u32::try_from(self.shares.len()).expect("few"));
                let (with, grant, documents) = self.shares.remove(nth);
                self.told.push(format!("stop {documents:?} with {with}"));
                self.world.stop(self.hosts[0], record, &[grant]);
            }
            7 if a != b => {
                self.told.push(format!("cut {a} {b}"));
                self.world.cut(one, other);
            }
            8 if a != b => {
                self.told.push(format!("mend {a} {b}"));
                self.world.mend(one, other);
            }
            9 if !self.down.contains(&a) => {
                self.told.push(format!("crash {a}"));
                self.world.crash(one);
                self.down.insert(a);
            }
            10 if self.down.remove(&a) => {
                self.told.push(format!("restart {a}"));
                self.world.restart(one);
            }
            11 if a != 0 => {
                self.told.push(format!("copy {a}"));
                let disk = self.world.at(one).disk.clone();
                self.copies.insert(a, disk);
            }
            12 if a != 0 && self.restores => {
                if let Some(disk) = self.copies.get(&a).cloned() {
                    self.told.push(format!("older copy {a}"));
                    self.world.crash(one);
                    self.down.remove(&a);
                    self.world.restore(one, disk);
                }
            }
            _ => {}
        }
        let ms = [0, 7, 40, 150, 600, 3_000, 30_000][self.below(7)];
        self.told.push(format!("  {ms} ms"));
        self.world.run_for(ms);
    }

    fn heal(&mut self) {
        for a in std::mem::take(&mut self.down) {
            self.world.restart(self.hosts[a]);
        }
        for a in 0..4 {
            for b in a + 1..4 {
                self.world.mend(self.hosts[a], self.hosts[b]);
            }
        }
        self.world.run_for(40 * 60_000);
    }

    fn check(&mut self, seed: u64) {
        let mut may = BTreeMap::<usize, BTreeSet<&str>>::new();
        for (with, _, documents) in &self.shares {
            may.entry(*with).or_default().extend(documents);
        }
        let practice = self.world.state(self.hosts[0], self.record);
        for (with, documents) in may {
            let theirs = self.world.state(self.hosts[with], self.record);
            for document in documents {
                let of = |state: &BTreeSet<String>| -> BTreeSet<String> {
                    let name = format!("{document} ");
                    let lines = state.iter().filter(|line| line.starts_with(&name));
                    lines.cloned().collect()
                };
                let (ours, theirs) = (of(&practice), of(&theirs));
                let missing: Vec<_> = ours.difference(&theirs).collect();
                let more: Vec<_> = theirs.difference(&ours).collect();
                assert!(
                    missing.is_empty() && more.is_empty(),
                    "seed {seed}: of {document} host {with} lacks {missing:#?}, has {more:#?}\n{}",
                    self.told.join("\n")
                );
                let label = document.split_once(':').expect("a label").1;
                let events = |world: &mut World, host| {
                    let disk = &world.at(host).disk;
                    let mut ids = BTreeSet::new();
                    for log in disk.logs(&self.record).expect("logs") {
                        let is_of = match &log {
                            LogId::Core(_) => true,
                            LogId::Label(_, of) => of.to_string() == label,
                            LogId::Principal(_) => false,
                        };
                        if is_of {
                            ids.extend(disk.events(&log).expect("events").into_iter().map(|e| e.0));
                        }
                    }
                    ids
                };
                let ours = events(&mut self.world, self.hosts[0]);
                let theirs = events(&mut self.world, self.hosts[with]);
                assert_eq!(
                    ours,
                    theirs,
                    "seed {seed}: rights of {label} at {with}\n{}",
                    self.told.join("\n")
                );
            }
        }
    }
}

#[test]
fn whatever_happens_those_who_may_hold_the_same_come_to_hold_the_same() {
    let seeds = match std::env::var("KITH_SEEDS") {
        Ok(seeds) => {
            let (from, to) = seeds.split_once("..").expect("a range");
            from.parse::<u64>().expect("a seed")..to.parse().expect("a seed")
        }
        Err(_) => 0..12,
    };
    for seed in seeds {
        let mut history = History::new(seed);
        for _ in 0..40 {
            history.step();
        }
        history.heal();
        history.check(seed);
    }
}
