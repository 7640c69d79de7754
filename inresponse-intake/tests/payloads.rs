//! Recorded messages of every sender, and what they mean.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Utc};
use inresponse_core::model::{Report, ServiceName, Severity};
use inresponse_intake::opsgenie::Asked;
use inresponse_intake::{
    Context, Covers, Recovery, Recurrence, Remark, Rule, Signal, Subject, Translated, Trouble, grafana,
    nagios, opsgenie, pagerduty, prometheus, sns,
};

macro_rules! payload {
    ($name:literal) => {
        include_bytes!(concat!("payloads/", $name))
    };
}

fn now() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn with<T>(translate: impl FnOnce(&Context<'_>) -> T) -> T {
    translate(&Context { rule: &Rule::default(), service: None, now: now() })
}

fn report(translated: &Translated) -> Report {
    match translated {
        Ok(Signal::Report(trouble)) => trouble.report(Recurrence::Fresh).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn trouble(translated: &Translated) -> &Trouble {
    match translated {
        Ok(Signal::Report(trouble)) => trouble,
        other => panic!("{other:?}"),
    }
}

fn recovery(translated: &Translated) -> &Recovery {
    match translated {
        Ok(Signal::Recovery(recovery)) => recovery,
        other => panic!("{other:?}"),
    }
}

fn key(subject: &Subject) -> &str {
    match subject {
        Subject::Key(key) => key.as_str(),
        Subject::Number(number) => panic!("{number}"),
    }
}

#[test]
fn alertmanagers_webhook() {
    let webhook = with(|c| prometheus::webhook(payload!("alertmanager-webhook.json"), c)).unwrap();
    assert_eq!((webhook.alerts.len(), webhook.truncated), (2, 3));
    let firing = report(&webhook.alerts[0]);
    let expected = Report::builder("athens", Severity::Crit, "athens answers 5xx")
        .message("More than 5 % for two minutes.\nimpact: customers cannot pay")
        .source("alertmanager")
        .detected_at(at("2026-11-24T02:30:12.345Z"))
        .dedup_key("c0ffee0123456789")
        .label("alertname", "HighErrorRate")
        .label("instance", "web-1:9090")
        .label("job", "web")
        .label("service", "athens")
        .label("severity", "page")
        .link("Dashboard", "https://grafana.example.org/d/athens")
        .link("Runbook", "https://runbooks.example.org/5xx")
        .link("Graph", "http://prometheus.example.org:9090/graph?g0.expr=rate%28errors%5B5m%5D%29&g0.tab=1")
        .link("Alertmanager", "http://alertmanager.example.org:9093")
        .build()
        .unwrap();
    assert_eq!(firing, expected);
    let resolved = recovery(&webhook.alerts[1]);
    assert_eq!((resolved.service.as_str(), key(&resolved.subject)), ("web", "deadbeef01234567"));
    assert_eq!(resolved.ended_at, Some(at("2026-11-24T02:45:00Z")));
    assert_eq!(resolved.covers, Covers::Episode(at("2026-11-24T02:00:00Z")));
}

#[test]
fn prometheus_alerts() {
    let alerts = with(|c| prometheus::alerts(payload!("prometheus-alerts.json"), c)).unwrap();
    let firing = trouble(&alerts[0]);
    // As Prometheus' own library computes it of these labels.
    assert_eq!(firing.key().as_str(), fnv(&[("alertname", "Down"), ("instance", "a:1"), ("job", "athens")]));
    let firing = report(&alerts[0]);
    assert_eq!((firing.service().as_str(), firing.severity()), ("athens", Severity::Err));
    let resolved = recovery(&alerts[1]);
    assert_eq!(resolved.ended_at, Some(at("2026-11-24T02:59:45.5Z")));
}

/// FNV-1a, written once more.
fn fnv(labels: &[(&str, &str)]) -> String {
    let mut hash: u64 = 14_695_981_039_346_656_037;
    for (name, value) in labels {
        for part in [name, value] {
            for byte in part.as_bytes().iter().chain(&[255]) {
                hash ^= u64::from(*byte);
                hash = hash.wrapping_mul(1_099_511_628_211);
            }
        }
    }
    format!("{hash:016x}")
}

#[test]
fn grafanas_webhook() {
    let webhook = with(|c| grafana::webhook(payload!("grafana-webhook.json"), c)).unwrap();
    let firing = report(&webhook.alerts[0]);
    let expected = Report::builder("unmapped", Severity::Warn, "p99 latency is high")
        .message("[ var='B' labels={} value=1.2 ], [ var='C' labels={} value=1 ]")
        .source("grafana")
        .detected_at(at("2026-11-24T02:30:10Z"))
        .dedup_key("57c6d9296de2ad39")
        .label("alertname", "High latency")
        .label("grafana_folder", "Web")
        .label("severity", "warning")
        .link("Runbook", "https://runbooks.example.org/latency")
        .link("Graph", "https://grafana.example.org/alerting/grafana/1afz29v7z/view")
        .link("Dashboard", "https://grafana.example.org/d/uid")
        .link("Panel", "https://grafana.example.org/d/uid?viewPanel=23")
        .link("Silence", "https://grafana.example.org/alerting/silence/new?alertmanager=grafana")
        .link("Grafana", "https://grafana.example.org/")
        .build()
        .unwrap();
    assert_eq!(firing, expected);
    assert_eq!(key(&recovery(&webhook.alerts[1]).subject), "2ad3957c6d9296de");
}

#[test]
fn pagerduty_events() {
    let own = ServiceName::new("athens").unwrap();
    let rule = Rule::default();
    let context = Context { rule: &rule, service: Some(&own), now: now() };
    let translate = |body: &[u8]| pagerduty::Event::read(body).unwrap().translate(body, &context).unwrap();
    let trigger = translate(payload!("pagerduty-trigger.json"));
    let expected =
        Report::builder("athens", Severity::Crit, "DISK at 99% on machine prod-datapipe03.example.com")
            .source("pagerduty")
            .detected_at(at("2026-11-24T02:30:04.123Z"))
            .dedup_key("samplekeyhere")
            .label("source", "prod-datapipe03.example.com")
            .label("component", "mysql")
            .label("group", "prod-datapipe")
            .label("class", "disk")
            .label("client", "Sample Monitoring Service")
            .label("free space", "1%")
            .label("ping time", "1500")
            .label("nested", "{\"a\":[1,2]}")
            .link("Runbook", "https://example.com/runbook")
            .link("Sample Monitoring Service", "https://monitoring.example.com")
            .link("graph", "https://example.com/graph")
            .build()
            .unwrap();
    assert_eq!((report(&Ok(trigger.signal)), trigger.dedup_key.as_str()), (expected, "samplekeyhere"));
    let ack = translate(br#"{"routing_key":"k","event_action":"acknowledge","dedup_key":"samplekeyhere"}"#);
    let Signal::Acknowledgement(Remark { service, subject, by, .. }) = ack.signal else { panic!() };
    assert_eq!((service.as_str(), key(&subject), by), ("athens", "samplekeyhere", None));
    let resolve = translate(br#"{"routing_key":"k","event_action":"resolve","dedup_key":"samplekeyhere"}"#);
    assert_eq!(key(&recovery(&Ok(resolve.signal)).subject), "samplekeyhere");
    let event = pagerduty::Event::read(payload!("pagerduty-trigger.json")).unwrap();
    assert!(!format!("{event:?}").contains("routing"), "the key shows nowhere");
}

#[test]
fn opsgenie_calls() {
    let created = with(|c| opsgenie::create(payload!("opsgenie-create.json"), c));
    let expected = Report::builder("unmapped", Severity::Crit, "An example alert message")
        .message("Every alert needs a description\nfirst note")
        .source("opsgenie")
        .dedup_key("Life is too short for no alias")
        .label("entity", "An example entity")
        .label("priority", "P1")
        .label("tags", "OverwriteQuietHours, Critical")
        .label("key1", "value1")
        .label("key2", "value2")
        .build()
        .unwrap();
    assert_eq!(report(&created), expected);
    let subject = opsgenie::subject("Life is too short", Some("alias")).unwrap();
    let closed = with(|c| {
        opsgenie::act(Asked::Close, subject, br#"{"user":"Monitoring Script","source":"AWS Lambda"}"#, c)
    });
    let closed = recovery(&closed).clone();
    assert_eq!(
        (key(&closed.subject), closed.by.unwrap().as_str()),
        ("Life is too short", "Monitoring Script")
    );
}

#[test]
fn cloudwatch_alarms() {
    let request = |body: &[u8]| {
        let envelope = sns::Envelope::read(body).unwrap();
        let url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
        assert_eq!(envelope.certificate_url().unwrap().as_str(), url);
        with(|c| envelope.verify(payload!("sns-certificate.pem"), c.now).unwrap().translate(c)).unwrap()
    };
    let alert = |body: &[u8]| match request(body) {
        sns::Request::Alert(alert) => alert,
        other => panic!("{other:?}"),
    };
    let alarm = report(&alert(payload!("sns-alarm.json")));
    let expected = Report::builder("athens", Severity::Crit, "athens 5xx")
        .message(
            "Threshold Crossed: 1 datapoint [25.0] was greater than the threshold (10.0).\nThe load balancer answers \
             5xx.\nservice: athens\nseverity: critical",
        )
        .source("cloudwatch")
        .detected_at(at("2026-11-24T02:30:00Z"))
        .dedup_key("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:athens 5xx")
        .label("service", "athens")
        .label("severity", "critical")
        .label("alarm", "athens 5xx")
        .label("topic", "alarms")
        .label("region", "EU (Ireland)")
        .label("account", "123456789012")
        .label("namespace", "AWS/ApplicationELB")
        .label("metric", "HTTPCode_ELB_5XX_Count")
        .label("LoadBalancer", "app/athens/50dc6c495c0c9188")
        .link(
            "CloudWatch",
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/athens%205xx",
        )
        .build()
        .unwrap();
    assert_eq!(alarm, expected);
    let ok = alert(payload!("sns-ok.json"));
    assert_eq!(recovery(&ok).covers, Covers::Until(at("2026-11-24T02:40:00Z")));
    assert!(matches!(alert(payload!("sns-insufficient.json")), Ok(Signal::Nothing(_))));
    let text = report(&alert(payload!("sns-text.json")));
    assert_eq!(text.service().as_str(), "unmapped", "what is no alarm is told anyway");
    assert!(matches!(request(payload!("sns-confirmation.json")), sns::Request::Confirm(_)));
    assert!(matches!(request(payload!("sns-unsubscribed.json")), sns::Request::Unsubscribed));
}

#[test]
fn p16_a_message_of_sns_counts_within_an_hour_of_its_time() {
    let sent = at("2026-11-24T02:31:00.123Z");
    let verified = |now| {
        let envelope = sns::Envelope::read(payload!("sns-alarm.json")).unwrap();
        envelope
            .verify(payload!("sns-certificate.pem"), now)
            .map(|_| ())
            .map_err(|e| e.errors()[0].field().to_owned())
    };
    let hour = chrono::TimeDelta::hours(1);
    for off in [-hour, chrono::TimeDelta::zero(), hour] {
        assert_eq!(verified(sent + off), Ok(()), "{off}");
    }
    let over = hour + chrono::TimeDelta::milliseconds(1);
    for off in [-over, over, chrono::TimeDelta::days(7 * 365), chrono::TimeDelta::days(-7 * 365)] {
        assert_eq!(verified(sent + off), Err("Timestamp".to_owned()), "{off}");
    }
}

#[test]
fn nagios_notifications() {
    let problem = with(|c| nagios::notification(payload!("nagios-problem.txt"), c));
    let expected = Report::builder("athens", Severity::Crit, "Disk / on db-1 is CRITICAL")
        .message("DISK CRITICAL - free space: / 3 MB (1%)\n/dev/sda1 is full\n/dev/sdb1 is not")
        .source("nagios")
        .detected_at(at("2026-11-24T02:30:00Z"))
        .dedup_key("db-1/Disk /")
        .label("service", "athens")
        .label("host", "db-1")
        .label("check", "Disk /")
        .build()
        .unwrap();
    assert_eq!(report(&problem), expected);
}

#[test]
fn p09_no_alert_is_lost_for_being_too_large() {
    let big = "\"é\n".repeat(500);
    let mut labels: serde_json::Map<_, _> =
        (0..100).map(|i| (format!("label {i} {}", &big[..40]), serde_json::json!(big))).collect();
    labels.insert("service".into(), "athens".into());
    let mut annotations = serde_json::json!({ "summary": big, "description": big });
    for i in 0..40 {
        annotations[format!("link{i}")] = format!("https://example.org/{i}?{}", "x".repeat(1800)).into();
    }
    let alert = serde_json::json!([{ "labels": labels, "annotations": annotations, "generatorURL": "x".repeat(9000) }]);
    let alerts = with(|c| prometheus::alerts(alert.to_string().as_bytes(), c)).unwrap();
    let report = report(&alerts[0]);
    assert_eq!(report.service().as_str(), "athens");
    let shown = format!("{report:?}");
    assert!(shown.contains("labels were left out.") && shown.contains('…'), "{shown}");
}
