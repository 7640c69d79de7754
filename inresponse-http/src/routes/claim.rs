//! The page behind the link in an alert.
//!
//! Mail scanners follow links, so looking changes nothing: only the form does.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use inresponse_core::claim::{ClaimToken, TokenError};
use inresponse_core::engine::Updated;
use inresponse_core::model::{Incident, IncidentNumber, Person, State as IncidentState};
use inresponse_core::plan::{StateChange, TakeOver, Update};

use crate::Api;
use crate::input::{Params, Path, number};
use crate::limits::carried_through;
use crate::problem::Problem;

/// The largest form, in bytes.
const MAX_FORM: usize = 4096;

/// No script, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "claim.html")]
struct Page<'a> {
    heading: String,
    incident: Option<&'a Incident>,
    form: Option<Form>,
}

struct Form {
    token: String,
    name: String,
    button: &'static str,
    take_over: bool,
}

/// The page with the button. Changes nothing.
#[utoipa::path(get, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert")),
    responses(
        (status = 200, description = "a page with a button", body = String, content_type = "text/html"),
        (status = 400, description = "it is no incident", body = String, content_type = "text/html"),
        (status = 403, description = "the link does not hold", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn page(
    State(api): State<Api>,
    in_path: Result<Path<String>, Problem>,
    params: Params,
) -> Response {
    let (token, verified) = match verify(&api, in_path, params) {
        Ok(verified) => verified,
        Err(response) => return *response,
    };
    let incident = match api.engine().get(verified.incident).await {
        Ok(Some(record)) => record.incident,
        Ok(None) => return gone(),
        Err(error) => return outage(&error),
    };
    current(&incident, token, &verified, None, StatusCode::OK)
}

/// Claims the incident for the name given, else for the recipient of the alert.
#[utoipa::path(post, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`name`: who claims; `takeOver=yes`: although somebody else has it"),
    responses(
        (status = 200, description = "claimed", body = String, content_type = "text/html"),
        (status = 400, description = "the name does not hold", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
        (status = 413, description = "the form is too large", body = String, content_type = "text/html"),
        (status = 403, description = "the link does not hold", body = String, content_type = "text/html"),
        (status = 409, description = "somebody else has it, or it is over", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn claim(
    State(api): State<Api>,
    in_path: Result<Path<String>, Problem>,
    params: Params,
    request: Request,
) -> Response {
    let (token, verified) = match verify(&api, in_path, params) {
        Ok(verified) => verified,
        Err(response) => return *response,
    };
    let Ok(form) = to_bytes(request.into_body(), MAX_FORM).await else {
        return html(StatusCode::PAYLOAD_TOO_LARGE, &message("That was too much."));
    };
    let (name, take_over) = read_form(&form);
    let by = match name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Person::new(name),
        None => Person::new(shortened(verified.recipient.address())),
    };
    let by = match by {
        Ok(by) => by,
        Err(error) => {
            let text =
                format!("The name {}.", error.errors().first().map_or("does not hold", |e| e.message()));
            return html(StatusCode::BAD_REQUEST, &message(&text));
        }
    };
    let update = Update::state(by.clone(), StateChange::Claim(take_over));
    let (engine, number) = (api.engine().clone(), verified.incident);
    match carried_through(api.strangers(), async move { engine.update(number, &update).await }).await {
        Ok(Updated::Changed(record) | Updated::Unchanged(record)) => {
            current(&record.incident, token, &verified, Some(&by), StatusCode::OK)
        }
        Ok(Updated::Refused(record, _)) => {
            current(&record.incident, token, &verified, Some(&by), StatusCode::CONFLICT)
        }
        Ok(Updated::Absent) => gone(),
        Err(error) => outage(&error),
    }
}

/// The token of the query, if it holds for the incident in the path.
fn verify(
    api: &Api,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
) -> Result<(String, ClaimToken), Box<Response>> {
    let forbidden = |text: &str| Box::new(html(StatusCode::FORBIDDEN, &message(text)));
    let token = params.take("token", |text| Ok(text.to_owned())).unwrap_or_default();
    let in_path: Option<IncidentNumber> = in_path.ok().and_then(|Path(text)| number(&text).ok());
    let number =
        in_path.ok_or_else(|| Box::new(html(StatusCode::BAD_REQUEST, &message("This is no incident."))))?;
    match api.engine().verify_claim(number, &token) {
        Ok(verified) => Ok((token, verified)),
        Err(TokenError::Expired) => Err(forbidden("This link has expired.")),
        Err(_) => Err(forbidden("This link is not valid.")),
    }
}

fn read_form(form: &[u8]) -> (Option<String>, TakeOver) {
    let (mut name, mut take_over) = (None, TakeOver::No);
    for (field, value) in form_urlencoded::parse(form.trim_ascii()) {
        match &*field {
            "name" => name = Some(value.into_owned()),
            "takeOver" if value == "yes" => take_over = TakeOver::Yes,
            _ => {}
        }
    }
    (name, take_over)
}

/// An address as a name, which may be shorter.
fn shortened(address: &str) -> String {
    let mut end = address.len().min(Person::MAX_BYTES);
    while !address.is_char_boundary(end) {
        end -= 1;
    }
    address[..end].to_owned()
}

/// The page of an incident as it stands; `me` is who has just tried to claim.
fn current(
    incident: &Incident,
    token: String,
    verified: &ClaimToken,
    me: Option<&Person>,
    status: StatusCode,
) -> Response {
    let claimant = incident.claimed().map(|claimed| &claimed.by);
    let name = me.map_or_else(|| shortened(verified.recipient.address()), ToString::to_string);
    let (heading, form) = match (incident.state(), claimant) {
        (IncidentState::Open, _) => (
            "Nobody has this incident yet.".to_owned(),
            Some(Form { token, name, button: "Claim", take_over: false }),
        ),
        (IncidentState::Claimed, Some(claimant)) if me == Some(claimant) => {
            (format!("Claimed by {claimant}. The alerts have stopped."), None)
        }
        (IncidentState::Claimed, claimant) => {
            let claimant = claimant.map_or("somebody", Person::as_str);
            let form = Form { token, name, button: "Take over", take_over: true };
            (format!("Claimed by {claimant}."), Some(form))
        }
        (IncidentState::Resolved, _) => ("This incident is resolved.".to_owned(), None),
    };
    html(status, &Page { heading, incident: Some(incident), form })
}

fn message(text: &str) -> Page<'_> {
    Page { heading: text.to_owned(), incident: None, form: None }
}

fn gone() -> Response {
    html(StatusCode::NOT_FOUND, &message("There is no such incident."))
}

fn outage(error: &inresponse_core::Outage) -> Response {
    tracing::error!(error = %error, "a claim page failed");
    html(StatusCode::SERVICE_UNAVAILABLE, &message("This does not work just now. Please try again."))
}

fn html(status: StatusCode, page: &Page<'_>) -> Response {
    let body = page.render().unwrap_or_else(|_| page.heading.clone());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, body).into_response()
}
