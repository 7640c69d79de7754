//! One incident: who has it, what can be done, and everything that is known.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::model::{IncidentNumber, Person, Severity, State as IncidentState, TeamName};
use inresponse_core::plan;
use inresponse_core::store::Record;

use super::events::{self, View};
use super::list::trouble;
use super::session::SignedIn;
use super::words::{Line, Moment, Told, capital, names};
use super::{Frame, Place, html, message, outage};
use crate::Api;
use crate::input::{NoParams, Path, number};
use crate::problem::Problem;
use crate::site::Here;

#[derive(Template)]
#[template(path = "incident.html")]
struct Page {
    frame: Frame,
    number: IncidentNumber,
    /// Why what was asked for was not done.
    refused: Option<String>,
    /// A note that was not taken.
    note: String,
    /// To whom it can be handed.
    teams: Vec<TeamName>,
    live: events::Live,
}

/// The incident.
pub(super) async fn page(
    Here(api): Here,
    me: SignedIn,
    _: NoParams,
    in_path: Result<Path<String>, Problem>,
) -> Response {
    match in_path.ok().and_then(|Path(text)| number(&text).ok()) {
        Some(number) => show(&api, &me.by, number, StatusCode::OK, None, String::new()).await,
        None => message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such incident."),
    }
}

/// The page, with what was refused.
pub(super) async fn show(
    api: &Api,
    me: &Person,
    number: IncidentNumber,
    status: StatusCode,
    refused: Option<String>,
    note: String,
) -> Response {
    let live = match events::live(api, View::Incident(number), me).await {
        Ok(live) => live,
        Err(response) => return *response,
    };
    match api.engine().roster().teams().await {
        Ok(teams) => {
            let frame = Frame::new(api, Some(me), Place::Incidents);
            html(status, &Page { frame, number, refused, note, teams, live })
        }
        Err(error) => outage(api, me, &error),
    }
}

/// What changes of it.
#[derive(Template)]
#[template(path = "incident_fragment.html")]
pub(super) struct Fragment {
    at: String,
    number: u64,
    severity: Severity,
    state: IncidentState,
    title: String,
    message: String,
    service: String,
    team: String,
    source: Option<String>,
    detected: Moment,
    reported: Moment,
    last_reported: Option<Moment>,
    count: u64,
    dedup_key: Option<String>,
    labels: Vec<(String, String)>,
    links: Vec<(String, String)>,
    /// Who has it, or ended it, and when.
    holder: Option<(String, Moment)>,
    /// Whether that is whoever looks.
    is_mine: bool,
    trouble: Option<&'static str>,
    /// Who is alerted when, unless somebody claims it.
    upcoming: Vec<(Moment, String, String)>,
    round: u32,
    told: Vec<Told>,
    timeline: Vec<Line>,
}

pub(super) fn fragment(api: &Api, record: &Record, me: &Person) -> Fragment {
    let incident = &record.incident;
    let holder = match incident.state() {
        IncidentState::Open => None,
        IncidentState::Claimed => incident.claimed(),
        IncidentState::Resolved => incident.resolved(),
    };
    let upcoming = match incident.state() {
        IncidentState::Open => plan::outlook(incident),
        IncidentState::Claimed | IncidentState::Resolved => Vec::new(),
    };
    let upcoming = upcoming.into_iter();
    let pairs = |pair: (&String, &String)| (pair.0.clone(), pair.1.clone());
    Fragment {
        at: api.prefix().to_owned(),
        number: incident.number().value(),
        severity: incident.severity(),
        state: incident.state(),
        title: incident.title().to_owned(),
        message: incident.message().to_owned(),
        service: incident.service().to_string(),
        team: incident.team().to_string(),
        source: incident.source().map(ToString::to_string),
        detected: Moment::clock(incident.detected_at()),
        reported: Moment::clock(incident.created_at()),
        last_reported: (record.count > 1).then(|| Moment::clock(record.last_reported_at)),
        count: record.count,
        dedup_key: incident.dedup_key().map(ToString::to_string),
        labels: incident.labels().iter().map(pairs).collect(),
        links: incident.links().iter().map(|l| (l.text().to_owned(), l.url().to_owned())).collect(),
        is_mine: holder.is_some_and(|signature| signature.by.is(me)),
        holder: holder.map(|signature| (signature.by.to_string(), Moment::clock(signature.at))),
        trouble: trouble(incident),
        upcoming: upcoming
            .map(|(level, at)| (Moment::clock(at), capital(level), names(incident.matrix().contacts(level))))
            .collect(),
        round: incident.round(),
        told: incident.deliveries().iter().rev().map(Told::from).collect(),
        timeline: incident.timeline().entries().iter().rev().map(Line::from).collect(),
    }
}

impl Fragment {
    fn is_open(&self) -> bool {
        self.state == IncidentState::Open
    }

    fn is_claimed(&self) -> bool {
        self.state == IncidentState::Claimed
    }
}
