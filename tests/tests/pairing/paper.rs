//! An invitation on paper, used from another network.

use std::{
    path::Path,
    process::{Command, Output},
};

use super::surgery_and_laptop;
use crate::harness::{Node, kith, sample, skipped, text};

/// Where a run must show everything, this is set to 1.
const REQUIRED: &str = "KITH_TEST_NETNS_REQUIRED";

/// Shares with a sheet, and gives back the link that is printed on it.
fn printed(surgery: &Node, record: &str) -> String {
    let sheet = surgery.beside("sheet.html");
    let words = ["share", record, "--see", "all", "--until", "2099-12-31"];
    surgery
        .kith(words.iter().chain(&["--sheet", text(&sheet)]))
        .done();
    let page = std::fs::read_to_string(&sheet).expect("the sheet was written");
    assert!(page.contains("<svg") && page.contains("Riverside Surgery"));
    let words = page.split(['<', '>', ' ', '\n']);
    let mut links = words.filter(|word| word.starts_with("kith:join/"));
    links.next().expect("the link stands in it").to_owned()
}

#[test]
fn the_link_that_is_printed_on_the_sheet_joins() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let link = printed(&surgery, &record);
    assert_eq!(laptop.join(&link)["record"], record.as_str());
}

fn ip(words: &str) -> bool {
    let run = Command::new("ip").args(words.split(' ')).output();
    run.is_ok_and(|ran: Output| ran.status.success())
}

/// Two ends of a wire, one of them in a network of its own that is gone with this.
struct Elsewhere {
    space: String,
    wire: String,
}

impl Elsewhere {
    const HERE: &str = "10.213.71.1";

    fn begin() -> Option<Self> {
        let number = std::process::id() % 10_000;
        let elsewhere = Self {
            space: format!("kith{number}"),
            wire: format!("kw{number}"),
        };
        let Self { space, wire } = &elsewhere;
        let begun = ip(&format!("netns add {space}"))
            && ip(&format!("link add {wire}a type veth peer name {wire}b"))
            && ip(&format!("link set {wire}b netns {space}"))
            && ip(&format!("addr add {}/30 dev {wire}a", Self::HERE))
            && ip(&format!("link set {wire}a up"))
            && ip(&format!("-n {space} addr add 10.213.71.2/30 dev {wire}b"))
            && ip(&format!("-n {space} link set {wire}b up"))
            && ip(&format!("-n {space} link set lo up"));
        begun.then_some(elsewhere)
    }

    /// Runs a command of a node there.
    fn run(&self, home: &Path, words: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space]);
        command
            .arg(kith())
            .arg("--home")
            .arg(home)
            .arg("--no-input");
        command.args(words).output().expect("ip can be started")
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // What was not made cannot be taken away, and nothing hangs on it.
        ip(&format!("link del {}a", self.wire));
        ip(&format!("netns del {}", self.space));
    }
}

#[test]
fn the_sheet_is_used_from_another_network() {
    let Some(elsewhere) = Elsewhere::begin() else {
        let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
        assert!(
            !required,
            "no network namespace can be made, and it is required"
        );
        skipped("joining from another network needs root and ip netns");
        return;
    };
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = surgery.running_at(["--listen", &format!("{}:0", Elsewhere::HERE)]);
    let link = printed(&surgery, &record);
    let laptop = Node::set_up("Sam's laptop", "person");
    let words = ["--json", "join", "--link", &link, "--yes"];
    let ran = elsewhere.run(&laptop.home(), &words);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    assert_eq!(laptop.digest(&record), surgery.digest(&record));
}
