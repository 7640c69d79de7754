//! The board: who may see it, what it shows, what its buttons do.

mod acts;
mod calendar;
mod first_steps;
mod list;
mod pages;
mod rosters;
mod scopes;
mod sessions;
mod several;
mod silence_pages;
mod streams;
mod tokens;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::Pages;
use serde_json::json;

use crate::world::{Answer, RESPOND, World};

const SITE: &str = "https://ir.example.org";

/// A browser: it keeps a cookie, and says where a form came from.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, cookie: String::new() }
    }

    async fn signed_in(world: &'a World, name: &str) -> Self {
        Self::signed_in_with(world, RESPOND, name).await
    }

    async fn signed_in_with(world: &'a World, key: &str, name: &str) -> Self {
        let mut browser = Self::new(world);
        let answer = browser.post("/board/sign-in", &format!("key={key}&name={name}&next=")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser.keep(&answer);
        browser
    }

    fn keep(&mut self, answer: &Answer) {
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request(Method::POST, path).header("origin", SITE);
        self.world.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }
}

async fn world() -> World {
    World::new().await.showing(Pages::under(SITE).unwrap())
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.headers["location"].to_str().unwrap()
}

fn numbers(page: &str) -> Vec<u64> {
    page.split("id=\"open-").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

fn link(page: &str, id: &str) -> Option<String> {
    let tag = page.split("<a ").find(|tag| tag.contains(&format!("id=\"{id}\"")))?;
    Some(tag.split("href=\"").nth(1)?.split('"').next()?.replace("&#38;", "&"))
}

/// A world with jo (of Athens), kim and lee, the team `web` with a weekly rotation, which its first level alerts, and its
/// service `shop`.
async fn rota() -> World {
    let world = world().await;
    for (name, entry) in [
        (
            "jo",
            json!({ "name": "Jo Doe", "timezone": "Europe/Athens", "methods": { "mail": "jo@example.org" } }),
        ),
        ("kim", json!({ "methods": { "mail": "kim@example.org" } })),
        ("lee", json!({ "methods": { "mail": "lee@example.org" } })),
    ] {
        assert_eq!(world.put(&format!("/people/{name}"), entry).await.status, StatusCode::OK);
    }
    let schedule = json!({ "timezone": "UTC", "layers": [{
        "name": "weekly", "members": ["person:jo", ["person:kim", "person:lee"]], "from": "2026-11-23T00:00",
        "turn": { "every": 1, "unit": "week" },
    }] });
    assert_eq!(
        world.put("/teams/web", json!({ "fallback": ["ops@example.org"] })).await.status,
        StatusCode::OK
    );
    assert_eq!(world.put("/teams/web/schedules/primary", schedule).await.status, StatusCode::OK);
    let levels = json!({ "fallback": ["ops@example.org"], "levels": [{ "notify": ["schedule:primary"] }] });
    assert_eq!(world.put("/teams/web", levels).await.status, StatusCode::OK);
    assert_eq!(world.put("/services/shop", json!({ "team": "web" })).await.status, StatusCode::OK);
    world
}
