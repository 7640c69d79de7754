//! Decides about answers that come back over a channel: a reply, a key, a button.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::request::{Answer, AnswerTo, Refusal, StateChange, TakeOver, Update, Wanted};
use super::round::NextRound;
use super::{call_in, handover, people};
use crate::model::{Delivery, Incident, Person, Purpose, State};

/// Does what an answer asks for, or refuses it (promise 20).
pub(super) fn answer(
    incident: &Incident,
    answer: &Answer,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Decision {
    match judge(incident, answer) {
        Ok(_) if answer.wants == Wanted::Escalate && has_escalated(incident, answer) => Decision::Nothing,
        Ok(by) => people::update(incident, &update(incident, answer, by), round, now),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// The person who answers, if the answer counts.
pub(crate) fn judge(incident: &Incident, answer: &Answer) -> Result<Person, Refusal> {
    let asked = asked(incident, answer)?;
    let by = answering(incident, asked, answer)?;
    if let (State::Claimed, Some(claimed)) = (incident.state, &incident.claimed)
        && !claimed.by.is(&by)
        && !is_called(incident, asked, &by)
    {
        return Err(Refusal::ClaimedBy(claimed.by.clone()));
    }
    if incident.state != State::Resolved && asked.round != incident.round {
        return Err(Refusal::EarlierRound);
    }
    if incident.state != State::Resolved && answer.counts_in.is_some_and(|round| round != incident.round) {
        return Err(Refusal::Repeated);
    }
    Ok(by)
}

/// Whether the incident has gone beyond the level whose alert is answered. Channels repeat answers, and people press a
/// button twice: one alert escalates once.
fn has_escalated(incident: &Incident, answer: &Answer) -> bool {
    let Ok(Purpose::Alert(level)) = asked(incident, answer).map(|asked| asked.purpose) else { return false };
    match incident.state {
        State::Open => {
            let of_level = incident.begun.iter().find(|begun| begun.level == level);
            let is_passed = of_level.is_some_and(|begun| begun.passed_at.is_some());
            is_passed || incident.begun.last().is_some_and(|last| last.level != level)
        }
        State::Claimed => incident.call_ins.levels.iter().any(|called| *called > level),
        State::Resolved => false,
    }
}

/// Whether the person who answers was called in during this round, so that their answer counts although somebody else
/// has the incident.
fn is_called(incident: &Incident, asked: &Delivery, by: &Person) -> bool {
    asked.round == incident.round && call_in::is_called(incident, by, Some(&asked.contact))
}

/// The message that is answered. Only a message that may have been sent can be answered.
fn asked<'a>(incident: &'a Incident, answer: &Answer) -> Result<&'a Delivery, Refusal> {
    let sent = || incident.deliveries.iter().filter(|d| d.attempts > 0);
    match &answer.to {
        AnswerTo::Delivery(id) => match incident.replaced_in(id) {
            None => incident.delivery(id).filter(|d| d.attempts > 0).ok_or(Refusal::NotAsked),
            Some(round) if round != incident.round => Err(Refusal::EarlierRound),
            // Its recipient is no longer recorded. An account that got another message in that round was asked.
            Some(round) => {
                let mut others = sent().filter(|d| d.round == round);
                others.find(|d| answer.from.as_ref() == Some(&d.contact)).ok_or(Refusal::Replaced)
            }
        },
        AnswerTo::AlertTo(contact) => {
            let asks = |d: &&Delivery| !d.is_status_update() || handover::is_notice(incident, d);
            let alerts = sent().filter(|d| d.contact == *contact).filter(asks);
            alerts.max_by_key(|d| d.round).ok_or(Refusal::NotAsked)
        }
    }
}

/// The person to whom the message was sent. A message to a shared address may be answered by everybody who has it.
fn answering(incident: &Incident, asked: &Delivery, answer: &Answer) -> Result<Person, Refusal> {
    let is_theirs = answer.from.as_ref().is_none_or(|from| *from == asked.contact);
    match recipient(incident, asked) {
        Some(person) if is_theirs || answer.account.as_ref().is_some_and(|account| account.is(&person)) => {
            Ok(person)
        }
        Some(_) => Err(Refusal::NotAsked),
        None => match (&answer.account, is_theirs) {
            (Some(account), _) => Ok(account.clone()),
            (None, true) => call_in::named(&asked.contact).ok_or(Refusal::NotAsked),
            (None, false) => Err(Refusal::UnknownAccount),
        },
    }
}

/// The person for whom a delivery was made, as the roster was then.
fn recipient(incident: &Incident, delivery: &Delivery) -> Option<Person> {
    if let Some(called) = delivery.called.as_ref().filter(|called| !called.people.is_empty()) {
        return called.people.first().map(Person::from);
    }
    let matrix = &incident.matrix;
    let level = delivery.purpose.level();
    let (contact, after) = (&delivery.contact, delivery.after);
    let of_level = level.and_then(|level| matrix.recipient_after(level, contact, after, incident.severity));
    let mut having = matrix.recipients().iter().filter(|one| one.contact == delivery.contact);
    let found = of_level.or_else(|| having.clone().find(|one| one.level == level)).or_else(|| having.next());
    found.map(|one| Person::from(&one.person))
}

fn update(incident: &Incident, answer: &Answer, by: Person) -> Update {
    let change = match answer.wants {
        Wanted::Claim => StateChange::Claim(TakeOver::No),
        Wanted::Resolve => StateChange::Resolve,
        Wanted::Escalate => StateChange::Escalate,
    };
    let asked_at = asked(incident, answer).ok().map(|delivery| delivery.contact.clone());
    Update { asked_at, ..Update::state(by, change).with_key(answer.over.clone()) }
}
