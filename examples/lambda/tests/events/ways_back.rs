//! An alert goes out over channels, and its answers come back through API Gateway.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::carriers::{self, FROM, SID, Sent, TOKEN};
use crate::runtime::{PUBLIC_URL, Tables, http};
use crate::twilio::signed;

const JO: &str = "+302101234567";

/// An API of the functions, with the carriers.
struct Cloud {
    tables: Tables,
    sent: Sent,
}

impl Cloud {
    /// A service whose team has a phone and an app.
    async fn new(name: &str) -> Self {
        let (sent, variables) = carriers::start().await;
        let cloud = Self { tables: Tables::new(name).await.with(variables), sent };
        let team = json!({ "fallback": [format!("sms:{JO}"), "ntfy:jo-7dA"] });
        let made = vec![
            http("PUT", "/teams/devops", Some(&team)),
            http("PUT", "/services/athens", Some(&json!({ "team": "devops" }))),
        ];
        for answer in cloud.tables.answered("processor", made).await {
            assert_eq!(answer["statusCode"], 200, "{answer}");
        }
        cloud
    }

    /// One request to the API: its status, and its body.
    async fn call(&self, event: Value) -> (u64, String) {
        let answers = self.tables.answered("processor", vec![event]).await;
        (
            answers[0]["statusCode"].as_u64().unwrap(),
            answers[0]["body"].as_str().unwrap_or_default().to_owned(),
        )
    }

    async fn report(&self) -> u64 {
        let report = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "many" });
        let (status, body) = self.call(http("PUT", "/incidents", Some(&report))).await;
        assert_eq!(status, 201, "{body}");
        let number = serde_json::from_str::<Value>(&body).unwrap()["incidentId"].as_u64().unwrap();
        self.alert(number).await;
        number
    }

    /// What the state machine calls.
    async fn alert(&self, number: u64) {
        let answers = self.tables.answered("notifier", vec![json!({ "incidentId": number })]).await;
        assert_eq!(answers[0]["done"], false, "{answers:?}");
    }

    async fn incident(&self, number: u64) -> Value {
        let (status, body) = self.call(http("GET", &format!("/incidents/{number}"), None)).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What a text message from jo is answered.
    async fn says(&self, text: &str, id: &str) -> String {
        let (status, body) = self.call(reply(text, id, TOKEN)).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// The id of a text message.
fn id(of: u32) -> String {
    format!("SM{of:032x}")
}

/// A reply as Twilio sends it through an HTTP API, signed with that token.
fn reply(text: &str, id: &str, token: &str) -> Value {
    let form = [("AccountSid", SID), ("Body", text), ("From", JO), ("MessageSid", id), ("To", FROM)];
    let path = "/channels/twilio/sms";
    let (body, signature) = signed(&format!("{PUBLIC_URL}{path}"), token, &form);
    let mut event = http("POST", path, None);
    event["headers"] = json!({
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-twilio-signature": signature,
    });
    // API Gateway encodes what is not JSON.
    event["body"] = json!(STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
    event
}

#[tokio::test]
async fn p20_a_reply_through_the_api_gateway_claims_once() {
    let cloud = Cloud::new("replies").await;
    let number = cloud.report().await;
    let texts = cloud.sent.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let value = |name: &str| texts[0].iter().find(|(other, _)| other == name).unwrap().1.clone();
    let code = format!("{number}c");
    assert!(value("Body").contains(&format!("Reply {code} to claim")), "{texts:?}");
    assert!(
        value("StatusCallback").starts_with(&format!("{PUBLIC_URL}/channels/twilio/status?")),
        "{texts:?}"
    );

    let (status, _) = cloud.call(reply(&code, &id(1), "another-token-0123456789abcdef01")).await;
    assert_eq!((status, &cloud.incident(number).await["state"]), (403, &json!("OPEN")), "it is forged");
    let told = cloud.says(&code, &id(1)).await;
    assert!(told.contains(&format!("You have incident {number} now")), "{told}");
    assert_eq!(cloud.incident(number).await["state"], "CLAIMED");
    // Each request has a process of its own: what came is remembered in the table.
    let told = cloud.says(&code, &id(1)).await;
    assert!(told.contains("You already have"), "{told}");
    let release = json!({ "state": "OPEN", "by": "ann", "takeOver": true });
    let (status, body) = cloud.call(http("POST", &format!("/incidents/{number}"), Some(&release))).await;
    assert_eq!(status, 200, "{body}");
    cloud.alert(number).await;
    let told = cloud.says(&code, &id(1)).await;
    assert!(told.contains("You have already answered that"), "{told}");
    assert_eq!(cloud.incident(number).await["state"], "OPEN");
    cloud.says(&code, &id(2)).await;
    assert_eq!(cloud.incident(number).await["state"], "CLAIMED");
}

#[tokio::test]
async fn p20_the_button_of_a_push_claims_through_the_api_gateway() {
    let cloud = Cloud::new("buttons").await;
    let number = cloud.report().await;
    let pushes = cloud.sent.pushes();
    assert_eq!(pushes.len(), 1, "{pushes:?}");
    let button = pushes[0]["actions"][0]["url"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap();
    let (path, query) = button.split_once('?').unwrap_or((button, ""));
    let mut press = http("POST", path, None);
    press["rawQueryString"] = json!(query);
    press["headers"] = json!({ "content-length": "0" });
    let (status, body) = cloud.call(press).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(cloud.incident(number).await["state"], "CLAIMED");
}

#[tokio::test]
async fn p16_an_address_that_no_channel_of_the_functions_reaches_is_refused() {
    let cloud = Cloud::new("unreached").await;
    for contact in ["command:page", "telegram:1234", "pushover:uQiRzpo4DXghDmr9QzzfQu27cmVRsG"] {
        let team = json!({ "fallback": [contact] });
        let (status, body) = cloud.call(http("PUT", "/teams/other", Some(&team))).await;
        assert!((400..500).contains(&status) && body.contains("fallback"), "{contact}: {status} {body}");
    }
}
