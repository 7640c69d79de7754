//! What operators run: backups, the doctor, test alerts, the canary.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;

use crate::mail::MailServer;
use crate::server::{KEY, SOON, Setup, Started};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inresponse")).current_dir(dir).args(args).output().unwrap()
}

/// Whether it succeeded, and everything that it printed.
fn told(output: &Output) -> (bool, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &*text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_p02_a_backup_under_load_restores_what_was_answered_and_no_number_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let server = setup.start().await;
    server.team("t", 3600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let mut before = BTreeSet::new();
    for _ in 0..100 {
        before.insert(server.report("t").await);
    }
    let here = dir.path().to_owned();
    let backup = tokio::task::spawn_blocking(move || run(&here, &["backup", "--db", "test.db", "copy.db"]));
    let mut during = BTreeSet::new();
    while !backup.is_finished() {
        during.insert(server.report("t").await);
    }
    let backup = told(&backup.await.unwrap());
    assert!(backup.0, "{}", backup.1);
    during.insert(server.report("t").await);

    let restore = ["restore", "copy.db", "--db", "test.db", "--put-aside"];
    let refused = told(&run(dir.path(), &restore));
    assert!(!refused.0 && refused.1.contains("in use"), "{}", refused.1);
    // Killed, so that what is alerted is what the backup says.
    drop(server);
    let refused = told(&run(dir.path(), &restore[..4]));
    assert!(!refused.0 && refused.1.contains("--put-aside"), "{}", refused.1);
    let restored = told(&run(dir.path(), &restore));
    assert!(restored.0 && restored.1.contains("before-restore"), "{}", restored.1);

    let server = setup.start().await;
    for number in &before {
        assert_eq!(server.get(&format!("/incidents/{number}")).await["incidentId"], *number);
    }
    let next = server.report("t").await;
    assert!(next > *during.last().unwrap(), "{next} was given before");
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_and_what_only_might_be() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let smtp = format!("smtp://127.0.0.1:{}", mail.port);
    let doctor = |more: &[&str]| told(&run(dir.path(), &[&["doctor", "--db", "test.db"], more].concat()));

    let new = doctor(&["--smtp-url", &smtp, "--public-url", "https://alerts.example.org"]);
    assert!(new.0 && new.1.contains("test.db does not exist yet"), "{}", new.1);
    assert!(!dir.path().join("test.db").exists(), "it changes nothing");

    let server = Setup::new(dir.path(), mail.port).start().await;
    server.team("t", 3600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let well = doctor(&["--smtp-url", &smtp]);
    for expected in
        ["ok    database", "ok    mail", "ok    clock", "warn  public-url", "team t has nobody on call on"]
    {
        assert!(well.0 && well.1.contains(expected), "{expected}:\n{}", well.1);
    }
    for (smtp, expected) in [
        ("smtp://jo:canary@127.0.0.1:1", "warn  mail: the password goes to 127.0.0.1:1 unencrypted"),
        ("smtp://jo:canary@127.0.0.1:1?tls=opportunistic", "warn  mail: with tls=opportunistic"),
    ] {
        let told = doctor(&["--smtp-url", smtp]).1;
        assert!(told.contains(expected) && !told.contains("canary"), "{told}");
    }
    assert!(!well.1.contains("unencrypted"), "{}", well.1);
    let nobody = doctor(&["--smtp-url", "smtp://127.0.0.1:1"]);
    assert!(!nobody.0 && nobody.1.contains("WRONG mail: 127.0.0.1:1"), "{}", nobody.1);
    let config = doctor(&["--lease-seconds", "0"]);
    assert!(!config.0 && config.1.contains("lease-seconds"), "{}", config.1);
    drop(server);
    std::fs::write(dir.path().join("text.db"), "not a database".repeat(1000)).unwrap();
    let text = doctor(&["--db", "text.db"]);
    assert!(!text.0, "{}", text.1);
    let text = told(&run(dir.path(), &["doctor", "--db", "text.db"]));
    assert!(!text.0 && text.1.contains("WRONG database"), "{}", text.1);
}

#[cfg(unix)]
#[tokio::test]
async fn what_others_on_the_machine_can_read_is_told_at_start_and_by_the_doctor() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "listen = '127.0.0.1:0'\ndb = 'test.db'\noutbox = 'mails'\npublic-url = 'https://ir.example.org'\n\
         api-key = '{KEY}'"
    );
    std::fs::write(dir.path().join("server.toml"), config).unwrap();
    let chmod = |file: &str, mode| {
        std::fs::set_permissions(dir.path().join(file), PermissionsExt::from_mode(mode)).unwrap();
    };
    let args = ["--config".to_owned(), "server.toml".to_owned()].to_vec();
    let setup = Setup { dir: dir.path().to_owned(), args, env: Vec::new(), starter: Vec::new() };
    let reported = |told: &str| {
        let lines = told.lines().filter_map(|line| line.split_once(" is open to others"));
        let files = lines.map(|(before, _)| before.rsplit(' ').next().unwrap().to_owned());
        // Whether the database has files beside it depends on who closed it last.
        files.filter(|file| !file.starts_with("test.db-")).collect::<Vec<_>>()
    };
    let doctor = || told(&run(dir.path(), &["doctor", "--config", "server.toml"])).1;
    // What the server makes itself is its own.
    chmod("server.toml", 0o640);
    let server = setup.start().await;
    assert_eq!(reported(&server.output()), [""; 0]);
    drop(server);
    assert_eq!(reported(&doctor()), [""; 0]);
    chmod("server.toml", 0o644);
    chmod("test.db", 0o640);
    chmod("mails", 0o711);
    let expected = ["server.toml", "test.db", "mails"];
    assert_eq!(reported(&doctor()), expected);
    assert!(doctor().contains("warn  files: test.db is open to others on this machine (mode 0640)"));
    assert_eq!(reported(&setup.start().await.output()), expected);
}

#[tokio::test]
async fn a_key_that_can_be_guessed_is_refused_unless_that_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let mut setup = Setup::new(dir.path(), 9).with("--api-key", "short");
    setup.args.drain(4..6);
    match setup.try_start() {
        Started::Ended(output) => {
            assert!(output.contains("api-key: must have at least 16 characters"), "{output}");
        }
        Started::Listens(_) => panic!("it started with a short key"),
    }
    setup.args.push("--allow-weak-secrets".to_owned());
    let server = setup.start().await;
    assert!(server.output().contains("for tests only"), "{}", server.output());
}

/// What the configuration names and is not there is refused at start, and told by the doctor.
#[tokio::test]
async fn p12_a_configuration_that_names_nobody_who_is_there_is_refused() {
    let mail = MailServer::start().await;
    let smtp = format!("smtp://127.0.0.1:{}", mail.port);
    let cases = [
        ("catch-all = 'devop'", "catch-all: team `devop` does not exist"),
        ("fallback = ['tel:+123']", "fallback: no configured channel reaches `tel:+123`"),
        ("canary = 'slack:nobody'", "canary: no configured channel reaches `slack:nobody`"),
        (
            "[roster.teams.t]\nfallback = ['ops@example.org', 'tel:+123']",
            "roster.teams.t.fallback: no configured channel reaches `tel:+123`",
        ),
        (
            "[roster.teams.t]\nfallback = ['ops@example.org']\n\
             calendar.'2030-01-01' = { oncall = 'jo@example.org', escalation = ['jo@example.org', ['tel:+12']] }",
            "roster.teams.t.calendar.2030-01-01.escalation: no configured channel reaches `tel:+12`",
        ),
        (
            "[roster.teams.t]\nfallback = ['ops@example.org']\n\
             calendar.'2030-01-01' = { oncall = 'teams:nobody' }",
            "roster.teams.t.calendar.2030-01-01.oncall: no configured channel reaches `teams:nobody`",
        ),
    ];
    for (config, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let doctor = || {
            told(&run(
                dir.path(),
                &["doctor", "--db", "test.db", "--config", "config.toml", "--smtp-url", &smtp],
            ))
        };
        let found = doctor();
        assert!(
            !found.0 && found.1.contains(&format!("WRONG config: {expected}")),
            "{expected}:\n{}",
            found.1
        );
        let setup = Setup::new(dir.path(), mail.port).with("--config", "config.toml");
        match setup.try_start() {
            Started::Ended(output) => assert!(output.contains(expected), "{expected}:\n{output}"),
            Started::Listens(_) => panic!("it started with {config}"),
        }
        // Also where there is a database.
        drop(Setup::new(dir.path(), mail.port).start().await);
        let found = doctor();
        assert!(
            !found.0 && found.1.contains(&format!("WRONG config: {expected}")),
            "{expected}:\n{}",
            found.1
        );
    }
    let fine = [
        "catch-all = 'devops'",
        "catch-all = 't'\ncanary = 'me@example.org'\nfallback = ['last@example.org']\n\
         [roster.teams.t]\nfallback = ['ops@example.org']",
    ];
    for config in fine {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let doctor = || {
            told(&run(
                dir.path(),
                &["doctor", "--db", "test.db", "--config", "config.toml", "--smtp-url", &smtp],
            ))
        };
        let found = doctor();
        assert!(found.0, "{}", found.1);
        let server = Setup::new(dir.path(), mail.port).with("--config", "config.toml").start().await;
        let body = json!({ "service": "nobody", "severity": "CRIT", "title": "5xx", "message": "many" });
        let team = server.put("/incidents", body).await["team"].clone();
        assert!(config.contains(team.as_str().unwrap()), "{team}");
        let found = doctor();
        assert!(found.0, "{}", found.1);
    }
}

#[tokio::test]
async fn a_test_alert_reaches_its_contact_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let smtp = format!("smtp://127.0.0.1:{}", mail.port);
    let test =
        |contact: &str, smtp: &str| told(&run(dir.path(), &["test-alert", contact, "--smtp-url", smtp]));
    let sent = test("jo@example.org", &smtp);
    assert!(sent.0 && sent.1.contains("accepted"), "{}", sent.1);
    mail.wait_for("jo@example.org", 1, SOON).await;
    for (contact, smtp, expected) in [
        ("jo@example.org", "smtp://127.0.0.1:1", "not possible now"),
        ("tel:+123", smtp.as_str(), "reaches"),
        ("nobody at all", smtp.as_str(), "contact"),
    ] {
        let refused = test(contact, smtp);
        assert!(!refused.0 && refused.1.contains(expected), "{contact}: {}", refused.1);
    }
    assert!(!dir.path().join("inresponse.db").exists(), "nothing is stored");
}

/// A mail server that greets after a pause, if ever, and then takes what it is given.
fn slow_server(pause: Option<Duration>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().map(Result::unwrap) {
            let Some(pause) = pause else {
                held.push(stream);
                continue;
            };
            std::thread::sleep(pause);
            let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            let say = |reply: &str| (&stream).write_all(format!("{reply}\r\n").as_bytes());
            say("220 test").unwrap();
            while let Some(Ok(line)) = lines.next() {
                if line == "DATA" {
                    say("354 go on").unwrap();
                    while lines.next().is_some_and(|line| line.unwrap() != ".") {}
                }
                say("250 ok").unwrap();
            }
        }
    });
    port
}

#[test]
fn a_test_alert_waits_as_long_as_a_server_with_that_lease_would() {
    let dir = tempfile::tempdir().unwrap();
    let test = |port: u16| {
        let smtp = format!("smtp://127.0.0.1:{port}");
        told(&run(dir.path(), &["test-alert", "jo@example.org", "--lease-seconds", "2", "--smtp-url", &smtp]))
    };
    let slow = test(slow_server(Some(Duration::from_secs(3))));
    assert!(slow.0 && slow.1.contains("accepted"), "{}", slow.1);
    // Four leases: eight seconds.
    let silent = test(slow_server(None));
    let took = silent.1.split("after ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
    assert!(!silent.0 && took.is_some_and(|took| (8.0..25.0).contains(&took)), "{}", silent.1);
}

#[tokio::test]
async fn the_canary_sings_and_is_measured_and_days_and_schedules_without_anybody_show() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    // The level names a schedule in which nobody is ever on call.
    let roster = "[roster.teams.devops]\nfallback = ['ops@example.org']\n[roster.teams.gap]\nfallback = ['ops@example.org']\nlevels = [{ notify = ['schedule:empty'] }]\n\
        [roster.teams.gap.schedules.empty]\n";
    std::fs::write(dir.path().join("server.toml"), roster).unwrap();
    let server = Setup::new(dir.path(), mail.port)
        .with("--config", "server.toml")
        .with("--canary", "canary@example.org");
    let server = server.start().await;
    mail.wait_for("canary@example.org", 1, SOON).await;
    let metrics = async || {
        let answer = reqwest::Client::new().get(format!("{}/metrics", server.url)).header("x-api-key", KEY);
        answer.send().await.unwrap().text().await.unwrap()
    };
    for _ in 0..SOON.as_millis() / 100 {
        let now = metrics().await;
        let expected = [
            "inresponse_canary_last_accepted_timestamp_seconds 1",
            "inresponse_canary_seconds_count 1",
            "inresponse_oncall_uncovered_days{team=\"devops\"} 7",
            "inresponse_coverage_findings{team=\"gap\",kind=\"gap\"} 2",
            "inresponse_incidents{state=\"resolved\"} 1",
        ];
        if expected.iter().all(|line| now.contains(line)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{}", metrics().await);
}

#[tokio::test]
async fn the_log_says_what_was_started_where_and_who_was_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = "public-url = 'https://ir.example.org/alerting/'\ntrusted-proxies = ['127.0.0.1']";
    std::fs::write(dir.path().join("server.toml"), config).unwrap();
    let server = Setup::new(dir.path(), 9).with("--config", "server.toml").start().await;
    let logged = async |words: &str| {
        for _ in 0..SOON.as_millis() / 50 {
            if let Some(line) = server.output().lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{words} is not logged:\n{}", server.output());
    };
    let line = logged("InResponse starts").await;
    let address = server.url.strip_prefix("http://").unwrap();
    for expected in [
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
        &format!("listen={address}"),
        "database=\"test.db\"",
        "config=\"server.toml\"",
        "public_url=\"https://ir.example.org/alerting/\"",
    ] {
        assert!(line.contains(expected), "{expected}: {line}");
    }
    let wrong = reqwest::Client::new().get(format!("{}/incidents", server.url)).header("x-api-key", "canary");
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    assert!(logged("unknown API key").await.contains("client=127.0.0.1"));
    let wrong = reqwest::Client::new().get(format!("{}/incidents", server.url)).header("x-api-key", "canary");
    wrong.header("x-forwarded-for", "198.51.100.9, 203.0.113.7").send().await.unwrap();
    assert!(logged("client=203.0.113.7").await.contains("(by the proxy 127.0.0.1)"));
    server.put("/teams/web", serde_json::json!({ "fallback": ["jo@example.org"] })).await;
    let line = logged("team web").await;
    assert!(line.contains("the roster was changed") && line.contains("by="), "{line}");
    // The prefix is said once, and a proxy takes it away.
    let report = serde_json::json!({ "service": "athens", "severity": "ERR", "title": "x", "message": "" });
    let new = reqwest::Client::new().put(format!("{}/incidents", server.url)).header("x-api-key", KEY);
    let new = new.json(&report).send().await.unwrap();
    assert_eq!(new.headers()["location"], "/alerting/incidents/10000");
    assert_eq!(server.get("/openapi.json").await["servers"][0]["url"], "/alerting");
    assert!(!server.output().contains("canary"), "{}", server.output());
}

#[test]
fn rules_and_dashboard_look_at_metrics_that_there_are() {
    let there = include_str!("../../../../inresponse-http/src/metrics.rs");
    let rules = include_str!("../../../../docs/operations/alerts.yml");
    let dashboard = include_str!("../../../../docs/operations/dashboard.json");
    for text in [rules, dashboard] {
        let is_of_a_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let names: BTreeSet<&str> =
            text.split(|c| !is_of_a_name(c)).filter(|word| word.starts_with("inresponse_")).collect();
        assert!(names.len() >= 8, "{names:?}");
        for name in names {
            let of_a_histogram =
                ["_bucket", "_count", "_sum"].into_iter().find_map(|end| name.strip_suffix(end));
            let described = |name: &str| there.contains(&format!("\"{name}\""));
            assert!(described(name) || of_a_histogram.is_some_and(described), "{name}");
        }
    }
    assert!(serde_json::from_str::<serde_json::Value>(dashboard).unwrap()["panels"].is_array());
}
