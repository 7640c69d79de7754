//! Looks at the teams: decides what is due, sends it, and records it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use futures_util::stream::{self, StreamExt};

use crate::Engine;
use crate::clock::to_micros;
use crate::error::{Chain, Outage};
use crate::model::TeamName;
use crate::roster::{Book, CANARY, WeeklyTest};
use crate::settings::{Settings, Swapped};

use super::plan::{Planner, Roster};
use super::row::{Row, Settled, digest};
use super::send::Sender;
use super::weekly_test;

/// The interval at which a process looks at the teams.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The number of teams that a process looks at concurrently.
const AT_ONCE: usize = 8;
/// How often a result is recorded again because another process changed the row in between.
const TRIES: usize = 5;

/// Sends the notices of a roster when they are due. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notices {
    pub(super) engine: Engine,
    pub(super) settings: Arc<dyn Settings>,
}

impl Notices {
    /// The time limit for one attempt to send.
    pub const DEADLINE: Duration = Duration::from_secs(15);

    /// Notices of the engine's roster. What was sent is kept in `settings`.
    pub fn new(engine: Engine, settings: Arc<dyn Settings>) -> Self {
        Self { engine, settings }
    }

    /// Looks for due notices every minute until `stop` resolves. Then it finishes the sends in progress.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let is_stopping = AtomicBool::new(false);
        let is_over = || is_stopping.load(Ordering::Relaxed);
        loop {
            let tick = std::pin::pin!(async {
                if let Err(error) = self.tick_until(&is_over).await {
                    tracing::error!(error = %Chain::of(&error), "the notices could not be looked at");
                }
            });
            match select(stop.as_mut(), tick).await {
                Either::Left(((), tick)) => {
                    is_stopping.store(true, Ordering::Relaxed);
                    return tick.await;
                }
                Either::Right(_) => {}
            }
            match select(stop.as_mut(), self.engine.clock().sleep(LOOK_EVERY)).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    /// Sends every notice that is due. Returns the number of notices that were accepted.
    ///
    /// # Errors
    /// The roster is unavailable. If only the row of a team is unavailable, this is logged.
    pub async fn tick(&self) -> Result<usize, Outage> {
        self.tick_until(&|| false).await
    }

    /// Like [`tick`](Self::tick), for processes with a time limit: begins to look at no team later than `within` after
    /// the call. The rest stays due.
    ///
    /// # Errors
    /// The same as for `tick`.
    pub async fn tick_within(&self, within: Duration) -> Result<usize, Outage> {
        let began = self.engine.clock().monotonic();
        self.tick_until(&|| self.engine.clock().monotonic().saturating_sub(began) > within).await
    }

    async fn tick_until(&self, is_over: &(dyn Fn() -> bool + Sync)) -> Result<usize, Outage> {
        // What is read after the newest change is at least as new. A later change is looked at by the next call.
        self.engine.roster().refresh().await?;
        let newest = self.engine.roster().changes(None, 1).await?;
        let newest = newest.into_iter().next().map(|(mark, _)| mark);
        let roster = Roster { newest, book: self.engine.book().await? };
        let teams = self.engine.teams().await?.into_iter().filter(|team| team.as_str() != CANARY);
        let looks = stream::iter(teams).map(|team| {
            let roster = &roster;
            async move {
                if is_over() {
                    return 0;
                }
                let failed = |error: Outage| {
                    tracing::error!(%team, error = %Chain::of(&error), "the notices of a team could not be looked at");
                    0
                };
                let sent = self.look(&team, roster).await.unwrap_or_else(failed);
                sent + self.tell_claimants(&team, &roster.book).await.unwrap_or_else(failed)
            }
        });
        let sent = looks.buffer_unordered(AT_ONCE).fold(0, |sum, sent| async move { sum + sent }).await;
        self.weekly_tests(&roster.book, is_over).await;
        Ok(sent)
    }

    /// Tests the methods of people who asked for it.
    async fn weekly_tests(&self, book: &Book, is_over: &(dyn Fn() -> bool + Sync)) {
        let now = to_micros(self.engine.now());
        let asked = book.people().iter().filter(|(_, profile)| profile.weekly_test() == WeeklyTest::Asked);
        let asked: Vec<_> = asked.map(|(person, profile)| (person.clone(), Arc::clone(profile))).collect();
        let tests = stream::iter(asked).map(|(person, profile)| async move {
            if is_over() {
                return;
            }
            let looked = weekly_test::look(&self.engine, &*self.settings, &person, &profile, now).await;
            if let Err(error) = looked {
                tracing::error!(%person, error = %Chain::of(&error), "the weekly test could not be made");
            }
        });
        tests.buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    /// Sends what is due for a team, unless another process does.
    async fn look(&self, team: &TeamName, roster: &Roster) -> Result<usize, Outage> {
        let key = setting(team);
        let stored = self.settings.setting(&key).await?;
        let held = Row::read(stored.as_deref());
        let now = to_micros(self.engine.now());
        let planner = Planner { engine: &self.engine, settings: &*self.settings };
        let mut row = planner.planned(team, held.clone(), roster, now).await?;
        let taken = row.take(now);
        if held.as_ref() == Some(&row) {
            return Ok(0);
        }
        match self.settings.swap_setting(&key, stored.as_deref(), &row.written()?).await? {
            Swapped::Changed => return Ok(0),
            Swapped::Done => {}
        }
        if taken.is_empty() {
            return Ok(0);
        }
        let sender = Sender { engine: &self.engine, settings: &*self.settings, team, book: &roster.book };
        let sends = taken.iter().map(|pending| {
            let sender = &sender;
            async move { (pending.id.clone(), sender.send(pending, Self::DEADLINE).await) }
        });
        let settled = join_all(sends).await;
        self.record(&key, &settled).await?;
        Ok(settled.iter().filter(|(_, settled)| *settled == Settled::Sent).count())
    }

    /// Records the results of the notices that were taken.
    async fn record(&self, key: &str, settled: &[(String, Settled)]) -> Result<(), Outage> {
        for _ in 0..TRIES {
            let stored = self.settings.setting(key).await?;
            let Some(mut row) = Row::read(stored.as_deref()) else { return Ok(()) };
            row.settle(settled, to_micros(self.engine.now()));
            match self.settings.swap_setting(key, stored.as_deref(), &row.written()?).await? {
                Swapped::Done => return Ok(()),
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("others changed the row too often in between"))
    }
}

/// The name under which a team's row is kept.
fn setting(team: &TeamName) -> String {
    format!("notices.{}", digest(team.as_str()))
}
