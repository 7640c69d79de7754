//! Two servers on a PostgreSQL primary that dies under load. Its synchronous standby takes over.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inresponse_testkit::postgres::Postgres;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::RwLock;

use crate::crash::{LEASE, Servers, TEAMS, Told, WRITERS, every_incident, report_until};
use crate::mail::MailServer;
use crate::server::{Server, Setup};

/// The numbers of incidents that somebody claimed, and was told so.
async fn claim_until(done: Arc<AtomicBool>, servers: Servers, told: Arc<Told>) -> Vec<u64> {
    let mut claimed = Vec::new();
    let mut next = 0;
    while !done.load(Ordering::Relaxed) {
        let number = told.numbers.lock().unwrap().get(next).copied();
        if let Some(number) = number {
            let claim = json!({ "state": "CLAIMED", "by": "jo" });
            let path = format!("/incidents/{number}");
            let answer = servers[next % 2].read().await.try_call(Method::POST, &path, Some(claim)).await;
            match answer {
                Ok((StatusCode::OK, _)) => claimed.push(number),
                Ok((StatusCode::NOT_FOUND, answer)) => panic!("{number} was answered, and is lost: {answer}"),
                Ok(_) | Err(_) => {}
            }
            next += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    claimed
}

/// Waits until that many more numbers were answered.
async fn more(told: &Told, many: usize) {
    let wanted = told.numbers.lock().unwrap().len() + many;
    while told.numbers.lock().unwrap().len() < wanted {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p06_a_failover_to_a_synchronous_standby_loses_nothing_and_repeats_no_number() {
    let failovers = std::env::var("INRESPONSE_FAILOVERS").map_or(1, |n| n.parse::<usize>().unwrap());
    let mut hosts = [Postgres::start(), Postgres::start()];
    hosts[1].stop_immediately();
    let [primary, standby] = &mut hosts;
    standby.become_standby_of(primary);
    // Both hosts are in the URL, so nobody needs to tell the servers of a failover.
    let ports = hosts.each_ref().map(Postgres::port);
    let url = format!("postgres://inresponse@127.0.0.1:{},127.0.0.1:{}/postgres", ports[0], ports[1]);
    let (dir, mail) = (tempfile::tempdir().unwrap(), MailServer::start().await);
    let setup = Setup::on(["--postgres-url", &url], dir.path(), mail.port)
        .with("--lease-seconds", &LEASE.to_string());
    let (first, second) = (setup.start().await, setup.start().await);
    for i in 0..TEAMS {
        let oncall = json!(format!("oncall{i}@example.org"));
        first.team(&format!("t{i}"), 3600, oncall, json!([]), "ops@example.org").await;
    }
    let servers: Servers = Arc::new([RwLock::new(first), RwLock::new(second)]);
    let (told, done) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    let report = |i| {
        let (done, servers, told) = (Arc::clone(&done), Arc::clone(&servers), Arc::clone(&told));
        tokio::spawn(report_until(done, servers, told, i, Duration::from_millis(40)))
    };
    let writers: Vec<_> = (0..WRITERS).map(report).collect();
    let claimer = tokio::spawn(claim_until(Arc::clone(&done), Arc::clone(&servers), Arc::clone(&told)));

    for failover in 0..failovers {
        more(&told, 300).await;
        let (dying, taking_over) = (failover % 2, (failover + 1) % 2);
        hosts[dying].stop_immediately();
        let before = told.numbers.lock().unwrap().len();
        hosts[taking_over].promote();
        more(&told, 300).await;
        let numbers = told.numbers.lock().unwrap();
        let (earlier, later) = numbers.split_at(before);
        println!("failover {}: {} numbers before, {} after", failover + 1, earlier.len(), later.len());
        drop(numbers);
        if failover + 1 < failovers {
            let [one, other] = &mut hosts;
            let (old, new) = if dying == 0 { (one, other) } else { (other, one) };
            old.become_standby_of(new);
        }
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let claimed = claimer.await.unwrap();

    let numbers = told.numbers.lock().unwrap().clone();
    let unique: HashSet<u64> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a number was answered twice");
    let stored = every_incident(&*servers[0].read().await).await;
    let lost: Vec<_> = unique.iter().filter(|n| !stored.contains_key(n)).collect();
    assert!(lost.is_empty(), "numbers were answered and lost: {lost:?}");
    assert!(!claimed.is_empty(), "nothing was claimed");
    let unclaimed: Vec<_> = claimed.iter().filter(|n| stored[n]["state"] != "CLAIMED").collect();
    assert!(unclaimed.is_empty(), "claims were answered and lost: {unclaimed:?}");
    all_are_mailed(&*servers[0].read().await, &mail).await;
    println!(
        "{failovers} failovers: {} numbers answered, {} requests without one, {} incidents stored, {} claims",
        numbers.len(),
        told.failed.load(Ordering::Relaxed),
        stored.len(),
        claimed.len()
    );
}

/// Waits until everybody was alerted: of every open incident, at least one mail arrived.
async fn all_are_mailed(server: &Server, mail: &MailServer) {
    let mut waiting = Vec::new();
    for _ in 0..300 {
        let stored = every_incident(server).await;
        let mailed: HashSet<u64> = mail.accepted().iter().filter_map(|m| m["incident"].as_u64()).collect();
        let open = stored.into_iter().filter(|(_, incident)| incident["state"] == "OPEN").map(|(n, _)| n);
        waiting = open.filter(|number| !mailed.contains(number)).collect();
        if waiting.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("open incidents were never alerted: {waiting:?}");
}
