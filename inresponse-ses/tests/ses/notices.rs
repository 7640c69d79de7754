//! Bounces and complaints, as SES writes them, and what is not by SES.

use inresponse_core::model::{DeliveryId, IncidentNumber};
use inresponse_ses::{AlertNotice, Fate, Notice, SesErrorKind, read};
use proptest::prelude::*;
use serde_json::{Value, json};

const DELIVERY: &str = "10001-1-2-0-hq1ol1g85c";

/// An event of a configuration set's event destination: the name is in the tags.
fn event(kind: &str, details: Value) -> Value {
    let mut event = json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-24T15:35:12.333Z",
            "source": "InResponse <alerts@example.org>",
            "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/alerts@example.org",
            "sendingAccountId": "123456789012",
            "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            "destination": ["jo@example.org"],
            "headersTruncated": false,
            "headers": [{ "name": "From", "value": "alerts@example.org" }],
            "commonHeaders": { "from": ["alerts@example.org"], "subject": "[CRIT] #10001 athens: 5xx" },
            "tags": {
                "ses:configuration-set": ["inresponse"],
                "ses:from-domain": ["example.org"],
                "inresponse-incident": ["10001"],
                "inresponse-delivery": [DELIVERY]
            }
        }
    });
    let (of, details) =
        details.as_object().unwrap().iter().next().map(|(k, v)| (k.clone(), v.clone())).unwrap();
    event[of] = details;
    event
}

/// The same as a notification of an identity: the name is in the original headers.
fn notification(event: &Value) -> Value {
    let mut told = event.clone();
    let kind = told.as_object_mut().unwrap().remove("eventType").unwrap();
    told["notificationType"] = kind;
    told["mail"].as_object_mut().unwrap().remove("tags");
    told["mail"]["headers"] = json!([
        { "name": "From", "value": "alerts@example.org" },
        { "name": "x-inresponse-incident", "value": "10001" },
        { "name": "X-InResponse-Delivery", "value": DELIVERY },
    ]);
    told
}

fn bounce(kind: &str, sub: &str) -> Value {
    json!({ "bounce": {
        "feedbackId": "01020179b1a0e1c4-1",
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [{
            "emailAddress": "jo@example.org",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown"
        }],
        "timestamp": "2026-11-24T15:35:13.000Z",
        "reportingMTA": "dsn; mta.example.org"
    }})
}

fn complaint(sub: Value) -> Value {
    json!({ "complaint": {
        "complainedRecipients": [{ "emailAddress": "jo@example.org" }],
        "timestamp": "2026-11-24T15:35:13.000Z",
        "feedbackId": "1",
        "userAgent": "Example Corp Feedback Loop (V0.01)",
        "complaintSubType": sub,
        "complaintFeedbackType": "abuse",
        "arrivalDate": "2026-11-24T15:35:12.000Z"
    }})
}

fn alert(fate: Fate, reason: &str) -> Notice {
    Notice::Alert(AlertNotice {
        number: IncidentNumber::new(10001),
        delivery: DeliveryId::read(DELIVERY).unwrap(),
        recipient: "jo@example.org".into(),
        fate,
        reason: reason.into(),
    })
}

#[test]
fn p12_events_and_notifications_are_read_as_what_they_are() {
    let unknown = "Bounce Permanent General smtp; 550 5.1.1 user unknown";
    let suppressed = "Bounce Permanent OnAccountSuppressionList smtp; 550 5.1.1 user unknown";
    let full = "Bounce Transient MailboxFull smtp; 550 5.1.1 user unknown";
    let unclear = "Bounce Undetermined Undetermined smtp; 550 5.1.1 user unknown";
    let delay = json!({ "deliveryDelay": {
        "timestamp": "2026-11-24T15:35:13.000Z",
        "delayType": "TransientCommunicationFailure",
        "expirationTime": "2026-11-25T05:35:13.000Z",
        "delayedRecipients": [{
            "emailAddress": "jo@example.org", "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 no connection"
        }]
    }});
    let delivered = json!({ "delivery": {
        "timestamp": "2026-11-24T15:35:13.000Z", "processingTimeMillis": 546, "recipients": ["jo@example.org"],
        "smtpResponse": "250 ok", "remoteMtaIp": "192.0.2.1", "reportingMTA": "mta.example.org"
    }});
    let cases = [
        ("Bounce", bounce("Permanent", "General"), Fate::Bounced, unknown),
        ("Bounce", bounce("Permanent", "OnAccountSuppressionList"), Fate::Bounced, suppressed),
        ("Bounce", bounce("Transient", "MailboxFull"), Fate::Transient, full),
        ("Bounce", bounce("Undetermined", "Undetermined"), Fate::Transient, unclear),
        ("Complaint", complaint(Value::Null), Fate::Complained, "Complaint abuse"),
        (
            "Complaint",
            complaint("OnAccountSuppressionList".into()),
            Fate::Complained,
            "Complaint abuse OnAccountSuppressionList",
        ),
        ("Reject", json!({ "reject": { "reason": "Bad content" } }), Fate::Bounced, "Reject Bad content"),
        (
            "DeliveryDelay",
            delay,
            Fate::Transient,
            "DeliveryDelay TransientCommunicationFailure smtp; 421 4.4.1 no connection",
        ),
        ("Delivery", delivered, Fate::Other, "Delivery"),
        ("Send", json!({ "send": {} }), Fate::Other, "Send"),
        ("Something New", json!({ "new": [1] }), Fate::Other, "Something New"),
    ];
    for (kind, details, fate, reason) in cases {
        let event = event(kind, details);
        for told in [event.clone(), notification(&event)] {
            assert_eq!(read(told.to_string().as_bytes()).unwrap(), alert(fate, reason), "{told:#}");
        }
    }
}

#[test]
fn only_what_will_not_be_seen_is_dead() {
    let dead = [Fate::Bounced, Fate::Complained, Fate::Transient, Fate::Other].map(Fate::is_dead);
    assert_eq!(dead, [true, true, false, false]);
}

#[test]
fn what_is_not_about_an_alert_is_foreign() {
    let of_another = |path: &str, value: Value| {
        let mut event = event("Bounce", bounce("Permanent", "General"));
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    let cases = [
        r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed"}"#.into(),
        "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
        of_another("/mail/tags", json!({ "ses:configuration-set": ["inresponse"] })),
        of_another("/mail/tags/inresponse-incident", json!(["ten thousand"])),
        of_another("/mail/tags/inresponse-incident", json!([])),
        of_another("/mail/tags/inresponse-incident", json!(["99999999999999999999999"])),
        of_another("/mail/tags/inresponse-delivery", json!(["10001\n-1"])),
        of_another("/mail/tags/inresponse-delivery", json!(["1".repeat(65)])),
    ];
    for told in cases {
        assert_eq!(read(told.as_bytes()).unwrap(), Notice::Foreign, "{told}");
    }
}

#[test]
fn what_ses_cannot_have_written_is_an_error() {
    let deep = "[".repeat(200_000);
    let large = event("Bounce", bounce("Permanent", &"x".repeat(300_000))).to_string();
    let ill_typed = event("Bounce", json!({ "bounce": "Permanent" })).to_string();
    let others = [
        r#"{"eventType": "OrderFailed", "order": 7}"#,
        r#"{"eventType": "Bounce", "mail": {}}"#,
        r#"{"AlarmName": "athens 5xx", "NewStateValue": "ALARM"}"#,
        "Successfully validated the order",
    ];
    let mangled =
        ["", "{}", "null", "[]", "\u{0}", "not JSON", "{\"eventType\": 7}", &deep, &large, &ill_typed];
    for told in mangled.into_iter().chain(others) {
        let error = read(told.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), SesErrorKind::Notice, "{error}");
    }
    assert!(read(b"\xff\xfe").is_err());
}

#[test]
fn a_reason_is_short_and_whole() {
    let mut told = event("Bounce", bounce("Permanent", "General"));
    told["bounce"]["bouncedRecipients"][0]["diagnosticCode"] = "日".repeat(10_000).into();
    let Notice::Alert(alert) = read(told.to_string().as_bytes()).unwrap() else { panic!("an alert") };
    assert!(alert.reason.len() <= 200 && alert.reason.ends_with('日'), "{}", alert.reason);
}

fn json_value() -> impl Strategy<Value = Value> {
    let words = [
        "Bounce",
        "Complaint",
        "Permanent",
        "10001",
        DELIVERY,
        "eventType",
        "mail",
        "tags",
        "headers",
        "bounce",
        "inresponse-incident",
        "inresponse-delivery",
        "destination",
        "bouncedRecipients",
        "emailAddress",
        "name",
        "value",
        "X-InResponse-Incident",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(word.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn is_bounded(told: &[u8]) {
    if let Ok(Notice::Alert(alert)) = read(told) {
        assert!(alert.reason.len() <= 200);
        assert!(alert.delivery.as_str().len() <= DeliveryId::MAX_BYTES);
        assert!(alert.recipient.len() <= told.len());
    }
}

proptest! {
    #[test]
    fn p16_any_bytes_are_read_without_a_panic(told in prop::collection::vec(any::<u8>(), 0..2000)) {
        is_bounded(&told);
    }

    #[test]
    fn p16_any_json_is_read_without_a_panic(told in json_value()) {
        is_bounded(told.to_string().as_bytes());
    }

    /// A real event with one part of it replaced, and cut off somewhere.
    #[test]
    fn p16_a_mangled_event_is_read_without_a_panic(
        part in prop::sample::select(vec![
            "/eventType", "/mail", "/mail/tags", "/mail/tags/inresponse-incident", "/mail/tags/inresponse-delivery/0",
            "/mail/headers", "/mail/headers/0", "/mail/destination", "/bounce", "/bounce/bounceType",
            "/bounce/bouncedRecipients", "/bounce/bouncedRecipients/0", "/bounce/bouncedRecipients/0/diagnosticCode",
        ]),
        value in json_value(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut told = event("Bounce", bounce("Permanent", "General"));
        *told.pointer_mut(part).unwrap() = value;
        let told = told.to_string();
        is_bounded(told.as_bytes());
        is_bounded(&told.as_bytes()[..cut.index(told.len())]);
    }
}
