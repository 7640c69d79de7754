//! What the emulated cloud and the proxy in front of it are told and asked.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::contract::Deployment;

/// What the functions were denied for want of a permission, oldest first.
pub(crate) async fn denials(cloud: &Cloud) -> Vec<String> {
    let proxy = std::env::var("INRESPONSE_TEST_PROXY").expect("run `cargo xtask cloud`");
    let (_, client) = cloud.api();
    let calls = client.get(format!("{proxy}/calls")).send().await.unwrap().text().await.unwrap();
    let denial =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["denied"].as_str().map(str::to_owned);
    calls.lines().filter_map(denial).collect()
}

/// The names of the stack's schedules.
pub(crate) async fn schedules(cloud: &Cloud) -> Vec<String> {
    let listed = events(cloud, "ListRules", &json!({ "NamePrefix": cloud.stack })).await;
    let rules = listed["Rules"].as_array().unwrap().iter();
    rules.map(|rule| rule["Name"].as_str().unwrap().to_owned()).collect()
}

/// Calls the service of schedules.
pub(crate) async fn events(cloud: &Cloud, operation: &str, call: &Value) -> Value {
    let request = cloud.signed("events", "/").header("x-amz-target", format!("AWSEvents.{operation}"));
    let request = request.header("content-type", "application/x-amz-json-1.1").body(call.to_string());
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{operation} {call}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}
