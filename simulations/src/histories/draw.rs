//! Drawing a history from a seed: which kinds of faults it has, and its steps.

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::step::{Step, Verb};

/// Steps between two quiet times.
const QUIET_EVERY: usize = 50;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $word:literal: [$($verb:ident $weight:literal),*],)*) => {
        /// A kind of fault, or of act that makes things harder; each seed has some of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// In words.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What happens with it, each with how often.
            const fn verbs(self) -> &'static [(Verb, u32)] {
                match self {
                    $(Self::$name => &[$((Verb::$verb, $weight)),*],)*
                }
            }
        }
    };
}

faults! {
    /// Hosts crash and come back.
    Crashes = "crashes": [Crash 4, Restart 6],
    /// The power goes in the middle of commits.
    Power = "power": [Power 5, Restart 6],
    /// Hosts sleep and wake.
    Sleep = "sleep": [Sleep 3, Wake 4],
    /// Hosts are cut off from each other.
    Cuts = "cuts": [Cut 6, Mend 7],
    /// One direction fails.
    OneWay = "one-way": [OneWay 4, Mend 4],
    /// Streams overlap.
    Overlaps = "overlaps": [CallAgain 5],
    /// Ways are slow, narrow and lose packets.
    Slow = "slow": [Slow 4],
    /// Hosts are behind routers; one relays.
    Nat = "nat": [Nat 3],
    /// Clocks are wrong and jump.
    Clocks = "clocks": [Clock 4],
    /// Disks are full.
    Full = "full": [Full 4, Room 5],
    /// Bits flip on disks.
    Rot = "rot": [Rot 1],
    /// Older copies of disks come back.
    Copies = "copies": [Copy 4, Restore 2],
    /// Somebody has a second device.
    Devices = "devices": [Phone 3, Retire 1],
    /// Parts of records are begun anew.
    Epochs = "epochs": [Anew 4],
    /// Somebody who was let in does not keep to the rules.
    Hostile = "hostile": [
        Equivocate 2, Backdate 3, Withhold 2, Flip 2, Swap 2, Double 1, Forge 2, ForgeGrant 2,
        Overreach 2, Pass 2, Meddle 2, SelfAdopt 2, Replay 2, Probe 2, Flood 2, Stranger 1, Behave 3
    ],
    /// Records are opened in emergencies.
    Emergencies = "emergencies": [Trust 3, Open 6],
}

/// What happens in every history, each with how often.
const ALWAYS: &[(Verb, u32)] = &[
    (Verb::Begin, 1),
    (Verb::Write, 22),
    (Verb::Change, 7),
    (Verb::Choose, 4),
    (Verb::Adopt, 4),
    (Verb::Share, 14),
    (Verb::Stop, 5),
    (Verb::GiveBack, 1),
    (Verb::Lapse, 2),
    (Verb::Meet, 3),
    (Verb::Wait, 3),
];

/// How long it is waited after a step, milliseconds; the short ones are where things meet.
const WAITS_MS: [u64; 12] = [
    0, 0, 3, 11, 40, 120, 400, 1_500, 5_000, 30_000, 200_000, 4_000_000,
];

/// The kinds of faults of a seed.
pub fn faults(seed: u64) -> BTreeSet<Fault> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(1);
    let all = Fault::ALL.iter().copied();
    all.filter(|_| rng.next_u32().is_multiple_of(2)).collect()
}

/// The steps of a seed, `len` of them and the quiet times between.
pub fn steps(seed: u64, faults: &BTreeSet<Fault>, len: usize) -> Vec<Step> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(2);
    let more = faults.iter().flat_map(|fault| fault.verbs());
    let weighted: Vec<_> = ALWAYS.iter().chain(more).copied().collect();
    let total: u32 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut steps = Vec::with_capacity(len + len / QUIET_EVERY + 1);
    for nth in 1..=len {
        let verb = pick(&weighted, rng.next_u32() % total);
        let wait = rng.next_u32() as usize % WAITS_MS.len();
        steps.push(Step {
            verb,
            a: rng.next_u32() % 10_000,
            b: rng.next_u32() % 10_000,
            c: rng.next_u32() % 10_000,
            wait_ms: WAITS_MS[wait],
        });
        if nth % QUIET_EVERY == 0 || nth == len {
            steps.push(Step {
                verb: Verb::Quiet,
                a: 0,
                b: 0,
                c: 0,
                wait_ms: 0,
            });
        }
    }
    steps
}

fn pick(weighted: &[(Verb, u32)], mut at: u32) -> Verb {
    for (verb, weight) in weighted {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *verb,
        }
    }
    Verb::Wait
}
