//! What goes wrong in a cloud; `proxy.py` does it.

use std::time::Duration;

use aws_sdk_sfn::Client;
use reqwest::StatusCode;
use serde_json::json;

use crate::cloud::Cloud;
use crate::contract::{Scene, nothing_more_comes};

/// Longer than the sweeper's period and all that comes with it.
const SWEPT: Duration = Duration::from_secs(300);
/// Longer than a lease and all that comes with it.
const LEASE_OVER: Duration = Duration::from_secs(240);

fn executions(cloud: &Cloud) -> (Client, String) {
    let arn = format!("arn:aws:states:eu-central-1:000000000000:stateMachine:{}-escalation", cloud.stack);
    (Client::new(&cloud.aws()), arn)
}

async fn claim(scene: &Scene<'_, Cloud>, number: u64) {
    let claimed =
        scene.post("/incidents", json!({ "incidentId": number, "state": "CLAIMED", "by": "kim" })).await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
}

#[tokio::test]
async fn p12_a_recipient_that_ses_refuses_is_not_waited_for() {
    let cloud = Cloud::here();
    let scene = Scene::with_long_wait(&cloud, "refused", "reject").await;
    let number = scene.report().await;
    scene.mails("kim", 1).await;
    let incident = scene.incident(number).await;
    assert_eq!(incident["deliveries"][0]["status"], "dead", "{incident:#}");
    claim(&scene, number).await;
}

#[tokio::test]
async fn p09_what_ses_throttles_is_sent_later() {
    let cloud = Cloud::here();
    let scene = Scene::with_on_call(&cloud, "throttled", "busy").await;
    let number = scene.report().await;
    scene.mails_within("busy", 1, LEASE_OVER).await;
    scene.mails("kim", 1).await;
    claim(&scene, number).await;
    let incident = scene.incident(number).await;
    assert_eq!(incident["deliveries"][0]["attempts"], 3, "{incident:#}");
}

#[tokio::test]
async fn p10_a_mail_whose_answer_is_lost_is_repeated_under_the_same_name() {
    let cloud = Cloud::here();
    let scene = Scene::with_on_call(&cloud, "unanswered", "lose").await;
    let number = scene.report().await;
    let mails = scene.mails_within("lose", 2, LEASE_OVER).await;
    let delivery = |mail: &String| {
        let told = mail.rsplit("delivery ").next().unwrap();
        told.split([',', '\r', '\n']).next().unwrap().to_owned()
    };
    assert_eq!(delivery(&mails[0]), delivery(&mails[1]));
    claim(&scene, number).await;
    let incident = scene.incident(number).await;
    assert_eq!(incident["deliveries"][0]["deliveryId"], json!(delivery(&mails[0])), "{incident:#}");
}

#[tokio::test]
async fn p13_a_mail_that_hangs_does_not_delay_the_next_level() {
    let cloud = Cloud::here();
    let scene = Scene::with_on_call(&cloud, "hanging", "hang").await;
    let number = scene.report().await;
    scene.mails("kim", 1).await;
    let incident = scene.incident(number).await;
    // Its first attempt hung, and the next level did not wait for one that would not.
    assert_ne!(incident["deliveries"][0]["status"], "accepted", "{incident:#}");
    claim(&scene, number).await;
}

#[tokio::test]
async fn p09_a_notifier_that_is_killed_in_mid_send_sends_again_when_its_lease_is_over() {
    let cloud = Cloud::here();
    let scene = Scene::with_on_call(&cloud, "killed", "die").await;
    let number = scene.report().await;
    scene.mails("kim", 1).await;
    scene.mails_within("die", 1, LEASE_OVER).await;
    claim(&scene, number).await;
    let incident = scene.incident(number).await;
    assert_eq!(incident["deliveries"][0]["attempts"], 2, "{incident:#}");
    assert_eq!(incident["deliveries"][0]["status"], "accepted", "{incident:#}");
}

#[tokio::test]
async fn p09_an_incident_whose_execution_could_not_be_started_is_swept_up() {
    let cloud = Cloud::here();
    let scene = Scene::new(&cloud, "startless").await;
    let number = scene.report().await;
    scene.mails_within("jo", 1, SWEPT).await;
    scene.mails("kim", 1).await;
    claim(&scene, number).await;
}

#[tokio::test]
async fn p09_an_incident_whose_execution_died_is_swept_up() {
    let cloud = Cloud::here();
    let scene = Scene::new(&cloud, "orphaned").await;
    let number = scene.report().await;
    scene.mails("jo", 1).await;
    let (sfn, machine) = executions(&cloud);
    let execution = machine.replace(":stateMachine:", ":execution:");
    let dead = sfn.stop_execution().execution_arn(format!("{execution}:incident-{number}-0")).send().await;
    dead.unwrap();
    scene.mails_within("kim", 1, SWEPT).await;
    claim(&scene, number).await;
    nothing_more_comes(&scene, number, "claimedAt").await;
}

#[tokio::test]
async fn p10_executions_that_are_started_twice_send_once() {
    let cloud = Cloud::here();
    let scene = Scene::new(&cloud, "doubled").await;
    let number = scene.report().await;
    let (sfn, machine) = executions(&cloud);
    for i in 0..3 {
        let input = json!({ "incidentId": number, "wake": 0, "loop": 0 }).to_string();
        let start = sfn.start_execution().state_machine_arn(&machine).name(format!("again-{number}-{i}"));
        start.input(input).send().await.unwrap();
    }
    scene.mails("kim", 1).await;
    scene.mails("ops", 1).await;
    assert_eq!(scene.later(["jo", "kim", "ops"]).await, [1, 1, 1]);
}

#[tokio::test]
async fn p09_an_execution_that_has_come_round_often_hands_over_to_another() {
    let cloud = Cloud::here();
    let scene = Scene::new(&cloud, "startless-handover").await;
    let number = scene.report().await;
    let (sfn, machine) = executions(&cloud);
    // The first could not be started; this one is near its end.
    let input = json!({ "incidentId": number, "wake": 0, "loop": 499 }).to_string();
    let start = sfn.start_execution().state_machine_arn(&machine).name(format!("old-{number}"));
    start.input(input).send().await.unwrap();
    scene.mails("kim", 1).await;
    let execution = machine.replace(":stateMachine:", ":execution:");
    let of = |name: String| sfn.describe_execution().execution_arn(format!("{execution}:{name}")).send();
    let old = of(format!("old-{number}")).await.unwrap();
    assert_eq!(old.status().as_str(), "SUCCEEDED");
    assert!(of(format!("incident-{number}-1")).await.is_ok());
    claim(&scene, number).await;
    nothing_more_comes(&scene, number, "claimedAt").await;
}

#[tokio::test]
async fn p04_p10_writes_whose_answers_are_lost_neither_lose_nor_double_anything() {
    let cloud = Cloud::here();
    let scene = Scene::new(&cloud, "slowdb").await;
    let mut body = scene.report_body();
    body["dedupKey"] = json!("5xx");
    let reported = scene.put("/incidents", body.clone()).await;
    assert_eq!(reported.status, StatusCode::CREATED, "{reported:?}");
    let number = reported.body["incidentId"].as_u64().unwrap();
    let again = scene.put("/incidents", body).await;
    assert_eq!((again.status, &again.body["incidentId"]), (StatusCode::OK, &json!(number)), "{again:?}");
    scene.mails("jo", 1).await;
    scene.mails("kim", 1).await;
    claim(&scene, number).await;
    nothing_more_comes(&scene, number, "claimedAt").await;
    assert_eq!(scene.incident(number).await["count"], 2);
}

#[tokio::test]
async fn p12_a_mail_that_bounces_brings_the_next_level_at_once() {
    let cloud = Cloud::here();
    let scene = Scene::with_long_wait(&cloud, "bouncing", "jo").await;
    let number = scene.report().await;
    scene.mails("jo", 1).await;
    let delivery = scene.incident(number).await["deliveries"][0]["deliveryId"].clone();
    let topic = std::env::var("INRESPONSE_TEST_BOUNCES").expect("run `cargo xtask cloud`");
    let bounce = json!({
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{
                "emailAddress": scene.person("jo"),
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }],
            "timestamp": "2026-11-24T12:00:00.000Z",
            "feedbackId": "x",
        },
        "mail": {
            "timestamp": "2026-11-24T12:00:00.000Z",
            "source": "alerts@example.org",
            "messageId": "x",
            "destination": [scene.person("jo")],
            "tags": {
                "inresponse-incident": [number.to_string()],
                "inresponse-delivery": [delivery],
            },
        },
    });
    cloud.publish(&topic, &bounce).await;
    scene.mails("kim", 1).await;
    let incident = scene.incident(number).await;
    assert_eq!(incident["deliveries"][0]["status"], "dead", "{incident:#}");
    assert_eq!(incident["deliveries"][0]["lastOutcome"]["kind"], "bounced", "{incident:#}");
    claim(&scene, number).await;
}
