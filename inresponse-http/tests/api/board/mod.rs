//! The board: who may see it, what it shows, what its buttons do.

mod acts;
mod list;
mod pages;
mod scopes;
mod sessions;
mod streams;
mod tokens;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::Pages;

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
