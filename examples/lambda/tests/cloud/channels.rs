//! An alert goes out as a text message and as a push, and the answers come back through API Gateway.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cloud::{Cloud, variable};
use crate::contract::Deployment;
use crate::twilio::signed;

/// The number of looks, half a second apart, for what must come.
const LOOKS: u32 = 360;

/// The account that `cargo xtask cloud` writes into the secret.
const SID: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "cloud-test-token-0123456789abcde";
const FROM: &str = "+15005550006";

/// What the carriers got of that kind and for that recipient.
async fn carried(cloud: &Cloud, kind: &str, to: (&str, &str)) -> Value {
    let url = format!("{}/calls", variable("INRESPONSE_TEST_PROXY"));
    let (_, client) = cloud.api();
    for _ in 0..LOOKS {
        let calls = client.get(&url).send().await.unwrap().text().await.unwrap();
        let mut calls = calls.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        if let Some(call) = calls.find(|call| call[kind][to.0] == to.1) {
            return call[kind].clone();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no {kind} came for {to:?}");
}

async fn call(cloud: &Cloud, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
    let (url, client) = cloud.api();
    let mut request = client.request(method, format!("{url}{path}")).header("x-api-key", cloud.key());
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Reports an incident of a service that alerts these contacts at once.
async fn reported(cloud: &Cloud, name: &str, contacts: &[&str]) -> u64 {
    let put = reqwest::Method::PUT;
    let team = json!({ "fallback": contacts, "escalateAfterSeconds": 3600 });
    call(cloud, put.clone(), &format!("/teams/{name}"), Some(team)).await;
    call(cloud, put.clone(), &format!("/services/{name}"), Some(json!({ "team": name }))).await;
    let report = json!({ "service": name, "severity": "CRIT", "title": "5xx", "message": "many" });
    call(cloud, put, "/incidents", Some(report)).await["incidentId"].as_u64().unwrap()
}

async fn state(cloud: &Cloud, number: u64) -> Value {
    call(cloud, reqwest::Method::GET, &format!("/incidents/{number}"), None).await["state"].clone()
}

#[tokio::test]
async fn p20_a_signed_reply_to_a_text_message_claims() {
    const JO: &str = "+302101230001";
    let cloud = Cloud::here();
    let number = reported(&cloud, "texted", &[&format!("sms:{JO}"), "ntfy:texted-7dA"]).await;
    let text = carried(&cloud, "text", ("To", JO)).await;
    carried(&cloud, "push", ("topic", "texted-7dA")).await;
    let code = format!("{number}c");
    assert!(text["Body"].as_str().unwrap().contains(&format!("Reply {code} to claim")), "{text}");
    // Twilio signs the URL that the functions believe to have.
    let public_url = text["StatusCallback"].as_str().unwrap().split("/channels/").next().unwrap();
    let (api, client) = cloud.api();
    let replies = async |token: &str| {
        let form = [
            ("AccountSid", SID),
            ("Body", &*code),
            ("From", JO),
            ("MessageSid", "SM0123456789abcdef0123456789abcdef"),
            ("To", FROM),
        ];
        let (body, signature) = signed(&format!("{public_url}/channels/twilio/sms"), token, &form);
        let request = client.post(format!("{api}/channels/twilio/sms")).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let answer = request.header("x-twilio-signature", signature).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let (status, _) = replies("another-token-0123456789abcdef01").await;
    assert_eq!((status, state(&cloud, number).await), (StatusCode::FORBIDDEN, json!("OPEN")));
    let (status, told) = replies(TOKEN).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert!(told.contains(&format!("You have incident {number} now")), "{told}");
    assert_eq!(state(&cloud, number).await, "CLAIMED");
}

#[tokio::test]
async fn p20_the_button_of_a_push_claims() {
    let cloud = Cloud::here();
    let number = reported(&cloud, "pushed", &["ntfy:pushed-7dA"]).await;
    let push = carried(&cloud, "push", ("topic", "pushed-7dA")).await;
    let button = push["actions"][0]["url"].as_str().unwrap();
    let path = button.split_once("/channels/").unwrap().1;
    let (api, client) = cloud.api();
    let answer = client.post(format!("{api}/channels/{path}")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(state(&cloud, number).await, "CLAIMED");
}
