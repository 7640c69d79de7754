//! What it costs to be asked for health.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use inresponse_core::Outage;

use crate::store::{Question, Trouble, Troubled};
use crate::world::World;

/// A store that counts the calls of its census, and fails them on request.
#[derive(Debug)]
struct Counting {
    censuses: AtomicUsize,
    fails: bool,
}

impl Trouble for Counting {
    fn asked(&self, question: Question) -> Result<(), Outage> {
        if question == Question::Census {
            self.censuses.fetch_add(1, Ordering::SeqCst);
            if self.fails {
                return Err(Outage::retryable("the disk is on fire"));
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn p13_a_hundred_questions_about_health_a_second_are_one_to_the_store() {
    for (fails, status) in [(false, StatusCode::OK), (true, StatusCode::SERVICE_UNAVAILABLE)] {
        let store = Troubled::by(Counting { censuses: AtomicUsize::new(0), fails });
        let world = World::over(store.clone()).await;
        for seconds in 1..=3 {
            let ask = |i| {
                let path = if i % 2 == 0 { "/healthz" } else { "/readyz" };
                world.call("no key at all", Method::GET, path, Body::empty())
            };
            for answer in join_all((0..100).map(ask)).await {
                assert_eq!(answer.status, status, "{}", answer.text);
            }
            world.clock.advance(Duration::from_millis(900));
            assert_eq!(world.get("/healthz").await.status, status);
            assert_eq!(store.trouble.censuses.load(Ordering::SeqCst), seconds);
            world.clock.advance(Duration::from_millis(100));
        }
    }
}
