//! A clinician's word on a result that somebody else brought: they have seen it and accept it. It is
//! a Provenance of its own (FHIR R4), and the result stays as it is.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::work::{reference_to, resource_of};

/// Of what kinds of word these are.
const SYSTEM: &str = "urn:kith:attestation";
/// Which version of the result they are about: the SHA-256 of its text.
const VERSION_URL: &str = "urn:kith:version-seen";

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It was seen and is accepted.
    Accepted,
    /// That is taken back.
    TakenBack,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 2] = [Self::Accepted, Self::TakenBack];

    const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "seen-and-accepted",
            Self::TakenBack => "no-longer-accepted",
        }
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Accepted => "seen and accepted",
            Self::TakenBack => "no longer accepted",
        }
    }
}

/// A word on a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The id of the result in the record.
    pub result: String,
    /// What is said.
    pub word: Word,
    /// The version that was seen: see [`version`].
    pub version: String,
    /// Who looked, as they say.
    pub who: Option<String>,
}

/// The name of a version of a result: the SHA-256 of its text as it is kept.
pub fn version(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// The Provenance that says it.
pub fn provenance(
    (kind, result, words): (&str, &str, &str),
    (word, version): (Word, &str),
    (who, organisation): (Option<&str>, &str),
    note: Option<&str>,
    when: &str,
) -> Value {
    let mut target = reference_to(kind, result, words);
    target["reference"] = json!(format!("{kind}/{result}"));
    let mut agent = json!({
        "type": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "attester",
        }]},
        "who": {"display": who.unwrap_or(organisation)},
    });
    if who.is_some() {
        agent["onBehalfOf"] = json!({ "display": organisation });
    }
    let mut text = word.words().to_owned();
    if let Some(note) = note {
        text.push_str(": ");
        text.push_str(note);
    }
    json!({
        "resourceType": "Provenance",
        "extension": [{"url": VERSION_URL, "valueString": version}],
        "target": [target],
        "recorded": when,
        "activity": {
            "coding": [{"system": SYSTEM, "code": word.code(), "display": word.words()}],
            "text": text,
        },
        "agent": [agent],
    })
}

/// The word that a resource says, where it says one.
pub fn read(resource: &Value) -> Option<Attestation> {
    let text = |place: &str| resource.pointer(place).and_then(Value::as_str);
    if text("/resourceType") != Some("Provenance") {
        return None;
    }
    let code = super::work::code_of(resource.get("activity"), SYSTEM)?;
    let word = Word::ALL.into_iter().find(|word| word.code() == code)?;
    let extensions = resource.get("extension")?.as_array()?;
    let version = extensions
        .iter()
        .find(|one| one.get("url").and_then(Value::as_str) == Some(VERSION_URL))?;
    let by_somebody = resource.pointer("/agent/0/onBehalfOf").is_some();
    Some(Attestation {
        result: resource_of(resource.pointer("/target/0")?)?.to_owned(),
        word,
        version: version.get("valueString")?.as_str()?.to_owned(),
        who: text("/agent/0/who/display")
            .filter(|_| by_somebody)
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Word, provenance, read, version};

    #[test]
    fn what_was_said_is_read_again() {
        let seen = version("{}");
        let result = ("Observation", "0102", "CYP2D6: poor metabolizer");
        for (word, who) in [(Word::Accepted, Some("Dr Lee")), (Word::TakenBack, None)] {
            let said = provenance(
                result,
                (word, &seen),
                (who, "Riverside Surgery"),
                Some("as on the paper"),
                "2026-11-29T08:00:00Z",
            );
            let read = read(&said).expect("a word");
            assert_eq!((read.word, read.who.as_deref()), (word, who));
            assert_eq!((read.result.as_str(), &read.version), ("0102", &seen));
            assert_eq!(said["target"][0]["reference"], "Observation/0102");
        }
    }

    #[test]
    fn another_provenance_says_nothing_of_this() {
        let of_form =
            json!({"resourceType": "Provenance", "activity": {"text": "seen and accepted"}});
        assert_eq!(read(&of_form), None);
    }
}
