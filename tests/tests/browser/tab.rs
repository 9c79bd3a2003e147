//! A page in a browser, and somebody who looks at it, types and presses.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::chromium::Chromium;

/// How long a page may take to be there.
const LONGEST: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

/// What runs in each page before its own script: it counts what the policy of the page forbade.
const BEFORE: &str = r#"
window.__forbidden = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__forbidden.push(event.violatedDirective + " " + event.blockedURI);
});
"#;

/// In which light and at which width a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Light {
    pub width: u32,
    /// `light`, `dark` or `print`.
    pub media: &'static str,
}

/// A page in a session of its own, such as of one person.
pub struct Tab {
    browser: Rc<RefCell<Chromium>>,
    session: String,
    /// Where the pages are, such as `http://127.0.0.1:8700`.
    origin: String,
    has_script: Cell<bool>,
    /// Everything that was wrong while it was looked at.
    wrong: Vec<String>,
}

impl Tab {
    /// A new session, with nothing of any other.
    pub fn open(browser: &Rc<RefCell<Chromium>>, origin: &str) -> Self {
        let ask = |method: &str, more: Value| {
            let asked = browser.borrow_mut().ask(None, method, &more);
            asked.expect("the browser does as it is told")
        };
        let context = ask("Target.createBrowserContext", json!({}))["browserContextId"].clone();
        let target = ask(
            "Target.createTarget",
            json!({"url": "about:blank", "browserContextId": context}),
        );
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = ask("Target.attachToTarget", attach)["sessionId"].clone();
        let tab = Self {
            browser: Rc::clone(browser),
            session: session.as_str().expect("a session").to_owned(),
            origin: origin.to_owned(),
            has_script: Cell::new(true),
            wrong: Vec::new(),
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.ask(&format!("{domain}.enable"), json!({}));
        }
        tab.ask(
            "Emulation.setFocusEmulationEnabled",
            json!({"enabled": true}),
        );
        // Staff pages have a certificate of the node's own.
        tab.ask(
            "Security.setIgnoreCertificateErrors",
            json!({"ignore": true}),
        );
        let before = json!({"source": BEFORE});
        tab.ask("Page.addScriptToEvaluateOnNewDocument", before);
        tab
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "every caller writes it on the spot"
    )]
    fn ask(&self, method: &str, more: Value) -> Value {
        self.try_asking(method, &more)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_asking(&self, method: &str, more: &Value) -> Result<Value, String> {
        let mut browser = self.browser.borrow_mut();
        browser.ask(Some(&self.session), method, more)
    }

    /// Goes to a page, and waits until it is there whole.
    #[track_caller]
    pub fn go(&mut self, path: &str) {
        self.listen();
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.origin)
        };
        let went = self.ask("Page.navigate", json!({"url": url}));
        assert!(went.get("errorText").is_none(), "{path}: {went}");
        self.browser
            .borrow_mut()
            .until_told(&self.session, "Page.loadEventFired");
        self.settle();
    }

    /// Tries to go where nothing answers any more.
    #[track_caller]
    pub fn go_nowhere(&mut self, path: &str) {
        let url = format!("{}{path}", self.origin);
        let went = self.ask("Page.navigate", json!({"url": url}));
        assert!(went.get("errorText").is_some(), "{path} answers: {went}");
    }

    /// Waits until a page is there and leads on to no other.
    fn settle(&mut self) {
        self.until("the page is there", |tab| {
            tab.try_value("document.readyState === 'complete'")
                .is_some_and(|is_there| is_there == true)
        });
    }

    /// Looks again and again until it is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            let text = || self.try_value("document.body.innerText");
            assert!(
                began.elapsed() < LONGEST,
                "waited for: {what}\n{:?}",
                text()
            );
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// What an expression is in the page; nothing while it goes to another one.
    fn try_value(&self, expression: &str) -> Option<Value> {
        let more = json!({
            "expression": expression,
            "returnByValue": true,
            "awaitPromise": true,
        });
        let said = self.try_asking("Runtime.evaluate", &more).ok()?;
        assert!(
            said.get("exceptionDetails").is_none(),
            "{expression:.200}: {}",
            said["exceptionDetails"]
        );
        Some(said["result"]["value"].clone())
    }

    /// Whether something is so on the page; not while it goes to another one.
    pub fn looked(&self, expression: &str) -> bool {
        self.try_value(expression)
            .is_some_and(|is_so| is_so == true)
    }

    /// What an expression is in the page.
    #[track_caller]
    pub fn value(&self, expression: &str) -> Value {
        let value = self.try_value(expression);
        value.unwrap_or_else(|| panic!("the page went away from {expression:.200}"))
    }

    /// A text.
    #[track_caller]
    pub fn text(&self, expression: &str) -> String {
        let value = self.value(expression);
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("{expression:.200} is {value}"))
    }

    /// What an expression says is wrong.
    #[track_caller]
    pub fn list(&self, expression: &str) -> Vec<String> {
        let value = self.value(expression);
        let list = value
            .as_array()
            .unwrap_or_else(|| panic!("{expression:.100} is {value}"));
        list.iter()
            .map(|item| {
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            })
            .collect()
    }

    /// Where it is.
    pub fn path(&self) -> String {
        self.text("location.pathname + location.search")
    }

    pub fn says(&self, words: &str) -> bool {
        self.text("document.body.innerText").contains(words)
    }

    /// Loads the page again and again until it says something.
    #[track_caller]
    pub fn wait_for(&mut self, path: &str, words: &str) {
        let began = Instant::now();
        loop {
            self.go(path);
            if self.says(words) {
                return;
            }
            let text = self.text("document.body.innerText");
            assert!(began.elapsed() < LONGEST, "no {words:?} on {path}: {text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Fills in the field with this label.
    #[track_caller]
    pub fn fill(&mut self, label: &str, text: &str) {
        let filled = self.value(&format!(
            r#"(() => {{
              const label = [...document.querySelectorAll("label")].find((it) => [{label}, {label} + " (may be left out)"].includes(it.textContent.trim()));
              const field = label && document.getElementById(label.htmlFor);
              if (!field) return false;
              for (let outer = field; outer; outer = outer.parentElement) if (outer.tagName === "DETAILS") outer.open = true;
              field.focus();
              if (["radio", "checkbox"].includes(field.type)) {{ if (!field.checked) field.click(); }}
              else field.value = {text};
              return true;
            }})()"#,
            label = json!(label),
            text = json!(text),
        ));
        assert_eq!(
            filled,
            true,
            "no field {label:?}: {}",
            self.text("document.body.innerText")
        );
    }

    /// Presses the button or follows the link on which these words stand, and waits for the page to
    /// which it leads.
    #[track_caller]
    pub fn press(&mut self, words: &str) {
        let pressed = self.value(&format!(
            r#"(() => {{
              const all = [...document.querySelectorAll("button, a, summary")];
              const it = all.find((it) => it.textContent.trim() === {words} && it.checkVisibility());
              if (!it) return false;
              document.documentElement.dataset.before = "1";
              it.click();
              return true;
            }})()"#,
            words = json!(words),
        ));
        assert_eq!(
            pressed,
            true,
            "no {words:?}: {}",
            self.text("document.body.innerText")
        );
        self.arrive();
    }

    /// Waits until another page has come in the place of this one.
    #[track_caller]
    pub fn arrive(&mut self) {
        self.until("another page", |tab| {
            tab.try_value(
                "document.readyState === 'complete' && !document.documentElement.dataset.before",
            )
            .is_some_and(|is_there| is_there == true)
        });
    }

    /// Chooses a file for the field with this name.
    #[track_caller]
    pub fn choose(&mut self, name: &str, file: &std::path::Path) {
        let root = self.ask("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
        let query = json!({"nodeId": root, "selector": format!("input[name={name}]")});
        let node = self.ask("DOM.querySelector", query)["nodeId"].clone();
        let files = json!({"nodeId": node, "files": [file]});
        self.ask("DOM.setFileInputFiles", files);
    }

    /// Types a key.
    pub fn key(&self, name: &str, code: u32) {
        let mut more =
            json!({"type": "rawKeyDown", "key": name, "code": name, "windowsVirtualKeyCode": code});
        self.ask("Input.dispatchKeyEvent", more.clone());
        if name == "Enter" {
            more["type"] = "char".into();
            more["text"] = "\r".into();
            self.ask("Input.dispatchKeyEvent", more.clone());
        }
        more["type"] = "keyUp".into();
        self.ask("Input.dispatchKeyEvent", more);
    }

    /// Shows pages at a width and in a light from now on.
    pub fn show_in(&self, light: Light) {
        let Light { width, media } = light;
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let (media, scheme) = match media {
            "print" => ("print", "light"),
            scheme => ("screen", scheme),
        };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        let look = json!({"media": media, "features": features});
        self.ask("Emulation.setEmulatedMedia", look);
    }

    /// Whether scripts of pages run from now on.
    pub fn with_script(&self, runs: bool) {
        self.has_script.set(runs);
        let more = json!({"value": !runs});
        self.ask("Emulation.setScriptExecutionDisabled", more);
    }

    /// What an expression is that has to wait for something. The page's own script, where it did not
    /// run, does not run meanwhile either.
    #[track_caller]
    pub fn judged(&self, expression: &str) -> Vec<String> {
        let has_script = self.has_script.get();
        self.with_script(true);
        let list = self.list(expression);
        self.with_script(has_script);
        list
    }

    /// A picture of the whole page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let more = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.ask("Page.captureScreenshot", more);
        bytes(&picture["data"])
    }

    /// The page as it is printed, as PDF.
    pub fn printed(&self) -> Vec<u8> {
        let paper = Light {
            width: 680,
            media: "print",
        };
        self.show_in(paper);
        let more = json!({"preferCSSPageSize": true, "printBackground": false});
        let printed = bytes(&self.ask("Page.printToPDF", more)["data"]);
        self.show_in(Light {
            width: 1280,
            media: "light",
        });
        printed
    }

    /// What was wrong since it was asked last: errors, questions, forbidden things, and requests to
    /// anybody else.
    pub fn wrong(&mut self) -> Vec<String> {
        self.listen();
        let mut wrong = std::mem::take(&mut self.wrong);
        if let Some(forbidden) = self.try_value("(window.__forbidden || []).splice(0)") {
            let forbidden = forbidden.as_array().into_iter().flatten();
            wrong.extend(forbidden.map(|what| format!("forbidden by the policy: {what}")));
        }
        wrong
    }

    fn listen(&mut self) {
        let told = self.browser.borrow_mut().told(&self.session);
        for event in told {
            let said = &event["params"];
            let what = match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => Some("a script failed"),
                "Runtime.consoleAPICalled" if said["type"] == "error" => Some("a script complains"),
                "Log.entryAdded" if is_grave(&said["entry"]) => Some("the browser complains"),
                "Page.javascriptDialogOpening" => Some("a page asks something"),
                "Network.requestWillBeSent" if !self.is_ours(&said["request"]["url"]) => {
                    Some("somebody else is asked")
                }
                _ => None,
            };
            self.wrong
                .extend(what.map(|what| format!("{what}: {said}")));
        }
    }

    fn is_ours(&self, url: &Value) -> bool {
        let url = url.as_str().unwrap_or_default();
        // The browser draws the parts of its own fields, such as of a date.
        let is_drawn_here = url.starts_with("data:image/svg+xml") || url == "about:blank";
        url.starts_with(&format!("{}/", self.origin)) || is_drawn_here
    }
}

/// Pages that say that something was not done have a status of their own, which the browser notes.
fn is_grave(entry: &Value) -> bool {
    let text = entry["text"].as_str().unwrap_or_default();
    entry["level"] == "error" && !text.contains("the server responded with a status of 4")
}

fn bytes(base64: &Value) -> Vec<u8> {
    let text = base64.as_str().expect("data").as_bytes();
    data_encoding::BASE64.decode(text).expect("base64")
}
