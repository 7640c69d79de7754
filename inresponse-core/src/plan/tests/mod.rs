//! The planner: tables of cases for each of its areas, and properties over random scenarios.
//!
//! | file | holds |
//! |---|---|
//! | `scene` | one incident on a table, with a clock that the test sets |
//! | `ladder` | which level is alerted when: promises 8, 9, 12 |
//! | `leases` | leases that end, levels that begin again, deliveries that are held back |
//! | `outcomes` | what an outcome means, in whatever order it comes |
//! | `bounces` | what was accepted and came back: promise 12 |
//! | `people` | states, claimants, releases: promises 5, 6, 11 |
//! | `handover` | a person who was given it and does not answer: promises 9, 22 |
//! | `status_updates` | who is told that somebody has it |
//! | `account` | what happened and what comes, as facts |
//! | `repeats` | reports that come again: promise 3 |
//! | `clocks` | clocks that went back: promise 14 |
//! | `rounds` | whose a new round is: promises 8, 12 |
//! | `size` | how large a record becomes: promise 7 |
//! | `properties` | random scenarios against laws and against an oracle |

mod account;
mod bounces;
mod clocks;
mod handover;
mod keys;
mod ladder;
mod leases;
mod outcomes;
mod people;
mod properties;
mod repeats;
mod rounds;
mod scene;
mod size;
mod status_updates;
mod wakes;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Contact, Matrix, Person, Report, Severity};

/// When every scene begins.
const T0: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
const LEASE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(600);

fn after(seconds: i64) -> DateTime<Utc> {
    T0 + TimeDelta::seconds(seconds)
}

/// `"a b"` are the contacts `a@x.org` and `b@x.org`.
fn contacts(names: &str) -> Vec<Contact> {
    names.split_whitespace().map(|name| Contact::new(format!("{name}@x.org")).unwrap()).collect()
}

fn name(contact: &Contact) -> &str {
    contact.address().split('@').next().unwrap()
}

/// One string for each level, ten minutes apart, then `z` as fallback.
fn levels(levels: &[&str]) -> Matrix {
    Matrix::new(levels.iter().map(|level| contacts(level)).collect(), contacts("z"), WAIT)
}

/// The same, where WARN alerts only some levels.
fn warn_alerts(matrix: Matrix, only: &[u16]) -> Matrix {
    matrix.alerting(BTreeMap::from([(Severity::Warn, only.to_vec())]))
}

fn person(name: &str) -> Person {
    Person::new(name).unwrap()
}

fn report(severity: Severity) -> Report {
    Report::builder("athens", severity, "5xx Error Spike").dedup_key("spike").build().unwrap()
}
