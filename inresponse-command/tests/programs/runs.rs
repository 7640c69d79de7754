//! How a program runs: its environment, its output, its end.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use inresponse_command::{CommandConfig, CommandNotifier, Program};
use inresponse_core::clock::{Clock as _, SystemClock};
use inresponse_core::model::{Contact, Outcome, OutcomeKind};
use inresponse_core::notify::{Alert, Notifier as _};
use tempfile::TempDir;

const AMPLE: Duration = Duration::from_secs(120);

async fn run(script: &str, deadline: Duration) -> Outcome {
    let program = Program::new("sh", ["-c".to_owned(), script.to_owned()]).unwrap();
    run_program(program.with("TOLD", "yes").unwrap(), deadline).await
}

async fn run_program(program: Program, deadline: Duration) -> Outcome {
    let config = CommandConfig::new().with("x", program).unwrap();
    let clock = SystemClock::new();
    let contact = Contact::new("command:x").unwrap();
    let alert = Alert::test(&contact, clock.now()).unwrap();
    CommandNotifier::new(config, Arc::new(clock)).notify(&alert, deadline).await
}

#[tokio::test]
async fn a_program_gets_the_path_and_what_is_configured_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("environment");
    let outcome = run(&format!("env > {}", file.display()), AMPLE).await;
    assert_eq!(outcome, Outcome::Accepted);
    let environment = fs::read_to_string(file).unwrap();
    // A shell sets these itself.
    let own = ["PWD", "SHLVL", "_", "OLDPWD"];
    let names = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let mut names: Vec<_> = names.filter(|name| !own.contains(name)).collect();
    names.sort_unstable();
    assert_eq!(names, ["PATH", "TOLD"]);
}

#[tokio::test]
async fn a_program_may_write_more_than_anybody_reads() {
    let outcome =
        run("echo full >&2; head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; exit 2", AMPLE).await;
    assert_eq!(outcome, Outcome::rejected("full"));
}

#[tokio::test]
async fn a_program_need_not_read_its_input() {
    assert_eq!(run("exec <&-; exit 0", AMPLE).await, Outcome::Accepted);
    assert_eq!(run("echo why >&2; exit 1", AMPLE).await, Outcome::unavailable("why"));
}

#[tokio::test]
async fn what_cannot_be_started_is_unavailable() {
    let program = Program::new("/nonexistent/program", []).unwrap();
    assert_eq!(run_program(program, AMPLE).await.kind(), OutcomeKind::Unavailable);
}

#[tokio::test]
async fn a_program_that_waits_for_its_children_is_killed_with_them_at_the_deadline() {
    let dir = TempDir::new().unwrap();
    let (began, ended) = (dir.path().join("began"), dir.path().join("ended"));
    let script = format!("(touch {}; sleep 5; touch {}) & wait", began.display(), ended.display());
    assert_eq!(run(&script, Duration::from_secs(2)).await.kind(), OutcomeKind::Unknown);
    assert!(began.exists());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!ended.exists(), "a child outlived the deadline");
}

#[tokio::test]
async fn a_child_that_keeps_standard_error_open_delays_nothing() {
    // The child would keep it open for longer than the deadline.
    assert_eq!(run("sleep 1000 & echo done >&2; exit 2", AMPLE).await, Outcome::rejected("done"));
}
