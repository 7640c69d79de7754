//! The list of incidents.

use axum::http::StatusCode;
use serde_json::json;

use super::{Browser, link, numbers, world};

#[tokio::test]
async fn the_list_has_open_ones_first_and_turns_every_page() {
    let world = world().await;
    for _ in 0..120 {
        world.report().await;
    }
    for number in (10_000..10_120).step_by(3) {
        world.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "Kim" })).await;
    }
    world.post("/incidents/10119", json!({ "state": "RESOLVED" })).await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let (mut path, mut seen, mut pages) = ("/".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = browser.get(&path).await;
        let numbers = numbers(&page.text);
        assert!(numbers.len() <= 50);
        pages.push((path, numbers.clone()));
        seen.extend(numbers);
        match link(&page.text, "turn-next") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(pages.len(), 3);
    let open = (10_000..10_120).rev().filter(|n| n % 3 != 1 && *n != 10_119);
    let claimed = (10_000..10_120).rev().filter(|n| n % 3 == 1);
    assert_eq!(seen, open.chain(claimed).collect::<Vec<u64>>());
    for pair in pages.windows(2).rev() {
        let page = browser.get(&pair[1].0).await;
        let previous = link(&page.text, "turn-previous").unwrap();
        assert_eq!(numbers(&browser.get(&previous).await.text), pair[0].1);
    }
    let first = browser.get("/").await.text;
    for (name, count) in [("active", 119), ("open", 79), ("claimed", 40), ("resolved", 1)] {
        let count = format!("<strong>{count}</strong>");
        let at = first.find(&format!("id=\"count-{name}\"")).unwrap();
        assert!(first[at..at + 200].contains(&count), "{name}: {}", &first[at..at + 200]);
    }
    assert_eq!(numbers(&browser.get("/?state=RESOLVED").await.text), [10_119]);
    assert!(numbers(&browser.get("/?severity=WARN").await.text).is_empty());
    assert_eq!(numbers(&browser.get("/?state=CLAIMED&service=athens&severity=CRIT").await.text).len(), 40);
    for bad in ["/?state=open", "/?nonsense=1", "/?from=x", "/?severity=BAD"] {
        assert_eq!(browser.get(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}
