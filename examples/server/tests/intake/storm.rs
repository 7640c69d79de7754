//! A storm: ten thousand alerts at once, none lost and none doubled.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alertmanager::Alertmanager;
use crate::pages;
use crate::site::Site;

const ALERTS: usize = 10_000;

/// Alerts of a team that is alerted of nothing but what is critical: what is measured is intake.
fn alerts(from: usize, to: usize) -> Value {
    let alert = |i: usize| {
        json!({
            "labels": { "alertname": "Storm", "instance": format!("web-{i}"), "service": "storm", "severity": "warning",
                "job": "web", "cluster": "eu-1", "namespace": "shop" },
            "annotations": { "summary": format!("web-{i} does not answer"), "description": "It has not answered for a \
                minute. If many do not, look at the network first.", "runbook_url": "https://runbooks.example.org/web" },
            "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
            // Without an end, Alertmanager resolves an alert that is not repeated for five minutes. It
            // then drops what it could not deliver yet, and a slow machine may take that long.
            "endsAt": "2099-01-01T00:00:00Z",
        })
    };
    (from..to).map(alert).collect()
}

/// Every incident that there is, by the name of its instance.
async fn instances(site: &Site) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.server.get(&format!("/incidents?limit=500{cursor}")).await;
        let name = |i: &Value| i["labels"]["instance"].as_str().unwrap().to_owned();
        all.extend(page["incidents"].as_array().unwrap().iter().map(name));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn quiet_site() -> Site {
    let site = Site::new().await;
    let team = json!({ "fallback": ["storm@example.org"], "alertLevels": { "WARN": [] } });
    site.server.put("/teams/storm", team).await;
    site.server.put("/services/storm", json!({ "team": "storm" })).await;
    site
}

#[allow(clippy::disallowed_methods, reason = "what is measured is time on the wall")]
fn now() -> Instant {
    Instant::now()
}

async fn none_is_lost_and_none_doubled(site: &Site) {
    let all = instances(site).await;
    let distinct: HashSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (ALERTS, ALERTS));
}

#[tokio::test]
async fn alertmanager_delivers_ten_thousand_alerts() {
    let site = quiet_site().await;
    let config = pages::block_for(&site.server, "alertmanager.md", "yaml", 0);
    let alertmanager = Alertmanager::start(&site, &config).await;
    let client = reqwest::Client::new();
    let began = now();
    for from in (0..ALERTS).step_by(500) {
        let post = client.post(format!("{}/api/v2/alerts", alertmanager.url)).json(&alerts(from, from + 500));
        assert!(post.send().await.unwrap().status().is_success());
    }
    let (mut seen, mut stalled) = (0, 0);
    while seen < ALERTS && stalled < 1800 {
        // Numbers rise, so that of the newest incident says about how many there are.
        // In the midst of the storm it may be too busy to say.
        let (_, page) = site.server.call(Method::GET, "/incidents?limit=1", None).await;
        let newest = page["incidents"][0]["incidentId"].as_u64();
        let arrived = newest.map_or(seen, |number| number as usize - 9_999);
        stalled = if arrived > seen { 0 } else { stalled + 1 };
        seen = arrived;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed().as_secs_f64();
    assert!(seen >= ALERTS, "only {seen} arrived in {took:.1} s");
    none_is_lost_and_none_doubled(&site).await;
    println!(
        "{ALERTS} alerts by Alertmanager, one in each message: {took:.1} s, {:.0}/s",
        ALERTS as f64 / took
    );
}

#[tokio::test]
async fn ten_thousand_alerts_come_in_messages_of_a_hundred() {
    let site = quiet_site().await;
    let client = reqwest::Client::new();
    let send = |from: usize| {
        let post =
            client.post(format!("{}/api/v2/alerts", site.server.url)).bearer_auth("ir_your_monitoring_key");
        let post = post.json(&alerts(from, from + 100));
        async move {
            let answer = post.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
    };
    let mut times = Vec::new();
    for _ in 0..2 {
        let began = now();
        stream::iter((0..ALERTS).step_by(100).map(send)).buffer_unordered(8).collect::<Vec<_>>().await;
        times.push(began.elapsed().as_secs_f64());
        none_is_lost_and_none_doubled(&site).await;
    }
    let rate = |took: f64| ALERTS as f64 / took;
    println!(
        "{ALERTS} alerts, a hundred in each message, eight messages at once: new {:.2} s, {:.0}/s; repeated {:.2} s, {:.0}/s",
        times[0],
        rate(times[0]),
        times[1],
        rate(times[1])
    );
}

#[tokio::test]
async fn p09_a_server_that_is_killed_in_the_storm_loses_and_doubles_nothing() {
    const KILLS: usize = 3;
    let mut site = quiet_site().await;
    let url = Arc::new(Mutex::new(site.server.url.clone()));
    let done = Arc::new(AtomicUsize::new(0));
    let sender = tokio::spawn({
        let (url, done) = (Arc::clone(&url), Arc::clone(&done));
        let client = reqwest::Client::new();
        let send = move |from: usize| {
            let (url, done, client) = (Arc::clone(&url), Arc::clone(&done), client.clone());
            async move {
                // Whatever is not a 2xx is sent again, as every sender does.
                loop {
                    let url = format!("{}/api/v2/alerts", url.lock().unwrap());
                    let post = client
                        .post(url)
                        .bearer_auth("ir_your_monitoring_key")
                        .json(&alerts(from, from + 100));
                    if post.send().await.is_ok_and(|answer| answer.status().is_success()) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                done.fetch_add(1, Ordering::SeqCst);
            }
        };
        async move {
            stream::iter((0..ALERTS).step_by(100).map(send)).buffer_unordered(8).collect::<Vec<_>>().await
        }
    });
    for kill in 1..=KILLS {
        while done.load(Ordering::SeqCst) < kill * 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        site.crash().await;
        *url.lock().unwrap() = site.server.url.clone();
    }
    sender.await.unwrap();
    none_is_lost_and_none_doubled(&site).await;
}
