//! The page behind the link in an alert.
//!
//! Mail scanners follow links, so opening the page changes nothing: only its form does.

use std::time::Duration;

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use inresponse_core::claim::{ClaimToken, TokenError};
use inresponse_core::engine::Updated;
use inresponse_core::model::{
    Contact, Incident, IncidentNumber, KeyName, Person, Severity, Signature, State as IncidentState,
};
use inresponse_core::plan::{self, StateChange, TakeOver, Update};

use super::acts::in_turn;
use super::incident::{claim_ends, links};
use super::words::{Moment, Told, alerted};
use super::{Frame, Place, html, message, told_outage};
use crate::Api;
use crate::carry::carried_through;
use crate::here::Here;
use crate::input::{Params, Path, number};
use crate::problem::Problem;

/// How much longer a claim lasts after the button that snoozes it.
const SNOOZE: Duration = Duration::from_secs(3600);
/// The maximum size of the form, in bytes.
pub(super) const MAX_FORM: usize = 4096;

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
    /// Since when the incident has had this state.
    since: Option<Moment>,
    /// The time by which the person who was handed the incident must answer.
    answer_by: Option<Moment>,
    /// When the claim ends, if no answer is expected before.
    claim_ends: Option<Moment>,
    form: Option<Form>,
    links: Vec<(String, String)>,
    /// The people alerted so far, with the result of each alert.
    told: Vec<Told>,
    round: u32,
}

struct Form {
    token: String,
    /// The suggested name of the claimant. `None` for the person who already has the incident.
    name: Option<String>,
    take_over: TakeOver,
    buttons: Vec<Button>,
}

/// A button and its action.
struct Button {
    text: &'static str,
    then: Then,
}

/// The action after the claim, or instead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Resolve,
    Release,
    Snooze,
}

impl Then {
    fn read(text: &str) -> Self {
        match text {
            "resolve" => Self::Resolve,
            "release" => Self::Release,
            "snooze" => Self::Snooze,
            _ => Self::Nothing,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Resolve => "resolve",
            Self::Release => "release",
            Self::Snooze => "snooze",
        }
    }
}

impl Form {
    fn takes_over(&self) -> bool {
        self.take_over == TakeOver::Yes
    }
}

/// The content of a valid link.
struct Link {
    token: String,
    verified: ClaimToken,
    /// The action of the first button.
    then: Then,
}

/// The page with the claim button. Opening the page changes nothing.
#[utoipa::path(get, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert"),
        ("then" = Option<String>, Query, description = "the first button of the page: `resolve`, `release` or `snooze`")),
    responses(
        (status = 200, description = "a page with a button", body = String, content_type = "text/html"),
        (status = 400, description = "the path contains no incident number", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
        (status = 403, description = "the link in the alert is invalid", body = String, content_type = "text/html"),
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
            let me = record.incident.claimant_at(&link.verified.recipient).ok();
            current(&api, &record.incident, link, me.as_ref(), StatusCode::OK)
        }
        Ok(None) => gone(&api),
        Err(error) => outage(&api, &error),
    }
}

/// Claims the incident for the name in the form; by default for the recipient of the alert.
#[utoipa::path(post, path = "/incidents/{incidentId}/claim", tag = "incidents",
    params(("incidentId" = u64, Path), ("token" = String, Query, description = "from the link in an alert")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`name`: who claims; `takeOver=yes`: claims it even if somebody else has it; `then=resolve`: also resolves it; \
            `then=release`: the person who has it gives it back; `then=snooze`: claims it, and the claim ends in an hour"),
    responses(
        (status = 200, description = "claimed", body = String, content_type = "text/html"),
        (status = 400, description = "the name is invalid", body = String, content_type = "text/html"),
        (status = 404, description = "no such incident", body = String, content_type = "text/html"),
        (status = 413, description = "the form is too large", body = String, content_type = "text/html"),
        (status = 403, description = "the link in the alert is invalid", body = String, content_type = "text/html"),
        (status = 409, description = "somebody else has the incident, or it is resolved", body = String, content_type = "text/html"),
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
        return message(&api, None, StatusCode::PAYLOAD_TOO_LARGE, "Request too large");
    };
    let Given { name, take_over, then } = Given::read(&form);
    link.then = then;
    let by = match name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Person::new(name),
        None => match api.engine().get(link.verified.incident).await {
            Ok(Some(record)) => record.incident.claimant_at(&link.verified.recipient),
            Ok(None) => return gone(&api),
            Err(error) => return outage(&api, &error),
        },
    };
    let by = match by {
        Ok(by) => by,
        Err(error) => {
            let what = error.errors().first().map_or("is invalid", |e| e.message());
            return message(&api, None, StatusCode::BAD_REQUEST, &format!("The name {what}."));
        }
    };
    let changes = match then {
        Then::Nothing => vec![StateChange::Claim(take_over)],
        Then::Resolve => vec![StateChange::Claim(take_over), StateChange::Resolve],
        Then::Release => vec![StateChange::Release(TakeOver::No)],
        // If the claim has ended meanwhile, it is claimed again.
        Then::Snooze => vec![StateChange::Claim(take_over), StateChange::Snooze(SNOOZE)],
    };
    // Everybody who has the link of a shared address was called in there.
    let asked_at = Some(link.verified.recipient.clone());
    let update = |change| Update {
        asked_at: asked_at.clone(),
        ..Update::state(by.clone(), change).with_key(KeyName::link())
    };
    let updates = changes.into_iter().map(update).collect();
    let (engine, number) = (api.engine().clone(), link.verified.incident);
    match carried_through(api.recipients(), async move { in_turn(&engine, number, updates).await }).await {
        Ok(Updated::Changed(record) | Updated::Unchanged(record)) => {
            current(&api, &record.incident, link, Some(&by), StatusCode::OK)
        }
        Ok(Updated::Refused(record, _)) => {
            // If the button is pressed twice, the second press succeeds too.
            let is_done = record.incident.resolved().is_some_and(|resolved| resolved.by.is(&by));
            let status = if is_done && then == Then::Resolve { StatusCode::OK } else { StatusCode::CONFLICT };
            current(&api, &record.incident, link, Some(&by), status)
        }
        Ok(Updated::Absent) => gone(&api),
        Err(error) => outage(&api, &error),
    }
}

/// Reads the query, if its token is valid for the incident in the path.
fn verify(
    api: &Api,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
) -> Result<Link, Box<Response>> {
    let refused = |status, text| Box::new(message(api, None, status, text));
    let token = params.take("token", |text| Ok(text.to_owned())).unwrap_or_default();
    let then = params.take("then", |text| Ok(Then::read(text))).unwrap_or(Then::Nothing);
    let in_path: Option<IncidentNumber> = in_path.ok().and_then(|Path(text)| number(&text).ok());
    let number = in_path.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "Invalid incident number"))?;
    match api.engine().verify_claim(number, &token) {
        Ok(verified) => Ok(Link { token, verified, then }),
        Err(TokenError::Expired) => Err(refused(StatusCode::FORBIDDEN, "This link has expired.")),
        Err(_) => Err(refused(StatusCode::FORBIDDEN, "This link is not valid.")),
    }
}

/// Whether a request uses a valid link.
pub(super) fn has_link(api: &Api, uri: &Uri) -> bool {
    let incident = uri.path().strip_suffix("/claim").and_then(|path| path.rsplit_once('/'));
    let Some(incident) = incident.and_then(|(_, last)| number(last).ok()) else { return false };
    let query = uri.query().unwrap_or_default().as_bytes();
    let token = form_urlencoded::parse(query).find(|(name, _)| name == "token");
    token.is_some_and(|(_, token)| api.engine().verify_claim(incident, &token).is_ok())
}

/// The fields of the form.
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

/// The page of an incident in its current state; `me` is the person who claims or could claim.
fn current(api: &Api, incident: &Incident, link: Link, me: Option<&Person>, status: StatusCode) -> Response {
    let is_theirs = |holder: &Person| me.is_some_and(|me| holder.is(me));
    let button = |text, then| Button { text, then };
    let zone = incident.matrix().zone();
    let (heading, since, form) = match (incident.state(), incident.claimed()) {
        (IncidentState::Open, _) => {
            let buttons = vec![button("Claim", Then::Nothing), button("Claim and resolve", Then::Resolve)];
            ("Nobody has this incident yet".to_owned(), None, Some((TakeOver::No, buttons)))
        }
        (IncidentState::Claimed, Some(claimed)) if is_theirs(&claimed.by) => {
            let mut buttons = vec![button("Resolve", Then::Resolve), button("Release", Then::Release)];
            if plan::claim_ends_at(incident).is_some() {
                buttons.push(button("Keep it for another hour", Then::Snooze));
            }
            let heading = if incident.handover().is_some() {
                buttons.insert(0, button("I have it", Then::Nothing));
                "It was handed to you".to_owned()
            } else {
                format!("Claimed by {}. The alerts have stopped", claimed.by)
            };
            (heading, Some(claimed.at), Some((TakeOver::No, buttons)))
        }
        (IncidentState::Claimed, Some(claimed)) if is_called(incident, &link.verified.recipient, me) => {
            let (heading, since, main) = match responder(incident, &link.verified.recipient, me) {
                Some(one) => (format!("{} has it, and you help", claimed.by), one.at, "Take over"),
                None => (format!("You were called in; {} has it", claimed.by), claimed.at, "I'm on it"),
            };
            let take_over = if main == "Take over" { TakeOver::Yes } else { TakeOver::No };
            (heading, Some(since), Some((take_over, vec![button(main, Then::Nothing)])))
        }
        (IncidentState::Claimed, claimed) => {
            let heading = format!("Claimed by {}", claimed.map_or("somebody", |claimed| claimed.by.as_str()));
            let buttons =
                vec![button("Take over", Then::Nothing), button("Take over and resolve", Then::Resolve)];
            (heading, claimed.map(|claimed| claimed.at), Some((TakeOver::Yes, buttons)))
        }
        (IncidentState::Resolved, _) => {
            let resolved = incident.resolved();
            let by = resolved.map_or("somebody", |resolved| resolved.by.as_str());
            (format!("Resolved by {by}"), resolved.map(|resolved| resolved.at), None)
        }
    };
    let Link { token, verified, then } = link;
    let form = form.map(|(take_over, mut buttons)| {
        buttons.sort_by_key(|button| button.then != then);
        let name = match incident.person_at(&verified.recipient) {
            Some(_) => None,
            None => me.cloned().or_else(|| Person::at(&verified.recipient).ok()).map(|me| me.to_string()),
        };
        Form { token, name, take_over, buttons }
    });
    let is_asked = incident.claimed().is_some_and(|claimed| is_theirs(&claimed.by));
    let answer_by = plan::answer_by(incident).filter(|_| is_asked);
    let page = Page {
        frame: Frame::new(api, None, Place::Elsewhere),
        number: incident.number().value(),
        severity: incident.severity(),
        service: incident.service().to_string(),
        title: incident.title().to_owned(),
        message: incident.message().to_owned(),
        reported: Moment::with_utc(zone, incident.created_at()),
        heading,
        since: since.map(|since| Moment::clock(zone, since)),
        answer_by: answer_by.map(|at| Moment::clock(zone, at)),
        claim_ends: claim_ends(incident).map(|at| Moment::clock(zone, at)),
        form,
        links: links(incident),
        told: alerted(incident),
        round: incident.round(),
    };
    html(status, &page)
}

/// Whether the link is one of a call, or the person was called in at another address.
fn is_called(incident: &Incident, recipient: &Contact, me: Option<&Person>) -> bool {
    let calls = incident.deliveries().iter().filter(|d| d.key().round == incident.round());
    let mut calls = calls.filter_map(|d| Some((d.contact(), d.called()?)));
    calls.any(|(contact, called)| {
        let names_me = |person| me.is_some_and(|me| Person::from(person).is(me));
        contact == recipient || called.people.iter().any(names_me)
    })
}

fn responder<'a>(incident: &'a Incident, recipient: &Contact, me: Option<&Person>) -> Option<&'a Signature> {
    let is_theirs =
        |one: &&Signature| me.is_some_and(|me| one.by.is(me)) || incident.is_at(&one.by, recipient);
    incident.responders().iter().find(is_theirs)
}

fn gone(api: &Api) -> Response {
    message(api, None, StatusCode::NOT_FOUND, "There is no such incident.")
}

fn outage(api: &Api, error: &inresponse_core::Outage) -> Response {
    told_outage(api, None, error)
}
