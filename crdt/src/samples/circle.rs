//! The circle: who looks after the person.

use serde_json::json;

use super::{
    day::TODAY,
    identity,
    page::{Closed, Page},
};

/// The team as one source sees it.
pub(super) fn team(page: &mut Page<'_>) {
    let day = TODAY.back(page.stream("team").between(30, 200)).working();
    let mut members = vec![
        json!({"role": [{"text": page.source.staff()[0]}], "member": page.staff(0), "onBehalfOf": page.organisation()}),
    ];
    if page.life.is_frail() {
        members.push(json!({"role": [identity::carer_role()], "member": identity::carer(page)}));
    }
    let others = page.life.organisations();
    for other in others.iter().filter(|other| *other != page.source) {
        members.push(
            json!({"role": [{"text": other.kind.words()}], "member": {"display": other.name}}),
        );
    }
    let names: Vec<_> = others.iter().map(|other| other.name).collect();
    let body = json!({
        "resourceType": "CareTeam",
        "identifier": page.identifier("team", "team"),
        "status": "active",
        "name": format!("People who look after {}", page.life.person.name()),
        "subject": page.patient(),
        "period": {"start": day.to_string()},
        "participant": members,
        "managingOrganization": [page.organisation()],
    });
    page.add("team", day, Closed::Open, &names.join(", "), body);
}
