//! Two monitoring systems that watch the same, as Prometheus is run for safety: each has beginnings and ends of its own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{statuses, webhook};
use crate::store::{Trouble, Troubled};
use crate::world::World;

/// A store that nothing is wrong with; clones are the same.
#[derive(Debug)]
struct Well;
impl Trouble for Well {}

fn store() -> Troubled<Well> {
    Troubled::by(Well)
}

fn t0() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    t0() + TimeDelta::seconds(seconds)
}

/// What a Prometheus sends of the alert, which began that many seconds after the test.
fn prometheus(began: i64, ends: i64) -> Value {
    json!([{ "labels": { "alertname": "Down", "service": "athens", "severity": "critical" },
        "annotations": { "summary": "it is down" }, "startsAt": at(began), "endsAt": at(ends) }])
}

async fn said(world: &World, alerts: &Value) -> String {
    statuses(&world.told("/api/v2/alerts", alerts).await)[0].to_owned()
}

async fn pass(worlds: &[World], seconds: u64) {
    for world in worlds {
        world.clock.advance(Duration::from_secs(seconds));
    }
}

/// Which server takes the messages of a minute.
#[derive(Debug, Clone, Copy)]
enum Servers {
    One,
    /// Two on one store, by turns.
    Two,
    /// One that is started again each minute, as functions of Lambda are.
    Fresh,
}

#[tokio::test]
async fn p03_two_replicas_of_which_one_repeats_its_end_make_no_storm() {
    for (a, b) in [(-300, -293), (-293, -300)] {
        for servers in [Servers::One, Servers::Two, Servers::Fresh] {
            let store = store();
            let mut worlds = vec![World::over(store.clone()).await, World::over(store.clone()).await];
            let case = format!("A began at {a}, {servers:?}");
            assert_eq!(said(&worlds[0], &prometheus(a, 240)).await, "opened", "{case}");
            pass(&worlds, 30).await;
            assert_eq!(said(&worlds[0], &prometheus(a, 25)).await, "resolved", "{case}");
            for minute in 1..=15 {
                let now = 30 + 60 * minute;
                if matches!(servers, Servers::Fresh) {
                    worlds = vec![World::over(store.clone()).await];
                    pass(&worlds, u64::try_from(now).unwrap()).await;
                } else {
                    pass(&worlds, 60).await;
                }
                let of = |message: usize| match servers {
                    Servers::One | Servers::Fresh => 0,
                    Servers::Two => (usize::try_from(minute).unwrap() + message) % 2,
                };
                let firing = said(&worlds[of(0)], &prometheus(b, now + 240)).await;
                assert_eq!(firing, if minute == 1 { "opened" } else { "counted" }, "{case}, minute {minute}");
                if minute == 3 {
                    let claim = json!({ "state": "CLAIMED", "by": "jo" });
                    worlds[0].post("/incidents/10001", claim).await;
                }
                let ended = said(&worlds[of(1)], &prometheus(a, 25)).await;
                assert_eq!(ended, "unchanged", "{case}, minute {minute}");
            }
            let incident = worlds[0].incident(10_001).await;
            assert_eq!(
                (&incident["state"], &incident["claimedBy"]),
                (&json!("CLAIMED"), &json!("jo")),
                "{case}"
            );
            assert_eq!(worlds[0].all().await.len(), 2, "{case}");
            // The end of the other one is one.
            assert_eq!(said(&worlds[0], &prometheus(b, 900)).await, "resolved", "{case}");
        }
    }
}

#[tokio::test]
async fn p03_replicas_whose_trouble_began_at_the_same_moment_make_no_storm_and_lose_nothing() {
    let store = store();
    let worlds = [World::over(store.clone()).await, World::over(store.clone()).await];
    assert_eq!(said(&worlds[0], &prometheus(-300, 240)).await, "opened");
    pass(&worlds, 30).await;
    assert_eq!(said(&worlds[0], &prometheus(-300, 25)).await, "resolved");
    for minute in 1..=15_i64 {
        pass(&worlds, 60).await;
        let (first, second) =
            (usize::try_from(minute).unwrap() % 2, usize::try_from(minute + 1).unwrap() % 2);
        let firing = said(&worlds[first], &prometheus(-300, 60 * minute + 270)).await;
        assert!(minute < 3 || firing != "unchanged", "the other one still says so: {firing}");
        assert_eq!(said(&worlds[second], &prometheus(-300, 25)).await, "unchanged", "minute {minute}");
    }
    assert_eq!(worlds[0].all().await.len(), 2);
    assert_eq!(worlds[0].incident(10_001).await["state"], "OPEN");
    assert_eq!(said(&worlds[0], &prometheus(-300, 920)).await, "resolved");
    // A server that was started now takes that end for a new one, until it looks.
    let fresh = World::over(store).await;
    fresh.clock.advance(Duration::from_secs(1200));
    assert_eq!(said(&fresh, &prometheus(-300, 920)).await, "unchanged");
    assert_eq!(said(&fresh, &prometheus(-300, 1440)).await, "opened", "a third one has said so all the time");
}

#[tokio::test]
async fn p03_an_end_that_was_noted_before_an_incident_is_known_whatever_the_clocks_say() {
    let store = store();
    let world = World::over(store.clone()).await;
    let end = |ends: i64| {
        let mut alert = prometheus(-300, ends)[0].clone();
        alert["status"] = json!("resolved");
        webhook(&[alert])
    };
    assert_eq!(said(&world, &prometheus(-300, 240)).await, "opened");
    // The sender's clock is ahead by almost a minute.
    assert_eq!(statuses(&world.told("/intake/alertmanager", &end(50)).await), ["resolved"]);
    world.clock.advance(Duration::from_secs(5));
    let other = World::over(store).await;
    assert_eq!(said(&other, &prometheus(-293, 240)).await, "opened", "on a server whose clock is behind");
    other.clock.advance(Duration::from_secs(60));
    assert_eq!(statuses(&other.told("/intake/alertmanager", &end(50)).await), ["unchanged"]);
    assert_eq!(statuses(&other.told("/intake/alertmanager", &end(55)).await), ["resolved"], "another end");
}

#[tokio::test]
async fn p03_an_end_is_known_however_many_others_of_the_service_ended_since() {
    let store = store();
    let world = World::over(store.clone()).await;
    assert_eq!(said(&world, &prometheus(-300, 240)).await, "opened");
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(said(&world, &prometheus(-300, 25)).await, "resolved");
    let others = |ends: i64| {
        let other = |n: i64| {
            json!({ "labels": { "alertname": format!("Slow{n}"), "service": "athens" }, "startsAt": at(-300),
                "endsAt": at(ends) })
        };
        Value::from_iter((0..700).map(other))
    };
    for (ends, became) in [(600, "opened"), (26, "resolved")] {
        let answer = world.told("/api/v2/alerts", &others(ends)).await;
        assert!(statuses(&answer).iter().all(|status| *status == became), "{}", answer.json);
    }
    let fresh = World::over(store).await;
    fresh.clock.advance(Duration::from_secs(60));
    assert_eq!(said(&fresh, &prometheus(-293, 360)).await, "opened", "the other one still says so");
    assert_eq!(said(&fresh, &prometheus(-300, 25)).await, "unchanged");
}

#[tokio::test]
async fn p03_an_end_without_a_beginning_is_noted_too() {
    let store = store();
    let world = World::over(store.clone()).await;
    let told = |ends: Option<i64>| json!([{ "labels": { "alertname": "Down", "service": "athens" }, "endsAt": ends.map(at) }]);
    assert_eq!(said(&world, &told(None)).await, "opened");
    assert_eq!(said(&world, &told(Some(-5))).await, "resolved", "an end in the past is one");
    assert_eq!(said(&world, &told(None)).await, "opened");
    assert_eq!(said(&World::over(store).await, &told(Some(-5))).await, "unchanged");
}

#[tokio::test]
async fn p09_an_end_that_was_noted_while_nothing_was_open_ends_nothing_later() {
    let store = store();
    let world = World::over(store.clone()).await;
    assert_eq!(said(&world, &prometheus(-300, -10)).await, "unchanged");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(said(&world, &prometheus(-293, 300)).await, "opened");
    let other = World::over(store).await;
    other.clock.advance(Duration::from_secs(120));
    for world in [&world, &other] {
        assert_eq!(said(world, &prometheus(-300, -10)).await, "unchanged");
    }
    // What ends the one that was reported first may come from another, later.
    assert_eq!(said(&world, &prometheus(-250, 55)).await, "unchanged");
    world.clock.advance(Duration::from_secs(240));
    assert_eq!(said(&world, &prometheus(-250, 299)).await, "resolved");
}

#[tokio::test]
async fn p09_trouble_told_by_a_clock_that_is_behind_is_opened_and_says_so() {
    let world = World::new().await;
    // Prometheus says until when an alert holds: four minutes from now, by its clock, which is ten minutes behind.
    let holds = |now: i64| prometheus(-900, now - 600 + 240);
    let mut became = Vec::new();
    for minute in 0..6 {
        became.push(said(&world, &holds(60 * minute)).await);
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(became, ["unchanged", "unchanged", "opened", "counted", "counted", "counted"]);
    let incident = world.incident(10_000).await;
    assert!(incident["message"].as_str().unwrap().contains("clock behind"), "{incident}");
    // Its end does not move.
    assert_eq!(said(&world, &prometheus(-900, 360 - 620)).await, "resolved");
}
