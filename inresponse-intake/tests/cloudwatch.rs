//! Alarms of CloudWatch in every form: of metric math, by EventBridge, with details that are missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use inresponse_core::model::{Report, Severity};
use inresponse_intake::{Context, Covers, Recurrence, Rule, Signal, Subject, Translated, sns};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh";

fn event(event: &Value) -> Option<Translated> {
    let (rule, now) = (Rule::default(), "2026-11-24T03:00:00Z".parse().unwrap());
    sns::event(event.to_string().as_bytes(), &Context { rule: &rule, service: None, now })
}

/// As Amazon documents it.
fn change(state: &str, metrics: &Value) -> Value {
    json!({
        "version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch", "account": "123456789012", "time": "2019-10-02T17:04:40Z", "region": "us-east-1",
        "resources": [ARN],
        "detail": {
            "alarmName": "ServerCpuTooHigh",
            "configuration": { "description": "service: athens\nseverity: critical", "metrics": metrics },
            "previousState": { "reason": "…", "timestamp": "2019-10-02T17:03:40.178+0000", "value": "OK" },
            "state": { "reason": "Threshold Crossed", "reasonData": "{}", "timestamp": "2019-10-02T17:04:40.989+0000",
                "value": state },
        },
    })
}

fn report(translated: &Translated) -> Report {
    match translated {
        Ok(Signal::Report(trouble)) => trouble.report(Recurrence::Fresh).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_of_eventbridge_is_one_incident_that_ok_resolves() {
    let metrics = json!([{ "id": "m1", "metricStat": { "metric": { "dimensions": { "InstanceId": "i-1" },
        "name": "CPUUtilization", "namespace": "AWS/EC2" }, "period": 300, "stat": "Average" }, "returnData": true }]);
    let expected = Report::builder("athens", Severity::Crit, "ServerCpuTooHigh")
        .message("Threshold Crossed\nservice: athens\nseverity: critical")
        .source("cloudwatch")
        .detected_at("2019-10-02T17:04:40.989Z".parse().unwrap())
        .dedup_key(ARN)
        .label("service", "athens")
        .label("severity", "critical")
        .label("alarm", "ServerCpuTooHigh")
        .label("region", "us-east-1")
        .label("account", "123456789012")
        .label("namespace", "AWS/EC2")
        .label("metric", "CPUUtilization")
        .label("InstanceId", "i-1")
        .link(
            "CloudWatch",
            "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/ServerCpuTooHigh",
        )
        .build()
        .unwrap();
    assert_eq!(report(&event(&change("ALARM", &metrics)).unwrap()), expected);
    let Some(Ok(Signal::Recovery(recovery))) = event(&change("OK", &metrics)) else { panic!() };
    assert_eq!(
        (recovery.service.as_str(), recovery.covers),
        ("athens", Covers::Until("2019-10-02T17:04:40.989Z".parse().unwrap()))
    );
    assert!(matches!(recovery.subject, Subject::Key(key) if key.as_str() == ARN));
    assert!(matches!(event(&change("INSUFFICIENT_DATA", &metrics)), Some(Ok(Signal::Nothing(_)))));
}

#[test]
fn an_alarm_of_metric_math_names_all_that_it_watches() {
    let metric = |id: &str, name: &str, balancer: &str| {
        json!({ "id": id, "metricStat": { "metric": { "dimensions": { "LoadBalancer": balancer, "region": "mine" },
            "name": name, "namespace": "AWS/ApplicationELB" }, "period": 60, "stat": "Sum" }, "returnData": false })
    };
    let metrics = json!([{ "id": "e1", "expression": "m1/m2", "label": "rate", "returnData": true },
        metric("m1", "HTTPCode_ELB_5XX_Count", "app/a"), metric("m2", "RequestCount", "app/b")]);
    let shown = format!("{:?}", report(&event(&change("ALARM", &metrics)).unwrap()));
    for part in [
        "\"namespace\": \"AWS/ApplicationELB\"",
        "\"metric\": \"HTTPCode_ELB_5XX_Count, RequestCount\"",
        "\"LoadBalancer\": \"app/a, app/b\"",
        "expression: m1/m2",
        "\"details.region\": \"mine\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn an_alarm_without_details_is_still_an_alarm() {
    let mut bare = change("ALARM", &json!(null));
    bare["detail"]["configuration"] = json!({ "alarmRule": "ALARM(a) OR ALARM(b)" });
    bare["detail"]["state"] = json!({ "value": "ALARM" });
    bare["resources"] = json!([]);
    let shown = format!("{:?}", report(&event(&bare).unwrap()));
    assert!(
        shown.contains("123456789012/us-east-1/ServerCpuTooHigh") && shown.contains("rule: ALARM(a)"),
        "{shown}"
    );
}

#[test]
fn other_events_are_told_as_they_are() {
    let mut other = change("ALARM", &json!([]));
    other["detail-type"] = json!("ECS Task State Change");
    let shown = format!("{:?}", report(&event(&other).unwrap()));
    assert!(shown.contains("title: \"ECS Task State Change\"") && shown.contains("c4c1c1c9"), "{shown}");
    other["detail-type"] = json!("CloudWatch Alarm Configuration Change");
    assert!(matches!(event(&other), Some(Ok(Signal::Nothing(_)))));
    assert!(event(&json!({ "Type": "Notification" })).is_none() && event(&json!(5)).is_none());
}
