//! Who may do what: every route with every key, compared with the table.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::{Act, DOORS, Door, Proof, Scope, TrustedProxies};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::world::{ADMIN, ADMIN_ONLY, ATHENS, REMOVED, REPORT, RESPOND, World, report};

/// A key, its scopes, and whether it is known.
const KEYS: [(&str, &[Scope]); 4] = [
    (ADMIN, &Scope::ALL),
    (REPORT, &[Scope::Report]),
    (RESPOND, &[Scope::Respond]),
    (ADMIN_ONLY, &[Scope::Admin]),
];

/// Keys that are none.
const STRANGERS: [Option<&str>; 5] =
    [None, Some(""), Some("key-of-nobody"), Some("key-of-everythin"), Some(REMOVED)];

fn may(scopes: &[Scope], act: Act) -> bool {
    act.any_of().is_empty() || act.any_of().iter().any(|scope| scopes.contains(scope))
}

/// The path of a door, with something in the place of every parameter.
fn path_of(door: &Door) -> String {
    let part = |part: &str| match part {
        "{incidentId}" => "10000".to_owned(),
        "{day}" => "2026-01-01".to_owned(),
        "{name}" => "board.css".to_owned(),
        other => other.trim_matches(['{', '}']).to_owned(),
    };
    door.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn knock(world: &World, door: &Door, key: Option<&str>, body: &str) -> crate::world::Answer {
    let method: Method = door.method.parse().unwrap();
    let mut request = Request::builder().method(method).uri(path_of(door));
    if let Some(key) = key.filter(|_| door.proof != Proof::RoutingKey) {
        request = request.header("x-api-key", key);
    }
    let body = match (door.proof, key) {
        (Proof::RoutingKey, Some(key)) => json!({ "routing_key": key }).to_string(),
        (Proof::RoutingKey, None) => "{}".to_owned(),
        _ => body.to_owned(),
    };
    world.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn every_route_takes_the_keys_that_the_table_says_and_no_other() {
    let world = World::new().await;
    world.report().await;
    let with_key = [Proof::Key, Proof::SendersKey, Proof::RoutingKey];
    let mut seen = 0;
    for door in DOORS.iter().filter(|door| with_key.contains(&door.proof)) {
        for (key, scopes) in KEYS {
            let answer = knock(&world, door, Some(key), "").await;
            let is_let_in = ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
            assert_eq!(is_let_in, may(scopes, door.act), "{door:?} with {key}: {}", answer.text);
            if !is_let_in {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{door:?} with {key}");
                let lacks = door.act.any_of().iter().all(|scope| answer.text.contains(scope.as_str()));
                assert!(lacks, "{door:?} with {key}: {}", answer.text);
            }
        }
        // Refused before the body is looked at, however large it is.
        for key in STRANGERS {
            let answer = knock(&world, door, key, &"x".repeat(400_000)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{door:?} with {key:?}");
            assert!(answer.headers.contains_key("www-authenticate"), "{door:?}");
        }
        seen += 1;
    }
    assert!(seen >= 33, "{seen}");
}

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
async fn what_needs_no_key_takes_any_request() {
    let world = World::new().await;
    world.report().await;
    for door in DOORS.iter().filter(|door| door.proof == Proof::Nothing) {
        for key in [None, Some("key-of-nobody"), Some(REPORT)] {
            let status = knock(&world, door, key, "").await.status;
            // The form to sign in has no name in it.
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(!refused.contains(&status), "{door:?} with {key:?}: {status}");
        }
    }
}

#[tokio::test]
async fn a_link_is_the_only_thing_that_opens_its_page() {
    let world = World::new().await;
    world.report().await;
    for door in DOORS.iter().filter(|door| door.proof == Proof::Link) {
        for key in [None, Some(ADMIN), Some(RESPOND)] {
            assert_eq!(knock(&world, door, key, "").await.status, StatusCode::FORBIDDEN, "{door:?}");
        }
    }
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
