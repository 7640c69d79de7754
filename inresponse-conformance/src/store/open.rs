//! Laws of finding an open incident by its dedup key (promise 3), as a recovery does.

use inresponse_core::model::DedupKey;
use inresponse_core::store::{Record, Store};

use super::acts::{commit, new, repeat};
use crate::Harness;
use crate::scene::{at, claimed, keyed, noted, opening, released, report, resolved, service};

/// Finds the open incident with that key.
pub(super) async fn open(store: &impl Store, name: &str, key: &str) -> Option<Record> {
    let key = DedupKey::new(key).unwrap();
    store.find_open(&service(name), &key).await.expect("the store finds the open incident")
}

/// An open incident is found by its key at once, as last committed and counted.
pub async fn p03_an_open_incident_is_found_by_its_key<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    assert_eq!(open(&store, "athens", "5xx").await, None, "nothing was reported yet");
    let mut record = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(record.clone()), "as created");
    record = repeat(&store, opening(keyed("athens", "5xx"), at(1))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(record.clone()), "as counted");
    record = commit(&store, &record, noted(&record.incident, "looking", at(2))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(record.clone()), "as committed");
    record = commit(&store, &record, claimed(&record.incident, "jo", at(3))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(record.clone()), "a claim keeps the key");
    record = commit(&store, &record, released(&record.incident, "jo", at(4))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(record), "so does a release");
}

/// A key is found exactly, among other keys of the service, other services, and incidents without a key.
pub async fn p03_a_key_is_found_exactly<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let long = "k".repeat(DedupKey::MAX_BYTES);
    let longest = format!("{}l", &long[1..]);
    let keys = ["5xx", "5XX", "5xx#a", "a#5xx", "%", "5_x", "\u{dc}", "u\u{308}", &long, &longest];
    let mut records = vec![new(&store, opening(report("athens"), at(0))).await];
    for name in ["athens", "athens#5xx", "Athens"] {
        for key in keys {
            let record = new(&store, opening(keyed(name, key), at(0))).await;
            records.push(record);
        }
    }
    let mut rest = records.iter().skip(1);
    for name in ["athens", "athens#5xx", "Athens"] {
        for key in keys {
            assert_eq!(open(&store, name, key).await.as_ref(), rest.next(), "{name} {key}");
        }
    }
    for (name, key) in [("sparta", "5xx"), ("athens", "4xx"), ("athens", "5x"), ("athens", "5xx5")] {
        assert_eq!(open(&store, name, key).await, None, "{name} {key}");
    }
}

/// A resolved incident is not found by its key. The key is free for the next incident, even if the resolved one is
/// changed later.
pub async fn p03_a_resolved_incident_is_not_found_by_its_key<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let over = commit(&store, &first, resolved(&first.incident, at(1))).await;
    assert_eq!(open(&store, "athens", "5xx").await, None, "it is over");
    let second = new(&store, opening(keyed("athens", "5xx"), at(2))).await;
    commit(&store, &over, noted(&over.incident, "afterwards", at(3))).await;
    assert_eq!(open(&store, "athens", "5xx").await, Some(second), "the open incident now has the key");
}
