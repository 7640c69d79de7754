//! The page behind the link in a bundle: claim all of these (promise 23).
//!
//! Each incident is claimed by its own swap. What somebody else has stays theirs, and the page says which. Mail scanners
//! follow links, so opening the page changes nothing.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use inresponse_core::claim::{ClaimsToken, TokenError};
use inresponse_core::engine::ClaimedOne;
use inresponse_core::model::{Incident, Person, Severity, State};
use inresponse_core::{Engine, Outage};

use super::claim::MAX_FORM;
use super::{Frame, Place, html, message, told_outage};
use crate::Api;
use crate::carry::carried_through;
use crate::here::Here;
use crate::input::Params;

/// How many incidents are read at once for one request.
const AT_ONCE: usize = 16;

#[derive(Template)]
#[template(path = "claims.html")]
struct Page {
    frame: Frame,
    heading: String,
    form: Option<Form>,
    rows: Vec<Row>,
}

struct Form {
    token: String,
    /// The suggested name of the claimant. `None` if the recipient is a person.
    name: Option<String>,
}

struct Row {
    number: u64,
    severity: Severity,
    service: String,
    title: String,
    standing: String,
}

/// An incident of the bundle, and the result of a request to claim it.
struct One {
    incident: Incident,
    /// It could not be claimed because of an outage.
    failed: bool,
}

/// The page with all incidents of a bundle and a button that claims them. Opening the page changes nothing.
#[utoipa::path(get, path = "/claims", operation_id = "bundle_page", tag = "incidents",
    params(("token" = String, Query, description = "from the link in a message about many incidents")),
    responses(
        (status = 200, description = "a page with a button", body = String, content_type = "text/html"),
        (status = 403, description = "the link in the message is invalid", body = String, content_type = "text/html"),
        (status = 404, description = "none of the incidents exists", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn page(Here(api): Here, params: Params) -> Response {
    let (text, token) = match verify(&api, params) {
        Ok(verified) => verified,
        Err(response) => return *response,
    };
    match read(api.engine(), &token).await {
        Ok(all) => {
            let asked = all.iter().filter(|one| one.incident.state() == State::Open).count();
            let heading = match asked {
                0 => "Nobody needs to claim any of these".to_owned(),
                _ => format!("Nobody has {asked} of these {} incidents yet", all.len()),
            };
            shown(&api, text, &token, all, heading, StatusCode::OK)
        }
        Err(error) => told_outage(&api, None, &error),
    }
}

/// Claims each incident of a bundle for the name in the form; by default for the recipient of the message. What somebody
/// else has stays theirs.
#[utoipa::path(post, path = "/claims", operation_id = "claim_bundle", tag = "incidents",
    params(("token" = String, Query, description = "from the link in a message about many incidents")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`name`: who claims"),
    responses(
        (status = 200, description = "what could be claimed is claimed; the page says who has the others", body = String,
            content_type = "text/html"),
        (status = 400, description = "the name is invalid", body = String, content_type = "text/html"),
        (status = 403, description = "the link in the message is invalid", body = String, content_type = "text/html"),
        (status = 404, description = "none of the incidents exists", body = String, content_type = "text/html"),
        (status = 409, description = "none could be claimed: somebody else has them, or they are resolved", body = String,
            content_type = "text/html"),
        (status = 413, description = "the form is too large", body = String, content_type = "text/html"),
        (status = 503, description = "some could not be claimed: try again", body = String, content_type = "text/html"),
    ))]
pub(crate) async fn claim(Here(api): Here, params: Params, request: Request) -> Response {
    let (text, token) = match verify(&api, params) {
        Ok(verified) => verified,
        Err(response) => return *response,
    };
    let Ok(form) = to_bytes(request.into_body(), MAX_FORM).await else {
        return message(&api, None, StatusCode::PAYLOAD_TOO_LARGE, "Request too large");
    };
    let name = form_urlencoded::parse(form.trim_ascii()).find(|(field, _)| field == "name");
    let name = name.map(|(_, name)| name.trim().to_owned()).filter(|name| !name.is_empty());
    let by = match name.map(Person::new).transpose() {
        Ok(by) => by,
        Err(error) => {
            let what = error.errors().first().map_or("is invalid", |e| e.message());
            return message(&api, None, StatusCode::BAD_REQUEST, &format!("The name {what}."));
        }
    };
    let (engine, given) = (api.engine().clone(), token.clone());
    let claiming = async move { Ok(engine.claim_all(&given.incidents, &given.recipient, by.as_ref()).await) };
    match carried_through(api.recipients(), claiming).await {
        Ok(claimed) => {
            let Claimed { all, yours, failed } = Claimed::of(&claimed);
            let status = match (yours, failed) {
                (_, 1..) => StatusCode::SERVICE_UNAVAILABLE,
                (0, 0) => StatusCode::CONFLICT,
                (1.., 0) => StatusCode::OK,
            };
            let again = match failed {
                0 => String::new(),
                failed => format!(". {failed} could not be claimed now: try again"),
            };
            let heading = format!("You have {yours} of these {} incidents{again}", all.len());
            shown(&api, text, &token, all, heading, status)
        }
        Err(error) => told_outage(&api, None, &error),
    }
}

/// The result of claiming all of them.
struct Claimed {
    all: Vec<One>,
    /// How many the claimant has now.
    yours: usize,
    failed: usize,
}

impl Claimed {
    fn of(results: &[ClaimedOne]) -> Self {
        let shown = |one: &ClaimedOne| {
            let incident = one.record()?.incident.clone();
            Some(One { incident, failed: one.result.is_err() })
        };
        Self {
            all: results.iter().filter_map(shown).collect(),
            yours: results.iter().filter(|one| one.is_theirs()).count(),
            failed: results.iter().filter(|one| one.result.is_err()).count(),
        }
    }
}

async fn read(engine: &Engine, token: &ClaimsToken) -> Result<Vec<One>, Outage> {
    let reading = token.incidents.clone().into_iter().map(|number| engine.get(number));
    let read: Vec<_> = stream::iter(reading).buffered(AT_ONCE).collect().await;
    let records = read.into_iter().collect::<Result<Vec<_>, Outage>>()?;
    Ok(records.into_iter().flatten().map(|r| One { incident: r.incident, failed: false }).collect())
}

fn shown(
    api: &Api,
    text: String,
    token: &ClaimsToken,
    mut all: Vec<One>,
    heading: String,
    status: StatusCode,
) -> Response {
    if all.is_empty() && status != StatusCode::SERVICE_UNAVAILABLE {
        return message(api, None, StatusCode::NOT_FOUND, "There are no such incidents.");
    }
    all.sort_by_key(|one| (std::cmp::Reverse(one.incident.severity()), one.incident.number()));
    let is_asked = all.iter().any(|one| one.failed || one.incident.state() == State::Open);
    let is_person = all.iter().all(|one| one.incident.person_at(&token.recipient).is_some());
    let name = if is_person { None } else { Person::at(&token.recipient).ok().map(|name| name.to_string()) };
    let page = Page {
        frame: Frame::new(api, None, Place::Elsewhere),
        heading,
        form: is_asked.then_some(Form { token: text, name }),
        rows: all.iter().map(row).collect(),
    };
    html(status, &page)
}

fn row(one: &One) -> Row {
    let incident = &one.incident;
    let by = |by: Option<&Person>| by.map_or_else(|| "somebody".to_owned(), ToString::to_string);
    let standing = match incident.state() {
        _ if one.failed => "Could not be claimed now".to_owned(),
        State::Open => "Nobody has it".to_owned(),
        State::Claimed => format!("Claimed by {}", by(incident.claimed().map(|claimed| &claimed.by))),
        State::Resolved => format!("Resolved by {}", by(incident.resolved().map(|resolved| &resolved.by))),
    };
    Row {
        number: incident.number().value(),
        severity: incident.severity(),
        service: incident.service().to_string(),
        title: incident.title().to_owned(),
        standing,
    }
}

/// Reads the query, if its token is valid.
fn verify(api: &Api, mut params: Params) -> Result<(String, ClaimsToken), Box<Response>> {
    let refused = |text| Box::new(message(api, None, StatusCode::FORBIDDEN, text));
    let text = params.take("token", |text| Ok(text.to_owned())).unwrap_or_default();
    match api.engine().verify_claims(&text) {
        Ok(token) => Ok((text, token)),
        Err(TokenError::Expired) => Err(refused("This link has expired.")),
        Err(_) => Err(refused("This link is not valid.")),
    }
}

/// Whether a request uses a valid link of a bundle.
pub(super) fn has_link(api: &Api, uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default().as_bytes();
    let token = form_urlencoded::parse(query).find(|(name, _)| name == "token");
    uri.path().ends_with("/claims")
        && token.is_some_and(|(_, token)| api.engine().verify_claims(&token).is_ok())
}
