//! The live part.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures_util::StreamExt;
use inresponse_http::Pages;
use serde_json::json;

use super::{Browser, SITE, world};
use crate::world::World;

/// The events of a stream, until it ends or that many came.
async fn events(world: &World, browser: &Browser<'_>, path: &str, most: usize) -> Vec<String> {
    let response = world.respond(browser.request(Method::GET, path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let (mut events, mut text) = (Vec::new(), String::new());
    while events.len() < most {
        let Some(bytes) = body.next().await else { break };
        text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let event = event.to_owned();
            text = rest.to_owned();
            // A line that begins with a colon says nothing.
            if !event.starts_with(':') {
                events.push(event);
            }
        }
    }
    events
}

#[tokio::test(start_paused = true)]
async fn a_stream_sends_changes_and_nothing_else() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let first = events(&world, &browser, "/board/events", 1).await.remove(0);
    assert!(
        first.starts_with("event: fragment\nid: ") && first.contains("data: ") && first.contains("5xx"),
        "{first}"
    );
    let seen = first.lines().nth(1).unwrap().trim_start_matches("id: ");
    let again = format!("/board/events?seen={seen}");
    let unchanged = events(&world, &browser, &again, 1);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(120), unchanged).await;
    assert!(waited.is_err(), "nothing changed");
    let (told, ()) = tokio::join!(events(&world, &browser, "/board/events?incident=10000", 2), async {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        world.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "Kim" })).await;
    });
    assert!(
        told[0].contains("Nobody has this incident yet") && told[1].contains("Claimed by Kim"),
        "{}",
        told[1]
    );
    // Who cannot be sent a stream asks.
    assert_eq!(browser.get(&format!("/board/fragment?seen={seen}")).await.status, StatusCode::OK);
    let now = browser.get("/board/fragment").await;
    let seen = now.headers["etag"].to_str().unwrap().trim_matches('"').to_owned();
    assert_eq!(browser.get(&format!("/board/fragment?seen={seen}")).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_server_stops_and_are_not_too_many() {
    let world = World::new().await.showing(Pages::under(SITE).unwrap().streams(8));
    world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let request = || browser.request(Method::GET, "/board/events").body(Body::empty()).unwrap();
    let (first, second) = (world.respond(request()).await, world.respond(request()).await);
    assert_eq!(browser.get("/board/events").await.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(second);
    let third = world.respond(request()).await;
    assert_eq!(third.status(), StatusCode::OK);
    let mut open = first.into_body().into_data_stream();
    assert!(open.next().await.is_some());
    let ((), rest) = tokio::join!(
        async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            world.readiness.stop();
        },
        tokio::time::timeout(std::time::Duration::from_secs(5), open.count())
    );
    assert!(rest.is_ok(), "the stream did not end");
}
