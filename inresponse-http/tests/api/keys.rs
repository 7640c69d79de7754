//! Who may do what.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

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
