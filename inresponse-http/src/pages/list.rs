//! The list of incidents: open ones first, newest pages first, and on each page the worst severity on top.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::model::{Severity, State as IncidentState, TeamName};
use inresponse_core::store::{Census, ListQuery, Record};
use inresponse_core::{Engine, Outage};

use super::filter::{Filter, Mark};
use super::live::{Age, Live, PACE};
use super::session::SignedIn;
use super::words::{Moment, trouble};
use super::{Frame, Place, html, message, outage};
use crate::Api;
use crate::here::Here;
use crate::input::Params;

/// The number of incidents on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "list.html")]
struct Page {
    frame: Frame,
    filter: Filter,
    teams: Vec<TeamName>,
    /// The number of teams that have nobody on call on one of the next days.
    uncovered: usize,
    /// The live part of the page.
    live: Live,
}

/// Answers the list.
pub(super) async fn page(Here(api): Here, me: SignedIn, params: Params) -> Response {
    let filter = match Filter::read(params) {
        Ok(filter) => filter,
        Err(problem) => return message(&api, Some(&me.by), StatusCode::BAD_REQUEST, problem.detail()),
    };
    let looked = async {
        let live = live(&api, &filter, Age::Fresh).await?;
        Ok::<_, Outage>((live, api.engine().teams().await?, uncovered_teams(&api).await?))
    };
    match looked.await {
        Ok((live, teams, uncovered)) => {
            let frame = Frame::new(&api, Some(&me.by), Place::Incidents);
            html(StatusCode::OK, &Page { frame, filter, teams, uncovered, live })
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

/// How long the number of uncovered teams is reused, because counting asks the roster seven times for each team.
const UNCOVERED_FOR: Duration = Duration::from_secs(60);

async fn uncovered_teams(api: &Api) -> Result<usize, Outage> {
    // The second caller waits for the count of the first.
    let mut last = api.page_settings().uncovered.lock().await;
    let now = api.engine().clock().monotonic();
    if let Some((at, teams)) = *last
        && now.saturating_sub(at) < UNCOVERED_FOR
    {
        return Ok(teams);
    }
    let teams = api.engine().uncovered().await?.values().filter(|days| !days.is_empty()).count();
    *last = Some((now, teams));
    Ok(teams)
}

/// The template of the live part of the list.
#[derive(Template)]
#[template(path = "list_fragment.html")]
struct Fragment {
    at: String,
    counts: Vec<Count>,
    groups: Vec<Group>,
    census: Census,
    /// The number of unclaimed incidents for which somebody was reached or may still be reached.
    unanswered: u64,
    narrows: bool,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
}

/// The number of incidents in a state, with a link to them.
struct Count {
    name: &'static str,
    /// The number; empty if the store does not count incidents in this state.
    count: String,
    href: String,
    is_current: bool,
}

/// The incidents of a page that have the same state.
struct Group {
    name: &'static str,
    rows: Vec<Row>,
}

struct Row {
    number: u64,
    severity: Severity,
    state: IncidentState,
    title: String,
    service: String,
    team: String,
    since: Moment,
    count: u64,
    claimed_by: Option<String>,
    resolved_by: Option<String>,
    /// A problem of the alerting itself, such as that nobody could be reached.
    trouble: Option<String>,
}

impl Row {
    fn new(record: &Record) -> Self {
        let incident = &record.incident;
        let is_claimed = incident.state() == IncidentState::Claimed;
        Self {
            number: incident.number().value(),
            severity: incident.severity(),
            state: incident.state(),
            title: incident.title().to_owned(),
            service: incident.service().to_string(),
            team: incident.team().to_string(),
            since: Moment::age(incident.matrix().zone(), incident.created_at()),
            count: record.count,
            claimed_by: incident.claimed().filter(|_| is_claimed).map(|claimed| claimed.by.to_string()),
            resolved_by: incident.resolved().map(|resolved| resolved.by.to_string()),
            trouble: trouble(incident),
        }
    }

    fn is_open(&self) -> bool {
        self.state == IncidentState::Open
    }
}

async fn census(api: &Api, age: Age) -> Result<Census, Outage> {
    if age == Age::Fresh {
        return api.engine().census().await;
    }
    // The second caller waits for the count of the first.
    let mut last = api.page_settings().census.lock().await;
    let now = api.engine().clock().monotonic();
    match &*last {
        Some((at, census)) if now.saturating_sub(*at) < PACE => Ok(census.clone()),
        Some(_) | None => {
            let census = api.engine().census().await?;
            *last = Some((now, census.clone()));
            Ok(census)
        }
    }
}

/// The live part of the list.
pub(super) async fn live(api: &Api, filter: &Filter, age: Age) -> Result<Live, Outage> {
    Live::new(&fragment(api, filter, age).await?, filter.query())
}

/// Collects what the list shows.
async fn fragment(api: &Api, filter: &Filter, age: Age) -> Result<Fragment, Outage> {
    let (census, (records, next)) = (census(api, age).await?, find(api.engine(), filter).await?);
    let home = api.home();
    let href = |filter: &Filter| format!("{home}{}", filter.query());
    let count = |name, state, count| {
        let is_current = filter.state == state;
        let count = Option::<u64>::map_or_else(count, String::new, |count| count.to_string());
        Count { name, count, href: href(&filter.in_state(state)), is_current }
    };
    let counts = vec![
        count("Active", None, Some(census.open + census.claimed)),
        count("Open", Some(IncidentState::Open), Some(census.open)),
        count("Claimed", Some(IncidentState::Claimed), Some(census.claimed)),
        count("Resolved", Some(IncidentState::Resolved), census.resolved),
    ];
    let group = |state: IncidentState| {
        let mut rows: Vec<Row> =
            records.iter().filter(|r| r.incident.state() == state).map(Row::new).collect();
        rows.sort_by_key(|row| Reverse(row.severity));
        Group { name: name(state), rows }
    };
    Ok(Fragment {
        at: api.prefix().to_owned(),
        counts,
        groups: filter.states().into_iter().map(group).filter(|group| !group.rows.is_empty()).collect(),
        unanswered: census.unclaimed.saturating_sub(census.undelivered),
        census,
        narrows: filter.narrows() || !matches!(filter.state, None | Some(IncidentState::Open)),
        first: filter.from.map(|_| href(&filter.in_state(filter.state))),
        previous: filter.back().as_ref().map(href),
        next: next.map(|mark| href(&filter.onward(mark))),
    })
}

fn name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Open => "Open",
        IncidentState::Claimed => "Claimed",
        IncidentState::Resolved => "Resolved",
    }
}

/// Finds the incidents of one page, state by state, and where the next page begins.
async fn find(engine: &Engine, filter: &Filter) -> Result<(Vec<Record>, Option<Mark>), Outage> {
    let (mut found, mut seen): (Vec<Record>, _) = (Vec::new(), HashSet::new());
    let begins_in = filter.from.map(|mark| mark.state);
    for state in
        filter.states().into_iter().skip_while(|state| begins_in.is_some_and(|begins| begins != *state))
    {
        let below = filter.from.filter(|mark| mark.state == state).map(|mark| mark.below);
        let query = ListQuery {
            state: Some(state),
            team: filter.team.clone(),
            service: filter.service.clone(),
            severity: filter.severity,
            below,
            // One more incident than the page shows is read, to know whether there is a next page.
            limit: PAGE + 1 - found.len(),
        };
        // An incident that was claimed since the previous query is in both results.
        found.extend(engine.list(&query).await?.into_iter().filter(|record| seen.insert(record.number())));
        if found.len() > PAGE {
            break;
        }
    }
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| Mark { state: last.incident.state(), below: last.number() });
    Ok((found, next))
}
