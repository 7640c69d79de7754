//! Who may do what.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::TrustedProxies;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::world::{ADMIN, REPORT, RESPOND, World, report};

#[tokio::test]
async fn every_route_takes_the_keys_that_it_should() {
    let world = World::new().await;
    world.report().await;
    let routes = [
        (Method::PUT, "/incidents", &[REPORT][..]),
        (Method::POST, "/incidents", &[RESPOND]),
        (Method::GET, "/incidents", &[RESPOND]),
        (Method::GET, "/incidents/10000", &[RESPOND]),
        (Method::POST, "/incidents/10000", &[RESPOND]),
        (Method::PUT, "/services/s", &[]),
        (Method::GET, "/services/s", &[]),
        (Method::DELETE, "/services/s", &[]),
        (Method::PUT, "/teams/t", &[]),
        (Method::GET, "/teams/t", &[]),
        (Method::DELETE, "/teams/t", &[]),
        (Method::PUT, "/teams/t/calendar/2026-01-01", &[]),
        (Method::GET, "/teams/t/calendar/2026-01-01", &[]),
        (Method::DELETE, "/teams/t/calendar/2026-01-01", &[]),
        (Method::GET, "/teams/t/oncall", &[]),
        (Method::GET, "/roster/changes", &[RESPOND]),
        (Method::POST, "/intake/alertmanager", &[REPORT]),
        (Method::POST, "/api/v2/alerts", &[REPORT]),
        (Method::GET, "/api/v2/alerts", &[REPORT]),
        (Method::POST, "/intake/grafana", &[REPORT]),
        (Method::POST, "/intake/sns", &[REPORT]),
        (Method::POST, "/intake/nagios", &[REPORT]),
        (Method::POST, "/intake/generic/x", &[REPORT]),
        (Method::POST, "/v2/alerts", &[REPORT]),
        (Method::POST, "/v2/alerts/x/acknowledge", &[REPORT]),
        (Method::POST, "/v2/alerts/x/close", &[REPORT]),
        (Method::GET, "/v2/alerts/requests/x", &[REPORT]),
        (Method::GET, "/metrics", &[REPORT, RESPOND]),
        (Method::GET, "/openapi.json", &[REPORT, RESPOND]),
    ];
    for (method, path, allowed) in routes {
        for key in [REPORT, RESPOND, ADMIN] {
            let answer = world.call(key, method.clone(), path, Body::empty()).await;
            let may = key == ADMIN || allowed.contains(&key);
            assert_eq!(
                answer.status != StatusCode::FORBIDDEN,
                may,
                "{method} {path} with {key}: {}",
                answer.status
            );
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED);
        }
        // Refused before the body is looked at, however large it is.
        for key in ["", "key-of-nobody", "key-of-everythin", "key-of-everything "] {
            let answer = world.call(key, method.clone(), path, "x".repeat(400_000)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} with {key:?}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
    for path in ["/healthz", "/readyz"] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::OK, "{path}");
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
