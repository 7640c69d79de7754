//! Amazon SNS, with messages that a certificate made for these tests has signed.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use inresponse_http::{AmazonUrl, FetchFromAmazon, Intake, Rule};
use serde_json::{Value, json};

use super::statuses;
use crate::world::{Answer, REPORT, World};

const CERTIFICATE: &str = include_str!("../../payloads/sns-certificate.pem");
const ALARM: &str = include_str!("../../payloads/sns-alarm.json");
const OK: &str = include_str!("../../payloads/sns-ok.json");
const CONFIRMATION: &str = include_str!("../../payloads/sns-confirmation.json");
const ELSEWHERE: &str = include_str!("../../payloads/sns-confirmation-elsewhere.json");

/// Amazon, and what was fetched from it.
#[derive(Debug, Clone, Default)]
struct Fetched {
    urls: Arc<Mutex<Vec<String>>>,
    is_away: Arc<Mutex<bool>>,
}

impl Fetched {
    fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }
}

#[async_trait]
impl FetchFromAmazon for Fetched {
    async fn get(&self, url: &AmazonUrl) -> Result<Bytes, String> {
        if *self.is_away.lock().unwrap() {
            return Err("no route to host".to_owned());
        }
        self.urls.lock().unwrap().push(url.as_str().to_owned());
        Ok(Bytes::from_static(CERTIFICATE.as_bytes()))
    }
}

impl World {
    async fn published(&self, message: &str) -> Answer {
        self.call(REPORT, Method::POST, "/intake/sns", message.to_owned()).await
    }
}

async fn world() -> (World, Fetched) {
    let amazon = Fetched::default();
    let intake = Intake::new(Rule::default()).amazon_by(amazon.clone());
    (World::new().await.taking(intake), amazon)
}

#[tokio::test]
async fn an_alarm_is_an_incident_and_its_ok_resolves() {
    let (world, amazon) = world().await;
    assert_eq!(statuses(&world.published(ALARM).await), ["opened"]);
    assert_eq!(statuses(&world.published(ALARM).await), ["counted"]);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["title"], &incident["service"]), (&json!("athens 5xx"), &json!("athens")));
    assert_eq!((&incident["severity"], &incident["source"]), (&json!("CRIT"), &json!("cloudwatch")));
    assert_eq!(incident["detectedAt"], "2026-11-24T02:30:00Z");
    assert_eq!(incident["dedupKey"], "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:athens 5xx");
    assert_eq!(incident["labels"]["LoadBalancer"], "app/athens/50dc6c495c0c9188");
    assert_eq!(statuses(&world.published(OK).await), ["resolved"]);
    assert_eq!(statuses(&world.published(ALARM).await), ["unchanged"], "it came late");
    assert_eq!(amazon.urls().len(), 1, "the certificate is fetched once");
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_amazons_only() {
    let (world, amazon) = world().await;
    let answer = world.published(CONFIRMATION).await;
    assert_eq!((answer.status, &answer.json), (StatusCode::OK, &json!({ "subscription": "confirmed" })));
    assert!(amazon.urls()[1].starts_with("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"));
    let answer = world.published(ELSEWHERE).await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["SubscribeURL"]));
    assert_eq!(amazon.urls().len(), 2);
}

#[tokio::test]
async fn p16_what_amazon_has_not_signed_changes_nothing() {
    let (world, amazon) = world().await;
    let forged = |field: &str, value: &str| {
        let mut message: Value = serde_json::from_str(ALARM).unwrap();
        message[field] = json!(value);
        message.to_string()
    };
    let cases = [
        (forged("Message", "another"), "Signature"),
        (forged("Subject", "another"), "Signature"),
        (forged("TopicArn", "arn:aws:sns:eu-west-1:123456789012:another"), "Signature"),
        (forged("SignatureVersion", "2"), "Signature"),
        (forged("Signature", "AAAA"), "Signature"),
        (forged("Signature", "not base64"), "Signature"),
        (forged("SignatureVersion", "3"), "SignatureVersion"),
        (forged("Type", "Another"), "Type"),
        (forged("SigningCertURL", "https://evil.example/x.pem"), "SigningCertURL"),
        (forged("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/x"), "SigningCertURL"),
        ("{}".to_owned(), "body"),
        ("[]".to_owned(), "body"),
    ];
    for (message, field) in cases {
        let answer = world.published(&message).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec![field]), "{message}");
    }
    assert_eq!(world.all().await, []);
    assert!(amazon.urls().iter().all(|url| url.starts_with("https://sns.eu-west-1.amazonaws.com/Simple")));
}

#[tokio::test]
async fn where_amazon_cannot_be_asked_the_message_is_sent_again() {
    let (world, amazon) = world().await;
    *amazon.is_away.lock().unwrap() = true;
    let answer = world.published(ALARM).await;
    assert_eq!(
        (answer.status, &answer.json["mayHaveBeenRecorded"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false))
    );
    *amazon.is_away.lock().unwrap() = false;
    assert_eq!(statuses(&world.published(ALARM).await), ["opened"]);
    let without = World::new().await;
    assert_eq!(without.published(ALARM).await.status, StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn an_event_of_eventbridge_is_one_incident_that_ok_resolves() {
    // No server needs to ask Amazon about it.
    let world = World::new().await;
    let event = |state: &str, minute: u32| {
        let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu";
        json!({ "version": "0", "id": format!("{state}{minute}"), "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch", "account": "123456789012", "time": "2026-11-24T02:30:00Z", "region": "eu-west-1",
            "resources": [arn], "detail": { "alarmName": "cpu", "configuration": { "description": "service: athens" },
            "state": { "value": state, "reason": "r", "timestamp": format!("2026-11-24T02:{minute:02}:00.178+0000") } } })
        .to_string()
    };
    for path in ["/intake/eventbridge", "/intake/sns"] {
        let told = async |state, minute| {
            let answer = world.call(REPORT, Method::POST, path, event(state, minute)).await;
            statuses(&answer)[0].to_owned()
        };
        let (alarm, ok) = if path.ends_with("sns") { (40, 50) } else { (20, 30) };
        assert_eq!(told("ALARM", alarm).await, "opened");
        assert_eq!(told("ALARM", alarm).await, "counted");
        assert_eq!(told("INSUFFICIENT_DATA", alarm).await, "unchanged");
        assert_eq!(told("OK", ok).await, "resolved");
    }
    let answer = world.call(REPORT, Method::POST, "/intake/sns", "{}").await;
    assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
    let answer = world.call("nobody", Method::POST, "/intake/eventbridge", event("ALARM", 50)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
