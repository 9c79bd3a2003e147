//! What a sandbox holds before it runs.

use std::{net::SocketAddr, path::PathBuf};

use kith_crdt::samples::{SamplePerson, sample, sample_bundle};
use kith_node::{
    api::{
        ConnectAsk, ConnectHl7, ConnectShown, FormsReply, FormsRequest, ImportRequest, Reply,
        Request, RulesAct, RulesRequest, ShareRequest, ShareTerms,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    node::Node,
    place::Place,
};

use super::{Filled, Line, PEOPLE};

/// The seed of its people.
const SEED: u64 = 20;

/// Resources about each.
const RESOURCES: usize = 80;

/// The third example of `docs/build-on-kith.md`.
const FORM: &str = include_str!("../../../docs/build-on-kith/fall.questionnaire.json");
const RULE: &str = include_str!("../../../docs/build-on-kith/fall.rules");

/// Brings people, a form with its rule, apps and the listener into a node that does not run yet.
///
/// # Errors
/// When there is no room, or the node refuses something.
pub fn fill(node: &mut Node, place: &Place, redirect: &str) -> Result<Filled, Failure> {
    let records = people(node, place)?;
    let first = records
        .first()
        .map(|line| line.record.clone())
        .ok_or_else(odd_answer)?;
    let form = form(node, place, &first)?;
    let (token, patient, client_id) = apps(node, &first, redirect)?;
    let folder = place.folder().join("hl7");
    std::fs::create_dir(&folder).map_err(|error| no_room(&error))?;
    let message = place.file("admission.hl7", admission(&sample(SEED, 0).person))?;
    ask(
        node,
        Request::ConnectHl7(Some(ConnectHl7 {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            folder: Some(folder.clone()),
            ..ConnectHl7::default()
        })),
    )?;
    Ok(Filled {
        records,
        token,
        patient,
        client_id,
        form,
        message,
        folder,
    })
}

fn ask(node: &mut Node, request: Request) -> Result<Reply, Failure> {
    node.handle(request, &mut |_| {})
}

fn people(node: &mut Node, place: &Place) -> Result<Vec<Line>, Failure> {
    let paths: Result<Vec<PathBuf>, Failure> = (0..PEOPLE)
        .map(|number| {
            let text = sample_bundle(SEED, number, RESOURCES);
            place.file(&format!("person-{number:02}.json"), text)
        })
        .collect();
    let import = ImportRequest {
        paths: paths?,
        no_proposals: true,
        ..ImportRequest::default()
    };
    let Reply::Imported(imported) = ask(node, Request::Import(import))? else {
        return Err(odd_answer());
    };
    Ok(imported
        .records
        .into_iter()
        .map(|filed| Line {
            record: filed.record,
            person: filed.person,
        })
        .collect())
}

/// A form in the library, and with the first record the rule of what happens when it is answered.
fn form(node: &mut Node, place: &Place, record: &str) -> Result<String, Failure> {
    let file = place.file("fall.questionnaire.json", FORM)?;
    let add = FormsRequest::Add { file, record: None };
    let Reply::Forms(added) = ask(node, Request::Forms(add))? else {
        return Err(odd_answer());
    };
    let FormsReply::Added(added) = added else {
        return Err(odd_answer());
    };
    let rules = RulesRequest {
        record: record.to_owned(),
        act: RulesAct::Set(RULE.to_owned()),
        staff: None,
    };
    let Reply::Rules(shown) = ask(node, Request::Rules(rules))? else {
        return Err(odd_answer());
    };
    match shown.mistakes.is_empty() {
        true => Ok(added.title),
        false => Err(odd_answer()),
    }
}

/// An app with a token, and one that may ask in a browser.
fn apps(
    node: &mut Node,
    record: &str,
    redirect: &str,
) -> Result<(String, String, String), Failure> {
    let by_token = ConnectAsk::Token {
        name: "An app with a token".to_owned(),
        share: ShareRequest {
            record: record.to_owned(),
            see: "all".to_owned(),
            add: Some("all".to_owned()),
            change: None,
            until: "2999-12-31".to_owned(),
            confirm: false,
            terms: ShareTerms::default(),
        },
    };
    let ConnectShown::Token(app) = connect(node, by_token)? else {
        return Err(odd_answer());
    };
    let in_browser = ConnectAsk::Register {
        name: "An app in a browser".to_owned(),
        redirects: vec![redirect.to_owned()],
    };
    let ConnectShown::Registered(registered) = connect(node, in_browser)? else {
        return Err(odd_answer());
    };
    Ok((app.token, app.patient, registered.client_id))
}

fn connect(node: &mut Node, asked: ConnectAsk) -> Result<ConnectShown, Failure> {
    let Reply::Connect(shown) = ask(node, Request::Connect(asked))? else {
        return Err(odd_answer());
    };
    Ok(*shown)
}

/// An admission as a hospital's system tells it (HL7 v2.5.1, ADT^A01), of now.
fn admission(person: &SamplePerson) -> String {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let now = jiff::Timestamp::now()
        .strftime("%Y%m%d%H%M%S+0000")
        .to_string();
    let sex = if person.is_female { "F" } else { "M" };
    [
        format!("MSH|^~\\&|PAS|EASTHOSP|KITH|SANDBOX|{now}||ADT^A01^ADT_A01|S1|P|2.5.1"),
        format!("EVN|A01|{now}"),
        format!(
            "PID|1||{}^^^NHS^NH||{}^{}||{}|{sex}",
            digits(&person.nhs_number),
            person.family,
            person.given,
            digits(&person.birth_date)
        ),
        format!("PV1|1|I|W3^4^2||||||||||||||||V1^^^EASTHOSP|||||||||||||||||||||||||{now}"),
    ]
    .join("\r")
        + "\r"
}

fn no_room(error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The sandbox could not be filled.",
        "Check that there is room for temporary files, or name another folder in TMPDIR.",
    )
    .because(error)
}
