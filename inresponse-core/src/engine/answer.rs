//! Takes the answers that come back over channels.

use chrono::{DateTime, Utc};

use super::lookup::Lookup;
use super::swap::{Changed, Swap};
use crate::error::{Chain, Outage};
use crate::model::{Contact, Delivery, IncidentNumber, Person, Purpose, State};
use crate::plan::{self, Answer, AnswerTo, Input, Refusal, Wanted};
use crate::store::{ListQuery, Record, Store};

/// The maximum number of open incidents that are searched for alerts to a contact.
const SEARCHED: usize = 500;
/// The number of incidents that one query lists.
const PAGE: usize = 100;

/// The result of an answer.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Answered {
    /// What the answer asked for was done, durably, for that person.
    Done(Record, Person, Wanted),
    /// The incident was already as the answer asks for.
    Already(Record, Person),
    /// The answer does not count, or the incident's state forbids it; nothing was changed.
    Refused(Record, Refusal),
    /// There is no such incident.
    Absent,
}

impl Answered {
    /// What to tell the person who answered: what was done, or why nothing was, and who has the incident.
    ///
    /// One or two plain sentences without an address, so that they can be sent, shown and spoken.
    pub fn text(&self) -> String {
        match self {
            Answered::Done(record, by, wanted) => {
                let (incident, number) = (&record.incident, record.number());
                match wanted {
                    Wanted::Claim if incident.responders().iter().any(|one| one.by.is(by)) => {
                        format!("You help with incident {number} now. {}", state(record, None))
                    }
                    Wanted::Claim => format!("You have incident {number} now. The alerts have stopped."),
                    Wanted::Resolve => format!("Incident {number} is resolved now."),
                    Wanted::Escalate => format!("The next level of incident {number} is alerted now."),
                }
            }
            Answered::Already(record, by) => state(record, Some(by)),
            Answered::Refused(record, refusal) => match refusal {
                Refusal::ClaimedBy(_) | Refusal::Forbidden { .. } | Refusal::Over => state(record, None),
                Refusal::EarlierRound => {
                    format!(
                        "That alert is from an earlier round, so your answer does not count. {}",
                        state(record, None)
                    )
                }
                Refusal::Repeated => {
                    format!(
                        "You have already answered that, so your answer does not count again. {}",
                        state(record, None)
                    )
                }
                Refusal::NotAsked => {
                    format!(
                        "That alert was not sent to you, so your answer does not count. {}",
                        state(record, None)
                    )
                }
                Refusal::Replaced => {
                    format!(
                        "A later message has replaced that one, so your answer does not count. {}",
                        state(record, None)
                    )
                }
                Refusal::UnknownAccount => {
                    "Your account is not linked to a person, so your answer does not count. \
                    Your page in InResponse shows a code for linking it."
                        .to_owned()
                }
                Refusal::NotEscalating(_)
                | Refusal::NotSnoozing(_)
                | Refusal::NotCalling(_)
                | Refusal::TooManyCalled
                | Refusal::NobodyLeft
                | Refusal::UnknownTeam(_)
                | Refusal::NewerFormat => format!("Nothing was changed: {refusal}. {}", state(record, None)),
            },
            Answered::Absent => "There is no such incident.".to_owned(),
        }
    }
}

/// The state of the incident, as `you` may hear it.
fn state(record: &Record, you: Option<&Person>) -> String {
    let incident = &record.incident;
    let number = incident.number();
    let is_you = |person: &Person| you.is_some_and(|you| person.is(you));
    let at = |at: DateTime<Utc>| incident.matrix().zone().local(at).clock().format("%H:%M").to_string();
    match (incident.state(), incident.claimed(), incident.resolved()) {
        (State::Claimed, Some(claimed), _) if is_you(&claimed.by) => {
            format!("You already have incident {number}, since {}.", at(claimed.at))
        }
        (State::Claimed, Some(claimed), _) if incident.responders().iter().any(|one| is_you(&one.by)) => {
            format!("You already help with incident {number}. {} has it.", claimed.by)
        }
        (State::Claimed, Some(claimed), _) => {
            format!("{} has incident {number} since {}.", claimed.by, at(claimed.at))
        }
        (State::Resolved, _, Some(resolved)) => {
            format!("Incident {number} was resolved by {} at {}.", resolved.by, at(resolved.at))
        }
        (State::Claimed, None, _) => format!("Incident {number} is claimed."),
        (State::Resolved, _, None) => format!("Incident {number} is resolved."),
        (State::Open, _, _) => format!("Nobody has incident {number} yet."),
    }
}

/// The incidents of which a contact was alerted in their current round: open ones, and claimed ones to which it was called
/// in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum OpenAlerts {
    /// These, newest first.
    All(Vec<IncidentNumber>),
    /// There are too many open incidents to search them all.
    TooMany,
}

/// See [`Engine::answer`](super::Engine::answer).
pub(super) async fn answer(
    swap: &Swap,
    lookup: &Lookup,
    number: IncidentNumber,
    answer: Answer,
) -> Result<Answered, Outage> {
    let asked = match (&answer.from, &answer.to) {
        (Some(from), _) => Some(from.clone()),
        (None, AnswerTo::AlertTo(contact)) => Some(contact.clone()),
        (None, AnswerTo::Delivery(id)) => match swap.store.load(number).await? {
            Some(record) => record.incident.delivery(id).map(|delivery| delivery.contact().clone()),
            None => return Ok(Answered::Absent),
        },
    };
    let answer = &Answer { account: account(lookup, asked.as_ref()).await, ..answer };
    let changed = swap.change_of(number, |round| Input::Answer { answer, round }).await?;
    let over = answer.over.as_str();
    Ok(match changed {
        Changed::Done { before, record } => match plan::judge(&before, answer) {
            Ok(by) => {
                let state = record.incident.state();
                tracing::info!(incident = number.value(), %by, over, %state, "an answer changed an incident");
                Answered::Done(record, by, answer.wants)
            }
            Err(refusal) => Answered::Refused(record, refusal),
        },
        Changed::Nothing(record) => match plan::judge(&record.incident, answer) {
            Ok(by) => Answered::Already(record, by),
            Err(refusal) => Answered::Refused(record, refusal),
        },
        Changed::Refused(record, refusal) => {
            tracing::info!(incident = number.value(), over, %refusal, "an answer changed nothing");
            Answered::Refused(record, refusal)
        }
        Changed::Gone => Answered::Absent,
    })
}

/// The person who has an account. If the roster cannot be read, only the answers of those who were alerted themselves
/// count: the incident says who they are.
async fn account(lookup: &Lookup, contact: Option<&Contact>) -> Option<Person> {
    let contact = contact?;
    match lookup.held_book().await {
        Ok(book) => book.person_at(contact).map(Person::from),
        Err(error) => {
            tracing::warn!(error = %Chain::of(&error), "the roster cannot say whose account answered");
            None
        }
    }
}

/// See [`Engine::open_alerts_to`](super::Engine::open_alerts_to).
pub(super) async fn open_alerts_to(store: &dyn Store, contact: &Contact) -> Result<OpenAlerts, Outage> {
    let (mut found, is_all) = alerts_to(store, contact, State::Open).await?;
    if !is_all {
        return Ok(OpenAlerts::TooMany);
    }
    // Of the claimed incidents, those count to which the contact was called in.
    found.extend(alerts_to(store, contact, State::Claimed).await?.0);
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(OpenAlerts::All(found))
}

/// The incidents in that state of which a contact may answer an alert, and whether all incidents were searched.
async fn alerts_to(
    store: &dyn Store,
    contact: &Contact,
    state: State,
) -> Result<(Vec<IncidentNumber>, bool), Outage> {
    let mut query = ListQuery { state: Some(state), limit: PAGE, ..ListQuery::default() };
    let mut found = Vec::new();
    for _ in 0..SEARCHED / PAGE {
        let page = store.list(&query).await?;
        let asked = page.iter().filter(|record| {
            let incident = &record.incident;
            let may_answer = |d: &&Delivery| match d.key().purpose {
                Purpose::Alert(_) => state == State::Open,
                Purpose::CallIn(_) => true,
                Purpose::StatusUpdate(_) => false,
            };
            let alerts = incident.deliveries().iter().filter(may_answer);
            let mut of_now = alerts.filter(|d| d.key().round == incident.round() && d.attempts() > 0);
            of_now.any(|d| d.contact() == contact)
        });
        found.extend(asked.map(Record::number));
        match page.last() {
            Some(last) if page.len() == PAGE => query.below = Some(last.number()),
            Some(_) | None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}
