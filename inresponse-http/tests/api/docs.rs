//! The API document to be browsed.

use axum::body::Body;
use axum::http::{Method, StatusCode};

use crate::world::World;

#[tokio::test]
async fn the_api_is_browsable_without_a_key_and_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let page = world.call("no key", Method::GET, "/docs/", Body::empty()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("swagger-ui"));
    assert!(!page.text.contains("https://"), "{}", page.text);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let document = world.call("no key", Method::GET, "/docs/openapi.json", Body::empty()).await;
    let expected = world.get("/openapi.json").await.json;
    assert_eq!((document.status, document.json), (StatusCode::OK, expected));
}
