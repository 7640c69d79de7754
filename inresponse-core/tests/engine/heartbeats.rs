//! Heartbeats over a store in memory: misses, pings, processes that die in between, clocks that jump: promise 24.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use inresponse_core::heartbeats::{HeartbeatState, Heartbeats, Pinged, Row};
use inresponse_core::memory::MemorySettings;
use inresponse_core::model::{HeartbeatName, Severity, State};
use inresponse_core::plan::StateChange;
use inresponse_core::roster::{Entry, EntryKey, Heartbeat, RosterEdit};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::store::{ListQuery, Record};
use inresponse_core::{Outage, OutageKind};

use crate::support::{Call, Fault, Stage, person, secs, service};

/// Settings in memory whose next swaps may fail, and that count what is read and written.
#[derive(Debug, Default)]
struct Shared {
    inner: MemorySettings,
    reads: AtomicUsize,
    swaps: AtomicUsize,
    /// The number of swaps until one fails, and whether it happens.
    fails: Mutex<Option<(usize, OutageKind)>>,
}

#[async_trait::async_trait]
impl Settings for Shared {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        tokio::task::yield_now().await;
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.setting(name).await
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        tokio::task::yield_now().await;
        let fault = {
            let mut fails = self.fails.lock().unwrap();
            match *fails {
                Some((0, kind)) => {
                    *fails = None;
                    Some(kind)
                }
                Some((n, kind)) => {
                    *fails = Some((n - 1, kind));
                    None
                }
                None => None,
            }
        };
        if let Some(OutageKind::Retryable | OutageKind::Permanent) = fault {
            return Err(Outage::retryable("the settings are unavailable"));
        }
        self.swaps.fetch_add(1, Ordering::Relaxed);
        let swapped = self.inner.swap_setting(name, was, value).await?;
        match fault {
            Some(_) => Err(Outage::unknown("the settings went away")),
            None => Ok(swapped),
        }
    }
}

/// A server, its heartbeats and what they share with other servers.
struct Scene {
    stage: Stage,
    settings: Arc<Shared>,
    beats: Heartbeats,
}

fn name(text: &str) -> HeartbeatName {
    HeartbeatName::new(text).unwrap()
}

fn backup() -> HeartbeatName {
    name("backup")
}

impl Scene {
    /// Heartbeat `backup` of service `athens`: every 60 s, with 10 s of grace.
    async fn new() -> Self {
        let stage = Stage::new(&["a"]).await;
        let settings = Arc::new(Shared::default());
        let beats = Heartbeats::new(stage.engine.clone(), settings.clone(), 1);
        let scene = Self { stage, settings, beats };
        scene.define(60, 10).await;
        scene.look().await;
        scene
    }

    async fn define(&self, every: u64, grace: u64) {
        let heartbeat =
            Heartbeat::new(service("athens"), Severity::Err, secs(every), secs(grace), None).unwrap();
        let edit = RosterEdit::Put(Entry::heartbeat(&backup(), heartbeat));
        self.stage.engine.edit_roster(&person("admin"), &[edit]).await.unwrap();
        self.beats.changed();
    }

    /// A server that begins now on the same store.
    fn another(&self, process: u64) -> Heartbeats {
        Heartbeats::new(self.stage.engine.clone(), self.settings.clone(), process)
    }

    async fn look(&self) {
        self.beats.look().await.unwrap();
    }

    /// Time passes in half seconds, and the server looks after each.
    async fn pass(&self, seconds: f64) {
        for _ in 0..(seconds * 2.0).round() as u64 {
            self.stage.clock.advance(Duration::from_millis(500));
            self.look().await;
        }
    }

    async fn ping(&self) -> Pinged {
        self.beats.ping(&backup()).await.unwrap()
    }

    async fn row(&self) -> Row {
        self.beats.row(&backup()).await.unwrap().unwrap()
    }

    async fn state(&self) -> HeartbeatState {
        self.row().await.state()
    }

    /// All incidents, the oldest first.
    async fn incidents(&self) -> Vec<Record> {
        let query = ListQuery { limit: 100, ..ListQuery::default() };
        let mut all = self.stage.engine.list(&query).await.unwrap();
        all.reverse();
        all
    }

    async fn states(&self) -> Vec<State> {
        self.incidents().await.iter().map(|record| record.incident.state()).collect()
    }
}

#[tokio::test]
async fn p24_a_miss_opens_an_incident_and_the_next_ping_resolves_it() {
    let scene = Scene::new().await;
    assert_eq!(scene.state().await, HeartbeatState::Waiting);
    assert!(matches!(scene.ping().await, Pinged::Recorded(_)));
    scene.pass(70.0).await;
    assert_eq!(scene.states().await, []);
    scene.pass(0.5).await;
    let incident = &scene.incidents().await[0].incident;
    assert_eq!(incident.title(), "no ping from heartbeat backup");
    assert_eq!(incident.severity(), Severity::Err);
    assert_eq!(incident.dedup_key().unwrap().as_str(), "heartbeat:backup");
    assert_eq!(incident.labels()["heartbeat"], "backup");
    assert!(incident.message().contains("every 1 min, with 10 s of grace"), "{}", incident.message());
    assert_eq!(scene.row().await.open_incident(), Some(incident.number()));
    scene.pass(600.0).await;
    assert_eq!(scene.states().await, [State::Open], "one incident for a miss");
    let Pinged::Recorded(row) = scene.ping().await else { panic!("it is recorded") };
    assert_eq!((row.state(), row.open_incident()), (HeartbeatState::Beating, None));
    let resolved = &scene.incidents().await[0].incident;
    assert_eq!(resolved.state(), State::Resolved);
    assert_eq!(resolved.resolved().unwrap().by.as_str(), "heartbeat backup");
    scene.pass(71.0).await;
    assert_eq!(scene.states().await, [State::Resolved, State::Open], "the next miss is another incident");
}

#[tokio::test]
async fn p24_one_that_never_came_is_missed_after_its_first_interval() {
    let scene = Scene::new().await;
    scene.pass(70.0).await;
    assert_eq!((scene.state().await, scene.states().await), (HeartbeatState::Waiting, vec![]));
    scene.pass(0.5).await;
    assert_eq!(scene.states().await, [State::Open]);
    assert!(scene.incidents().await[0].incident.message().starts_with("No ping has ever come."));
    assert!(matches!(scene.beats.ping(&name("other")).await.unwrap(), Pinged::Unknown));
}

#[tokio::test]
async fn p24_after_a_person_resolves_the_incident_only_a_ping_arms_the_heartbeat() {
    let scene = Scene::new().await;
    scene.pass(71.0).await;
    let number = scene.row().await.open_incident().unwrap();
    scene.stage.request(number, "jo", StateChange::Resolve).await;
    scene.pass(1000.0).await;
    assert_eq!((scene.state().await, scene.states().await), (HeartbeatState::Missed, vec![State::Resolved]));
    scene.ping().await;
    let resolved = scene.stage.incident(number).await;
    assert_eq!(resolved.incident.resolved().unwrap().by.as_str(), "jo", "a ping does not resolve it again");
    scene.pass(71.0).await;
    assert_eq!(scene.states().await, [State::Resolved, State::Open]);
}

#[tokio::test]
async fn p24_fast_pings_are_counted_and_none_of_them_makes_a_miss_early() {
    let scene = Scene::new().await;
    let before = scene.settings.swaps.load(Ordering::Relaxed);
    for n in 0..40 {
        let pinged = scene.ping().await;
        assert_eq!(matches!(pinged, Pinged::Recorded(_)), n % 5 == 0, "{n}");
        scene.stage.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(scene.settings.swaps.load(Ordering::Relaxed) - before, 8);
    // The last ping counted: it came 100 ms ago.
    scene.pass(69.5).await;
    assert_eq!(scene.states().await, []);
    scene.pass(1.0).await;
    assert_eq!(scene.states().await, [State::Open]);
}

#[tokio::test]
async fn p24_pings_that_come_at_the_same_time_share_one_write() {
    let scene = Scene::new().await;
    let before = scene.settings.swaps.load(Ordering::Relaxed);
    let name = &backup();
    let pings = (0..100).map(|_| scene.beats.ping(name));
    let pinged = futures_util::future::join_all(pings).await;
    assert!(pinged.iter().all(|pinged| matches!(pinged, Ok(Pinged::Recorded(_) | Pinged::Counted))));
    assert_eq!(scene.settings.swaps.load(Ordering::Relaxed) - before, 1);
}

#[tokio::test]
async fn p24_a_ping_reads_nothing_that_is_known_and_loses_no_ping_of_another_server() {
    let scene = Scene::new().await;
    let other = scene.another(2);
    let pings = async || scene.row().await.pings().count();
    let _first = scene.ping().await;
    for known in 2..10 {
        scene.stage.clock.advance(secs(1));
        let before = scene.settings.reads.load(Ordering::Relaxed);
        let _next = scene.ping().await;
        assert_eq!(scene.settings.reads.load(Ordering::Relaxed), before, "ping {known}");
        assert_eq!(pings().await, known);
    }
    // The other server's ping makes the known row wrong.
    scene.stage.clock.advance(secs(1));
    let _other = other.ping(&backup()).await.unwrap();
    scene.stage.clock.advance(secs(1));
    let _next = scene.ping().await;
    assert_eq!(pings().await, 11);
    scene.pass(69.0).await;
    assert_eq!((scene.state().await, scene.incidents().await.len()), (HeartbeatState::Beating, 0));
    scene.pass(2.0).await;
    assert_eq!(scene.incidents().await.len(), 1, "the last ping counts");
    // The miss was stored in between, too.
    let _late = scene.ping().await;
    assert_eq!(scene.states().await, [State::Resolved]);
    assert_eq!(pings().await, 12);
}

#[tokio::test]
async fn p24_a_server_that_was_down_gives_senders_one_interval_once() {
    let scene = Scene::new().await;
    scene.ping().await;
    scene.pass(50.0).await;
    // Nobody listens for ten minutes.
    scene.stage.clock.advance(secs(600));
    scene.pass(70.0).await;
    assert_eq!(scene.states().await, [], "it has an interval and the grace from now");
    scene.stage.clock.advance(secs(600));
    scene.look().await;
    assert_eq!(scene.states().await, [State::Open], "but only once between two pings");
    scene.ping().await;
    scene.stage.clock.advance(secs(600));
    scene.pass(69.5).await;
    assert_eq!(scene.states().await, [State::Resolved]);
    scene.pass(1.5).await;
    assert_eq!(scene.states().await, [State::Resolved, State::Open]);
}

#[tokio::test]
async fn p24_a_quick_restart_moves_nothing() {
    let scene = Scene::new().await;
    scene.ping().await;
    scene.pass(50.0).await;
    scene.stage.clock.advance(secs(20));
    let restarted = scene.another(2);
    restarted.look().await.unwrap();
    assert_eq!(scene.states().await, []);
    scene.stage.clock.advance(Duration::from_millis(500));
    restarted.look().await.unwrap();
    assert_eq!(scene.states().await, [State::Open]);
}

#[tokio::test]
async fn p24_clocks_that_jump_accuse_nobody() {
    for jump in [-3600, 20, 3600] {
        let scene = Scene::new().await;
        scene.ping().await;
        scene.pass(50.0).await;
        scene.stage.clock.jump(scene.stage.engine.now() + TimeDelta::seconds(jump));
        scene.pass(60.0).await;
        assert_eq!(scene.states().await, [], "jump by {jump}");
        scene.pass(60.0).await;
        assert_eq!(scene.states().await, [State::Open], "jump by {jump}");
    }
}

#[tokio::test]
async fn p24_a_miss_is_not_lost_if_its_process_dies_at_any_step() {
    // The miss is a swap of the row, a create, and a swap with the number.
    for (step, kind) in [
        (0, OutageKind::Retryable),
        (0, OutageKind::Unknown),
        (1, OutageKind::Retryable),
        (1, OutageKind::Unknown),
    ] {
        for pinged in [true, false] {
            let scene = Scene::new().await;
            scene.ping().await;
            scene.pass(70.0).await;
            // The alive time is written every five seconds, so not in this look.
            scene.stage.clock.advance(Duration::from_millis(500));
            *scene.settings.fails.lock().unwrap() = Some((step, kind));
            scene.look().await;
            if pinged {
                scene.stage.clock.advance(secs(1));
                scene.ping().await;
            }
            let other = scene.another(2);
            for _ in 0..14 {
                scene.stage.clock.advance(Duration::from_millis(500));
                other.look().await.unwrap();
            }
            let was_never_missed = pinged && (step, kind) == (0, OutageKind::Retryable);
            let expected: &[State] = match (was_never_missed, pinged) {
                (true, _) => &[],
                (false, true) => &[State::Resolved],
                (false, false) => &[State::Open],
            };
            assert_eq!(scene.states().await, expected, "step {step}, {kind:?}, pinged: {pinged}");
        }
    }
}

#[tokio::test]
async fn p24_an_incident_that_was_created_by_a_dead_process_is_not_created_again() {
    for (fault, opens) in
        [(Fault::HappensUnknown, "at once"), (Fault::Fails(OutageKind::Retryable), "by the other process")]
    {
        let scene = Scene::new().await;
        scene.ping().await;
        scene.stage.store.next(Call::Create, fault);
        scene.pass(70.5).await;
        if let Some(first) = scene.incidents().await.first() {
            // Somebody resolves it before its number is noted.
            scene.stage.request(first.number(), "jo", StateChange::Resolve).await;
        }
        let other = scene.another(2);
        for _ in 0..24 {
            scene.stage.clock.advance(Duration::from_millis(500));
            other.look().await.unwrap();
        }
        assert_eq!(scene.states().await.len(), 1, "it opens {opens}");
        assert_eq!(scene.row().await.open_incident(), Some(scene.incidents().await[0].number()));
    }
}

#[tokio::test]
async fn p24_of_two_servers_one_opens_the_incident() {
    let scene = Scene::new().await;
    let other = scene.another(2);
    scene.ping().await;
    other.look().await.unwrap();
    for _ in 0..160 {
        scene.stage.clock.advance(Duration::from_millis(500));
        let _ = tokio::join!(scene.beats.look(), other.look());
    }
    let incidents = scene.incidents().await;
    assert_eq!((incidents.len(), incidents[0].count), (1, 1));
    // A ping through the other server is seen by both.
    assert!(matches!(other.ping(&backup()).await.unwrap(), Pinged::Recorded(_)));
    for _ in 0..130 {
        scene.stage.clock.advance(Duration::from_millis(500));
        scene.look().await;
    }
    assert_eq!(scene.states().await, [State::Resolved]);
}

#[tokio::test]
async fn p24_a_changed_definition_applies_and_a_deleted_one_resolves_nothing() {
    let scene = Scene::new().await;
    scene.ping().await;
    scene.define(600, 0).await;
    scene.pass(599.0).await;
    assert_eq!(scene.states().await, []);
    scene.pass(2.0).await;
    assert_eq!(scene.states().await, [State::Open]);
    let number = scene.row().await.open_incident().unwrap();
    let gone = RosterEdit::Delete(EntryKey::Heartbeat(backup()));
    scene.stage.engine.edit_roster(&person("admin"), &[gone]).await.unwrap();
    scene.beats.deleted(&backup()).await.unwrap();
    scene.pass(100.0).await;
    assert!(matches!(scene.ping().await, Pinged::Unknown));
    assert_eq!(scene.states().await, [State::Open]);
    let timeline = format!("{:?}", scene.stage.incident(number).await.incident.timeline());
    assert!(timeline.contains("was deleted, so no ping resolves this incident"), "{timeline}");
    // Defined again, it begins again, and its first ping resolves what is left.
    let heartbeat = Heartbeat::new(service("athens"), Severity::Crit, secs(60), secs(0), None).unwrap();
    scene.beats.begin(&backup(), &heartbeat).await.unwrap();
    scene.define(60, 0).await;
    scene.pass(59.0).await;
    assert_eq!((scene.state().await, scene.states().await), (HeartbeatState::Waiting, vec![State::Open]));
    scene.ping().await;
    assert_eq!(scene.states().await, [State::Resolved]);
}

#[tokio::test]
async fn p24_beating_heartbeats_cost_no_writes() {
    let scene = Scene::new().await;
    let names: Vec<_> = (0..1_000).map(|n| name(&format!("h{n}"))).collect();
    for names in names.chunks(40) {
        let edit = |name: &HeartbeatName| {
            let heartbeat =
                Heartbeat::new(service("athens"), Severity::Warn, secs(60), secs(0), None).unwrap();
            RosterEdit::Put(Entry::heartbeat(name, heartbeat))
        };
        let edits: Vec<_> = names.iter().map(edit).collect();
        scene.stage.engine.edit_roster(&person("admin"), &edits).await.unwrap();
    }
    scene.pass(11.0).await;
    assert_eq!(scene.beats.counts()[&HeartbeatState::Waiting], 1_001);
    for name in &names {
        let _ = scene.beats.ping(name).await.unwrap();
    }
    assert_eq!(scene.beats.counts()[&HeartbeatState::Beating], 1_000);
    let before = scene.settings.swaps.load(Ordering::Relaxed);
    scene.pass(40.0).await;
    let swaps = scene.settings.swaps.load(Ordering::Relaxed) - before;
    assert!(swaps <= 9, "only the alive time is written, not {swaps} times");
}
