//! Many heartbeats of a server that is killed again and again: promise 24.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::crash::{every_incident, next};
use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, unix_now};

/// The interval of every heartbeat, in seconds.
const EVERY: u32 = 2;
const HEARTBEATS: usize = 24;
/// The maximum number of kills. More show nothing new.
const MOST_KILLS: u64 = 200;

/// A ping that was answered: when it was sent, and when the answer came.
struct Ping {
    asked: f64,
    answered: f64,
}

/// Pings until `done`. Most pings come in time, and some are late.
async fn ping_until(
    done: Arc<AtomicBool>,
    server: Arc<RwLock<Server>>,
    name: String,
    mut seed: u64,
) -> (String, Vec<Ping>) {
    let mut pings = Vec::new();
    let path = format!("/heartbeats/{name}/ping");
    while !done.load(Ordering::Relaxed) {
        let server = server.read().await;
        let asked = unix_now();
        if let Ok((StatusCode::OK, _)) = server.try_call(Method::POST, &path, Some(json!({}))).await {
            pings.push(Ping { asked, answered: unix_now() });
        }
        drop(server);
        let pause = if next(&mut seed).is_multiple_of(8) { 3000 } else { 200 + next(&mut seed) % 1000 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    (name, pings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p24_no_heartbeat_is_accused_early_over_kills_and_none_is_forgotten() {
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |n| n.parse::<u64>().unwrap());
    let kills = number("INRESPONSE_KILLS", 5).min(MOST_KILLS);
    let mut seed = number("INRESPONSE_SEED", 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let server = setup.start().await;
    server.team("devops", 600, json!(["jo@example.org"]), json!([]), "ops@example.org").await;
    server.put("/services/athens", json!({ "team": "devops" })).await;
    let names: Vec<_> = (0..HEARTBEATS).map(|i| format!("h{i}")).collect();
    for name in &names {
        let body = json!({ "service": "athens", "severity": "WARN", "everySeconds": EVERY });
        server.put(&format!("/heartbeats/{name}"), body).await;
    }
    let (server, done) = (Arc::new(RwLock::new(server)), Arc::new(AtomicBool::new(false)));
    let pinging: Vec<_> = names
        .iter()
        .map(|name| {
            let own = next(&mut seed) | 1;
            tokio::spawn(ping_until(Arc::clone(&done), Arc::clone(&server), name.clone(), own))
        })
        .collect();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(500 + next(&mut seed) % 2000)).await;
        // Not through the lock: some requests are under way, and end with the server.
        let pid = server.read().await.pid();
        std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
        let mut server = server.write().await;
        server.kill();
        *server = setup.start().await;
    }
    done.store(true, Ordering::Relaxed);
    let mut pings = HashMap::new();
    for pinging in pinging {
        let (name, answered) = pinging.await.unwrap();
        pings.insert(name, answered);
    }

    let server = server.read().await;
    for name in &names {
        is_missed(&server, name).await;
    }
    let (mut misses, mut answered) = (0, 0);
    let incidents = every_incident(&server).await;
    for name in &names {
        let pings = &pings[name];
        answered += pings.len();
        let key = format!("heartbeat:{name}");
        let theirs: Vec<&Value> =
            incidents.values().filter(|incident| incident["dedupKey"] == *key).collect();
        misses += theirs.len();
        let page = server.get(&format!("/heartbeats/{name}")).await;
        for incident in &theirs {
            let (due, unsure) = due(&page, incident);
            // A ping after the due time was late, even if a killed server had not opened the incident yet.
            let in_time = |ping: &&Ping| ping.answered < due && ping.asked + f64::from(EVERY) > due + unsure;
            let before = pings.iter().find(in_time).map(|ping| due - ping.asked);
            assert_eq!(before, None, "{name} was accused, although a ping was answered: {incident}");
        }
        // Nobody pings any more, so the last ping has a miss after it.
        let last = pings.last().map_or(0.0, |ping| ping.asked);
        let created = |incident: &&Value| seconds(&incident["createdAt"]);
        assert!(
            theirs.iter().map(created).any(|at| at > last),
            "{name} was forgotten after the ping at {last}"
        );
    }
    println!(
        "{kills} kills, {HEARTBEATS} heartbeats, {answered} pings answered, {misses} misses, none early"
    );
    assert!(misses > HEARTBEATS, "only {misses} misses");
}

fn seconds(time: &Value) -> f64 {
    time.as_str().unwrap().parse::<DateTime<Utc>>().unwrap().timestamp_micros() as f64 / 1e6
}

/// When the ping was due that an incident is about, and how much later than its interval a ping may count: one that comes
/// within half a second of another counts as that one. The page has the last misses exactly; of earlier ones the
/// incident's message says the second.
fn due(page: &Value, incident: &Value) -> (f64, f64) {
    let mut misses = page["misses"].as_array().unwrap().iter();
    if let Some(miss) = misses.find(|miss| miss["incidentId"] == incident["incidentId"]) {
        return (seconds(&miss["dueAt"]), 0.5);
    }
    let (_, after) = incident["message"].as_str().unwrap().split_once("was due at ").unwrap();
    let (time, _) = after.split_once(" UTC").unwrap();
    let due = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").unwrap().and_utc();
    (due.timestamp() as f64, 1.5)
}

/// Waits until the heartbeat is missed and has an incident.
async fn is_missed(server: &Server, name: &str) {
    let path = format!("/heartbeats/{name}");
    for _ in 0..SOON.as_millis() / 50 {
        let heartbeat = server.get(&path).await;
        if heartbeat["state"] == "missed" && heartbeat["incidentId"].is_number() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#}", server.get(&path).await);
}
