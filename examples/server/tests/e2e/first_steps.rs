//! What a newcomer does: start it with nothing, report, read the mail, claim.

use std::path::Path;
use std::time::Duration;

use mail_parser::MessageParser;
use reqwest::StatusCode;
use serde_json::json;

use crate::server::{SOON, Setup};

fn mails(outbox: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(outbox) else { return Vec::new() };
    let paths = files.map(|f| f.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "eml"));
    let text = |path| {
        let bytes = std::fs::read(path).unwrap();
        MessageParser::default().parse(&bytes).unwrap().body_text(0).unwrap().into_owned()
    };
    paths.map(text).collect()
}

#[tokio::test]
async fn the_key_of_the_first_start_is_listed_and_can_be_ended() {
    let dir = tempfile::tempdir().unwrap();
    let listen = ["--listen".to_owned(), "127.0.0.1:0".to_owned()].to_vec();
    let setup = Setup { dir: dir.path().to_owned(), args: listen, env: Vec::new(), starter: Vec::new() };
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_inresponse"));
        let output = command.current_dir(dir.path()).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &*String::from_utf8(output.stderr).unwrap()
    };
    let printed = |told: &str| {
        told.lines().find_map(|line| line.strip_prefix("API key, printed this once: ")).map(str::to_owned)
    };
    let status = async |url: &str, key: &str| {
        reqwest::Client::new().get(format!("{url}/incidents")).bearer_auth(key).send().await.unwrap().status()
    };
    assert!(run(&["key", "replace"]).contains("there is no database inresponse.db yet"));
    assert!(!dir.path().join("inresponse.db").exists());

    let server = setup.start().await;
    let first = printed(&server.output()).unwrap();
    let told = run(&["doctor"]);
    assert!(
        told.contains("warn  keys: the key that was made on the first start (SHA-256")
            && !told.contains(&first),
        "{told}"
    );
    let told = run(&["doctor", "--api-key", "another-key-another-key"]);
    assert!(told.contains("ok    keys: the key that was made on the first start"), "{told}");
    let second = printed(&run(&["key", "replace"])).unwrap();
    drop(server);

    let server = setup.start().await;
    assert_eq!(printed(&server.output()), None);
    assert_eq!(status(&server.url, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&server.url, &second).await, StatusCode::OK);
}

#[tokio::test]
async fn with_nothing_configured_a_report_becomes_a_mail_whose_link_claims() {
    let dir = tempfile::tempdir().unwrap();
    let listen = ["--listen".to_owned(), "127.0.0.1:0".to_owned()].to_vec();
    let setup =
        Setup { dir: dir.path().to_owned(), args: listen.clone(), env: Vec::new(), starter: Vec::new() };
    let mut server = setup.start().await;
    let printed = server.output();
    let key = printed.lines().find_map(|l| l.strip_prefix("API key, printed this once: ")).unwrap();

    let client = reqwest::Client::new();
    let report =
        json!({ "service": "athens", "severity": "CRIT", "title": "5xx Error Spike", "message": "12 %" });
    let put = client.put(format!("{}/incidents", server.url)).header("x-api-key", key).json(&report);
    let answer = put.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let incident: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(incident["incidentId"], 10_000);

    let outbox = dir.path().join("outbox");
    for _ in 0..SOON.as_millis() / 50 {
        if !mails(&outbox).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mail = mails(&outbox).pop().expect("a mail in the outbox");
    let link = mail.lines().find(|line| line.contains("/claim?token=")).unwrap().trim();

    // Looking changes nothing.
    for request in [client.get(link), client.head(link)] {
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
    let show = || client.get(format!("{}/incidents/10000", server.url)).bearer_auth(key).send();
    let shown: serde_json::Value = show().await.unwrap().json().await.unwrap();
    assert_eq!(shown["state"], "OPEN");
    let claimed = client.post(link).body("name=Jo+Doe").send().await.unwrap();
    assert_eq!(claimed.status(), StatusCode::OK);
    let shown: serde_json::Value = show().await.unwrap().json().await.unwrap();
    assert_eq!((&shown["state"], &shown["claimedBy"]), (&json!("CLAIMED"), &json!("Jo Doe")));

    assert!(server.terminate().success(), "SIGTERM ends it with exit code 0");
    // The key is printed once; on the second start it still holds.
    let server = setup.start().await;
    assert!(!server.output().contains("API key"));
    let shown = client.get(format!("{}/incidents/10000", server.url)).header("x-api-key", key);
    assert_eq!(shown.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_roster_of_the_config_creates_what_is_missing_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = r#"
        api-key = "test-key-test-key"
        catch-all = "ops"
        [roster.services]
        db = "ops"
        [roster.teams.ops]
        fallback = ["ops@example.org"]
        escalate-after-seconds = 60
    "#;
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let args = ["--listen", "127.0.0.1:0", "--config", "config.toml"].map(str::to_owned).to_vec();
    let setup = Setup { dir: dir.path().to_owned(), args, env: Vec::new(), starter: Vec::new() };
    let mut server = setup.start().await;
    assert_eq!(server.get("/teams/ops").await["escalateAfterSeconds"], 60);
    server.put("/teams/ops", json!({ "fallback": ["ops@example.org"], "escalateAfterSeconds": 5 })).await;
    // Nobody owns this service, so the catch-all team does.
    let number = server.report("nobody-owns-this").await;
    assert_eq!(server.get(&format!("/incidents/{number}")).await["team"], "ops");
    assert!(server.terminate().success());
    let server = setup.start().await;
    assert_eq!(server.get("/teams/ops").await["escalateAfterSeconds"], 5);
}

#[tokio::test]
async fn an_invalid_configuration_is_refused_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let command = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_inresponse"));
        command.current_dir(dir.path()).args(["--listen", "nowhere", "--lease-seconds", "0"]);
        command
    };
    let output = command().output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains("listen:") && text.contains("lease-seconds:"),
        "{text}"
    );
    assert!(!dir.path().join("inresponse.db").exists(), "nothing was started");
}
