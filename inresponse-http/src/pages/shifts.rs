//! The forms to take a shift, to give it to somebody, to cover an hour, and to take these overrides back.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, SubsecRound, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{OverrideId, PersonId, ScheduleName, TeamName, Zone};
use inresponse_core::roster::{
    Book, Directory, Effect, Entry, EntryKey, Moment, Override, RosterEdit, Target, Timetable,
};

use super::form::{Fields, Wrong, segment};
use super::reader::{self, Reader};
use super::session::SignedIn;
use super::team::{find, named, no_team, zone_of};
use super::times::Edge;
use super::{Frame, Place, acts, html, message, outage, problem, see};
use crate::Api;
use crate::here::Here;
use crate::input::{Bytes, Params, Path};
use crate::problem::Problem;
use crate::routes::roster::reachable;

/// The form by which somebody is put on call for a while.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) zone: String,
    pub(super) schedules: Vec<String>,
    pub(super) people: Vec<(String, String)>,
    /// The reader's name, if the roster knows them.
    pub(super) me: Option<String>,
    pub(super) schedule: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) who: String,
    pub(super) note: String,
    pub(super) wrong: Wrong,
}

#[derive(Template)]
#[template(path = "take.html")]
struct Page {
    frame: Frame,
    team: TeamName,
    path: String,
    take: Take,
    action: String,
}

impl Take {
    /// An empty form; `None` if the team has no schedule.
    pub(super) fn now(book: &Book, reader: &Reader, team: &TeamName) -> Option<Self> {
        let schedules = book.timetables(team).filter(|(_, timetable)| timetable.schedule().is_some());
        let schedules: Vec<String> = schedules.map(|(name, _)| name.to_string()).collect();
        let me = reader.target().map(|target| reader::target_name(book, &target));
        Some(Self {
            zone: reader.clock.zone.name().to_owned(),
            schedule: schedules.first()?.clone(),
            schedules,
            people: reader::people(book),
            me,
            from: String::new(),
            to: String::new(),
            who: String::new(),
            note: String::new(),
            wrong: Wrong::default(),
        })
    }

    /// Keeps the typed texts.
    fn typed(self, fields: &Fields, wrong: Wrong) -> Self {
        let text = |name: &str| fields.text(name);
        Self {
            schedule: text("schedule"),
            from: text("from"),
            to: text("to"),
            who: text("who"),
            note: text("note"),
            wrong,
            ..self
        }
    }
}

/// The form for one shift.
pub(super) async fn page(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    mut params: Params,
    headers: HeaderMap,
) -> Response {
    let time = |field, text: &str| crate::routes::roster::time_of(text, field);
    let schedule = params.take("schedule", |text| ScheduleName::new(text));
    let from = params.take("from", |text| time("from", text));
    let to = params.take("to", |text| time("to", text));
    if let Err(error) = params.finish() {
        return problem(&api, &me.by, &error);
    }
    let (team, directory) = match team(&api, &me, in_path).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let reader = Reader::new(&api, &headers, None, directory.book(), &me.by, &zone_of(&directory));
    let Some(mut take) = Take::now(directory.book(), &reader, &team) else { return no_schedule(&api, &me) };
    if let Some(schedule) = schedule.filter(|name| take.schedules.iter().any(|known| known == name.as_str()))
    {
        take.schedule = schedule.to_string();
    }
    let field = |at: DateTime<Utc>| reader.clock.field(at);
    // A shift that has already begun is taken from now on.
    take.from = from.filter(|from| *from > reader.clock.now).map(field).unwrap_or_default();
    take.to = to.map(field).unwrap_or_default();
    show(&api, &me, team, take, StatusCode::OK)
}

/// Does what the button says, and redirects to the calendar.
pub(super) async fn act(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    let fields = Fields::read(&form);
    let (team, directory) = match team(&api, &me, in_path).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let book = directory.book();
    // The typed times are in the zone in which the form was shown.
    let zone = fields.given("zone").and_then(|name| Zone::new(name).ok());
    let reader = Reader::new(&api, &headers, zone, book, &me.by, &zone_of(&directory));
    let Some(take) = Take::now(book, &reader, &team) else { return no_schedule(&api, &me) };
    let edit = match read(book, &reader, &team, &fields) {
        Ok(edit) => edit,
        Err(invalid) => {
            let wrong = Wrong::from(&invalid);
            return show(&api, &me, team, take.typed(&fields, wrong), StatusCode::BAD_REQUEST);
        }
    };
    let named: Vec<(String, Target)> = match &edit {
        RosterEdit::Put(Entry::Override { stand_in, .. }) => {
            stand_in.oncall().iter().map(|target| ("who".to_owned(), target.clone())).collect()
        }
        RosterEdit::Put(_) | RosterEdit::Delete(_) => Vec::new(),
    };
    let done = match reachable(&api, &named) {
        Ok(()) => acts::change_roster(&api, &me, vec![edit], named).await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(Effect::Absent) => {
            message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such override any more.")
        }
        Ok(Effect::Created | Effect::Replaced | Effect::Unchanged | Effect::Deleted) => {
            see(&format!("{}/board/teams/{}", api.prefix(), segment(team.as_str())))
        }
        Err(refused) if refused.status().is_server_error() => problem(&api, &me.by, &refused),
        Err(refused) => {
            let (wrong, status) = (Wrong::from(&refused), refused.status());
            show(&api, &me, team, take.typed(&fields, wrong), status)
        }
    }
}

/// Converts the form into an edit.
fn read(book: &Book, reader: &Reader, team: &TeamName, fields: &Fields) -> Result<RosterEdit, InvalidInput> {
    let schedule = ScheduleName::new(fields.text("schedule"))?;
    let timetable = book.timetable(team, &schedule).filter(|timetable| timetable.schedule().is_some());
    let unknown = || InvalidInput::field("schedule", format!("there is no schedule `{schedule}`"));
    let timetable = timetable.ok_or_else(unknown)?;
    match fields.text("do").as_str() {
        "take" => {
            let me = reader.target().ok_or_else(|| {
                InvalidInput::field(
                    "who",
                    "the roster does not know your name: choose a person and give them the shift",
                )
            })?;
            put(reader, team, &schedule, timetable, fields, me)
        }
        "give" => {
            let who = fields.given("who").ok_or_else(|| InvalidInput::field("who", "choose a person"))?;
            let who = PersonId::new(who).ok().filter(|id| book.person(id).is_some());
            let who = who.ok_or_else(|| InvalidInput::field("who", "there is no such person"))?;
            put(reader, team, &schedule, timetable, fields, Target::Person(who))
        }
        "delete" => {
            let id = OverrideId::new(fields.text("override"))?;
            Ok(RosterEdit::Delete(EntryKey::Override(team.clone(), schedule, id)))
        }
        _ => Err(InvalidInput::field("button", "is not a button of this page")),
    }
}

fn put(
    reader: &Reader,
    team: &TeamName,
    schedule: &ScheduleName,
    timetable: &Timetable,
    fields: &Fields,
    who: Target,
) -> Result<RosterEdit, InvalidInput> {
    let clock = &reader.clock;
    let mut invalid = InvalidInput::default();
    let now = clock.now.trunc_subsecs(0);
    let from = match fields.given("from") {
        Some(text) => invalid.keep(clock.read("from", text, now, Edge::Begin)),
        None => Some(now),
    };
    let to = match fields.given("to") {
        Some(text) => invalid.keep(clock.read("to", text, from.unwrap_or(now), Edge::End)),
        None => {
            invalid.push("to", "is missing");
            None
        }
    };
    let Some((from, to)) = from.zip(to) else { return Err(invalid) };
    if to <= now {
        return Err(InvalidInput::field("to", "must be in the future"));
    }
    let id = id(from, &who);
    let note = fields.given("note").map(str::to_owned);
    let stand_in = Override::new(Moment::At(from), Moment::At(to), vec![who], None, note)?;
    let id = free(timetable, id, &stand_in)?;
    Ok(RosterEdit::Put(Entry::stand_in(team, schedule, &id, stand_in)))
}

/// A name of the override that contains the time and the person.
fn id(from: DateTime<Utc>, who: &Target) -> String {
    let who: String = match who {
        Target::Person(id) => id.to_string(),
        Target::Contact(_) | Target::Schedule { .. } | Target::Team(_) => who.masked(),
    };
    let may_stand = |c: &char| c.is_alphanumeric() || ['-', '_', '.', ' '].contains(c);
    let who: String = who.chars().filter(may_stand).take(30).collect();
    format!("{} {}", from.format("%Y-%m-%d %H%M"), who.trim()).trim().to_owned()
}

/// The given name, or a similar one that no other override has. If a button is pressed twice, there is only one
/// override.
fn free(timetable: &Timetable, id: String, stand_in: &Override) -> Result<OverrideId, InvalidInput> {
    let all = timetable.overrides();
    let more = (2..=all.len() + 2).map(|n| format!("{id} {n}"));
    for name in std::iter::once(id.clone()).chain(more) {
        let name = OverrideId::new(name)?;
        if all.get(&name).is_none_or(|other| other.as_ref() == stand_in) {
            return Ok(name);
        }
    }
    Err(InvalidInput::field("from", "has too many overrides already"))
}

async fn team(
    api: &Api,
    me: &SignedIn,
    in_path: Result<Path<String>, Problem>,
) -> Result<(TeamName, Arc<Directory>), Box<Response>> {
    let team = named(in_path).ok_or_else(|| Box::new(no_team(api, me)))?;
    let now = api.engine().now();
    let found = find(api, &team, now, now).await.map_err(|error| Box::new(outage(api, &me.by, &error)))?;
    Ok((team, found.ok_or_else(|| Box::new(no_team(api, me)))?))
}

fn no_schedule(api: &Api, me: &SignedIn) -> Response {
    message(api, Some(&me.by), StatusCode::NOT_FOUND, "This team has no schedule.")
}

fn show(api: &Api, me: &SignedIn, team: TeamName, take: Take, status: StatusCode) -> Response {
    let frame = Frame::new(api, Some(&me.by), Place::OnCall);
    let path = segment(team.as_str());
    let action = format!("{}/board/teams/{path}/shifts", api.prefix());
    html(status, &Page { frame, team, path, take, action })
}
