//! What each command does.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::server::{SOON, Setup};
use crate::{Scene, done, inresponse};

#[tokio::test]
async fn report_answers_the_number_and_says_everything_it_was_given() {
    let scene = Scene::new().await;
    let number = scene.report();
    assert_eq!(number, "10000");
    let args = ["report", "athens", "warning", "disk", "-m", "-", "--source", "nagios", "--dedup-key", "a/b"];
    let more = ["--label", "env=prod", "--link", "graph=https://x.example/?a=b", "--json"];
    let mut command = scene.command(&[&args[..], &more[..]].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"line 1\nline 2").unwrap();
    let incident = done(child.wait_with_output().unwrap()).json();
    assert_eq!((&incident["severity"], &incident["message"]), (&"WARN".into(), &"line 1\nline 2".into()));
    assert_eq!((&incident["source"], &incident["dedupKey"]), (&"nagios".into(), &"a/b".into()));
    assert_eq!(incident["labels"]["env"], "prod");
    assert_eq!(incident["links"][0]["url"], "https://x.example/?a=b");
}

#[tokio::test]
async fn claim_release_note_and_resolve_change_an_incident() {
    let scene = Scene::new().await;
    let number = scene.report();
    let run = |args: &[&str]| scene.run(&[args, &["--json"]].concat());
    assert_eq!(run(&["claim", &number, "--by", "jo"]).json()["claimedBy"], "jo");
    let refused = run(&["claim", &number, "--by", "kim"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("jo"), "{refused:?}");
    assert_eq!(run(&["claim", &number, "--by", "kim", "--take-over"]).json()["claimedBy"], "kim");
    let noted = run(&["note", &number, "on it", "--by", "kim"]).json();
    assert!(noted["timeline"].as_array().unwrap().iter().any(|entry| entry["note"] == "on it"), "{noted}");
    assert_eq!(run(&["release", &number, "--by", "kim"]).json()["state"], "OPEN");
    let resolved = run(&["resolve", &number, "--note", "rolled back"]).json();
    assert_eq!((&resolved["state"], &resolved["resolvedBy"]), (&"RESOLVED".into(), &"api-key".into()));
    assert_eq!(run(&["release", &number]).code, 1);
}

#[tokio::test]
async fn one_command_claims_and_resolves_several_incidents() {
    let scene = Scene::new().await;
    let numbers = [scene.report(), scene.report(), scene.report()];
    let [first, second, third] = numbers.each_ref().map(String::as_str);
    let written = format!("#{second}");
    let claimed = scene.run(&["claim", first, &written, first, "--by", "jo"]);
    assert_eq!((claimed.code, claimed.stdout.matches("CLAIMED").count()), (0, 2), "{claimed:?}");
    let refused = scene.run(&["claim", first, third, "1", "--by", "kim", "--json"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let done: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&done["incidentId"].to_string(), &done["claimedBy"]), (&third.to_owned(), &"kim".into()));
    for told in [format!("incident {first}: "), "incident 1: there is no incident 1".to_owned()] {
        assert!(refused.stderr.contains(&told), "{refused:?}");
    }
    assert_eq!(scene.run(&["resolve", first, second, third]).code, 0);
    assert_eq!(scene.run(&["claim", first, "x"]).code, 64);
    let unreached = scene.run(&["claim", first, second, "--url", "http://127.0.0.1:9"]);
    assert_eq!(unreached.code, 2, "{unreached:?}");
}

#[tokio::test]
async fn list_shows_what_is_active_in_80_columns() {
    let scene = Scene::new().await;
    let numbers = [scene.report(), scene.report(), scene.report()];
    scene.run(&["report", "athens", "WARN", &"a very long title ".repeat(8), "-m", "x"]);
    scene.run(&["claim", &numbers[1], "--by", &"jo".repeat(20)]);
    scene.run(&["resolve", &numbers[2]]);
    let listed = |args: &[&str]| {
        let listed = scene.run(&[&["list"], args].concat());
        assert_eq!(listed.code, 0, "{listed:?}");
        let rows = listed.stdout.lines().map(str::to_owned).collect::<Vec<_>>();
        let numbers: Vec<_> =
            rows.iter().skip(1).map(|row| row.split_whitespace().next().unwrap().to_owned()).collect();
        (rows, numbers)
    };
    let (rows, active) = listed(&[]);
    assert_eq!(active, ["10003", &*numbers[1], &*numbers[0]], "newest first, open and claimed");
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:#?}");
    assert_eq!(listed(&["--limit", "2"]).1, ["10003", &*numbers[1]]);
    assert_eq!(listed(&["--state", "RESOLVED"]).1, [&*numbers[2]]);
    assert_eq!(listed(&["--all"]).1.len(), 4);
    assert!(listed(&["--wide"]).0.iter().any(|row| row.chars().count() > 80));
    assert_eq!(scene.run(&["list", "--json"]).json().as_array().unwrap().len(), 4, "for scripts, all");
}

#[tokio::test]
async fn an_incident_is_escalated_and_handed_over() {
    let scene = Scene::new().await;
    let number = scene.report();
    let run = |args: &[&str]| scene.run(&[args, &["--json"]].concat());
    let events = |incident: &serde_json::Value| -> Vec<String> {
        let entries = incident["timeline"].as_array().unwrap();
        entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    };
    let escalated = run(&["escalate", &number, "--by", "jo"]).json();
    assert!(events(&escalated).contains(&"escalated".to_owned()), "{escalated}");
    let handed = run(&["handover", &number, "--to", "kim", "--by", "jo", "--note", "yours"]);
    assert!(handed.stderr.contains("warning: kim is not an address"), "{handed:?}");
    let handed = handed.json();
    assert_eq!((&handed["state"], &handed["claimedBy"]), (&"CLAIMED".into(), &"kim".into()));
    let called = run(&["call-in", &number, "person:nobody"]);
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.stderr.contains("`person:nobody` is not in the roster"), "{called:?}");
    assert_eq!(run(&["call-in", &number]).code, 64);
    let called = run(&["call-in", &number, "dba@example.org", "--by", "kim", "--note", "it is the database"]);
    let called = called.json();
    assert_eq!((&called["state"], &called["claimedBy"]), (&"CLAIMED".into(), &"kim".into()));
    assert!(events(&called).contains(&"calledIn".to_owned()), "{called}");
    let shown = scene.run(&["show", &number]);
    assert!(shown.stdout.contains("kim called in dba@example.org"), "{shown:?}");
    let refused = run(&["handover", &number, "--to-team", "nobody"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("nobody"), "{refused:?}");
    for wrong in [&["handover", &number][..], &["handover", &number, "--to", "jo", "--to-team", "devops"]] {
        assert_eq!(run(wrong).code, 64, "{wrong:?}");
    }
    let team = run(&["show", &number]).json()["team"].as_str().unwrap().to_owned();
    let listed = run(&["list", "--team", &team]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(run(&["list", "--team", "others"]).json().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn show_and_list_are_for_people_and_for_scripts() {
    let scene = Scene::new().await;
    let number = scene.report();
    scene.run(&["report", "athens", "ERR", "evil \u{202e}title", "-m", "x"]);
    let shown = scene.run(&["show", &number]);
    for text in [
        &*number,
        "CRIT",
        "OPEN",
        "athens",
        "5xx",
        "of requests",
        "jo@example.org",
        "level 1",
        "opened",
        "reported",
    ] {
        assert!(shown.stdout.contains(text), "{text} is missing in\n{}", shown.stdout);
    }
    assert!(!scene.run(&["show", "10001"]).stdout.contains('\u{202e}'), "nothing is written backwards");
    assert!(!shown.stdout.contains('\u{1b}'), "no colours but on a terminal");
    let coloured = done(scene.command(&["show", &number]).env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(coloured.stdout.contains("\u{1b}["), "{coloured:?}");
    assert_eq!(scene.run(&["show", &number, "--json"]).json()["incidentId"].to_string(), number);

    let listed = scene.run(&["list"]);
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:?}");
    assert!(listed.stdout.lines().nth(1).unwrap().contains("10001"), "newest first: {listed:?}");
    let of = |args: &[&str]| {
        let json = scene.run(&[&["list", "--json"], args].concat()).json();
        json.as_array().unwrap().iter().map(|i| i["incidentId"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(&["--severity", "CRIT"]), [10_000]);
    assert_eq!(of(&["--limit", "1"]), [10_001]);
    assert_eq!(of(&["--state", "open", "--service", "athens"]), [10_001, 10_000]);
    assert!(of(&["--state", "resolved"]).is_empty());
}

#[tokio::test]
async fn oncall_says_who_is() {
    let scene = Scene::new().await;
    let done = scene.run(&["oncall", "athens"]);
    let lines: Vec<_> =
        done.stdout.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, ["level 1 jo@example.org", "fallback ops@example.org"]);
    let on_day = scene.run(&["oncall", "athens", "--at", "2020-01-02"]);
    assert!(on_day.stdout.starts_with("at           2020-01-02 12:00:00 UTC\n"), "{on_day:?}");
    assert!(on_day.stdout.contains("ops@example.org"), "{on_day:?}");
    assert_eq!(scene.run(&["oncall", "athens", "--at", "yesterday"]).code, 64);
    let json = scene.run(&["oncall", "athens", "--at", "2020-01-02T03:04:05Z", "--json"]).json();
    assert_eq!((&json["day"], &json["oncall"][0]), (&"2020-01-02".into(), &"ops@example.org".into()));
    assert_eq!(scene.run(&["oncall", "nobody"]).code, 1);
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_tells_what_changes() {
    let scene = Scene::new().await;
    let number = scene.report();
    let child = scene.command(&["watch", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Ended(child);
    let (told, lines) = mpsc::channel();
    let stdout = BufReader::new(child.0.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
    let next = |wanted: &str| {
        // Deliveries change the incident, too.
        for _ in 0..5 {
            let line = lines.recv_timeout(SOON).unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line["incidentId"].to_string(), number);
            if line["state"] == wanted {
                return;
            }
        }
        panic!("{wanted} was not told");
    };
    next("OPEN");
    scene.run(&["claim", &number]);
    next("CLAIMED");
    scene.run(&["resolve", &number]);
    next("RESOLVED");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_incident_is_followed_until_it_is_resolved() {
    let scene = Scene::new().await;
    let number = scene.report();
    scene.run(&["report", "athens", "CRIT", "another"]);
    let mut command = scene.command(&["watch", &number, "--json"]);
    let mut child = Ended(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut told = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    // It has begun to follow when it has told how it is; and it goes on.
    let first = told.next().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.0.try_wait().unwrap().is_none(), "{first}");
    scene.run(&["resolve", &number]);
    let lines = std::iter::once(first).chain(told);
    let lines: Vec<_> = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()).collect();
    assert!(child.0.wait().unwrap().success());
    let of = |line: &serde_json::Value| line["incidentId"].to_string();
    assert!(lines.iter().all(|line| of(line) == number), "{lines:?}");
    assert!(lines.first().unwrap()["state"] == "OPEN" && lines.last().unwrap()["state"] == "RESOLVED");
    assert_eq!(scene.run(&["watch", "99999"]).code, 1);
}

#[test]
fn completions_are_there_for_every_shell() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| done(inresponse(dir.path()).args(args).output().unwrap());
    for shell in ["bash", "zsh", "fish"] {
        let done = run(&["completions", shell]);
        assert!(done.code == 0 && done.stdout.contains("oncall"), "{shell}: {}", done.stderr);
    }
}

#[tokio::test]
async fn a_new_key_is_known_to_the_server_that_is_given_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let new = done(inresponse(dir.path()).args(["key", "new"]).output().unwrap());
    let said = |name: &str| {
        let line = new.stdout.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{new:?}")).trim().to_owned()
    };
    let (key, hash) = (said("key:"), said("hash:"));
    let config = format!(
        "[[keys]]\nname = 'nagios'\nhash = '{hash}'\nscopes = ['report']\n\
         [roster]\nservices.athens = 'devops'\nteams.devops.fallback = ['ops@example.org']\n"
    );
    std::fs::write(dir.path().join("server.toml"), config).unwrap();
    let server = Setup::new(dir.path(), 9).with("--config", "server.toml").start().await;
    let run = |key: &str, args: &[&str]| {
        let mut command = inresponse(dir.path());
        command.args(args).env("INRESPONSE_URL", &server.url).env("INRESPONSE_KEY", key);
        done(command.output().unwrap())
    };
    let reported = run(&key, &["report", "athens", "CRIT", "5xx"]);
    assert_eq!((reported.code, reported.stdout.trim()), (0, "10000"), "{reported:?}");
    let claimed = run(&key, &["claim", "10000", "--by", "jo"]);
    assert!(claimed.code == 1 && claimed.stderr.contains("lacks the scope"), "{claimed:?}");
    let other = run(&format!("{key}x"), &["report", "athens", "CRIT", "5xx"]);
    assert!(other.code == 1 && other.stderr.contains("not known"), "{other:?}");
}
