//! The planner: tables of cases for each of its areas, and properties over random scenarios.
//!
//! | file | holds |
//! |---|---|
//! | `scene` | one incident on a table, with a clock that the test sets |
//! | `ladder` | which level is alerted when: promises 8, 9, 12 |
//! | `leases` | leases that end, levels that begin again, deliveries that are held back |
//! | `outcomes` | what an outcome means, in whatever order it comes |
//! | `limits` | what a limit of the deployment holds back: promise 9 |
//! | `bounces` | what was accepted and came back: promise 12 |
//! | `call_in` | people who are called in: promises 9, 11, 19, 20 |
//! | `people` | states, claimants, releases: promises 5, 6, 11 |
//! | `claim_end` | claims that end, and snoozes: promise 22 |
//! | `defer` | silences and alert hours: promise 21 |
//! | `claim_notice` | the notice before a claim ends: promise 22 |
//! | `answers` | whose answer over a channel counts: promise 20 |
//! | `handover` | a person who was given it and does not answer: promises 9, 22 |
//! | `status_updates` | who is told that somebody has it |
//! | `account` | what happened and what comes, as facts |
//! | `repeats` | reports that come again: promise 3 |
//! | `reroutes` | reports that routing rules decide about: promises 3, 12 |
//! | `clocks` | clocks that went back: promise 14 |
//! | `rounds` | whose a new round is: promises 8, 12 |
//! | `steps` | the steps of people's rules: promise 19 |
//! | `size` | how large a record becomes: promise 7 |
//! | `properties` | random scenarios against laws and against an oracle |

mod account;
mod answers;
mod bounces;
mod call_in;
mod claim_end;
mod claim_notice;
mod clocks;
mod defer;
mod handover;
mod keys;
mod ladder;
mod leases;
mod limits;
mod outcomes;
mod people;
mod properties;
mod repeats;
mod reroutes;
mod rounds;
mod scene;
mod size;
mod status_updates;
mod steps;
mod wakes;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{
    Contact, Level, Matrix, MethodName, Person, PersonId, Recipient, Report, Severity, TimedStep, Timing,
};

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

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The steps of a severity: one string for each level and the last for the fallback. `jo:c@180` is jo's contact `c`,
/// which is alerted 180 seconds after the level began; `c` is a contact that belongs to nobody.
type Steps<'a> = (Severity, &'a [&'a str]);

/// A matrix whose people have rules. A severity that is missing is like CRIT.
fn timed(steps: &[Steps<'_>]) -> Matrix {
    let height = steps[0].1.len() - 1;
    let level =
        |i: usize| if i < height { Level::At(u16::try_from(i + 1).unwrap()) } else { Level::Fallback };
    let (mut all, mut recipients) = (vec![Vec::<Contact>::new(); height + 1], Vec::<Recipient>::new());
    let mut timing = BTreeMap::new();
    for (severity, levels) in steps {
        assert_eq!(levels.len(), height + 1);
        let mut of_severity = Vec::new();
        for (i, step) in
            levels.iter().enumerate().flat_map(|(i, l)| l.split_whitespace().map(move |s| (i, s)))
        {
            let (who, seconds) = step.split_once('@').unwrap_or((step, "0"));
            let (person, address) = who.split_once(':').map_or((None, who), |(p, a)| (Some(p), a));
            let contact = contacts(address).remove(0);
            let place = all[i].iter().position(|c| *c == contact).unwrap_or_else(|| {
                all[i].push(contact.clone());
                all[i].len() - 1
            });
            let recipient = person.map(|person| Recipient {
                level: Some(level(i)),
                contact,
                person: PersonId::new(person).unwrap(),
                method: MethodName::new(address).unwrap(),
            });
            let recipient = recipient.map(|one| {
                let known = recipients.iter().position(|other| *other == one);
                u16::try_from(known.unwrap_or_else(|| {
                    recipients.push(one);
                    recipients.len() - 1
                }))
                .unwrap()
            });
            let after = secs(seconds.parse().unwrap());
            of_severity.push(TimedStep {
                level: level(i),
                after,
                place: u16::try_from(place).unwrap(),
                recipient,
            });
        }
        timing.insert(*severity, of_severity);
    }
    for severity in Severity::ALL {
        let crit = timing[&Severity::Crit].clone();
        timing.entry(severity).or_insert(crit);
    }
    let fallback = all.pop().unwrap();
    Matrix::new(all, fallback, WAIT).reaching(recipients).timed(Timing::new(timing))
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
