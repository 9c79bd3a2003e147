//! Whoever comes to a node's pages from elsewhere: a nurse who signs in over TLS, and a phone that
//! looks.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{chromium::Chromium, looks::Looks, story::Story, tab::Tab};

const PASSPHRASE: &str = "four or five words here";

impl Story {
    /// A nurse is entered, begins her account and is in the pages of the practice.
    pub fn nurse_comes(&mut self, looks: &mut Looks, browser: &Rc<RefCell<Chromium>>) -> Tab {
        let tab = &mut self.surgery.tab;
        tab.go("/staff");
        tab.fill("Name", "Nurse Ada");
        tab.fill("Role", "nurse");
        tab.press("Enter");
        looks.at(tab, "surgery, staff");
        tab.press("Make an account for Nurse Ada");
        looks.at(tab, "surgery, an account for staff");
        let code = tab.text("document.querySelector('.words').textContent");
        let address = self.surgery.staff_pages.as_deref().expect("a practice");
        let mut nurse = Tab::open(browser, &format!("https://{address}"));
        nurse.go("/records");
        looks.at(&mut nurse, "nurse, sign in");
        nurse.fill("Your name", "Nurse Ada");
        nurse.fill("Your passphrase", "not that one at all");
        nurse.fill("The code that your app shows", "123456");
        nurse.press("Sign in");
        looks.at(&mut nurse, "nurse, not signed in");
        nurse.press("I have a code for a new account");
        looks.at(&mut nurse, "nurse, begin");
        nurse.fill("The code that you were given", &code);
        nurse.press("Go on");
        looks.at(&mut nurse, "nurse, an account");
        let key = nurse.text("document.querySelector('.link').textContent");
        nurse.fill("Choose a passphrase", PASSPHRASE);
        nurse.fill("The code that the app shows now", &wrong_code(&key));
        nurse.press("Begin");
        looks.at(&mut nurse, "nurse, not the code of the app");
        nurse.fill("Choose a passphrase", PASSPHRASE);
        nurse.fill("The code that the app shows now", &code_now(&key));
        nurse.press("Begin");
        looks.at(&mut nurse, "nurse, signed in");
        self.nurse_works(looks, &mut nurse);
        nurse
    }

    /// What she writes is hers, and what her role does not allow is said plainly.
    fn nurse_works(&mut self, looks: &mut Looks, nurse: &mut Tab) {
        nurse.go(&format!("/r/{}/add", self.record));
        nurse.fill("A note", "Rang the daughter back: she comes on Friday.");
        nurse.press("Add the note");
        nurse.go(&format!("/r/{}/timeline", self.record));
        let note = r#"[...document.querySelectorAll("main a")].find((a) => a.textContent.includes("comes on Friday")).getAttribute("href")"#;
        let note = nurse.text(note);
        nurse.go(&format!("{note}/history"));
        assert!(nurse.says("by Riverside Surgery (Nurse Ada)"));
        looks.at(nurse, "nurse, what she wrote");
        nurse.go("/backups");
        assert!(nurse.says("This is not done from here"));
        looks.at(nurse, "nurse, not from here");
        nurse.go(&format!("/r/{}/sharing/new", self.record));
        nurse.press("Share");
        assert!(nurse.says("does not allow this"));
        looks.at(nurse, "nurse, not within her role");
    }

    /// The pages are opened for a phone, which comes in by its code.
    pub fn phone_comes(&mut self, looks: &mut Looks, browser: &Rc<RefCell<Chromium>>) -> Tab {
        let tab = &mut self.surgery.tab;
        tab.go("/phone");
        tab.press("Open for a phone");
        looks.at(tab, "surgery, open for a phone");
        let link = tab.text("document.querySelector('.link').textContent");
        let (origin, _) = link.split_once("/enter/").expect("a one-use link");
        let mut phone = Tab::open(browser, origin);
        phone.with_script(false);
        phone.go(&link);
        looks.at(&mut phone, "phone, a link");
        phone.press("Open");
        looks.at(&mut phone, "phone, come in");
        phone.go("/records/new");
        looks.at(&mut phone, "phone, a form that it cannot send");
        phone.go(&format!("/r/{}", self.record));
        phone.with_script(true);
        phone
    }

    /// The nurse leaves and the phone is shut out: neither sees anything more.
    pub fn they_leave(&mut self, looks: &mut Looks, nurse: &mut Tab, phone: &mut Tab) {
        let tab = &mut self.surgery.tab;
        tab.go("/phone");
        tab.press("Close it for all phones");
        phone.go_nowhere("/records");
        tab.go("/staff");
        tab.press("Nurse Ada leaves");
        looks.at(tab, "surgery, staff that left");
        nurse.go(&format!("/r/{}", self.record));
        assert!(
            !nurse.says("Summary"),
            "{}",
            nurse.text("document.body.innerText")
        );
        looks.at(nurse, "nurse, who has left");
    }
}

fn codes(key: &str) -> totp_rs::Totp {
    let secret = data_encoding::BASE32_NOPAD.decode(key.as_bytes());
    let builder = totp_rs::Builder::new().with_secret(secret.expect("a key"));
    builder.build().expect("codes")
}

/// What an app shows that has the key of an account.
fn code_now(key: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_secs();
    codes(key).generate(now).to_string()
}

fn wrong_code(key: &str) -> String {
    let right = code_now(key);
    let other = |c: char| char::from_digit((c.to_digit(10).unwrap_or(0) + 5) % 10, 10);
    right.chars().filter_map(other).collect()
}
