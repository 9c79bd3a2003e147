//! Which interaction a request asks for: the router, made of the table of types.

use super::{
    outcome::{Code, Outcome, cut},
    types::{Type, type_named},
};
use crate::percent::decoded;

/// The methods that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Look.
    Get,
    /// Make, search, or do.
    Post,
    /// Change.
    Put,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// `GET metadata`.
    Capabilities,
    /// `GET Type/id`.
    Read(&'static Type, String),
    /// `GET Type?…`, `POST Type/_search`.
    Search(&'static Type),
    /// `POST Type`.
    Create(&'static Type),
    /// `PUT Type/id`.
    Update(&'static Type, String),
    /// `Patient/$summary`, `Patient/id/$everything`, and so on.
    Operation(Operation, Option<String>),
}

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The patient summary (IPS).
    Summary,
    /// All that an app may see.
    Everything,
    /// References to documents (IPA).
    DocRef,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Everything, Self::DocRef];

    /// Its name, after the `$`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Everything => "everything",
            Self::DocRef => "docref",
        }
    }

    /// The type that it is of.
    pub const fn of_type(self) -> &'static str {
        match self {
            Self::Summary | Self::Everything => "Patient",
            Self::DocRef => "DocumentReference",
        }
    }

    /// Where it is defined.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Summary => "http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
            Self::Everything => "http://hl7.org/fhir/OperationDefinition/Patient-everything",
            Self::DocRef => "http://hl7.org/fhir/uv/ipa/OperationDefinition/docref",
        }
    }

    fn named(kind: &str, name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|operation| operation.of_type() == kind && operation.name() == name)
    }
}

/// What a method and the path behind the base ask for.
///
/// # Errors
/// When there is nothing of the kind here.
pub fn interaction(method: &str, path: &str) -> Result<Interaction, Outcome> {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let verb = match method {
        "GET" | "HEAD" => Verb::Get,
        "POST" => Verb::Post,
        "PUT" => Verb::Put,
        _ => {
            return Err(not_done(
                method,
                "This server reads, searches, creates and updates; nothing is deleted or patched here.",
            ));
        }
    };
    match (verb, parts.as_slice()) {
        (Verb::Get, ["metadata"]) => Ok(Interaction::Capabilities),
        (_, ["metadata"]) => Err(not_done(method, "Read [base]/metadata with GET.")),
        (_, []) => Err(Outcome::refused(
            404,
            Code::NotSupported,
            "Nothing is done for all types at once here: name a type, such as [base]/Observation. Batches and transactions are not supported.",
        )),
        (verb, [kind]) => {
            let kind = of_name(kind)?;
            match verb {
                Verb::Get => Ok(Interaction::Search(kind)),
                Verb::Post if !kind.is_written() => Err(not_written(method)),
                Verb::Post => Ok(Interaction::Create(kind)),
                Verb::Put => Err(not_done(
                    method,
                    "An update names the resource: PUT [base]/Type/id. What is new is created with POST.",
                )),
            }
        }
        (Verb::Post, [kind, "_search"]) => Ok(Interaction::Search(of_name(kind)?)),
        (_, [kind, "_search"]) => {
            of_name(kind)?;
            Err(not_done(method, "Send a search to _search with POST."))
        }
        (verb, [kind, operation]) if operation.starts_with('$') => {
            operation_of(verb, method, kind, operation, None)
        }
        (verb, [kind, id]) => {
            let kind = of_name(kind)?;
            if !is_id(id) {
                return Err(Outcome::not_here(kind.name, id));
            }
            match verb {
                Verb::Get => Ok(Interaction::Read(kind, (*id).to_owned())),
                Verb::Put if !kind.is_written() => Err(not_written(method)),
                Verb::Put => Ok(Interaction::Update(kind, (*id).to_owned())),
                Verb::Post => Err(not_done(
                    method,
                    "What is new is created with POST [base]/Type; this server gives it an id.",
                )),
            }
        }
        (verb, [kind, id, operation]) if operation.starts_with('$') => {
            operation_of(verb, method, kind, operation, Some(id))
        }
        (_, [kind, ..]) => {
            of_name(kind)?;
            Err(Outcome::refused(
                404,
                Code::NotSupported,
                "There is nothing at this address. This server keeps earlier versions and does not give them out here; [base]/metadata says what it does.",
            ))
        }
    }
}

fn operation_of(
    verb: Verb,
    method: &str,
    kind: &str,
    name: &str,
    id: Option<&str>,
) -> Result<Interaction, Outcome> {
    let kind = of_name(kind)?;
    let operation = Operation::named(kind.name, name.trim_start_matches('$'));
    let operation = operation.filter(|operation| id.is_none() || *operation != Operation::DocRef);
    let Some(operation) = operation else {
        return Err(Outcome::refused(
            404,
            Code::NotSupported,
            format!(
                "This server has no operation {:?} of {}. [base]/metadata lists those that it has.",
                cut(name),
                kind.name
            ),
        ));
    };
    match verb {
        Verb::Get | Verb::Post => Ok(Interaction::Operation(operation, id.map(str::to_owned))),
        Verb::Put => Err(not_done(method, "Ask for an operation with GET or POST.")),
    }
}

fn of_name(name: &str) -> Result<&'static Type, Outcome> {
    type_named(name).ok_or_else(|| Outcome::no_type(name))
}

fn not_written(method: &str) -> Outcome {
    not_done(
        method,
        "Who somebody is, is said by people and not by apps, and who looked by this node.",
    )
}

fn not_done(method: &str, remedy: &str) -> Outcome {
    Outcome::refused(
        405,
        Code::NotSupported,
        format!("{} is not done at this address. {remedy}", cut(method)),
    )
}

/// Whether a text has the form of an id (R4, `id`).
fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::{Interaction, Operation, interaction};

    #[test]
    fn each_address_is_one_interaction_or_a_refusal() {
        let ask = |method: &str, path: &str| interaction(method, path).map_err(|said| said.status);
        assert_eq!(ask("GET", "/metadata"), Ok(Interaction::Capabilities));
        assert!(matches!(
            ask("GET", "/Patient/a1"),
            Ok(Interaction::Read(kind, id)) if kind.name == "Patient" && id == "a1"
        ));
        assert!(matches!(
            ask("POST", "/Observation/_search"),
            Ok(Interaction::Search(_))
        ));
        assert_eq!(
            ask("GET", "/DocumentReference/%24docref"),
            Ok(Interaction::Operation(Operation::DocRef, None))
        );
        assert_eq!(
            ask("GET", "/Patient/a/$summary"),
            Ok(Interaction::Operation(
                Operation::Summary,
                Some("a".to_owned())
            ))
        );
        for (method, path, status) in [
            ("DELETE", "/Patient/a1", 405),
            ("PATCH", "/Patient/a1", 405),
            ("PUT", "/Observation", 405),
            ("POST", "/Patient", 405),
            ("PUT", "/Patient/a1", 405),
            ("POST", "/Patient/a1", 405),
            ("POST", "/metadata", 405),
            ("POST", "/", 404),
            ("GET", "/Nothing", 404),
            ("GET", "/Nothing/a1", 404),
            ("GET", "/Patient/a1/_history", 404),
            ("GET", "/Patient/a_1", 404),
            ("GET", "/Patient/..%2f..", 404),
            ("GET", "/Observation/$summary", 404),
            ("GET", "/Patient/a1/$docref", 404),
            ("PUT", "/Patient/$summary", 405),
        ] {
            assert_eq!(ask(method, path).err(), Some(status), "{method} {path}");
        }
    }
}
