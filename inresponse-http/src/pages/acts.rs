//! Executes the forms of the board, as the API would, for the person who is signed in.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_core::engine::Updated;
use inresponse_core::model::{IncidentNumber, KeyName, Note, Person, State, TeamName};
use inresponse_core::plan::{Refusal, StateChange, TakeOver, Update};
use inresponse_core::roster::{Effect, RosterEdit, Target};
use inresponse_core::{Engine, InvalidInput, Outage};

use super::incident::{Doubt, Undone};
use super::session::SignedIn;
use super::{incident, message, outage, see};
use crate::Api;
use crate::call_in::complete;
use crate::carry::carried_through;
use crate::hand_over::doubt;
use crate::here::Here;
use crate::input::{Bytes, Path, number};
use crate::outsiders::{Allowed, allowed};
use crate::problem::Problem;
use crate::routes::changes::edit_as;
use crate::wire::report::MAX_SNOOZE;
use crate::wire::roster::Named;

/// A button that was pressed, with its input.
struct Act {
    changes: Vec<StateChange>,
    note: Option<Note>,
    /// Whom it calls in.
    whom: Option<Target>,
}

/// Does what the button says, and redirects to the incident.
pub(super) async fn act(
    Here(api): Here,
    me: SignedIn,
    in_path: Result<Path<String>, Problem>,
    Bytes(form): Bytes,
) -> Response {
    let Some(number) = in_path.ok().and_then(|Path(text)| number(&text).ok()) else {
        return message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such incident.");
    };
    let field = |name: &str| {
        let mut pairs = form_urlencoded::parse(&form);
        pairs.find(|(given, _)| given == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let act = match read(&field) {
        Ok(act) => act,
        Err(error) => {
            let text = format!("Nothing was done: {error}.");
            let undone = Undone { refused: Some(text), note: field("note"), doubt: None };
            return incident::show(&api, &me.by, number, StatusCode::BAD_REQUEST, undone).await;
        }
    };
    match me.caller.barred(api.engine(), number).await {
        Ok(None) => {}
        Ok(Some(why)) => {
            let undone = Undone { refused: Some(format!("Nothing was done: {why}.")), ..Undone::default() };
            return incident::show(&api, &me.by, number, StatusCode::FORBIDDEN, undone).await;
        }
        Err(error) => return outage(&api, &me.by, &error),
    }
    if field("confirmed") != "yes" {
        match act.doubt(&api, number, &me.by).await {
            Ok(None) => {}
            Ok(doubt) => {
                let undone = Undone { doubt, ..Undone::default() };
                return incident::show(&api, &me.by, number, StatusCode::CONFLICT, undone).await;
            }
            Err(error) => return outage(&api, &me.by, &error),
        }
    }
    let whom = act.whom.clone();
    let (engine, mut updates) = (api.engine().clone(), act.updates(&me.by, &me.caller.key));
    if let Some(whom) = whom {
        let mut update = Update::nothing(me.by.clone()).with_key(me.caller.key.clone());
        let targets = (std::slice::from_ref(&whom), |_| "whom".to_owned());
        if let Err(problem) = complete(&api, &me.caller.key, number, &mut update, targets).await {
            let why = problem.errors().first().map_or(problem.detail(), |error| &error.message);
            let undone = Undone { refused: Some(format!("Nothing was done: {why}.")), ..Undone::default() };
            return incident::show(&api, &me.by, number, problem.status(), undone).await;
        }
        updates.push(update);
    }
    for update in &updates {
        let allowed = match allowed(&api, &me.caller.key, number, update).await {
            Ok(allowed) => allowed,
            Err(error) => return outage(&api, &me.by, &error),
        };
        let Some(why) = allowed.refusal(&me.caller.key) else { continue };
        let undone = Undone { refused: Some(format!("Nothing was done: {why}.")), ..Undone::default() };
        return match allowed {
            Allowed::NotNow(after) => {
                let page = incident::show(&api, &me.by, number, StatusCode::TOO_MANY_REQUESTS, undone).await;
                ([(RETRY_AFTER, HeaderValue::from(after.as_secs()))], page).into_response()
            }
            Allowed::NotThere(_) | Allowed::Yes => {
                incident::show(&api, &me.by, number, StatusCode::UNPROCESSABLE_ENTITY, undone).await
            }
        };
    }
    let done = async move { in_turn(&engine, number, updates).await };
    let done = carried_through(&me.caller.lane, done).await;
    match done {
        Ok(Updated::Changed(_) | Updated::Unchanged(_)) => {
            see(&format!("{}/board/incidents/{number}", api.prefix()))
        }
        Ok(Updated::Refused(_, refusal)) => {
            let text = format!("Nothing was done: {}.", in_words(&refusal));
            let undone = Undone { refused: Some(text), ..Undone::default() };
            incident::show(&api, &me.by, number, StatusCode::CONFLICT, undone).await
        }
        Ok(Updated::Absent) => {
            message(&api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such incident.")
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

/// Reads which button was pressed, with the text field next to it.
fn read(field: &impl Fn(&str) -> String) -> Result<Act, InvalidInput> {
    let changes = match field("do").as_str() {
        "claim" => vec![StateChange::Claim(TakeOver::No)],
        "take-over" => vec![StateChange::Claim(TakeOver::Yes)],
        "claim-and-resolve" => vec![StateChange::Claim(TakeOver::No), StateChange::Resolve],
        "release" => vec![StateChange::Release(TakeOver::No)],
        "resolve" => vec![StateChange::Resolve],
        "escalate" => vec![StateChange::Escalate],
        "snooze" => vec![StateChange::Snooze(snooze(&field("seconds"))?)],
        "respond" => vec![StateChange::Claim(TakeOver::No)],
        "call-in" => {
            let whom = Some(target(&field("whom"))?);
            return Ok(Act { changes: Vec::new(), note: None, whom });
        }
        "hand-to-person" => vec![StateChange::HandTo(Person::new(field("person"))?)],
        "hand-to-team" => vec![StateChange::HandToTeam(TeamName::new(field("team"))?)],
        "note" => {
            return Ok(Act { changes: Vec::new(), note: Some(Note::new(field("note"))?), whom: None });
        }
        _ => return Err(InvalidInput::field("button", "is not a button of this page")),
    };
    Ok(Act { changes, note: None, whom: None })
}

/// Reads a target; a name alone is a person.
fn target(text: &str) -> Result<Target, InvalidInput> {
    let text = text.trim();
    if text.contains([':', '@']) { text.parse() } else { format!("person:{text}").parse() }
}

/// After how long a claim ends.
fn snooze(seconds: &str) -> Result<Duration, InvalidInput> {
    match seconds.parse() {
        Ok(seconds @ 1..=MAX_SNOOZE) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => {
            Err(InvalidInput::field("seconds", format!("must be a number from 1 to {MAX_SNOOZE}")))
        }
    }
}

impl Act {
    /// Whether the receiver of the hand-over may never learn of it.
    async fn doubt(&self, api: &Api, number: IncidentNumber, by: &Person) -> Result<Option<Doubt>, Outage> {
        let [StateChange::HandTo(person)] = self.changes.as_slice() else { return Ok(None) };
        let Some(record) = api.engine().get(number).await? else { return Ok(None) };
        if record.incident.state() == State::Resolved {
            return Ok(None);
        }
        let why = doubt(api.engine(), &record.incident, by, person).await?;
        Ok(why.map(|why| Doubt { person: person.clone(), why }))
    }

    /// The updates that the button stands for, in order.
    fn updates(self, by: &Person, key: &KeyName) -> Vec<Update> {
        let changes = self.changes.into_iter().map(|change| Update::state(by.clone(), change));
        let notes = self.note.into_iter().map(|note| Update::note(by.clone(), note));
        changes.chain(notes).map(|update| update.with_key(key.clone())).collect()
    }
}

/// Makes all edits of the roster or none, in the name of the person who is signed in. Returns the effect of the first
/// edit.
pub(super) async fn change_roster(
    api: &Api,
    me: &SignedIn,
    edits: Vec<RosterEdit>,
    named: Vec<Named>,
) -> Result<Effect, Problem> {
    let (of_task, by, key) = (api.clone(), me.by.clone(), me.caller.key.clone());
    let done = async move {
        let done = edit_as(&of_task, &by, &edits, &named).await;
        if done.is_ok() {
            let entries: Vec<String> = edits.iter().map(|edit| edit.key().to_string()).collect();
            // The name is only a claim; the key is proven.
            tracing::info!(by = by.as_str(), %key, entries = entries.join(", "), "the roster was changed on the board");
        }
        Ok(done)
    };
    let done = carried_through(&me.caller.lane, done).await;
    done.unwrap_or_else(|error| Err(Problem::outage_of_change(&error)))
}

/// Makes one update after the other until one is refused.
pub(super) async fn in_turn(
    engine: &Engine,
    number: IncidentNumber,
    updates: Vec<Update>,
) -> Result<Updated, Outage> {
    let mut done = Updated::Absent;
    for update in updates {
        done = engine.update(number, &update).await?;
        match done {
            Updated::Changed(_) | Updated::Unchanged(_) => {}
            Updated::Refused(..) | Updated::Absent => break,
        }
    }
    Ok(done)
}

fn in_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::ClaimedBy(person) => format!("{person} has this incident"),
        Refusal::Forbidden { from, to } => {
            format!("an incident that is {} cannot become {}", lower(from), lower(to))
        }
        Refusal::NotEscalating(state) => {
            format!("this incident is {}, so nobody is being alerted", lower(state))
        }
        Refusal::NotCalling(state) => {
            format!("this incident is {}, so nobody can be called in", lower(state))
        }
        Refusal::NotSnoozing(state) => {
            format!("this incident is {}, so there is no claim to snooze", lower(state))
        }
        Refusal::NobodyLeft => "nobody is left to alert".to_owned(),
        other => other.to_string(),
    }
}

fn lower(state: &State) -> String {
    state.as_str().to_lowercase()
}
