//! How long a timeline of one record takes on a node that was just opened: the first, which makes
//! the stored views, and those after it, which read them.
//!
//! `cargo run --release -p kith-node --example timeline_speed -- 1000`

use std::{error::Error, time::Instant};

use kith_crdt::samples::sample_bundle;
use kith_node::{
    api::{ImportRequest, Reply, Request},
    home::{Home, Unlock},
    node::{Node, Role},
};

const RUNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let resources = std::env::args().nth(1).map_or(Ok(1000), |n| n.parse())?;
    let folder = std::env::temp_dir().join(format!("kith-timeline-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let told = measure(&folder, resources);
    std::fs::remove_dir_all(&folder)?;
    told
}

fn measure(folder: &std::path::Path, resources: usize) -> Result<(), Box<dyn Error>> {
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
    drop(node);
    println!("{resources} resources, {} KB of JSON", json.len() / 1000);
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
