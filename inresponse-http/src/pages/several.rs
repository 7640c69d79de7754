//! Claims several incidents of the list at once.
//!
//! Each incident is claimed by its own swap. What somebody else has stays theirs, and the list says which.

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use inresponse_core::engine::Updated;
use inresponse_core::model::{Incident, IncidentNumber, State};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::{Chain, Engine, InvalidInput, Outage};

use super::filter::Filter;
use super::session::SignedIn;
use super::{message, outage, see};
use crate::Api;
use crate::carry::carried_through;
use crate::here::Here;
use crate::input::{Bytes, Params, number};

/// How many incidents are read or claimed at once for one request.
const AT_ONCE: usize = 16;
/// How many incidents one request may claim: more than a page shows.
const MOST: usize = 100;

/// The incidents that a reader has tried to claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked(Vec<IncidentNumber>);

impl Asked {
    /// Reads numbers that are separated by dots, as an address contains them.
    pub(super) fn read(text: &str) -> Result<Self, InvalidInput> {
        let numbers: Vec<_> = text.split('.').take(MOST + 1).map(number).collect::<Result<_, _>>()?;
        Self::bounded(numbers)
    }

    fn bounded(mut numbers: Vec<IncidentNumber>) -> Result<Self, InvalidInput> {
        if numbers.len() > MOST {
            return Err(InvalidInput::field("incident", format!("must be given at most {MOST} times")));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self(numbers))
    }

    fn in_address(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
    }
}

/// Who has some of these incidents.
pub(super) struct Told {
    /// Whether the reader has them.
    pub(super) is_done: bool,
    pub(super) numbers: Vec<u64>,
    /// The rest of the sentence.
    pub(super) text: String,
}

/// Claims the incidents that are marked in the list, and returns to the same place of the same list.
pub(super) async fn claim(Here(api): Here, me: SignedIn, params: Params, Bytes(form): Bytes) -> Response {
    let refused = |text: &str| message(&api, Some(&me.by), StatusCode::BAD_REQUEST, text);
    let filter = match Filter::read(params) {
        Ok(filter) => filter,
        Err(problem) => return refused(problem.detail()),
    };
    let marked = form_urlencoded::parse(&form).filter(|(name, _)| name == "incident").take(MOST + 1);
    let marked = marked.map(|(_, text)| number(&text)).collect::<Result<Vec<_>, _>>();
    let asked = match marked.and_then(Asked::bounded) {
        Ok(asked) => asked,
        Err(error) => return refused(&format!("Nothing was done: {error}.")),
    };
    let (engine, numbers) = (api.engine().clone(), asked.0.clone());
    let update =
        Update::state(me.by.clone(), StateChange::Claim(TakeOver::No)).with_key(me.caller.key.clone());
    let caller = me.caller.clone();
    let claiming = async move {
        let claiming = numbers.into_iter().map(|number| {
            let (engine, update, caller) = (&engine, &update, &caller);
            async move {
                match caller.barred(engine, number).await {
                    Ok(None) => claim_one(engine, number, update).await,
                    Ok(Some(_)) => {}
                    Err(error) => not_claimed(number, &error),
                }
            }
        });
        let _: Vec<()> = stream::iter(claiming).buffer_unordered(AT_ONCE).collect().await;
        Ok(())
    };
    if let Err(error) = carried_through(&me.caller.lane, claiming).await {
        return outage(&api, &me.by, &error);
    }
    let query = filter.query();
    let join = if query.is_empty() { "?" } else { "&" };
    let asked = match asked.0.as_slice() {
        [] => String::new(),
        _ => format!("{join}asked={}", asked.in_address()),
    };
    see(&format!("{}{query}{asked}", api.home()))
}

async fn claim_one(engine: &Engine, number: IncidentNumber, update: &Update) {
    match engine.update(number, update).await {
        // The list says who has it now.
        Ok(Updated::Changed(_) | Updated::Unchanged(_) | Updated::Refused(..) | Updated::Absent) => {}
        Err(error) => not_claimed(number, &error),
    }
}

fn not_claimed(number: IncidentNumber, error: &Outage) {
    tracing::warn!(incident = number.value(), error = %Chain::of(error), "one of several incidents could not be claimed");
}

/// Says who has each of these incidents now.
pub(super) async fn told(api: &Api, me: &SignedIn, asked: &Asked) -> Result<Vec<Told>, Outage> {
    let reading = asked.0.clone().into_iter().map(|number| api.engine().get(number));
    let read: Vec<_> = stream::iter(reading).buffered(AT_ONCE).try_collect().await?;
    let mut all: Vec<Told> = Vec::new();
    for record in read.into_iter().flatten() {
        let (is_done, text) = standing(&record.incident, me);
        let number = record.incident.number().value();
        match all.iter_mut().find(|told| told.text == text) {
            Some(told) => told.numbers.push(number),
            None => all.push(Told { is_done, numbers: vec![number], text }),
        }
    }
    Ok(all)
}

/// Whether the reader has the incident, and who has it.
fn standing(incident: &Incident, me: &SignedIn) -> (bool, String) {
    match incident.state() {
        State::Open => match me.caller.barred_from(incident.service()) {
            Some(why) => (false, format!("not claimed: {why}")),
            None => (false, "nobody has it yet. Try again".to_owned()),
        },
        State::Claimed => match incident.claimed() {
            Some(claimed) if claimed.by.is(&me.by) => (true, "claimed by you".to_owned()),
            Some(claimed) => (false, format!("{} has it", claimed.by)),
            None => (false, "somebody has it".to_owned()),
        },
        State::Resolved => match incident.resolved() {
            Some(resolved) => (false, format!("resolved by {}", resolved.by)),
            None => (false, "resolved".to_owned()),
        },
    }
}
