//! Fuzzes the messages of other monitoring systems.

use std::sync::LazyLock;

use inresponse_core::model::{Report, ServiceName};
use inresponse_intake::generic::{self, Mapping};
use inresponse_intake::opsgenie::Asked;
use inresponse_intake::sns::{Envelope, event};
use inresponse_intake::{
    Context, MAX_ALERTS, Recurrence, Rule, Signal, Translated, grafana as grafana_webhook,
    nagios as nagios_form, opsgenie as opsgenie_api, pagerduty as pagerduty_events,
    prometheus as prometheus_alerts,
};
use serde_json::json;

use super::{now, refusal_holds};

static RULE: LazyLock<Rule> = LazyLock::new(Rule::default);
static OWN: LazyLock<ServiceName> = LazyLock::new(|| ServiceName::new("athens").unwrap());

fn context(service: Option<&ServiceName>) -> Context<'_> {
    Context { rule: &RULE, service, now: now() }
}

/// Checks that a translated alert is a valid report, whatever the alert contained.
fn holds(signal: &Translated) {
    match signal {
        Err(invalid) => refusal_holds(invalid),
        Ok(Signal::Report(trouble)) => {
            for recurrence in [Recurrence::Fresh, Recurrence::Flapping] {
                let report = trouble.report(recurrence).expect("everything is cut to the limits of a report");
                assert_eq!((report.service(), report.dedup_key()), (trouble.service(), Some(trouble.key())));
                assert!(format!("{report:?}").len() < 8 * Report::MAX_BYTES);
            }
        }
        Ok(Signal::Recovery(recovery)) => {
            if let Some(trouble) = recovery.or_else.clone() {
                holds(&Ok(Signal::Report(trouble)));
            }
        }
        Ok(Signal::Acknowledgement(_) | Signal::Release(_) | Signal::Note(_) | Signal::Nothing(_)) => {}
    }
}

fn all_hold(alerts: &[Translated]) {
    // The last one may tell what is beyond.
    assert!(alerts.len() <= MAX_ALERTS + 1);
    alerts.iter().for_each(holds);
}

type Webhook = fn(&[u8], &Context<'_>) -> Result<prometheus_alerts::Webhook, inresponse_core::InvalidInput>;

fn webhook(read: Webhook, body: &[u8]) {
    match read(body, &context(None)) {
        Ok(webhook) => all_hold(&webhook.alerts),
        Err(invalid) => refusal_holds(&invalid),
    }
}

pub(super) fn alertmanager(body: &[u8]) {
    webhook(prometheus_alerts::webhook, body);
}

pub(super) fn grafana(body: &[u8]) {
    webhook(grafana_webhook::webhook, body);
}

pub(super) fn prometheus(body: &[u8]) {
    match prometheus_alerts::alerts(body, &context(Some(&OWN))) {
        Ok(alerts) => all_hold(&alerts),
        Err(invalid) => refusal_holds(&invalid),
    }
}

pub(super) fn nagios(body: &[u8]) {
    holds(&nagios_form::notification(body, &context(None)));
}

pub(super) fn pagerduty(body: &[u8]) {
    match pagerduty_events::Event::read(body) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(event) => {
            let shown = format!("{event:?}");
            let key = pagerduty_events::routing_key(body).ok().flatten();
            if let Some(key) = key.filter(|key| key.len() > 40) {
                assert!(!shown.contains(&key), "the key appears in {shown}");
            }
            let translated = event.translate(body, &context(Some(&OWN)));
            holds(&translated.map(|t| {
                assert!(!t.dedup_key.is_empty());
                t.signal
            }));
        }
    }
}

/// Reads a line with identifier and type, and the body.
pub(super) fn opsgenie(data: &[u8]) {
    let context = context(Some(&OWN));
    holds(&opsgenie_api::create(data, &context));
    let (line, body) = split(data, b'\n');
    let Ok(line) = std::str::from_utf8(line) else { return };
    let (identifier, kind) = line.split_once(' ').map_or((line, None), |(id, kind)| (id, Some(kind)));
    match opsgenie_api::subject(identifier, kind) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(subject) => {
            for asked in [Asked::Acknowledge, Asked::Unacknowledge, Asked::Note, Asked::Close, Asked::Create]
            {
                holds(&opsgenie_api::act(asked, subject.clone(), body, &context));
            }
        }
    }
}

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    serde_json::from_value(json!({
        "alerts": "/alerts", "title": "/summary", "message": { "default": "" }, "service": "/service",
        "severity": "/severity", "key": "/alias", "status": "/status", "detected-at": "/timestamp",
        "all-labels": "/labels", "labels": { "x": "/labels/job", "": "/name" }, "links": { "": "/href" },
    }))
    .unwrap()
});

/// Reads a mapping as in a config, a zero byte, and the document; or a document for a mapping that reads everything.
pub(super) fn generic(data: &[u8]) {
    let (head, tail) = split(data, 0);
    let own = serde_json::from_slice::<Mapping>(head).ok();
    let (mapping, body) = own.as_ref().map_or((&*MAPPING, data), |mapping| (mapping, tail));
    match generic::alerts(body, "sender", mapping, &context(None)) {
        Ok(alerts) => all_hold(&alerts),
        Err(invalid) => refusal_holds(&invalid),
    }
}

/// Checks that nobody except Amazon can sign for Amazon.
pub(super) fn sns(body: &[u8]) {
    if let Some(translated) = event(body, &context(None)) {
        holds(&translated);
    }
    const CERTIFICATE: &[u8] =
        include_bytes!("../../../inresponse-intake/tests/payloads/sns-certificate.pem");
    const ALARM: &[u8] = include_bytes!("../../../inresponse-intake/tests/payloads/sns-alarm.json");
    match Envelope::read(body) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(envelope) => {
            if let Err(invalid) = envelope.certificate_url() {
                refusal_holds(&invalid);
            }
            // The first alarm of the corpus was signed for the tests. A changed alarm has no valid signature.
            if let Err(invalid) = envelope.verify(CERTIFICATE, now()) {
                refusal_holds(&invalid);
            }
        }
    }
    let certificate = body;
    if certificate != CERTIFICATE && !certificate.starts_with(&CERTIFICATE[..64]) {
        let invalid = Envelope::read(ALARM).unwrap().verify(certificate, now()).map(|_| ()).unwrap_err();
        refusal_holds(&invalid);
    }
}

/// Reads the name of a topic, a line break, and the published text.
pub(super) fn cloudwatch(data: &[u8]) {
    let (topic, message) = split(data, b'\n');
    let (Ok(topic), Ok(message)) = (std::str::from_utf8(topic), std::str::from_utf8(message)) else { return };
    if let Some(translated) = inresponse_intake::fuzzing::alarm(message, topic, &context(None)) {
        holds(&translated);
    }
}

/// The bytes before the first `at`, and those after it.
fn split(data: &[u8], at: u8) -> (&[u8], &[u8]) {
    let place = data.iter().position(|byte| *byte == at).unwrap_or(data.len());
    (&data[..place], data.get(place + 1..).unwrap_or_default())
}
