//! What stands beside the records at the surgery: messages of other systems, apps that ask, forms.

use serde_json::{Value, json};

use super::{
    looks::Looks,
    story::{Desk, Story},
};
use crate::{
    harness::{free_address, pages::encoded, text},
    hl7::{Sender, message, now, settled},
};

/// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:9/callback";
const FILES_IT: &str = "Sign and file the answers";

impl Story {
    /// Another system sends messages: one that is filed, and two that need a person, of which one is
    /// filed by hand. One that goes out reaches nobody.
    pub fn messages(&mut self, looks: &mut Looks) {
        let mut sender = Sender::to(&self.surgery.listens());
        let tab = &mut self.surgery.tab;
        tab.go("/messages");
        looks.at(tab, "surgery, no messages");
        assert_eq!(sender.sends(message("ADT^A28", "1", &now(), &[])), "AA");
        for number in ["2", "3"] {
            assert_eq!(sender.sends(of_nobody(number)), "AA");
        }
        let Desk { node, tab, .. } = &mut self.surgery;
        let all = settled(node);
        let find = |number: &str| {
            let mut all = all.iter();
            let found = all.find(|message| message["control_id"] == number);
            found.unwrap_or_else(|| panic!("no message {number}"))
        };
        let out = node.file("out.hl7", message("ADT^A28", "9", &now(), &[]));
        let nobody = free_address();
        node.json(["send", "hl7", text(&out), "--to", &nobody]);
        let path = format!("/messages/{}", find("2")["number"]);
        tab.go(&path);
        tab.press("Try again");
        looks.at(tab, "surgery, a message that waits still");
        tab.go(&path);
        let record = find("1")["record"].as_str().expect("it was filed");
        tab.fill("Record", record);
        tab.press("File it there");
        looks.at(tab, "surgery, a message that was filed by hand");
        assert!(tab.says("The message stands in the record now."));
    }

    /// A program is connected by a token and stopped, and an app asks.
    pub fn apps(&mut self, looks: &mut Looks) {
        let Desk {
            node, tab, role, ..
        } = &mut self.surgery;
        tab.go("/apps");
        looks.at(tab, "surgery, no apps");
        let said = ["connect", "app", "--name", "Growth chart"];
        let app = node.json(said.into_iter().chain(["--redirect", BACK]));
        let client = app["client_id"].as_str().expect("an id");
        let board = ["connect", "fhir", &self.record, "--name", "Ward board"];
        let terms = ["--see", "medicines,allergies", "--until", "2099-12-31"];
        node.json(board.into_iter().chain(terms));
        tab.go("/apps");
        looks.at(tab, "surgery, apps");
        tab.press("Stop Ward board");
        looks.at(tab, "surgery, an app was stopped");
        let aud = format!("{}/fhir", tab.text("location.origin"));
        let asked = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", BACK),
            (
                "scope",
                "launch/patient patient/*.rs patient/Observation.c openid offline_access",
            ),
            ("state", "s"),
            ("aud", &aud),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs = asked.map(|(name, value)| format!("{name}={}", encoded(value)));
        let query = pairs.join("&");
        looks.go(tab, role, "/apps/ask?client_id=nobody");
        looks.go(tab, role, &format!("/fhir/authorize?{query}"));
        looks.go(tab, role, &format!("/apps/ask?{query}"));
        assert!(tab.says("May Growth chart read a record?"));
    }

    /// A form is filled in: first with what does not fit.
    pub fn forms(&mut self, looks: &mut Looks) {
        let Desk {
            node, tab, role, ..
        } = &mut self.surgery;
        let forms = format!("/r/{}/forms", self.record);
        tab.go(&forms);
        looks.at(tab, "surgery, no forms");
        let file = node.file("form.json", form().to_string());
        node.json(["form", "add", text(&file)]);
        looks.go(tab, role, &forms);
        tab.press("At home");
        looks.at(tab, "surgery, a form");
        tab.fill("Your weight", "heavy");
        tab.fill("Your name for the nurse", "Ada");
        tab.press(FILES_IT);
        assert!(tab.says("Nothing was filed yet"));
        looks.at(tab, "surgery, answers that do not fit");
        tab.fill("Your weight", "70.20");
        tab.press(FILES_IT);
        looks.at(tab, "surgery, a form is filed");
        assert!(tab.says("The answers are in the record"));
    }
}

/// A result of somebody whom no record fits.
fn of_nobody(number: &str) -> String {
    format!(
        "MSH|^~\\&|LAB|RXH|KITH|GP|2026||ORU^R01|{number}|P|2.5\rPID|1||||Penn^Ada\rOBR|1||F{number}|1^Test\r\
         OBX|1|NM|2823-3^Potassium^LN||6.10|mmol/L|||||F"
    )
}

/// Every kind of question.
fn form() -> Value {
    let question =
        |id: &str, asked: &str, kind: &str| json!({"linkId": id, "text": asked, "type": kind});
    let choice = |kind: &str, id: &str, asked: &str| {
        let option = |code: &str| json!({"valueCoding": {"system": "urn:kith:test", "code": code, "display": code}});
        json!({"linkId": id, "text": asked, "type": kind, "answerOption": [option("Bed"), option("Chair"), option("Frame")]})
    };
    json!({
        "resourceType": "Questionnaire", "status": "active", "title": "At home", "version": "1",
        "url": "https://riverside.example/Questionnaire/home",
        "item": [
            question("said", "Please answer what you can. A nurse reads this on the next working day, and rings you where something is not clear.", "display"),
            {"linkId": "about", "text": "About you", "type": "group", "item": [
                {"linkId": "name", "text": "Your name for the nurse", "type": "string", "required": true},
                question("since", "Since when do you live here?", "date"),
                {"linkId": "weight", "text": "Your weight", "type": "decimal", "required": true},
            ]},
            question("falls", "Did you fall?", "boolean"),
            {"linkId": "where", "text": "Where?", "type": "text",
             "enableWhen": [{"question": "falls", "operator": "=", "answerBoolean": true}]},
            choice("choice", "helps", "What helps you most?"),
            choice("open-choice", "uses", "What do you use?"),
            {"linkId": "who", "text": "Who comes in?", "type": "string", "repeats": true},
            question("photo", "A picture of the stairs", "attachment"),
        ]
    })
}
