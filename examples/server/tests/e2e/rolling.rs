//! A rolling upgrade: two servers of an older version on one database are replaced, one after the other, under load.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inresponse_testkit::postgres::Postgres;
use serde_json::json;
use tokio::sync::RwLock;

use crate::crash::{Seat, Servers, TEAMS, Told, WRITERS, accounted, report_until};
use crate::mail::MailServer;
use crate::server::{Server, Setup, Started, unix_now};

/// The program of the older version. `cargo xtask long rolling` builds one; otherwise both versions are the same.
fn older() -> Option<String> {
    std::env::var("INRESPONSE_TEST_OLD_SERVER").ok()
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Politely,
    Killed,
}

fn started(setup: &Setup, program: Option<&str>) -> Server {
    let started = match program {
        Some(program) => setup.try_start_of(program),
        None => setup.try_start(),
    };
    match started {
        Started::Listens(server) => server,
        Started::Ended(output) => panic!("a server did not start:\n{output}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p09_p10_rolling_upgrade_loses_nothing() {
    for stop in [Stop::Politely, Stop::Killed] {
        upgrade(["--db", "test.db"], stop).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p09_p10_rolling_upgrade_on_postgres_loses_nothing() {
    for stop in [Stop::Politely, Stop::Killed] {
        let postgres = Postgres::start();
        upgrade(["--postgres-url", &postgres.url()], stop).await;
    }
}

/// Replaces two older servers on that storage, and then restarts the new ones, all under load. Accounts for every number
/// and every mail.
async fn upgrade(storage: [&str; 2], stop: Stop) {
    let (dir, mail) = (tempfile::tempdir().unwrap(), MailServer::start().await);
    let seat = |name| Seat {
        storage: storage.map(str::to_owned),
        dir: dir.path().to_owned(),
        mail_port: mail.port,
        starts: 0,
        name,
    };
    let mut seats = [seat('a'), seat('b')];
    let older = older();
    let [first, second] = seats.each_mut().map(|seat| started(&seat.next(Vec::new()), older.as_deref()));
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
    let mut killed = HashMap::new();
    // The old ones are replaced by new ones, and these by themselves.
    for replaced in [0, 1, 0, 1] {
        let wanted = told.numbers.lock().unwrap().len() + 150;
        while told.numbers.lock().unwrap().len() < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Not through the lock: the reporters are in the middle of their requests, and stay there.
        let pid = servers[replaced].read().await.pid().to_string();
        let signal = if stop == Stop::Politely { "-TERM" } else { "-KILL" };
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        if stop == Stop::Killed {
            killed.insert(seats[replaced].sender(), unix_now());
        }
        let mut server = servers[replaced].write().await;
        while !server.has_ended() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        *server = started(&seats[replaced].next(Vec::new()), None);
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let (stored, _, account) = accounted(&*servers[0].read().await, &told, &mail, &killed).await;
    println!(
        "{stop:?}, {}: {} numbers answered, {stored} incidents stored, {} deliveries, of which {} arrived again because \
         their sender was killed",
        storage[0],
        told.numbers.lock().unwrap().len(),
        account.deliveries,
        account.sender_killed
    );
    assert!(account.unexplained.is_empty(), "{:?}", account.unexplained);
    if stop == Stop::Politely {
        assert_eq!(account.sender_killed, 0, "nobody was killed");
    }
}
