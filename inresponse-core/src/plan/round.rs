//! Whose a new round is, and what the timeline says of it.

use chrono::{DateTime, Utc};

use crate::model::{Event, Incident, Matrix, StandIn, TeamChange, TeamName};

/// Whose round is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundOf {
    /// The team that owns the incident's service now.
    Service,
    /// The team that a person handed the incident to.
    Team(TeamName),
}

/// A round that is about to begin, as the roster says at this instant.
#[derive(Debug, Clone, PartialEq)]
pub struct NextRound {
    /// The team that has the incident from then on.
    pub team: TeamName,
    /// The matrix that the round freezes.
    pub matrix: Matrix,
    /// Whether these are the people of the team that was asked for.
    pub alerted: Alerted,
}

impl NextRound {
    /// A round of that team's own people.
    pub fn of(team: TeamName, matrix: Matrix) -> Self {
        Self { team, matrix, alerted: Alerted::Team }
    }
}

/// Who is alerted in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alerted {
    /// The people of the team that was asked for.
    Team,
    /// The people of the catch-all team, because the requested team was deleted.
    CatchAll,
    /// Stand-ins, because the team was deleted and no other team replaces it.
    StandIn(StandIn),
}

/// Whose the next round of an incident is.
pub(super) fn next_of(incident: &Incident) -> RoundOf {
    match incident.handed_to() {
        Some(team) => RoundOf::Team(team.clone()),
        None => RoundOf::Service,
    }
}

/// Gives the incident to the team whose round begins; the timeline says if that is another one, or gone, and why.
pub(super) fn give(incident: &mut Incident, team: TeamName, alerted: Alerted, now: DateTime<Utc>) {
    let why = match alerted {
        Alerted::StandIn(alerted) => {
            incident.timeline.push(now, Event::TeamGone { team: team.clone(), alerted });
            incident.team = team;
            return;
        }
        Alerted::CatchAll => TeamChange::CatchAll,
        Alerted::Team if incident.handed_to().is_some() => TeamChange::HandedTo,
        Alerted::Team => TeamChange::OwnsService,
    };
    if incident.team != team {
        let from = std::mem::replace(&mut incident.team, team.clone());
        incident.timeline.push(now, Event::TeamChanged { from, to: team, why });
    }
}
