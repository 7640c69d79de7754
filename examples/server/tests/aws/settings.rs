//! What is made on the first start, and what is refused.

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cluster::Account;
use crate::sharing::press;

#[tokio::test]
async fn what_the_first_start_makes_holds_at_every_server_and_under_the_next_secret() {
    let (dir, account) = (tempfile::tempdir().unwrap(), Account::new().await);
    let first = account.setup(&dir).start().await;
    let printed = first.output();
    let key = printed.lines().find_map(|l| l.strip_prefix("API key, printed this once: ")).unwrap();
    let second = account.setup(&dir).start().await;
    assert!(!second.output().contains("API key"), "it is printed once");

    // The sample team owns the service, and the key holds where it was not made.
    let client = reqwest::Client::new();
    let report = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "12 %" });
    let put = client.put(format!("{}/incidents", second.url)).header("x-api-key", key).json(&report);
    let answer = put.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let incident: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let mail = account.wait_for_mails("devops@example.org", 1).await.remove(0);

    // A server that is given a secret accepts what was signed with the one before, and nothing else.
    let third = account.setup(&dir).with("--token-secret", "the-next-secret-of-all").start().await;
    let forged = mail.replace("claim?token=", "claim?token=x");
    assert_eq!(press(&forged, &third).await, StatusCode::FORBIDDEN);
    assert_eq!(press(&mail, &third).await, StatusCode::OK);
    let shown = client.get(format!("{}/incidents/{}", first.url, incident["incidentId"]));
    let shown = shown.header("x-api-key", key).send().await.unwrap().text().await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["state"], "CLAIMED");
}

/// What a server says that does not start.
fn refusal(args: &[&str], env: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inresponse"));
    command.current_dir(dir.path()).args(["--listen", "127.0.0.1:0"]).args(args);
    command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    command.env("AWS_CONFIG_FILE", "none").env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.envs(env.iter().copied()).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_environment_that_leads_nowhere_is_named_with_the_flag_that_needs_it() {
    let text = refusal(&["--dynamo-prefix", "x-"], &[]);
    assert!(text.contains("dynamo-prefix: the AWS environment names no region"), "{text}");
    let text = refusal(&["--ses", "--mail-from", "alerts@example.org"], &[]);
    assert!(text.contains("ses: the AWS environment names no region"), "{text}");
    let nobody_listens = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ];
    let text = refusal(&["--dynamo-prefix", "x-"], &nobody_listens);
    assert!(text.contains("dynamo-prefix: the tables x-… cannot be found or created"), "{text}");
    assert!(text.contains("because: DynamoDB did not answer"), "{text}");
    let text = refusal(&["--dynamo-prefix", "x-", "--db", "x.db", "--ses", "--smtp-url", "smtp://x"], &[]);
    assert!(text.contains("dynamo-prefix: cannot") && text.contains("ses: cannot"), "{text}");
}
