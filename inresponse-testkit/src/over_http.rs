//! A deployment that is called over HTTP.

use std::time::Duration;

use axum::http::{Request, Response};

use crate::access::Answers;

/// The time limit of an answer. The limit is generous, because the machine may be busy; no test result depends on it.
const SOON: Duration = Duration::from_secs(120);

/// A deployment, with its URL and a client that follows no redirect.
#[derive(Debug)]
pub struct OverHttp<'a> {
    pub url: &'a str,
    pub client: &'a reqwest::Client,
}

impl Answers for OverHttp<'_> {
    async fn answer(&self, request: Request<String>) -> Response<String> {
        let (head, body) = request.into_parts();
        let url = format!("{}{}", self.url, head.uri);
        let request = self.client.request(head.method, url).headers(head.headers).body(body).timeout(SOON);
        let response = request.send().await.unwrap();
        let mut answer = Response::new(String::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap());
        // A stream does not end.
        if !kind.starts_with("text/event-stream") {
            *answer.body_mut() = response.text().await.unwrap();
        }
        answer
    }
}
