//! A night in a moment: a clock of its own, which moves only on command, as tests need it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use inresponse_core::chrono::{DateTime, Utc};
use inresponse_core::clock::Clock;
use inresponse_core::engine::RosterEdited;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Target, Team, TeamLevel};
use inresponse_core::testing::RecordingNotifier;
use inresponse_core::{Engine, async_trait};

/// A clock that stands still until [`pass`](Self::pass). Clones share the time.
#[derive(Debug, Clone)]
struct NightClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl NightClock {
    fn at(wall: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall, monotonic: Duration::ZERO })))
    }

    fn pass(&self, time: Duration) {
        let mut hands = self.hands();
        hands.wall += time;
        hands.monotonic += time;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for NightClock {
    fn now(&self) -> DateTime<Utc> {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }

    /// Never returns: while a notifier sends, no time passes, so no time limit is reached.
    async fn sleep(&self, _duration: Duration) {
        std::future::pending().await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = NightClock::at("2026-12-24T23:00:00Z".parse()?);
    let recorder = RecordingNotifier::new();
    let notifiers = Notifiers::new().mail(recorder.clone());
    let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();
    let level = |address: &str| -> Result<TeamLevel, Box<dyn std::error::Error>> {
        Ok(TeamLevel { notify: vec![Target::from(Contact::new(address)?)], wait: None })
    };
    let settings = Team::builder(vec![Contact::new("boss@example.org")?])
        .levels(vec![level("jo@example.org")?, level("kim@example.org")?])
        .escalate_after(Duration::from_secs(15 * 60))
        .build()?;
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }

    let _reported = engine.report(Report::builder("athens", Severity::Crit, "disk full").build()?).await?;
    let mut seen = 0;
    for _minute in 0..60 {
        engine.tick().await?;
        for attempt in &recorder.attempts()[seen..] {
            println!("{} {}", clock.now().format("%H:%M"), attempt.contact.address());
            seen += 1;
        }
        clock.pass(Duration::from_secs(60));
    }
    Ok(())
}
