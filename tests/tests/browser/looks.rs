//! Looking at a page as everybody may see it: narrow and wide, light, dark and on paper, with and
//! without a script, and with nothing but a keyboard.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::json;

use super::{
    chromium::is_required,
    routes::shape,
    tab::{Light, Tab},
};
use crate::harness::skipped;

const LOOKS: &str = include_str!("looks.js");
const KEYS: &str = include_str!("keys.js");
const REFERENCE: &str = include_str!("../../../docs/cli.md");

/// Pages that are about commands, and why; anywhere else none is named but the one that opens the
/// pages, `kith ui`.
const ABOUT_COMMANDS: [(&str, &str); 3] = [
    (
        "/apps/ask",
        "an app that is not known is registered from a terminal",
    ),
    ("/apps", "a program is connected from a terminal"),
    ("/r/*/forms", "forms are kept from a terminal"),
];

/// Every way in which a page is looked at. The widths are a small telephone's, a laptop's and that
/// of a sheet of A4 between its margins.
const LIGHTS: [Light; 6] = [
    Light {
        width: 1280,
        media: "light",
    },
    Light {
        width: 1280,
        media: "dark",
    },
    Light {
        width: 320,
        media: "light",
    },
    Light {
        width: 320,
        media: "dark",
    },
    Light {
        width: 680,
        media: "print",
    },
    Light {
        width: 320,
        media: "print",
    },
];

/// The rules of WCAG 2.2 A and AA that a program can judge.
const RULES: &str = r#"(async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  return found.violations.map((rule) => rule.id + ": " + rule.help + ": " + rule.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3));
})()"#;

/// Presses of a key without coming further: the parts of a date are several stops of one field.
const STAYS_MAX: usize = 6;

/// All that was looked at, and what is wrong with it.
pub struct Looks {
    axe: Option<String>,
    pictures: Option<PathBuf>,
    /// The shapes of addresses that were looked at, with the kind of whoever looked.
    pub seen: BTreeSet<String>,
    pub pages: usize,
    pub looks: usize,
    pub wrong: Vec<String>,
}

impl Looks {
    pub fn begin() -> Self {
        let axe = std::env::var_os("KITH_TEST_AXE").map(PathBuf::from);
        assert!(
            axe.is_some() || !is_required(),
            "KITH_TEST_AXE names no axe.min.js"
        );
        if axe.is_none() {
            skipped("pages by the rules of WCAG: set KITH_TEST_AXE to an axe.min.js (docs/ci.md)");
        }
        let axe = axe.map(|path| std::fs::read_to_string(path).expect("axe can be read"));
        let pictures = std::env::var_os("KITH_SCREENSHOTS").map(PathBuf::from);
        if let Some(folder) = &pictures {
            std::fs::create_dir_all(folder).expect("a folder for pictures");
        }
        Self {
            axe,
            pictures,
            seen: BTreeSet::new(),
            pages: 0,
            looks: 0,
            wrong: Vec::new(),
        }
    }

    /// Looks at the page that a tab shows, as it is.
    pub fn at(&mut self, tab: &mut Tab, name: &str) {
        self.pages += 1;
        self.seen.insert(shape(&tab.path()));
        // What was wrong on the way here belongs to the way.
        self.note(name, "on the way", tab.wrong());
        for light in LIGHTS {
            self.looks += 1;
            tab.show_in(light);
            let way = format!("{} px, {}", light.width, light.media);
            let lines = light == LIGHTS[0];
            let commands = commands(&tab.path());
            let ask = json!({"media": light.media, "lines": lines, "commands": commands});
            let wrong = tab.list(&format!("{LOOKS}({ask})"));
            self.note(name, &way, wrong);
            if light.media != "print" {
                self.judge(tab, name, &way);
            }
            self.picture(tab, name, light);
            self.note(name, &way, tab.wrong());
        }
        tab.show_in(LIGHTS[0]);
    }

    /// Goes to a page and looks at it, with a script and without one, and with keys alone.
    pub fn go(&mut self, tab: &mut Tab, role: &str, path: &str) {
        let name = format!("{role} {}", shape(path));
        tab.show_in(LIGHTS[0]);
        tab.go(path);
        self.keys(tab, &name);
        self.at(tab, &name);
        let with = Self::outline(tab);
        tab.with_script(false);
        tab.go(path);
        let without = Self::outline(tab);
        for light in [LIGHTS[0], LIGHTS[2]] {
            self.looks += 1;
            tab.show_in(light);
            let ask = json!({"media": light.media, "lines": false});
            let wrong = tab.list(&format!("{LOOKS}({ask})"));
            self.note(
                &name,
                &format!("{} px, without a script", light.width),
                wrong,
            );
        }
        tab.show_in(LIGHTS[0]);
        self.note(&name, "without a script", tab.wrong());
        tab.with_script(true);
        for lost in with.difference(&without) {
            // Printing and copying are what a script adds.
            if !lost.starts_with("Print this page") && !lost.starts_with("Copy the link") {
                self.wrong
                    .push(format!("{name}, without a script: no {lost:?}"));
            }
        }
    }

    /// What can be done on a page: its links and buttons by their words.
    fn outline(tab: &Tab) -> BTreeSet<String> {
        let words = r#"[...document.querySelectorAll("a[href], button, input, select, textarea")]
            .filter((it) => !it.hidden).map((it) => it.textContent.trim() || it.name || "")"#;
        tab.list(words).into_iter().collect()
    }

    fn judge(&mut self, tab: &Tab, name: &str, way: &str) {
        let Some(axe) = &self.axe else { return };
        if tab.value("typeof axe === 'undefined'") == true {
            tab.value(&format!("{axe}; 0"));
        }
        let wrong = tab.judged(RULES);
        self.note(name, way, wrong);
    }

    /// With the tabulator alone everything is come to, in its order, in sight, and left again.
    fn keys(&mut self, tab: &Tab, name: &str) {
        let stops = tab.value(KEYS).as_u64().unwrap_or(0);
        let stops = usize::try_from(stops).expect("few stops");
        let (mut at, mut stays, mut reached) = (-1, 0, 0);
        while stays < STAYS_MAX {
            tab.key("Tab", 9);
            let now = tab.value("window.__at()");
            let (place, is_seen) = (now[0].as_i64().unwrap_or(-1), now[1] == true);
            let what = now[2].as_str().unwrap_or_default().to_owned();
            if !is_seen {
                self.wrong.push(format!(
                    "{name}: the keyboard is at {what}, and nobody sees it"
                ));
            }
            match place {
                -1 => break,
                // What scrolls can be come to, so that keys scroll it.
                -2 => stays += 1,
                place if place == at => stays += 1,
                place if place == at + 1 => {
                    (at, stays, reached) = (place, 0, reached + 1);
                }
                0 => break,
                _ => {
                    let text = format!("{name}: the keyboard comes to {place} after {at}: {what}");
                    self.wrong.push(text);
                    (at, stays, reached) = (place, 0, reached + 1);
                }
            }
        }
        if reached != stops {
            self.wrong.push(format!(
                "{name}: the keyboard reaches {reached} of {stops} stops"
            ));
        }
    }

    /// Printed it is one sheet.
    pub fn is_one_sheet(&mut self, tab: &Tab, name: &str) {
        let pdf = tab.printed();
        if let Some(folder) = &self.pictures {
            let file = format!("{}.pdf", name.replace(' ', "-"));
            std::fs::write(folder.join(file), &pdf).expect("a file");
        }
        let sheets = sheets(&pdf);
        if sheets != 1 {
            self.wrong.push(format!("{name} has {sheets} sheets"));
        }
    }

    /// It has nothing that changes anything.
    pub fn only_shows(&mut self, tab: &Tab, path: &str) {
        let forms = "[...document.querySelectorAll(\"main form:not([role='search'])\")].map((form) => form.outerHTML.slice(0, 120))";
        let forms = tab.list(forms);
        self.note(path, "for whoever only looks", forms);
    }

    /// The first link leads past the head of the page.
    pub fn skips(&mut self, tab: &mut Tab, path: &str) {
        tab.go(path);
        tab.key("Tab", 9);
        tab.key("Enter", 13);
        tab.until("the page itself", |tab| {
            tab.value("document.activeElement.id") == "main"
        });
        tab.key("Tab", 9);
        let inside = tab.value("!!document.activeElement.closest('main')");
        assert_eq!(inside, true, "the next stop is in the page itself");
    }

    fn note(&mut self, name: &str, way: &str, wrong: Vec<String>) {
        let wrong = wrong
            .into_iter()
            .map(|what| format!("{name}, {way}: {what}"));
        self.wrong.extend(wrong);
    }

    fn picture(&self, tab: &Tab, name: &str, light: Light) {
        let Some(folder) = &self.pictures else { return };
        let name: String = name
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        let file = format!(
            "{}-{}-{}.png",
            name.trim_matches('-'),
            light.width,
            light.media
        );
        std::fs::write(folder.join(file), tab.picture()).expect("a picture");
    }

    /// Nothing may be wrong.
    #[track_caller]
    pub fn all_is_well(mut self) {
        self.wrong.dedup();
        let shown: Vec<_> = self
            .wrong
            .iter()
            .take(150)
            .map(|wrong| format!("{wrong:.600}"))
            .collect();
        assert!(
            shown.is_empty(),
            "{} things are wrong on {} pages:\n{}",
            self.wrong.len(),
            self.pages,
            shown.join("\n")
        );
    }
}

/// The commands that the page with this address may not name.
fn commands(path: &str) -> Vec<&'static str> {
    let shape = shape(path);
    if ABOUT_COMMANDS.iter().any(|(about, _)| *about == shape) {
        return vec!["-"];
    }
    let names = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("## kith "));
    names
        .filter(|name| !name.contains(' ') && *name != "ui")
        .collect()
}

/// How many sheets of paper a PDF has.
fn sheets(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
}

/// Addresses of pages that links on a page lead to, on this site. Going to a place on the page that
/// is shown already loads nothing, so what names a place is left off.
pub fn links(tab: &Tab) -> Vec<String> {
    let hrefs = r#"[...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))"#;
    let links = tab.list(hrefs).into_iter();
    links
        .filter(|href| href.starts_with('/'))
        .map(|href| href.split('#').next().unwrap_or_default().to_owned())
        .collect()
}
