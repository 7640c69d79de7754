//! The page of one incident: who has it, what can be done, and all its details.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use inresponse_core::model::{
    Incident, IncidentNumber, Person, PersonId, Severity, State as IncidentState, TeamName,
};
use inresponse_core::roster::{MatchOp, Matcher, Silence};
use inresponse_core::store::Record;
use inresponse_core::{Outage, plan};

use super::live::Live;
use super::session::SignedIn;
use super::words::{self, Line, Moment, Told, trouble, upcoming};
use super::{Frame, Place, html, message, outage};
use crate::Api;
use crate::here::Here;
use crate::input::{NoParams, Path, number};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "incident.html")]
struct Page {
    frame: Frame,
    number: IncidentNumber,
    /// Why the request was refused.
    refused: Option<String>,
    /// The text of a note that was refused, so that the reader need not type it again.
    note: String,
    /// A warning about the receiver of a hand-over, which the reader must confirm.
    doubt: Option<Doubt>,
    /// The teams that the incident can be handed to.
    teams: Vec<TeamName>,
    /// The people who can be called in.
    people: Vec<PersonId>,
    /// The conditions of a silence that matches this incident.
    matchers: String,
    live: Live,
}

/// A warning about the receiver of a hand-over: not in the roster, or cannot be notified.
pub(super) struct Doubt {
    /// The receiver of the hand-over.
    pub(super) person: Person,
    /// The reason for the warning.
    pub(super) why: String,
}

/// The parts of a refused request that the page shows again.
#[derive(Default)]
pub(super) struct Undone {
    /// Why the request was refused.
    pub(super) refused: Option<String>,
    /// The text of a note that was refused.
    pub(super) note: String,
    /// The hand-over that the reader must confirm.
    pub(super) doubt: Option<Doubt>,
}

/// Answers the page of one incident.
pub(super) async fn page(
    Here(api): Here,
    me: SignedIn,
    _: NoParams,
    in_path: Result<Path<String>, Problem>,
) -> Response {
    match in_path.ok().and_then(|Path(text)| number(&text).ok()) {
        Some(number) => show(&api, &me.by, number, StatusCode::OK, Undone::default()).await,
        None => message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such incident."),
    }
}

/// The page of one incident. After a request that was not carried out, the page says why and shows a refused note
/// again, or asks the reader to confirm a hand-over.
pub(super) async fn show(
    api: &Api,
    me: &Person,
    number: IncidentNumber,
    status: StatusCode,
    undone: Undone,
) -> Response {
    let record = match api.engine().get(number).await {
        Ok(Some(record)) => record,
        Ok(None) => return message(api, Some(me), StatusCode::NOT_FOUND, "There is no such incident."),
        Err(error) => return outage(api, me, &error),
    };
    let live = match live_of(api, &record, me) {
        Ok(live) => live,
        Err(error) => return outage(api, me, &error),
    };
    let roster = async { Ok((api.engine().teams().await?, api.engine().book().await?)) };
    match roster.await {
        Ok((teams, book)) => {
            let frame = Frame::new(api, Some(me), Place::Incidents);
            let Undone { refused, note, doubt } = undone;
            let people = book.people().keys().cloned().collect();
            let matchers = matchers_of(&record.incident);
            html(status, &Page { frame, number, refused, note, doubt, teams, people, matchers, live })
        }
        Err(error) => outage(api, me, &error),
    }
}

/// The template of the live part of the page.
#[derive(Template)]
#[template(path = "incident_fragment.html")]
struct Fragment {
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
    /// Who has the incident, or resolved it, and when.
    holder: Option<(String, Moment)>,
    /// Whether the reader has the incident.
    is_mine: bool,
    /// Who was called in and helps.
    responders: String,
    /// Whether the reader was called in and has not answered.
    is_called: bool,
    /// The time by which the person who was handed the incident must answer.
    answer_by: Option<Moment>,
    /// When the claim ends, if no answer is expected before.
    claim_ends: Option<Moment>,
    /// Until when nobody is alerted, and why.
    quiet: Option<String>,
    /// What a routing rule decided.
    routed: Option<String>,
    trouble: Option<String>,
    /// The next alerts and their times, unless somebody claims the incident.
    upcoming: Vec<(Moment, String)>,
    may_escalate: bool,
    round: u32,
    told: Vec<Told>,
    timeline: Vec<Line>,
}

/// The live part of the page; `None` if there is no such incident.
pub(super) async fn live(api: &Api, number: IncidentNumber, me: &Person) -> Result<Option<Live>, Outage> {
    let record = api.engine().get(number).await?;
    record.map(|record| live_of(api, &record, me)).transpose()
}

fn live_of(api: &Api, record: &Record, me: &Person) -> Result<Live, Outage> {
    Live::new(&fragment(api, record, me), format!("?incident={}", record.incident.number()))
}

fn fragment(api: &Api, record: &Record, me: &Person) -> Fragment {
    let incident = &record.incident;
    let holder = match incident.state() {
        IncidentState::Open => None,
        IncidentState::Claimed => incident.claimed(),
        IncidentState::Resolved => incident.resolved(),
    };
    let zone = incident.matrix().zone();
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
        detected: Moment::with_utc(zone, incident.detected_at()),
        reported: Moment::with_utc(zone, incident.created_at()),
        last_reported: (record.count > 1).then(|| Moment::with_utc(zone, record.last_reported_at)),
        count: record.count,
        dedup_key: incident.dedup_key().map(ToString::to_string),
        labels: incident.labels().iter().map(pairs).collect(),
        links: links(incident),
        responders: incident.responders().iter().map(|one| one.by.to_string()).collect::<Vec<_>>().join(", "),
        is_called: is_called(incident, me),
        is_mine: holder.is_some_and(|signature| signature.by.is(me)),
        holder: holder.map(|signature| (signature.by.to_string(), Moment::clock(zone, signature.at))),
        claim_ends: claim_ends(incident).map(|at| Moment::clock(zone, at)),
        quiet: incident.quiet().map(|quiet| words::quiet(incident, quiet.until, &quiet.why)),
        routed: incident.routed().map(words::routed),
        answer_by: plan::answer_by(incident).map(|at| Moment::clock(zone, at)),
        trouble: trouble(incident),
        upcoming: upcoming(incident),
        may_escalate: plan::may_escalate(incident),
        round: incident.round(),
        told: incident.deliveries().iter().rev().map(|delivery| Told::new(incident, delivery)).collect(),
        timeline: plan::history(incident)
            .iter()
            .rev()
            .map(|happened| Line::new(incident, happened))
            .collect(),
    }
}

/// The text and address of each link in the report.
pub(super) fn links(incident: &Incident) -> Vec<(String, String)> {
    incident.links().iter().map(|link| (link.text().to_owned(), link.url().to_owned())).collect()
}

impl Fragment {
    fn is_open(&self) -> bool {
        self.state == IncidentState::Open
    }

    fn is_claimed(&self) -> bool {
        self.state == IncidentState::Claimed
    }
}

/// Whether the person was called in during this round and has not answered.
fn is_called(incident: &Incident, me: &Person) -> bool {
    let calls = incident.deliveries().iter().filter(|d| d.key().round == incident.round());
    let mut people = calls.filter_map(|d| d.called()).flat_map(|called| &called.people);
    let has_answered = incident.responders().iter().any(|one| one.by.is(me));
    !has_answered && people.any(|person| Person::from(person).is(me))
}

/// When the claim ends; `None` if an answer is expected, which is shown instead.
pub(super) fn claim_ends(incident: &Incident) -> Option<DateTime<Utc>> {
    plan::claim_ends_at(incident).filter(|_| plan::answer_by(incident).is_none())
}

/// The conditions that an incident fulfils, one in each line: its service and its labels.
fn matchers_of(incident: &Incident) -> String {
    let is_field = |name: &str| ["service", "team", "severity"].contains(&name);
    let labels = incident.labels().iter().filter(|(name, _)| !is_field(name));
    let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
    let all = std::iter::once(("service", incident.service().as_str())).chain(labels);
    let matchers = all.filter_map(|(name, value)| {
        let matcher = Matcher::new(name, MatchOp::Equal, value).ok()?;
        let line = matcher.to_string();
        // A name with an operator in it cannot be written.
        (line.parse().ok().as_ref() == Some(&matcher)).then_some(line)
    });
    matchers.take(Silence::MAX_MATCHERS).collect::<Vec<_>>().join("\n")
}
