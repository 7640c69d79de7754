//! The pages to edit a schedule, with a preview before it is saved.

use std::fmt::Display;
use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{
    Book, Directory, Effect, Entry, EntryKey, Feed, RosterEdit, Schedule, Target, Team, TeamLevel, TeamPart,
    Timetable,
};
use inresponse_core::{InvalidInput, Outage};
use sha2::{Digest, Sha256};

use super::form::{Fields, Wrong, segment};
use super::preview::{Preview, circle};
use super::reader::{self, Reader};
use super::schedule_form::{Form, LayerForm};
use super::session::SignedIn;
use super::team::{find, named, no_team, zone_of};
use super::teams::WEEKS;
use super::times::{monday, on};
use super::{Frame, Place, acts, html, message, outage, problem, see};
use crate::Api;
use crate::here::Here;
use crate::input::{Bytes, Path};
use crate::problem::Problem;
use crate::routes::roster::reachable;
use crate::wire::roster::Named;
use crate::wire::schedule as wire;

#[derive(Template)]
#[template(path = "schedule.html")]
struct Page {
    frame: Frame,
    team: TeamName,
    path: String,
    /// The address to which the form is sent.
    action: String,
    /// The name of the schedule that is edited; `None` for a new one.
    edited: Option<ScheduleName>,
    form: Form,
    /// The state of the schedule that the form began with.
    seen: String,
    zones: Vec<String>,
    people: Vec<(String, String)>,
    wrong: Wrong,
    preview: Option<Preview>,
    /// Whether the team has no levels yet, so that this can be the first.
    offers_level: bool,
}

impl Page {
    /// The name of a layer's field in errors.
    fn field(&self, layer: impl Display, name: &str) -> String {
        format!("layers[{layer}].{name}")
    }

    /// The id of the same field.
    fn id(&self, layer: impl Display, name: &str) -> String {
        format!("layer-{layer}-{name}")
    }
}

/// The data that are needed to show a form and to check it.
struct Desk {
    api: Api,
    me: SignedIn,
    team: TeamName,
    directory: Arc<Directory>,
    reader: Reader,
    edited: Option<ScheduleName>,
}

/// The form of a new schedule: a weekly rotation.
pub(super) async fn new(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
) -> Response {
    let desk = match Desk::open(api, me, named(in_path), None, &headers).await {
        Ok(desk) => desk,
        Err(response) => return *response,
    };
    let zone = zone_of(&desk.directory);
    let is_free = desk.directory.book().timetables(&desk.team).all(|(name, _)| name.as_str() != "primary");
    let name = if is_free { "primary" } else { "" };
    // The rotation begins on the latest Monday, so that it is on call at once.
    let nine_hours_ago = zone.local(desk.reader.clock.now - TimeDelta::hours(9)).clock().date();
    desk.show(StatusCode::OK, Form::weekly(name, &zone, monday(nine_hours_ago)), Wrong::default(), None)
}

/// The form of an existing schedule.
pub(super) async fn edit(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<(String, String)>, Problem>,
    headers: HeaderMap,
) -> Response {
    let (team, name) = both(in_path);
    let desk = match Desk::open(api, me, team, Some(name), &headers).await {
        Ok(desk) => desk,
        Err(response) => return *response,
    };
    let (Some(name), Some(schedule)) = (&desk.edited, desk.known()) else { return desk.no_schedule() };
    let form = Form::of(&desk.team, name, schedule);
    desk.show(StatusCode::OK, form, Wrong::default(), None)
}

/// A button of the form of a new schedule.
pub(super) async fn make(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    match Desk::open(api, me, named(in_path), None, &headers).await {
        Ok(desk) => desk.act(&Fields::read(&form)).await,
        Err(response) => *response,
    }
}

/// A button of the form of an existing schedule.
pub(super) async fn act(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<(String, String)>, Problem>,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    let (team, name) = both(in_path);
    match Desk::open(api, me, team, Some(name), &headers).await {
        Ok(desk) if desk.known().is_none() => desk.no_schedule(),
        Ok(desk) => desk.act(&Fields::read(&form)).await,
        Err(response) => *response,
    }
}

fn both(in_path: Result<Path<(String, String)>, Problem>) -> (Option<TeamName>, Option<ScheduleName>) {
    let Ok(Path((team, name))) = in_path else { return (None, None) };
    (TeamName::new(team).ok(), ScheduleName::new(name).ok())
}

impl Desk {
    /// Reads the data of the form. `edited` is the name in the path, if the path has one.
    async fn open(
        api: Api,
        me: SignedIn,
        team: Option<TeamName>,
        edited: Option<Option<ScheduleName>>,
        headers: &HeaderMap,
    ) -> Result<Self, Box<Response>> {
        let Some(team) = team else { return Err(Box::new(no_team(&api, &me))) };
        let found = find(&api, &team, api.engine().now(), api.engine().now()).await;
        let found = found.map_err(|error| Box::new(outage(&api, &me.by, &error)))?;
        let Some(directory) = found else { return Err(Box::new(no_team(&api, &me))) };
        let reader = Reader::new(&api, headers, None, directory.book(), &me.by, &zone_of(&directory));
        let desk = |edited| Self { api, me, team, directory, reader, edited };
        match edited {
            None => Ok(desk(None)),
            Some(Some(name)) => Ok(desk(Some(name))),
            Some(None) => Err(Box::new(desk(None).no_schedule())),
        }
    }

    /// The schedule that is edited, as it is now.
    fn known(&self) -> Option<&Arc<Schedule>> {
        let timetable = self.directory.book().timetable(&self.team, self.edited.as_ref()?);
        timetable.and_then(Timetable::schedule)
    }

    fn no_schedule(&self) -> Response {
        message(&self.api, Some(&self.me.by), StatusCode::NOT_FOUND, "There is no such schedule.")
    }

    fn show(&self, status: StatusCode, form: Form, wrong: Wrong, preview: Option<Preview>) -> Response {
        let path = segment(self.team.as_str());
        let prefix = self.api.prefix();
        let action = match &self.edited {
            None => format!("{prefix}/board/teams/{path}/new-schedule"),
            Some(name) => format!("{prefix}/board/teams/{path}/schedules/{}", segment(name.as_str())),
        };
        let page = Page {
            frame: Frame::new(&self.api, Some(&self.me.by), Place::OnCall),
            team: self.team.clone(),
            path,
            action,
            edited: self.edited.clone(),
            seen: seen(self.known().map(Arc::as_ref)),
            zones: self.reader.zones(&[&form.timezone, zone_of(&self.directory).name()]),
            people: reader::people(self.directory.book()),
            offers_level: self.without_levels().is_some(),
            form,
            wrong,
            preview,
        };
        html(status, &page)
    }

    /// The settings of a team that has no levels yet.
    fn without_levels(&self) -> Option<&Arc<Team>> {
        self.directory.settings().filter(|settings| settings.levels().is_empty())
    }

    async fn act(&self, fields: &Fields) -> Response {
        let mut form = Form::read(fields);
        let button = fields.text("do");
        if let Some(n) = button.strip_prefix("remove-layer:").and_then(|n| n.parse::<usize>().ok()) {
            if n < form.layers.len() {
                form.layers.remove(n);
            }
            return self.show(StatusCode::OK, form, Wrong::default(), None);
        }
        match button.as_str() {
            "add-layer" => {
                let from = form.layers.first().map(|layer| layer.from.clone()).unwrap_or_default();
                form.layers.push(LayerForm { from, ..LayerForm::empty() });
                self.show(StatusCode::OK, form, Wrong::default(), None)
            }
            "preview" => match self.judged(&form) {
                Ok((name, schedule, _)) => match self.preview(&name, schedule).await {
                    Ok(preview) => self.show(StatusCode::OK, form, Wrong::default(), Some(preview)),
                    Err(error) => outage(&self.api, &self.me.by, &error),
                },
                Err(refused) => self.refused(form, &refused),
            },
            "save" => self.save(form, fields).await,
            "delete" => self.delete(form).await,
            _ => {
                let wrong = Wrong::field("button", "is not a button of this page");
                self.show(StatusCode::BAD_REQUEST, form, wrong, None)
            }
        }
    }

    fn refused(&self, form: Form, refused: &Problem) -> Response {
        if refused.status().is_server_error() {
            return problem(&self.api, &self.me.by, refused);
        }
        self.show(refused.status(), form, Wrong::from(refused), None)
    }

    /// Converts the form into a schedule. Also returns its name and the targets that it names.
    fn judged(&self, form: &Form) -> Result<(ScheduleName, Schedule, Vec<Named>), Problem> {
        let name = match &self.edited {
            Some(name) => name.clone(),
            None => self.new_name(form)?,
        };
        let invalid = |error: InvalidInput| Problem::invalid(&error);
        let known: &[Feed] = self.known().map_or(&[], |schedule| schedule.feeds());
        let zone = self.reader.clock.zone.clone();
        let (schedule, named) =
            wire::schedule(form.entry().map_err(invalid)?, zone, known).map_err(invalid)?;
        reachable(&self.api, &named)?;
        let mut unknown = InvalidInput::default();
        for (field, target) in &named {
            if let Some(message) = self.unknown(&name, target) {
                unknown.push(field.clone(), message);
            }
        }
        if !unknown.is_empty() {
            return Err(Problem::unprocessable_fields(&unknown));
        }
        Ok((name, schedule, named))
    }

    fn new_name(&self, form: &Form) -> Result<ScheduleName, Problem> {
        let refuse = |message: &str| Problem::invalid(&InvalidInput::field("name", message.to_owned()));
        let name = ScheduleName::new(&form.name);
        let name = name.map_err(|e| refuse(e.errors().first().map_or("is invalid", |e| e.message())))?;
        match self.directory.book().timetable(&self.team, &name) {
            None => Ok(name),
            Some(_) => Err(refuse("is the name of another schedule of this team")),
        }
    }

    /// The error of a target that names a missing person or schedule.
    fn unknown(&self, own: &ScheduleName, target: &Target) -> Option<String> {
        let book = self.directory.book();
        match target {
            Target::Contact(_) | Target::Team(_) => None,
            Target::Person(id) => book.person(id).is_none().then(|| format!("there is no person `{id}`")),
            Target::Schedule { team, name } => {
                let team = team.as_ref().unwrap_or(&self.team);
                let is_own = *team == self.team && name == own;
                let is_known = is_own || book.timetable(team, name).is_some();
                (!is_known).then(|| format!("team `{team}` has no schedule `{name}`"))
            }
        }
    }

    /// The preview of the schedule, and the spans that would change hands.
    async fn preview(&self, name: &ScheduleName, schedule: Schedule) -> Result<Preview, Outage> {
        let clock = &self.reader.clock;
        let first = monday(clock.today());
        let (from, to) = (clock.begins(first), clock.begins(on(first, WEEKS * 7)));
        let is = self.changed(name, schedule, from, to).await?;
        if circle(is.book(), &self.team, name) {
            return Ok(Preview::circle());
        }
        let was = self.known().map(|_| self.directory.as_ref());
        Ok(Preview::new(&self.reader, &self.team, name, was, &is, first))
    }

    /// The roster as it would be after the change.
    async fn changed(
        &self,
        name: &ScheduleName,
        schedule: Schedule,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Directory, Outage> {
        let mut book = Book::clone(self.directory.book());
        book.put(Entry::schedule(&self.team, name, schedule));
        let mut changed = self.directory.with_book(book);
        loop {
            let missing = changed.teams_to_read();
            if missing.is_empty() {
                return Ok(changed);
            }
            for team in missing {
                let directory = self.api.engine().roster().directory(&team, from, to).await?;
                let part = directory.part(&team).cloned();
                changed.add(team, part.unwrap_or_else(TeamPart::unknown));
            }
        }
    }

    async fn save(&self, form: Form, fields: &Fields) -> Response {
        let (name, schedule, named) = match self.judged(&form) {
            Ok(judged) => judged,
            Err(refused) => return self.refused(form, &refused),
        };
        if fields.text("seen") != seen(self.known().map(Arc::as_ref)) {
            let text =
                "somebody else has changed this schedule meanwhile; if you save again, yours replaces theirs";
            let refused = Problem::new(StatusCode::CONFLICT, text);
            return self.refused(form, &refused);
        }
        let mut edits: Vec<RosterEdit> = vec![Entry::schedule(&self.team, &name, schedule).into()];
        if let Some(settings) = self.without_levels().filter(|_| form.alerts_it()) {
            let notify = vec![Target::Schedule { team: None, name }];
            match settings.to_builder().levels(vec![TeamLevel { notify, wait: None }]).build() {
                Ok(settings) => edits.push(Entry::team(&self.team, settings).into()),
                Err(invalid) => return self.refused(form, &Problem::invalid(&invalid)),
            }
        }
        self.edit(form, edits, named).await
    }

    async fn delete(&self, form: Form) -> Response {
        let Some(name) = self.edited.clone() else { return self.no_schedule() };
        let edit = RosterEdit::Delete(EntryKey::Schedule(self.team.clone(), name));
        self.edit(form, vec![edit], Vec::new()).await
    }

    async fn edit(&self, form: Form, edits: Vec<RosterEdit>, named: Vec<Named>) -> Response {
        match acts::change_roster(&self.api, &self.me, edits, named).await {
            Ok(Effect::Absent) => self.no_schedule(),
            Ok(Effect::Created | Effect::Replaced | Effect::Unchanged | Effect::Deleted) => {
                see(&format!("{}/board/teams/{}", self.api.prefix(), segment(self.team.as_str())))
            }
            Err(refused) => self.refused(form, &refused),
        }
    }
}

/// A text that is different for each state of a schedule.
fn seen(schedule: Option<&Schedule>) -> String {
    let text = schedule.and_then(|schedule| serde_json::to_vec(schedule).ok()).unwrap_or_default();
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
