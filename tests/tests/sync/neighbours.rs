//! Four nodes of which each knows its neighbours only: what one writes comes to all, also when
//! whoever wrote it has gone.
//!
//! Who knows whom follows from who shared with whom: the first shares with the second, who may
//! share it on, and so forth. Nobody is ever told where the next but one is.

use serde_json::Value;

use crate::harness::{Node, Running, all_hold_the_same, contains, free_address, sample, until};

/// Four nodes; each has shared with the next.
struct Row {
    nodes: [Node; 4],
    listen: [String; 4],
    runs: [Option<Running>; 4],
    record: String,
}

impl Row {
    fn begun() -> Self {
        let nodes = [
            Node::set_up("Riverside Surgery", "practice"),
            Node::set_up("Castlebridge", "hospital"),
            Node::set_up("Meadow View", "care-home"),
            Node::set_up("Sam", "person"),
        ];
        let record = nodes[0].import(&sample("ips.json"));
        let mut row = Self {
            nodes,
            listen: [(); 4].map(|()| free_address()),
            runs: [None, None, None, None],
            record,
        };
        (0..4).for_each(|n| row.comes_back(n));
        for (n, steps) in [
            (0, Some("--share-on=2")),
            (1, Some("--share-on")),
            (2, None),
        ] {
            row.shares_with(n, n + 1, steps);
            all_hold_the_same(&[&row.nodes[n], &row.nodes[n + 1]], &row.record);
        }
        row
    }

    fn shares_with(&self, from: usize, to: usize, on: Option<&str>) {
        let words = ["share", &self.record, "--see", "all", "--add", "all"];
        // A share that is passed on ends no later than the one that it is of.
        let until = ["--until", ["2099-12-31", "2098-12-31", "2097-12-31"][from]];
        let shared = self.nodes[from].json(words.iter().chain(&until).chain(on.as_slice()));
        self.nodes[to].join(shared["link"].as_str().expect("a link"));
    }

    /// The last and the first meet over another record, and the first shares this one with the
    /// last too.
    fn closes(&self) {
        let [first, .., last] = &self.nodes;
        let other = last.json(["record", "new", "--family", "Quince"]);
        let other = other["record"].as_str().expect("a record");
        first.join(&last.share(other, "identity", ""));
        let words = [
            "share",
            &self.record,
            "--with",
            "Sam",
            "--until",
            "2099-12-31",
        ];
        first.json(words.iter().chain(&["--see", "all", "--add", "all"]));
        assert_eq!(self.knows(0).len(), 2);
        assert_eq!(self.knows(3).len(), 2);
    }

    fn goes(&mut self, n: usize) {
        self.runs[n] = None;
    }

    fn comes_back(&mut self, n: usize) {
        self.runs[n] = Some(self.nodes[n].running_at(["--listen", &self.listen[n]]));
    }

    fn name(&self, n: usize) -> String {
        let status = self.nodes[n].json(["status"]);
        status["name"].as_str().expect("it has a name").to_owned()
    }

    /// Whom a node knows, by name.
    fn knows(&self, n: usize) -> Vec<String> {
        let status = self.nodes[n].json(["status"]);
        let connections = status["connections"].as_array();
        let names = connections.into_iter().flatten();
        let mut names: Vec<_> = names
            .filter_map(|one| one["name"].as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    fn has(&self, n: usize, words: &str) -> bool {
        contains(&self.nodes[n].ndjson(&self.record), words)
    }

    fn all_hold_the_same(&self) {
        all_hold_the_same(&self.nodes.each_ref(), &self.record);
        let first = self.nodes[0].ndjson(&self.record);
        for node in &self.nodes {
            assert_eq!(node.ndjson(&self.record), first);
            node.verify(&self.record);
        }
    }

    /// An entry counts wherever it has come.
    fn counts(&self, n: usize, entry: &str) {
        let explained: Value = self.nodes[n].json(["explain", entry]);
        assert_eq!(explained["status"], "accepted", "{explained}");
    }
}

#[test]
fn four_in_a_line_converge_and_the_far_ones_never_speak_with_the_author() {
    let mut row = Row::begun();
    let [surgery, hospital, home, sam] = [0, 1, 2, 3].map(|n| row.name(n));
    assert_eq!(row.knows(0), [hospital.as_str()]);
    assert_eq!(row.knows(3), [home.as_str()]);
    row.all_hold_the_same();
    let ends = [
        row.nodes[0].note(&row.record, "From one end"),
        row.nodes[3].note(&row.record, "From the other end"),
    ];
    until("what either end wrote is at the other", || {
        row.has(3, "From one end") && row.has(0, "From the other end")
    });
    row.counts(3, &ends[0]);
    row.counts(0, &ends[1]);

    // The author writes, its first neighbour alone has it, and the author is gone.
    row.goes(2);
    let last = row.nodes[0].note(&row.record, "The author's last words");
    until("the first neighbour has it", || {
        row.has(1, "The author's last words")
    });
    row.goes(0);
    row.comes_back(2);
    until("it is at the far end", || {
        row.has(3, "The author's last words")
    });
    row.counts(3, &last);
    row.nodes[3].note(&row.record, "Heard");
    until("the answer is as near as it can be", || row.has(1, "Heard"));
    row.comes_back(0);
    row.all_hold_the_same();
    assert_eq!(row.knows(0), [hospital.as_str()]);
    assert_eq!(row.knows(1), sorted([&surgery, &home]));
    assert_eq!(row.knows(2), sorted([&hospital, &sam]));
    assert_eq!(row.knows(3), [home.as_str()]);
}

#[test]
fn four_in_a_ring_converge_with_any_of_them_gone() {
    let mut row = Row::begun();
    row.closes();
    for author in 0..4 {
        let (before, after) = ((author + 3) % 4, (author + 1) % 4);
        let words = format!("Written by number {author}.");
        // Only the one after it hears of it before the author goes: it has to go round.
        row.goes(before);
        row.nodes[author].note(&row.record, &words);
        until("one neighbour has it", || row.has(after, &words));
        row.goes(author);
        row.comes_back(before);
        until("it went round", || row.has(before, &words));
        row.comes_back(author);
    }
    row.all_hold_the_same();
}

fn sorted(names: [&String; 2]) -> Vec<String> {
    let mut names = names.map(String::clone).to_vec();
    names.sort();
    names
}
