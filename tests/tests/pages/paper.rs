//! The emergency page as a file from the command line.

use super::Surgery;
use crate::harness::text;

fn looked(surgery: &Surgery) -> Vec<String> {
    let looked = surgery.node.json(["who-looked", &surgery.record]);
    let looked = looked["looked"].as_array().expect("looks").clone();
    let how = looked.iter().filter_map(|look| look["how"].as_str());
    how.map(str::to_owned).collect()
}

#[test]
fn the_emergency_page_is_written_to_a_file_and_the_access_log_says_so() {
    let surgery = Surgery::open();
    let record = &surgery.record;
    let prints = |surgery: &Surgery| {
        let all = looked(surgery).into_iter();
        all.filter(|how| how == "printed it").count()
    };
    let before = prints(&surgery);
    let file = surgery.node.beside("emergency.pdf");
    let export = ["export", record, "--as", "emergency", "--out", text(&file)];
    surgery.node.kith(export).done();
    let without = std::fs::read(&file).expect("it was written");
    assert!(without.starts_with(b"%PDF"));
    assert_eq!(prints(&surgery), before + 1);
    let rules = surgery.node.json(["record", "emergency", record]);
    assert_eq!(rules["has_secret"], false);

    let with_code = export.iter().chain(&["--new-code"]);
    surgery.node.kith(with_code).done();
    let with = std::fs::read(&file).expect("it was written");
    assert!(with.starts_with(b"%PDF") && with != without);
    assert_eq!(prints(&surgery), before + 2);
    let rules = surgery.node.json(["record", "emergency", record]);
    assert_eq!(rules["has_secret"], true);
}

#[test]
fn a_page_that_cannot_be_written_changes_nothing() {
    let surgery = Surgery::open();
    let record = &surgery.record;
    let nowhere = surgery.node.beside("no folder").join("emergency.pdf");
    let export = ["export", record, "--as", "emergency", "--new-code"];
    let ran = surgery
        .node
        .kith(export.iter().chain(&["--out", text(&nowhere)]));
    assert!(ran.ended(1).err.contains("could not be written"));
    let rules = surgery.node.json(["record", "emergency", record]);
    assert_eq!(rules["has_secret"], false);
    let ran = surgery
        .node
        .kith(["export", record, "--as", "ips", "--new-code"]);
    assert!(
        ran.ended(2)
            .err
            .contains("Only an emergency page has a code")
    );
}
