//! Checks P20: an answer over a channel counts only for the person who was asked, and only in the round that asked.

use inresponse_core::model::{Contact, Person, State};
use inresponse_core::plan::{Refusal, StateChange};
use inresponse_core::store::Record;

use super::{Checker, closes, compared, may_have};
use crate::history::{AnswerCall, Sent, UpdateCall, Verdict};

impl Checker<'_> {
    /// Whether what an answer was told is right. Everything else about it is checked as for every update.
    pub(super) fn answer_over_a_channel(&self, call: &UpdateCall, over: &AnswerCall) {
        let sent = over.to.map(|i| self.sent(i));
        let wrong = match (call.answer.got(), sent) {
            (Some(Verdict::Changed(_) | Verdict::Unchanged(_)), None) => {
                Some("counted, although nobody was asked".to_owned())
            }
            (Some(Verdict::Changed(record) | Verdict::Unchanged(record)), Some(sent)) => {
                self.did_count(call, over, sent, record)
            }
            (Some(Verdict::Refused(record, refusal)), sent) => self.was_refused(over, sent, record, refusal),
            (Some(Verdict::Absent), _) | (None, _) => None,
        };
        if let Some(wrong) = wrong {
            let from = over.from.as_ref().map_or("nobody in particular", Contact::as_str);
            self.violated(20, format!("an answer from {from} about {} {wrong}", call.number));
        }
    }

    /// What is wrong with an answer that counted.
    fn did_count(
        &self,
        call: &UpdateCall,
        over: &AnswerCall,
        sent: &Sent,
        record: &Record,
    ) -> Option<String> {
        self.compared.borrow_mut().push(compared::ANSWER);
        let incident = &record.incident;
        // Who escalates ends quiet, and so begins the next round.
        let escalated = call.update.state == Some(StateChange::Escalate) && super::quiet::ended_now(incident);
        let counts_in = sent.round + u32::from(escalated);
        let is_of_round = incident.round() == sent.round || incident.round() == counts_in;
        if !is_of_round && incident.state() != State::Resolved {
            return Some(format!("of round {} counted in round {}", sent.round, incident.round()));
        }
        if self.may_answer(over, sent) == Entitled::No {
            return Some(format!("counted, although {} was asked", sent.contact));
        }
        let requested = call.update.state.as_ref().map(StateChange::to);
        let state = incident.state();
        // To escalate leaves the state as it is.
        let escalates = call.update.state == Some(StateChange::Escalate) && state != State::Resolved;
        if !escalates && requested.is_some_and(|requested| requested != state) {
            return Some(format!("asked for {requested:?} and was told {state}"));
        }
        let claims = call.update.state.as_ref().is_some_and(|change| matches!(change, StateChange::Claim(_)));
        let holder =
            incident.claimed().filter(|_| incident.state() == State::Claimed).map(|claimed| &claimed.by);
        let mut helping = incident.responders().iter().map(|one| &one.by);
        let helps = incident.state() == State::Claimed && helping.any(|by| self.may_be_named(by, over, sent));
        if claims && !helps && !holder.is_some_and(|holder| self.may_be_named(holder, over, sent)) {
            return Some(format!("gave it to {holder:?}, and {} was asked", sent.contact));
        }
        None
    }

    /// What is wrong with an answer that was refused.
    fn was_refused(
        &self,
        over: &AnswerCall,
        sent: Option<&Sent>,
        record: &Record,
        refusal: &Refusal,
    ) -> Option<String> {
        let incident = &record.incident;
        let is_earlier = sent.is_some_and(|sent| sent.round < incident.round());
        let entitled = sent.map_or(Entitled::No, |sent| self.may_answer(over, sent));
        if matches!(
            refusal,
            Refusal::NotAsked | Refusal::Replaced | Refusal::EarlierRound | Refusal::UnknownAccount
        ) {
            self.compared.borrow_mut().push(compared::NO_ANSWER);
        }
        let right = match refusal {
            Refusal::NotAsked | Refusal::UnknownAccount => {
                // An incident forgets the deliveries of rounds that are long over.
                entitled != Entitled::Yes || is_earlier
            }
            Refusal::Replaced => !is_earlier && sent.is_some_and(|sent| self.was_replaced(sent, over)),
            Refusal::EarlierRound => is_earlier,
            Refusal::ClaimedBy(other) => {
                let is_theirs = sent.and_then(|sent| sent.person.as_ref());
                incident.state() == State::Claimed
                    && incident.claimed().is_some_and(|claimed| claimed.by == *other)
                    && is_theirs.is_none_or(|(person, _)| person.as_str() != other.as_str())
            }
            Refusal::Forbidden { from, .. } => *from == incident.state() && *from != State::Open,
            Refusal::NotEscalating(from) => *from == incident.state() && *from == State::Resolved,
            Refusal::NobodyLeft | Refusal::TooManyCalled => incident.state() != State::Resolved,
            _ => false,
        };
        (!right).then(|| format!("was refused: {refusal}; the incident is {}", incident.state()))
    }

    /// Whether a status update may have been replaced, and its recipient forgotten: somebody else got the incident after
    /// it, or resolved it, and the account that answered got no alert.
    fn was_replaced(&self, sent: &Sent, over: &AnswerCall) -> bool {
        let again =
            self.updates_of(sent.number).iter().filter(|call| closes(call) && may_have(call)).count() > 1;
        let alerts = self.sends.get(&sent.number).into_iter().flatten().map(|i| self.sent(*i));
        let mut of_round = alerts.filter(|alert| alert.round == sent.round);
        let was_alerted = of_round.any(|alert| over.from.as_ref() == Some(&alert.contact));
        sent.is_status_update() && again && !was_alerted
    }

    /// Whether the account may answer the message, by every roster of the run.
    fn may_answer(&self, over: &AnswerCall, sent: &Sent) -> Entitled {
        let Some(from) = over.from.as_ref().filter(|from| **from != sent.contact) else {
            return Entitled::Yes;
        };
        match &sent.person {
            // Another account of the same person, or of a person to whom the roster gave it during the run.
            Some((person, _)) if self.had(person.as_str(), from) => Entitled::Perhaps,
            Some(_) => Entitled::No,
            // A shared address: everybody who is known may answer.
            None => Entitled::Perhaps,
        }
    }

    /// Whether an answer may be recorded under that name.
    fn may_be_named(&self, name: &Person, over: &AnswerCall, sent: &Sent) -> bool {
        match &sent.person {
            Some((person, _)) => person.as_str() == name.as_str(),
            None => {
                let had = |contact: &Contact| self.had(name.as_str(), contact);
                // The recipient of a status update may be forgotten; then another message to the account counts.
                let is_other = |from: &Contact| sent.is_status_update() && name.as_str() == from.address();
                name.as_str() == sent.contact.address()
                    || over.from.as_ref().is_some_and(is_other)
                    || had(&sent.contact)
                    || over.from.as_ref().is_some_and(had)
            }
        }
    }

    /// Whether a person had an address in any roster of the run.
    pub(super) fn had(&self, person: &str, contact: &Contact) -> bool {
        self.had_one(person, |one| one == contact)
    }

    /// Whether a person had such an address in any roster of the run.
    pub(super) fn had_one(&self, person: &str, is_it: impl Fn(&Contact) -> bool) -> bool {
        self.history.rosters.iter().any(|(_, roster)| {
            let mut people = roster.book.people().iter().filter(|(id, _)| id.as_str() == person);
            people.any(|(_, profile)| profile.methods().values().any(&is_it))
        })
    }
}

/// Whether an account may answer a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entitled {
    Yes,
    No,
    /// It depends on which roster applied.
    Perhaps,
}
