//! The list of incidents: open ones first, newest pages first, and on each page the worst severity on top. Resolved
//! incidents are in the order in which they were resolved, last first.

use std::cmp::Reverse;
use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::Outage;
use inresponse_core::model::{Person, Severity, State as IncidentState, TeamName};
use inresponse_core::roster::EntryKind;
use inresponse_core::store::{Census, Record};

use super::filter::{Filter, MAX_SERVICE, MAX_WORDS, Need};
use super::first_steps::{self, FirstSteps};
use super::live::{Age, Live, PACE};
use super::search::{Count as Number, End, MOST_READ, Search};
use super::session::SignedIn;
use super::several::{self, Asked};
use super::words::{Moment, trouble};
use super::{Frame, Place, html, message, outage};
use crate::Api;
use crate::here::Here;
use crate::input::Params;

/// The number of services that the filter suggests.
const SUGGESTED: usize = 500;
/// What the reader has claimed is counted on every page only if no more incidents than this are claimed.
const COUNTED: u64 = 200;

#[derive(Template)]
#[template(path = "list.html")]
struct Page {
    frame: Frame,
    filter: Filter,
    teams: Vec<TeamName>,
    services: Vec<String>,
    /// Who has the incidents that the reader has just tried to claim.
    told: Vec<several::Told>,
    /// The number of teams that have nobody on call on one of the next days.
    uncovered: usize,
    /// The first steps, if nothing is listed and some of them are not done.
    first_steps: Option<FirstSteps>,
    /// The live part of the page.
    live: Live,
}

impl Page {
    const MAX_SERVICE: usize = MAX_SERVICE;
    const MAX_WORDS: usize = MAX_WORDS;
}

/// Answers the list.
pub(super) async fn page(Here(api): Here, me: SignedIn, mut params: Params) -> Response {
    let asked = params.take("asked", Asked::read).unwrap_or_default();
    let filter = match Filter::read(params) {
        Ok(filter) => filter,
        Err(problem) => return message(&api, Some(&me.by), StatusCode::BAD_REQUEST, problem.detail()),
    };
    let looked = async {
        let part = fragment(&api, &filter, &me.by, Age::Fresh).await?;
        let first_steps = match part.groups.is_empty() && !part.narrows {
            true => Some(first_steps::look(&api, &me).await?).filter(|steps| !steps.are_done()),
            false => None,
        };
        let live = (Live::new(&part, filter.query())?, first_steps);
        let told = several::told(&api, &me, &asked).await?;
        let teams = api.engine().teams().await?;
        Ok::<_, Outage>((live, told, teams, services(&api).await?, uncovered_teams(&api).await?))
    };
    match looked.await {
        Ok(((live, first_steps), told, teams, services, uncovered)) => {
            let frame = Frame::new(&api, Some(&me.by), Place::Incidents);
            html(StatusCode::OK, &Page { frame, filter, teams, services, told, uncovered, first_steps, live })
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

/// The names of services that the filter suggests.
async fn services(api: &Api) -> Result<Vec<String>, Outage> {
    let listed = api.engine().roster().entries(EntryKind::Service, None, SUGGESTED).await?;
    Ok(listed.into_iter().map(|one| one.key.name()).collect())
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
    /// The query of this page, with its question mark.
    query: String,
    counts: Vec<Count>,
    groups: Vec<Group>,
    open: Number,
    claimed: Number,
    /// What needs somebody although its alerting is over: a sentence with a link to the incidents.
    needs: Vec<(String, String)>,
    is_mine: bool,
    narrows: bool,
    /// Whether more incidents than these were not searched.
    is_cut: bool,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
}

impl Fragment {
    const MOST_READ: usize = MOST_READ;
}

/// The number of incidents in a state, with a link to them.
struct Count {
    name: &'static str,
    /// The number; empty if incidents in this state are not counted.
    count: String,
    href: String,
    is_current: bool,
}

/// The incidents of a page that have the same state.
struct Group {
    name: &'static str,
    rows: Vec<Row>,
}

impl Group {
    fn is_open(&self) -> bool {
        self.name == name(IncidentState::Open)
    }
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
    /// Who has resolved it, and when.
    resolved: Option<(String, Moment)>,
    /// A problem of the alerting itself, such as that nobody could be reached.
    trouble: Option<String>,
}

impl Row {
    fn new(record: &Record) -> Self {
        let incident = &record.incident;
        let zone = incident.matrix().zone();
        let is_claimed = incident.state() == IncidentState::Claimed;
        Self {
            number: incident.number().value(),
            severity: incident.severity(),
            state: incident.state(),
            title: incident.title().to_owned(),
            service: incident.service().to_string(),
            team: incident.team().to_string(),
            since: Moment::age(zone, incident.created_at()),
            count: record.count,
            claimed_by: incident.claimed().filter(|_| is_claimed).map(|claimed| claimed.by.to_string()),
            resolved: incident.resolved().map(|end| (end.by.to_string(), Moment::age(zone, end.at))),
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
pub(super) async fn live(api: &Api, filter: &Filter, me: &Person, age: Age) -> Result<Live, Outage> {
    Live::new(&fragment(api, filter, me, age).await?, filter.query())
}

/// The numbers above the list.
struct Numbers {
    open: Number,
    claimed: Number,
    mine: Option<Number>,
    resolved: Option<u64>,
    unreached: u64,
    unanswered: u64,
}

/// Counts what the filter lists. Without a filter, the store counts.
async fn numbers(api: &Api, filter: &Filter, me: &Person, age: Age) -> Result<Numbers, Outage> {
    let all = filter.in_state(None);
    let search = Search::new(api.engine(), &all, me).await?;
    if filter.narrows() {
        let counts = search.count().await?;
        return Ok(Numbers {
            open: counts.open,
            claimed: counts.claimed,
            mine: Some(counts.mine),
            resolved: None,
            unreached: counts.unreached,
            unanswered: counts.unanswered,
        });
    }
    let census = census(api, age).await?;
    let exactly = |number| Number { number, end: End::Complete };
    Ok(Numbers {
        open: exactly(census.open),
        claimed: exactly(census.claimed),
        mine: if census.claimed <= COUNTED { Some(search.mine().await?) } else { None },
        resolved: census.resolved,
        unreached: census.undelivered,
        unanswered: census.unclaimed.saturating_sub(census.undelivered),
    })
}

/// Collects what the list shows.
async fn fragment(api: &Api, filter: &Filter, me: &Person, age: Age) -> Result<Fragment, Outage> {
    let numbers = numbers(api, filter, me, age).await?;
    let found = Search::new(api.engine(), filter, me).await?.find().await?;
    let home = api.home();
    let href = |filter: &Filter| format!("{home}{}", filter.query());
    let here = filter.first_page();
    let count = |name, to: Filter, count: Option<Number>| {
        let count = count.map_or_else(String::new, in_digits);
        Count { name, count, href: href(&to), is_current: here == to }
    };
    let (open, claimed) = (numbers.open, numbers.claimed);
    let active = Number {
        number: open.number + claimed.number,
        end: if open.end == End::Cut { open.end } else { claimed.end },
    };
    let resolved = numbers.resolved.map(|number| Number { number, end: End::Complete });
    let counts = vec![
        count("Active", filter.in_state(None), Some(active)),
        count("Mine", filter.of_mine(), numbers.mine),
        count("Open", filter.in_state(Some(IncidentState::Open)), Some(open)),
        count("Claimed", filter.in_state(Some(IncidentState::Claimed)), Some(claimed)),
        count("Resolved", filter.in_state(Some(IncidentState::Resolved)), resolved),
    ];
    let need = |number: u64, need: Need, text: &str| {
        let incidents = if number == 1 { "incident" } else { "incidents" };
        (number > 0).then(|| (format!("{number} {incidents}: {text}"), href(&filter.in_need(need))))
    };
    let needs = [
        need(numbers.unreached, Need::Unreached, "nobody could be reached."),
        need(numbers.unanswered, Need::Unanswered, "all levels alerted, no answer."),
    ];
    let group = |state: IncidentState| {
        let mut rows: Vec<Row> =
            found.records.iter().filter(|r| r.incident.state() == state).map(Row::new).collect();
        if state != IncidentState::Resolved {
            rows.sort_by_key(|row| Reverse(row.severity));
        }
        Group { name: name(state), rows }
    };
    let is_first = filter.from.is_none();
    Ok(Fragment {
        at: api.prefix().to_owned(),
        query: filter.query(),
        counts,
        groups: filter.states().into_iter().map(group).filter(|group| !group.rows.is_empty()).collect(),
        open,
        claimed,
        needs: needs.into_iter().flatten().collect(),
        is_mine: filter.is_of_mine(),
        narrows: filter.is_read() || !matches!(filter.state, None | Some(IncidentState::Open)),
        is_cut: found.end == End::Cut,
        first: (!is_first).then(|| href(&here)),
        previous: filter.back().as_ref().map(href),
        next: found.next.map(|mark| href(&filter.onward(mark))),
    })
}

/// A number in digits, with a plus sign if there may be more.
fn in_digits(count: Number) -> String {
    match count.end {
        End::Complete => count.number.to_string(),
        End::Cut => format!("{}+", count.number),
    }
}

fn name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Open => "Open",
        IncidentState::Claimed => "Claimed",
        IncidentState::Resolved => "Resolved",
    }
}
