//! Schedules as iCalendar files, for people's calendar programs.
//!
//! A calendar program cannot send a header, so a token in the URL is its credential. Only the token's hash is kept.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use inresponse_api::CalendarToken;
use inresponse_calendar::Shift;
use inresponse_core::Outage;
use inresponse_core::model::{PersonId, ScheduleName, TeamName};
use inresponse_core::roster::{self, Book, Who};
use inresponse_core::settings::Swapped;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::changes::present;
use super::people::person_id;
use super::roster::team_name;
use super::schedules::{book, schedule_name, timetable};
use crate::Api;
use crate::caller::Caller;
use crate::common::{NoSuchPerson, NoSuchSchedule, WrongToken};
use crate::input::{NoParams, Params, Path};
use crate::problem::Problem;

/// A calendar contains shifts from this long ago …
const BACK: TimeDelta = TimeDelta::days(15);
/// … to this far ahead.
const AHEAD: TimeDelta = TimeDelta::days(385);
/// How many times a token is stored again if another request stored one in between.
const MAX_TRIES: u32 = 5;

/// Make a new token for a schedule's calendar. The previous token is no longer valid.
#[utoipa::path(post, path = "/teams/{team}/schedules/{schedule}/calendar-token",
    operation_id = "schedule_calendar_token", tag = "roster",
    params(("team" = String, Path, example = "devops"), ("schedule" = String, Path, example = "primary")),
    responses(
        (status = 200, description = "the token, which is shown only now", body = CalendarToken),
        NoSuchSchedule,
    ))]
pub(crate) async fn schedule_token(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((team, schedule)): Path<(String, String)>,
) -> Result<Json<CalendarToken>, Problem> {
    let (team, schedule) = (team_name(&team)?, schedule_name(&schedule)?);
    timetable(&*book(&api).await?, &team, &schedule)?;
    let token = new_token(&api, &Calendar::Schedule(&team, &schedule)).await?;
    let path = ["teams", team.as_str(), "schedules", schedule.as_str(), "calendar.ics"];
    Ok(Json(CalendarToken { url: url(&api, &path, &token), token }))
}

/// A schedule as an iCalendar file.
#[utoipa::path(get, path = "/teams/{team}/schedules/{schedule}/calendar.ics",
    operation_id = "schedule_calendar", tag = "roster",
    params(
        ("team" = String, Path, example = "devops"),
        ("schedule" = String, Path, example = "primary"),
        ("token" = String, Query, description = "from `calendar-token`"),
    ),
    responses(
        (status = 200, description = "15 days back, 385 ahead", content_type = "text/calendar", body = String),
        WrongToken,
        NoSuchSchedule,
    ))]
pub(crate) async fn schedule(
    State(api): State<Api>,
    Path((team, schedule)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let (team, schedule) = (team_name(&team)?, schedule_name(&schedule)?);
    admit(&api, params, &Calendar::Schedule(&team, &schedule)).await?;
    let (from, to) = span(&api)?;
    let directory = present(&api, api.engine().roster().directory(&team, from, to)).await;
    let directory = directory.map_err(|e| Problem::outage(&e))?;
    timetable(directory.book(), &team, &schedule)?;
    let shifts = roster::shifts(&directory, &team, &schedule, from, to);
    let written = shifts.iter().flat_map(|shift| {
        shift.oncall.iter().map(|who| Shift {
            from: shift.from,
            to: shift.to,
            name: name_of(directory.book(), who),
        })
    });
    Ok(calendar(&inresponse_calendar::write(&format!("{team}: {schedule}"), written, from)))
}

/// Make a new token for a person's calendar. The previous token is no longer valid.
#[utoipa::path(post, path = "/people/{person}/calendar-token", operation_id = "person_calendar_token",
    tag = "roster", params(("person" = String, Path, example = "jo")),
    responses(
        (status = 200, description = "the token, which is shown only now", body = CalendarToken),
        NoSuchPerson,
    ))]
pub(crate) async fn person_token(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(person): Path<String>,
) -> Result<Json<CalendarToken>, Problem> {
    let person = person_id(&person)?;
    if book(&api).await?.person(&person).is_none() {
        return Err(Problem::not_found(format!("there is no person `{person}`")));
    }
    let token = new_token(&api, &Calendar::Person(&person)).await?;
    Ok(Json(CalendarToken { url: url(&api, &["people", person.as_str(), "calendar.ics"], &token), token }))
}

/// A person's shifts in all schedules as an iCalendar file.
#[utoipa::path(get, path = "/people/{person}/calendar.ics", operation_id = "person_calendar", tag = "roster",
    params(
        ("person" = String, Path, example = "jo"),
        ("token" = String, Query, description = "from `calendar-token`"),
    ),
    responses(
        (status = 200, description = "15 days back, 385 ahead", content_type = "text/calendar", body = String),
        WrongToken,
    ))]
pub(crate) async fn person(
    State(api): State<Api>,
    Path(person): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let person = person_id(&person)?;
    admit(&api, params, &Calendar::Person(&person)).await?;
    let (from, to) = span(&api)?;
    let book = book(&api).await?;
    let mut written = Vec::new();
    let mut of: Option<(TeamName, _)> = None;
    for (team, schedule, _) in book.schedules() {
        // One directory serves all schedules of a team.
        let directory = match &of {
            Some((read, directory)) if read == team => std::sync::Arc::clone(directory),
            Some(_) | None => {
                let read = api.engine().roster().directory(team, from, to).await;
                read.map_err(|e| Problem::outage(&e))?
            }
        };
        let shifts = roster::shifts(&directory, team, schedule, from, to);
        let is_theirs = |shift: &&roster::Shift| shift.oncall.contains(&Who::Person(person.clone()));
        written.extend(shifts.iter().filter(is_theirs).map(|shift| Shift {
            from: shift.from,
            to: shift.to,
            name: format!("On call: {team}, {schedule}"),
        }));
        of = Some((team.clone(), directory));
    }
    written.sort_by_key(|shift| shift.from);
    let name = format!("On call: {}", name_of(&book, &Who::Person(person)));
    Ok(calendar(&inresponse_calendar::write(&name, written.into_iter(), from)))
}

/// The calendar that a token gives access to.
enum Calendar<'a> {
    Schedule(&'a TeamName, &'a ScheduleName),
    Person(&'a PersonId),
}

impl Calendar<'_> {
    /// The name under which the hash of the token is kept.
    fn setting(&self) -> String {
        let place = match self {
            Self::Schedule(team, schedule) => format!("schedule\u{1f}{team}\u{1f}{schedule}"),
            Self::Person(person) => format!("person\u{1f}{person}"),
        };
        let digest = Sha256::digest(place.as_bytes());
        format!("calendar.{}", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

async fn new_token(api: &Api, calendar: &Calendar<'_>) -> Result<String, Problem> {
    let mut secret = [0; 32];
    let unlucky = |e| Problem::outage(&Outage::retryable("no random numbers").because(e));
    getrandom::fill(&mut secret).map_err(unlucky)?;
    let token = URL_SAFE_NO_PAD.encode(secret);
    let hash = Sha256::digest(token.as_bytes());
    let name = calendar.setting();
    for _ in 0..MAX_TRIES {
        let was = api.shared().setting(&name).await.map_err(|e| Problem::outage(&e))?;
        let swapped = api.shared().swap_setting(&name, was.as_deref(), &hash).await;
        match swapped.map_err(|e| Problem::outage_of_change(&e))? {
            Swapped::Done => return Ok(token),
            Swapped::Changed => {}
        }
    }
    Err(Problem::unavailable("others made tokens of this calendar too often in between"))
}

/// Checks the token of a request.
async fn admit(api: &Api, mut params: Params, calendar: &Calendar<'_>) -> Result<(), Problem> {
    let token = params.take("token", |text| {
        let is_token =
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if is_token { Ok(text.to_owned()) } else { Ok(String::new()) }
    });
    params.finish()?;
    let wrong =
        || Problem::new(StatusCode::FORBIDDEN, "the token is missing or wrong, or a newer one replaced it");
    let token = token.ok_or_else(wrong)?;
    let kept = api.shared().setting(&calendar.setting()).await.map_err(|e| Problem::outage(&e))?;
    let hash = Sha256::digest(token.as_bytes());
    let is_right = kept.is_some_and(|kept| kept.ct_eq(&hash[..]).into());
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// The span of a calendar, in whole hours: a program that asks again soon gets the same file.
fn span(api: &Api) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let now = api.engine().now().duration_trunc(TimeDelta::hours(1));
    let now = now.map_err(|e| Problem::outage(&Outage::permanent("the time has no hour").because(e)))?;
    Ok((now - BACK, now + AHEAD))
}

fn name_of(book: &Book, who: &Who) -> String {
    match who {
        Who::Person(person) => {
            let name = book.person(person).and_then(|profile| profile.name().map(str::to_owned));
            name.unwrap_or_else(|| person.to_string())
        }
        Who::Contact(contact) => contact.masked(),
    }
}

fn url(api: &Api, path: &[&str], token: &str) -> String {
    let base = api.engine().public_url().unwrap_or_default();
    let path: Vec<String> = path.iter().map(|part| encoded(part)).collect();
    format!("{base}/{}?token={token}", path.join("/"))
}

/// A part of a path, percent-encoded (RFC 3986 section 2.3).
fn encoded(part: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    part.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn calendar(text: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/calendar; charset=utf-8"),
        // The calendar contains people's plans.
        (CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, text.to_owned()).into_response()
}
