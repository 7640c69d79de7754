//! Runs every example and checks what it prints.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers of tests too")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

/// The lines that an example prints.
fn printed(program: &str, args: &[&str]) -> Vec<String> {
    lines(&Command::new(program).args(args).stdin(Stdio::null()).output().unwrap())
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn embed_alerts_the_first_level_and_claims() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_embed"), &[]),
        ["incident 10000 is OPEN", "alerted jo@example.org, attempt 1", "incident 10000 is CLAIMED"]
    );
}

#[test]
fn rotation_alerts_who_is_on_call_now() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_rotation"), &[]),
        [
            "2026-12-02: ann, by level:1 schedule:primary layer:weekly",
            "2026-12-09: ben, by level:1 schedule:primary layer:weekly",
            "2026-12-02 alerted pager:ann",
            "incident 10000 is CLAIMED"
        ]
    );
}

#[test]
fn own_store_counts_repeats_and_lists() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_own-store"), &[]),
        [
            "disk full: incident 10000",
            "disk full: incident 10000, reported 2 times",
            "5xx error spike: incident 10001",
            "10001 OPEN 5xx error spike",
            "10000 OPEN disk full",
        ]
    );
}

/// A process that ends with the test, whatever happens.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn report_client_reports_to_own_router_which_alerts() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_own-router"));
    let mut router = Ended(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(router.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = said.next().unwrap();
    let report = || printed(env!("CARGO_BIN_EXE_report-client"), &[&url, "example-key-example-key"]);
    assert_eq!(report(), ["incident 10000"]);
    assert_eq!(said.next().unwrap(), "alert for devops@example.org: #10000 checkout fails");
    assert_eq!(report(), ["incident 10000, reported 2 times"]);
    let wrong = Command::new(env!("CARGO_BIN_EXE_report-client")).args([&url, "wrong"]).output().unwrap();
    assert!(!wrong.status.success(), "{wrong:?}");
    // It ends when its input ends.
    drop(router.0.stdin.take());
    assert!(router.0.wait().unwrap().success());
    assert_eq!(said.next(), None);
}

#[test]
fn chat_bot_answers_every_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bot"));
    let mut bot = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let chat = "jo: claim #10000\nkim: claim 10000\njo: claim 10000\nkim: hello\njo: release 10000\n\
                kim: resolve 10000\nkim: claim 10000\nkim: claim 7\n";
    bot.stdin.take().unwrap().write_all(chat.as_bytes()).unwrap();
    assert_eq!(
        lines(&bot.wait_with_output().unwrap()),
        [
            "#10000 is CLAIMED now",
            "jo has #10000",
            "#10000 is CLAIMED already",
            "write: claim, release or resolve, and a number",
            "#10000 is OPEN now",
            "#10000 is RESOLVED now",
            "#10000 was not changed: an incident that is RESOLVED cannot become CLAIMED",
            "there is no #7",
        ]
    );
}

#[test]
fn own_clock_lets_an_hour_pass() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_own-clock"), &[]),
        ["23:00 jo@example.org", "23:15 kim@example.org", "23:30 boss@example.org"]
    );
}

#[test]
fn sqlite_embedded_keeps_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("incidents.db");
    let run = || printed(env!("CARGO_BIN_EXE_sqlite-embedded"), &[file.to_str().unwrap()]);
    assert_eq!(run(), ["incident 10000 is new", "alerts: 1"]);
    assert_eq!(run(), ["incident 10000 was reported 2 times", "alerts: 0"]);
}

#[test]
fn who_is_told_waits_for_nobody_who_is_unreachable() {
    let run = |args: &[&str]| printed(env!("CARGO_BIN_EXE_who-is-told"), args);
    assert_eq!(
        run(&[]),
        [
            "23:00 jo@example.org told",
            "23:10 kim@example.org told",
            "23:10 lee@example.org told",
            "23:20 boss@example.org told",
            "23:20 nobody is left to tell",
        ]
    );
    let without_jo = run(&["jo@example.org"]);
    assert_eq!(without_jo[..2], ["23:00 jo@example.org not reached", "23:00 kim@example.org told"]);
}

#[test]
fn own_metrics_are_beside_those_of_the_engine() {
    let samples = printed(env!("CARGO_BIN_EXE_own-metrics"), &[]);
    for sample in [
        "shop_orders_total{program=\"shop\"} 3",
        "inresponse_incidents_reported_total{program=\"shop\",severity=\"CRIT\"} 1",
    ] {
        assert!(samples.iter().any(|line| line == sample), "{sample} is missing in {samples:#?}");
    }
}
