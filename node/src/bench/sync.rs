//! Two nodes catch up: both engines and both disks, with nothing between them but memory.

use std::collections::VecDeque;

use kith_protocol::sync::{Engine, Input, LinkId, Output};

use super::{Bench, addition, ask, measure::Clock, odd};
use crate::{
    api::{NewPerson, Reply, Request, ShareRequest, ShareTerms},
    failure::Failure,
    home::{Home, Unlock},
    node::{Node, Role, meet, now_ms},
    store::random,
};

/// What one conversation cost.
struct Talked {
    frames: u32,
    /// Bytes of all frames, before they are compressed.
    bytes: u32,
}

impl Bench {
    /// A laptop that was away while many entries were written, and then again with nothing new.
    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        let mut hub = self.node("hub", Role::Practice)?;
        let mut laptop = self.node("laptop", Role::Person)?;
        let person = NewPerson {
            family: "Long".to_owned(),
            ..NewPerson::default()
        };
        let Reply::RecordNew(begun) = ask(&mut hub, Request::RecordNew(person))? else {
            return Err(odd());
        };
        let share = ShareRequest {
            record: begun.record.clone(),
            see: "all".to_owned(),
            add: None,
            change: None,
            until: "2999-01-01".to_owned(),
            confirm: false,
            terms: ShareTerms::default(),
        };
        let Reply::Shared(shared) = ask(&mut hub, Request::Share(share))? else {
            return Err(odd());
        };
        meet(&mut hub, &mut laptop, &shared.link)?;
        talk(&mut hub, &mut laptop)?;
        for n in 0..self.size.entries {
            let request = Request::Add {
                record: begun.record.clone(),
                what: addition(n),
                staff: None,
            };
            ask(&mut hub, request)?;
        }
        let clock = Clock::start();
        let talked = talk(&mut hub, &mut laptop)?;
        let took = clock.stop();
        let clock = Clock::start();
        let again = talk(&mut hub, &mut laptop)?;
        let nothing_new = clock.stop();
        let name = |what: &str| format!("catch up with {} entries: {what}", self.size.entries);
        let (time, processor, sent) = (name("time"), name("processor time"), name("sent"));
        let figures = &mut self.figures;
        figures.note(&time, took.wall_s, "s");
        figures.note(&processor, took.processor_s, "s");
        figures.note(&sent, f64::from(talked.bytes) / 1e6, "MB");
        figures.note("nothing new: time", nothing_new.wall_s * 1000.0, "ms");
        figures.note("nothing new: sent by both", f64::from(again.bytes), "bytes");
        figures.note("nothing new: frames of both", f64::from(again.frames), "");
        Ok(())
    }

    fn node(&self, folder: &str, role: Role) -> Result<Node, Failure> {
        let home = Home::at(self.place.folder().join(folder));
        Node::set_up(&home, folder, role, &Unlock::KeyFile)?;
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        node.set_addresses(vec!["/ip4/127.0.0.1/tcp/1".to_owned()]);
        Ok(node)
    }
}

/// Has two nodes talk until both are silent.
fn talk(one: &mut Node, other: &mut Node) -> Result<Talked, Failure> {
    let link = LinkId(1);
    let connected = |device, is_caller| Input::Connected {
        link,
        device,
        is_caller,
    };
    let (here, there) = (one.device(), other.device());
    let mut engines = [
        Engine::new(one, random(), now_ms())?,
        Engine::new(other, random(), now_ms())?,
    ];
    let mut told = VecDeque::from([(0, connected(there, true)), (1, connected(here, false))]);
    let mut talked = Talked {
        frames: 0,
        bytes: 0,
    };
    while let Some((to, input)) = told.pop_front() {
        let node = if to == 0 { &mut *one } else { &mut *other };
        engines[to].handle(node, input, now_ms())?;
        while let Some(output) = engines[to].poll_output() {
            match output {
                Output::Send { frame, .. } => {
                    talked.frames += 1;
                    talked.bytes += u32::try_from(frame.len()).unwrap_or(u32::MAX);
                    told.push_back((1 - to, Input::Received { link, frame }));
                    told.push_back((to, Input::Sent { link }));
                }
                Output::Close { .. } => told.push_back((1 - to, Input::Lost { link })),
                Output::Dial { .. } | Output::Tell(_) => {}
            }
        }
    }
    Ok(talked)
}
