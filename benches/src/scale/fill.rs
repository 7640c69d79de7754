//! Fills a store with incidents, as if they had been reported, alerted and perhaps resolved some time ago.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use inresponse_core::model::{Contact, Matrix, Person, Report, Severity, TeamName};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, Decision, Input, StateChange, Update};
use inresponse_core::store::{Committed, Created, Store};

use crate::Failure;
use crate::systems::TEXT;

/// The time between the first alert and the second.
const WAIT: Duration = Duration::from_secs(24 * 3600);
const LEASE: Duration = Duration::from_secs(30);
/// The number of incidents that are written at once.
const AT_ONCE: usize = 512;

/// When the second alert of these incidents is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// The second alert is due after all measurements.
    Later,
    /// The second alert has been due for an hour.
    Overdue,
}

/// Adds that many open incidents, whose first alert was accepted.
pub(super) async fn fill(store: &dyn Store, count: u64, due: Due) -> Result<(), Failure> {
    let ago = match due {
        Due::Later => TimeDelta::hours(1),
        Due::Overdue => TimeDelta::hours(25),
    };
    let reported_at = Utc::now() - ago;
    let mut added = stream::iter((0..count).map(|i| add(store, i, reported_at))).buffer_unordered(AT_ONCE);
    while let Some(added) = added.next().await {
        added?;
    }
    Ok(())
}

async fn add(store: &dyn Store, i: u64, reported_at: DateTime<Utc>) -> Result<(), Failure> {
    // The incidents must not all have the same time.
    let reported_at = reported_at + TimeDelta::milliseconds(i64::try_from(i % 600_000)?);
    let contact = |name: &str| Contact::new(format!("{name}@example.org"));
    let matrix = Matrix::new(vec![vec![contact("jo")?], vec![contact("kim")?]], vec![contact("ops")?], WAIT);
    let report = Report::builder("alerting", Severity::Crit, format!("5xx error spike {i}")).message(TEXT);
    let report = report.source("bench").label("instance", "web-7").label("job", "web").build()?;
    let (opening, sends) = plan::open(report, TeamName::new("alerting")?, matrix, Some(LEASE), reported_at);
    let Created::New(record) = store.create(opening).await? else {
        return Err("the incident already existed".into());
    };
    let send = sends.first().ok_or("nobody is alerted")?;
    let (delivery, attempt, outcome) = (send.delivery, send.attempt, &Outcome::Accepted);
    let accepted_at = reported_at + TimeDelta::milliseconds(20);
    let accepted = Input::Outcome { delivery, attempt, outcome };
    match plan::step(&record.incident, accepted, accepted_at) {
        Decision::Change(plan) => match store.commit(record.version, &plan.draft).await? {
            Committed::At(_) => Ok(()),
            Committed::Stale => Err("somebody else changed the incident".into()),
        },
        _ => Err("an accepted alert changes nothing".into()),
    }
}

/// The owner of the resolved incidents.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// The service and the team that also have the open incidents.
    Ours,
    /// Ten other teams. Of each ten incidents, five are about the same service.
    Others,
}

/// Adds that many resolved incidents.
pub(super) async fn fill_resolved(store: &dyn Store, count: u64, whose: Whose) -> Result<(), Failure> {
    let mut added = stream::iter((0..count).map(|i| add_resolved(store, i, whose))).buffer_unordered(AT_ONCE);
    while let Some(added) = added.next().await {
        added?;
    }
    Ok(())
}

async fn add_resolved(store: &dyn Store, i: u64, whose: Whose) -> Result<(), Failure> {
    let reported_at = Utc::now() - TimeDelta::days(30);
    let (service, team) = match whose {
        Whose::Ours => ("alerting".to_owned(), "alerting".to_owned()),
        Whose::Others if i % 10 < 5 => ("alerting".to_owned(), format!("team-{}", i % 10)),
        Whose::Others => (format!("service-{}", i % 10), format!("team-{}", i % 10)),
    };
    let severity = Severity::ALL[usize::try_from(i / 10 % 3)?];
    let matrix = Matrix::new(Vec::new(), vec![Contact::new("ops@example.org")?], WAIT);
    let report = Report::builder(service, severity, format!("5xx error spike {i}")).message(TEXT).build()?;
    let (opening, _) = plan::open(report, TeamName::new(team)?, matrix, None, reported_at);
    let Created::New(record) = store.create(opening).await? else {
        return Err("the incident already existed".into());
    };
    let update = Update::state(Person::new("jo")?, StateChange::Resolve);
    match plan::step(&record.incident, Input::Update { update: &update, round: None }, reported_at) {
        Decision::Change(plan) => match store.commit(record.version, &plan.draft).await? {
            Committed::At(_) => Ok(()),
            Committed::Stale => Err("somebody else changed the incident".into()),
        },
        _ => Err("a resolution changes nothing".into()),
    }
}
