//! Converts incidents into the types of the API.

use inresponse_api::convert::{self, level, purpose, reached, upcoming};
use inresponse_api::{AttemptOutcome, Delivery, DeliveryStatus, Details, Entry, EventKind, Incident};
use inresponse_core::model::{self, Event, Person, Standing};
use inresponse_core::plan::{self, Follows, Happened};
use inresponse_core::store::Record;

use crate::caller::Addresses;

/// Converts an incident into the API's type without the next alerts, the deliveries and the timeline.
pub(crate) fn brief(record: &Record) -> Incident {
    let incident = &record.incident;
    let updated_at = incident.updated_at().max(record.last_reported_at);
    Incident { updated_at, ..convert::incident(incident, record.count) }
}

/// Converts an incident into the API's type with the next alerts, the deliveries and the timeline.
pub(crate) fn details(record: &Record, addresses: Addresses) -> Details {
    let incident = &record.incident;
    let shown = Shown { incident, addresses };
    Details {
        incident: brief(record),
        upcoming: plan::outlook(incident)
            .iter()
            .map(|next| upcoming(incident, next, |one| shown.contact(one)))
            .collect(),
        deliveries: incident.deliveries().iter().map(|d| delivery(&shown, d)).collect(),
        timeline: plan::history(incident).iter().map(|one| happened(&shown, one)).collect(),
        warnings: Vec::new(),
    }
}

/// Converts the contacts of an incident into texts: a person's contact is shown as the person, except to keys that may
/// see addresses.
struct Shown<'a> {
    incident: &'a model::Incident,
    addresses: Addresses,
}

impl Shown<'_> {
    fn contact(&self, contact: &model::Contact) -> String {
        match (self.addresses, self.recipient(contact)) {
            (Addresses::Masked, Some(recipient)) => format!("person:{}", recipient.person),
            (Addresses::Whole, _) | (Addresses::Masked, None) => contact.to_string(),
        }
    }

    fn contacts(&self, contacts: &[model::Contact]) -> Vec<String> {
        contacts.iter().map(|contact| self.contact(contact)).collect()
    }

    fn recipient(&self, contact: &model::Contact) -> Option<&model::Recipient> {
        self.incident.matrix().recipients().iter().find(|one| one.contact == *contact)
    }
}

fn delivery(shown: &Shown<'_>, delivery: &model::Delivery) -> Delivery {
    let timed = delivery.key().purpose.level().and_then(|level| {
        let (contact, after) = (delivery.contact(), delivery.after());
        shown.incident.matrix().recipient_after(level, contact, after, shown.incident.severity())
    });
    let recipient = timed.or_else(|| shown.recipient(delivery.contact()));
    let (status, due_at, settled_at) = match delivery.status() {
        model::DeliveryStatus::Pending { due_at } => (DeliveryStatus::Pending, Some(due_at), None),
        model::DeliveryStatus::InFlight { until } => (DeliveryStatus::InFlight, Some(until), None),
        model::DeliveryStatus::Accepted { at } => (DeliveryStatus::Accepted, None, Some(at)),
        model::DeliveryStatus::Dead { at } => (DeliveryStatus::Dead, None, Some(at)),
        model::DeliveryStatus::Limited { at } => (DeliveryStatus::Limited, None, Some(at)),
        model::DeliveryStatus::Stopped { at } => (DeliveryStatus::Stopped, None, Some(at)),
    };
    Delivery {
        delivery_id: shown.incident.delivery_id(delivery.key()).to_string(),
        round: delivery.key().round,
        level: purpose(delivery.key().purpose),
        called_by: delivery.called().map(|called| called.by.to_string()),
        contact: shown.contact(delivery.contact()),
        person: recipient.map(|one| format!("person:{}", one.person)),
        method: recipient.map(|one| one.method.to_string()),
        status,
        due_at,
        settled_at,
        attempts: delivery.attempts(),
        since: delivery.since(),
        after_seconds: Some(delivery.after().as_secs()).filter(|seconds| *seconds > 0),
        last_outcome: delivery.last().map(|last| AttemptOutcome {
            kind: last.kind.as_str().into(),
            detail: last.detail.clone(),
            at: last.at,
        }),
    }
}

fn happened(shown: &Shown<'_>, happened: &Happened<'_>) -> Entry {
    let entry = entry(shown, happened.entry);
    match happened.follows {
        Follows::Nothing => entry,
        Follows::TheNextAtOnce => Entry { next_at_once: Some(true), ..entry },
        Follows::Reached(who) => Entry { reached: Some(reached(who)), ..entry },
    }
}

fn entry(shown: &Shown<'_>, entry: &model::Entry) -> Entry {
    let base =
        |kind| Entry { key: entry.key.as_ref().map(ToString::to_string), ..Entry::new(entry.at, kind) };
    let at_level = |kind, round: &u32, of: &model::Level| Entry {
        round: Some(*round),
        level: Some(level(*of)),
        ..base(kind)
    };
    let by = |kind, by: &Person| Entry { by: Some(by.to_string()), ..base(kind) };
    match &entry.event {
        Event::Opened { severity } => {
            Entry { severity: Some(severity.as_str().into()), ..base(EventKind::Opened) }
        }
        Event::RoundBegan { round } => Entry { round: Some(*round), ..base(EventKind::RoundBegan) },
        Event::LevelBegan { round, level, contacts } => Entry {
            contacts: Some(shown.contacts(contacts)),
            ..at_level(EventKind::LevelBegan, round, level)
        },
        Event::LevelBeganAgain { round, level } => at_level(EventKind::LevelBeganAgain, round, level),
        Event::LevelEmpty { round, level } => at_level(EventKind::LevelEmpty, round, level),
        Event::LevelDead { round, level } => at_level(EventKind::LevelDead, round, level),
        Event::AlertsCut { round, alerts } => {
            Entry { round: Some(*round), alerts: Some(*alerts), ..base(EventKind::AlertsCut) }
        }
        Event::HeldBack { round, level, contact } => Entry {
            contacts: Some(vec![shown.contact(contact)]),
            ..at_level(EventKind::HeldBack, round, level)
        },
        Event::Routed(routed) => Entry {
            rule: Some(routed.rule.to_string()),
            to: routed.team.as_ref().map(ToString::to_string),
            severity: routed.severity.map(|severity| severity.as_str().into()),
            from: routed.reported.map(|severity| severity.to_string()),
            record_only: routed.record_only,
            ignored: routed.ignored.as_ref().map(convert::ignored),
            ..base(EventKind::Routed)
        },
        Event::Unrouted => base(EventKind::Unrouted),
        Event::BecameQuiet { until, why } => Entry {
            until: Some(*until),
            quiet_by: Some(why.iter().map(ToString::to_string).collect()),
            ..base(EventKind::BecameQuiet)
        },
        Event::QuietEnded => base(EventKind::QuietEnded),
        Event::ClaimEnded { by: who } => by(EventKind::ClaimEnded, who),
        Event::Snoozed { by: who, seconds } => {
            Entry { seconds: i64::try_from(*seconds).ok(), ..by(EventKind::Snoozed, who) }
        }
        Event::Unclaimed => base(EventKind::Unclaimed),
        Event::Claimed { by: who, from } => {
            Entry { from: from.as_ref().map(ToString::to_string), ..by(EventKind::Claimed, who) }
        }
        Event::HandedOver { by: who, to, from } => Entry {
            to: Some(to.to_string()),
            from: from.as_ref().map(ToString::to_string),
            ..by(EventKind::HandedOver, who)
        },
        Event::HandoverUnconfirmed { to } => {
            Entry { to: Some(to.to_string()), ..base(EventKind::HandoverUnconfirmed) }
        }
        Event::HandoverUnanswered { to } => {
            Entry { to: Some(to.to_string()), ..base(EventKind::HandoverUnanswered) }
        }
        Event::HandedToTeam { by: who, from, to } => Entry {
            to: Some(to.to_string()),
            from: Some(from.to_string()),
            ..by(EventKind::HandedToTeam, who)
        },
        Event::TeamChanged { from, to, why } => Entry {
            to: Some(to.to_string()),
            from: Some(from.to_string()),
            why: Some(why.as_str().into()),
            ..base(EventKind::TeamChanged)
        },
        Event::TeamGone { team, alerted } => Entry {
            from: Some(team.to_string()),
            why: Some(alerted.as_str().into()),
            ..base(EventKind::TeamGone)
        },
        Event::CalledIn { by: who, people, level: of } => Entry {
            people: Some(people.iter().map(ToString::to_string).collect()),
            level: of.map(level),
            ..by(EventKind::CalledIn, who)
        },
        Event::Responded { by: who } => by(EventKind::Responded, who),
        Event::Escalated { by: who } => by(EventKind::Escalated, who),
        Event::Released { by: who } => by(EventKind::Released, who),
        Event::Resolved { by: who } => by(EventKind::Resolved, who),
        Event::SeverityChanged { from, to, by } => Entry {
            by: by.as_ref().map(ToString::to_string),
            from: Some(from.to_string()),
            severity: Some(to.as_str().into()),
            ..base(EventKind::SeverityChanged)
        },
        Event::ReportedLower { severity } => {
            Entry { severity: Some(severity.as_str().into()), ..base(EventKind::ReportedLower) }
        }
        Event::Noted { by: who, note } => {
            Entry { note: Some(note.as_str().to_owned()), ..by(EventKind::Noted, who) }
        }
        Event::ClockWentBack { seconds } => {
            Entry { seconds: Some(*seconds), ..base(EventKind::ClockWentBack) }
        }
        Event::Folded { entries, standing } => {
            let Standing { state, severity, claimed_by, round } = standing;
            Entry {
                entries: Some(*entries),
                state: Some(state.as_str().into()),
                severity: Some(severity.as_str().into()),
                by: claimed_by.as_ref().map(ToString::to_string),
                round: Some(*round),
                ..base(EventKind::Folded)
            }
        }
        Event::Unknown(_) => base(EventKind::Unknown),
        _ => base(EventKind::Other("other".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use inresponse_api as api;
    use inresponse_core::model::{OutcomeKind as Kind, Severity, StandIn, State, TeamChange};

    #[test]
    fn every_word_of_the_core_is_a_word_of_the_api() {
        let kinds = [Kind::Accepted, Kind::Rejected, Kind::Throttled, Kind::Unavailable, Kind::Unknown];
        let kinds = kinds.into_iter().chain([Kind::Limited, Kind::Expired, Kind::NotBegun, Kind::Bounced]);
        let changes =
            [TeamChange::OwnsService, TeamChange::HandedTo, TeamChange::Routed, TeamChange::CatchAll];
        let stand_ins = [StandIn::DeploymentFallback, StandIn::LastRound];
        let reasons = changes.map(TeamChange::as_str).into_iter().chain(stand_ins.map(StandIn::as_str));
        let vocabularies: [(Vec<&str>, &[&str]); 4] = [
            (Severity::ALL.map(Severity::as_str).into(), api::Severity::WORDS),
            (State::ALL.map(State::as_str).into(), api::State::WORDS),
            (kinds.map(Kind::as_str).collect(), api::OutcomeKind::WORDS),
            (reasons.collect(), api::TeamReason::WORDS),
        ];
        for (mut core, words) in vocabularies {
            let mut words = words.to_vec();
            core.sort_unstable();
            words.sort_unstable();
            assert_eq!(core, words);
        }
    }
}
