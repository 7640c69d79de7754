//! The API document to be browsed.

use std::collections::BTreeMap;

use axum::body::Body;
#[cfg(feature = "pages")]
use axum::http::Request;
use axum::http::{Method, StatusCode};

use crate::world::World;

#[tokio::test]
async fn the_api_is_browsable_and_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let page = world.get("/docs/").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("swagger-ui"));
    assert!(!page.text.contains("https://"), "{}", page.text);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let document = world.get("/docs/openapi.json").await;
    let expected = world.get("/openapi.json").await.json;
    assert_eq!((document.status, document.json), (StatusCode::OK, expected));
}

/// Programs that make a client from the document name its functions after the operations.
#[tokio::test]
async fn each_operation_of_the_document_has_its_own_name() {
    let document = World::new().await.get("/openapi.json").await.json;
    let paths = document["paths"].as_object().unwrap();
    let mut names = BTreeMap::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let before = names.insert(name.to_owned(), format!("{method} {path}"));
            assert_eq!(before, None, "{name} is also the name of {method} {path}");
        }
    }
    assert!(names.len() > 50, "{names:?}");
}

/// As `/openapi.json`; and a browser has no key, but somebody who has signed in.
#[tokio::test]
async fn the_document_needs_a_key_or_somebody_who_has_signed_in() {
    let world = World::new().await;
    for key in ["", "no key"] {
        for path in ["/openapi.json", "/docs/openapi.json"] {
            let answer = world.call(key, Method::GET, path, Body::empty()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.text);
            assert!(!answer.text.contains("/incidents"), "{}", answer.text);
        }
    }
    #[cfg(feature = "pages")]
    {
        for path in ["/docs", "/docs/", "/docs/index.html"] {
            let answer = world.call("", Method::GET, path, Body::empty()).await;
            let leads = answer.headers["location"].to_str().unwrap();
            assert!(
                answer.status == StatusCode::SEE_OTHER && leads.starts_with("/board/sign-in?next="),
                "{leads}"
            );
        }
        let form = Body::from(format!("key={}&name=Jo", crate::world::RESPOND));
        let signed_in = world.send(Request::post("/board/sign-in").body(form).unwrap()).await;
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        for path in ["/docs/", "/docs/openapi.json"] {
            let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
            assert_eq!(world.send(request).await.status, StatusCode::OK, "{path}");
        }
        let request = Request::get("/openapi.json").header("cookie", cookie).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::UNAUTHORIZED, "no page reads this");
    }
}
