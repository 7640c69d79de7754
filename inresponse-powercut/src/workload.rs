//! The random writes of servers: reports, repeats, leases, outcomes, claims, resolutions, the roster, settings.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use inresponse_core::model::{
    Contact, DeliveryStatus, Incident, Matrix, Note, Person, Report, ServiceName, Severity, TeamName,
};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, Decision, Draft, HoldNothing, Input, StateChange, TakeOver, Update};
use inresponse_core::roster::{self, Entry, EntryKey, RosterEdit, Rota, Team};
use inresponse_sim::rng::Rng;
use inresponse_sqlite::{RosterWrite, Write};

use crate::state::State;

const LEASE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(600);

/// The writes that wait when the writer runs for the `turn`-th time.
pub(crate) fn batch(state: &State, turn: u64, rng: &mut Rng) -> Vec<Write> {
    // Mostly one or a few; now and then a storm.
    let most = *rng.pick(&[1, 1, 2, 4, 8, 60]);
    (0..rng.between(1, most)).map(|_| write(state, now(turn), rng)).collect()
}

/// The time of a turn. Time only moves forward.
fn now(turn: u64) -> DateTime<Utc> {
    let seconds = TimeDelta::seconds(i64::try_from(turn).unwrap_or(0) * 20);
    DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default() + seconds
}

fn write(state: &State, now: DateTime<Utc>, rng: &mut Rng) -> Write {
    match rng.below(20) {
        0..=8 => create(now, rng),
        9..=16 => commit(state, now, rng).unwrap_or_else(|| create(now, rng)),
        17..=18 => Write::Roster(edits(now, rng)),
        _ => {
            let (name, value) = (format!("secret {}", rng.below(3)), rng.any().to_le_bytes().to_vec());
            match rng.below(2) {
                0 => Write::KeepSetting { name, value },
                _ => Write::PutSetting { name, value },
            }
        }
    }
}

fn contact(name: &str) -> Contact {
    Contact::new(format!("{name}@example.org")).expect("a valid address")
}

fn team(rng: &mut Rng) -> TeamName {
    TeamName::new(format!("team {}", rng.below(4))).expect("it is a name")
}

fn service(rng: &mut Rng) -> ServiceName {
    ServiceName::new(format!("service {}", rng.below(4))).expect("it is a name")
}

fn create(now: DateTime<Utc>, rng: &mut Rng) -> Write {
    // From texts that share a page with others to texts that take several pages.
    let length = *rng.pick(&[0, 40, 400, 3000, 8000]);
    let severity = *rng.pick(&[Severity::Crit, Severity::Err, Severity::Warn]);
    let service = service(rng);
    let mut report = Report::builder(service.as_str(), severity, "5xx").message("x".repeat(length));
    if rng.chance(500) {
        report = report.dedup_key(format!("key {}", rng.below(6)));
    }
    let report = report.build().expect("it is a report");
    let matrix = Matrix::new(vec![vec![contact("jo")], vec![contact("kim")]], vec![contact("ops")], WAIT);
    // A server takes the lease of the first alert with the create.
    let lease = rng.chance(700).then_some(LEASE);
    Write::Create(Box::new(plan::open(report, team(rng), matrix, lease, now).0))
}

/// A change that the planner makes to one incident; `None` if nothing can change.
fn commit(state: &State, now: DateTime<Utc>, rng: &mut Rng) -> Option<Write> {
    let nth = rng.below(state.incidents.len() as u64);
    let record = &state.incidents.values().nth(usize::try_from(nth).ok()?)?.record;
    let incident = &record.incident;
    let by = Person::new(*rng.pick(&["jo", "kim"])).ok()?;
    let draft = match rng.below(8) {
        0..=2 => change(incident, Input::Due { lease: LEASE, hold: &HoldNothing, round: None }, now),
        3..=4 => accepted(incident, now),
        5 => updated(incident, Update::state(by, StateChange::Claim(TakeOver::Yes)), now),
        6 => updated(incident, Update::state(by, StateChange::Resolve), now),
        _ => {
            let note = Note::new("looked at it".repeat(1 + nth as usize % 50)).expect("the text is short");
            updated(incident, Update::note(by, note), now)
        }
    }?;
    Some(Write::Commit { version: record.version, draft: Box::new(draft) })
}

fn accepted(incident: &Incident, now: DateTime<Utc>) -> Option<Draft> {
    let sent = incident.deliveries().iter().find(|delivery| match delivery.status() {
        DeliveryStatus::InFlight { .. } => true,
        DeliveryStatus::Pending { .. }
        | DeliveryStatus::Accepted { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Limited { .. }
        | DeliveryStatus::Stopped { .. } => false,
    })?;
    let outcome = Outcome::Accepted;
    let input = Input::Outcome { delivery: sent.key(), attempt: sent.attempts(), outcome: &outcome };
    change(incident, input, now)
}

fn updated(incident: &Incident, update: Update, now: DateTime<Utc>) -> Option<Draft> {
    change(incident, Input::Update { update: &update, round: None }, now)
}

fn change(incident: &Incident, input: Input<'_>, now: DateTime<Utc>) -> Option<Draft> {
    match plan::step(incident, input, now) {
        Decision::Change(plan) => Some(plan.draft),
        Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => None,
    }
}

/// One edit of the roster, or several that belong together.
fn edits(at: DateTime<Utc>, rng: &mut Rng) -> RosterWrite {
    let mut edits: Vec<_> = (0..rng.between(1, 4)).map(|_| edit(rng)).collect();
    if roster::check(&edits).is_err() {
        edits.truncate(1);
    }
    RosterWrite { by: Person::new("ann").expect("it is a name"), at, edits }
}

fn edit(rng: &mut Rng) -> RosterEdit {
    let (team, service) = (team(rng), service(rng));
    let day = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap_or_default() + TimeDelta::days(rng.below(5) as i64);
    match rng.below(10) {
        0..=2 => Entry::service(&service, &team).into(),
        3..=4 => {
            let settings = Team::builder(vec![contact("ops")]).repeat(rng.below(5) as u32).build();
            Entry::team(&team, settings.expect("it is a team")).into()
        }
        5..=6 => {
            let rota = Rota::new(vec![contact("jo")], vec![vec![contact("kim")]]).expect("it is a rota");
            Entry::day(&team, day, rota).into()
        }
        7 => RosterEdit::Delete(EntryKey::Service(service)),
        8 => RosterEdit::Delete(EntryKey::Day(team, day)),
        _ => RosterEdit::Delete(EntryKey::Team(team)),
    }
}
