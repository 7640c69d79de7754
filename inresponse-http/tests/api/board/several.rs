//! Claiming several incidents of the list at once, and what a filter counts.

use axum::http::StatusCode;
use serde_json::json;

use super::{Browser, location, numbers, world};
use crate::world::RESPOND_ATHENS;

#[tokio::test]
async fn p07_several_are_claimed_at_once_and_what_somebody_else_has_stays_theirs() {
    let world = world().await;
    for _ in 0..5 {
        world.report().await;
    }
    world.post("/incidents/10001", json!({ "state": "CLAIMED", "by": "Kim" })).await;
    world.post("/incidents/10002", json!({ "state": "RESOLVED", "by": "Lee" })).await;
    let jo = Browser::signed_in(&world, "Jo").await;
    let page = jo.get("/?state=OPEN&severity=CRIT").await.text;
    assert!(page.contains("action=\"/board/claim-several?state=OPEN&#38;severity=CRIT\""), "{page}");
    assert!(page.contains("form=\"several\" aria-label=\"Mark #10003\""), "{page}");
    let form = "incident=10000&incident=10001&incident=10002&incident=10003&incident=10003&incident=77";
    let answer = jo.post("/board/claim-several?state=OPEN&severity=CRIT", form).await;
    let next = location(&answer);
    assert_eq!(next, "/?state=OPEN&severity=CRIT&asked=77.10000.10001.10002.10003");
    let page = jo.get(next).await.text;
    let told = page.split_once("id=\"told\"").unwrap().1.split_once("</ul>").unwrap().0;
    for part in ["#10003</a>: claimed by you", "#10001</a>: Kim has it", "#10002</a>: resolved by Lee"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("#77"), "{told}");
    assert_eq!(numbers(&page), [10_004]);
    assert_eq!(numbers(&jo.get("/?mine=yes").await.text), [10_003, 10_000]);
    assert_eq!(numbers(&Browser::signed_in(&world, "Kim").await.get("/?mine=yes").await.text), [10_001]);
    // Nothing is marked: nothing is done.
    assert_eq!(location(&jo.post("/board/claim-several", "").await), "/");
}

#[tokio::test]
async fn p16_a_claim_of_several_is_bounded_and_obeys_the_key() {
    let world = world().await;
    world.put("/services/berlin", json!({ "team": "devops" })).await;
    let report = json!({ "service": "berlin", "severity": "ERR", "title": "t", "message": "m" });
    assert_eq!(world.put("/incidents", report).await.status, StatusCode::CREATED);
    world.report().await;
    let jo = Browser::signed_in_with(&world, RESPOND_ATHENS, "Jo").await;
    let answer = jo.post("/board/claim-several", "incident=10000&incident=10001").await;
    let page = jo.get(location(&answer)).await.text;
    assert!(page.contains("#10000</a>: not claimed: the API key"), "{page}");
    assert!(page.contains("#10001</a>: claimed by you"), "{page}");
    let many: String = (0..101).map(|n| format!("incident={}&", 20_000 + n)).collect();
    let long = "w".repeat(201);
    for (path, form) in [
        ("/board/claim-several", many.as_str()),
        ("/board/claim-several", "incident=x"),
        ("/board/claim-several?nonsense=1", ""),
        (&format!("/board/claim-several?words={long}"), ""),
    ] {
        assert_eq!(jo.post(path, form).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    for bad in
        ["/?asked=x", "/?mine=no", "/?need=x", "/?since=2026-1-1", "/?until=x", "/?service=&from=OPEN-1-x"]
    {
        assert_eq!(jo.get(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn the_counts_and_the_summary_follow_the_filter_and_lead_to_what_they_count() {
    let world = world().await;
    world.put("/services/checkout", json!({ "team": "devops" })).await;
    for (service, title) in
        [("checkout", "Payments fail"), ("athens", "Disk is full"), ("athens", "Disk is slow")]
    {
        let report = json!({ "service": service, "severity": "ERR", "title": title, "message": "since 02:47",
            "labels": { "region": "eu-south" } });
        assert_eq!(world.put("/incidents", report).await.status, StatusCode::CREATED);
        world.clock.advance(std::time::Duration::from_secs(24 * 3600));
    }
    world.post("/incidents/10001", json!({ "note": "Ordered a bigger one", "by": "Kim" })).await;
    world.engine.tick().await.unwrap();
    let jo = Browser::signed_in(&world, "Jo").await;
    for (query, found) in [
        ("service=CHECK", vec![10_000]),
        ("service=athens", vec![10_002, 10_001]),
        ("words=disk+eu-south", vec![10_002, 10_001]),
        ("words=ordered", vec![10_001]),
        ("words=nothing", vec![]),
        ("since=2026-11-25", vec![10_002, 10_001]),
        ("until=2026-11-25", vec![10_001, 10_000]),
        ("since=2026-11-25&until=2026-11-25", vec![10_001]),
        ("until=2026-11-23", vec![]),
    ] {
        let page = jo.get(&format!("/?{query}")).await.text;
        assert_eq!(numbers(&page), found, "{query}");
        let count = page.split_once("id=\"count-open\"").unwrap().1;
        assert!(
            count.split("</a>").next().unwrap().contains(&format!("<strong>{}</strong>", found.len())),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_was_resolved_last_is_first_whatever_its_severity_and_number() {
    let world = world().await;
    for _ in 0..60 {
        world.report().await;
    }
    for number in (10_000..10_060).rev() {
        world.clock.advance(std::time::Duration::from_secs(60));
        world.post(&format!("/incidents/{number}"), json!({ "state": "RESOLVED", "by": "Lee" })).await;
    }
    let jo = Browser::signed_in(&world, "Jo").await;
    let first = jo.get("/?state=RESOLVED").await.text;
    assert_eq!(numbers(&first), (10_000..10_050).collect::<Vec<u64>>());
    let next = super::link(&first, "turn-next").unwrap();
    assert_eq!(numbers(&jo.get(&next).await.text), (10_050..10_060).collect::<Vec<u64>>());
}
