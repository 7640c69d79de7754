//! A carrier that takes bundles, and an engine that sends them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::Engine;
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{Contact, IncidentNumber, Report, Severity};
use inresponse_core::notify::{Alert, Bundle, Notifier, Notifiers, NotifyBundle, Outcome};
use inresponse_core::roster::Team;
use inresponse_core::testing::ManualClock;

use crate::support::{Carrier, Mood, SharedStore, Stage, T0, contacts, name, settle};

/// Takes single alerts and bundles, and keeps what it took.
#[derive(Debug, Clone)]
pub struct Press {
    clock: ManualClock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    messages: Vec<Message>,
    moods: VecDeque<Mood>,
    /// Every message with this incident has that outcome.
    poison: Option<(IncidentNumber, Outcome)>,
    refused: Vec<String>,
}

/// One message as the recipient saw it begin.
#[derive(Debug, Clone)]
pub struct Message {
    pub at: Duration,
    pub to: String,
    pub incidents: Vec<(IncidentNumber, Severity)>,
    pub deliveries: Vec<String>,
    pub accepted: bool,
}

impl Press {
    pub fn new(clock: &ManualClock) -> Self {
        Self { clock: clock.clone(), inner: Arc::default() }
    }

    /// How the next message goes.
    pub fn next(&self, mood: Mood) {
        self.inner.lock().unwrap().moods.push_back(mood);
    }

    /// How every message with that incident goes.
    pub fn poison(&self, number: IncidentNumber, outcome: Outcome) {
        self.inner.lock().unwrap().poison = Some((number, outcome));
    }

    /// It refuses everything to that recipient.
    pub fn refuse(&self, to: &str) {
        self.inner.lock().unwrap().refused.push(to.to_owned());
    }

    pub fn messages(&self) -> Vec<Message> {
        self.inner.lock().unwrap().messages.clone()
    }

    /// The size of each message to somebody, with its time in milliseconds.
    pub fn sizes(&self, to: &str) -> Vec<(u128, usize)> {
        let to = |message: &Message| message.to == to;
        self.messages().into_iter().filter(to).map(|m| (m.at.as_millis(), m.incidents.len())).collect()
    }

    /// How many times each delivery was accepted, if it was.
    pub fn accepted(&self) -> Vec<String> {
        let mut all: Vec<_> =
            self.messages().into_iter().filter(|m| m.accepted).flat_map(|m| m.deliveries).collect();
        all.sort_unstable();
        all
    }

    async fn take(&self, contact: &Contact, alerts: &[Alert]) -> Outcome {
        let to = name(contact);
        let incidents: Vec<_> =
            alerts.iter().map(|alert| (alert.incident().number(), alert.incident().severity())).collect();
        let (at, mood) = {
            let mut inner = self.inner.lock().unwrap();
            let has = |number: IncidentNumber| incidents.iter().any(|(other, _)| *other == number);
            let poisoned =
                inner.poison.clone().filter(|(number, _)| has(*number)).map(|(_, outcome)| outcome);
            let refused = inner.refused.contains(&to).then(|| Outcome::rejected("550 unknown"));
            let mood = refused.or(poisoned).map(Mood::Answers).or_else(|| inner.moods.pop_front());
            let elapsed = inresponse_core::clock::Clock::monotonic(&self.clock);
            let deliveries = alerts.iter().map(|alert| alert.delivery_id().as_str().to_owned()).collect();
            inner.messages.push(Message { at: elapsed, to, incidents, deliveries, accepted: false });
            (inner.messages.len() - 1, mood.unwrap_or(Mood::Answers(Outcome::Accepted)))
        };
        tokio::task::yield_now().await;
        let outcome = match mood {
            Mood::Answers(outcome) => outcome,
            Mood::Takes(time, outcome) => {
                inresponse_core::clock::Clock::sleep(&self.clock, time).await;
                outcome
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("the notifier was told to panic"),
        };
        self.inner.lock().unwrap().messages[at].accepted = outcome == Outcome::Accepted;
        outcome
    }
}

#[async_trait]
impl Notifier for Press {
    async fn notify(&self, alert: &Alert, _: Duration) -> Outcome {
        self.take(alert.contact(), std::slice::from_ref(alert)).await
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for Press {
    async fn notify_bundle(&self, bundle: &Bundle, _: Duration) -> Outcome {
        self.take(bundle.contact(), bundle.alerts()).await
    }
}

/// One process whose carrier takes bundles.
pub struct Storm {
    pub stage: Stage,
    pub press: Press,
    levels: Vec<String>,
}

impl Storm {
    pub async fn new(singles: u32, levels: &[&str]) -> Self {
        let clock = ManualClock::at(T0);
        let store = SharedStore::new(&clock);
        let press = Press::new(&clock);
        Self::over(singles, levels, store, press, clock, 0).await
    }

    /// Another process over the same store and carrier.
    pub async fn another(&self, singles: u32) -> Self {
        let levels: Vec<_> = self.levels.iter().map(String::as_str).collect();
        let Stage { store, clock, .. } = self.stage.clone();
        Self::over(singles, &levels, store, self.press.clone(), clock, 1).await
    }

    async fn over(
        singles: u32,
        levels: &[&str],
        store: SharedStore,
        press: Press,
        clock: ManualClock,
        mark: u64,
    ) -> Self {
        let notifiers = Notifiers::new().mail(press.clone());
        let builder = Engine::builder(store.clone(), MemoryRoster::new(), notifiers, clock.clone());
        let builder = builder.lease_mark(Duration::from_micros(mark)).singles_per_minute(singles);
        let carrier = Carrier::new(&clock);
        let stage = Stage { engine: builder.build(), clock, store, carrier };
        stage.own("athens", "devops", levels, Team::builder(contacts("z")).build().unwrap()).await;
        Self { stage, press, levels: levels.iter().map(|level| (*level).to_owned()).collect() }
    }

    /// Reports so many incidents.
    pub async fn reports(&self, many: usize, severity: Severity) -> Vec<IncidentNumber> {
        let mut numbers = Vec::new();
        for _ in 0..many {
            numbers.push(self.stage.report(Report::builder("athens", severity, "5xx Error Spike")).await);
        }
        settle().await;
        numbers
    }

    /// Lets time pass, with many tasks.
    pub async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(250);
        let mut passed = Duration::ZERO;
        while passed < time {
            for _ in 0..10 {
                settle().await;
            }
            self.stage.clock.advance(step);
            passed += step;
        }
        for _ in 0..10 {
            settle().await;
        }
    }
}
