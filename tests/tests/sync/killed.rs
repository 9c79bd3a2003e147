//! Either side dies in the middle of sync, again and again: both are the same afterwards, and what
//! was acknowledged is there.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::harness::{
    Moments, Node, Running, all_hold_the_same, contains, free_address, how_many, sample, text,
};

/// Kills in a normal run; `KITH_SYNC_KILLS` says otherwise.
const KILLS: u64 = 6;
const SEED: u64 = 0x7379_6e63;
/// The latest moment of a kill: most of what is sent has arrived by then.
const LATEST_MS: u64 = 250;
/// What comes in at one stroke in every round, on one side.
const READINGS: u64 = 60;

struct Side {
    node: Node,
    listen: String,
    runs: Option<Running>,
}

impl Side {
    fn set_up(name: &str, kind: &str) -> Self {
        let mut side = Self {
            node: Node::set_up(name, kind),
            listen: free_address(),
            runs: None,
        };
        side.start();
        side
    }

    fn start(&mut self) {
        self.runs = Some(self.node.running_at(["--listen", &self.listen]));
    }

    /// Ends it as a power cut would.
    fn kill(&mut self) {
        self.runs.take().expect("it runs").kill();
    }

    /// A command that is at work while this goes on.
    fn begin(&self, words: &[&str]) -> Child {
        quiet(self.node.command(words))
    }
}

fn quiet(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("kith can be started")
}

#[test]
fn either_side_is_killed_during_sync_and_nothing_acknowledged_is_lost() {
    let kills = how_many("KITH_SYNC_KILLS", KILLS);
    let mut sides = [
        Side::set_up("Riverside Surgery", "practice"),
        Side::set_up("Castlebridge", "hospital"),
    ];
    let record = sides[0].node.import(&sample("ips.json"));
    sides[0].node.shares_all_with(&sides[1].node, &record);
    let mut moments = Moments(SEED);
    let mut acknowledged = Vec::new();
    let (mut at_work, mut longest, mut total) = (0, Duration::ZERO, Duration::ZERO);
    for n in 0..kills {
        let victim = usize::from(moments.below(2) == 1);
        let moment = Duration::from_millis(moments.below(LATEST_MS));
        // Much to send at once, from a side that stays or that dies.
        let bringer = &sides[usize::from(moments.below(2) == 1)];
        let file = bringer.node.file("readings.ndjson", readings(n));
        let mut bringing = bringer.begin(&["import", text(&file), "--record", &record]);
        let began = Instant::now();
        let mut added = 0;
        while began.elapsed() < moment {
            for (which, side) in sides.iter().enumerate() {
                let note = format!("Note {added} of side {which} in round {n}.");
                side.node.note(&record, &note);
                acknowledged.push(note);
            }
            added += 1;
        }
        sides[victim].kill();
        if bringing.wait().expect("it was started").success() {
            acknowledged.extend((0..READINGS).map(|reading| marker(n, reading)));
        }
        // Looked at from what lies on both disks: asking before would give it time to arrive.
        let has_all = sides[0].node.digest(&record) == sides[1].node.digest(&record);
        at_work += u64::from(!has_all);
        sides[victim].start();
        let began = Instant::now();
        all_hold_the_same(&[&sides[0].node, &sides[1].node], &record);
        longest = longest.max(began.elapsed());
        total += began.elapsed();
        // Every fifth round looks at everything so far.
        if n % 5 == 4 || n + 1 == kills {
            holds(&sides, &record, &acknowledged, n);
        }
    }
    for side in &sides {
        side.node.verify(&record);
    }
    eprintln!(
        "{kills} kills, {at_work} before all had arrived; {} things acknowledged; the same again after {} ms in the mean, {} ms at most",
        acknowledged.len(),
        total.as_millis() / u128::from(kills.max(1)),
        longest.as_millis()
    );
}

fn holds(sides: &[Side; 2], record: &str, acknowledged: &[String], n: u64) {
    let [one, other] = sides.each_ref().map(|side| side.node.ndjson(record));
    assert_eq!(one, other, "round {n}");
    for words in acknowledged {
        assert!(contains(&one, words), "round {n}: {words} is lost");
    }
}

fn marker(n: u64, reading: u64) -> String {
    format!("reading-{n}-{reading}.")
}

fn readings(n: u64) -> String {
    let lines: Vec<_> = (0..READINGS)
        .map(|reading| {
            format!(
                r#"{{"resourceType":"Observation","status":"final","code":{{"text":"{}"}},"valueQuantity":{{"value":{reading},"unit":"mmHg"}}}}"#,
                marker(n, reading)
            )
        })
        .collect();
    lines.join("\n")
}
