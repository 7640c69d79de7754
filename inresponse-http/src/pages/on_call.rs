//! The page that shows who is on call now, team by team.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::engine::{OnCall, TeamOnCall};
use inresponse_core::model::{Level, Origin, TeamName};

use super::form::segment;
use super::session::SignedIn;
use super::words::capital;
use super::{Frame, Place, html, outage};
use crate::caller::Addresses;
use crate::here::Here;
use crate::wire::roster::people;

#[derive(Template)]
#[template(path = "on_call.html")]
struct Page {
    frame: Frame,
    teams: Vec<Team>,
    may_edit: bool,
}

struct Team {
    name: TeamName,
    /// The name as a part of a path.
    path: String,
    day: String,
    /// Whether the calendar has no entry for the day.
    is_unplanned: bool,
    levels: Vec<Turn>,
    /// The next days on which nobody is on call.
    uncovered: Vec<String>,
}

/// A level: who is alerted, and how long after the report.
struct Turn {
    level: String,
    after: String,
    who: String,
}

impl Team {
    fn new(TeamOnCall { team: name, on_call, uncovered, .. }: TeamOnCall) -> Self {
        let OnCall { day, matrix, .. } = &on_call;
        let waited = |levels: u16| (1..=levels).map(|n| matrix.wait_of(Level::At(n)).as_secs()).sum::<u64>();
        let after = |levels: u16| match waited(levels) {
            0 => "at once".to_owned(),
            seconds if seconds % 60 == 0 => format!("after {} min", seconds / 60),
            seconds => format!("after {seconds} s"),
        };
        let turn = |level, waits| Turn {
            level: capital(level),
            after: after(waits),
            who: people(matrix, level).join(", "),
        };
        let mut levels: Vec<Turn> = (1..=matrix.height())
            .map(|n| turn(Level::At(n), n - 1))
            .filter(|turn| !turn.who.is_empty())
            .collect();
        // If the fallback is level 1 already, it is not listed a second time.
        let is_unplanned = matrix.origin() == Origin::Fallback;
        if !is_unplanned {
            let after = "after all levels".to_owned();
            levels.push(Turn { level: "Fallback".to_owned(), after, ..turn(Level::Fallback, 0) });
        }
        let uncovered = uncovered.iter().map(|day| day.format("%a %-d %B").to_string()).collect();
        let path = segment(name.as_str());
        Self { name, path, day: day.format("%A, %-d %B %Y").to_string(), is_unplanned, levels, uncovered }
    }
}

/// The page of all teams, with who would be alerted if an incident were reported now.
pub(super) async fn page(Here(api): Here, me: SignedIn) -> Response {
    match api.engine().teams_on_call().await {
        Ok(teams) => {
            let teams = teams.into_iter().map(Team::new).collect();
            let frame = Frame::new(&api, Some(&me.by), Place::OnCall);
            html(StatusCode::OK, &Page { frame, teams, may_edit: me.caller.sees == Addresses::Whole })
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}
