//! Decides which team a new round alerts, how it begins, and what the timeline records.

use chrono::{DateTime, Utc};

use super::{call_in, personal};

use crate::model::{
    CallIns, Delivery, DeliveryStatus, Event, Incident, Matrix, Recipient, StandIn, State, TeamChange,
    TeamName,
};

/// How many deliveries of earlier rounds are kept, to be read and to be found by outcomes that come late.
const KEPT_DELIVERIES: usize = 24;

/// The team whose round is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundOf {
    /// The team that owns the incident's service now.
    Service,
    /// The team that a person handed the incident to.
    Team(TeamName),
    /// The team that a routing rule names; the owner of the service if there is no such team.
    Routed(TeamName),
}

/// A round that is about to begin, by the roster at this instant.
#[derive(Debug, Clone, PartialEq)]
pub struct NextRound {
    /// The team that has the incident from this round on.
    pub team: TeamName,
    /// The matrix that the round freezes.
    pub matrix: Matrix,
    /// Whether the people of the requested team are alerted.
    pub alerted: Alerted,
}

impl NextRound {
    /// A round in which a team's own people are alerted.
    pub fn of(team: TeamName, matrix: Matrix) -> Self {
        Self { team, matrix, alerted: Alerted::Team }
    }
}

/// Who is alerted in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alerted {
    /// The people of the requested team are alerted.
    Team,
    /// The people of the catch-all team, because the requested team was deleted.
    CatchAll,
    /// Other people are alerted, because the team was deleted and no other team replaces it.
    StandIn(StandIn),
}

/// The team of an incident's next round.
pub(super) fn next_of(incident: &Incident) -> RoundOf {
    let routed = || incident.routed.as_ref().and_then(|routed| routed.team.clone());
    match incident.handed_to() {
        Some(team) => RoundOf::Team(team.clone()),
        None => routed().map_or(RoundOf::Service, RoundOf::Routed),
    }
}

/// Assigns the incident to the team whose round begins. The timeline records if it is another team, or a deleted one,
/// and why.
fn give(incident: &mut Incident, team: TeamName, alerted: Alerted, now: DateTime<Utc>) {
    let why = match alerted {
        Alerted::StandIn(alerted) => {
            incident.timeline.push(now, Event::TeamGone { team: team.clone(), alerted });
            incident.team = team;
            return;
        }
        Alerted::CatchAll => TeamChange::CatchAll,
        Alerted::Team if incident.handed_to().is_some() => TeamChange::HandedTo,
        Alerted::Team if next_of(incident) == RoundOf::Routed(team.clone()) => TeamChange::Routed,
        Alerted::Team => TeamChange::OwnsService,
    };
    if incident.team != team {
        let from = std::mem::replace(&mut incident.team, team.clone());
        incident.timeline.push(now, Event::TeamChanged { from, to: team, why });
    }
}

/// Begins a round at level 1, at once, with a matrix frozen now. Pending deliveries are stopped.
pub(super) fn begin_round(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    let NextRound { team, matrix, alerted } = round;
    let calls = call_in::unanswered(incident, now);
    stop_pending(incident, now);
    give(incident, team, alerted, now);
    incident.round += 1;
    incident.round_began_at = now;
    let known = std::mem::replace(&mut incident.matrix, matrix);
    incident.begun.clear();
    incident.status_updates = 0;
    forget_oldest(incident, now);
    go_on_calling(incident, calls, &known);
    incident.timeline.push(now, Event::RoundBegan { round: incident.round });
    personal::note_cut(incident, incident.matrix.cut(incident.severity), now);
}

/// The new round goes on with the calls that nobody has answered.
fn go_on_calling(incident: &mut Incident, calls: Vec<Delivery>, known: &Matrix) {
    incident.call_ins = CallIns { count: u16::from(!calls.is_empty()), ..CallIns::default() };
    know_again(incident, &calls, known);
    incident.deliveries.extend(calls);
}

/// The new matrix knows whom the deliveries reach, as the matrix before did.
fn know_again(incident: &mut Incident, deliveries: &[Delivery], known: &Matrix) {
    let is_of_one = |one: &&Recipient| deliveries.iter().any(|d| d.contact == one.contact);
    let recipients = known.recipients().iter().filter(is_of_one).cloned();
    incident.matrix.know(recipients.map(|one| Recipient { level: None, ..one }));
}

/// Promise 7: only a bounded number of deliveries from earlier rounds is kept. Deliveries in flight are dropped last,
/// so that their outcomes can still be recorded.
fn forget_oldest(incident: &mut Incident, now: DateTime<Utc>) {
    let mut surplus = incident.deliveries.len().saturating_sub(KEPT_DELIVERIES);
    let in_flight = |d: &Delivery| matches!(d.status, DeliveryStatus::InFlight { until } if until > now);
    for also_in_flight in [false, true] {
        incident.deliveries.retain(|d| {
            let drop = surplus > 0 && (also_in_flight || !in_flight(d));
            surplus -= usize::from(drop);
            !drop
        });
    }
}

/// Begins the current round, none of whose levels has begun, with a matrix frozen now. Calls for more people go on.
pub(super) fn begin_late(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    let NextRound { team, matrix, alerted } = round;
    give(incident, team, alerted, now);
    incident.round_began_at = now;
    let known = std::mem::replace(&mut incident.matrix, matrix);
    let number = incident.round;
    let of_round: Vec<Delivery> = incident.deliveries.iter().filter(|d| d.round == number).cloned().collect();
    know_again(incident, &of_round, &known);
    personal::note_cut(incident, incident.matrix.cut(incident.severity), now);
}

/// Nobody has it any more, and its earlier alerts no longer count.
pub(super) fn begin_again(incident: &mut Incident, round: NextRound, now: DateTime<Utc>) {
    incident.state = State::Open;
    incident.claimed = None;
    incident.handover = None;
    incident.claim_end = None;
    incident.repeats_done = 0;
    incident.accepted = 0;
    incident.exhausted = false;
    incident.quiet = None;
    incident.quiet_overruled = false;
    begin_round(incident, round, now);
}

/// Stops what was pending: it will not be sent.
pub(super) fn stop_pending(incident: &mut Incident, now: DateTime<Utc>) {
    for delivery in &mut incident.deliveries {
        if matches!(delivery.status, DeliveryStatus::Pending { .. }) {
            delivery.status = DeliveryStatus::Stopped { at: now };
        }
    }
}
