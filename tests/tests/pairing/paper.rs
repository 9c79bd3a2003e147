//! An invitation on paper, used from another network.

use super::surgery_and_laptop;
use crate::harness::{Networks, Node, sample, text, until};

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

#[test]
fn the_sheet_is_used_from_another_network() {
    let Some(networks) = Networks::lay(&["home"]) else {
        return;
    };
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = networks.running(Networks::HUB, &surgery);
    let link = printed(&surgery, &record);
    let laptop = Node::set_up("Sam's laptop", "person");
    until("the cable carries", || {
        networks.can_reach("home", &Networks::of_hub(1))
    });
    let words = ["--json", "join", "--link", &link, "--yes"];
    networks.kith("home", &laptop, words).done();
    assert_eq!(laptop.digest(&record), surgery.digest(&record));
}
