//! Errors as pages: a browser that opens an address gets a page where a program gets JSON.

use axum::extract::Request;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{message, session};
use crate::here::Here;
use crate::problem::Told;

/// Whether a browser opens an address, or sends a form.
fn is_opened(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with("text/html"))
}

/// Makes a page of an error, if a browser asked.
pub(crate) async fn told_as_page(Here(api): Here, request: Request, next: Next) -> Response {
    let asked = is_opened(request.headers()).then(|| request.headers().clone());
    let mut response = next.run(request).await;
    let is_problem =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    let (Some(headers), true) = (asked, is_problem) else { return response };
    let told = response.extensions().get::<Told>().map(|told| told.detail.clone()).unwrap_or_default();
    let text = match response.status() {
        StatusCode::NOT_FOUND => "There is no such page.".to_owned(),
        _ => sentence(&told),
    };
    let by = session::reader(&api, &headers).await;
    let mut page = message(&api, by.as_ref(), response.status(), &text);
    for kept in [RETRY_AFTER, ALLOW] {
        for value in response.headers().get_all(&kept) {
            page.headers_mut().append(kept.clone(), value.clone());
        }
    }
    page.extensions_mut().extend(std::mem::take(response.extensions_mut()));
    page
}

/// A text of an error as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => "This is not working right now. Please try again.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_from_a_program_by_what_it_accepts() {
        for (accept, is_browser) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, text/html", true),
            ("*/*", false),
            ("application/json", false),
            ("text/event-stream", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(is_opened(&headers), is_browser, "{accept}");
        }
        assert!(!is_opened(&HeaderMap::new()));
        assert_eq!(sentence("the body ended early"), "The body ended early.");
    }
}
