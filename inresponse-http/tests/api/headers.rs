//! What every answer bears in its head, and what no request may.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::world::{ADMIN, World, report};

#[tokio::test]
async fn browsers_come_back_by_https_where_the_public_url_says_so() {
    for (url, expected) in [
        (Some("https://ir.example.org"), Some("max-age=31536000")),
        (Some("http://ir.example.org"), None),
        // Nobody said how people come here.
        (None, None),
    ] {
        let world = World::found_at(url).await;
        for path in ["/healthz", "/incidents", "/nowhere", "/board/sign-in", "/incidents/1/claim?token=x"] {
            let answer = world.call("", Method::GET, path, Body::empty()).await;
            let told = answer.headers.get("strict-transport-security").map(|told| told.to_str().unwrap());
            assert_eq!(told, expected, "{path} at {url:?}");
        }
    }
}

#[tokio::test]
async fn what_is_answered_as_data_is_kept_by_nobody_between() {
    let world = World::new().await;
    world.report().await;
    for path in [
        "/incidents",
        "/incidents/10000",
        "/teams/devops",
        "/healthz",
        "/openapi.json",
        "/nowhere",
        "/incidents/x",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
    let answer = world.put("/incidents", report()).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = world.call("wrong", Method::GET, "/incidents", Body::empty()).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn p16_a_request_that_names_two_hosts_is_refused() {
    let world = World::new().await;
    for (path, second) in [("/incidents", "evil.example"), ("/healthz", "ir.example.org"), ("/", "")] {
        let request = Request::get(path).header("host", "ir.example.org").header("host", second);
        let answer = world.send(request.header("x-api-key", ADMIN).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["host"]), "{path}");
    }
    let put = Request::put("/incidents").header("host", "a.example").header("host", "b.example");
    let put = put.header("x-api-key", ADMIN).body(Body::from(report().to_string())).unwrap();
    assert_eq!(world.send(put).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.all().await, [], "nothing was done");
}
