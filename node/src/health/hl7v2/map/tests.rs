use serde_json::Value;

use super::{Made, Mapped, map};
use crate::health::hl7v2::{Header, Message, Tables, Waits};

const PID: &str = "PID|1||77^^^RXH^MR~9434765919^^^NHS^NH||Penn^Ada^M||19410203|F|||1 Mill Lane^^Riverside^^AB1 2CD||01234 567890";

fn message(kind: &str, segments: &[&str]) -> Message {
    let mut text = format!("MSH|^~\\&|ADT|RXH|KITH|GP|20261129101500+0000||{kind}|1|P|2.5.1\r");
    for segment in segments {
        text.push_str(segment);
        text.push('\r');
    }
    let header = Header::of(text.as_bytes()).expect("a header");
    Message::parse(header, text.as_bytes(), "").expect("text")
}

fn mapped_over(held: &[Made], kind: &str, segments: &[&str]) -> Mapped {
    let held: Vec<_> = held.iter().collect();
    map(&message(kind, segments), &Tables::default(), &held).expect("it is mapped")
}

fn mapped(kind: &str, segments: &[&str]) -> Mapped {
    mapped_over(&[], kind, segments)
}

fn of<'a>(mapped: &'a Mapped, kind: &str) -> Vec<&'a Value> {
    let all = mapped.resources.iter().map(|made| &made.value);
    all.filter(|value| value["resourceType"] == kind).collect()
}

fn first<'a>(mapped: &'a Mapped, kind: &str) -> &'a Value {
    of(mapped, kind).first().expect("there is one")
}

#[test]
fn a_stay_is_one_encounter_from_its_beginning_to_its_end_and_back() {
    let pv1 =
        "PV1|1|I|W3^4^2^RXH||||||||||||||||V1^^^RXH|||||||||||||||||||||||||202611290900+0000";
    let admitted = mapped(
        "ADT^A01^ADT_A01",
        &["EVN|A01|202611290901+0000", PID, pv1, "PV2|||^Fall at home"],
    );
    let stay = first(&admitted, "Encounter");
    assert_eq!(stay["status"], "in-progress");
    assert_eq!(stay["class"]["code"], "IMP");
    assert_eq!(stay["period"]["start"], "2026-11-29T09:00:00+00:00");
    assert_eq!(
        stay["location"][0]["location"]["display"],
        "RXH, W3, room 4, bed 2"
    );
    assert_eq!(stay["reasonCode"][0]["text"], "Fall at home");

    let held = admitted.resources;
    let of_visit = "PV1|1|I|||||||||||||||||V1^^^RXH";
    let discharged = mapped_over(
        &held,
        "ADT^A03",
        &["EVN|A03|202611291700+0000", PID, of_visit],
    );
    assert_eq!(
        discharged.resources[1].full_url, held[1].full_url,
        "it is the same visit"
    );
    let stay = first(&discharged, "Encounter");
    assert_eq!(stay["status"], "finished");
    assert_eq!(
        stay["period"]["start"], "2026-11-29T09:00:00+00:00",
        "what is left out stays"
    );
    assert_eq!(stay["period"]["end"], "2026-11-29T17:00:00+00:00");

    let held = discharged.resources;
    let back = mapped_over(
        &held,
        "ADT^A13",
        &["EVN|A13|202611291800+0000", PID, of_visit],
    );
    let stay = first(&back, "Encounter");
    assert_eq!(stay["status"], "in-progress");
    assert_eq!(stay["period"].get("end"), None);
    assert_eq!(stay["location"][0]["status"], "active");

    let gone = mapped_over(
        &back.resources,
        "ADT^A11",
        &["EVN|A11|202611291900+0000", PID, of_visit],
    );
    assert_eq!(first(&gone, "Encounter")["status"], "cancelled");
}

#[test]
fn a_transfer_is_an_encounter_of_its_own_and_its_cancellation_takes_that_one_back() {
    let pv1 = |place: &str| format!("PV1|1|I|{place}||||||||||||||||V1^^^RXH");
    let admitted = mapped("ADT^A01", &["EVN|A01|202611290900+0000", PID, &pv1("W3")]);
    let moved = mapped_over(
        &admitted.resources,
        "ADT^A02",
        &["EVN|A02|202611291000+0000", PID, &pv1("W7")],
    );
    let visits = of(&moved, "Encounter");
    assert_eq!(visits.len(), 2);
    assert_eq!(visits[0]["location"][0]["location"]["display"], "W7");
    assert_eq!(visits[1]["period"]["start"], "2026-11-29T10:00:00+00:00");
    let back = mapped_over(
        &moved.resources,
        "ADT^A12",
        &["EVN|A12|202611291005+0000", PID, &pv1("W3")],
    );
    let visits = of(&back, "Encounter");
    assert_eq!(
        (visits[0]["status"].as_str(), visits[1]["status"].as_str()),
        (Some("in-progress"), Some("cancelled"))
    );
    let again = map(
        &message("ADT^A12", &["EVN|A12|202611291005+0000", PID, &pv1("W3")]),
        &Tables::default(),
        &back.resources.iter().collect::<Vec<_>>(),
    );
    assert_eq!(again, Err(Waits::NoVisit), "nothing is left to take back");
}

#[test]
fn what_a_message_leaves_out_of_a_person_stays_and_what_it_deletes_goes() {
    let first_said = mapped("ADT^A28", &[PID]);
    let patient = first(&first_said, "Patient");
    assert_eq!(patient["name"][0]["family"], "Penn");
    assert_eq!(patient["birthDate"], "1941-02-03");
    assert_eq!(
        patient["identifier"][1]["system"],
        "https://fhir.nhs.uk/Id/nhs-number"
    );
    assert_eq!(patient["telecom"][0]["value"], "01234 567890");
    // Another message names her by one number only, and she has moved.
    let later = mapped_over(
        &first_said.resources,
        "ADT^A31",
        &["PID|1||9434765919^^^NHS^NH||Penn^Ada^M||19410203|F|||2 High Street^^Riverside||\"\""],
    );
    assert_eq!(
        later.resources[0].full_url,
        first_said.resources[0].full_url
    );
    let patient = first(&later, "Patient");
    assert_eq!(patient["address"][0]["line"][0], "2 High Street");
    assert_eq!(patient.get("telecom"), None);
    assert_eq!(patient["identifier"].as_array().map(Vec::len), Some(2));
}

#[test]
fn results_have_every_digit_and_a_correction_is_the_same_result() {
    let report = |value: &str, status: &str| {
        mapped(
            "ORU^R01",
            &[
                PID,
                &format!(
                    "OBR|1|P1^GP|F1^LAB|24323-8^Renal panel^LN|||202611290800+0000||||||||||||||||||{status}"
                ),
                &format!("OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^^UCUM|3.5-5.3|H|||{status}"),
                "NTE|1||haemolysed~repeat",
                "OBX|2|SN|33914-3^eGFR^LN||>^90|mL/min|||||F",
                "OBX|3|CWE|630-4^Culture^LN||112283007^Escherichia coli^SCT||||||F",
                "OBX|4|TX|18723-7^Comment^LN||first line||||||F",
                "OBX|5|TX|18723-7^Comment^LN||second line||||||F",
            ],
        )
    };
    let made = report("6.10", "F");
    let results = of(&made, "Observation");
    assert_eq!(results.len(), 4, "two lines of one text are one");
    assert_eq!(results[0]["valueQuantity"]["value"].to_string(), "6.10");
    assert_eq!(results[0]["valueQuantity"]["code"], "mmol/L");
    assert_eq!(
        results[0]["referenceRange"][0]["high"]["value"].to_string(),
        "5.3"
    );
    assert_eq!(results[0]["interpretation"][0]["coding"][0]["code"], "H");
    assert_eq!(results[0]["note"][0]["text"], "haemolysed\nrepeat");
    assert_eq!(results[1]["valueQuantity"]["comparator"], ">");
    assert_eq!(
        results[2]["valueCodeableConcept"]["coding"][0]["system"],
        "http://snomed.info/sct"
    );
    assert_eq!(results[3]["valueString"], "first line\nsecond line");
    let panel = first(&made, "DiagnosticReport");
    assert_eq!(panel["status"], "final");
    assert_eq!(panel["result"].as_array().map(Vec::len), Some(4));
    let corrected = report("4.10", "C");
    let urls = |mapped: &Mapped| -> Vec<String> {
        mapped
            .resources
            .iter()
            .map(|made| made.full_url.clone())
            .collect()
    };
    assert_eq!(urls(&made), urls(&corrected));
    assert_eq!(first(&corrected, "Observation")["status"], "corrected");
}

#[test]
fn an_order_and_its_report_find_each_other_whichever_comes_first() {
    let order = [PID, "ORC|NW|P1^GP", "OBR|1|P1^GP||24323-8^Renal panel^LN"];
    let report = [
        PID,
        "OBR|1|P1^GP|F1^LAB|24323-8^Renal panel^LN|||||||||||||||||||||F",
        "OBX|1|NM|2823-3^K^LN||4|mmol/L|||||F",
    ];
    // The filler answers under its own number alone.
    let late = [
        PID,
        "OBR|1||F1^LAB|24323-8^Renal panel^LN|||||||||||||||||||||F",
        "OBX|1|NM|2823-3^K^LN||4|mmol/L|||||F",
    ];
    let full_order = [
        PID,
        "ORC|OK|P1^GP|F1^LAB",
        "OBR|1|P1^GP|F1^LAB|24323-8^Renal panel^LN",
    ];
    for (a, b) in [
        (("ORM^O01", &order[..]), ("ORU^R01", &report[..])),
        (("ORU^R01", &report[..]), ("ORM^O01", &order[..])),
        (("OML^O21", &full_order[..]), ("ORU^R01", &late[..])),
        (("ORU^R01", &late[..]), ("OML^O21", &full_order[..])),
    ] {
        let came_first = mapped(a.0, a.1);
        let came_second = mapped_over(&came_first.resources, b.0, b.1);
        let all: Vec<&Made> = came_first
            .resources
            .iter()
            .chain(&came_second.resources)
            .collect();
        let find = |kind: &str| {
            all.iter()
                .find(|made| made.value["resourceType"] == kind)
                .expect("it came")
        };
        let based_on = &find("DiagnosticReport").value["basedOn"][0]["reference"];
        assert_eq!(
            based_on.as_str(),
            Some(find("ServiceRequest").full_url.as_str()),
            "{} then {}",
            a.0,
            b.0
        );
    }
}

#[test]
fn a_document_has_its_text_and_its_files() {
    let made = mapped(
        "MDM^T02",
        &[
            PID,
            "TXA|1|DS|TX|202611291000+0000|||||7^Hale^Sam|||D1^RXH|||||AU|R|AV",
            "OBX|1|TX|1^Letter||Dear doctor,||||||F",
            "OBX|2|TX|1^Letter||she fell.||||||F",
            "OBX|3|ED|2^Scan||RXH^Application^PDF^Base64^JVBERi0=||||||F",
        ],
    );
    let letter = first(&made, "DocumentReference");
    assert_eq!(letter["docStatus"], "final");
    assert_eq!(letter["meta"]["security"][0]["code"], "R");
    let content = letter["content"].as_array().expect("content");
    let text = data_encoding::BASE64.decode(
        content[0]["attachment"]["data"]
            .as_str()
            .expect("data")
            .as_bytes(),
    );
    assert_eq!(text.as_deref(), Ok(&b"Dear doctor,\nshe fell."[..]));
    assert_eq!(content[1]["attachment"]["contentType"], "application/pdf");
    let gone = mapped_over(
        &made.resources,
        "MDM^T11",
        &[PID, "TXA|1|DS|TX|||||||||D1^RXH"],
    );
    let letter = first(&gone, "DocumentReference");
    assert_eq!(
        (
            letter["status"].as_str(),
            letter["content"].as_array().map(Vec::len)
        ),
        (Some("entered-in-error"), Some(2))
    );
}

#[test]
fn a_vaccination_says_what_where_and_how_much() {
    let made = mapped(
        "VXU^V04",
        &[
            PID,
            "ORC|RE||42^IIS",
            "RXA|0|1|20261120||208^COVID-19^CVX|0.30|mL^mL^UCUM||00|7^Hale^Sam|||||LOT1|20270101|PFR^Pfizer^MVX|||CP|A",
            "RXR|IM^Intramuscular^HL70162|LD^Left arm^HL70163",
        ],
    );
    let given = first(&made, "Immunization");
    assert_eq!(given["doseQuantity"]["value"].to_string(), "0.30");
    assert_eq!(given["occurrenceDateTime"], "2026-11-20");
    assert_eq!(given["lotNumber"], "LOT1");
    assert_eq!(
        given["vaccineCode"]["coding"][0]["system"],
        "http://hl7.org/fhir/sid/cvx"
    );
    assert_eq!(given["primarySource"], true);
}

#[test]
fn what_a_person_has_to_look_at_says_why() {
    let why = |kind: &str, segments: &[&str]| {
        map(&message(kind, segments), &Tables::default(), &[])
            .expect_err("it waits")
            .to_string()
    };
    assert!(why("SIU^S12", &[PID]).contains("SIU^S12"));
    assert!(why("ADT^A01", &[]).contains("no PID"));
    assert!(why("ADT^A01", &["PID|1||||Penn^Ada", "PV1|1|I"]).contains("no number"));
    assert!(why("ADT^A08", &[PID, PID]).contains("2 patients"));
    assert!(why("ADT^A11", &[PID, "PV1|1|I"]).contains("which visit"));
    assert!(why("ORM^O01", &[PID, "ORC|NW|1", "RXO|x"]).contains("OBR"));
    let old = b"MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.1\rPID|1||7";
    let old = Message::parse(Header::of(old).expect("a header"), old, "").expect("text");
    assert_eq!(
        map(&old, &Tables::default(), &[]),
        Err(Waits::Version("2.1".to_owned()))
    );
}
