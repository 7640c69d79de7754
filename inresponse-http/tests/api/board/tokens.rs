//! Sessions: what is kept of them, and what ends them.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::{Outage, clock::Clock as _};
use inresponse_http::{ApiKey, Pages, Scope};

use super::{Browser, SITE, location};
use crate::world::{ADMIN, RESPOND, RESPOND_ATHENS, World, keys};

/// A server that shares its settings with others.
async fn server(settings: &MemorySettings, keys: Vec<ApiKey>) -> World {
    let world = World::keyed(keys, MemoryStore::new(), MemoryRoster::new(), |engine| engine).await;
    world.showing(Pages::under(SITE).unwrap()).sharing(settings.clone())
}

async fn is_signed_in(world: &World, cookie: &str) -> bool {
    let browser = Browser { world, cookie: cookie.to_owned() };
    match browser.get("/board/oncall").await.status {
        StatusCode::OK => true,
        StatusCode::SEE_OTHER => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_session_is_a_random_token_and_what_is_kept_of_it_tells_neither_token_nor_key() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let first = Browser::signed_in(&world, "Jo").await.cookie;
    let second = Browser::signed_in(&world, "Jo").await.cookie;
    assert_ne!(first, second);
    let (_, value) = first.split_once('=').unwrap();
    let parts: Vec<Vec<u8>> = value.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!((parts[0].as_slice(), parts[1].len(), parts.len()), (&b"responder"[..], 32, 2));
    let kept = settings.setting("sessions:responder").await.unwrap().unwrap();
    let kept = String::from_utf8(kept).unwrap();
    let hex: String = parts[1].iter().map(|byte| format!("{byte:02x}")).collect();
    for secret in [RESPOND, value.split('.').nth(1).unwrap(), &hex, &inresponse_http::hash_of(RESPOND)] {
        assert!(!kept.contains(secret) && !first.contains(RESPOND), "{secret} in {kept}");
    }
    let hash_of_key = URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(RESPOND));
    assert!(kept.contains("\"Jo\"") && !kept.contains(&hash_of_key), "{kept}");
}

#[tokio::test]
async fn signing_out_ends_the_session_on_every_server_at_once_and_no_other() {
    let settings = MemorySettings::new();
    let (one, other) = (server(&settings, keys()).await, server(&settings, keys()).await);
    let jo = Browser::signed_in(&one, "Jo").await;
    let kim = Browser::signed_in(&other, "Kim").await;
    for world in [&one, &other] {
        assert!(is_signed_in(world, &jo.cookie).await && is_signed_in(world, &kim.cookie).await);
    }
    assert_eq!(jo.post("/board/sign-out", "").await.status, StatusCode::OK);
    for world in [&one, &other] {
        assert!(!is_signed_in(world, &jo.cookie).await, "the cookie was kept");
        assert!(is_signed_in(world, &kim.cookie).await, "whose session it was not");
    }
}

#[tokio::test]
async fn a_session_ends_after_a_week() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let jo = Browser::signed_in(&world, "Jo").await;
    world.clock.advance(Duration::from_secs(7 * 24 * 3600 - 1));
    assert!(is_signed_in(&world, &jo.cookie).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!is_signed_in(&world, &jo.cookie).await);
    // What has ended is kept no longer than until somebody signs in again.
    Browser::signed_in(&world, "Kim").await;
    let kept = settings.setting("sessions:responder").await.unwrap().unwrap();
    assert!(!String::from_utf8(kept).unwrap().contains("\"Jo\""));
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let jo = Browser::signed_in(&world, "Jo").await.cookie;
    let ann = Browser::signed_in_with(&world, ADMIN, "Ann").await.cookie;
    let key = |name, key: &str, scopes| ApiKey::from_plain(name, key, scopes).unwrap();
    let admin = || key("admin", ADMIN, Scope::ALL.to_vec());
    let cases = [
        ("it is there", vec![admin(), key("responder", RESPOND, vec![Scope::Respond])], true),
        ("it is gone", vec![admin()], false),
        (
            "another took its name",
            vec![admin(), key("responder", "another-key", vec![Scope::Respond])],
            false,
        ),
        ("it has another name", vec![admin(), key("other", RESPOND, vec![Scope::Respond])], false),
        (
            "another is to take its place",
            vec![
                admin(),
                key("responder", "another-key", vec![Scope::Respond]),
                key("responder", RESPOND, vec![Scope::Respond]),
            ],
            true,
        ),
    ];
    for (what, keys, holds) in cases {
        let restarted = server(&settings, keys).await;
        assert_eq!(is_signed_in(&restarted, &jo).await, holds, "{what}");
        assert!(is_signed_in(&restarted, &ann).await, "{what}");
    }
    // A key that may do less by now.
    let restarted = server(&settings, vec![admin(), key("responder", RESPOND, vec![Scope::Report])]).await;
    let browser = Browser { world: &restarted, cookie: jo };
    assert_eq!(browser.get("/").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_forged_cookie_opens_nothing() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let jo = Browser::signed_in(&world, "Jo").await.cookie;
    let (name, value) = jo.split_once('=').unwrap();
    let (key, token) = value.split_once('.').unwrap();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for forged in [
        format!("{}.{}", encode(RESPOND), encode("Jo")),
        format!("{}.{token}", encode("admin")),
        format!("{key}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("{key}.{}", &token[..token.len() - 2]),
        format!("{key}."),
        String::new(),
        ".".to_owned(),
    ] {
        assert!(!is_signed_in(&world, &format!("{name}={forged}")).await, "{forged}");
    }
}

#[tokio::test]
async fn a_key_has_a_bounded_number_of_sessions_and_the_oldest_ends_first() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let mut cookies = Vec::new();
    let other = Browser::signed_in_with(&world, RESPOND_ATHENS, "Lee").await.cookie;
    for i in 0..102 {
        cookies.push(Browser::signed_in(&world, &format!("Jo{i}")).await.cookie);
        world.clock.advance(Duration::from_secs(1));
    }
    assert!(!is_signed_in(&world, &cookies[0]).await && !is_signed_in(&world, &cookies[1]).await);
    assert!(is_signed_in(&world, &cookies[2]).await && is_signed_in(&world, &cookies[101]).await);
    assert!(is_signed_in(&world, &other).await, "of another key");
    let kept = settings.setting("sessions:responder").await.unwrap().unwrap();
    assert!(kept.len() < 40_000, "{}", kept.len());
}

/// Settings that are unavailable.
#[derive(Debug)]
struct Broken;

#[async_trait::async_trait]
impl Settings for Broken {
    async fn setting(&self, _: &str) -> Result<Option<Vec<u8>>, Outage> {
        Err(Outage::retryable("unavailable"))
    }

    async fn swap_setting(&self, _: &str, _: Option<&[u8]>, _: &[u8]) -> Result<Swapped, Outage> {
        Err(Outage::retryable("unavailable"))
    }
}

#[tokio::test]
async fn who_cannot_be_looked_up_is_told_so_and_is_neither_let_in_nor_signed_out() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await;
    let cookie = Browser::signed_in(&world, "Jo").await.cookie;
    let world = world.sharing(Broken);
    let browser = Browser { world: &world, cookie };
    for answer in [
        browser.get("/").await,
        browser.get("/board/sign-in").await,
        browser.post("/board/sign-out", "").await,
        browser.post("/board/sign-in", &format!("key={RESPOND}&name=Jo")).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

/// Whether a stream of events of that browser ends within a minute after `then`.
async fn ends(browser: &Browser<'_>, then: impl Future<Output = ()>) -> bool {
    let request = browser.request(axum::http::Method::GET, "/board/events");
    let response = browser.world.respond(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut open = response.into_body().into_data_stream();
    assert!(open.next().await.is_some());
    then.await;
    tokio::time::timeout(Duration::from_secs(60), open.count()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_ends_with_its_session() {
    let settings = MemorySettings::new();
    let (world, other) = (server(&settings, keys()).await, server(&settings, keys()).await);
    let jo = Browser::signed_in(&world, "Jo").await;
    // Time passes for the servers as it does for the stream.
    let second = async |world: &World| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.clock.advance(Duration::from_secs(1));
    };
    assert!(!ends(&jo, second(&world)).await, "it holds");
    let elsewhere = Browser { world: &other, cookie: jo.cookie.clone() };
    let out = async {
        assert_eq!(elsewhere.post("/board/sign-out", "").await.status, StatusCode::OK);
        second(&world).await;
    };
    assert!(ends(&jo, out).await, "who has signed out on another server");
    let kim = Browser::signed_in(&world, "Kim").await;
    let expire = async { world.clock.advance(Duration::from_secs(7 * 24 * 3600)) };
    assert!(ends(&kim, expire).await, "whose session is over");
    assert!(world.clock.monotonic() > Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_key_has_a_quarter_of_the_streams() {
    let settings = MemorySettings::new();
    let world = server(&settings, keys()).await.showing(Pages::under(SITE).unwrap().streams(8));
    let one = [Browser::signed_in(&world, "Jo").await, Browser::signed_in(&world, "Kim").await];
    let other = Browser::signed_in_with(&world, ADMIN, "Ann").await;
    let open = async |browser: &Browser<'_>| {
        let request = browser.request(axum::http::Method::GET, "/board/events");
        let response = browser.world.respond(request.body(axum::body::Body::empty()).unwrap()).await;
        (response.status() == StatusCode::OK).then_some(response)
    };
    let mut held = vec![open(&one[0]).await.unwrap(), open(&one[1]).await.unwrap()];
    assert!(open(&one[0]).await.is_none() && open(&one[1]).await.is_none(), "the key has its quarter");
    let others = [open(&other).await, open(&other).await, open(&other).await];
    assert_eq!(others.iter().flatten().count(), 2, "the other key has its own");
    drop(held.pop());
    assert!(open(&one[1]).await.is_some(), "one was closed");
    assert_eq!(
        location(&Browser::new(&world).get("/board/events").await),
        "/board/sign-in?next=%2Fboard%2Fevents"
    );
}
