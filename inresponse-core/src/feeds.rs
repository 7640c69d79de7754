//! Keeps the copies of calendar feeds up to date: promise 18.
//!
//! Every process calls [`Feeds::tick`] or [`Feeds::run`]. When a feed is due, one of them takes it by a swap of the
//! feed's [status](FeedStatus) and reads it. A failed, empty or unreadable reading changes only the status: the last good
//! copy stays in the roster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Engine;
use crate::engine::RosterEdited;
use crate::error::{Chain, Outage};
use crate::forgotten;
use crate::heartbeats;
use crate::model::{Person, ScheduleName, TeamName, Zone};
use crate::roster::{
    Book, Entry, EntryKey, Feed, FeedCopy, FeedId, Finding, FindingKind, RosterEdit, Timetable,
};
use crate::settings::{Settings, Swapped};

/// The interval at which a feed is read.
const EVERY: TimeDelta = TimeDelta::minutes(10);
/// The interval at which a process looks for feeds that are due.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The interval at which a feed is read as a whole even if it has not changed, because its copy ends some time ahead.
const WHOLE_EVERY: TimeDelta = TimeDelta::hours(24);
/// A feed that could not be read for longer than this is stale.
const STALE_AFTER: TimeDelta = TimeDelta::hours(1);
/// A copy contains events from this long ago …
const BACK: TimeDelta = TimeDelta::days(30);
/// … to this far ahead.
const AHEAD: TimeDelta = TimeDelta::days(400);
/// The maximum length of the stored reason of a failure, in bytes.
const MAX_REASON: usize = 300;
/// The name in the audit records of changed copies.
pub(crate) const BY: &str = "feed";

/// Fetches and reads calendars. An adapter makes **one** attempt within `deadline`, limits the size, and follows no
/// redirect to an address that is not allowed as a feed's URL.
#[async_trait]
pub trait Calendars: Debug + Send + Sync + 'static {
    /// Reads the calendar of a feed.
    async fn fetch(&self, feed: &Feed, ask: &Ask, deadline: Duration) -> Fetched;
}

/// The parameters of a reading.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The zone of whole days, and of events without a zone.
    pub zone: Zone,
    /// The span whose events are read.
    pub span: (DateTime<Utc>, DateTime<Utc>),
    /// The mark of the last reading: if the calendar still has it, nothing is read.
    pub etag: Option<String>,
}

/// How the reading of a calendar ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Fetched {
    /// The calendar has not changed since the last reading.
    Unchanged,
    /// The calendar was read as a whole.
    Read {
        /// Its events.
        copy: FeedCopy,
        /// The mark of this reading, if the calendar gave one.
        etag: Option<String>,
    },
    /// The calendar could not be fetched or read.
    Failed {
        /// Why, without the URL.
        reason: String,
    },
}

/// The status of a feed: a small value that all processes share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FeedStatus {
    /// When the feed is due; absent if it was never looked at.
    pub due_at: Option<DateTime<Utc>>,
    /// When the feed was last read, or found unchanged.
    pub good_at: Option<DateTime<Utc>>,
    /// When the feed was last read as a whole.
    pub whole_at: Option<DateTime<Utc>>,
    /// The mark of the last reading.
    pub etag: Option<String>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
}

/// Reads the feeds of a roster when they are due. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feeds {
    engine: Engine,
    settings: Arc<dyn Settings>,
    calendars: Arc<dyn Calendars>,
}

impl Feeds {
    /// The time limit for one reading.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// Feeds of the engine's roster. Their statuses are kept in `settings`.
    pub fn new(engine: Engine, settings: Arc<dyn Settings>, calendars: impl Calendars) -> Self {
        Self { engine, settings, calendars: Arc::new(calendars) }
    }

    /// Looks for due feeds every 30 seconds until `stop` resolves.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let work = std::pin::pin!(async {
                if let Err(error) = self.tick().await {
                    tracing::error!(error = %Chain::of(&error), "the calendar feeds could not be looked at");
                }
                self.engine.clock().sleep(LOOK_EVERY).await;
            });
            match select(stop.as_mut(), work).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    /// Reads every feed that is due, one after the other, and deletes copies of feeds that no schedule has any longer.
    /// Returns the number of feeds that were read or found unchanged.
    ///
    /// # Errors
    /// The roster or the settings are unavailable.
    pub async fn tick(&self) -> Result<usize, Outage> {
        self.tick_within(usize::MAX, Duration::MAX).await
    }

    /// Like [`tick`](Self::tick), for processes with a time limit: reads at most `most` feeds, those first that have been
    /// due for longest, and begins no reading later than `within` after the call. The rest stays due.
    ///
    /// # Errors
    /// The roster or the settings are unavailable.
    pub async fn tick_within(&self, most: usize, within: Duration) -> Result<usize, Outage> {
        let began = self.engine.clock().monotonic();
        let (book, now) = (self.engine.book().await?, self.engine.now());
        let mut due = Vec::new();
        for (team, name, timetable) in book.schedules() {
            let Some(schedule) = timetable.schedule() else { continue };
            let at = Place { team, schedule: name, timetable, zone: schedule.timezone() };
            for feed in schedule.feeds() {
                let due_at = status(&*self.settings, team, name, &feed.id()).await?.due_at;
                if due_at.is_none_or(|due_at| due_at <= now) {
                    due.push((due_at, at, feed));
                }
            }
            self.forget(team, name, timetable).await?;
        }
        due.sort_by_key(|(due_at, ..)| *due_at);
        let mut good = 0;
        for (_, at, feed) in due.into_iter().take(most) {
            if self.engine.clock().monotonic().saturating_sub(began) > within {
                break;
            }
            good += usize::from(self.look(&at, feed).await?);
        }
        Ok(good)
    }

    /// Reads a feed if it is due and no other process takes it.
    async fn look(&self, at: &Place<'_>, feed: &Feed) -> Result<bool, Outage> {
        let key = setting(at.team, at.schedule, &feed.id());
        let stored = self.settings.setting(&key).await?;
        let status = read_status(stored.as_deref());
        let now = self.engine.now();
        if status.due_at.is_some_and(|due_at| due_at > now) {
            return Ok(false);
        }
        let taken = FeedStatus { due_at: Some(now + EVERY), ..status.clone() };
        let taken_bytes = written(&taken)?;
        match self.settings.swap_setting(&key, stored.as_deref(), &taken_bytes).await? {
            Swapped::Changed => return Ok(false),
            Swapped::Done => {}
        }
        let is_due_whole = status.whole_at.is_none_or(|whole_at| whole_at + WHOLE_EVERY <= now);
        let has_copy = at.timetable.copy(&feed.id()).is_some();
        let ask = Ask {
            zone: at.zone.clone(),
            span: (now - BACK, now + AHEAD),
            etag: status.etag.clone().filter(|_| has_copy && !is_due_whole),
        };
        let fetched = self.calendars.fetch(feed, &ask, Self::DEADLINE).await;
        let (next, is_good) = self.record(at, feed, fetched, taken).await?;
        // Another process can have taken the feed in the meantime only if this one was very late. Then the other one's
        // status stays.
        let _ = self.settings.swap_setting(&key, Some(&taken_bytes), &written(&next)?).await?;
        Ok(is_good)
    }

    /// Keeps what was read. Returns the feed's next status, and whether the feed is up to date.
    async fn record(
        &self,
        at: &Place<'_>,
        feed: &Feed,
        fetched: Fetched,
        taken: FeedStatus,
    ) -> Result<(FeedStatus, bool), Outage> {
        let now = self.engine.now();
        let failed = |reason: &str| {
            let reason: String = reason.chars().take(MAX_REASON).collect();
            tracing::warn!(
                team = %at.team, schedule = %at.schedule, feed = %feed.masked(), reason,
                "a calendar feed could not be read: its last good copy stays"
            );
            (FeedStatus { failure: Some(reason), ..taken.clone() }, false)
        };
        match fetched {
            Fetched::Failed { reason } => Ok(failed(&reason)),
            Fetched::Unchanged => Ok((FeedStatus { good_at: Some(now), failure: None, ..taken }, true)),
            Fetched::Read { copy, etag } => {
                let copy = bounded(copy);
                let feed_id = feed.id();
                if at.timetable.copy(&feed_id).is_none_or(|held| **held != copy) {
                    let entry = Entry::feed(at.team, at.schedule, &feed_id, copy);
                    match self.edit(vec![entry.into()]).await? {
                        RosterEdited::Done(_) => {}
                        refused @ (RosterEdited::Refused(_)
                        | RosterEdited::UnknownTeam(_)
                        | RosterEdited::CatchAllTeam(_)) => {
                            return Ok(failed(&format!("the roster refused it: {refused:?}")));
                        }
                    }
                }
                let (good_at, whole_at) = (Some(now), Some(now));
                Ok((FeedStatus { good_at, whole_at, etag, failure: None, ..taken }, true))
            }
        }
    }

    /// Deletes the copies of feeds that the schedule no longer has.
    async fn forget(
        &self,
        team: &TeamName,
        name: &ScheduleName,
        timetable: &Timetable,
    ) -> Result<(), Outage> {
        let feeds = timetable.schedule().map_or(&[][..], |schedule| schedule.feeds());
        let kept: BTreeSet<FeedId> = feeds.iter().map(Feed::id).collect();
        let gone = timetable.copies().keys().filter(|id| !kept.contains(id));
        let edits: Vec<RosterEdit> = gone
            .map(|id| RosterEdit::Delete(EntryKey::Feed(team.clone(), name.clone(), id.clone())))
            .collect();
        if !edits.is_empty() {
            let _ = self.edit(edits).await?;
        }
        Ok(())
    }

    async fn edit(&self, edits: Vec<RosterEdit>) -> Result<RosterEdited, Outage> {
        let by = Person::new(BY).map_err(|e| Outage::permanent("a constant name is invalid").because(e))?;
        self.engine.edit_roster(&by, &edits).await
    }
}

/// The schedule that has a feed.
#[derive(Clone, Copy)]
struct Place<'a> {
    team: &'a TeamName,
    schedule: &'a ScheduleName,
    timetable: &'a Timetable,
    zone: &'a Zone,
}

/// The status of a feed.
///
/// # Errors
/// The settings are unavailable.
pub async fn status(
    settings: &dyn Settings,
    team: &TeamName,
    schedule: &ScheduleName,
    feed: &FeedId,
) -> Result<FeedStatus, Outage> {
    let stored = settings.setting(&setting(team, schedule, feed)).await?;
    Ok(read_status(stored.as_deref()))
}

/// The whole coverage check: the findings of [`Engine::coverage`], the feeds that are stale, and the claims that look
/// forgotten. The worst come first.
///
/// # Errors
/// The roster or the settings are unavailable.
pub async fn coverage(
    engine: &Engine,
    settings: &dyn Settings,
    team: Option<&TeamName>,
    days: u16,
) -> Result<BTreeMap<TeamName, Vec<Finding>>, Outage> {
    let mut found = engine.coverage(team, days).await?;
    let (book, now) = (engine.book().await?, engine.now());
    for record in forgotten::forgotten(engine, team).await? {
        if let Some(findings) = found.get_mut(record.incident.team()) {
            findings.extend(forgotten::finding(&record));
        }
    }
    for (team, finding) in heartbeats::silent(engine, settings).await? {
        if let Some(findings) = found.get_mut(&team) {
            findings.push(finding);
        }
    }
    for (team, findings) in &mut found {
        findings.extend(stale(settings, &book, team, now).await?);
        findings.sort_by_key(|finding| (finding.kind, finding.span));
    }
    Ok(found)
}

/// The feeds of a team that are stale at `now`.
async fn stale(
    settings: &dyn Settings,
    book: &Book,
    team: &TeamName,
    now: DateTime<Utc>,
) -> Result<Vec<Finding>, Outage> {
    let mut found = Vec::new();
    for (name, timetable) in book.timetables(team) {
        let Some(schedule) = timetable.schedule() else { continue };
        for feed in schedule.feeds() {
            let status = status(settings, team, name, &feed.id()).await?;
            if status.good_at.is_some_and(|good_at| good_at + STALE_AFTER > now) {
                continue;
            }
            let since = match status.good_at {
                Some(at) => format!("was last read at {}", at.format("%Y-%m-%d %H:%M UTC")),
                None => "was never read".to_owned(),
            };
            let why = status.failure.map(|failure| format!(": {failure}")).unwrap_or_default();
            let detail = format!("the feed {} of schedule {name} {since}{why}", feed.masked());
            found.push(Finding { kind: FindingKind::StaleFeed, span: None, detail });
        }
    }
    Ok(found)
}

/// The name under which a feed's status is kept.
fn setting(team: &TeamName, schedule: &ScheduleName, feed: &FeedId) -> String {
    let digest = Sha256::digest(format!("{team}\u{1f}{schedule}").as_bytes());
    let place: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("feed.{place}.{feed}")
}

/// An unreadable status counts as missing: the feed is due.
fn read_status(stored: Option<&[u8]>) -> FeedStatus {
    stored.and_then(|stored| serde_json::from_slice(stored).ok()).unwrap_or_default()
}

fn written(status: &FeedStatus) -> Result<Vec<u8>, Outage> {
    serde_json::to_vec(status)
        .map_err(|e| Outage::permanent("the status of a feed cannot be written").because(e))
}

/// Removes the last events of a copy that is too large.
fn bounded(mut copy: FeedCopy) -> FeedCopy {
    let size = |copy: &FeedCopy| serde_json::to_vec(copy).map_or(usize::MAX, |bytes| bytes.len());
    copy.events.sort();
    if size(&copy) <= FeedCopy::MAX_BYTES {
        return copy;
    }
    copy.findings.truncate(20);
    while size(&copy) > FeedCopy::MAX_BYTES - 200 && !copy.events.is_empty() {
        copy.events.truncate(copy.events.len() * 9 / 10);
    }
    let until = copy.events.last().map(|event| event.to.format("%Y-%m-%d").to_string());
    copy.findings.push(format!(
        "the calendar has too many events: only those until {} are kept",
        until.as_deref().unwrap_or("now")
    ));
    copy
}
