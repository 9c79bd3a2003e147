//! SMART scopes (SMART App Launch 2, and those of 1 that mean the same): what an app asks for, and
//! the parts of a record that this is.

use std::collections::BTreeSet;

use kith_crdt::Section;

use super::types::{TYPES, Type, type_named};

/// Scopes that are read at most, and bytes of them.
const SCOPES_MAX: usize = 100;

/// What an app asks for, as far as it can be granted here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppScopes {
    rules: Vec<Rule>,
    /// Whether it wants to know whose record it is.
    pub is_launch: bool,
    /// Whether it wants to come back without asking again.
    pub is_offline: bool,
    /// The scopes that can be granted, as they were written.
    pub granted: Vec<String>,
    /// Those that cannot.
    pub refused: Vec<String>,
}

/// `patient/Type.cruds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    /// All types where there is none.
    kind: Option<&'static Type>,
    reads: bool,
    creates: bool,
    updates: bool,
}

impl AppScopes {
    /// Reads what an app asks for.
    pub fn read(text: &str) -> Self {
        let mut scopes = Self::default();
        for word in text.split_whitespace().take(SCOPES_MAX) {
            let is_granted = match word {
                "launch/patient" => {
                    scopes.is_launch = true;
                    true
                }
                "offline_access" => {
                    scopes.is_offline = true;
                    true
                }
                _ => match rule(word) {
                    Some(rule) => {
                        scopes.rules.push(rule);
                        true
                    }
                    None => false,
                },
            };
            let list = if is_granted {
                &mut scopes.granted
            } else {
                &mut scopes.refused
            };
            if !list.iter().any(|known| known == word) {
                list.push(word.to_owned());
            }
        }
        scopes
    }

    /// Whether it asks for anything of a record.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether it asks to read things of every type.
    pub fn reads_all(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.reads && rule.kind.is_none())
    }

    /// Whether it may read things of a type.
    pub fn reads(&self, kind: &str) -> bool {
        self.rules.iter().any(|rule| rule.reads && rule.is_of(kind))
    }

    /// Whether it may make things of a type.
    pub fn creates(&self, kind: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.creates && rule.is_of(kind))
    }

    /// Whether it may change things of a type.
    pub fn updates(&self, kind: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.updates && rule.is_of(kind))
    }

    /// The types that it asks to read, where it does not ask for all.
    pub fn types(&self) -> Vec<&'static str> {
        let of = self.rules.iter().filter(|rule| rule.reads);
        let names: BTreeSet<_> = of
            .filter_map(|rule| rule.kind)
            .map(|kind| kind.name)
            .collect();
        names.into_iter().collect()
    }

    /// The parts of a record in which that stands: what it sees, adds to, and changes.
    pub fn sections(&self) -> [BTreeSet<Section>; 3] {
        let of = |does: fn(&Rule) -> bool| {
            let rules = self.rules.iter().filter(|rule| does(rule));
            rules
                .flat_map(|rule| match rule.kind {
                    Some(kind) => sections(kind.name),
                    None => Section::ALL.to_vec(),
                })
                .collect()
        };
        [
            of(|rule| rule.reads),
            of(|rule| rule.creates),
            of(|rule| rule.updates),
        ]
    }
}

impl Rule {
    fn is_of(&self, kind: &str) -> bool {
        self.kind.is_none_or(|of| of.name == kind)
    }
}

/// `patient/Observation.rs`, `patient/*.read`; nothing for what cannot be granted here: another
/// context than one person, a narrower search, deleting alone.
fn rule(word: &str) -> Option<Rule> {
    let rest = word.strip_prefix("patient/")?;
    let (kind, access) = rest.split_once('.')?;
    let kind = match kind {
        "*" => None,
        name => Some(type_named(name)?),
    };
    let all = Rule {
        kind,
        reads: true,
        creates: true,
        updates: true,
    };
    let rule = match access {
        "read" => Rule {
            creates: false,
            updates: false,
            ..all
        },
        "write" => Rule {
            reads: false,
            ..all
        },
        "*" => all,
        letters => {
            let mut order = "cruds".chars();
            // In this order, and each once.
            if letters.is_empty()
                || !letters
                    .chars()
                    .all(|letter| order.any(|next| next == letter))
            {
                return None;
            }
            let has = |letter| letters.contains(letter);
            Rule {
                kind,
                reads: has('r') || has('s'),
                creates: has('c'),
                updates: has('u'),
            }
        }
    };
    (rule.reads || rule.creates || rule.updates).then_some(rule)
}

/// The parts of a record in which things of a type can stand.
fn sections(kind: &str) -> Vec<Section> {
    let probe = serde_json::json!({"resourceType": kind});
    let usual = kith_crdt::classify::section(&probe);
    match kind {
        "Observation" => vec![Section::Results, Section::DailyCare, Section::Monitoring],
        "DocumentReference" => vec![Section::Letters, Section::Plans],
        "QuestionnaireResponse" => vec![Section::Forms, Section::Plans],
        _ => vec![usual],
    }
}

/// Every scope that can be granted, for whoever asks what there is.
pub fn scopes_supported() -> Vec<String> {
    let of_types = TYPES.iter().map(|kind| {
        let access = if kind.is_written() { "crus" } else { "rs" };
        format!("patient/{}.{access}", kind.name)
    });
    let own = [
        "launch/patient",
        "offline_access",
        "patient/*.rs",
        "patient/*.crus",
    ];
    own.into_iter().map(str::to_owned).chain(of_types).collect()
}

#[cfg(test)]
mod tests {
    use kith_crdt::Section;

    use super::AppScopes;

    #[test]
    fn scopes_say_what_may_be_read_and_written() {
        let scopes = AppScopes::read(
            "launch/patient openid fhirUser patient/Observation.rs patient/Condition.cu patient/Zebra.rs patient/Condition.sr user/*.rs patient/Observation.rs?category=x patient/MedicationRequest.read offline_access",
        );
        assert!(scopes.is_launch && scopes.is_offline && !scopes.reads_all());
        assert!(scopes.reads("Observation") && !scopes.creates("Observation"));
        assert!(scopes.creates("Condition") && scopes.updates("Condition"));
        assert!(!scopes.reads("Condition") && scopes.reads("MedicationRequest"));
        assert_eq!(
            scopes.refused,
            [
                "openid",
                "fhirUser",
                "patient/Zebra.rs",
                "patient/Condition.sr",
                "user/*.rs",
                "patient/Observation.rs?category=x",
            ]
        );
        let [see, add, _] = scopes.sections();
        assert!(see.contains(&Section::Monitoring) && see.contains(&Section::Medicines));
        assert!(!see.contains(&Section::Allergies));
        assert_eq!(add.into_iter().collect::<Vec<_>>(), [Section::Conditions]);
        assert!(AppScopes::read("patient/*.rs").reads("Flag"));
    }
}
