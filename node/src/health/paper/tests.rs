use serde_json::json;

use super::{
    Needed, emergency,
    fonts::{Fonts, Weight},
    summary,
    summary::{Part, parts},
};

#[test]
fn a_narrative_is_read_as_it_was_written() {
    let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Made by &amp; for A</p><ul><li><b>Warfarin &lt;3 mg&gt;</b>, daily <i>(to review)</i></li></ul></div>";
    let told = [
        Part::Paragraph("Made by & for A".to_owned()),
        Part::Item("Warfarin <3 mg>".to_owned(), "daily (to review)".to_owned()),
    ];
    assert_eq!(parts(div), told);
}

#[test]
fn lines_fit_and_nothing_of_them_is_lost() {
    let fonts = Fonts::load().expect("fonts");
    let text = format!("Short words and {} end", "x".repeat(400));
    let lines = fonts.broken(&text, 10.5, Weight::Regular, 200.0);
    assert!(lines.len() > 3);
    for line in &lines {
        assert!(fonts.width(line, 10.5, Weight::Regular) <= 200.0, "{line}");
    }
    let joined: String = lines.concat().split_whitespace().collect();
    let wanted: String = text.split_whitespace().collect();
    assert_eq!(joined, wanted);
}

#[test]
fn what_the_fonts_lack_is_shown_to_be_missing_and_nothing_is_reordered() {
    let fonts = Fonts::load().expect("fonts");
    assert_eq!(
        fonts.drawable("Zoë \u{202e}abc\u{202c}\n日"),
        "Zoë abc \u{fffd}"
    );
}

#[test]
fn a_summary_is_a_pdf_with_the_bundle_inside() {
    let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": {
        "resourceType": "Composition", "title": "Patient Summary", "date": "2026-11-28T10:00:00Z",
        "section": [{"title": "Allergies", "text": {"div": "<div><ul><li><b>Penicillin</b></li></ul></div>"}}],
    }}]});
    let person = [("Name".to_owned(), "PENN, Harold".to_owned())];
    let made = summary(&bundle, &person).expect("paper");
    assert!(made.starts_with(b"%PDF-1.7"));
    let text = String::from_utf8_lossy(&made);
    assert!(
        text.contains("summary.json") && text.contains("pdfaid:part"),
        "attached, and PDF/A"
    );
    assert_eq!(
        made,
        summary(&bundle, &person).expect("paper"),
        "the same again"
    );
}

#[test]
fn an_emergency_page_goes_on_where_one_sheet_is_too_small() {
    let line = |n: usize| (format!("Medicine {n}"), "Riverside Surgery".to_owned());
    let needed = Needed {
        person: "PENN, Harold".to_owned(),
        about: vec![("Born".to_owned(), "3 May 1941".to_owned())],
        parts: vec![("Medicines".to_owned(), (0..120).map(line).collect())],
        made: "2026-11-28T10:00:00Z".to_owned(),
        link: Some("kith:emergency/AAAA".to_owned()),
    };
    let made = emergency(&needed).expect("paper");
    assert!(made.starts_with(b"%PDF-1.7"));
}
