//! Services: which team owns each, the form of a new one, and a test alert.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use inresponse_api::{Owner, TeamSettings};
use inresponse_core::InvalidInput;
use inresponse_core::engine::Reported;
use inresponse_core::heartbeats::Received;
use inresponse_core::model::{Report, ServiceName, Severity, TeamName, Zone};
use inresponse_core::roster::{Effect, Entry, EntryKey, EntryKind};

use super::form::{Fields, Wrong, segment};
use super::reader::Reader;
use super::schedule_form::lines;
use super::session::SignedIn;
use super::{Frame, Place, acts, html, message, outage, problem, see};
use crate::Api;
use crate::caller::Addresses;
use crate::carry::carried_through;
use crate::here::Here;
use crate::input::{Bytes, NoParams, Path};
use crate::problem::Problem;
use crate::routes::roster::reachable;
use crate::wire::roster as wire;

/// The number of services that the page lists.
const MOST: usize = 1_000;

#[derive(Template)]
#[template(path = "services.html")]
struct List {
    frame: Frame,
    services: Vec<Line>,
    has_more: bool,
    has_teams: bool,
    may_edit: bool,
}

/// A service and its team.
struct Line {
    name: String,
    path: String,
    team: String,
    team_path: String,
}

/// The services, with the team of each.
pub(super) async fn list(Here(api): Here, me: SignedIn, _: NoParams) -> Response {
    let listed = api.engine().roster().entries(EntryKind::Service, None, MOST + 1).await;
    let (mut listed, teams) = match (listed, api.engine().teams().await) {
        (Ok(listed), Ok(teams)) => (listed, teams),
        (Err(error), _) | (_, Err(error)) => return outage(&api, &me.by, &error),
    };
    let has_more = listed.len() > MOST;
    listed.truncate(MOST);
    let services =
        listed.iter().filter_map(|one| wire::service_of(one.entry.as_ref()?)).map(|service| Line {
            path: segment(&service.service),
            team_path: segment(&service.team),
            name: service.service,
            team: service.team,
        });
    let page = List {
        frame: Frame::new(&api, Some(&me.by), Place::Services),
        services: services.collect(),
        has_more,
        has_teams: !teams.is_empty(),
        may_edit: me.caller.sees == Addresses::Whole,
    };
    html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "service_new.html")]
struct NewService {
    frame: Frame,
    teams: Vec<TeamName>,
    service: String,
    team: String,
    wrong: Wrong,
}

/// The form of a new service.
pub(super) async fn new(Here(api): Here, me: SignedIn, _: NoParams) -> Response {
    show_service(&api, &me, StatusCode::OK, &Fields::default(), Wrong::default()).await
}

async fn show_service(
    api: &Api,
    me: &SignedIn,
    status: StatusCode,
    fields: &Fields,
    wrong: Wrong,
) -> Response {
    let teams = match api.engine().teams().await {
        Ok(teams) => teams,
        Err(error) => return outage(api, &me.by, &error),
    };
    let frame = Frame::new(api, Some(&me.by), Place::Services);
    let (service, team) = (fields.text("service"), fields.text("team"));
    html(status, &NewService { frame, teams, service, team, wrong })
}

/// Makes the service, and shows who would be alerted for it.
pub(super) async fn make(Here(api): Here, me: SignedIn, _: NoParams, Bytes(form): Bytes) -> Response {
    let fields = Fields::read(&form);
    let made = async {
        let invalid = |error: InvalidInput| Problem::invalid(&error);
        let service = ServiceName::new(fields.text("service")).map_err(invalid)?;
        let owner = Owner { team: Some(fields.text("team")), owner: None };
        let entry = wire::service(&service, owner).map_err(invalid)?;
        refuse_known(&api, &EntryKey::Service(service.clone()), "service").await?;
        let _: Effect = acts::change_roster(&api, &me, vec![entry.into()], Vec::new()).await?;
        Ok::<_, Problem>(service)
    };
    match made.await {
        Ok(service) => see(&format!("{}/board/services/{}/plan", api.prefix(), segment(service.as_str()))),
        Err(refused) if refused.status().is_server_error() => problem(&api, &me.by, &refused),
        Err(refused) => show_service(&api, &me, refused.status(), &fields, Wrong::from(&refused)).await,
    }
}

/// Refuses to replace an entry by a form that makes a new one.
async fn refuse_known(api: &Api, key: &EntryKey, field: &'static str) -> Result<(), Problem> {
    let known = api.engine().roster().entry(key).await.map_err(|error| Problem::outage(&error))?;
    match known {
        None => Ok(()),
        Some(_) => Err(Problem::invalid(&InvalidInput::field(field, "is there already"))),
    }
}

#[derive(Template)]
#[template(path = "team_new.html")]
struct NewTeam {
    frame: Frame,
    zones: Vec<String>,
    team: String,
    timezone: String,
    fallback: String,
    minutes: String,
    wrong: Wrong,
}

/// The form of a new team.
pub(super) async fn new_team(Here(api): Here, me: SignedIn, _: NoParams, headers: HeaderMap) -> Response {
    show_team(&api, &me, &headers, StatusCode::OK, &Fields::default(), Wrong::default()).await
}

async fn show_team(
    api: &Api,
    me: &SignedIn,
    headers: &HeaderMap,
    status: StatusCode,
    fields: &Fields,
    wrong: Wrong,
) -> Response {
    let book = match api.engine().book().await {
        Ok(book) => book,
        Err(error) => return outage(api, &me.by, &error),
    };
    let reader = Reader::new(api, headers, None, &book, &me.by, &Zone::utc());
    let typed = fields.given("timezone").unwrap_or(reader.clock.zone.name()).to_owned();
    let page = NewTeam {
        frame: Frame::new(api, Some(&me.by), Place::OnCall),
        zones: reader.zones(&[&typed]),
        team: fields.text("team"),
        timezone: typed,
        fallback: fields.text("fallback"),
        minutes: fields.given("minutes").unwrap_or("10").to_owned(),
        wrong,
    };
    html(status, &page)
}

/// Makes the team, and shows its calendar.
pub(super) async fn make_team(
    Here(api): Here,
    me: SignedIn,
    _: NoParams,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    let fields = Fields::read(&form);
    let made = async {
        let invalid = |error: InvalidInput| Problem::invalid(&error);
        let team = TeamName::new(fields.text("team")).map_err(invalid)?;
        let minutes = fields.text("minutes").parse::<u32>();
        let minutes = minutes.map_err(|_| invalid(InvalidInput::field("minutes", "must be a number")))?;
        let fallback: Vec<String> = lines(&fields.text("fallback")).map(str::to_owned).collect();
        let settings = TeamSettings {
            timezone: Some(fields.text("timezone")),
            escalate_after_seconds: Some(u64::from(minutes) * 60),
            ..TeamSettings::new(fallback)
        };
        let (settings, named) = wire::settings(settings).map_err(invalid)?;
        reachable(&api, &named)?;
        refuse_known(&api, &EntryKey::Team(team.clone()), "team").await?;
        let _: Effect =
            acts::change_roster(&api, &me, vec![Entry::team(&team, settings).into()], named).await?;
        Ok::<_, Problem>(team)
    };
    match made.await {
        Ok(team) => see(&format!("{}/board/teams/{}", api.prefix(), segment(team.as_str()))),
        Err(refused) if refused.status().is_server_error() => problem(&api, &me.by, &refused),
        Err(refused) => {
            show_team(&api, &me, &headers, refused.status(), &fields, Wrong::from(&refused)).await
        }
    }
}

/// Reports an incident that says that it is a test, and shows it.
pub(super) async fn test(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    _: NoParams,
    Bytes(form): Bytes,
) -> Response {
    let Some(service) = in_path.ok().and_then(|Path(text)| ServiceName::new(text).ok()) else {
        return no_service(&api, &me);
    };
    if let Some(why) = me.caller.barred_from(&service) {
        return message(&api, Some(&me.by), StatusCode::FORBIDDEN, &format!("Nothing was done: {why}."));
    }
    let report = match report(&service, &me, &Fields::read(&form).text("severity")) {
        Ok(report) => report,
        Err(invalid) => return problem(&api, &me.by, &Problem::invalid(&invalid)),
    };
    let beats = api.heartbeats().clone();
    let reported = carried_through(&me.caller.lane, async move { beats.report(report).await }).await;
    match reported {
        Ok(Received::Reported(Reported::New(record) | Reported::Repeat(record))) => {
            see(&format!("{}/board/incidents/{}", api.prefix(), record.number()))
        }
        Ok(Received::Reported(Reported::UnknownService)) => no_service(&api, &me),
        Ok(Received::Pinged(heartbeat)) => {
            let text = format!("A routing rule made this test a ping of the heartbeat {heartbeat}.");
            message(&api, Some(&me.by), StatusCode::OK, &text)
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

fn report(service: &ServiceName, me: &SignedIn, severity: &str) -> Result<Report, InvalidInput> {
    let severity: Severity = severity.parse()?;
    let text = format!("{} sent this test from the board. Nothing is broken.", me.by);
    let report =
        Report::builder(service.as_str(), severity, "Test alert").message(text).label("test", "true");
    Ok(report.build()?.reported_with(me.caller.reporter()))
}

fn no_service(api: &Api, me: &SignedIn) -> Response {
    message(api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such service.")
}
