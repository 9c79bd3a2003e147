//! The program itself: a sweep gives the same bytes however it is run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::SMALL;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("small.toml"), text).expect("a file");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith-sim"));
        command
            .args(words.split_whitespace())
            .current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program, which ends with a code; what it said on both.
    fn ends(&self, words: &str, code: i32) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(words).output().expect("it runs");
        let said =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(code), "kith-sim {words}\n{said}");
        said
    }

    fn does(&self, words: &str) -> String {
        self.ends(words, 0)
    }

    /// Every file of a folder with its bytes.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.path(folder), "", &mut found);
        assert!(!found.is_empty());
        found
    }
}

fn collect(folder: &Path, under: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let name = format!("{under}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(&path).expect("bytes"));
        }
    }
}

#[test]
fn a_sweep_gives_the_same_bytes_whole_in_shards_in_threads_and_taken_up_again() {
    let desk = Desk::new(
        &SMALL
            .replace("seeds = 3", "seeds = 20")
            .replace("patients = 12", "patients = 40"),
    );
    desk.does("run small.toml --out whole --jobs 1");
    let whole = desk.files("whole");
    assert!(whole.contains_key("report.html") && whole.contains_key("runs.csv"));

    desk.does("run small.toml --out two --jobs 2");
    assert_eq!(whole, desk.files("two"));

    let mut shards = Vec::new();
    for part in [3, 1, 4, 2] {
        desk.does(&format!(
            "run small.toml --out part-{part} --shard {part}/4"
        ));
        shards.push(format!("part-{part}"));
    }
    desk.ends(&format!("merge {} --out no", shards[..3].join(" ")), 1);
    desk.does(&format!("merge {} --out merged", shards.join(" ")));
    assert_eq!(whole, desk.files("merged"));

    killed_and_taken_up(&desk);
    assert_eq!(whole, desk.files("killed"));
}

/// Kills the program as soon as it has done some runs, and goes on.
fn killed_and_taken_up(desk: &Desk) {
    let mut running = desk
        .command("run small.toml --out killed --jobs 1")
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let runs = desk.path("killed/runs");
    loop {
        let done = fs::read_dir(&runs).map_or(0, Iterator::count);
        if done >= 3 || running.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::yield_now();
    }
    running.kill().expect("it can be killed");
    running.wait().expect("it ends");
    assert!(
        !desk.path("killed/report.html").exists(),
        "it was killed before its end"
    );
    // Half a file, as a crash may leave it.
    fs::write(desk.path("killed/runs/p00000-s00000001.json"), "{\"poi").expect("a file");
    desk.ends("run small.toml --out killed --seed 5 --resume", 1);
    desk.does("run small.toml --out killed --resume");
}

#[test]
fn results_that_were_changed_are_not_taken() {
    let desk = Desk::new(SMALL);
    desk.does("run small.toml --out whole");
    assert!(
        desk.ends("run small.toml --out whole", 1)
            .contains("--resume")
    );
    desk.does("verify whole");
    let run = desk.path("whole/runs/p00001-s00000002.json");
    let text = fs::read_to_string(&run)
        .expect("a run")
        .replace("\"seed\": 2", "\"seed\": 3");
    fs::write(&run, text).expect("a file");
    assert!(
        desk.ends("report whole", 1)
            .contains("not what was written")
    );
    assert!(
        desk.ends("verify whole", 1)
            .contains("not what was written")
    );
}

#[test]
fn every_command_says_what_it_is_there_for() {
    let desk = Desk::new(SMALL);
    assert!(desk.does("new mine.toml").contains("mine.toml"));
    assert!(desk.does("check mine.toml").contains("runs"));
    desk.ends("new mine.toml", 1);
    assert!(desk.does("new --list x").contains("respect-availability"));
    assert!(
        desk.does("check small.toml")
            .contains("small: How often is the plan there?")
    );
    let said = desk.does("run small.toml --out one");
    assert!(
        said.contains("With adoption.share = 1, federated") && said.contains("against paper"),
        "{said}"
    );
    desk.does("run small.toml --out other --seed 11");
    assert!(desk.does("compare one other").contains("federated"));
    assert!(desk.does("report one").contains("report.html"));
    let twice = desk.does("verify small.toml --seeds 2");
    assert_eq!(twice.lines().count(), 4);
    let told = desk.does("trace small.toml");
    assert!(told.starts_with("Day 1, 00:00: Patient "), "{told}");
    assert!(
        told.contains("With each way of carrying it they found: federated, "),
        "{told}"
    );
    assert_eq!(told, desk.does("trace small.toml"));
    let script = desk.does("slurm small.toml --shards 5");
    assert!(script.contains("#SBATCH --array=1-5") && script.starts_with("#!/usr/bin/env bash"));
    desk.does("run small.toml --out sensitive --sensitivity");
    let page = fs::read_to_string(desk.path("sensitive/report.html")).expect("a report");
    assert!(
        page.contains("device.server.failures_per_year = 30"),
        "a bar for each end"
    );
    assert!(
        desk.ends("check nowhere.toml", 15)
            .contains("nowhere.toml:1:1")
    );
    desk.ends("run small.toml --shard 5/4", 2);
}

#[test]
fn a_report_needs_nothing_else_and_runs_nothing() {
    let desk = Desk::new(&SMALL.replace(
        "How often is the plan there?",
        "Is <b>it</b> there & current?",
    ));
    desk.does("run small.toml --out one");
    let page = fs::read_to_string(desk.path("one/report.html")).expect("a report");
    assert!(page.contains("Is &lt;b&gt;it&lt;/b&gt; there &amp; current?"));
    assert!(page.contains("<svg") && page.contains("kith-sim run small.toml --seed 1 --seeds 3"));
    for not in ["<script", "http://", "https://", "src=", "href="] {
        assert!(!page.contains(not), "{not}");
    }
}

/// The researcher's commands of the README, as they stand.
#[test]
fn whoever_follows_the_readme_gets_results() {
    let readme = include_str!("../../../../README.md");
    let (_, below) = readme
        .split_once("## For researchers\n")
        .expect("a section");
    let block = below.split("```").nth(1).expect("a block of commands");
    let desk = Desk::new(SMALL);
    let mut commands = 0;
    for line in block
        .lines()
        .filter_map(|line| line.strip_prefix("kith-sim "))
    {
        desk.does(line);
        commands += 1;
    }
    assert!(commands >= 5, "{commands}");
    assert!(desk.path("results/mine/report.html").exists());
}
