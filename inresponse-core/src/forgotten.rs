//! Claims that look forgotten: they are older than a day, and their incidents are still being reported (promise 22).

use chrono::{DateTime, Utc};

use crate::Engine;
use crate::error::Outage;
use crate::model::{State, TeamName};
use crate::plan;
use crate::roster::{Finding, FindingKind};
use crate::store::{ListQuery, Record};

/// The maximum number of claimed incidents that are searched for forgotten claims, the newest first.
const SEARCHED: usize = 2_000;
/// The number of incidents that one query lists.
const PAGE: usize = 200;

/// The incidents whose claims look forgotten, of one team or of all, the newest first.
///
/// # Errors
/// The store is unavailable.
pub async fn forgotten(engine: &Engine, team: Option<&TeamName>) -> Result<Vec<Record>, Outage> {
    let state = Some(State::Claimed);
    let mut query = ListQuery { state, team: team.cloned(), limit: PAGE, ..ListQuery::default() };
    let (mut found, now) = (Vec::new(), engine.now());
    for _ in 0..SEARCHED / PAGE {
        let page = engine.list(&query).await?;
        let last = page.last().map(Record::number).filter(|_| page.len() == PAGE);
        let is_forgotten =
            |record: &Record| plan::looks_forgotten(&record.incident, record.last_reported_at, now);
        found.extend(page.into_iter().filter(is_forgotten));
        match last {
            Some(last) => query.below = Some(last),
            None => break,
        }
    }
    Ok(found)
}

/// A forgotten claim as a finding.
pub(crate) fn finding(record: &Record) -> Option<Finding> {
    let claimed = record.incident.claimed()?;
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
    let (number, by) = (record.number(), &claimed.by);
    let (since, last) = (time(claimed.at), time(record.last_reported_at));
    let detail = format!("{by} has had incident {number} since {since}, and it was reported again at {last}");
    Some(Finding { kind: FindingKind::ForgottenClaim, span: None, detail })
}
