//! Nagios and Icinga.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::statuses;
use crate::world::{Answer, REPORT, World};

impl World {
    async fn notified(&self, form: &str) -> Answer {
        self.call(REPORT, Method::POST, "/intake/nagios", form.to_owned()).await
    }
}

/// 02:30 and so on, of the day on which the tests' clock starts.
const HALF_PAST: u64 = 1_795_487_400;

fn problem(state: &str) -> String {
    format!(
        "type=PROBLEM&host=web-1&check=HTTP&state={state}&output=connect+refused+%26+gone&long_output=a%5Cnb\
         &since={HALF_PAST}&url=https%3A%2F%2Fnagios.example.org&label.service=athens&label.severity=$"
    )
}

#[tokio::test]
async fn problem_acknowledgement_and_recovery_do_what_they_say() {
    let world = World::new().await;
    assert_eq!(statuses(&world.notified(&problem("WARNING")).await), ["opened"]);
    assert_eq!(world.incident(10_000).await["severity"], "WARN");
    assert_eq!(statuses(&world.notified(&problem("CRITICAL")).await), ["counted"]);
    let incident = world.incident(10_000).await;
    assert_eq!(
        (&incident["title"], &incident["severity"]),
        (&json!("HTTP on web-1 is WARNING"), &json!("CRIT"))
    );
    assert_eq!(
        (&incident["message"], &incident["dedupKey"]),
        (&json!("connect refused & gone\na\nb"), &json!("web-1/HTTP"))
    );
    assert_eq!(incident["labels"], json!({ "service": "athens", "host": "web-1", "check": "HTTP" }));
    assert_eq!(incident["links"], json!([{ "text": "Monitoring", "url": "https://nagios.example.org" }]));
    assert_eq!(incident["detectedAt"], "2026-11-24T02:30:00Z");

    let other = |kind: &str, at: u64| {
        format!("type={kind}&host=web-1&check=HTTP&state=OK&author=jo&since={at}&label.service=athens")
    };
    assert_eq!(statuses(&world.notified(&other("ACKNOWLEDGEMENT", HALF_PAST + 90)).await), ["acknowledged"]);
    assert_eq!(world.incident(10_000).await["claimedBy"], "jo");
    for kind in ["FLAPPINGSTART", "DOWNTIMESTART", "CUSTOM"] {
        assert_eq!(statuses(&world.notified(&other(kind, HALF_PAST + 95)).await), ["unchanged"], "{kind}");
    }
    let old = other("RECOVERY", HALF_PAST - 60);
    assert_eq!(statuses(&world.notified(&old).await), ["unchanged"], "of trouble before it");
    assert_eq!(statuses(&world.notified(&other("RECOVERY", HALF_PAST + 120)).await), ["resolved"]);
    assert_eq!(statuses(&world.notified(&problem("CRITICAL")).await), ["unchanged"], "it came late");
}

#[tokio::test]
async fn a_host_that_is_down_is_an_incident_too() {
    let world = World::new().await;
    let down = "type=PROBLEM&host=web-1&state=DOWN&output=no+ping&label.service=athens&check=$SERVICEDESC$\
                &since=1795487400.123456";
    assert_eq!(statuses(&world.notified(down).await), ["opened"]);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["title"], &incident["severity"]), (&json!("web-1 is DOWN"), &json!("CRIT")));
    assert_eq!(
        (&incident["dedupKey"], &incident["detectedAt"]),
        (&json!("web-1"), &json!("2026-11-24T02:30:00Z"))
    );
}

#[tokio::test]
async fn p16_invalid_input_is_refused_by_its_field() {
    let world = World::new().await;
    let cases = [
        ("", vec!["alerts[0].type", "alerts[0].host"]),
        ("type=PROBLEM", vec!["alerts[0].host"]),
        ("type=PROBLEM&host=$HOSTNAME$", vec!["alerts[0].host"]),
        ("{\"type\":1}", vec!["alerts[0].type", "alerts[0].host"]),
    ];
    for (form, fields) in cases {
        let answer = world.notified(form).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::UNPROCESSABLE_ENTITY, fields), "{form}");
    }
    assert_eq!(world.notified(&"a=b&".repeat(300)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.all().await, []);
}
