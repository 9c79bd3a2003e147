//! Two nodes as two processes of this program, over loopback: everything that one of them has,
//! shared with the other.

use std::time::{Duration, Instant};

use super::{
    Bench, Files, ask, import,
    measure::{loopback_bytes, median, share_of},
    megabytes, middle, odd,
    station::Station,
};
use crate::{
    api::{Addition, NewPerson, NewStaff, Reply, Request, ShareRequest, ShareTerms},
    failure::Failure,
    home::{Home, Unlock},
    node::{Node, Role, meet},
    place::{bytes_below, taken_below},
    process::gone,
};

/// Notes that are added while both are connected.
const NOTES: u32 = 100;
/// Reconnects of which the median counts.
const RECONNECTS: usize = 5;
/// How long nodes are left alone before their idle memory is read: longer than they take to rest.
const IDLE: Duration = Duration::from_secs(10);
/// How long a note may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes that a hub knows.
const KNOWN: usize = 50;

/// What one meeting of two nodes cost.
struct Met {
    wall_s: f64,
    hub_s: f64,
    laptop_s: f64,
    bytes: u64,
    /// Everything on the loopback device meanwhile, of whatever program.
    device_bytes: f64,
}

impl Bench {
    /// A practice shares all of its records with one other node.
    pub(super) fn wire(&mut self, files: &Files) -> Result<(), Failure> {
        let mut hub = self.station("wire-hub", "Hub", Role::Practice)?;
        let mut laptop = self.station("wire-laptop", "Laptop", Role::Person)?;
        let records = import(&mut hub.node()?, &files.paths)?;
        let record = middle(&records)?;
        hub.start()?;
        laptop.start()?;
        let Reply::Shared(shared) = hub.ask(Request::Share(everything(&record)))? else {
            return Err(odd());
        };
        laptop.join(shared.link)?;
        laptop.exchanged_with(&hub)?;
        laptop.stop();
        for other in records.iter().filter(|other| **other != record) {
            let share = everything(other);
            let with = "Laptop".to_owned();
            hub.ask(Request::ShareWith { share, with })?;
        }
        let first = meeting(&hub, &mut laptop)?;
        let (hub_most, laptop_most) = (hub.memory().most_kib, laptop.memory().most_kib);
        let again = reconnects(&hub, &mut laptop)?;
        let delays = live(&hub, &laptop, &record, NOTES)?;
        std::thread::sleep(IDLE);
        let (hub_idle, laptop_idle) = (hub.memory().now_kib, laptop.memory().now_kib);
        laptop.stop();
        hub.stop();
        let aim = |aim| (self.size.records == 1000).then_some(aim);
        let (kib, figures) = (1024.0, &mut self.figures);
        let n = records.len();
        let name = |what: &str| format!("first sync of {n} records: {what}");
        figures.aim(&name("time"), first.wall_s, "s", aim(3.5));
        figures.note(&name("processor time of the giver"), first.hub_s, "s");
        figures.note(&name("processor time of the taker"), first.laptop_s, "s");
        figures.aim(
            &name("frames on the wire"),
            megabytes(first.bytes),
            "MB",
            aim(9.7),
        );
        let device = first.device_bytes / 1e6;
        figures.note(&name("loopback, of all programs"), device, "MB");
        figures.note(&name("most memory of the giver"), hub_most / kib, "MiB");
        figures.note(&name("most memory of the taker"), laptop_most / kib, "MiB");
        note_again(figures, &again);
        let p50 = share_of(&delays, 0.5);
        figures.aim("live change: half told within", p50, "ms", Some(8.0));
        figures.note(
            "live change: 95 of 100 told within",
            share_of(&delays, 0.95),
            "ms",
        );
        figures.aim(
            "idle memory of the giver",
            hub_idle / kib,
            "MiB",
            Some(64.0),
        );
        figures.aim(
            "idle memory of the taker",
            laptop_idle / kib,
            "MiB",
            Some(64.0),
        );
        for (who, station) in [("giver", &hub), ("taker", &laptop)] {
            let store = station.home.folder().join("store");
            let name = format!("disk of the {who}");
            figures.aim(&name, megabytes(bytes_below(&store)?), "MB", aim(28.0));
            let taken = megabytes(taken_below(&store)?);
            figures.note(&format!("{name}, holes left out"), taken, "MB");
        }
        Ok(())
    }

    /// A hub that has very many small records in common with one node, and knows others.
    pub(super) fn hub(&mut self) -> Result<(), Failure> {
        let mut hub = self.station("hub-of-many", "Hub", Role::Practice)?;
        let mut laptop = self.station("hub-laptop", "Laptop", Role::Practice)?;
        let mut node = hub.node()?;
        let mut records = Vec::new();
        for n in 0..self.size.people {
            let person = NewPerson {
                family: format!("Person {n}"),
                ..NewPerson::default()
            };
            let Reply::RecordNew(begun) = ask(&mut node, Request::RecordNew(person))? else {
                return Err(odd());
            };
            records.push(begun.record);
        }
        let record = middle(&records)?;
        for n in 1..KNOWN {
            let home = Home::at(self.place.folder().join(format!("known-{n}")));
            Node::set_up(&home, &format!("Known {n}"), Role::Person, &Unlock::KeyFile)?;
            let mut known = Node::open(&home, &Unlock::KeyFile)?;
            let link = invitation(&mut node, &record)?;
            meet(&mut node, &mut known, &link)?;
        }
        let link = invitation(&mut node, &record)?;
        meet(&mut node, &mut laptop.node()?, &link)?;
        for other in records.iter().filter(|other| **other != record) {
            let share = everything(other);
            let with = "Laptop".to_owned();
            ask(&mut node, Request::ShareWith { share, with })?;
        }
        drop(node);
        hub.start()?;
        std::thread::sleep(IDLE);
        let idle = hub.memory().now_kib / 1024.0;
        let first = meeting(&hub, &mut laptop)?;
        let again = reconnects(&hub, &mut laptop)?;
        let delays = live(&hub, &laptop, &record, NOTES)?;
        laptop.stop();
        // Who acts for whom may have changed: what either may have is found out of every record.
        hub.ask(Request::StaffAdd(NewStaff {
            name: "New".to_owned(),
            role: "nurse".to_owned(),
            may: "see,add".to_owned(),
            until: None,
        }))?;
        let all_again = meeting(&hub, &mut laptop)?;
        let most = hub.memory().most_kib / 1024.0;
        let all = self.size.people == 12_000;
        let (n, figures) = (records.len(), &mut self.figures);
        let name = |what: &str| format!("hub with {n} small records in common: {what}");
        let known = format!("idle memory, {n} records, {KNOWN} known nodes, none connected");
        figures.aim(&known, idle, "MiB", all.then_some(64.0));
        figures.note(&name("first sync"), first.wall_s, "s");
        figures.note(&name("frames"), megabytes(first.bytes), "MB");
        figures.note(&name("most memory"), most, "MiB");
        note_again(figures, &again);
        let again_ms = all_again.wall_s * 1000.0;
        figures.note("after new staff: start and reconnect", again_ms, "ms");
        figures.note(&name("live, half within"), share_of(&delays, 0.5), "ms");
        figures.note(
            &name("live, 95 of 100 within"),
            share_of(&delays, 0.95),
            "ms",
        );
        Ok(())
    }

    pub(super) fn station(&self, folder: &str, name: &str, role: Role) -> Result<Station, Failure> {
        Station::new(Home::at(self.place.folder().join(folder)), name, role)
    }
}

/// Starts the laptop and waits until both have everything.
fn meeting(hub: &Station, laptop: &mut Station) -> Result<Met, Failure> {
    let (hub_before, device_before) = (hub.processor_s(), loopback_bytes());
    let begun = Instant::now();
    laptop.start()?;
    let exchanged = laptop.exchanged_with(hub)?;
    Ok(Met {
        wall_s: begun.elapsed().as_secs_f64(),
        hub_s: hub.processor_s() - hub_before,
        laptop_s: laptop.processor_s(),
        bytes: exchanged.both(),
        device_bytes: loopback_bytes() - device_before,
    })
}

/// The laptop is shut and opened again, and nothing has changed.
fn reconnects(hub: &Station, laptop: &mut Station) -> Result<Vec<Met>, Failure> {
    let mut met = Vec::new();
    for _ in 0..RECONNECTS {
        laptop.stop();
        met.push(meeting(hub, laptop)?);
    }
    Ok(met)
}

fn note_again(figures: &mut super::measure::Figures, again: &[Met]) {
    let half = |of: &dyn Fn(&Met) -> f64| median(again.iter().map(of).collect());
    let wall = half(&|met| met.wall_s * 1000.0);
    let bytes = half(&|met| met.bytes as f64);
    let device = half(&|met| met.device_bytes);
    let processor = half(&|met| (met.hub_s + met.laptop_s) * 1000.0);
    figures.note("nothing changed: start and reconnect", wall, "ms");
    figures.note("nothing changed: processor time of both", processor, "ms");
    figures.aim(
        "nothing changed: frames of both",
        bytes,
        "bytes",
        Some(2500.0),
    );
    figures.note(
        "nothing changed: loopback, of all programs",
        device,
        "bytes",
    );
}

/// Milliseconds from before each note is asked for until the other node has told of it.
fn live(hub: &Station, laptop: &Station, record: &str, notes: u32) -> Result<Vec<f64>, Failure> {
    let told = laptop.follow(record.to_owned())?;
    let mut delays = Vec::new();
    // The first waits until everything from before was told, and does not count.
    for n in 0..=notes {
        let text = format!("Live note {n} of the benchmark");
        let begun = Instant::now();
        hub.ask(Request::Add {
            record: record.to_owned(),
            what: Addition::Note(text.clone()),
            staff: None,
        })?;
        loop {
            let (at, occurred) = told.recv_timeout(PATIENCE).map_err(|_| gone())?;
            if occurred.what.iter().any(|line| line.contains(&text)) {
                if n > 0 {
                    delays.push(at.duration_since(begun).as_secs_f64() * 1000.0);
                }
                break;
            }
        }
    }
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

fn invitation(node: &mut Node, record: &str) -> Result<String, Failure> {
    let Reply::Shared(shared) = ask(node, Request::Share(everything(record)))? else {
        return Err(odd());
    };
    Ok(shared.link)
}

fn everything(record: &str) -> ShareRequest {
    ShareRequest {
        record: record.to_owned(),
        see: "all".to_owned(),
        add: None,
        change: None,
        until: "2999-01-01".to_owned(),
        confirm: false,
        terms: ShareTerms::default(),
    }
}
