//! Judges an open incident by today's silences and alert hours, apart from its due times (promise 21).

use chrono::{DateTime, Utc};

use super::decision::{Decision, Plan, change};
use super::defer::{begin, has_more_to_send, mature};
use super::draft::Draft;
use super::handover::Matured;
use super::round::NextRound;
use crate::model::Incident;
use crate::roster::QuietRules;

/// Judges an open incident now, also if no alert is due yet.
pub(super) fn judge(
    incident: &Incident,
    rules: &QuietRules,
    round: Option<&NextRound>,
    now: DateTime<Utc>,
) -> Decision {
    let mut next = incident.clone();
    match mature(&mut next, rules, round, now) {
        Matured::NeedsRound(of) => return Decision::NeedsRound(of),
        Matured::Changed if next.timeline != incident.timeline => {}
        // Nobody sees the change, so the incident does not count as updated.
        Matured::Changed => {
            return Decision::Change(Box::new(Plan { draft: Draft::new(next), sends: Vec::new() }));
        }
        Matured::Nothing if has_more_to_send(&next) && begin(&mut next, rules, now) => {}
        Matured::Nothing => return Decision::Nothing,
    }
    change(next, Vec::new(), now)
}
