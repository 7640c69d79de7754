//! `inresponse migrate`: from a file of SQLite to PostgreSQL and back, interrupted in the middle, and refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use inresponse_testkit::postgres::Postgres;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, Started};

/// Runs the command, by another program if `starter` names one. Returns whether it succeeded and what it printed.
fn migrate(dir: &Path, starter: &[String], from: &str, to: &str) -> (bool, String) {
    let server = env!("CARGO_BIN_EXE_inresponse").to_owned();
    let words: Vec<_> = starter.iter().chain([&server]).collect();
    let mut command = Command::new(words[0]);
    command.current_dir(dir).args(&words[1..]).args(["migrate", "--from", from]);
    let output = command.env("INRESPONSE_MIGRATE_TO", to).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn moved(dir: &Path, from: &str, to: &str) -> String {
    let (done, printed) = migrate(dir, &[], from, to);
    assert!(done, "{printed}");
    printed
}

fn refused(dir: &Path, from: &str, to: &str) -> String {
    let (done, printed) = migrate(dir, &[], from, to);
    assert!(!done, "{printed}");
    printed
}

/// Everything that people can read: incidents with deliveries and timelines, the roster, and its log.
async fn everything(server: &Server) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for list in ["/teams", "/services", "/roster/changes"] {
        all.insert(list.to_owned(), server.get(list).await);
    }
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/incidents?limit=500{cursor}")).await;
        for incident in page["incidents"].as_array().unwrap() {
            let path = format!("/incidents/{}", incident["incidentId"]);
            all.insert(path.clone(), server.get(&path).await);
        }
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// Makes incidents in every state, each with a mail, and counted repeats. Returns the highest number.
async fn live(server: &Server, mail: &MailServer, incidents: usize) -> u64 {
    server.team("t", 3600, json!("jo@example.org"), json!(["kim@example.org"]), "ops@example.org").await;
    let mut last = 0;
    for i in 0..incidents {
        last = server.report("t").await;
        let act = |state: &str| json!({ "state": state, "by": "jo@example.org" });
        for state in ["CLAIMED", "RESOLVED"].iter().take(i % 3) {
            let (status, answer) = server.post(&format!("/incidents/{last}"), act(state)).await;
            assert!(status.is_success(), "{answer}");
        }
    }
    let keyed =
        json!({ "service": "t", "severity": "WARN", "title": "again", "message": "", "dedupKey": "disk" });
    for _ in 0..3 {
        last = server.put("/incidents", keyed.clone()).await["incidentId"].as_u64().unwrap();
    }
    // What was claimed at once may not have been sent.
    mail.wait_for("jo@example.org", incidents / 3, SOON).await;
    last
}

/// Waits until every send has ended, so that nothing changes any more.
async fn settled(server: &Server) -> BTreeMap<String, Value> {
    let mut before = everything(server).await;
    for _ in 0..SOON.as_millis() / 500 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let now = everything(server).await;
        if now == before {
            return now;
        }
        before = now;
    }
    panic!("the incidents do not settle");
}

#[tokio::test]
async fn p01_p02_everything_moves_to_postgres_and_back() {
    let (postgres, dir, mail) = (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let url = postgres.url();
    let on = |storage: [&str; 2]| Setup::on(storage, dir.path(), mail.port);
    let server = on(["--db", "first.db"]).start().await;
    let last = live(&server, &mail, 30).await;
    let before = settled(&server).await;
    let in_use = refused(dir.path(), "first.db", &url);
    assert!(in_use.contains("first.db is in use: stop the servers first"), "{in_use}");
    drop(server);

    let printed = moved(dir.path(), "first.db", &url);
    assert!(printed.contains("31 incidents, SHA-256 "), "{printed}");
    assert!(printed.contains(&format!("a number above {last}")), "{printed}");
    let twice = refused(dir.path(), "first.db", &url);
    assert!(twice.contains("the target contains other data: incident 10000"), "{twice}");
    let server = on(["--postgres-url", &url]).start().await;
    assert_eq!(everything(&server).await, before, "as before the move");
    assert_eq!(server.get(&format!("/incidents/{last}")).await["count"], 3);
    let in_use = refused(dir.path(), &url, "second.db");
    assert!(in_use.contains("the database is in use (") && in_use.contains("inresponse"), "{in_use}");
    let new = server.report("t").await;
    assert!(new > last, "{new} was given before");
    mail.wait_for("jo@example.org", mail.accepted_to("jo@example.org"), SOON).await;
    let before = settled(&server).await;
    drop(server);

    // A number that was taken from the sequence and not used is not given again either.
    let taken: u64 = postgres.sql("SELECT nextval('incident_number')").parse().unwrap();
    let printed = moved(dir.path(), &url, "second.db");
    assert!(printed.contains("32 incidents, SHA-256 "), "{printed}");
    let server = on(["--db", "second.db"]).start().await;
    assert_eq!(everything(&server).await, before, "as before the move back");
    let new = server.report("t").await;
    assert!(new > taken, "{new} was taken before");
}

/// A tracer that kills what it starts at that many system calls of a kind.
fn killer(calls: &str, nth: u32) -> Vec<String> {
    let strace = std::env::var("INRESPONSE_TEST_STRACE").expect(
        "this test kills at system calls, by a tracer that `cargo xtask test` finds: run the tests with that",
    );
    let (trace, kill) = (format!("trace={calls}"), format!("inject={calls}:signal=KILL:when={nth}"));
    let words = ["-f", "-qqq", "-o", "/dev/null", "-e", &trace, "-e", &kill];
    std::iter::once(strace).chain(words.map(str::to_owned)).collect()
}

/// A killed copy is not served, and is continued. Nothing is missing at the end.
#[tokio::test]
async fn p01_p02_a_migration_that_is_killed_in_the_middle_is_continued() {
    const INCIDENTS: usize = 1500;
    let (postgres, dir, mail) = (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let url = postgres.url();
    let server = Setup::new(dir.path(), mail.port).start().await;
    server.team("t", 3600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    // Nobody is alerted, so the incidents stay as they are.
    server.put("/teams/t", json!({ "fallback": ["ops@example.org"], "alertLevels": { "WARN": [] } })).await;
    let body = json!({ "service": "t", "severity": "WARN", "title": "many", "message": "" });
    for _ in 0..INCIDENTS / 10 {
        let report = || server.call(Method::PUT, "/incidents", Some(body.clone()));
        let reports = (0..10).map(|_| report());
        for (status, answer) in futures_util::future::join_all(reports).await {
            assert!(status.is_success(), "{answer}");
        }
    }
    let before = settled(&server).await;
    drop(server);

    let (mut killed, mut from) = (0, "test.db".to_owned());
    for (to, calls) in [(url.as_str(), "sendto,write,writev"), ("back.db", "pwrite64")] {
        let mut between = 0;
        // A later kill comes to a later call, so that the copy is complete in the end.
        for nth in (1..).map(|step| step * 13) {
            let (done, printed) = migrate(dir.path(), &killer(calls, nth), &from, to);
            if done {
                break;
            }
            killed += 1;
            let copied = copied(&postgres, dir.path(), to);
            if (1..INCIDENTS as u64).contains(&copied) {
                between += 1;
                let storage = if to == url { ["--postgres-url", to] } else { ["--db", to] };
                match Setup::on(storage, dir.path(), mail.port).try_start() {
                    Started::Ended(output) => {
                        assert!(output.contains("a migration that has not ended"), "{output}")
                    }
                    Started::Listens(_) => panic!("a server started on a part of the data"),
                }
            }
            assert!(!printed.contains("differ"), "{printed}");
        }
        assert!(between > 0, "no kill came in the middle of the incidents");
        from = to.to_owned();
    }
    println!("killed {killed} times");
    let server = Setup::on(["--db", "back.db"], dir.path(), mail.port).start().await;
    assert_eq!(everything(&server).await, before, "as before the two moves");
}

/// The number of incidents in a target.
fn copied(postgres: &Postgres, dir: &Path, to: &str) -> u64 {
    if to.starts_with("postgres") {
        let is_there = "SELECT to_regclass('incident') IS NOT NULL";
        return match postgres.sql(is_there).as_str() {
            "t" => postgres.sql("SELECT count(*) FROM incident").parse().unwrap(),
            _ => 0,
        };
    }
    let mut python = Command::new(inresponse_testkit::mail::python());
    let count = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);\n\
                 print(c.execute('SELECT count(*) FROM incident').fetchone()[0])";
    let output = python.args(["-c", count, to]).current_dir(dir).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0)
}
