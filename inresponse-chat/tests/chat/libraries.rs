//! The providers' client libraries for Python judge our signatures, messages and carriers.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::DateTime;
use inresponse_chat::is_from_slack;
use inresponse_conformance::Behaviour;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, Notifiers, Outcome};
use inresponse_core::plan::{StateChange, TakeOver};
use inresponse_testkit::answers::ChannelHarness;
use inresponse_testkit::carrier::{Carrier, Got};
use inresponse_testkit::table::Table;
use serde_json::{Value, json};

use crate::answers::{Slack, Telegram, in_slack, in_telegram, press};
use crate::linking::message;
use crate::services;

const SOON: Duration = Duration::from_secs(120);

/// The number of requests whose signatures are compared.
const REQUESTS: usize = 10_000;

async fn python(arguments: &[&str], input: &Value) -> String {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect("the tests run by `cargo xtask test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chat/libraries.py");
    let mut command = Command::new(python);
    command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_string();
    let ran = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = ran.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p20_slacks_library_and_we_agree_on_every_signature() {
    let lines = python(&["signatures", &REQUESTS.to_string(), "7"], &Value::Null).await;
    let (mut valid, mut invalid) = (0, 0);
    for line in lines.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| request[field].as_str().unwrap();
        let now = DateTime::from_timestamp(request["now"].as_i64().unwrap(), 0).unwrap();
        let (signature, timestamp) = (Some(text("signature")), Some(text("timestamp")));
        let ours = is_from_slack(signature, timestamp, text("body").as_bytes(), text("secret"), now);
        assert_eq!(ours, request["verdict"], "{line}");
        if ours { valid += 1 } else { invalid += 1 }
    }
    assert_eq!(valid + invalid, REQUESTS);
    assert!(valid > REQUESTS / 10 && invalid > REQUESTS / 10, "{valid} valid, {invalid} invalid");
}

/// What is sent for an alert, a claim and the end.
async fn sent(harness: &impl ChannelHarness, carrier: &Carrier, contacts: [Contact; 2]) -> Vec<Value> {
    let [jo, kim] = &contacts;
    let notifiers = harness.notifiers(Notifiers::new());
    let table = Table::set(notifiers, vec![harness.channel()], [jo, kim], None).await;
    let number = table.report().await;
    table.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
    table.change(number, "ann", StateChange::Resolve).await;
    let sent: Vec<Value> = carrier.all().iter().map(|got| got.json()).collect();
    assert_eq!(sent.len(), 3);
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn slacks_library_takes_our_blocks_and_reads_our_slack() {
    let harness = Slack::new();
    let mut messages = sent(&harness, &harness.carrier, [in_slack(0), in_slack(1)]).await;
    let alert = Alert::test(&in_slack(0), DateTime::UNIX_EPOCH).unwrap();
    let bundle = Bundle::new(vec![alert; 40]).unwrap();
    let bundle = bundle.with_claim_all_url("https://alerts.example/claims?token=t".to_owned());
    let notifier = services::slack(&harness.carrier);
    let told = notifier.bundler(&in_slack(0)).unwrap().notify_bundle(&bundle, SOON).await;
    assert_eq!(told, Outcome::Accepted, "without a receipt");
    messages.extend(harness.carrier.all().last().map(Got::json));
    harness.carrier.behave("C0GONE", Behaviour::Reject).await;
    python(&["slack", &harness.carrier.url()], &Value::Array(messages)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegrams_library_reads_our_updates_and_our_telegram() {
    let harness = Telegram::new();
    let messages = sent(&harness, &harness.0, [in_telegram(0), in_telegram(1)]).await;
    harness.0.behave("1666", Behaviour::Reject).await;
    let updates = [press("c10001-1-1-0-abc", &in_telegram(0)), message("/link abc", &in_telegram(0))];
    python(&["telegram", &harness.0.url()], &json!({ "updates": updates, "messages": messages })).await;
}
