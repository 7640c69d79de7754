//! Phone numbers are verified by a code, through the real router and the real notifier.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use inresponse_core::Engine;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::notify::Notifiers;
use inresponse_core::testing::ManualClock;
use inresponse_http::{Api, ApiKey, Keys, Scope, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fake::Fake;
use crate::laws::notifier;

const NUMBER: &str = "+302101234567";
const PATH: &str = "/people/jo/methods/phone/verification";

struct World {
    fake: Fake,
    clock: ManualClock,
    router: axum::Router,
}

impl World {
    async fn of(scheme: &str) -> Self {
        let fake = Fake::start();
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let twilio = notifier(&fake);
        let notifiers = twilio.schemes().into_iter().fold(Notifiers::new(), |n, s| n.with(s, twilio.clone()));
        let engine =
            Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();
        let key = ApiKey::from_plain("admin", "a-key-of-this-test", Scope::ALL.to_vec()).unwrap();
        let world = Self { fake, clock, router: router(Api::new(engine, Keys::new(vec![key]))) };
        world.person(scheme, NUMBER).await;
        world
    }

    async fn person(&self, scheme: &str, number: &str) {
        let person = json!({ "methods": { "phone": format!("{scheme}:{number}") } });
        assert_eq!(self.call("PUT", "/people/jo", &person).await.0, 200);
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).header("x-api-key", "a-key-of-this-test");
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Sends a code; the code that arrived.
    async fn send(&self, number: &str) -> String {
        let before = self.fake.requests(number).len();
        let (status, sent) = self.call("POST", PATH, &Value::Null).await;
        assert_eq!(status, 202, "{sent}");
        let request = self.fake.requests(number).remove(before);
        let text = format!("{}{}", request.value("Body"), request.value("Twiml"));
        let spoken = text.split("<Say>").nth(1).unwrap_or(&text);
        let digits: String =
            spoken.split("is your").next().unwrap().chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 6, "{text}");
        digits
    }

    async fn confirm(&self, code: &str) -> (u16, Value) {
        self.call("PUT", PATH, &json!({ "code": code })).await
    }

    async fn verified(&self) -> bool {
        let person = self.call("GET", "/people/jo", &Value::Null).await.1;
        person["verified"]["phone"].is_string()
    }
}

/// Another code of six digits.
fn other(code: &str) -> String {
    let first = if code.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &code[1..])
}

#[tokio::test]
async fn a_number_is_verified_by_the_code_that_was_sent_to_it() {
    for scheme in ["sms", "tel"] {
        let world = World::of(scheme).await;
        assert_eq!(world.confirm("123456").await.0, 422, "none was sent");
        let code = world.send(NUMBER).await;
        assert_eq!(world.confirm(&other(&code)).await.0, 422);
        assert!(!world.verified().await);
        let (status, person) = world.confirm(&format!(" {} {} ", &code[..3], &code[3..])).await;
        assert_eq!(status, 200, "{person}");
        assert!(world.verified().await);
        // The same number stays verified, and another one is not.
        world.person(scheme, NUMBER).await;
        assert!(world.verified().await);
        world.person(scheme, "+306971234567").await;
        assert!(!world.verified().await);
        assert_eq!(world.confirm(&code).await.0, 422, "the code was for another number");
    }
}

#[tokio::test]
async fn a_code_holds_for_ten_minutes_and_five_attempts() {
    let world = World::of("sms").await;
    let code = world.send(NUMBER).await;
    for _ in 0..5 {
        assert_eq!(world.confirm(&other(&code)).await.0, 422);
    }
    assert_eq!(world.confirm(&code).await.0, 422, "typed too often");
    let code = world.send(NUMBER).await;
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(world.confirm(&code).await.0, 422, "too late");
    let old = world.send(NUMBER).await;
    // Three in fifteen minutes.
    assert_eq!(world.call("POST", PATH, &Value::Null).await.0, 429);
    world.clock.advance(Duration::from_secs(899));
    assert_eq!(world.confirm(&old).await.0, 422);
    assert!(!world.verified().await);
}

#[tokio::test]
async fn p16_only_a_phone_number_of_somebody_is_verified() {
    let world = World::of("sms").await;
    for (path, status) in
        [("/people/kim/methods/phone/verification", 404), ("/people/jo/methods/text/verification", 404)]
    {
        assert_eq!(world.call("POST", path, &Value::Null).await.0, status, "{path}");
        assert_eq!(world.call("PUT", path, &json!({ "code": "1" })).await.0, status, "{path}");
    }
    assert_eq!(world.call("PUT", PATH, &json!({ "kode": "1" })).await.0, 400);
    world.fake.answer(NUMBER, 401, &crate::fake::error(401, 20003));
    let (status, problem) = world.call("POST", PATH, &Value::Null).await;
    assert_eq!(status, 503, "{problem}");
    assert!(!problem.to_string().contains(NUMBER), "{problem}");
}
