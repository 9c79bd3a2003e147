//! How long a timeline of one record takes on a node that was just opened: the first, which makes
//! the stored views, and those after it, which read them. The record has so many resources of one
//! import, and so many notes of an entry each.
//!
//! `cargo run --release -p kith-node --example timeline_speed -- 1000 0`

use std::{error::Error, time::Instant};

use kith_crdt::samples::sample_bundle;
use kith_node::{
    api::{Addition, ImportRequest, Reply, Request},
    home::{Home, Unlock},
    node::{Node, Role},
};

const RUNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse());
    let resources = numbers.next().unwrap_or(Ok(1000))?;
    let notes = numbers.next().unwrap_or(Ok(0))?;
    let folder = std::env::temp_dir().join(format!("kith-timeline-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let told = measure(&folder, resources, notes);
    std::fs::remove_dir_all(&folder)?;
    told
}

fn measure(folder: &std::path::Path, resources: usize, notes: usize) -> Result<(), Box<dyn Error>> {
    let home = Home::at(folder.join("home"));
    Node::set_up(&home, "Riverside", Role::Practice, &Unlock::KeyFile)?;
    let file = folder.join("bundle.json");
    let json = sample_bundle(5, 1, resources);
    std::fs::write(&file, &json)?;
    let import = Request::Import(ImportRequest {
        paths: vec![file],
        ..ImportRequest::default()
    });
    let mut node = Node::open(&home, &Unlock::KeyFile)?;
    let Reply::Imported(imported) = node.handle(import, &mut |_| {})? else {
        return Err("another answer".into());
    };
    let record = imported.records[0].record.clone();
    for n in 0..notes {
        let add = Request::Add {
            record: record.clone(),
            what: Addition::Note(format!("{n}: slept well")),
            staff: None,
        };
        node.handle(add, &mut |_| {})?;
    }
    drop(node);
    println!(
        "{resources} resources, {} KB of JSON, and {notes} notes",
        json.len() / 1000
    );
    let mut times = Vec::new();
    for run in 0..=RUNS {
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let ask = Request::Timeline {
            record: record.clone(),
        };
        let start = Instant::now();
        let reply = node.handle(ask, &mut |_| {})?;
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        let Reply::Timeline(lines) = reply else {
            return Err("another answer".into());
        };
        if run == 0 {
            println!("the first: {ms:.1} ms, {} lines", lines.len());
        } else {
            times.push(ms);
        }
    }
    times.sort_by(f64::total_cmp);
    println!("median of {RUNS} after it: {:.1} ms", times[RUNS / 2]);
    Ok(())
}
