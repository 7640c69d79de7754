//! The page behind the link in an alert.
//!
//! Mail scanners follow links, so looking changes nothing: only the form does.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::claim::{ClaimToken, TokenError};
use inresponse_core::engine::Updated;
use inresponse_core::model::{Incident, IncidentNumber, Person, Severity, State as IncidentState};
use inresponse_core::plan::{StateChange, TakeOver};

use super::acts::in_turn;
use super::words::Moment;
use super::{Frame, Place, html, message, told_outage};
use crate::Api;
use crate::input::{Params, Path, number};
use crate::limits::carried_through;
use crate::problem::Problem;
use crate::site::Here;

/// The largest form, in bytes.
const MAX_FORM: usize = 4096;

#[derive(Template)]
#[template(path = "claim.html")]
struct Page {
    frame: Frame,
    number: u64,
    severity: Severity,
    service: String,
    title: String,
    message: String,
    reported: Moment,
    heading: String,
    /// Since when that is so.
    since: Option<Moment>,
    form: Option<Form>,
}

struct Form {
    token: String,
    name: String,
    take_over: TakeOver,
    buttons: Vec<Button>,
}

/// A button, and what is to follow the claim.
struct Button {
    text: &'static str,
    then: &'static str,
}

/// What is to follow the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Resolve,
}

impl Then {
    fn read(text: &str) -> Self {
        if text == "resolve" { Self::Resolve } else { Self::Nothing }
    }
}

impl Form {
    fn takes_over(&self) -> bool {
        self.take_over == TakeOver::Yes
    }
}

/// What a link says that holds.
struct Link {
    token: String,
    verified: ClaimToken,
    /// Which button comes first.
    then: Then,
}

/// The page with the button. Changes nothing.
#[utoipa::path(get, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert"),
        ("then" = Option<String>, Query, description = "`resolve` puts that button first")),
    responses(
        (status = 200, description = "a page with a button", body = String, content_type = "text/html"),
        (status = 400, description = "it is no incident", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
        (status = 403, description = "the link does not hold", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn page(
    Here(api): Here,
    in_path: Result<Path<String>, Problem>,
    params: Params,
) -> Response {
    let link = match verify(&api, in_path, params) {
        Ok(link) => link,
        Err(response) => return *response,
    };
    match api.engine().get(link.verified.incident).await {
        Ok(Some(record)) => {
            let me = Person::new(shortened(link.verified.recipient.address())).ok();
            current(&api, &record.incident, link, me.as_ref(), StatusCode::OK)
        }
        Ok(None) => gone(&api),
        Err(error) => outage(&api, &error),
    }
}

/// Claims the incident for the name given, else for the recipient of the alert.
#[utoipa::path(post, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`name`: who claims; `takeOver=yes`: although somebody else has it; `then=resolve`: and ends it"),
    responses(
        (status = 200, description = "claimed", body = String, content_type = "text/html"),
        (status = 400, description = "the name does not hold", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
        (status = 413, description = "the form is too large", body = String, content_type = "text/html"),
        (status = 403, description = "the link does not hold", body = String, content_type = "text/html"),
        (status = 409, description = "somebody else has it, or it is over", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn claim(
    Here(api): Here,
    in_path: Result<Path<String>, Problem>,
    params: Params,
    request: Request,
) -> Response {
    let mut link = match verify(&api, in_path, params) {
        Ok(link) => link,
        Err(response) => return *response,
    };
    let Ok(form) = to_bytes(request.into_body(), MAX_FORM).await else {
        return message(&api, None, StatusCode::PAYLOAD_TOO_LARGE, "That was too much.");
    };
    let Given { name, take_over, then } = Given::read(&form);
    link.then = then;
    let by = match name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Person::new(name),
        None => Person::new(shortened(link.verified.recipient.address())),
    };
    let by = match by {
        Ok(by) => by,
        Err(error) => {
            let what = error.errors().first().map_or("does not hold", |e| e.message());
            return message(&api, None, StatusCode::BAD_REQUEST, &format!("The name {what}."));
        }
    };
    let changes = match then {
        Then::Nothing => vec![StateChange::Claim(take_over)],
        Then::Resolve => vec![StateChange::Claim(take_over), StateChange::Resolve],
    };
    let (engine, number, who) = (api.engine().clone(), link.verified.incident, by.clone());
    match carried_through(api.strangers(), async move { in_turn(&engine, number, &who, changes).await }).await
    {
        Ok(Updated::Changed(record) | Updated::Unchanged(record)) => {
            current(&api, &record.incident, link, Some(&by), StatusCode::OK)
        }
        Ok(Updated::Refused(record, _)) => {
            // Pressed twice, it is what was asked for.
            let is_done = record.incident.resolved().is_some_and(|resolved| resolved.by.is(&by));
            let status = if is_done && then == Then::Resolve { StatusCode::OK } else { StatusCode::CONFLICT };
            current(&api, &record.incident, link, Some(&by), status)
        }
        Ok(Updated::Absent) => gone(&api),
        Err(error) => outage(&api, &error),
    }
}

/// What the query says, if its token holds for the incident in the path.
fn verify(
    api: &Api,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
) -> Result<Link, Box<Response>> {
    let refused = |status, text| Box::new(message(api, None, status, text));
    let token = params.take("token", |text| Ok(text.to_owned())).unwrap_or_default();
    let then = params.take("then", |text| Ok(Then::read(text))).unwrap_or(Then::Nothing);
    let in_path: Option<IncidentNumber> = in_path.ok().and_then(|Path(text)| number(&text).ok());
    let number = in_path.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "This is no incident."))?;
    match api.engine().verify_claim(number, &token) {
        Ok(verified) => Ok(Link { token, verified, then }),
        Err(TokenError::Expired) => Err(refused(StatusCode::FORBIDDEN, "This link has expired.")),
        Err(_) => Err(refused(StatusCode::FORBIDDEN, "This link is not valid.")),
    }
}

/// What the form says.
struct Given {
    name: Option<String>,
    take_over: TakeOver,
    then: Then,
}

impl Given {
    fn read(form: &[u8]) -> Self {
        let mut given = Self { name: None, take_over: TakeOver::No, then: Then::Nothing };
        for (field, value) in form_urlencoded::parse(form.trim_ascii()) {
            match &*field {
                "name" => given.name = Some(value.into_owned()),
                "takeOver" if value == "yes" => given.take_over = TakeOver::Yes,
                "then" => given.then = Then::read(&value),
                _ => {}
            }
        }
        given
    }
}

/// An address as a name, which may be shorter.
fn shortened(address: &str) -> String {
    address[..address.floor_char_boundary(Person::MAX_BYTES)].to_owned()
}

/// The page of an incident as it stands; `me` is who claims, or would.
fn current(api: &Api, incident: &Incident, link: Link, me: Option<&Person>, status: StatusCode) -> Response {
    let (heading, since, form) = match (incident.state(), incident.claimed()) {
        (IncidentState::Open, _) => {
            let (claim, resolve) = ("Claim", "Claim and resolve");
            ("Nobody has this incident yet".to_owned(), None, Some((TakeOver::No, claim, resolve)))
        }
        (IncidentState::Claimed, Some(claimed)) if me == Some(&claimed.by) => {
            let heading = format!("Claimed by {}. The alerts have stopped", claimed.by);
            (heading, Some(claimed.at), Some((TakeOver::No, "", "Resolve")))
        }
        (IncidentState::Claimed, claimed) => {
            let heading = format!("Claimed by {}", claimed.map_or("somebody", |claimed| claimed.by.as_str()));
            let form = (TakeOver::Yes, "Take over", "Take over and resolve");
            (heading, claimed.map(|claimed| claimed.at), Some(form))
        }
        (IncidentState::Resolved, _) => {
            let resolved = incident.resolved();
            let by = resolved.map_or("somebody", |resolved| resolved.by.as_str());
            (format!("Resolved by {by}"), resolved.map(|resolved| resolved.at), None)
        }
    };
    let Link { token, verified, then } = link;
    let form = form.map(|(take_over, claim, resolve)| {
        let mut buttons = vec![Button { text: claim, then: "" }, Button { text: resolve, then: "resolve" }];
        buttons.retain(|button| !button.text.is_empty());
        if then == Then::Resolve {
            buttons.reverse();
        }
        let name = me.map_or_else(|| shortened(verified.recipient.address()), ToString::to_string);
        Form { token, name, take_over, buttons }
    });
    let page = Page {
        frame: Frame::new(api, None, Place::Elsewhere),
        number: incident.number().value(),
        severity: incident.severity(),
        service: incident.service().to_string(),
        title: incident.title().to_owned(),
        message: incident.message().to_owned(),
        reported: Moment::clock(incident.created_at()),
        heading,
        since: since.map(Moment::clock),
        form,
    };
    html(status, &page)
}

fn gone(api: &Api) -> Response {
    message(api, None, StatusCode::NOT_FOUND, "There is no such incident.")
}

fn outage(api: &Api, error: &inresponse_core::Outage) -> Response {
    told_outage(api, None, error)
}
