//! The server killed again and again under load, with an account of every number and every mail.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::mail::MailServer;
use crate::server::{Server, Setup, unix_now};

const TEAMS: usize = 8;
const WRITERS: usize = 8;

/// What the reporters were told.
#[derive(Default)]
struct Told {
    numbers: Mutex<Vec<u64>>,
    failed: AtomicU64,
}

/// A small generator of numbers that need not be good: xorshift64.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

async fn report_until(done: Arc<AtomicBool>, server: Arc<RwLock<Server>>, told: Arc<Told>, writer: usize) {
    let mut i = 0;
    while !done.load(Ordering::Relaxed) {
        i += 1;
        let service = format!("t{}", (writer + i) % TEAMS);
        let title = format!("trouble {i} of {writer}");
        let body = json!({ "service": service, "severity": "ERR", "title": title, "message": "" });
        let answer = server.read().await.try_call(Method::PUT, "/incidents", Some(body)).await;
        match answer {
            Ok((StatusCode::CREATED, incident)) => {
                told.numbers.lock().unwrap().push(incident["incidentId"].as_u64().unwrap());
            }
            Ok((status, answer)) if answer.get("incidentId").is_some() => panic!("{status} {answer}"),
            Ok(_) | Err(_) => _ = told.failed.fetch_add(1, Ordering::Relaxed),
        }
        tokio::time::sleep(Duration::from_millis(12)).await;
    }
}

async fn every_incident(server: &Server) -> HashMap<u64, Value> {
    let mut incidents = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/incidents?limit=500{cursor}")).await;
        for incident in page["incidents"].as_array().unwrap() {
            incidents.insert(incident["incidentId"].as_u64().unwrap(), incident.clone());
        }
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return incidents,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p09_p10_crash_loses_no_number_and_no_mail() {
    let kills: u32 = std::env::var("INRESPONSE_KILLS").map_or(50, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port).with("--lease-seconds", "3");
    let first = setup.start().await;
    for i in 0..TEAMS {
        let oncall = json!(format!("oncall{i}@example.org"));
        first.team(&format!("t{i}"), 3600, oncall, json!([]), "ops@example.org").await;
    }
    let server = Arc::new(RwLock::new(first));
    let (told, done) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|i| tokio::spawn(report_until(Arc::clone(&done), Arc::clone(&server), Arc::clone(&told), i)))
        .collect();

    let mut seed = 0x9e37_79b9_7f4a_7c15;
    let mut killed_at = Vec::new();
    for kill in 0..kills {
        mail.mode(["ok", "ok", "busy", "ok", "drop", "ok", "lose"][kill as usize % 7]);
        tokio::time::sleep(Duration::from_millis(100 + next(&mut seed) % 250)).await;
        // Not through the lock: the reporters are in the middle of their requests, and stay there.
        let pid = server.read().await.pid();
        let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
        assert!(killed.success());
        killed_at.push(unix_now());
        let mut server = server.write().await;
        *server = setup.start().await;
    }
    mail.mode("ok");
    while told.numbers.lock().unwrap().len() < 5000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let numbers = told.numbers.lock().unwrap().clone();
    let unique: HashSet<u64> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a number was answered twice");
    let server = server.read().await;
    let stored = every_incident(&server).await;
    let missing: Vec<_> = unique.iter().filter(|n| !stored.contains_key(n)).collect();
    assert!(missing.is_empty(), "numbers were answered and lost: {missing:?}");

    // Every open incident's mail arrives: of those that nobody was told the number of too.
    let mut unmailed: HashSet<u64> = stored.keys().copied().collect();
    for _ in 0..600 {
        for event in mail.accepted() {
            unmailed.remove(&event["incident"].as_u64().unwrap());
        }
        if unmailed.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(unmailed.is_empty(), "{} incidents were never alerted: {unmailed:?}", unmailed.len());

    let account = Account::of(&mail, &killed_at);
    println!(
        "{} kills: {} numbers answered, {} requests without an answer, {} incidents stored; {} mails accepted for \
         {} deliveries, {} arrived whose reply was lost; {} deliveries arrived more than once: {} around a kill, \
         {} after a lost reply, {} unexplained",
        killed_at.len(),
        numbers.len(),
        told.failed.load(Ordering::Relaxed),
        stored.len(),
        mail.accepted().len(),
        account.deliveries,
        mail.lost().len(),
        account.around_kill + account.after_lost_reply + account.unexplained.len(),
        account.around_kill,
        account.after_lost_reply,
        account.unexplained.len(),
    );
    assert!(account.unexplained.is_empty(), "{:?}", account.unexplained);
}

/// The deliveries that arrived more than once, and why.
#[derive(Default)]
struct Account {
    deliveries: usize,
    around_kill: usize,
    after_lost_reply: usize,
    unexplained: Vec<String>,
}

impl Account {
    fn of(mail: &MailServer, killed_at: &[f64]) -> Self {
        let mut arrivals: HashMap<String, Vec<(f64, bool)>> = HashMap::new();
        for (events, lost) in [(mail.accepted(), false), (mail.lost(), true)] {
            for event in events {
                let delivery = event["delivery"].as_str().unwrap().to_owned();
                arrivals.entry(delivery).or_default().push((event["at"].as_f64().unwrap(), lost));
            }
        }
        let mut account = Self { deliveries: arrivals.len(), ..Self::default() };
        for (delivery, mut times) in arrivals {
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Every arrival but the last was repeated, and needs a reason.
            let repeated = &times[..times.len() - 1];
            let killed = |at: f64| killed_at.iter().any(|k| (at - 0.1..at + 1.0).contains(k));
            if repeated.is_empty() {
            } else if repeated.iter().all(|(at, lost)| *lost && !killed(*at)) {
                account.after_lost_reply += 1;
            } else if repeated.iter().all(|(at, lost)| *lost || killed(*at)) {
                account.around_kill += 1;
            } else {
                account.unexplained.push(format!("{delivery}: {times:?}"));
            }
        }
        account
    }
}
