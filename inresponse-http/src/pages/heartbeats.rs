//! Heartbeats: what they do, and the last pings and misses of each.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_api::{Heartbeat, HeartbeatState};
use inresponse_core::model::{HeartbeatName, Zone};
use inresponse_core::roster::{Entry, EntryKind};

use super::form::segment;
use super::session::SignedIn;
use super::words::Moment;
use super::{Frame, Place, html, message, outage, problem};
use crate::here::Here;
use crate::input::Path;
use crate::problem::Problem;
use crate::routes::heartbeats::{brief, one};

/// The number of heartbeats that the list shows.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "heartbeats.html")]
struct List {
    frame: Frame,
    lines: Vec<Line>,
    more: bool,
}

#[derive(Template)]
#[template(path = "heartbeat.html")]
struct Page {
    frame: Frame,
    line: Line,
    title: Option<String>,
    grace: u64,
    pings: Vec<Moment>,
    misses: Vec<Miss>,
}

/// What a heartbeat does.
struct Line {
    path: String,
    name: String,
    service: String,
    severity: String,
    every: u64,
    state: &'static str,
    mood: &'static str,
    last: Option<Moment>,
    due: Option<Moment>,
    incident: Option<u64>,
}

struct Miss {
    due: Moment,
    incident: Option<u64>,
    ended: Option<Moment>,
}

impl Line {
    fn new(one: &Heartbeat) -> Self {
        let (state, mood) = match one.state {
            HeartbeatState::Waiting => ("waits for its first ping", "quiet"),
            HeartbeatState::Beating => ("pings in time", "good"),
            HeartbeatState::Missed => ("missed a ping", "bad"),
            HeartbeatState::Other(_) => ("", "quiet"),
        };
        let moment = |at| Moment::clock(&Zone::utc(), at);
        Self {
            path: segment(&one.heartbeat),
            name: one.heartbeat.clone(),
            service: one.service.clone(),
            severity: one.severity.to_string(),
            every: one.every_seconds,
            state,
            mood,
            last: one.last_ping_at.map(moment),
            due: one.due_at.map(moment),
            incident: one.incident_id,
        }
    }
}

/// All heartbeats.
pub(super) async fn list(Here(api): Here, me: SignedIn) -> Response {
    let listed = api.engine().roster().entries(EntryKind::Heartbeat, None, SHOWN + 1).await;
    let mut listed = match listed {
        Ok(listed) => listed,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let more = listed.len() > SHOWN;
    listed.truncate(SHOWN);
    let defined = listed.into_iter().filter_map(|listed| match listed.entry {
        Some(Entry::Heartbeat { name, heartbeat }) => Some((name, heartbeat)),
        _ => None,
    });
    match brief(&api, defined).await {
        Ok(all) => {
            let frame = Frame::new(&api, Some(&me.by), Place::Heartbeats);
            html(StatusCode::OK, &List { frame, lines: all.iter().map(Line::new).collect(), more })
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

/// One heartbeat.
pub(super) async fn page(Here(api): Here, me: SignedIn, in_path: Result<Path<String>, Problem>) -> Response {
    let name = match in_path {
        Ok(Path(name)) => name,
        Err(error) => return problem(&api, &me.by, &error),
    };
    let found = match HeartbeatName::new(&name) {
        Ok(name) => one(&api, &name).await,
        Err(_) => Ok(None),
    };
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => return message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such heartbeat."),
        Err(error) => return outage(&api, &me.by, &error),
    };
    let moment = |at| Moment::clock(&Zone::utc(), at);
    let miss = |miss: &inresponse_api::HeartbeatMiss| Miss {
        due: moment(miss.due_at),
        incident: miss.incident_id,
        ended: miss.ended_at.map(moment),
    };
    let page = Page {
        frame: Frame::new(&api, Some(&me.by), Place::Heartbeats),
        line: Line::new(&found),
        title: found.title.clone(),
        grace: found.grace_seconds,
        pings: found.pings.iter().flatten().map(|at| moment(*at)).collect(),
        misses: found.misses.iter().flatten().map(miss).collect(),
    };
    html(StatusCode::OK, &page)
}
