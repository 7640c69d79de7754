//! The calendar of a team.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{Datelike, NaiveDate, TimeDelta};
use inresponse_core::model::TeamName;
use inresponse_core::roster::{Book, Entry, EntryKind, Rota, Target};
use inresponse_core::text::duration;
use inresponse_core::{InvalidInput, Outage};

use super::card::{Card, Cell, month};
use super::form::segment;
use super::reader::{self, Reader};
use super::session::SignedIn;
use super::shifts::Take;
use super::team::{find, named, no_team, zone_of};
use super::times::{back, day_of, monday, on};
use super::{Frame, Place, html, outage, problem};
use crate::Api;
use crate::caller::Addresses;
use crate::here::Here;
use crate::input::{Params, Path};
use crate::problem::Problem;

/// The number of weeks that are shown.
pub(super) const WEEKS: u32 = 8;
/// Shifts are read this far beyond the shown days, so that the first and the last shift are shown as a whole.
const MARGIN: TimeDelta = TimeDelta::days(35);
/// The maximum number of services that are listed.
const SERVICES: usize = 500;

#[derive(Template)]
#[template(path = "team.html")]
struct Page {
    frame: Frame,
    team: TeamName,
    path: String,
    zones: Vec<String>,
    view: View,
    /// The first day that is shown.
    from: NaiveDate,
    shown: String,
    previous: String,
    next: String,
    cards: Vec<Card>,
    month: Vec<Vec<Cell>>,
    /// The days that were set by hand.
    days: Vec<(String, String)>,
    services: Vec<(String, String)>,
    /// How long a claim lasts, if claims of the team end.
    claims_last: Option<String>,
    take: Option<Take>,
    /// The address to which the form for such a day is sent.
    action: String,
    may_edit: bool,
}

/// The span that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Weeks,
    Month,
}

impl View {
    fn read(text: &str) -> Result<Self, InvalidInput> {
        match text {
            "weeks" => Ok(Self::Weeks),
            "month" => Ok(Self::Month),
            _ => Err(InvalidInput::field("view", "must be weeks or month")),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Weeks => "weeks",
            Self::Month => "month",
        }
    }
}

impl Page {
    fn is_month(&self) -> bool {
        self.view == View::Month
    }
}

/// The days that a page shows: its first Monday, the number of weeks, the beginnings of the previous and the next view,
/// and the name of the span.
struct Days {
    first: NaiveDate,
    weeks: u32,
    of: NaiveDate,
    previous: NaiveDate,
    next: NaiveDate,
    shown: String,
}

impl Days {
    fn of(view: View, day: NaiveDate) -> Self {
        match view {
            View::Weeks => {
                let first = monday(day);
                let last = on(first, WEEKS * 7 - 1);
                let shown = format!("{} to {}", first.format("%-d %B"), last.format("%-d %B %Y"));
                let (previous, next) = (back(first, WEEKS * 7), on(first, WEEKS * 7));
                Self { first, weeks: WEEKS, of: first, previous, next, shown }
            }
            View::Month => {
                let of = back(day, day.day0());
                // No month is longer than 31 days or shorter than 28.
                let next = on(of, 31);
                let next = back(next, next.day0());
                let previous = back(of, 1);
                let previous = back(previous, previous.day0());
                let first = monday(of);
                let weeks = (1..=6).find(|weeks| on(first, weeks * 7) >= next).unwrap_or(6);
                Self { first, weeks, of, previous, next, shown: of.format("%B %Y").to_string() }
            }
        }
    }
}

/// The calendar.
pub(super) async fn page(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
    headers: HeaderMap,
) -> Response {
    let chosen = reader::chosen(&mut params);
    let view = params.take("view", View::read).unwrap_or(View::Weeks);
    let from = params.take("from", |text| day_of("from", text));
    if let Err(error) = params.finish() {
        return problem(&api, &me.by, &error);
    }
    let Some(team) = named(in_path) else { return no_team(&api, &me) };
    let found = match find(&api, &team, api.engine().now(), api.engine().now()).await {
        Ok(found) => found,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let Some(now) = found else { return no_team(&api, &me) };
    let zone = zone_of(&now);
    let reader = Reader::new(&api, &headers, chosen, now.book(), &me.by, &zone);
    match shown(&api, &me, &team, &reader, view, from.unwrap_or_else(|| reader.clock.today())).await {
        Ok(page) => reader.remember(&api, html(StatusCode::OK, &page)),
        Err(error) => outage(&api, &me.by, &error),
    }
}

async fn shown(
    api: &Api,
    me: &SignedIn,
    team: &TeamName,
    reader: &Reader,
    view: View,
    day: NaiveDate,
) -> Result<Page, Outage> {
    let days = Days::of(view, day);
    let clock = &reader.clock;
    let (from, to) = (clock.begins(days.first), clock.begins(on(days.first, days.weeks * 7)));
    let directory = api.engine().roster().directory(team, from, to).await?;
    let book = directory.book();
    let spans = (from - MARGIN, to + MARGIN);
    let schedules = book.timetables(team).filter(|(_, timetable)| timetable.schedule().is_some());
    let cards: Vec<Card> = schedules
        .map(|(name, timetable)| Card::new(&directory, reader, team, (name, timetable), &days.span(), spans))
        .collect();
    let month = match view {
        View::Weeks => Vec::new(),
        View::Month => month(&directory, reader, team, days.first, days.weeks, days.of),
    };
    let set = directory.days().filter(|(day, _)| (days.first..on(days.first, days.weeks * 7)).contains(day));
    let set = set.map(|(day, rota)| (day.format("%A, %-d %B %Y").to_string(), by_hand(book, rota)));
    let at = |day: NaiveDate| format!("?view={}&from={day}", view.as_str());
    Ok(Page {
        frame: Frame::new(api, Some(&me.by), Place::OnCall),
        path: segment(team.as_str()),
        zones: reader.zones(&[zone_of(&directory).name()]),
        view,
        from: days.of,
        shown: days.shown.clone(),
        previous: at(days.previous),
        next: at(days.next),
        days: set.collect(),
        services: services(api, team).await?,
        claims_last: directory.settings().and_then(|team| team.claim_timeout()).map(duration),
        take: Take::now(book, reader, team),
        action: format!("{}/board/teams/{}/shifts", api.prefix(), segment(team.as_str())),
        may_edit: me.caller.sees == Addresses::Whole,
        team: team.clone(),
        cards,
        month,
    })
}

impl Days {
    fn span(&self) -> (NaiveDate, u32) {
        (self.first, self.weeks)
    }
}

/// A day that was set by hand, in words.
fn by_hand(book: &Book, rota: &Rota) -> String {
    let level =
        |targets: &[Target]| reader::names(targets.iter().map(|target| reader::target_name(book, target)));
    let then = rota.escalation().iter().map(|targets| format!(", then {}", level(targets)));
    then.fold(level(rota.oncall()), |all, then| all + &then)
}

/// The services of a team, each with its segment of a path.
async fn services(api: &Api, team: &TeamName) -> Result<Vec<(String, String)>, Outage> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = api.engine().roster().entries(EntryKind::Service, after.as_ref(), SERVICES).await?;
        let of_team = page.iter().filter(|listed| match &listed.entry {
            Some(Entry::Service { team: owner, .. }) => owner == team,
            Some(_) | None => false,
        });
        found.extend(of_team.map(|listed| (listed.key.name(), segment(&listed.key.name()))));
        after = match page.last() {
            Some(last) if page.len() == SERVICES && found.len() < SERVICES => Some(last.key.clone()),
            Some(_) | None => return Ok(found),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_a_view_are_whole_weeks_and_months_follow_each_other() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let weeks = Days::of(View::Weeks, day("2026-11-24"));
        assert_eq!((weeks.first, weeks.weeks, weeks.next), (day("2026-11-23"), 8, day("2027-01-18")));
        for (given, first, weeks, previous, next) in [
            ("2026-11-24", "2026-10-26", 6, "2026-10-01", "2026-12-01"),
            ("2026-01-31", "2025-12-29", 5, "2025-12-01", "2026-02-01"),
            ("2027-02-28", "2027-02-01", 4, "2027-01-01", "2027-03-01"),
        ] {
            let days = Days::of(View::Month, day(given));
            let seen = (days.first, days.weeks, days.previous, days.next);
            assert_eq!(seen, (day(first), weeks, day(previous), day(next)), "{given}");
        }
    }
}
