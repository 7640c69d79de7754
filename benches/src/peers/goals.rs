//! The measured systems, the measurements, and the goals.

use crate::systems::System;
use crate::table::{Bound, Goal, Row};

/// The systems that are measured in turns.
pub(super) const SYSTEMS: [System; 5] =
    [System::Empty, System::Alertmanager, System::InResponse, System::RecordsOnly, System::OnPostgres];

const fn row(name: &'static str, unit: &'static str, digits: usize) -> Row {
    Row { name, unit, digits }
}

pub(super) const PUTS_16: Row = row("one alert per request, 16 connections", "a second", 0);
pub(super) const PUTS_64: Row = row("one alert per request, 64 connections", "a second", 0);
pub(super) const PUTS_256: Row = row("one alert per request, 256 connections", "a second", 0);
pub(super) const P50_64: Row = row("p50 with 64 connections", "ms", 2);
pub(super) const P99_16: Row = row("p99 with 16 connections", "ms", 2);
pub(super) const P99_64: Row = row("p99 with 64 connections", "ms", 2);
pub(super) const P99_256: Row = row("p99 with 256 connections", "ms", 2);
pub(super) const CPU_64: Row = row("processor time, 64 connections", "s for 1,000", 4);
pub(super) const BATCHES: Row = row("a hundred alerts per request, 8 connections", "alerts a second", 0);
pub(super) const BATCHES_CPU: Row = row("processor time of a batch", "s for 1,000 alerts", 4);
pub(super) const MEMORY: Row = row("memory with 100,000 open", "MB", 0);
pub(super) const LATENCY_P50: Row =
    row("time from report to accepted mail, 20 reports a second, p50", "ms", 2);
pub(super) const LATENCY_P99: Row =
    row("time from report to accepted mail, 20 reports a second, p99", "ms", 2);
pub(super) const STORM: Row = row("storm of 10,000 with a mail each", "mails a second", 0);
pub(super) const STORM_CPU: Row = row("processor time in the storm", "s for 1,000 mails", 3);
pub(super) const CLAIM_P50: Row = row("claim during the storm, p50", "ms", 1);
pub(super) const CLAIM_P99: Row = row("claim during the storm, p99", "ms", 1);
pub(super) const AHEAD: Row = row("CRIT behind 10,000 WARN: time to the accepted mail, p50", "ms", 0);
pub(super) const BEFORE: Row = row("CRIT behind 10,000 WARN: mails of WARN before it, p50", "mails", 0);

pub(super) const GOALS: [Goal; 11] = [
    at_least(PUTS_64, System::Alertmanager, 2.0),
    at_least(PUTS_64, System::Empty, 1.0 / 3.0),
    at_most(CPU_64, System::Alertmanager, 0.5),
    at_most(P99_64, System::Alertmanager, 0.5),
    at_least(BATCHES, System::Alertmanager, 0.5),
    at_most(MEMORY, System::Alertmanager, 0.2),
    at_most(LATENCY_P50, System::Alertmanager, 1.0),
    at_most(LATENCY_P99, System::Alertmanager, 1.0),
    at_least(STORM, System::Alertmanager, 4.0),
    Goal { row: CLAIM_P99, peer: None, bound: Bound::AtMost(50.0) },
    // The bound is the number of mails that were being sent when the CRIT came.
    Goal { row: BEFORE, peer: None, bound: Bound::AtMost(16.0) },
];

const fn at_least(row: Row, peer: System, ratio: f64) -> Goal {
    Goal { row, peer: Some(peer), bound: Bound::AtLeast(ratio) }
}

const fn at_most(row: Row, peer: System, ratio: f64) -> Goal {
    Goal { row, peer: Some(peer), bound: Bound::AtMost(ratio) }
}
