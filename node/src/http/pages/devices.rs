//! The devices that act for the node's owner.

use axum::extract::Query;
use maud::html;

use super::{
    Answer,
    frame::{Place, Where, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{Keep, Leaving, Reply, Request, Retiring},
    control::odd_answer,
    http::{forms::Sent, visitor::Visitor, words},
};

/// `/devices`.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<parts::Done>) -> Answer {
    let heading = visitor.heading(None).await?;
    let Reply::Devices(devices) = visitor.ask(Request::DeviceList).await? else {
        return Err(odd_answer().into());
    };
    let main = html! {
        (parts::done(&asked))
        h1 { "Devices" }
        p { "Each of these signs in your name and has everything that you have." }
        ul.things.panel {
            @for device in &devices.devices {
                li {
                    strong { @if device.is_this { "This device" } @else { "Device " (device.id.get(..12).unwrap_or_default()) } }
                    @if device.state != "active" { " " span.mark { (device.state) } }
                    span.by { "since " (words::moment(&device.since)) }
                    @if device.state == "active" && !device.is_this {
                        details {
                            summary { "It is lost, or I no longer use it" }
                            form method="post" action="/devices/retire" {
                                (token(&visitor.session))
                                input type="hidden" name="device" value=(device.id);
                                (Field { name: "sheet", id: Some(&device.id), label: "Code of the recovery sheet", hint: "Of the device on which you began; needed where this one may not say so by itself", kind: "password", ..Field::TEXT }.draw())
                                button.grave { "It can do nothing more in my name" }
                            }
                        }
                    }
                }
            }
        }
        @for waiting in &devices.waiting { p.note { "An invitation for another device waits until " (words::moment(&waiting.ends)) ": " a href=(format!("/invitations/{}", waiting.id)) { "look at it" } } }
        form method="post" action="/devices" {
            (token(&visitor.session))
            button.main { "Add another device of mine" }
        }
        p { a href="/phone" { "Look from a phone that has no kith" } }
    };
    let at = Where::OfNode(Place::Devices);
    Ok(page(&visitor, &heading, ("Devices", at), &main))
}

/// Invites another one.
pub(super) async fn add(sent: Sent) -> Answer {
    let Reply::Shared(shared) = sent.by.ask(Request::DeviceAdd { confirm: true }).await? else {
        return Err(odd_answer().into());
    };
    let to = format!("/invitations/{}", shared.invitation);
    sent.by.site.invitations.keep(&sent.by.session, shared);
    Ok(go(&to))
}

/// Retires one.
pub(super) async fn retire(sent: Sent) -> Answer {
    let request = Request::DeviceRetire(Retiring {
        leaving: Leaving {
            who: sent.text("device").to_owned(),
            keep: Keep::All,
        },
        sheet: sent.given("sheet"),
    });
    sent.by.ask(request).await?;
    Ok(go("/devices?done=retired"))
}
