//! Promise 16: an alert that can be understood is never refused for one of its details. What was repaired is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use chrono::{DateTime, Utc};
use inresponse_core::model::{Report, ServiceName};
use inresponse_intake::opsgenie::Asked;
use inresponse_intake::{
    Context, Covers, Recovery, Recurrence, Rule, Signal, Translated, Trouble, generic, grafana, nagios,
    opsgenie, pagerduty, prometheus,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn with<T>(translate: impl FnOnce(&Context<'_>) -> T) -> T {
    let own = ServiceName::new("athens").unwrap();
    translate(&Context { rule: &Rule::default(), service: Some(&own), now: now() })
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

fn report(translated: &Translated) -> Report {
    trouble(translated).report(Recurrence::Fresh).unwrap()
}

/// The report as people see it.
fn shown(translated: &Translated) -> String {
    format!("{:?}", report(translated))
}

fn mapping() -> generic::Mapping {
    serde_json::from_value(
        json!({ "title": "/summary", "message": "/text", "key": "/key", "detected-at": "/at",
        "labels": { "zone": "/zone" } }),
    )
    .unwrap()
}

/// An alert of every sender that tells a time and a text, as JSON texts.
fn everywhere(time: &str, text: &[u8]) -> Vec<(&'static str, Translated)> {
    let json = |template: &str| {
        let mut body = Vec::new();
        for (i, part) in template.split('^').enumerate() {
            if i > 0 {
                body.extend(text);
            }
            body.extend(part.replace('~', time).into_bytes());
        }
        body
    };
    let event = json(
        r#"{"routing_key":"k","event_action":"trigger","dedup_key":"d","payload":{"summary":"s ^","source":"^",
            "severity":"critical","timestamp":~,"custom_details":{"c":"^"}}}"#,
    );
    let webhook = json(
        r#"{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A","l":"^"},"startsAt":~,
        "annotations":{"summary":"s ^"}},{"status":"firing","labels":{"alertname":"B"}}]}"#,
    );
    let alerts = json(
        r#"[{"labels":{"alertname":"A","l":"^"},"startsAt":~,"annotations":{"summary":"s ^"}},
        {"labels":{"alertname":"B"}}]"#,
    );
    let created = json(r#"{"message":"s ^","alias":"d","details":{"l":"^"}}"#);
    let document = json(r#"{"summary":"s ^","text":"^","key":"d","at":~,"zone":"^"}"#);
    with(|c| {
        let mut both = prometheus::webhook(&webhook, c).unwrap().alerts;
        assert!(both.pop().unwrap().is_ok(), "the other alert of the message");
        let mut grafana = grafana::webhook(&webhook, c).unwrap().alerts;
        let mut alerts = prometheus::alerts(&alerts, c).unwrap();
        let event =
            pagerduty::Event::read(&event).and_then(|read| read.translate(&event, c)).map(|t| t.signal);
        let mut document = generic::alerts(&document, "probe", &mapping(), c).unwrap();
        vec![
            ("alertmanager", both.remove(0)),
            ("grafana", grafana.remove(0)),
            ("prometheus", alerts.remove(0)),
            ("pagerduty", event),
            ("opsgenie", opsgenie::create(&created, c)),
            ("generic", document.remove(0)),
        ]
    })
}

#[test]
fn p16_no_time_vetoes_an_alert() {
    for time in [
        "\"2022-01-21 14:06:38\"",
        "0",
        "1577840461",
        "1425417514074",
        "\"1425417514074\"",
        "1527062018051",
        "\"2011-05-06T03:30-07\"",
        "\"yesterday\"",
        "true",
        "{}",
        "[]",
        "-5",
        "1e999",
        "NaN",
        "\"\"",
        "null",
        "\"Fri, 21 Jan 2022 14:06:38 +0100\"",
        "\"2022-W03-5T14:06:38Z\"",
        "\"\\udcfc\"",
    ] {
        for (sender, alert) in everywhere(time, b"x") {
            let trouble = trouble(&alert);
            let shown = shown(&alert);
            let told = matches!(sender, "opsgenie") || matches!(time, "\"\"" | "null");
            let guessed = time.contains("14:06:38\"") && !time.contains("W03");
            let noted = shown.contains("Repaired: ");
            let read = trouble.began_at().is_some();
            assert!(told || read && !guessed || noted, "{sender} {time}: {shown}");
            assert!(!(read && !guessed && noted), "{sender} {time}: {shown}");
        }
    }
    let began = |time: &str| trouble(&everywhere(time, b"x")[0].1).began_at().map(|at| at.timestamp());
    assert_eq!(began("1577840461"), Some(1_577_840_461));
    assert_eq!(began("1425417514074"), Some(1_425_417_514));
    assert_eq!(began("\"2022-01-21 14:06:38\""), Some(1_642_773_998));
    assert_eq!(began("\"2011-05-06T03:30-07\""), Some(1_304_677_800));
}

#[test]
fn p16_no_text_vetoes_an_alert_or_the_others_of_its_message() {
    let texts: [&[u8]; 8] = [
        br"\udcfc",
        b"M\xfcnchen",
        br"half \ud83d",
        b"a\0b",
        br"C:\dir",
        b"two\nlines",
        b"\xf0\x9f\x98",
        br"\u00zz",
    ];
    for text in texts {
        for (sender, alert) in everywhere("null", text) {
            let shown = shown(&alert);
            let is_broken =
                text.windows(2).any(|two| two == b"\\u" && text != br"\u00zz") || !text.is_ascii();
            assert_eq!(shown.contains('\u{FFFD}'), is_broken, "{sender} {text:?}: {shown}");
            assert_eq!(shown.contains("Repaired: "), is_broken, "{sender} {text:?}: {shown}");
            assert!(shown.chars().all(|c| !('\u{FDD0}'..='\u{FDEF}').contains(&c)), "{shown:?}");
        }
    }
    let with_bom = b"\xEF\xBB\xBF[{\"labels\":{\"alertname\":\"A\"}}]";
    assert_eq!(with(|c| prometheus::alerts(with_bom, c)).unwrap().len(), 1);
    let nul = b"{\"message\":\"a\"}\0";
    assert!(with(|c| opsgenie::create(nul, c)).is_ok());
}

#[test]
fn p16_a_detail_of_another_kind_is_read_as_its_text() {
    let body = json!([{ "labels": { "alertname": "A", "n": 5, "b": true, "o": { "a": 1 }, "none": null },
        "annotations": { "summary": 7, "x": [1] }, "generatorURL": 5, "startsAt": [] }, { "labels": "none" }, 5]);
    let alerts = with(|c| prometheus::alerts(body.to_string().as_bytes(), c)).unwrap();
    let shown = shown(&alerts[0]);
    assert!(
        shown.contains("title: \"7\"") && shown.contains("\"n\": \"5\"") && shown.contains("\"b\": \"true\""),
        "{shown}"
    );
    assert!(alerts[1].is_err() && alerts[2].is_err());
    let created = br#"{"message":5,"tags":"none","details":[1],"priority":{},"user":7}"#;
    assert!(with(|c| opsgenie::create(created, c)).is_ok());
    let event = br#"{"event_action":"Trigger","payload":{"summary":true,"severity":{},"source":[1]},"links":5,"images":[5]}"#;
    let event = with(|c| pagerduty::Event::read(event).unwrap().translate(event, c));
    assert!(event.is_ok(), "{event:?}");
    let subject = opsgenie::subject("a", Some("alias")).unwrap();
    assert!(with(|c| opsgenie::act(Asked::Close, subject, br#"{"user":5,"note":[]}"#, c)).is_ok());
}

#[test]
fn p16_a_recovery_is_one_whatever_its_details_are() {
    for (starts, ends) in
        [("\"x\"", "\"another time\""), ("0", "0"), ("{}", "\"2026-11-24 02:00:00\""), ("null", "true")]
    {
        let alert = format!(
            r#"{{"status":"resolved","labels":{{"alertname":"\udcfc"}},"startsAt":{starts},"endsAt":{ends}}}"#
        );
        let body = format!(r#"{{"alerts":[{alert}]}}"#);
        let ended = with(|c| prometheus::webhook(body.as_bytes(), c)).unwrap().alerts.remove(0);
        let recovery = recovery(&ended);
        assert_eq!(recovery.covers, Covers::None);
        assert!(recovery.note.as_ref().unwrap().as_str().starts_with("Repaired: "), "{recovery:?}");
        // The same by the API, whose alerts have no status unless somebody gives them one.
        let ended = with(|c| prometheus::alerts(format!("[{alert}]").as_bytes(), c)).unwrap().remove(0);
        assert_eq!(
            ends != "true" && ends != "0" && !ends.contains("another"),
            recovery_has_time(&ended),
            "{ends}"
        );
    }
    let form = b"type=RECOVERY&host=a&since=now";
    let ended = with(|c| nagios::notification(form, c));
    assert!(recovery(&ended).note.is_some() && recovery(&ended).ended_at.is_none());
}

fn recovery_has_time(ended: &Translated) -> bool {
    recovery(ended).ended_at.is_some()
}

#[test]
fn p16_nagios_is_read_whatever_its_details_are() {
    let form =
        b"type=PROBLEM&host=m%FCller&check=a&since=2022-01-21+14:06:38&output=%E4&label.x=%00&state=%FF";
    let shown = shown(&with(|c| nagios::notification(form, c)));
    assert!(shown.contains("Repaired: ") && shown.contains("m\u{FFFD}ller"), "{shown}");
    let many = format!("type=PROBLEM&host=a&{}", "x=1&".repeat(300));
    assert!(with(|c| nagios::notification(many.as_bytes(), c)).is_ok());
}

#[test]
fn p16_details_by_our_own_names_are_kept() {
    let event = json!({ "event_action": "trigger", "dedup_key": "d", "client": "Sensu", "payload": {
        "summary": "s", "source": "srv01", "component": "c",
        "custom_details": { "source": "db", "client": "mobile", "component": "c", "region": "eu" } } });
    let event = event.to_string().into_bytes();
    let event = with(|c| pagerduty::Event::read(&event).unwrap().translate(&event, c)).unwrap();
    let pagerduty = shown(&Ok(event.signal));
    for kept in [
        "\"source\": \"srv01\"",
        "\"details.source\": \"db\"",
        "\"details.client\": \"mobile\"",
        "\"region\": \"eu\"",
    ] {
        assert!(pagerduty.contains(kept), "{kept} in {pagerduty}");
    }
    assert!(!pagerduty.contains("details.component"), "{pagerduty}");
    let created = json!({ "message": "m", "alias": "a", "source": "sensu", "entity": "srv", "user": "jo",
        "priority": "P1", "tags": ["t"], "details": { "source": "x", "entity": "y", "user": "z", "priority": "high", "tags": "u" } });
    let opsgenie = shown(&with(|c| opsgenie::create(created.to_string().as_bytes(), c)));
    for kept in ["source\": \"x", "entity\": \"y", "user\": \"z", "priority\": \"high", "tags\": \"u"] {
        assert!(opsgenie.contains(&format!("\"details.{kept}\"")), "{kept} in {opsgenie}");
    }
    let form = b"type=PROBLEM&host=a&check=c&label.host=b&label.check=c&label.service=athens";
    let nagios = shown(&with(|c| nagios::notification(form, c)));
    assert!(nagios.contains("\"host\": \"a\"") && nagios.contains("\"details.host\": \"b\""), "{nagios}");
    assert!(!nagios.contains("details.check") && !nagios.contains("details.service"), "{nagios}");
}

#[test]
fn p03_long_keys_are_never_cut() {
    let long = |end: &str| format!("{}{end}", "k".repeat(512));
    let japanese = |end: &str| format!("{}{end}", "あ".repeat(299));
    let keys = |key: &str| -> Vec<String> {
        let event =
            json!({ "event_action": "trigger", "dedup_key": key, "payload": { "summary": "s" } }).to_string();
        let event = event.as_bytes();
        let created = json!({ "message": "m", "alias": key }).to_string();
        let alert = json!({ "alerts": [{ "status": "firing", "labels": { "a": "b" }, "fingerprint": key }] })
            .to_string();
        let document = json!({ "summary": "s", "key": key }).to_string();
        let titled = json!({ "summary": key }).to_string();
        let form = |host: &str, check: &str| format!("type=PROBLEM&host={host}&check={check}");
        with(|c| {
            let subject = format!("{:?}", opsgenie::subject(key, Some("alias")).unwrap());
            let opened = opsgenie::create(created.as_bytes(), c);
            assert!(subject.contains(trouble(&opened).key().as_str()), "an alias is one key everywhere");
            let signals = [
                pagerduty::Event::read(event).unwrap().translate(event, c).map(|t| t.signal),
                opened,
                prometheus::webhook(alert.as_bytes(), c).unwrap().alerts.remove(0),
                generic::alerts(document.as_bytes(), "p", &mapping(), c).unwrap().remove(0),
                generic::alerts(titled.as_bytes(), "p", &mapping(), c).unwrap().remove(0),
                nagios::notification(form(key, "x").as_bytes(), c),
                nagios::notification(form("h", key).as_bytes(), c),
                nagios::notification(format!("type=PROBLEM&host={key}").as_bytes(), c),
            ];
            signals.iter().map(|signal| trouble(signal).key().as_str().to_owned()).collect()
        })
    };
    for (a, b) in [(long("1"), long("2")), (japanese("い"), japanese("う"))] {
        for (i, (a, b)) in keys(&a).iter().zip(keys(&b)).enumerate() {
            assert_ne!(*a, b, "sender {i}");
        }
    }
    let host_and_check =
        |form: &str| trouble(&with(|c| nagios::notification(form.as_bytes(), c))).key().clone();
    assert_ne!(
        host_and_check("type=PROBLEM&host=a/b&check=c"),
        host_and_check("type=PROBLEM&host=a&check=b/c")
    );
    assert_ne!(host_and_check("type=PROBLEM&host=a/b"), host_and_check("type=PROBLEM&host=a&check=b"));
    assert_ne!(host_and_check("type=PROBLEM&host=m%FC"), host_and_check("type=PROBLEM&host=m%F6"));
}

#[test]
fn p03_what_says_nothing_of_its_identity_is_identified_by_all_of_it() {
    let read = |mapping: Value, body: &str| {
        let mapping: generic::Mapping = serde_json::from_value(mapping).unwrap();
        let alert = with(|c| generic::alerts(body.as_bytes(), "p", &mapping, c)).unwrap().remove(0);
        trouble(&alert).key().clone()
    };
    for mapping in [
        json!({ "title": "/title" }),
        json!({ "title": { "at": "/title", "default": "an alert" } }),
        json!({ "title": { "default": "an alert" } }),
        json!({ "title": "/title", "key": "/key" }),
    ] {
        let key = |body: &str| read(mapping.clone(), body);
        assert_ne!(key(r#"{"a":1}"#), key(r#"{"b":2}"#), "{mapping}");
        assert_eq!(key(r#"{"a":1,"b":2}"#), key(r#"{ "b": 2, "a": 1 }"#), "{mapping}");
        assert_ne!(key(r#"{"a":"\udcfc"}"#), key(r#"{"a":"\udcfd"}"#), "{mapping}");
    }
    let mapping = json!({ "title": "/title" });
    assert_eq!(read(mapping.clone(), r#"{"title":"x","n":1}"#), read(mapping, r#"{"title":"x","n":2}"#));
}

#[test]
fn a_mapping_reads_forms_as_scripts_send_them() {
    let read = |body: &str| with(|c| generic::alerts(body.as_bytes(), "probe", &mapping(), c));
    let alert = read("summary=disk+full&text=a%0Ab&key=7&zone=eu&at=1577840461").unwrap().remove(0);
    let shown = shown(&alert);
    assert!(
        shown.contains("title: \"disk full\"") && shown.contains("\"a\\nb\"") && shown.contains("\"eu\""),
        "{shown}"
    );
    assert_eq!(
        (trouble(&alert).key().as_str(), trouble(&alert).began_at().unwrap().timestamp()),
        ("7", 1_577_840_461)
    );
    for bad in ["", "{", "[", "x", "{\"a\"=1"] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn p16_a_message_takes_ten_thousand_alerts_and_says_what_is_beyond() {
    let alerts = |n: usize| {
        let body = format!("[{}]", vec![r#"{"labels":{"a":"b"}}"#; n].join(","));
        with(|c| prometheus::alerts(body.as_bytes(), c)).unwrap()
    };
    assert!(alerts(10_000).iter().all(Result::is_ok));
    let beyond = alerts(10_007);
    assert_eq!(beyond.iter().filter(|alert| alert.is_ok()).count(), 10_000);
    assert!(beyond.last().unwrap().as_ref().unwrap_err().to_string().contains("7 more"));
}

#[test]
fn what_had_to_be_left_out_or_cut_is_told() {
    let alert = json!([{ "labels": { "alertname": "A", "long": "x".repeat(3000) }, "generatorURL": "no url",
        "annotations": { "summary": "t".repeat(600), "title": "other", "description": "d".repeat(30_000) } }]);
    let alerts = with(|c| prometheus::alerts(alert.to_string().as_bytes(), c)).unwrap();
    let shown = shown(&alerts[0]);
    for told in [
        "1 link was left out",
        "the title was too long",
        "the message was too long",
        "label `long` was too long",
    ] {
        assert!(shown.contains(told), "{told} in {}", &shown[shown.len() - 800..]);
    }
}

#[test]
fn grafanas_alerts_about_a_rule_without_data_bear_its_name() {
    for name in ["DatasourceNoData", "DatasourceError"] {
        let body = json!({ "alerts": [{ "status": "firing", "startsAt": "2026-11-24T02:30:00Z",
            "labels": { "alertname": name, "rulename": "High latency", "datasource_uid": "x", "instance": "i" } }] });
        let webhook = with(|c| grafana::webhook(body.to_string().as_bytes(), c)).unwrap();
        assert!(shown(&webhook.alerts[0]).contains(&format!("title: \"High latency ({name})\"")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever a stranger puts where a time and a text are expected, the alert is one.
    #[test]
    fn p16_any_detail_leaves_an_alert(
        time in prop_oneof!["[ -~]{0,30}", any::<String>(), any::<i64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|n| n.to_string())],
        text in proptest::collection::vec(any::<u8>().prop_filter("it ends the string", |b| *b != b'"' && *b != b'\\'), 0..60),
    ) {
        // Where a byte order mark begins the text, nothing else does.
        prop_assume!(!text.starts_with(b"\xEF\xBB\xBF"));
        for (sender, alert) in everywhere(&json!(time).to_string(), &text) {
            let report = trouble(&alert).report(Recurrence::Fresh);
            prop_assert!(report.is_ok(), "{}: {:?}", sender, report);
        }
    }
}
