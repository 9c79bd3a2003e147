//! A resource as it came in, cut into the units that merge.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::{
    Section,
    json::{self, Members, NotJson, RawMembers, push_minified_member},
    shape::{Shape, Unit, WHOLE_UNIT},
};

/// A resource on its way into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What never changes about it.
    pub meta: Meta,
    /// Its content.
    pub body: Body,
}

/// What is written once, when a resource enters a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// `resourceType`, or a type tag for what is not FHIR R4.
    #[serde(rename = "t")]
    pub kind: String,
    /// The id that its sender gave it; means nothing elsewhere.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// The members of its bundle entry beside the resource, as the text of an object.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Which import it came with: claimed time in milliseconds and a discriminator.
    #[serde(rename = "b", default)]
    pub batch: (u64, u32),
    /// Its place in that import, from 0.
    #[serde(rename = "n", default)]
    pub ordinal: u32,
    /// Long strings that were taken out of the text; a placeholder stands where each was.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether kith made it itself (a frame, a pointer to an original) and no sender did.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    pub made_here: bool,
}

impl Meta {
    /// `Bundle.entry.fullUrl` of the entry that it came in; the first, where it stands twice.
    pub fn full_url(&self) -> Option<String> {
        let entry = RawMembers::parse(self.entry.as_deref()?).ok()?;
        json::string(entry.get("fullUrl")?)
    }
}

/// An attachment kept outside the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The BLAKE3 hash of its bytes, in hex.
    #[serde(rename = "h")]
    pub blob: String,
    /// Bytes of the blob.
    #[serde(rename = "l")]
    pub len: u64,
    /// How the text comes back from the bytes.
    #[serde(rename = "c")]
    pub coding: Coding,
}

impl Attachment {
    /// Takes the token of a JSON string (quotes included) out of a text: the attachment and its
    /// bytes.
    pub fn of_token(token: &str) -> (Self, Vec<u8>) {
        let inner = token.trim_matches('"').as_bytes();
        let decoded = BASE64.decode(inner).ok();
        let (coding, bytes) = match decoded {
            Some(bytes) if BASE64.encode(&bytes).as_bytes() == inner => (Coding::Base64, bytes),
            Some(_) | None => (Coding::Raw, token.as_bytes().to_vec()),
        };
        let attachment = Self {
            blob: blake3::hash(&bytes).to_hex().to_string(),
            len: bytes.len() as u64,
            coding,
        };
        (attachment, bytes)
    }

    /// Bytes that were no string of the text: the attachment, with the bytes.
    pub fn of_bytes(bytes: Vec<u8>) -> (Self, Vec<u8>) {
        let attachment = Self {
            blob: blake3::hash(&bytes).to_hex().to_string(),
            len: bytes.len() as u64,
            coding: Coding::Base64,
        };
        (attachment, bytes)
    }

    /// The JSON string that stands in the text instead.
    pub fn placeholder(&self) -> String {
        format!("\"kith-blob:{}\"", self.blob)
    }

    /// The token that its bytes were taken from.
    pub fn token(&self, bytes: &[u8]) -> String {
        match self.coding {
            Coding::Base64 => format!("\"{}\"", BASE64.encode(bytes)),
            Coding::Raw => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// How a blob's bytes become the text again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coding {
    /// Standard base64 with padding (RFC 4648, 4).
    #[serde(rename = "64")]
    Base64,
    /// The bytes are the text of the JSON string, quotes and escapes included.
    #[serde(rename = "raw")]
    Raw,
}

/// The content of a resource in units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Members in the order of the text.
    pub order: Vec<String>,
    /// Units by name, ascending.
    pub units: Vec<(String, UnitText)>,
}

/// What one unit holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitText {
    /// The members of a register, `"name":value,…`, or a whole resource as its text.
    Register(String),
    /// The texts of a list's items.
    List(Vec<String>),
}

impl Body {
    /// Cuts the text of a resource.
    pub fn parse(text: &str, section: Section) -> Result<Self, NotJson> {
        let members = RawMembers::parse(text)?;
        let kind = members.get("resourceType").and_then(json::string);
        let shape = Shape::of(kind.as_deref().unwrap_or_default(), section);
        if shape == Shape::Whole || members.has_duplicates() {
            return Ok(Self::whole(members.to_text()));
        }
        let mut body = Self::default();
        for (name, value) in &members.0 {
            body.put(shape, &members, name, value.get());
        }
        body.order = members.0.into_iter().map(|(name, _)| name).collect();
        body.units.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(body)
    }

    /// A body of one register.
    pub fn whole(text: String) -> Self {
        Self {
            order: Vec::new(),
            units: vec![(WHOLE_UNIT.to_owned(), UnitText::Register(text))],
        }
    }

    fn put(&mut self, shape: Shape, members: &RawMembers<'_>, name: &str, value: &str) {
        match shape.unit(name) {
            Unit::List(unit) if !has_twin(members, unit) => {
                if let Some(items) = json::items(value).filter(|items| !items.is_empty()) {
                    self.units.push((unit.to_owned(), UnitText::List(items)));
                } else {
                    self.put_register(unit, name, value);
                }
            }
            Unit::List(unit) | Unit::Register(unit) => self.put_register(unit, name, value),
        }
    }

    fn put_register(&mut self, unit: &str, name: &str, value: &str) {
        let held = self.units.iter_mut().find_map(|(held, text)| match text {
            UnitText::Register(text) if held == unit => Some(text),
            UnitText::Register(_) | UnitText::List(_) => None,
        });
        if let Some(text) = held {
            push_minified_member(text, name, value);
        } else {
            let mut text = String::with_capacity(name.len() + value.len() + 3);
            push_minified_member(&mut text, name, value);
            self.units.push((unit.to_owned(), UnitText::Register(text)));
        }
    }

    /// The text of the resource: members in the order in which they came, others after them.
    pub fn to_text(&self) -> String {
        if let [(name, UnitText::Register(text))] = self.units.as_slice()
            && name == WHOLE_UNIT
        {
            return text.clone();
        }
        let mut members = self.members();
        let place = |name: &str| self.order.iter().position(|member| member == name);
        members.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        Members(members).to_text()
    }

    fn members(&self) -> Vec<(String, String)> {
        self.units
            .iter()
            .flat_map(|(name, text)| match text {
                UnitText::List(items) => {
                    vec![(name.clone(), format!("[{}]", items.join(",")))]
                }
                UnitText::Register(text) => Members::parse(&format!("{{{text}}}"))
                    .map_or_else(|_| vec![(name.clone(), text.clone())], |members| members.0),
            })
            .collect()
    }
}

/// Whether the list element `unit` has a `_` twin, whose places must stay aligned with it.
fn has_twin(members: &RawMembers<'_>, unit: &str) -> bool {
    members
        .0
        .iter()
        .any(|(name, _)| name.strip_prefix('_') == Some(unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Body, UnitText};
    use crate::Section;

    const DOSE: &str = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","_status":{"id":"x"},"note":[{"text":"a"},{"text":"a"}],"medicationCodeableConcept":{"text":"warfarin"},"dosageInstruction":[{"doseQuantity":{"value":2.50}}],"zz":null}"#;

    #[test]
    fn a_resource_comes_back_as_it_was() {
        let body = Body::parse(DOSE, Section::Medicines).expect("JSON");
        assert_eq!(body.to_text(), DOSE);
        assert!(body.units.iter().any(|(name, text)| name == "note"
            && matches!(text, UnitText::List(items) if items.len() == 2)));
    }

    #[test]
    fn a_list_with_a_twin_is_a_register() {
        let text = r#"{"resourceType":"Patient","name":[{"text":"A"}],"_name":[null]}"#;
        let body = Body::parse(text, Section::Identity).expect("JSON");
        assert_eq!(body.to_text(), text);
    }

    #[test]
    fn duplicate_members_are_kept_in_one_register() {
        let text = r#"{"resourceType":"Patient","id":"1","id":"2"}"#;
        let body = Body::parse(text, Section::Identity).expect("JSON");
        assert_eq!(body.to_text(), text);
        assert_eq!(body.units.len(), 1);
    }

    proptest! {
        #[test]
        fn any_object_comes_back(
            members in proptest::collection::vec(
                ("[a-z_]{1,12}|status|code|valueString|_valueString|note|name", "[1-9][0-9]?\\.[0-9]{1,3}0|null|\\[\\]|\\[1,2\\]|\\{\"a\":\"\\\\u00e9\"\\}"),
                0..12,
            )
        ) {
            let mut text = String::from(r#"{"resourceType":"Observation""#);
            for (name, value) in &members {
                crate::json::push_member(&mut text, name, value);
            }
            text.push('}');
            let body = Body::parse(&text, Section::Results).expect("JSON");
            prop_assert_eq!(body.to_text(), text);
        }
    }
}
