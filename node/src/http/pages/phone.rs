//! A phone without kith as a viewer: pages on the home network over TLS, which look and change
//! nothing, until they are closed or the node stops.

use maud::{Markup, html};

use super::{
    Answer,
    frame::{Place, Where, drawn, token},
    go, page,
};
use crate::{
    http::{
        forms::Sent,
        once::lock,
        sessions::{Session, Viewer},
        site::Pages,
        visitor::Visitor,
    },
    pairing::code,
};

/// `/phone`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let is_open = lock(&visitor.site.phone).is_some();
    let main = html! {
        h1 { "Look from a phone" }
        @if is_open { (opened(&visitor.session)) } @else {
            section.panel {
                p { "A phone on the same network can look at the records of this node in its browser. It changes nothing, and nothing stays on it when you close this." }
                form method="post" action="/phone" {
                    (token(&visitor.session))
                    button.main { "Open for a phone" }
                }
            }
        }
    };
    let at = Where::OfNode(Place::Devices);
    Ok(page(&visitor, &heading, ("Look from a phone", at), &main))
}

fn opened(session: &Session) -> Markup {
    html! {
        section.note {
            h2 { "Open for phones" }
            p { "Whoever came in by a code can look until you close this." }
            div.row {
                form method="post" action="/phone" { (token(session)) button { "A code for another phone" } }
                form method="post" action="/phone/close" { (token(session)) button.grave { "Close it for all phones" } }
            }
        }
    }
}

/// Opens them, and shows a code that lets one phone in.
pub(super) async fn open(sent: Sent) -> Answer {
    let visitor = &sent.by;
    if lock(&visitor.site.phone).is_none() {
        let home = visitor.work(|node| Ok(node.folder().to_owned())).await?;
        let pages = Pages::open_to_phone(&home).await?;
        pages.show(visitor.node.driver.clone(), visitor.node.network.clone());
        *lock(&visitor.site.phone) = Some(pages);
    }
    let host = visitor.work(|node| Ok(node.near_address())).await?;
    let (link, fingerprint) = {
        let open = lock(&visitor.site.phone);
        let site = open.as_ref().map(Pages::site);
        let link = site.map(|site| {
            let secret = site.sessions.link(Viewer::Phone);
            format!("https://{host}:{}/enter/{}", site.port(), secret.as_str())
        });
        let fingerprint = site.and_then(|site| site.fingerprint.clone());
        (link.unwrap_or_default(), fingerprint.unwrap_or_default())
    };
    let heading = visitor.heading(None).await?;
    let main = html! {
        h1 { "Look from a phone" }
        section.panel {
            h2 { "Scan this with the phone" }
            div.qr { (drawn(code::for_page(&link)?)) }
            p.link { (link) }
            p { "It lets one phone in, for ten minutes. The phone warns that it does not know this computer: look at the certificate there and compare its SHA-256 with this before you go on." }
            p.link { (fingerprint) }
        }
        (opened(&visitor.session))
    };
    let at = Where::OfNode(Place::Devices);
    Ok(page(visitor, &heading, ("Look from a phone", at), &main))
}

/// Closes them: whoever looked sees nothing more.
pub(super) async fn close(sent: Sent) -> Answer {
    *lock(&sent.by.site.phone) = None;
    Ok(go("/phone"))
}
