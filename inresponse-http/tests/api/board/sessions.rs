//! Signing in, and what others may not do in that person's name.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::{ApiKey, Pages, Scope};
use serde_json::json;

use super::{Browser, location, world};
use crate::world::{ADMIN, REPORT, RESPOND, World};

const PAGES: [&str; 7] = [
    "/",
    "/?state=OPEN&service=athens",
    "/board/incidents/10000",
    "/board/oncall",
    "/board/changes",
    "/board/fragment?incident=10000",
    "/board/events",
];

#[tokio::test]
async fn nobody_sees_anything_before_they_sign_in_and_then_they_are_where_they_were_going() {
    let world = world().await;
    world.report().await;
    let mut browser = Browser::new(&world);
    for page in PAGES {
        let answer = browser.get(page).await;
        let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(location(&answer), format!("/board/sign-in?next={next}"));
        assert!(!answer.text.contains("5xx"));
    }
    let form = browser.get("/board/sign-in?next=%2F%3Fstate%3DOPEN").await;
    assert!(form.text.contains("value=\"/?state=OPEN\""), "{}", form.text);
    for (key, name) in [(REPORT, "Jo"), ("wrong", "Jo"), ("", "Jo"), (RESPOND, ""), (RESPOND, "%01")] {
        let answer = browser.post("/board/sign-in", &format!("key={key}&name={name}")).await;
        assert!(
            answer.status.is_client_error() && !answer.headers.contains_key("set-cookie"),
            "{key} {name}"
        );
        assert!(!answer.text.contains(RESPOND));
    }
    let answer =
        browser.post("/board/sign-in", &format!("key={ADMIN}&name=Jo&next=%2F%3Fstate%3DOPEN")).await;
    assert_eq!(location(&answer), "/?state=OPEN");
    browser.keep(&answer);
    assert!(browser.get("/").await.text.contains("5xx"));
    // The form is not shown again to a person who has signed in.
    assert_eq!(location(&browser.get("/board/sign-in?next=%2F").await), "/");
    let answer = browser.post("/board/sign-out", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    browser.keep(&answer);
    location(&browser.get("/").await);
}

#[tokio::test]
async fn other_keys_are_accepted_while_the_server_runs_and_sessions_end_with_theirs() {
    let world = world().await;
    let key = |text: &str| ApiKey::from_plain("responder", text, vec![Scope::Respond]).unwrap();
    let other = "another key of responders";
    let status = async |key: &str| {
        let request = Request::get("/incidents").header("x-api-key", key).body(Body::empty()).unwrap();
        world.send(request).await.status
    };
    let browser = Browser::signed_in(&world, "Jo").await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    assert_eq!((status(RESPOND).await, status(other).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    // A key of the same name is added, so that nobody is locked out.
    world.keys.replace(vec![key(RESPOND), key(other)]);
    assert_eq!((status(RESPOND).await, status(other).await), (StatusCode::OK, StatusCode::OK));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    world.keys.replace(vec![key(other)]);
    assert_eq!((status(RESPOND).await, status(other).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    location(&browser.get("/").await);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_opens_nothing_else() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::new(&world);
    let answer = browser.post("/board/sign-in", &format!("key={RESPOND}&name=Jo+D%C3%B6&next=")).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in
        ["__Host-inresponse=", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure", "; Max-Age="]
    {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains(RESPOND));
    let browser = Browser { world: &world, cookie: cookie.split(';').next().unwrap().to_owned() };
    assert!(browser.get("/").await.text.contains("Jo Dö"));
    // The JSON API takes keys and no cookies.
    for path in ["/incidents", &format!("/incidents/{number}"), "/teams/devops", "/metrics"] {
        assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let claim = json!({ "state": "CLAIMED" }).to_string();
    assert_eq!(browser.post(&format!("/incidents/{number}"), &claim).await.status, StatusCode::UNAUTHORIZED);
    // Nor does a key in a header open the board.
    assert_eq!(world.get("/").await.status, StatusCode::SEE_OTHER);
    let plain = World::new().await.showing(Pages::under("http://127.0.0.1:8080").unwrap());
    let request = Request::post("/board/sign-in").body(Body::from(format!("key={RESPOND}&name=Jo"))).unwrap();
    let answer = plain.send(request).await;
    assert!(!answer.headers["set-cookie"].to_str().unwrap().contains("Secure"));
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let world = world().await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/%0d%0aset-cookie:x",
        "javascript:alert(1)",
        "evil",
    ] {
        let next: String = match next.contains('%') {
            true => next.to_owned(),
            false => form_urlencoded::byte_serialize(next.as_bytes()).collect(),
        };
        let form = format!("key={RESPOND}&name=Jo&next={next}");
        assert_eq!(location(&Browser::new(&world).post("/board/sign-in", &form).await), "/", "{next}");
    }
}

#[tokio::test]
async fn a_link_from_another_site_finds_who_is_signed_in_by_one_step_more() {
    let world = world().await;
    let request =
        Request::get("/board/sign-in?next=%2Fboard%2Fincidents%2F7").header("sec-fetch-site", "cross-site");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    let onward = "content=\"0; url=/board/sign-in?next=%2Fboard%2Fincidents%2F7\"";
    assert!(answer.status == StatusCode::OK && answer.text.contains(onward), "{}", answer.text);
    let same = Request::get("/board/sign-in").header("sec-fetch-site", "same-origin");
    assert!(world.send(same.body(Body::empty()).unwrap()).await.text.contains("API key"));
}

#[tokio::test]
async fn what_another_site_sends_is_refused_and_does_nothing() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let path = format!("/board/incidents/{number}");
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in [path.as_str(), "/board/sign-out", "/board/sign-in"] {
            let request =
                browser.request(Method::POST, path).header(name, value).header("host", "ir.example.org");
            let answer = world.send(request.body(Body::from("do=claim")).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name} {value}");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["state"], "OPEN");
    assert_eq!(location(&browser.post(&path, "do=claim").await), path);
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["claimedBy"], "Jo");
}
