//! Incidents whose time is kept outside of the process.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use inresponse_core::engine::{Advanced, Swept, Timers};
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{IncidentNumber, Severity};
use inresponse_core::notify::{Notifiers, Outcome};
use inresponse_core::plan::{StateChange, TakeOver};
use inresponse_core::roster::Team;
use inresponse_core::{Engine, Outage, OutageKind};

use crate::support::{Call, Fault, Mood, Stage, after, contacts, crit, secs};

/// Notes which timers are started, or fails.
#[derive(Debug, Clone, Default)]
struct Bells {
    started: Arc<Mutex<Vec<(u64, u32)>>>,
    broken: Arc<Mutex<bool>>,
}

impl Bells {
    fn started(&self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.started.lock().unwrap())
    }

    fn break_down(&self, is_broken: bool) {
        *self.broken.lock().unwrap() = is_broken;
    }
}

#[async_trait]
impl Timers for Bells {
    async fn start(&self, incident: IncidentNumber, wake: u32) -> Result<(), Outage> {
        if *self.broken.lock().unwrap() {
            return Err(Outage::retryable("no timer can be started"));
        }
        self.started.lock().unwrap().push((incident.value(), wake));
        Ok(())
    }
}

async fn stage(levels: &[&str]) -> (Stage, Bells) {
    let mut stage = Stage::new(levels).await;
    let bells = Bells::default();
    let notifiers = Notifiers::new().mail(stage.carrier.clone());
    let builder = Engine::builder(stage.store.clone(), MemoryRoster::new(), notifiers, stage.clock.clone());
    stage.engine = builder.lease_mark(std::time::Duration::ZERO).timers(bells.clone()).build();
    stage.own("athens", "devops", levels, Team::builder(contacts("z")).build().unwrap()).await;
    (stage, bells)
}

#[tokio::test]
async fn p09_a_timer_is_started_wherever_alerting_begins_and_nowhere_else() {
    let (stage, bells) = stage(&["a"]).await;
    let number = stage.report(crit("athens").dedup_key("5xx")).await;
    let started = |wake| vec![(number.value(), wake)];
    assert_eq!(bells.started(), started(0), "a new incident");
    stage.report(crit("athens").dedup_key("5xx")).await;
    assert_eq!(bells.started(), [], "a repeat");
    assert_eq!(
        stage.engine.advance_woken(number, 0, secs(8)).await.unwrap(),
        Advanced::WaitUntil(after(600))
    );
    assert!(matches!(stage.claim(number, "jo").await, inresponse_core::engine::Updated::Changed(_)));
    assert_eq!(bells.started(), [], "a claim");
    _ = stage.request(number, "jo", StateChange::Release(TakeOver::No)).await;
    assert_eq!(bells.started(), started(1), "a release");
    assert_eq!(stage.engine.advance_woken(number, 0, secs(8)).await.unwrap(), Advanced::Superseded);
    assert_eq!(
        stage.engine.advance_woken(number, 1, secs(8)).await.unwrap(),
        Advanced::WaitUntil(after(600))
    );
    assert_eq!(stage.sent(), "0 1:a, 0 1:a");
    let delivery = {
        let incident = stage.incident(number).await.incident;
        incident.delivery_id(incident.deliveries().last().unwrap().key())
    };
    _ = stage.engine.bounced(number, &delivery, "550").await.unwrap();
    assert_eq!(bells.started(), started(2), "an alert that came back");
}

#[tokio::test]
async fn p09_a_severity_that_only_records_starts_a_timer_when_it_is_raised() {
    let (stage, bells) = stage(&["a"]).await;
    let team = Team::builder(contacts("z")).alert_levels(Severity::Warn, vec![]).build().unwrap();
    stage.own("athens", "devops", &["a"], team).await;
    let report =
        |severity| inresponse_core::model::Report::builder("athens", severity, "slow").dedup_key("slow");
    let number = stage.report(report(Severity::Warn)).await.value();
    assert_eq!(bells.started(), []);
    stage.report(report(Severity::Err)).await;
    assert_eq!(bells.started(), [(number, 1)]);
}

#[tokio::test]
async fn p09_a_timer_that_could_not_be_started_fails_no_report_and_is_made_up_for_by_a_sweep() {
    let (stage, bells) = stage(&["a", "b"]).await;
    bells.break_down(true);
    let number = stage.report(crit("athens")).await;
    assert_eq!(stage.sent(), "");
    stage.clock.advance(secs(9));
    assert_eq!(stage.engine.sweep(secs(10)).await.unwrap(), Swept::default(), "not yet overdue enough");
    stage.clock.advance(secs(2));
    let swept = stage.engine.sweep(secs(10)).await.unwrap();
    assert_eq!(swept, Swept { advanced: 1, ..Swept::default() }, "no timer can be started");
    assert_eq!(stage.sent(), "11 1:a");
    stage.clock.advance(secs(600));
    assert_eq!(stage.engine.sweep(secs(10)).await.unwrap(), Swept::default());
    bells.break_down(false);
    stage.clock.advance(secs(11));
    let swept = stage.engine.sweep(secs(10)).await.unwrap();
    assert_eq!(swept, Swept { restarted: 1, ..Swept::default() });
    assert_eq!(bells.started(), [(number.value(), 1)]);
    assert_eq!(stage.incident(number).await.incident.wake(), 1);
    assert_eq!(
        stage.engine.advance_woken(number, 1, secs(8)).await.unwrap(),
        Advanced::WaitUntil(after(1222))
    );
}

#[tokio::test]
async fn p09_a_timer_is_not_given_up_before_the_next_one_is_started() {
    let (stage, bells) = stage(&["a"]).await;
    let number = stage.report(crit("athens")).await;
    bells.started();
    bells.break_down(true);
    assert!(stage.engine.restart_timer(number).await.is_err());
    assert_eq!(
        stage.engine.advance_woken(number, 0, secs(8)).await.unwrap(),
        Advanced::WaitUntil(after(600))
    );
    bells.break_down(false);
    stage.store.next(Call::Commit, Fault::Fails(OutageKind::Retryable));
    assert!(stage.engine.restart_timer(number).await.is_err());
    assert_eq!(bells.started(), [(number.value(), 1)], "it is there, though that could not be noted");
    stage.engine.restart_timer(number).await.unwrap();
    assert_eq!(bells.started(), [(number.value(), 1)], "under the same name");
    assert_eq!(stage.engine.advance_woken(number, 0, secs(8)).await.unwrap(), Advanced::Superseded);
}

#[tokio::test]
async fn p13_a_sweep_does_not_stop_at_one_that_cannot_be_advanced() {
    let (stage, bells) = stage(&["a"]).await;
    bells.break_down(true);
    for _ in 0..5 {
        stage.report(crit("athens")).await;
    }
    stage.carrier.next("a", Mood::Answers(Outcome::unavailable("421")));
    stage.clock.advance(secs(60));
    stage.store.next(Call::Commit, Fault::Fails(OutageKind::Permanent));
    let swept = stage.engine.sweep(secs(10)).await.unwrap();
    assert_eq!(swept, Swept { advanced: 4, failed: 1, ..Swept::default() });
    stage.clock.advance(secs(60));
    assert_eq!(stage.engine.sweep(secs(10)).await.unwrap().failed, 0);
    assert_eq!(stage.carrier.sent_to("a").len(), 6, "five incidents, of which one was tried twice");
}

#[tokio::test]
async fn p13_a_timer_begins_nothing_that_would_outlast_its_process() {
    let team = Team::builder(contacts("z")).escalate_after(secs(10)).build().unwrap();
    let stage = Stage::with(&["h", "b"], team).await;
    stage.carrier.always("h", Mood::Hangs);
    let number = stage.report(crit("athens")).await;
    let engine = stage.engine.clone();
    let advancing = tokio::spawn(async move { engine.advance_woken(number, 0, secs(8)).await.unwrap() });
    stage.pass(secs(24)).await;
    assert_eq!(advancing.await.unwrap(), Advanced::WaitUntil(after(10)), "what is left is due at once");
    assert_eq!(stage.sent(), "0 1:h");
    assert_eq!(stage.carrier.finished(), 0);
    let engine = stage.engine.clone();
    let advancing = tokio::spawn(async move { engine.advance_woken(number, 0, secs(8)).await.unwrap() });
    stage.pass(secs(1)).await;
    assert_eq!(stage.carrier.sent_to("b").len(), 1);
    advancing.abort();
}
