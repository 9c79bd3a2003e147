//! Every page, and what leads to it.

mod add;
mod app;
mod bring;
mod devices;
mod download;
mod emergency;
mod entrance;
mod forms;
pub(super) mod frame;
mod history;
mod household;
mod invitation;
mod joining;
mod machine;
mod messages;
mod parts;
mod people;
mod phone;
mod plans;
mod review;
mod sharing;
mod sign_in;
mod staff;
mod start;
mod summary;
mod tasks;
mod thing;
mod timeline;
mod to_do;
mod who_looked;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path},
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use maud::Markup;

use self::frame::{Html, Page, Where};
use super::{
    door, fhir,
    forms::{FORM_LEN_MAX, UPLOAD_LEN_MAX, bounded},
    live,
    refusal::Refusal,
    site::Site,
    visitor::{RunsIt, Visitor},
};
use crate::node::Heading;

/// What a page or a form ends in.
type Answer = Result<Response, Refusal>;

/// Everything that is answered.
pub(super) fn router(site: Arc<Site>) -> Router {
    let record = Router::new()
        .route("/", get(summary::show))
        .route("/part/{section}", get(summary::part))
        .route("/thing/{thing}", get(thing::show).post(thing::change))
        .route("/thing/{thing}/history", get(history::show))
        .route("/thing/{thing}/file/{at}", get(thing::file))
        .route("/thing/{thing}/accept", post(thing::accept))
        .route("/timeline", get(timeline::show))
        .route("/sharing", get(sharing::list))
        .route("/sharing/new", get(sharing::new).post(sharing::share))
        .route("/sharing/{share}", get(sharing::one).post(sharing::stop))
        .route("/to-do", get(to_do::show).post(to_do::read))
        .route("/task/{task}", post(tasks::answer))
        .route("/basics", post(to_do::basic))
        .route("/event", post(to_do::event))
        .route("/rules", get(to_do::rules).post(to_do::set_rules))
        .route("/household", get(household::show).post(household::offer))
        .route("/household/text", post(household::text))
        .route("/household/end", post(household::end))
        .route("/plans", get(plans::show))
        .route("/who-looked", get(who_looked::show))
        .route("/review", get(review::of_record).post(review::decide))
        .route("/add", get(add::show))
        .route(
            "/add",
            post(add::add).layer(DefaultBodyLimit::max(UPLOAD_LEN_MAX)),
        )
        .route("/forms", get(forms::list))
        .route("/form/{form}", get(forms::show).post(forms::fill))
        .route("/emergency", get(emergency::show).post(emergency::change))
        .route("/emergency/new", post(emergency::with_code))
        .route("/emergency/paper", post(emergency::on_paper))
        .route("/download", get(download::show))
        .route("/download/{form}", post(download::download));
    Router::new()
        .route("/", get(people::home))
        .route("/enter", post(entrance::enter))
        .route("/enter/{link}", get(entrance::door))
        .route("/leave", post(entrance::leave))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/begin", get(sign_in::begin).post(sign_in::with_code))
        .route("/begin/{code}", get(sign_in::account).post(sign_in::chosen))
        .route("/start", get(start::show))
        .route("/start/record", get(start::record).post(start::new_record))
        .route(
            "/start/invitation",
            get(start::invitation).post(start::invited),
        )
        .route("/welcome", get(start::welcome).post(start::noted))
        .route("/records", get(people::list))
        .route("/records/new", get(people::new).post(people::begin))
        .route(
            "/import",
            post(bring::import).layer(DefaultBodyLimit::max(UPLOAD_LEN_MAX)),
        )
        .route(
            "/invitations/{id}",
            get(invitation::show).post(invitation::admit),
        )
        .route("/review", get(review::of_all))
        .route("/inbox", get(tasks::inbox))
        .route("/messages", get(messages::list))
        .route(
            "/messages/{number}",
            get(messages::show).post(messages::act),
        )
        .route("/brought", get(bring::list))
        .route("/brought/{number}", get(bring::show))
        .route("/connections", get(machine::connections))
        .merge(of_whoever_runs_it(&site))
        .route("/live", get(live::live))
        .nest("/r/{record}", record)
        .route("/r/{record}/", get(without_slash))
        .route(
            "/style.css",
            get(|| fixed(STYLE, "text/css; charset=utf-8")),
        )
        .route(
            "/script.js",
            get(|| fixed(SCRIPT, "text/javascript; charset=utf-8")),
        )
        .route("/icon.svg", get(|| fixed(ICON, "image/svg+xml")))
        .fallback(|| async { Refusal::not_there() })
        .layer(DefaultBodyLimit::max(FORM_LEN_MAX))
        .layer(middleware::from_fn(bounded))
        .merge(fhir::router(&site))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&site),
            door::guard,
        ))
        .with_state(site)
}

/// What is for whoever runs the node and for nobody else.
fn of_whoever_runs_it(site: &Arc<Site>) -> Router<Arc<Site>> {
    Router::new()
        .route("/join", get(joining::form).post(joining::begin))
        .route("/joining/{name}", get(joining::show).post(joining::answer))
        .route("/apps", get(app::list))
        .route("/apps/ask", get(app::ask).post(app::answer))
        .route("/apps/stop", post(app::stop))
        .route("/data", get(machine::data))
        .route("/backups", get(machine::backups).post(machine::back_up))
        .route("/devices", get(devices::list).post(devices::add))
        .route("/devices/retire", post(devices::retire))
        .route("/staff", get(staff::list).post(staff::add))
        .route("/staff/end", post(staff::end))
        .route("/staff/account", post(staff::account))
        .route("/phone", get(phone::show).post(phone::open))
        .route("/phone/close", post(phone::close))
        .route_layer(middleware::from_extractor_with_state::<RunsIt, _>(
            Arc::clone(site),
        ))
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const ICON: &str = include_str!("icon.svg");

async fn fixed(text: &'static str, kind: &'static str) -> Response {
    let mut response = text.into_response();
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn without_slash(Path(record): Path<String>) -> Response {
    go(&format!("/r/{record}"))
}

/// A page for a visitor.
fn page(visitor: &Visitor, heading: &Heading, titled: (&str, Where), main: &Markup) -> Response {
    framed(visitor, heading, titled, None)
        .around(main)
        .into_response()
}

/// A page that is loaded again after a while: what it waits for may have come.
fn waiting_page(
    visitor: &Visitor,
    heading: &Heading,
    titled: (&str, Where),
    main: &Markup,
) -> Response {
    framed(visitor, heading, titled, Some(WAITS_MS))
        .around(main)
        .into_response()
}

const fn framed<'p>(
    visitor: &'p Visitor,
    heading: &'p Heading,
    (title, at): (&'p str, Where),
    waits_ms: Option<u32>,
) -> Page<'p> {
    Page {
        title,
        at,
        heading,
        session: &visitor.session,
        waits_ms,
    }
}

/// How soon a page that waits is loaded again.
const WAITS_MS: u32 = 2_000;

/// To another page, after a form was sent.
fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// A page without anything of the node around it.
fn alone(title: &str, main: &Markup) -> Html {
    frame::bare(title, main)
}
