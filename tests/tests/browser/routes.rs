//! Every address at which the pages answer, read from where they are routed, so that none can be
//! forgotten.

use std::collections::BTreeSet;

const ROUTER: &str = include_str!("../../../node/src/http/pages.rs");

/// Addresses that are looked at in another way, and why.
pub const ELSEWHERE: [(&str, &str); 18] = [
    ("/apps/stop", "leads on to the list"),
    ("/", "leads on to the record or to the list"),
    ("/import", "leads on to the page of what is brought in"),
    ("/devices/retire", "leads on to the list"),
    ("/staff/end", "leads on to the list"),
    ("/phone/close", "leads on to the page for phones"),
    ("/r/*/task/*", "leads on to what is to be done"),
    (
        "/r/*/thing/*/accept",
        "leads on to the result, tests/brought",
    ),
    ("/r/*/basics", "leads on to what is to be done"),
    ("/r/*/household/end", "leads on to the household"),
    (
        "/r/*/household/text",
        "a text of somebody else, tests/household",
    ),
    ("/r/*/emergency/paper", "a file, tests/pages"),
    ("/live", "events for the script, tests/pages"),
    ("/style.css", "not a page"),
    ("/script.js", "not a page"),
    ("/icon.svg", "not a page"),
    ("/r/*/download/*", "a file, tests/pages"),
    ("/r/*/thing/*/file/*", "a file, tests/pages"),
];

/// An address with a star for each name in it.
pub fn shape(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let is_name = |n: usize, part: &str| {
        part.starts_with('{')
            || matches!(
                (parts.get(n.wrapping_sub(1)).copied(), part),
                (
                    Some(
                        "r" | "part"
                            | "thing"
                            | "file"
                            | "invitations"
                            | "joining"
                            | "download"
                            | "messages"
                            | "brought"
                            | "begin"
                            | "form"
                    ),
                    _
                )
            )
            || (parts.get(n.wrapping_sub(1)) == Some(&"sharing") && part != "new")
            || (parts.first() == Some(&"enter") && n == 1)
    };
    let shaped: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(n, part)| if is_name(n, part) { "*" } else { part })
        .collect();
    format!("/{}", shaped.join("/"))
}

/// Each address of the router, as a shape.
pub fn routes() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    let (of_record, of_node) = ROUTER
        .split_once("    Router::new()\n        .route(\"/\", get(people::home))")
        .expect("records have routes of their own");
    for (router, before) in [(of_record, "/r/{record}"), (of_node, "")] {
        for part in router.split(".route(").skip(1) {
            let path = part.split('"').nth(1).expect("a route has an address");
            routes.insert(shape(&format!("{before}{path}")));
        }
    }
    routes.insert("/".to_owned());
    routes
}

/// Routes at which nobody looked.
pub fn forgotten(seen: &BTreeSet<String>) -> Vec<String> {
    let elsewhere = |route: &String| ELSEWHERE.iter().any(|(path, _)| path == route);
    let routes = routes().into_iter();
    routes
        .filter(|route| !seen.contains(route) && !elsewhere(route))
        .collect()
}

#[test]
fn addresses_have_shapes() {
    assert_eq!(shape("/r/12ab/thing/9/file/0?x"), "/r/*/thing/*/file/*");
    assert_eq!(shape("/r/{record}/sharing/new"), "/r/*/sharing/new");
    assert_eq!(shape("/r/12/sharing/7"), "/r/*/sharing/*");
    assert_eq!(shape("/r/12/"), "/r/*");
    let routes = routes();
    assert!(routes.len() > 30, "{routes:?}");
    assert!(routes.contains("/r/*/emergency/new") && routes.contains("/enter/*"));
    assert!(
        ELSEWHERE.iter().all(|(path, _)| routes.contains(*path)),
        "{routes:?}"
    );
    assert!(forgotten(&BTreeSet::new()).contains(&"/records".to_owned()));
}
