//! Keys that are added and removed, and a token secret that is replaced, by updates of the stack.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_http::{Scope, hash_of};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cloud::{Cloud, KEY};
use crate::contract::{Deployment, Scene};
use inresponse_testkit::access::{self, Visitors, sign_in};
use inresponse_testkit::over_http::OverHttp;

/// One key of few scopes, beside the stack's own of all scopes. The tests of the router try the other scopes: the
/// emulator takes a tenth of a second for each request.
const KEYS: [(&str, &[Scope]); 1] = [("key-that-may-report", &[Scope::Report])];
const REMOVED: (&str, &[Scope]) = ("key-that-was-removed", &Scope::ALL);
/// As `cargo xtask cloud` deploys it.
const OLD_SECRET: &str = "0123456789abcdef0123456789abcdef";
const NEW_SECRET: &str = "fedcba9876543210fedcba9876543210";
/// How long an update may take: tries, a quarter of a second apart.
const TRIES: u32 = 1200;

fn listed(keys: &[(&str, &[Scope])]) -> String {
    let entry = |(key, scopes): &(&str, &[Scope])| {
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        json!({ "name": key, "hash": hash_of(key), "scopes": scopes })
    };
    Value::from_iter(keys.iter().map(entry)).to_string()
}

/// Updates the stack to these parameters; the others stay as they are.
async fn update(cloud: &Cloud, changed: &[(&str, &str)]) {
    let kept = ["MailFrom", "ApiKey", "ApiKeys", "Channels", "TokenSecret", "DeletionProtection"];
    let kept = kept.iter().filter(|name| !changed.iter().any(|(other, _)| other == *name));
    let kept = kept.map(|name| (*name, "UsePreviousValue", "true"));
    let changed = changed.iter().map(|(name, value)| (*name, "ParameterValue", *value));
    let mut fields: Vec<(String, &str)> = [
        ("Action", "UpdateStack"),
        ("Version", "2010-05-15"),
        ("StackName", &cloud.stack),
        ("UsePreviousTemplate", "true"),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (place, (name, what, value)) in kept.chain(changed).enumerate() {
        let member = format!("Parameters.member.{}", place + 1);
        fields.push((format!("{member}.ParameterKey"), name));
        fields.push((format!("{member}.{what}"), value));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    cloud.query("cloudformation", &fields).await;
    let describe =
        [("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", cloud.stack.as_str())];
    for _ in 0..TRIES {
        let told = cloud.query("cloudformation", &describe).await;
        if told.contains("<StackStatus>UPDATE_COMPLETE</StackStatus>") {
            return;
        }
        assert!(told.contains("_IN_PROGRESS</StackStatus>"), "{told}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("the update of the stack does not end");
}

#[tokio::test]
async fn p20_what_an_update_of_the_stack_removes_or_replaces_is_refused_at_every_door() {
    let cloud = Cloud::here();
    let (url, client) = cloud.api();
    let at = OverHttp { url, client };
    update(&cloud, &[("ApiKeys", &listed(&[&KEYS[..], &[REMOVED]].concat()))]).await;
    let ended = sign_in(&at, REMOVED.0).await.expect("it was just added");
    let scene = Scene::with_long_wait(&cloud, "rotation", "jo").await;
    let incident = scene.report().await;
    let mail = scene.mails("jo", 1).await.remove(0);
    let start = mail.find(&format!("/incidents/{incident}/claim?token=")).expect("the mail has a link");
    let link: String = mail[start..].chars().take_while(|c| !c.is_whitespace() && *c != '"').collect();
    let page = async || client.get(format!("{url}{link}")).send().await.unwrap().status();
    assert_eq!(page().await, StatusCode::OK);

    let now = SystemClock::new().now();
    let at_time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (long_ago, just_now) = (at_time(now - TimeDelta::days(8)), at_time(now));
    let replaced = [("TokenSecret", NEW_SECRET), ("PreviousTokenSecret", OLD_SECRET)];
    let keys = listed(&KEYS);
    let rest = [("ApiKeys", keys.as_str()), ("TokenSecretReplacedAt", long_ago.as_str())];
    update(&cloud, &[&replaced[..], &rest].concat()).await;
    assert_eq!(page().await, StatusCode::FORBIDDEN, "its secret was replaced more than seven days ago");
    let rest = [("TokenSecretReplacedAt", just_now.as_str())];
    update(&cloud, &[&replaced[..], &rest].concat()).await;
    assert_eq!(page().await, StatusCode::OK, "its secret was replaced just now");

    let keys = [&[(KEY, &Scope::ALL[..])][..], &KEYS[..]].concat();
    let visitors = Visitors {
        keys: &keys,
        removed: REMOVED.0,
        ended: &ended,
        incident,
        body_of_strangers: 0,
        // The emulator answers all calls of all functions in one process.
        at_once: 2,
    };
    access::every_door_takes_what_the_table_says(&at, &visitors).await;
    let resolved = json!({ "state": "RESOLVED" });
    let resolved = scene.call(Method::POST, &format!("/incidents/{incident}"), Some(resolved)).await;
    assert_eq!(resolved.status, StatusCode::OK, "{resolved:?}");
}
