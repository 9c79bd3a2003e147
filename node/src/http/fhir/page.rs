//! A page of an app that asks from a browser: from exactly the origin to which a registered app has
//! people sent back, and from no other (decision 0102).

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{AUTHORIZE, is_of_apps};
use crate::http::site::Site;

/// What such a page may send.
const METHODS: &str = "GET, POST, PUT";
const HEADERS: &str = "authorization, accept, content-type, if-match, if-none-exist, if-none-match, last-event-id, prefer";

/// What it may read of an answer beside what every page may.
const EXPOSED: &str = "ETag, Last-Modified, Location";

/// So many seconds a browser remembers that it may ask.
const REMEMBERED: &str = "60";

/// A page that may ask.
pub(in crate::http) struct AppPage(HeaderValue);

/// A page that asks, of which it is not known yet whether it may.
pub(in crate::http) struct Asking(HeaderValue);

impl Asking {
    /// The page of another site from which a request for something of apps comes.
    ///
    /// The request comes to a host that is ours: the door has looked at that.
    pub fn of(site: &Site, request: &Request<Body>) -> Option<Self> {
        let path = request.uri().path();
        if !site.has_launch() || !is_of_apps(path) || path == AUTHORIZE {
            return None;
        }
        asking(request.headers()).cloned().map(Self)
    }

    /// The page, where an app with that origin is registered here.
    pub async fn known(self, site: &Site) -> Option<AppPage> {
        let said = self.0.to_str().ok()?.to_owned();
        let node = site.running()?;
        let is_known = node
            .driver
            .ask(move |node| node.is_origin_of_client(&said))
            .await;
        is_known.ok()?.then_some(AppPage(self.0))
    }
}

impl AppPage {
    /// Whether a browser asks whether it may ask, before it does.
    pub fn asks_first(request: &Request<Body>) -> bool {
        *request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// What that browser is told.
    pub fn may_ask(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let said = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
            // From a page of the internet to a program on this machine (Private Network Access).
            (
                HeaderName::from_static("access-control-allow-private-network"),
                "true",
            ),
        ];
        for (name, value) in said {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        self.mark(&mut response);
        response
    }

    /// Lets this page and no other read an answer. No cookie goes with it ever.
    pub fn mark(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0.clone());
        let exposed = HeaderValue::from_static(EXPOSED);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// The origin of a request that a script of another site makes; nothing for a visit, an image, a
/// form, or where a header says two things.
fn asking(headers: &HeaderMap) -> Option<&HeaderValue> {
    let one = |name: HeaderName| {
        let mut all = headers.get_all(name).iter();
        let first = all.next();
        first.filter(|_| all.next().is_none())
    };
    let fits = |name: &'static str, wanted: &[&str]| {
        let name = HeaderName::from_static(name);
        !headers.contains_key(&name)
            || one(name).is_some_and(|said| wanted.iter().any(|wanted| said == wanted))
    };
    let is_script =
        fits("sec-fetch-mode", &["cors"]) && fits("sec-fetch-site", &["cross-site", "same-site"]);
    one(header::ORIGIN).filter(|_| is_script)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::asking;

    fn said(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        asking(&map).is_some()
    }

    #[test]
    fn only_a_script_of_one_origin_asks() {
        let origin = ("origin", "http://127.0.0.1:9000");
        let (site, mode) = ("sec-fetch-site", "sec-fetch-mode");
        assert!(said(&[origin]));
        assert!(said(&[origin, (site, "cross-site"), (mode, "cors")]));
        assert!(said(&[origin, (site, "same-site"), (mode, "cors")]));
        assert!(!said(&[(site, "cross-site"), (mode, "cors")]));
        assert!(!said(&[origin, ("origin", "http://evil.example")]));
        assert!(!said(&[origin, (site, "cross-site"), (mode, "navigate")]));
        assert!(!said(&[origin, (site, "cross-site"), (mode, "no-cors")]));
        assert!(!said(&[origin, (site, "none"), (mode, "cors")]));
        assert!(!said(&[
            origin,
            (site, "cross-site"),
            (site, "same-origin")
        ]));
    }
}
