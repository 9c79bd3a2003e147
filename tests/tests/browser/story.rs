//! A surgery and a daughter with a laptop, who meet and share in their pages: one with a script, one
//! without. Each page to which a form leads is looked at where it comes.

use std::{cell::RefCell, path::PathBuf, process::Command, rc::Rc};

use serde_json::json;

use super::{chromium::Chromium, looks::Looks, tab::Tab};
use crate::harness::{
    Node, Running, free_address, kith,
    pages::{Opened, parts},
    sample, text, until,
};

/// A node, its pages and whoever sits at them.
pub struct Desk {
    pub role: &'static str,
    pub node: Node,
    pub tab: Tab,
    address: String,
    /// Where staff sign in, at a practice.
    pub staff_pages: Option<String>,
    runs: Option<Running>,
}

impl Desk {
    /// Comes into its pages anew, in a session of its own.
    fn sits_down(&mut self, browser: &Rc<RefCell<Chromium>>) {
        let link = self.node.link();
        self.tab = Tab::open(browser, &origin(&link));
        self.tab.go(&link);
        self.tab
            .until("the pages", |tab| !tab.path().contains("/enter"));
    }

    fn starts(&mut self, browser: &Rc<RefCell<Chromium>>) {
        let mut words = vec!["--listen", &self.address];
        if let Some(address) = &self.staff_pages {
            words.extend(["--staff-pages", address]);
        }
        self.runs = Some(self.node.running_at(words));
        self.sits_down(browser);
    }

    fn stops(&mut self) {
        self.runs = None;
    }

    /// Where it takes messages of other systems.
    pub fn listens(&self) -> String {
        let runs = self.runs.as_ref().expect("it runs");
        runs.hl7.clone().expect("it listens")
    }
}

/// The site of a one-use link.
pub fn origin(link: &str) -> String {
    format!("http://{}", parts(link).0)
}

/// What the story made, for walking through it afterwards.
pub struct Story {
    pub surgery: Desk,
    pub daughter: Desk,
    /// The record that both have.
    pub record: String,
    pub opened: Option<Opened>,
}

impl Story {
    /// Tells it up to where both have the record.
    pub fn begin(browser: &Rc<RefCell<Chromium>>, looks: &mut Looks) -> Self {
        let node = Node::set_up("Riverside Surgery", "practice");
        let people = node.beside("people");
        let samples = kith().with_file_name("examples").join("samples");
        let made = Command::new(samples).args(["7", "3"]).arg(&people).output();
        assert!(
            made.is_ok_and(|made| made.status.success()),
            "samples are written"
        );
        node.json(["import", text(&people)]);
        let record = node.import(&sample("ips.json"));
        node.json(["connect", "hl7", "--listen", &free_address()]);
        let mut surgery = Desk {
            role: "surgery",
            tab: Tab::open(browser, "about:blank"),
            node,
            address: free_address(),
            staff_pages: Some(free_address()),
            runs: None,
        };
        surgery.starts(browser);

        let node = Node::nowhere();
        let opened = node.opened();
        let daughter = Desk {
            role: "daughter",
            tab: Tab::open(browser, &origin(&opened.link)),
            node,
            address: free_address(),
            staff_pages: None,
            runs: None,
        };
        daughter.tab.with_script(false);
        let mut story = Self {
            surgery,
            daughter,
            record,
            opened: None,
        };
        story.comes_in(looks, &opened);
        story.opened = Some(opened);
        story
    }

    /// The first pages of somebody who has no node.
    fn comes_in(&mut self, looks: &mut Looks, opened: &Opened) {
        let tab = &mut self.daughter.tab;
        tab.go(&opened.link);
        looks.at(tab, "daughter, a link");
        tab.press("Open");
        looks.at(tab, "daughter, welcome");
        tab.press("Start a new record");
        looks.at(tab, "daughter, a first record");
        tab.go("/start");
        assert!(
            !self.daughter.node.home().exists(),
            "nothing is made before the answer"
        );
        tab.press("I have an invitation");
        looks.at(tab, "daughter, a first invitation");
    }

    /// The surgery invites the daughter to some of a record, and she comes.
    pub fn meet(&mut self, looks: &mut Looks) {
        let (surgery, daughter) = (&mut self.surgery.tab, &mut self.daughter.tab);
        surgery.go(&format!("/r/{}/sharing/new", self.record));
        surgery.fill("Only what I choose below", "");
        let fields = [
            ("see", "allergies"),
            ("see", "medicines"),
            ("see", "letters"),
            ("see", "tasks"),
            ("see", "daily-care"),
            ("see", "circle"),
            ("add", "daily-care"),
            ("change", "medicines"),
        ];
        for (name, part) in fields {
            let box_ = format!(r#"document.getElementById("check-{name}-{part}").click()"#);
            surgery.value(&box_);
        }
        surgery.press("Share");
        looks.at(surgery, "surgery, an invitation");
        let link = surgery.text("document.getElementById('link').textContent");
        let invitation = surgery.path();

        daughter.fill("The four words, or the link", "brich lamp river forty");
        let name = "What do others call you or your organisation?";
        daughter.fill(name, "Sam's laptop");
        daughter.press("Look who it is from");
        looks.at(daughter, "daughter, a mistyped word");
        assert!(daughter.says("did you mean birch"));
        daughter.go("/start/invitation");
        daughter.fill("The four words, or the link", &link);
        daughter.fill(name, "Sam's laptop");
        daughter.press("Look who it is from");
        looks.at(daughter, "daughter, a recovery sheet");
        daughter.press("I have it");
        let joining = daughter.path();
        daughter.wait_for(&joining, "Is this the right person?");
        looks.at(daughter, "daughter, the right person");
        daughter.press("Yes, that is right");
        daughter.wait_for(&joining, "has to confirm");
        looks.at(daughter, "daughter, check words");
        let theirs = daughter.text("document.querySelector('.words').textContent");

        surgery.go("/review");
        looks.at(surgery, "surgery, somebody wants to join");
        surgery.press("Compare check words");
        assert_eq!(surgery.path(), invitation);
        looks.at(surgery, "surgery, check words");
        assert_eq!(
            surgery.text("document.querySelector('.words').textContent"),
            theirs
        );
        surgery.press("Their check words are the same");
        looks.at(surgery, "surgery, has joined");
        daughter.wait_for(&joining, "It is here");
        looks.at(daughter, "daughter, it is here");
        daughter.press("Open the record");
        let record = &self.record;
        assert!(daughter.path().starts_with(&format!("/r/{record}")));
        let nodes = (&self.surgery.node, &self.daughter.node);
        until("what is shared is with the daughter", || {
            let tasks = nodes.1.json(["show", record]).to_string();
            tasks.contains("medicines")
        });
    }

    /// A medicine's page, as one of them comes to it.
    fn medicine(tab: &mut Tab, record: &str) -> String {
        tab.go(&format!("/r/{record}/part/medicines"));
        tab.text("document.querySelector('main .things a').getAttribute('href')")
    }

    /// Both write another dose while the other one is away: two versions, on both sides.
    pub fn two_doses(&mut self, looks: &mut Looks, browser: &Rc<RefCell<Chromium>>) {
        let record = self.record.clone();
        self.surgery.stops();
        let tab = &mut self.daughter.tab;
        tab.wait_for("/connections", "Not connected");
        looks.at(tab, "daughter, nobody is connected");
        let medicine = Self::medicine(tab, &record);
        tab.go(&medicine);
        tab.fill("How it is taken", "half a tablet in the morning");
        tab.press("Write the new dose");
        looks.at(tab, "daughter, a new dose");
        self.opened = None;
        self.daughter.stops();
        self.surgery.starts(browser);
        let tab = &mut self.surgery.tab;
        tab.go(&medicine);
        tab.fill("How it is taken", "two tablets at night");
        tab.press("Write the new dose");
        self.daughter.starts(browser);
        self.daughter.tab.with_script(false);
        for desk in [&mut self.surgery, &mut self.daughter] {
            desk.tab
                .wait_for(&format!("/r/{record}/review"), "Version 2");
            looks.at(
                &mut desk.tab,
                &format!("{}, two versions to review", desk.role),
            );
            desk.tab.go(&medicine);
            assert!(desk.tab.says("Two versions, and nobody has decided"));
            looks.at(&mut desk.tab, &format!("{}, two versions", desk.role));
            desk.tab.go(&format!("{medicine}/history"));
            let said = desk.tab.text("document.body.innerText");
            assert_eq!(
                said.matches("nobody has decided between them").count(),
                2,
                "{said}"
            );
            looks.at(&mut desk.tab, &format!("{}, versions of it", desk.role));
            desk.tab.go(&format!("/r/{record}"));
            assert!(
                desk.tab.says("two versions"),
                "{}",
                desk.tab.text("document.body.innerText")
            );
        }
    }

    /// Everything that a form can lead to, at the surgery.
    pub fn works(&mut self, looks: &mut Looks) {
        let record = self.record.clone();
        let backup = self.surgery.node.beside("backup");
        let letter = self.surgery.node.file("letter.pdf", pdf());
        let late = late_letter(&self.surgery.node, &record);
        let tab = &mut self.surgery.tab;
        tab.go(&format!("/r/{record}/add"));
        tab.fill(
            "A note",
            "Slept badly, and asks for the nurse to ring her daughter.",
        );
        tab.press("Add the note");
        looks.at(tab, "surgery, added");
        tab.fill("What the letter is", "Discharge letter");
        tab.choose("file", &letter);
        tab.press("Add the file");
        tab.go(&format!("/r/{record}/add"));
        tab.choose("file", &late);
        tab.press("Add the file");
        let brought = tab.path();
        tab.wait_for(&brought, "All of it was read and filed.");
        looks.at(tab, "surgery, brought in");
        tab.go("/records/new");
        tab.fill("Family name", "Okoro");
        tab.fill("Given names", "Ada");
        tab.fill("Birth date", "1950-01-31");
        tab.press("Start the record");
        looks.at(tab, "surgery, an empty record");
        tab.go("/records/new");
        tab.fill("Family name", "Okoro");
        tab.fill("Given names", "Ada");
        tab.fill("Birth date", "1950-01-31");
        tab.press("Start the record");
        looks.at(tab, "surgery, a second record");
        tab.go("/records?q=nobody+by+that+name");
        looks.at(tab, "surgery, nobody is found");
        tab.go("/backups");
        tab.fill("The folder", text(&backup));
        tab.press("Back up now");
        looks.at(tab, "surgery, a backup");
        tab.go("/backups");
        tab.fill("The folder", "not whole");
        tab.press("Back up now");
        looks.at(tab, "surgery, that was not done");
        tab.go("/devices");
        tab.press("Add another device of mine");
        looks.at(tab, "surgery, another device");
        tab.go(&format!("/r/{record}/emergency"));
        tab.press("Make an emergency page with a code");
        looks.at(tab, "surgery, an emergency page with a code");
        tab.go("/records/new");
        tab.choose(
            "files",
            &self
                .surgery
                .node
                .file("strange.json", "{\"resourceType\": 3"),
        );
        tab.press("Bring in");
        let brought = tab.path();
        tab.wait_for(&brought, "Some of it was not brought in");
        looks.at(tab, "surgery, not brought in");
        tab.go("/no/such/page");
        looks.at(tab, "surgery, no such page");
    }

    /// Somebody falls: rules, what follows from them, who does it, and who has read it.
    pub fn falls(&mut self, looks: &mut Looks) {
        let record = self.record.clone();
        let tab = &mut self.surgery.tab;
        tab.go(&format!("/r/{record}/rules"));
        tab.fill("The rules", "on fall\n  Riverside Surgey look at it\n");
        tab.press("Only explain them");
        looks.at(tab, "surgery, rules with a mistake");
        tab.fill(
            "The rules",
            "on fall\n  Riverside Surgery: review the medicines that cause falls, within 2 days\n",
        );
        tab.press("Keep these rules");
        looks.at(tab, "surgery, rules");
        let to_do = format!("/r/{record}/to-do");
        tab.go(&to_do);
        tab.fill(
            "What everybody has to know",
            "drinks thickened, left ear deaf",
        );
        tab.press("Add it");
        tab.fill("Fall", "");
        tab.fill("Where", "in the kitchen");
        tab.fill("How, or why", "slipped on a wet floor");
        tab.press("Write it down and tell everybody who may know");
        looks.at(tab, "surgery, a fall");
        tab.press("I will do it");
        looks.at(tab, "surgery, to do after an answer");
        tab.press("I have read this");
        tab.go("/inbox");
        looks.at(tab, "surgery, an inbox");
    }

    /// The share is stopped, and the daughter's pages say what they still know.
    pub fn stop(&mut self, looks: &mut Looks) {
        let record = self.record.clone();
        let tab = &mut self.surgery.tab;
        tab.go(&format!("/r/{record}/sharing"));
        tab.press("Sam's laptop");
        looks.at(tab, "surgery, a share");
        tab.press("Stop sharing");
        looks.at(tab, "surgery, sharing was stopped");
        tab.go(&format!("/r/{record}/sharing"));
        looks.at(tab, "surgery, a stopped share");
        let tab = &mut self.daughter.tab;
        tab.wait_for(&format!("/r/{record}/sharing"), "Ended");
        looks.at(tab, "daughter, a stopped share");
    }
}

/// A letter of a year ago, that comes now.
fn late_letter(node: &Node, record: &str) -> PathBuf {
    let letter = json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "date": "2024-02-03T10:00:00Z",
        "type": {"text": "Clinic letter"},
        "description": "Clinic letter of the memory service",
        "subject": {"reference": format!("Patient/{record}")},
        "content": [{"attachment": {
            "contentType": "text/plain",
            "title": "memory clinic.txt",
            "data": data_encoding::BASE64.encode(b"Dear colleague, she is well."),
        }}],
    });
    node.file("late.json", letter.to_string())
}

/// The smallest PDF that a reader opens.
fn pdf() -> &'static [u8] {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>\
      endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
}
