//! Who is on call, resolved by the core and by an independent program in Python: see `oracle/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod runs;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::runs::{Run, runs, runs_of};

/// The random rosters that are compared if `INRESPONSE_ORACLE_ROSTERS` gives no other number.
const ROSTERS: &str = "100";
/// The end of the realistic roster's span if `INRESPONSE_ORACLE_UNTIL` gives no other.
const UNTIL: &str = "2027-04-15T00:00:00Z";

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

fn variable(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// Runs a program of the oracle with that input, and returns what it printed.
fn python(program: &str, arguments: &[&str], input: &str) -> String {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect(
        "this test asks a program in Python that `cargo xtask test` installs: run the tests with that",
    );
    let mut child = Command::new(python)
        .args(["-X", "utf8", "-B"])
        .arg(oracle().join(program))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to_program = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || to_program.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{program} failed");
    String::from_utf8(output.stdout).unwrap()
}

/// Compares the runs of a roster, and returns the number of minutes they cover.
fn compare(case: &str, ours: &[Run], oracles: &[Run]) -> i64 {
    let differ = ours.iter().zip(oracles).find(|(ours, oracles)| ours != oracles);
    if let Some((ours, oracles)) = differ {
        panic!("{case}:\nthe core answers {ours:?}\nthe oracle answers {oracles:?}");
    }
    assert_eq!(ours.len(), oracles.len(), "{case}: the number of runs");
    ours.iter().map(|run| (run.to - run.from).num_minutes()).sum()
}

#[test]
fn p15_a_realistic_roster_is_resolved_as_an_independent_program_resolves_it() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("realistic-roster");
    let until = variable("INRESPONSE_ORACLE_UNTIL", UNTIL);
    // The last Sunday of March is in the shortest span: most clocks of the northern half change then.
    let from = if until == UNTIL { "2027-03-15T00:00:00Z" } else { "2027-01-01T00:00:00Z" };
    let _ = python("roster.py", &[folder.to_str().unwrap(), "--from", from, "--to", &until], "");
    let document = folder.join("roster.json");
    let ours = runs(&serde_json::from_str(&std::fs::read_to_string(&document).unwrap()).unwrap(), &folder);
    let answer = python("oracle.py", &[document.to_str().unwrap()], "");
    let oracles: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let minutes = compare("the realistic roster", &ours, &runs_of(&oracles));
    println!("{minutes} minutes of {} runs compared, 0 differ", ours.len());
}

#[test]
fn p15_random_rosters_are_resolved_as_an_independent_program_resolves_them() {
    let count = variable("INRESPONSE_ORACLE_ROSTERS", ROSTERS);
    let seed = variable("INRESPONSE_ORACLE_SEED", "1");
    let documents = python("random_rosters.py", &["--seed", &seed, "--count", &count], "");
    let answers = python("oracle.py", &["--lines"], &documents);
    let (mut minutes, mut rosters) = (0, 0);
    for (document, answer) in documents.lines().zip(answers.lines()) {
        let (document, answer): (Value, Value) =
            (serde_json::from_str(document).unwrap(), serde_json::from_str(answer).unwrap());
        let oracles = runs_of(answer["runs"].as_array().unwrap());
        minutes += compare(&document["case"].to_string(), &runs(&document, &oracle()), &oracles);
        rosters += 1;
    }
    assert_eq!(rosters.to_string(), count);
    println!("{minutes} minutes of {rosters} rosters compared, 0 differ");
}

#[test]
fn the_oracle_answers_what_was_computed_by_hand() {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").unwrap();
    let tests = ["-B", "-m", "unittest", "--quiet", "test_oracle"];
    assert!(Command::new(python).args(tests).current_dir(oracle()).status().unwrap().success());
}
