//! People: who they are, how they are reached, and when they are on call.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use inresponse_core::engine::Tested;
use inresponse_core::model::{MethodName, Outcome, PersonId, Zone};
use inresponse_core::notify::Linking;
use inresponse_core::roster::{Book, Effect, Entry, EntryKey, Profile, RosterEdit, Who, shifts};
use inresponse_core::{InvalidInput, Outage};

use super::form::{Fields, Wrong, segment};
use super::person_form::Form;
use super::reader::Reader;
use super::session::SignedIn;
use super::times::Told;
use super::{Frame, Place, acts, html, message, outage, problem, see};
use crate::Api;
use crate::caller::Addresses;
use crate::here::Here;
use crate::input::{Bytes, Params, Path};
use crate::problem::Problem;
use crate::routes::people::tested;
use crate::routes::roster::reachable;
use crate::routes::verification;
use crate::wire::people as wire;
use crate::wire::roster::Named;

/// How far ahead a person's shifts are listed.
const AHEAD: TimeDelta = TimeDelta::days(56);
/// The maximum number of shifts that are listed.
const SHIFTS: usize = 100;

#[derive(Template)]
#[template(path = "people.html")]
struct List {
    frame: Frame,
    people: Vec<inresponse_api::Person>,
    may_edit: bool,
}

#[derive(Template)]
#[template(path = "person.html")]
struct Page {
    frame: Frame,
    /// The person; `None` for a new one.
    person: Option<inresponse_api::Person>,
    path: String,
    /// The address to which the form is sent.
    action: String,
    form: Form,
    zones: Vec<String>,
    wrong: Wrong,
    may_edit: bool,
    is_away: bool,
    turns: Vec<Turn>,
    tests: Vec<Test>,
    codes: Vec<Code>,
}

/// A code with which the person links an account of a channel.
struct Code {
    /// The scheme of the account.
    scheme: String,
    /// What the person sends.
    text: String,
    /// Where the person sends it.
    to: &'static str,
    is_linked: bool,
}

/// A shift of a person.
struct Turn {
    team: String,
    path: String,
    schedule: String,
    from: Told,
    to: Told,
    is_now: bool,
}

/// The result of a test message, in words.
struct Test {
    method: String,
    text: String,
    mood: &'static str,
    detail: Option<String>,
}

impl Test {
    fn new(tested: &Tested, addresses: Addresses) -> Self {
        let seconds = tested.took.as_secs_f64();
        let (text, mood) = match &tested.outcome {
            Outcome::Accepted | Outcome::AcceptedAs(_) => ("was accepted", "good"),
            Outcome::Rejected { .. } => ("was refused", "bad"),
            Outcome::Throttled { .. } => ("must wait", "bad"),
            Outcome::Limited { .. } => ("was held back by a limit", "bad"),
            Outcome::Unavailable { .. } => ("could not be sent", "bad"),
            Outcome::Unknown { .. } => ("may or may not arrive", "bad"),
        };
        let reason = tested.outcome.reason();
        Self {
            method: tested.method.to_string(),
            text: format!("{text} after {seconds:.1} s"),
            mood,
            // A carrier's answer may contain an address.
            detail: (addresses == Addresses::Whole && !reason.is_empty()).then(|| reason.to_owned()),
        }
    }
}

/// All people.
pub(super) async fn list(Here(api): Here, me: SignedIn) -> Response {
    let book = match api.engine().book().await {
        Ok(book) => book,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let people = book.people().iter().map(|(id, profile)| wire::person(id, profile, me.caller.sees));
    let page = List {
        frame: Frame::new(&api, Some(&me.by), Place::People),
        people: people.collect(),
        may_edit: me.caller.sees == Addresses::Whole,
    };
    html(StatusCode::OK, &page)
}

impl List {
    fn path(&self, person: &str) -> String {
        segment(person)
    }
}

/// The data that a page of one person needs.
struct Desk {
    api: Api,
    me: SignedIn,
    book: Arc<Book>,
    reader: Reader,
    /// The person; `None` for a new one.
    known: Option<(PersonId, Arc<Profile>)>,
}

/// One person.
pub(super) async fn page(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    params: Params,
    headers: HeaderMap,
) -> Response {
    if let Err(error) = params.finish() {
        return problem(&api, &me.by, &error);
    }
    match Desk::open(api, me, Some(in_path), &headers).await {
        Ok(desk) => desk.show(StatusCode::OK, None, Wrong::default(), Vec::new()).await,
        Err(response) => *response,
    }
}

/// The form of a new person.
pub(super) async fn new(Here(api): Here, me: SignedIn, headers: HeaderMap) -> Response {
    match Desk::open(api, me, None, &headers).await {
        Ok(desk) => desk.show(StatusCode::OK, None, Wrong::default(), Vec::new()).await,
        Err(response) => *response,
    }
}

/// The button of the form of a new person.
pub(super) async fn make(Here(api): Here, me: SignedIn, headers: HeaderMap, Bytes(form): Bytes) -> Response {
    match Desk::open(api, me, None, &headers).await {
        Ok(desk) => desk.act(&Fields::read(&form)).await,
        Err(response) => *response,
    }
}

/// A button of the form of a person.
pub(super) async fn act(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    match Desk::open(api, me, Some(in_path), &headers).await {
        Ok(desk) => desk.act(&Fields::read(&form)).await,
        Err(response) => *response,
    }
}

/// Sends test messages, and shows their results.
pub(super) async fn test(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
) -> Response {
    let desk = match Desk::open(api, me, Some(in_path), &headers).await {
        Ok(desk) => desk,
        Err(response) => return *response,
    };
    let Some((id, _)) = &desk.known else { return absent(&desk.api, &desk.me) };
    match tested(&desk.api, id).await {
        Ok(tested) => {
            let sees = desk.me.caller.sees;
            let tests = tested.iter().map(|tested| Test::new(tested, sees)).collect();
            desk.show(StatusCode::OK, None, Wrong::default(), tests).await
        }
        Err(refused) if refused.status().is_server_error() => problem(&desk.api, &desk.me.by, &refused),
        Err(refused) => desk.show(refused.status(), None, Wrong::from(&refused), Vec::new()).await,
    }
}

/// Sends a code to a phone number, or confirms the number with it.
pub(super) async fn verify(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    headers: HeaderMap,
    Bytes(form): Bytes,
) -> Response {
    let desk = match Desk::open(api, me, Some(in_path), &headers).await {
        Ok(desk) => desk,
        Err(response) => return *response,
    };
    let Some((id, _)) = &desk.known else { return absent(&desk.api, &desk.me) };
    let fields = Fields::read(&form);
    let method = MethodName::new(fields.text("method")).map_err(|e| Problem::invalid(&e));
    let done = match (fields.text("do").as_str(), method) {
        (_, Err(refused)) => Err(refused),
        ("send", Ok(method)) => verification::send(&desk.api, id, &method).await.map(drop),
        (_, Ok(method)) => {
            verification::confirm(&desk.api, id, &method, &fields.text("code")).await.map(drop)
        }
    };
    match done {
        Ok(()) => see(&format!("{}/board/people/{}", desk.api.prefix(), segment(id.as_str()))),
        Err(refused) => desk.show(refused.status(), None, Wrong::from(&refused), Vec::new()).await,
    }
}

impl Desk {
    async fn open(
        api: Api,
        me: SignedIn,
        in_path: Option<Result<Path<String>, Problem>>,
        headers: &HeaderMap,
    ) -> Result<Self, Box<Response>> {
        let book = api.engine().book().await.map_err(|error| Box::new(outage(&api, &me.by, &error)))?;
        let reader = Reader::new(&api, headers, None, &book, &me.by, &Zone::utc());
        let known = match in_path {
            None => None,
            Some(in_path) => {
                let id = in_path.ok().and_then(|Path(text)| PersonId::new(text).ok());
                let known = id.and_then(|id| Some((id.clone(), book.person(&id)?.clone())));
                Some(known.ok_or_else(|| Box::new(absent(&api, &me)))?)
            }
        };
        Ok(Self { api, me, book, reader, known })
    }

    /// Shows the page of a person. `typed` is the form with the typed texts, if a form was sent.
    async fn show(
        &self,
        status: StatusCode,
        typed: Option<Form>,
        wrong: Wrong,
        tests: Vec<Test>,
    ) -> Response {
        let turns = match self.turns().await {
            Ok(turns) => turns,
            Err(error) => return outage(&self.api, &self.me.by, &error),
        };
        let codes = match self.codes().await {
            Ok(codes) => codes,
            Err(error) => return outage(&self.api, &self.me.by, &error),
        };
        let sees = self.me.caller.sees;
        let prefix = self.api.prefix();
        let path = self.known.as_ref().map(|(id, _)| segment(id.as_str())).unwrap_or_default();
        let typed = typed.unwrap_or_else(|| match &self.known {
            Some((id, profile)) => Form::of(id, profile, sees),
            None => Form::new(&self.reader.clock.zone),
        });
        let person = self.known.as_ref().map(|(id, profile)| wire::person(id, profile, sees));
        let page = Page {
            frame: Frame::new(&self.api, Some(&self.me.by), Place::People),
            action: match &self.known {
                Some(_) => format!("{prefix}/board/people/{path}"),
                None => format!("{prefix}/board/new-person"),
            },
            path,
            person,
            zones: self.reader.zones(&[&typed.timezone]),
            form: typed,
            wrong,
            may_edit: sees == Addresses::Whole,
            is_away: self.known.as_ref().is_some_and(|(_, profile)| profile.is_away(self.reader.clock.now)),
            turns,
            tests,
            codes,
        };
        html(status, &page)
    }

    /// The codes with which the person links accounts. A code changes the person, so only those who may do that see it.
    async fn codes(&self) -> Result<Vec<Code>, Outage> {
        let Some((id, profile)) = self.known.as_ref().filter(|_| self.me.caller.sees == Addresses::Whole)
        else {
            return Ok(Vec::new());
        };
        let mut codes = Vec::new();
        for Linking { scheme, to, command } in self.api.channels().iter().filter_map(|one| one.linking()) {
            let Some(code) = self.api.engine().link_code(id, &scheme).await? else { continue };
            let is_linked = profile.methods().values().any(|contact| contact.scheme() == scheme.as_str());
            let (scheme, text) = (scheme.as_str().to_owned(), format!("{command} {}", code.code));
            codes.push(Code { scheme, text, to, is_linked });
        }
        Ok(codes)
    }

    /// The person's coming shifts in all schedules.
    async fn turns(&self) -> Result<Vec<Turn>, Outage> {
        let Some((id, _)) = &self.known else { return Ok(Vec::new()) };
        let (clock, who) = (&self.reader.clock, Who::Person(id.clone()));
        let (from, to) = (clock.now, clock.now + AHEAD);
        let (mut turns, mut directory) = (Vec::new(), None);
        for (team, name, timetable) in self.book.schedules() {
            if timetable.schedule().is_none() {
                continue;
            }
            // The schedules are ordered by team.
            if directory.as_ref().is_none_or(|(of, _)| of != team) {
                let read = self.api.engine().roster().directory(team, from, to).await?;
                directory = Some((team.clone(), read));
            }
            let Some((_, directory)) = &directory else { continue };
            let shifts = shifts(directory, team, name, from, to);
            turns.extend(shifts.iter().filter(|shift| shift.oncall.contains(&who)).map(|shift| {
                let (begins, ends) = clock.span(shift.from, shift.to);
                let turn = Turn {
                    team: team.to_string(),
                    path: segment(team.as_str()),
                    schedule: name.to_string(),
                    from: begins,
                    to: ends,
                    is_now: shift.from <= clock.now,
                };
                (shift.from, turn)
            }));
        }
        turns.sort_by_key(|(from, _)| *from);
        turns.truncate(SHIFTS);
        Ok(turns.into_iter().map(|(_, turn)| turn).collect())
    }

    async fn act(&self, fields: &Fields) -> Response {
        let form = Form::read(fields);
        let edit = match (fields.text("do").as_str(), &self.known) {
            ("save", _) => match self.judged(&form) {
                Ok((entry, named)) => (RosterEdit::from(entry), named),
                Err(refused) => return self.refused(form, &refused).await,
            },
            ("delete", Some((id, _))) => (RosterEdit::Delete(EntryKey::Person(id.clone())), Vec::new()),
            _ => {
                let wrong = Wrong::field("button", "is not a button of this page");
                return self.show(StatusCode::BAD_REQUEST, Some(form), wrong, Vec::new()).await;
            }
        };
        let (edit, named) = edit;
        let next = match &edit {
            RosterEdit::Put(entry) => format!("/{}", segment(&entry.key().name())),
            RosterEdit::Delete(_) => String::new(),
        };
        match acts::change_roster(&self.api, &self.me, vec![edit], named).await {
            Ok(Effect::Absent) => absent(&self.api, &self.me),
            Ok(Effect::Created | Effect::Replaced | Effect::Unchanged | Effect::Deleted) => {
                see(&format!("{}/board/people{next}", self.api.prefix()))
            }
            Err(refused) => self.refused(form, &refused).await,
        }
    }

    /// Converts the form into a person.
    fn judged(&self, form: &Form) -> Result<(Entry, Vec<Named>), Problem> {
        let invalid = |error: InvalidInput| Problem::invalid(&error);
        let id = match &self.known {
            Some((id, _)) => id.clone(),
            None => PersonId::new(&form.id).map_err(invalid)?,
        };
        if self.known.is_none() && self.book.person(&id).is_some() {
            return Err(invalid(InvalidInput::field("person", "is somebody else already")));
        }
        let (profile, named) = wire::profile(form.entry().map_err(invalid)?).map_err(invalid)?;
        reachable(&self.api, &named)?;
        Ok((Entry::person(&id, profile), named))
    }

    async fn refused(&self, form: Form, refused: &Problem) -> Response {
        if refused.status().is_server_error() {
            return problem(&self.api, &self.me.by, refused);
        }
        self.show(refused.status(), Some(form), Wrong::from(refused), Vec::new()).await
    }
}

fn absent(api: &Api, me: &SignedIn) -> Response {
    message(api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such person.")
}
