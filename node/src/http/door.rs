//! What is let in: requests of a browser on this machine to this very address, and what every
//! answer forbids the browser to do with it.
//!
//! A page anywhere can make a browser send something to 127.0.0.1, under a name of its own that it
//! bends to that address (rebinding), or from another port, whose pages are the same site. So the
//! host has to be an address of this machine with this port, and whatever is not a plain visit has
//! to come from a page of this very address (Fetch Metadata, and Origin where a browser has none).
//! A page of an app that was registered here may ask the FHIR server, and nothing else of this
//! node: it brings a token, and no cookie is looked at there.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::{fhir, refusal, site::Site};
use crate::health::fhir::{Code, Outcome};

/// Bytes of a request's line and headers.
const HEADERS_LEN_MAX: usize = 16 * 1024;

/// What a page may do: show itself, with this node's own style and script.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Said of every answer.
const SAID: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    ),
];

/// Lets a request in or refuses it.
pub(super) async fn guard(
    State(site): State<Arc<Site>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let refused = refused(&site, &request);
    let asking = match refused {
        Some(Refused::OtherSite) => fhir::Asking::of(&site, &request),
        Some(Refused::TooLong | Refused::OtherName) | None => None,
    };
    let page = match asking {
        Some(asking) => asking.known(&site).await,
        None => None,
    };
    let mut response = match (refused, page) {
        (Some(_), Some(page)) if fhir::AppPage::asks_first(&request) => page.may_ask(),
        (Some(_), Some(page)) => {
            let mut response = next.run(request).await;
            page.mark(&mut response);
            response
        }
        (Some(refused), None) if fhir::is_of_apps(request.uri().path()) => {
            fhir::refusal(&refused.outcome())
        }
        (Some(refused), None) => refused.response(),
        (None, _) => next.run(request).await,
    };
    for (name, value) in SAID {
        // An answer that is stricter about itself stays so.
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert_with(|| HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    TooLong,
    OtherName,
    OtherSite,
}

impl Refused {
    fn response(self) -> Response {
        let (status, what, remedy) = self.said();
        refusal::plain(status, what, remedy)
    }

    fn outcome(self) -> Outcome {
        let (status, what, remedy) = self.said();
        Outcome::refused(status.as_u16(), Code::Forbidden, format!("{what} {remedy}"))
    }

    const fn said(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::TooLong => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "The browser sent more with this request than kith takes.",
                "Open kith again with kith ui. Nothing was changed.",
            ),
            Self::OtherName => (
                StatusCode::MISDIRECTED_REQUEST,
                "This address is not kith's.",
                "Open kith with kith ui, or type the address that it prints. Nothing was changed.",
            ),
            Self::OtherSite => (
                StatusCode::FORBIDDEN,
                "Another website sent you here, so kith did nothing.",
                "If it was a link of yours, copy it into the address bar. Nothing was changed.",
            ),
        }
    }
}

fn refused(site: &Site, request: &Request<Body>) -> Option<Refused> {
    let headers = request.headers();
    let len: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if len + request.uri().to_string().len() > HEADERS_LEN_MAX {
        return Some(Refused::TooLong);
    }
    let Some(host) = only(headers, &header::HOST).filter(|host| site.is_called(host)) else {
        return Some(Refused::OtherName);
    };
    if headers.get_all(header::ORIGIN).iter().count() > 1 {
        return Some(Refused::OtherSite);
    }
    let is_visit = matches!(*request.method(), Method::GET | Method::HEAD);
    let scheme = if site.is_over_tls() {
        "https://"
    } else {
        "http://"
    };
    // Said twice it says nothing that fits.
    let fetch = HeaderName::from_static("sec-fetch-site");
    let fetch = headers
        .contains_key(&fetch)
        .then(|| only(headers, &fetch).unwrap_or_default());
    let is_from_here = match (fetch, headers.get(header::ORIGIN)) {
        (Some("same-origin"), None) => true,
        // Pages that send no referrer send no origin with their forms either.
        (Some("same-origin"), Some(origin)) => origin == "null" || is_origin(origin, scheme, host),
        // Typed, or a link of another program.
        (Some("none"), None) => is_visit,
        // A program, or an old browser: whoever shows an access token gives nothing of a browser's.
        (None, None) => is_visit || fhir::is_of_apps(request.uri().path()),
        // A browser that knows no Fetch Metadata.
        (None, Some(origin)) => is_origin(origin, scheme, host),
        // A browser that an app sends here to ask: that page does nothing, and leads on to one of
        // this very address.
        (Some("cross-site" | "same-site"), None) => {
            let mode = only(headers, &HeaderName::from_static("sec-fetch-mode"));
            is_visit && mode == Some("navigate") && request.uri().path() == fhir::AUTHORIZE
        }
        (Some(_), _) => false,
    };
    (!is_from_here).then_some(Refused::OtherSite)
}

fn is_origin(origin: &HeaderValue, scheme: &str, host: &str) -> bool {
    let said = origin
        .to_str()
        .ok()
        .and_then(|said| said.strip_prefix(scheme));
    said.is_some_and(|said| said.eq_ignore_ascii_case(host))
}

/// A header that stands there once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    if all.next().is_some() {
        return None;
    }
    first.to_str().ok()
}

/// Whether a `Host` is an address of this machine with the port at which pages are served.
pub(super) fn is_ours(host: &str, port: u16) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.port() == port && is_this_machine(address.ip());
    }
    host.to_ascii_lowercase()
        .strip_prefix("localhost:")
        .is_some_and(|said| said.parse() == Ok(port) && !said.starts_with('+'))
}

/// Whether a `Host` is any address with this port, or one of these names with it.
pub(super) fn is_address_or_named(host: &str, port: u16, names: &[String]) -> bool {
    const HTTPS: u16 = 443;
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.port() == port;
    }
    let name = match host.rsplit_once(':') {
        Some((name, said)) if said.parse() == Ok(port) && !said.starts_with('+') => name,
        None if port == HTTPS => host,
        Some(_) | None => return false,
    };
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether an address is reached from this machine alone.
pub(super) fn is_this_machine(address: IpAddr) -> bool {
    address.is_loopback()
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        extract::Request,
        http::{Method, Request as Builder},
    };

    use super::{Refused, is_ours, refused};
    use crate::http::site::Site;

    fn request(method: Method, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Builder::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("a request")
    }

    #[test]
    fn only_addresses_of_this_machine_with_the_right_port_are_ours() {
        for host in [
            "127.0.0.1:8700",
            "[::1]:8700",
            "localhost:8700",
            "LocalHost:8700",
        ] {
            assert!(is_ours(host, 8700), "{host}");
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:8701",
            "localhost",
            "localhost:+8700",
            "evil.example:8700",
            "127.0.0.1.evil.example:8700",
            "0.0.0.0:8700",
            "192.168.1.2:8700",
            "user@127.0.0.1:8700",
            "",
        ] {
            assert!(!is_ours(host, 8700), "{host}");
        }
    }

    #[test]
    fn what_another_page_sends_is_refused() {
        let site = Site::for_tests(8700);
        let host = ("host", "127.0.0.1:8700");
        let here = ("origin", "http://127.0.0.1:8700");
        let visit = |headers: &[_]| refused(&site, &request(Method::GET, headers));
        let post = |headers: &[_]| refused(&site, &request(Method::POST, headers));
        assert_eq!(visit(&[host]), None);
        assert_eq!(visit(&[host, ("sec-fetch-site", "none")]), None);
        assert_eq!(post(&[host, here]), None);
        let same = ("sec-fetch-site", "same-origin");
        assert_eq!(post(&[host, here, same]), None);
        assert_eq!(post(&[host, ("origin", "null"), same]), None);
        assert_eq!(
            post(&[host, ("origin", "http://evil.example"), same]),
            Some(Refused::OtherSite)
        );
        assert_eq!(
            post(&[host, here, same, ("sec-fetch-site", "cross-site")]),
            Some(Refused::OtherSite)
        );
        assert_eq!(
            post(&[host, here, ("origin", "http://evil.example")]),
            Some(Refused::OtherSite)
        );
        assert_eq!(
            visit(&[("host", "kith.example:8700")]),
            Some(Refused::OtherName)
        );
        assert_eq!(visit(&[host, host]), Some(Refused::OtherName));
        for site in ["cross-site", "same-site"] {
            let said = ("sec-fetch-site", site);
            assert_eq!(visit(&[host, said]), Some(Refused::OtherSite), "{site}");
            assert_eq!(
                post(&[host, here, said]),
                Some(Refused::OtherSite),
                "{site}"
            );
        }
        assert_eq!(
            post(&[host]),
            Some(Refused::OtherSite),
            "says nothing of itself"
        );
        assert_eq!(
            post(&[host, ("sec-fetch-site", "none")]),
            Some(Refused::OtherSite)
        );
        let asking = |path: &str, mode: &str| {
            let cross = ("sec-fetch-site", "cross-site");
            let mut request = request(Method::GET, &[host, cross, ("sec-fetch-mode", mode)]);
            *request.uri_mut() = path.parse().expect("a path");
            refused(&site, &request)
        };
        assert_eq!(asking("/fhir/authorize?x=y", "navigate"), None);
        for (path, mode) in [
            ("/fhir/authorize", "cors"),
            ("/fhir/authorize", "no-cors"),
            ("/fhir/Patient", "navigate"),
            ("/apps/ask", "navigate"),
        ] {
            assert_eq!(
                asking(path, mode),
                Some(Refused::OtherSite),
                "{path} {mode}"
            );
        }
        let mut program = request(Method::POST, &[host]);
        *program.uri_mut() = "/fhir/Observation".parse().expect("a path");
        assert_eq!(
            refused(&site, &program),
            None,
            "a program with a token of its own"
        );
        for origin in [
            "http://127.0.0.1:8701",
            "http://evil.example",
            "null",
            "https://127.0.0.1:8700",
        ] {
            let said = ("origin", origin);
            assert_eq!(post(&[host, said]), Some(Refused::OtherSite), "{origin}");
            assert_eq!(visit(&[host, said]), Some(Refused::OtherSite), "{origin}");
        }
        let long = "x".repeat(super::HEADERS_LEN_MAX);
        assert_eq!(visit(&[host, ("x", &long)]), Some(Refused::TooLong));
    }
}
