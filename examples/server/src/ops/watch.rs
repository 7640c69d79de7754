//! Periodic work of a running server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use inresponse_channels::Outlets;
use inresponse_core::engine::RosterEdited;
use inresponse_core::model::{Contact, Person, TeamName};
use inresponse_core::roster::{EntryKey, Finding, FindingKind, MAX_EDITS, RosterEdit};
use inresponse_core::settings::Settings;
use inresponse_core::{Chain, Engine, Outage, feeds};
use tokio::task::JoinSet;

use super::canary;
use super::kept::kept;
use crate::storage::Storage;

const EVERY: Duration = Duration::from_secs(60);
/// The roster is checked as a whole each time that the periodic work was done this often, because the check reads a month
/// of every schedule.
const CHECKED_EVERY: usize = 5;
/// The number of days ahead in which findings are counted.
const DAYS: u16 = 30;

/// How long a silence is kept after it ended.
const SILENCES_KEPT: TimeDelta = TimeDelta::days(30);
/// The name under which the server removes silences.
const BY: &str = "inresponse";

/// Starts the periodic work, which ends when the returned value is dropped.
pub(crate) fn watch(engine: &Engine, storage: Storage, canary: Option<Contact>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if let Some(to) = canary {
        let engine = engine.clone();
        tasks.spawn(async move {
            kept("canary", engine.clock(), || canary::sing(engine.clone(), to.clone())).await;
        });
    }
    let (engine, storage) = (engine.clone(), Arc::new(storage));
    tasks.spawn(async move {
        kept("upkeep", engine.clock(), || upkeep(engine.clone(), Arc::clone(&storage))).await;
    });
    tasks
}

/// Starts what asks carriers for answers.
pub(crate) fn ask(outlets: Outlets, engine: &Engine, settings: &Arc<dyn Settings>, tasks: &mut JoinSet<()>) {
    let polls = (outlets.clone(), engine.clone(), Arc::clone(settings));
    tasks.spawn(async move {
        let (outlets, engine, settings) = polls;
        let poll = || {
            let polling = outlets.polling(&engine, &settings);
            async {
                if let Some(polling) = polling {
                    polling.run().await
                }
            }
        };
        kept("telegram", engine.clock(), poll).await;
    });
    let (engine, settings) = (engine.clone(), Arc::clone(settings));
    tasks.spawn(async move {
        let ask = || {
            let receipts = outlets.receipts(&engine, &settings);
            async {
                if let Some(receipts) = receipts {
                    receipts.run().await
                }
            }
        };
        kept("pushover", engine.clock(), ask).await;
    });
}

async fn upkeep(engine: Engine, storage: Arc<Storage>) {
    let (mut known, mut counted) = (BTreeMap::new(), BTreeMap::new());
    let settings = storage.settings();
    for turn in 0usize.. {
        if let Err(error) = forget_expired(&engine, &storage).await {
            tracing::warn!(error = %Chain::of(&error), "expired incidents could not be deleted");
        }
        if let Err(error) = forget_silences(&engine).await {
            tracing::warn!(error = %Chain::of(&error), "silences that are long over could not be removed");
        }
        match engine.uncovered().await {
            Ok(found) => tell_uncovered(&mut known, found),
            Err(error) => {
                tracing::warn!(error = %Chain::of(&error), "the roster could not be checked")
            }
        }
        if turn.is_multiple_of(CHECKED_EVERY) {
            match feeds::coverage(&engine, &*settings, None, DAYS).await {
                Ok(found) => count_findings(&mut counted, &found),
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "the coverage check could not be made")
                }
            }
        }
        engine.clock().sleep(EVERY).await;
    }
}

async fn forget_expired(engine: &Engine, storage: &Storage) -> Result<(), Outage> {
    let mut many = 0;
    loop {
        match storage.forget_expired(engine.now()).await? {
            0 => break,
            some => many += some,
        }
    }
    if many > 0 {
        tracing::info!(incidents = many, "expired incidents were deleted");
    }
    Ok(())
}

/// Removes the silences that are long over. Those of a roster file stay, because the file would make them again.
async fn forget_silences(engine: &Engine) -> Result<(), Outage> {
    let Some(before) = engine.now().checked_sub_signed(SILENCES_KEPT) else { return Ok(()) };
    let rules = engine.roster().quiet().await?;
    let over = rules.silences().filter(|(_, silence)| silence.ends() < before && silence.owner().is_none());
    let over: Vec<RosterEdit> =
        over.map(|(id, _)| RosterEdit::Delete(EntryKey::Silence(id.clone()))).collect();
    let Ok(by) = Person::new(BY) else { return Ok(()) };
    for edits in over.chunks(MAX_EDITS) {
        match engine.edit_roster(&by, edits).await? {
            RosterEdited::Done(_) => {}
            refused @ (RosterEdited::Refused(_)
            | RosterEdited::UnknownTeam(_)
            | RosterEdited::CatchAllTeam(_)) => {
                tracing::warn!(?refused, "silences that are long over could not be removed");
            }
        }
    }
    Ok(())
}

/// Shows uncovered days in the metrics, and logs new ones.
fn tell_uncovered(known: &mut BTreeMap<TeamName, Vec<NaiveDate>>, found: BTreeMap<TeamName, Vec<NaiveDate>>) {
    for (team, days) in &found {
        metrics::gauge!("inresponse_oncall_uncovered_days", "team" => team.to_string())
            .set(days.len() as f64);
        if let Some(first) = days.first()
            && known.get(team).is_none_or(|known| known.iter().max() < days.iter().max())
        {
            tracing::warn!(
                %team,
                days = days.len(),
                %first,
                "nobody is on call on some of the next seven days; the fallback would be alerted then"
            );
        }
    }
    for team in known.keys().filter(|team| !found.contains_key(team)) {
        metrics::gauge!("inresponse_oncall_uncovered_days", "team" => team.to_string()).set(0.0);
    }
    *known = found;
}

/// Shows the number of findings of each kind in the metrics.
fn count_findings(
    counted: &mut BTreeMap<(TeamName, FindingKind), u32>,
    found: &BTreeMap<TeamName, Vec<Finding>>,
) {
    // A finding that is gone counts as zero from now on.
    counted.values_mut().for_each(|count| *count = 0);
    for (team, finding) in found.iter().flat_map(|(team, of)| of.iter().map(move |finding| (team, finding))) {
        *counted.entry((team.clone(), finding.kind)).or_default() += 1;
    }
    for ((team, kind), count) in counted {
        let labels = [("team", team.to_string()), ("kind", kind.as_str().to_owned())];
        metrics::gauge!("inresponse_coverage_findings", &labels).set(f64::from(*count));
    }
}

#[cfg(test)]
mod tests {
    use inresponse_core::memory::{MemoryRoster, MemoryStore};
    use inresponse_core::model::{OwnerName, SilenceId};
    use inresponse_core::notify::Notifiers;
    use inresponse_core::roster::{Entry, Matcher, Silence};
    use inresponse_core::testing::ManualClock;

    use super::*;

    #[tokio::test]
    async fn p21_a_silence_is_removed_thirty_days_after_its_end_and_the_record_says_by_whom() {
        let clock = ManualClock::at("2026-12-31T12:00:00Z".parse().unwrap());
        let engine =
            Engine::builder(MemoryStore::new(), MemoryRoster::new(), Notifiers::new(), clock.clone()).build();
        let silence = |id: &str, to: &str, owner: Option<&str>| -> RosterEdit {
            let matcher: Matcher = "service=athens".parse().unwrap();
            let from = "2026-11-01T00:00:00Z".parse().unwrap();
            let silence = Silence::new(vec![matcher], from, to.parse().unwrap()).unwrap();
            let owner = owner.map(|name| OwnerName::new(name).unwrap());
            Entry::silence(&SilenceId::new(id).unwrap(), silence.owned_by(owner)).into()
        };
        let edits = [
            silence("a-long-over", "2026-12-01T11:59:59Z", None),
            silence("b-over", "2026-12-01T12:00:00Z", None),
            silence("c-of-a-file", "2026-12-01T11:59:59Z", Some("web.toml")),
            silence("d-active", "2027-02-01T00:00:00Z", None),
        ];
        let _ = engine.edit_roster(&Person::new("Jo").unwrap(), &edits).await.unwrap();
        for _ in 0..2 {
            forget_silences(&engine).await.unwrap();
        }
        let rules = engine.roster().quiet().await.unwrap();
        let left: Vec<_> = rules.silences().map(|(id, _)| id.to_string()).collect();
        assert_eq!(left, ["b-over", "c-of-a-file", "d-active"]);
        let changes = engine.roster().changes(None, 10).await.unwrap();
        assert_eq!(changes.len(), 5, "one removal");
        assert_eq!(changes[0].1.by().as_str(), BY);
        assert!(
            changes[0].1.description().starts_with("silence a-long-over"),
            "{}",
            changes[0].1.description()
        );
    }
}
