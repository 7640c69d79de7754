//! Whatever strangers send: no translator panics, and what it makes of it holds as a report.

#![allow(clippy::unwrap_used, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Utc};
use inresponse_core::model::ServiceName;
use inresponse_intake::opsgenie::Asked;
use inresponse_intake::{
    Context, Recoveries, Recurrence, Rule, Signal, Translated, generic, grafana, nagios, opsgenie, pagerduty,
    prometheus, sns,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Names that senders use, so that what is made up is not refused at once.
const NAMES: &[&str] = &[
    "alerts",
    "labels",
    "annotations",
    "status",
    "startsAt",
    "endsAt",
    "generatorURL",
    "fingerprint",
    "version",
    "service",
    "job",
    "severity",
    "alertname",
    "instance",
    "summary",
    "description",
    "runbook_url",
    "externalURL",
    "truncatedAlerts",
    "valueString",
    "payload",
    "event_action",
    "dedup_key",
    "routing_key",
    "source",
    "timestamp",
    "custom_details",
    "links",
    "href",
    "text",
    "images",
    "src",
    "client",
    "client_url",
    "message",
    "alias",
    "tags",
    "details",
    "entity",
    "priority",
    "user",
    "note",
    "Type",
    "Message",
    "MessageId",
    "TopicArn",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "SubscribeURL",
    "Token",
    "Subject",
    "AlarmName",
    "NewStateValue",
    "AlarmArn",
    "StateChangeTime",
    "AlarmDescription",
    "Trigger",
    "Dimensions",
    "Metrics",
    "MetricStat",
    "Metric",
    "Expression",
    "detail-type",
    "detail",
    "resources",
    "alarmName",
    "state",
    "configuration",
    "metrics",
    "metricStat",
    "metric",
    "dimensions",
    "name",
    "value",
];
const TEXTS: &[&str] = &[
    "firing",
    "resolved",
    "trigger",
    "acknowledge",
    "resolve",
    "critical",
    "2026-11-24T02:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "https://example.org/x?y=z",
    "ALARM",
    "OK",
    "CloudWatch Alarm State Change",
    "2022-01-21 14:06:38",
    "another time",
    "1425417514074",
    "0",
    "4",
    "1",
    "Notification",
    "P1",
    "",
    " ",
    "service: athens\nseverity: p1",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(TEXTS).prop_map(str::to_owned),
        2 => "\\PC{0,40}",
        2 => any::<String>(),
        1 => ("\\PC{1,8}", 1..1500usize).prop_map(|(text, n)| text.repeat(n)),
        1 => ("https://[a-z]{1,9}/\\PC{0,30}", 1..200usize).prop_map(|(url, n)| format!("{url}{}", "x".repeat(n))),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![6 => proptest::sample::select(NAMES).prop_map(str::to_owned), 1 => any::<String>()]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        6 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 12, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            4 => proptest::collection::vec((name(), inner), 0..12)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// An alert of Prometheus' family that is well-formed, whatever it holds.
fn alert() -> impl Strategy<Value = Value> {
    let texts = || proptest::collection::btree_map(prop_oneof![name(), text()], text(), 0..70);
    (texts(), texts(), text(), text(), text(), prop_oneof![Just("firing"), Just("resolved")]).prop_map(
        |(labels, annotations, starts, url, values, status)| {
            let starts = if starts.starts_with("20") { json!(starts) } else { Value::Null };
            json!({ "status": status, "labels": labels, "annotations": annotations, "startsAt": starts,
                "generatorURL": url, "valueString": values, "dashboardURL": url })
        },
    )
}

fn now() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

/// What is translated holds as a report, and its lateness can be told.
fn holds(signal: &Translated) {
    let mut recoveries = Recoveries::new();
    match signal {
        Ok(Signal::Report(trouble)) => {
            for recurrence in [Recurrence::Fresh, Recurrence::Flapping] {
                trouble.report(recurrence).unwrap();
            }
            let _ = recoveries.standing(trouble, now());
        }
        Ok(Signal::Recovery(recovery)) => recoveries.note(recovery, now()),
        Ok(Signal::Acknowledgement(_) | Signal::Release(_) | Signal::Note(_) | Signal::Nothing(_)) => {}
        Err(invalid) => {
            assert!(!invalid.is_empty());
            assert!(invalid.to_string().len() < 10_000_000);
        }
    }
}

fn mapping() -> generic::Mapping {
    let pointer = |name: &str| json!(format!("/{name}"));
    serde_json::from_value(json!({
        "title": pointer("summary"), "message": "", "service": pointer("service"), "severity": pointer("severity"),
        "key": pointer("alias"), "status": pointer("status"), "detected-at": pointer("timestamp"),
        "all-labels": "/labels", "labels": { "x": "/labels/job", "": "/name" }, "links": { "": "/href", "a": "/links/0/href" },
    }))
    .unwrap()
}

fn translate_everything(body: &[u8]) {
    let (rule, own) = (Rule::default(), ServiceName::new("athens").unwrap());
    for service in [None, Some(&own)] {
        let context = Context { rule: &rule, service, now: now() };
        let mut signals: Vec<Translated> = Vec::new();
        let webhooks = [prometheus::webhook(body, &context), grafana::webhook(body, &context)];
        signals.extend(webhooks.into_iter().flatten().flat_map(|webhook| webhook.alerts));
        signals.extend(prometheus::alerts(body, &context).into_iter().flatten());
        signals.extend(generic::alerts(body, "sender", &mapping(), &context).into_iter().flatten());
        signals.push(opsgenie::create(body, &context));
        let subject = opsgenie::subject(&String::from_utf8_lossy(body), Some("alias"));
        if let Ok(subject) = subject {
            for asked in [Asked::Close, Asked::Acknowledge, Asked::Unacknowledge, Asked::Note, Asked::Create]
            {
                signals.push(opsgenie::act(asked, subject.clone(), body, &context));
            }
        }
        signals.push(nagios::notification(body, &context));
        signals.extend(sns::event(body, &context));
        let _ = pagerduty::routing_key(body);
        if let Ok(event) = pagerduty::Event::read(body) {
            signals.extend(event.translate(body, &context).map(|t| Ok(t.signal)));
        }
        if let Ok(envelope) = sns::Envelope::read(body) {
            let _ = envelope.certificate_url();
            assert!(envelope.verify(include_bytes!("payloads/sns-certificate.pem"), now()).is_err());
        }
        signals.iter().for_each(holds);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn p16_any_bytes_are_translated_or_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        translate_everything(&body);
    }

    #[test]
    fn p16_any_document_is_translated_or_refused(document in document()) {
        translate_everything(document.to_string().as_bytes());
        translate_everything(json!([document]).to_string().as_bytes());
        translate_everything(json!({ "version": "4", "alerts": [document] }).to_string().as_bytes());
        translate_everything(json!({ "event_action": "trigger", "payload": document, "message": "x" }).to_string().as_bytes());
    }

    #[test]
    fn p16_any_text_is_a_form_or_refused(fields in proptest::collection::vec((name(), text()), 0..20), host in text()) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("type", "PROBLEM").append_pair("host", &host);
        for (name, value) in &fields {
            form.append_pair(&format!("label.{name}"), value).append_pair(name, value);
        }
        translate_everything(form.finish().as_bytes());
    }

    /// A stranger's certificate is none, or has signed nothing.
    #[test]
    fn p16_any_certificate_is_refused(certificate in proptest::collection::vec(any::<u8>(), 0..300), pem in any::<bool>()) {
        let certificate = if pem {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes()
        } else {
            certificate
        };
        let envelope = sns::Envelope::read(include_bytes!("payloads/sns-alarm.json")).unwrap();
        prop_assert!(envelope.verify(&certificate, now()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, ..ProptestConfig::default() })]

    #[test]
    fn p09_every_well_formed_alert_is_a_signal(alerts in proptest::collection::vec(alert(), 1..4)) {
        let rule = Rule::default();
        let context = Context { rule: &rule, service: None, now: now() };
        let body = json!({ "version": "4", "alerts": alerts }).to_string();
        let webhook = prometheus::webhook(body.as_bytes(), &context).unwrap();
        for (given, signal) in alerts.iter().zip(&webhook.alerts) {
            let has_labels = given["labels"].as_object().unwrap().values().any(|value| value != "");
            prop_assert_eq!(signal.is_ok(), has_labels, "{:?}", signal);
            holds(signal);
        }
    }
}
