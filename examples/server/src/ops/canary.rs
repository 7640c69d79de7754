//! The canary: a synthetic incident, timed until its mail is accepted.

use std::error::Error;
use std::time::Duration;

use inresponse_core::engine::{Reported, RosterEdited};
use inresponse_core::model::{
    Contact, DeliveryStatus, IncidentNumber, Person, Report, ServiceName, Severity, TeamName,
};
use inresponse_core::plan::{StateChange, Update};
use inresponse_core::roster::{CANARY as NAME, Entry, Team};
use inresponse_core::{Chain, Engine};

/// The name that is recorded for changes of the canary's team.
const BY: &str = "canary";
const EVERY: Duration = Duration::from_secs(300);
/// The time limit for the mail to be accepted.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Reports a synthetic incident again and again. Failures are counted and logged.
pub(crate) async fn sing(engine: Engine, to: Contact) {
    loop {
        match once(&engine, &to).await {
            Ok(Some(took)) => {
                metrics::histogram!("inresponse_canary_seconds").record(took.as_secs_f64());
                let now = engine.now().timestamp();
                metrics::gauge!("inresponse_canary_last_accepted_timestamp_seconds").set(now as f64);
                tracing::debug!(took = ?took, "the canary's mail was accepted");
            }
            Ok(None) => failed("the canary's mail was not accepted within a minute"),
            Err(error) => failed(&Chain::of(&*error).to_string()),
        }
        engine.clock().sleep(EVERY).await;
    }
}

fn failed(reason: &str) {
    metrics::counter!("inresponse_canary_failures_total").increment(1);
    tracing::error!(reason, "the canary failed: alerts may not get through");
}

/// Reports an incident, waits until its mail is accepted, and resolves it. Returns the time until the acceptance.
async fn once(engine: &Engine, to: &Contact) -> Result<Option<Duration>, Box<dyn Error + Send + Sync>> {
    keep_team(engine, to).await?;
    let report = Report::builder(NAME, Severity::Warn, "Canary: alerts get through")
        .message("InResponse reports this to itself every five minutes, to test that alerts get through. There is nothing to do.")
        .dedup_key("canary")
        .build()?;
    let began = engine.clock().monotonic();
    let number = match engine.report(report).await? {
        Reported::New(record) | Reported::Repeat(record) => record.number(),
        Reported::UnknownService => return Err("no team owns the canary's service".into()),
    };
    let accepted = accepted(engine, number, began).await;
    // The incident is resolved even after a failure, because the next report would otherwise only be counted. It is
    // resolved in the contact's own name, so that the contact gets no status update.
    let by = Update::state(Person::new(to.as_str())?, StateChange::Resolve);
    let _ = engine.update(number, &by).await?;
    accepted
}

async fn accepted(
    engine: &Engine,
    number: IncidentNumber,
    began: Duration,
) -> Result<Option<Duration>, Box<dyn Error + Send + Sync>> {
    loop {
        let took = engine.clock().monotonic().saturating_sub(began);
        if took > PATIENCE {
            return Ok(None);
        }
        let record = engine.get(number).await?.ok_or("the canary's incident is gone")?;
        let is_accepted = |status| matches!(status, DeliveryStatus::Accepted { .. });
        if record.incident.deliveries().iter().any(|d| is_accepted(d.status())) {
            return Ok(Some(took));
        }
        engine.clock().sleep(LOOK_EVERY).await;
    }
}

/// Creates the canary's own team. The team's fallback is the recipient of the canary's mails.
async fn keep_team(engine: &Engine, to: &Contact) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (team, service) = (TeamName::new(NAME)?, ServiceName::new(NAME)?);
    let settings = Team::builder(vec![to.clone()]).build()?;
    let entries = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new(BY)?, &entries).await? {
        RosterEdited::Done(_) => Ok(()),
        refused @ (RosterEdited::Refused(_)
        | RosterEdited::UnknownTeam(_)
        | RosterEdited::CatchAllTeam(_)) => Err(format!("the canary's team was refused: {refused:?}").into()),
    }
}
