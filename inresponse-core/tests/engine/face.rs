//! What an embedder meets first: adapters behind pointers, short updates, and an engine that nobody runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inresponse_core::async_trait;
use inresponse_core::engine::{Refusal, Timers, Updated};
use inresponse_core::error::Outage;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{IncidentNumber, RulesId, State};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::roster::{Entry, Roster, Team};
use inresponse_core::store::Store;
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_core::{Engine, clock::Clock};
use tracing::{Level, Metadata, span};

use crate::support::{Stage, T0, contacts, crit, person, service, team};

/// An engine over pointers to adapters, with the team of `athens`.
async fn behind_pointers(timers: Option<Started>) -> (Engine, Arc<dyn Store>, RecordingNotifier) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let roster: Box<dyn Roster> = Box::new(MemoryRoster::new());
    let recorder = RecordingNotifier::new();
    let notifier: Arc<dyn Notifier> = Arc::new(recorder.clone());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(T0));
    let notifiers = Notifiers::new().mail(notifier);
    roster.put_team(&team("devops"), &Team::builder(contacts("z")).build().unwrap()).await.unwrap();
    roster.edit(Entry::service(&service("athens"), &team("devops")).into()).await.unwrap();
    let builder = Engine::builder(Arc::clone(&store), roster, notifiers, clock);
    let engine = match timers {
        Some(timers) => builder.timers(timers).build(),
        None => builder.build(),
    };
    (engine, store, recorder)
}

#[tokio::test]
async fn an_engine_works_over_shared_and_boxed_adapters() {
    let (engine, store, recorder) = behind_pointers(None).await;
    engine.report(crit("athens").build().unwrap()).await.unwrap();
    assert_eq!(engine.tick().await.unwrap(), 1);
    let attempts = recorder.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!(store.load(attempts[0].incident).await.unwrap().unwrap().incident.state(), State::Open);
}

/// A notifier that reaches nobody.
#[derive(Debug)]
struct Unwilling;

#[async_trait]
impl Notifier for Unwilling {
    async fn notify(&self, _alert: &Alert, _deadline: Duration) -> Outcome {
        Outcome::unavailable("unwilling")
    }

    fn reaches(&self, _contact: &inresponse_core::model::Contact) -> bool {
        false
    }
}

#[tokio::test]
async fn a_pointer_passes_on_the_methods_that_have_a_default() {
    let (engine, store, _) = behind_pointers(None).await;
    engine.report(crit("athens").build().unwrap()).await.unwrap();
    assert_eq!(store.due(T0, None, 10).await.unwrap().len(), 1);
    // The defaults of both list everything with a due time.
    assert_eq!(store.ahead(T0, None, 10).await.unwrap(), []);
    assert_eq!(store.quiet(RulesId::JUDGE_AGAIN, None, 10).await.unwrap(), []);
    // The default makes new rules at each call.
    let roster: Arc<dyn Roster> = Arc::new(MemoryRoster::new());
    assert!(Arc::ptr_eq(&roster.quiet().await.unwrap(), &roster.quiet().await.unwrap()));
    let contact = &contacts("a")[0];
    let (boxed, bundling): (Box<dyn Notifier>, Box<dyn Notifier>) =
        (Box::new(Unwilling), Box::new(RecordingNotifier::of_bundles()));
    let notifiers = Notifiers::new().mail(boxed);
    assert!(!notifiers.reach(contact));
    assert!(bundling.bundler(contact).is_some());
}

#[tokio::test]
async fn p05_p06_claim_release_and_resolve_take_a_number_and_a_person() {
    let stage = Stage::new(&["a"]).await;
    let (engine, jo, kim) = (&stage.engine, person("jo"), person("kim"));
    let number = stage.report(crit("athens")).await;
    let state = |updated: Result<Updated, Outage>| match updated.unwrap() {
        Updated::Changed(record) => record.incident.state(),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(engine.claim(number, &jo).await), State::Claimed);
    for refused in [engine.claim(number, &kim).await, engine.release(number, &kim).await] {
        match refused.unwrap() {
            Updated::Refused(_, refusal) => assert_eq!(refusal, Refusal::ClaimedBy(jo.clone())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(state(engine.release(number, &jo).await), State::Open);
    assert_eq!(state(engine.resolve(number, &kim).await), State::Resolved);
    assert_eq!(engine.claim(IncidentNumber::new(1), &jo).await.unwrap(), Updated::Absent);
}

/// Timers that are only counted.
#[derive(Debug, Clone, Default)]
struct Started(Arc<AtomicUsize>);

#[async_trait]
impl Timers for Started {
    async fn start(&self, _incident: IncidentNumber, _wake: u32) -> Result<(), Outage> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Counts the warnings of this thread.
#[derive(Debug, Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Warnings {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() <= Level::WARN {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn p09_an_engine_that_nobody_runs_warns_once() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let (engine, ..) = behind_pointers(None).await;
    let report = async || drop(engine.report(crit("athens").build().unwrap()).await.unwrap());
    assert_eq!(warnings.count(), 0);
    report().await;
    assert_eq!(warnings.count(), 1);
    report().await;
    assert_eq!(warnings.count(), 1, "once is enough");
}

#[tokio::test]
async fn an_engine_that_is_ticked_or_has_timers_does_not_warn() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let (ticked, ..) = behind_pointers(None).await;
    ticked.tick().await.unwrap();
    ticked.report(crit("athens").build().unwrap()).await.unwrap();
    let started = Started::default();
    let (timed, ..) = behind_pointers(Some(started.clone())).await;
    timed.report(crit("athens").build().unwrap()).await.unwrap();
    assert_eq!((warnings.count(), started.0.load(Ordering::Relaxed)), (0, 1));
}
