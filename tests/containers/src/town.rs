//! Five providers with one record, who write while things break.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use futures::future::{join, join_all};
use serde_json::Value;
use testcontainers::core::Mount;

use crate::{Engine, Provider, Ran, Written, until, wait::a_moment};

/// What each of those who were invited may add to.
const MAY_ADD: &str = "daily-care";

const CARE_HOME: &str = "care-home";

/// Where the cupboard has the care home's disk.
const HELD: &str = "/held";

/// The care home's disk, in memory: small, and there as long as somebody has it.
const SMALL: [(&str, &str); 3] = [
    ("type", "tmpfs"),
    ("device", "tmpfs"),
    ("o", "size=32m,mode=0700,uid=65532,gid=65532"),
];

/// The five, and the record that all of them have.
pub struct Town {
    /// The only one on everybody's network.
    pub practice: Provider,
    /// On a network with the practice alone, like the next three.
    pub hospital: Provider,
    /// Stands still at times.
    pub ambulance: Provider,
    /// Its disk is small.
    pub care_home: Provider,
    /// A person's.
    pub laptop: Provider,
    record: String,
    founded: Instant,
    /// Every text that was acknowledged.
    told: Mutex<Vec<String>>,
    /// Holds the small disk while the care home is off, and can put things on it.
    cupboard: Provider,
    /// Last, so that it sweeps after the others have gone.
    pub engine: Engine,
}

impl Town {
    /// Founds it: everyone has the same record when this returns.
    pub async fn founded() -> Self {
        let founded = Instant::now();
        let engine = Engine::found().await;
        let cupboard = held_disk(&engine).await;
        let own = engine.network("to-practice").await;
        let practice = at_home(&engine, ("practice", "practice"), &own).await;
        let hospital = beside(&engine, ("hospital", "hospital"), &practice).await;
        let ambulance = beside(&engine, ("ambulance", "ambulance"), &practice).await;
        let care_home = beside(&engine, (CARE_HOME, "care-home"), &practice).await;
        let laptop = beside(&engine, ("laptop", "person"), &practice).await;

        let made = [
            "record",
            "new",
            "--family",
            "Underhill",
            "--given",
            "Marigold",
        ];
        let made = practice.json(&made).await;
        let town = Self {
            practice,
            hospital,
            ambulance,
            care_home,
            laptop,
            record: word(&made, "record").to_owned(),
            founded,
            told: Mutex::new(Vec::new()),
            cupboard,
            engine,
        };
        town.everyone_is_invited().await;
        town
    }

    /// All five.
    #[must_use]
    pub fn everyone(&self) -> [&Provider; 5] {
        let [hospital, ambulance, care_home, laptop] = self.invited();
        [&self.practice, hospital, ambulance, care_home, laptop]
    }

    /// All but the practice.
    #[must_use]
    pub fn invited(&self) -> [&Provider; 4] {
        [
            &self.hospital,
            &self.ambulance,
            &self.care_home,
            &self.laptop,
        ]
    }

    /// The network that somebody shares with the practice.
    #[must_use]
    pub fn network_of(&self, provider: &Provider) -> String {
        self.engine.named(&format!("to-{}", provider.name()))
    }

    /// Each with four words, and the practice's name in the town.
    async fn everyone_is_invited(&self) {
        for guest in self.invited() {
            let share = ["share", &self.record, "--see", "all", "--add", MAY_ADD];
            let until_when = ["--until", "2099-12-31"];
            let invitation = self
                .practice
                .json(&[&share[..], &until_when].concat())
                .await;
            let join = ["join", self.practice.address()];
            let words: Vec<_> = word(&invitation, "words").split(' ').collect();
            let joined = guest.json(&[&join[..], &words, &["--yes"]].concat()).await;
            assert_eq!(joined["record"], self.record.as_str());
        }
        self.agrees("everyone has the record").await;
    }

    /// Everyone whose machine is on writes, from before `what` until after it.
    pub async fn while_everyone_writes(&self, what: impl Future<Output = ()>) {
        let over = AtomicBool::new(false);
        let fault = async {
            what.await;
            over.store(true, Ordering::SeqCst);
        };
        let everyone = self.everyone();
        let writers = everyone.map(|provider| self.writes_until(provider, &over));
        Box::pin(join(fault, join_all(writers))).await;
    }

    async fn writes_until(&self, provider: &Provider, over: &AtomicBool) {
        while !over.load(Ordering::SeqCst) {
            if provider.serves() {
                self.writes(provider).await;
            } else {
                a_moment().await;
            }
        }
    }

    /// One note; kept in mind when it was acknowledged.
    pub async fn writes(&self, provider: &Provider) -> Written {
        let written = provider.writes(&self.record).await;
        if written.is_acknowledged() {
            self.told().push(written.text.clone());
        }
        written
    }

    /// Waits until all whose machine is on have written twice more.
    pub async fn everyone_has_written(&self) {
        let before = self.everyone().map(Provider::acknowledged);
        until("everyone has written", async || {
            let late: Vec<_> = self
                .everyone()
                .into_iter()
                .zip(before)
                .filter(|(provider, before)| {
                    provider.serves() && provider.acknowledged() < before + 2
                })
                .map(|(provider, _)| provider.name())
                .collect();
            if late.is_empty() {
                Ok(())
            } else {
                Err(late.join(", "))
            }
        })
        .await;
    }

    /// Everyone holds the same, and nothing that anybody was told is missing.
    pub async fn agrees(&self, after: &str) {
        let began = Instant::now();
        until(after, async || {
            let everyone = self.everyone();
            let shown = join_all(everyone.map(|one| self.shown_by(one))).await;
            let lacks = shown.iter().zip(everyone).map(|(shown, provider)| {
                let digest = word(shown, "digest");
                let missing = self.missing(&shown.to_string());
                (
                    missing.is_empty(),
                    format!("{} {digest} lacks {missing:?}", provider.name()),
                )
            });
            let (whole, said): (Vec<_>, Vec<_>) = lacks.unzip();
            let same = shown.iter().all(|one| one["digest"] == shown[0]["digest"]);
            if same && whole.iter().all(|whole| *whole) {
                Ok(())
            } else {
                Err(said.join("\n"))
            }
        })
        .await;
        let told = self.told().len();
        let took = began.elapsed().as_secs_f32();
        let old = self.founded.elapsed().as_secs();
        eprintln!("{old:>4} s: {after}; agreed after {took:.1} s, {told} notes");
    }

    /// Every signature, link and status holds everywhere, and nobody sees a problem.
    pub async fn is_sound(&self) {
        for provider in self.everyone() {
            provider.json(&["verify", &self.record]).await;
            let status = provider.json(&["status"]).await;
            let problems = &status["problems"];
            assert_eq!(problems, &serde_json::json!([]), "{}", provider.name());
        }
    }

    /// What somebody shows of the record.
    pub async fn shown_by(&self, provider: &Provider) -> Value {
        provider.json(&["show", &self.record]).await
    }

    /// The last note that was acknowledged.
    ///
    /// # Panics
    /// When there was none.
    #[must_use]
    pub fn last_told(&self) -> String {
        self.told().last().expect("somebody has written").clone()
    }

    /// Fills the care home's disk to the last page, and says how many files it took.
    ///
    /// # Panics
    /// When it never fills.
    pub async fn fill_the_small_disk(&self) -> usize {
        let mut files = 0;
        for size in [4 << 20, 256 << 10, 16 << 10, 4 << 10] {
            let bytes = vec![7; size];
            while self.put_into_the_small_disk(files, &bytes).await {
                files += 1;
                assert!(files < 200, "the disk is never full");
            }
            // What did not fit whole was written in part, or not at all.
            files += 1;
        }
        files
    }

    /// Makes room again: each of those files becomes empty.
    pub async fn empty_the_small_disk(&self, files: usize) {
        for file in 0..files {
            let emptied = self.put_into_the_small_disk(file, &[]).await;
            assert!(emptied, "an empty file has room");
        }
    }

    async fn put_into_the_small_disk(&self, file: usize, bytes: &[u8]) -> bool {
        let name = format!("ballast-{file}");
        let put = self.engine.put(self.cupboard.id(), HELD, &name, bytes);
        put.await.is_ok()
    }

    /// What the care home is told when it writes and there is no room.
    ///
    /// # Panics
    /// When it is never told.
    pub async fn refused_at_the_care_home(&self) -> Ran {
        // A page that was begun has room for some.
        for _ in 0..100 {
            let written = self.writes(&self.care_home).await;
            if !written.is_acknowledged() {
                return written.ran.expect("the container runs");
            }
        }
        panic!("a full disk takes everything");
    }

    fn missing(&self, shown: &str) -> Vec<String> {
        let told = self.told();
        told.iter()
            .filter(|text| !shown.contains(*text))
            .cloned()
            .collect()
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.told.lock().expect("no writer panicked")
    }
}

/// Sets a node up in a volume of its own and runs it.
async fn at_home(engine: &Engine, who: (&'static str, &str), network: &str) -> Provider {
    let volume = engine.volume(who.0, &[]).await;
    Provider::on(engine, who, &volume, Some(network), &[]).await
}

/// The same on a network of its own, which the practice joins.
async fn beside(engine: &Engine, who: (&'static str, &str), practice: &Provider) -> Provider {
    let network = engine.network(&format!("to-{}", who.0)).await;
    engine.connect(&network, practice.id()).await;
    if who.0 == CARE_HOME {
        let volume = engine.named(CARE_HOME);
        return Provider::on(engine, who, &volume, Some(&network), &[]).await;
    }
    at_home(engine, who, &network).await
}

/// A node of nobody's, which has the care home's disk with it for as long as it runs.
async fn held_disk(engine: &Engine) -> Provider {
    let own = engine.volume("cupboard", &[]).await;
    let small = engine.volume(CARE_HOME, &SMALL).await;
    let held = Mount::volume_mount(small, HELD);
    Provider::on(engine, ("cupboard", "person"), &own, None, &[held]).await
}

fn word<'a>(object: &'a Value, name: &str) -> &'a str {
    let word = object[name].as_str();
    word.unwrap_or_else(|| panic!("no {name} in {object}"))
}
