//! Keys: how they are shown, and how wrong ones are refused.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::{DOORS, TrustedProxies};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::world::{ATHENS, REPORT, RESPOND, World, report};

#[tokio::test]
async fn every_call_of_the_served_document_is_in_the_table() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.json;
    let mut calls = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        calls.extend(item.as_object().unwrap().keys().map(|m| (m.to_ascii_uppercase(), path.clone())));
    }
    let doors: BTreeSet<_> = DOORS.iter().map(|d| (d.method.to_owned(), d.path.to_owned())).collect();
    assert!(calls.len() >= 37 && calls.is_subset(&doors), "{:?}", calls.difference(&doors));
}

#[tokio::test]
async fn a_bearer_token_is_a_key_too() {
    let world = World::new().await;
    for (header, status) in [
        (format!("Bearer {REPORT}"), StatusCode::CREATED),
        (format!("bearer {REPORT}"), StatusCode::CREATED),
        (format!("Basic {REPORT}"), StatusCode::UNAUTHORIZED),
        (REPORT.to_owned(), StatusCode::UNAUTHORIZED),
    ] {
        let request = Request::builder().method("PUT").uri("/incidents").header("authorization", &header);
        let answer = world.send(request.body(Body::from(report().to_string())).unwrap()).await;
        assert_eq!(answer.status, status, "{header}");
    }
}

/// A request with that key, by that address, over a proxy on this machine.
fn by(address: &str, key: &str, path: &str) -> Request<Body> {
    let request = Request::get(path).header("x-api-key", key).header("x-forwarded-for", address);
    let mut request = request.body(Body::empty()).unwrap();
    let proxy: SocketAddr = "127.0.0.1:4711".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(proxy));
    request
}

/// What is answered while no time passes.
async fn at_once(world: &World, request: Request<Body>) -> Option<StatusCode> {
    let nothing = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        answer = world.send(request) => Some(answer.status),
        () = nothing => None,
    }
}

#[tokio::test]
async fn p13_who_tries_many_keys_is_slowed_and_nobody_with_a_right_one() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await.behind(TrustedProxies::new(["127.0.0.0/8"]).unwrap());
    let (thief, other) = ("203.0.113.7", "198.51.100.9");
    let wrong = |address: &str| at_once(&world, by(address, "key-of-nobody", "/incidents"));
    for _ in 0..20 {
        assert_eq!(wrong(thief).await, Some(StatusCode::UNAUTHORIZED));
    }
    for _ in 0..100 {
        assert_eq!(wrong(thief).await, None, "it was answered at once");
    }
    // It is the wrong key that waits: nobody else's, and nobody who has a right one.
    assert_eq!(wrong(other).await, Some(StatusCode::UNAUTHORIZED));
    for address in [other, thief] {
        assert_eq!(at_once(&world, by(address, RESPOND, "/incidents")).await, Some(StatusCode::OK));
        assert_eq!(at_once(&world, by(address, REPORT, "/incidents")).await, Some(StatusCode::FORBIDDEN));
        assert_eq!(at_once(&world, by(address, "", "/healthz")).await, Some(StatusCode::OK));
    }
    // The answer comes, and is the same.
    let pass = async {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_millis(500));
    };
    let (late, ()) = tokio::join!(world.send(by(thief, "key-of-nobody", "/incidents")), pass);
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    // After a while it has all of its allowance again.
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(wrong(thief).await, Some(StatusCode::UNAUTHORIZED));
    let counted = counted.render();
    assert!(counted.contains("inresponse_requests_refused_total{reason=\"wrong_key\"} 123"), "{counted}");
}

#[cfg(feature = "pages")]
#[tokio::test]
async fn p13_who_fails_to_sign_in_many_times_is_slowed_too() {
    let world = World::new().await;
    let sign_in = |key: &str| {
        let mut request =
            Request::post("/board/sign-in").body(Body::from(format!("key={key}&name=Jo"))).unwrap();
        let peer: SocketAddr = "[2001:db8::7]:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        at_once(&world, request)
    };
    for n in 0..40 {
        let answer = (n < 20).then_some(StatusCode::FORBIDDEN);
        assert_eq!(sign_in("key-of-nobody").await, answer, "{n}");
    }
    assert_eq!(sign_in(RESPOND).await, Some(StatusCode::SEE_OTHER));
}

/// A guess is made at a page, at the page to sign in, which leads on with a right one, and at the API document.
#[cfg(feature = "pages")]
#[tokio::test]
async fn p13_who_guesses_sessions_is_slowed_too_and_nobody_with_a_right_one() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let form = Request::post("/board/sign-in").body(Body::from(format!("key={RESPOND}&name=Jo")));
    let signed_in = world.send(form.unwrap()).await;
    let right = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    // The name of the key is no secret.
    let (known, secret) = right.rsplit_once('.').unwrap();
    let guess = format!("{known}.{}", "A".repeat(secret.len()));
    let by = |address: &str, cookie: &str, path: &str| {
        let mut request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address.parse().unwrap(), 4711)));
        at_once(&world, request)
    };
    let mut doors = vec![("/", StatusCode::SEE_OTHER), ("/board/sign-in", StatusCode::OK)];
    if cfg!(feature = "docs") {
        doors.push(("/docs/openapi.json", StatusCode::UNAUTHORIZED));
    }
    for (place, (path, refused)) in doors.iter().enumerate() {
        let thief = format!("203.0.113.{place}");
        for n in 0..40 {
            assert_eq!(by(&thief, &guess, path).await, (n < 20).then_some(*refused), "{path}, {n}");
        }
        assert_eq!(by("198.51.100.9", &guess, path).await, Some(*refused), "of another address");
        // It is the guess that waits: not a right session, nor a request that shows none.
        let led_on = if *path == "/board/sign-in" { StatusCode::SEE_OTHER } else { StatusCode::OK };
        assert_eq!(by(&thief, &right, path).await, Some(led_on), "{path}");
        assert_eq!(by(&thief, "inresponse=", path).await, Some(*refused), "{path}");
    }
    let refused = 41 * doors.len();
    let line = format!("inresponse_requests_refused_total{{reason=\"session\"}} {refused}");
    assert!(counted.render().contains(&line), "{}", counted.render());
}

#[tokio::test]
async fn a_key_of_one_service_reports_for_no_other() {
    let world = World::new().await;
    world.put("/services/paris", json!({ "team": "devops" })).await;
    let mut given = report();
    let answer = world.call(ATHENS, Method::PUT, "/incidents", given.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    given["service"] = json!("paris");
    let answer = world.call(ATHENS, Method::PUT, "/incidents", given.to_string()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("restricted to the service `athens`"), "{}", answer.text);
    assert_eq!(world.get("/incidents?service=paris").await.json["incidents"], json!([]));
}
