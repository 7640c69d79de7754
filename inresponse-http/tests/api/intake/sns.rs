//! Amazon SNS, with messages that a certificate made for these tests has signed.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_core::model::IncidentNumber;
use inresponse_http::{AmazonUrl, FetchFromAmazon, Intake, Rule};
use inresponse_ses::SesTopics;
use serde_json::{Value, json};

use super::statuses;
use crate::world::{ATHENS, Answer, REPORT, World};

const CERTIFICATE: &str = include_str!("../../payloads/sns-certificate.pem");
/// Another, whose key is there to sign with.
const OWN_CERTIFICATE: &str = include_str!("../../payloads/sns-own-certificate.pem");
const OWN_KEY: &[u8] = include_bytes!("../../payloads/sns-own-key.der");
const OWN_URL: &str =
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00112233445566778899aabbccddeeff.pem";
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
        let certificate = if url.as_str() == OWN_URL { OWN_CERTIFICATE } else { CERTIFICATE };
        Ok(Bytes::from_static(certificate.as_bytes()))
    }
}

impl World {
    async fn published(&self, message: &str) -> Answer {
        self.call(REPORT, Method::POST, "/intake/sns", message.to_owned()).await
    }
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mails";

/// What is published, as Amazon signs it.
fn signed(message: &str) -> String {
    signed_as(message, TOPIC, "2026-11-24T03:00:05.000Z")
}

fn signed_as(message: &str, topic: &str, time: &str) -> String {
    let id = "7b1b7a3e";
    let text = format!(
        "Message\n{message}\nMessageId\n{id}\nTimestamp\n{time}\nTopicArn\n{topic}\nType\nNotification\n"
    );
    let key = RsaKeyPair::from_pkcs8(OWN_KEY).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    let envelope = json!({
        "Type": "Notification", "MessageId": id, "TopicArn": topic, "Message": message, "Timestamp": time,
        "SignatureVersion": "2", "Signature": STANDARD.encode(signature), "SigningCertURL": OWN_URL,
    });
    envelope.to_string()
}

/// What SES reports about a mail with that delivery's name in its tags.
fn notice_of(number: u64, delivery: &str, event: &str, details: Value) -> String {
    let mut told = json!({
        "eventType": event,
        "mail": {
            "destination": ["jo@example.org"],
            "tags": { "inresponse-incident": [number.to_string()], "inresponse-delivery": [delivery] }
        }
    });
    told[event.to_lowercase()] = details;
    told.to_string()
}

/// A world that takes from `TOPIC` what SES tells.
async fn world() -> (World, Fetched) {
    let amazon = Fetched::default();
    let topics = SesTopics::new([TOPIC.to_owned()]).unwrap();
    let intake = Intake::new(Rule::default()).amazon_by(amazon.clone()).notices_by(topics);
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
        (forged("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/x.pem"), "SigningCertURL"),
        // A bucket of a stranger, with a certificate of their own.
        (forged("SigningCertURL", &OWN_URL.replace("eu-west-1", "s3")), "SigningCertURL"),
        (signed_as("old", TOPIC, "2019-11-24T03:00:05.000Z"), "Timestamp"),
        (signed_as("old", TOPIC, "2026-11-24T01:59:59.000Z"), "Timestamp"),
        (signed_as("early", TOPIC, "2026-11-24T04:00:01.000Z"), "Timestamp"),
        (signed_as("never", TOPIC, "today"), "Timestamp"),
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
async fn p12_a_mail_that_came_back_brings_the_next_level_at_once() {
    let (world, _) = world().await;
    let day = json!({ "oncall": "jo@example.org", "escalation": "kim@example.org" });
    assert_eq!(world.put("/teams/devops/calendar/2026-11-24", day).await.status, StatusCode::OK);
    let number = world.report().await;
    let advance = async || {
        let _ = world.engine.advance(IncidentNumber::new(number)).await.unwrap();
        let shown = world.get(&format!("/incidents/{number}")).await.json;
        let of = |d: &Value| ["contact", "status"].map(|field| d[field].as_str().unwrap().to_owned());
        let deliveries = shown["deliveries"].as_array().unwrap().clone();
        (
            deliveries.iter().map(of).collect::<Vec<_>>(),
            deliveries[0]["deliveryId"].as_str().unwrap().to_owned(),
        )
    };
    let own = |contact: &str, status: &str| [format!("{contact}@example.org"), status.to_owned()];
    let (deliveries, delivery) = advance().await;
    assert_eq!(deliveries, [own("jo", "accepted")]);

    let permanent = json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [] });
    let bounce = notice_of(number, &delivery, "Bounce", permanent);
    // What is delayed, or comes back for a while, or is not about an alert, changes nothing.
    let full = json!({ "bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": [] });
    for message in [
        notice_of(number, &delivery, "Bounce", full),
        notice_of(number, &delivery, "Delivery", json!({})),
        notice_of(number, "10001-9-9-9-x", "Bounce", json!({ "bounceType": "Permanent" })),
        r#"{"eventType": "Bounce", "mail": {"destination": ["x@y.example"]}, "bounce": {"bounceType": "Permanent"}}"#
            .to_owned(),
        "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
    ] {
        let answer = world.published(&signed(&message)).await;
        assert_eq!((answer.status, answer.json), (StatusCode::OK, json!({ "notice": "nothing" })), "{message}");
    }
    // Nor does what Amazon has not signed.
    let forged = signed("{}").replace("\"{}\"", &json!(bounce).to_string());
    assert_eq!(world.published(&forged).await.status, StatusCode::BAD_REQUEST);
    // Nor what SES tells another's topic, though Amazon has signed it.
    for topic in ["arn:aws:sns:eu-west-1:999999999999:mails", "arn:aws:sns:eu-west-1:123456789012:mails2"] {
        let told = signed_as(&bounce, topic, "2026-11-24T03:00:05.000Z");
        let answer = world.published(&told).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
        assert!(answer.json["detail"].as_str().unwrap().contains(topic), "{}", answer.text);
    }
    assert_eq!(advance().await.0, [own("jo", "accepted")]);

    for notice in ["dead", "nothing"] {
        let answer = world.published(&signed(&bounce)).await;
        assert_eq!((answer.status, answer.json), (StatusCode::OK, json!({ "notice": notice })));
    }
    assert_eq!(advance().await.0, [own("jo", "dead"), own("kim", "accepted")]);
    assert_eq!(world.all().await.len(), 1, "no notice is an incident");
}

#[tokio::test]
async fn what_others_publish_is_an_incident_as_before() {
    let (world, _) = world().await;
    let answer = world.published(&signed(r#"{"eventType": "OrderFailed", "service": "athens"}"#)).await;
    // The key names no service, and this message cannot.
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let message = signed(r#"{"eventType": "OrderFailed", "order": 7}"#);
    let answer = world.call(ATHENS, Method::POST, "/intake/sns", message).await;
    assert_eq!(statuses(&answer), ["opened"]);
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
