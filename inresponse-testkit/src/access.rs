//! Tests who may do what: tries every door with every key, without a key, and with a removed key, and compares the
//! answers with the table of doors.
//!
//! The tests of the router, of the server and of the cloud all call this. The expected answers come from [`DOORS`]
//! alone.

use std::time::Duration;

use axum::http::header::{COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{Request, Response, StatusCode};
use futures_util::StreamExt;
use futures_util::stream::iter;
use inresponse_http::{DOORS, Door, Proof, Scope};

/// The maximum number of times that a request is sent again if the store was too busy to answer.
const TRIES: usize = 60;

/// A deployment or router that answers requests.
pub trait Answers {
    /// Sends a request and returns its response. A redirect is not followed, and a stream of events is not read.
    async fn answer(&self, request: Request<String>) -> Response<String>;
}

/// The keys and sessions that try the doors.
#[derive(Debug)]
pub struct Visitors<'a> {
    /// The known keys, with their scopes.
    pub keys: &'a [(&'a str, &'a [Scope])],
    /// A key that was known and then removed.
    pub removed: &'a str,
    /// The cookie of a session that the removed key began.
    pub ended: &'a str,
    /// The number of an existing incident.
    pub incident: u64,
    /// The size of the body that is sent without a key or with a wrong one.
    pub body_of_strangers: usize,
    /// The number of requests that are sent at once.
    pub at_once: usize,
}

/// The credential that a request shows. An unknown credential has no scopes.
#[derive(Debug, Clone, Copy)]
enum Shown<'a> {
    Nothing,
    Key(&'a str, Option<&'a [Scope]>),
    Session(&'a str, Option<&'a [Scope]>),
}

/// The expected answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The request is let in, whatever its result.
    LetIn,
    /// The answer says that a key is needed, or another one.
    NoKey,
    /// The answer says that the key lacks the scope.
    NoScope,
    /// The answer is the sign-in page.
    SignIn,
    /// The answer asks for a key or for signing in, or says that the route is not served.
    NotLetIn,
    /// The link or the token in the URL is invalid.
    NoLink,
}

/// The answer that the table of doors requires.
fn expected(door: &Door, shown: Shown<'_>) -> Expected {
    let by = |scopes: Option<&[Scope]>, unknown| match scopes {
        Some(scopes) if may(door, scopes) => Expected::LetIn,
        Some(_) => Expected::NoScope,
        None => unknown,
    };
    match (door.proof, shown) {
        (Proof::Nothing, _) => Expected::LetIn,
        (Proof::Link | Proof::CalendarToken, _) => Expected::NoLink,
        (Proof::Channel, _) => Expected::NotLetIn,
        (Proof::Key | Proof::SendersKey | Proof::RoutingKey, Shown::Key(_, scopes)) => {
            by(scopes, Expected::NoKey)
        }
        (Proof::Key | Proof::SendersKey | Proof::RoutingKey, Shown::Nothing | Shown::Session(..)) => {
            Expected::NoKey
        }
        (Proof::Session, Shown::Session(_, scopes)) => by(scopes, Expected::SignIn),
        (Proof::Session, Shown::Nothing | Shown::Key(..)) => Expected::SignIn,
        (Proof::KeyOrSession, Shown::Key(_, scopes) | Shown::Session(_, scopes)) => {
            by(scopes, Expected::NotLetIn)
        }
        (Proof::KeyOrSession, Shown::Nothing) => Expected::NotLetIn,
    }
}

fn may(door: &Door, scopes: &[Scope]) -> bool {
    let any_of = door.act.any_of();
    any_of.is_empty() || any_of.iter().any(|scope| scopes.contains(scope))
}

/// Whether a person with these scopes can sign in, because some page needs one of them.
fn may_sign_in(scopes: &[Scope]) -> bool {
    DOORS.iter().any(|door| door.proof == Proof::Session && may(door, scopes))
}

/// The path of a door, with an example value for every parameter.
fn path_of(door: &Door, incident: u64) -> String {
    let part = |part: &str| match part {
        "{incidentId}" => incident.to_string(),
        "{day}" => "2026-01-01".to_owned(),
        "{name}" => "board.css".to_owned(),
        other => other.trim_matches(['{', '*', '}']).to_owned(),
    };
    door.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

impl Visitors<'_> {
    fn request(&self, door: &Door, shown: Shown<'_>) -> Request<String> {
        let mut request = Request::builder().method(door.method).uri(path_of(door, self.incident));
        let mut body = match shown {
            Shown::Nothing | Shown::Key(_, None) => "x".repeat(self.body_of_strangers),
            Shown::Session(..) => "do=note&note=seen".to_owned(),
            Shown::Key(_, Some(_)) => String::new(),
        };
        match (door.proof, shown) {
            (Proof::RoutingKey, Shown::Key(key, _)) => {
                body = serde_json::json!({ "routing_key": key }).to_string();
            }
            (Proof::RoutingKey, Shown::Nothing | Shown::Session(..)) => body = "{}".to_owned(),
            (_, Shown::Key(key, _)) => request = request.header("x-api-key", key),
            (_, Shown::Nothing | Shown::Session(..)) => {}
        }
        if let Shown::Session(cookie, _) = shown {
            request = request.header(COOKIE, cookie);
        }
        request.body(body).unwrap()
    }
}

/// Sends a request, and sends it again if the store was too busy to answer.
async fn answer(at: &impl Answers, request: impl Fn() -> Request<String>) -> Response<String> {
    let mut response = at.answer(request()).await;
    for _ in 0..TRIES {
        // How many streams there may be is up to the deployment: none is served in the cloud.
        if response.status() != StatusCode::SERVICE_UNAVAILABLE || request().uri() == "/board/events" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        response = at.answer(request()).await;
    }
    response
}

/// Signs in to the board with that key. Returns the cookie if the sign-in succeeds.
pub async fn sign_in(at: &impl Answers, key: &str) -> Option<String> {
    let form = || Request::post("/board/sign-in").body(format!("key={key}&name=Jo")).unwrap();
    let response = answer(at, form).await;
    let cookie = response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
    let status = if cookie.is_some() { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
    assert_eq!(response.status(), status, "signing in with {key}: {}", response.body());
    cookie.map(|cookie| cookie.split(';').next().unwrap().to_owned())
}

/// Checks that every door accepts exactly the credentials in the table.
pub async fn every_door_takes_what_the_table_says(at: &impl Answers, visitors: &Visitors<'_>) {
    let cut = &visitors.keys[0].0[..visitors.keys[0].0.len() - 1];
    let strangers = ["", "key-of-nobody", cut, visitors.removed];
    let mut sessions = Vec::new();
    for (key, scopes) in visitors.keys {
        let cookie = sign_in(at, key).await;
        assert_eq!(cookie.is_some(), may_sign_in(scopes), "signing in with {key}");
        sessions.extend(cookie.map(|cookie| (cookie, *scopes)));
    }
    for key in strangers {
        assert_eq!(sign_in(at, key).await, None, "signing in with {key:?}");
    }
    let mut shown = vec![Shown::Nothing, Shown::Session(visitors.ended, None)];
    shown.extend(visitors.keys.iter().map(|(key, scopes)| Shown::Key(key, Some(scopes))));
    shown.extend(strangers.map(|key| Shown::Key(key, None)));
    shown.extend(sessions.iter().map(|(cookie, scopes)| Shown::Session(cookie, Some(scopes))));
    let tried = DOORS.iter().flat_map(|door| shown.iter().map(move |shown| (door, *shown)));
    // A person who has signed out has no session.
    let tried = tried
        .filter(|(door, shown)| !matches!((door.proof, shown), (Proof::Nothing, Shown::Session(_, Some(_)))));
    let mut answers = iter(tried)
        .map(async |(door, shown)| (door, shown, answer(at, || visitors.request(door, shown)).await))
        .buffer_unordered(visitors.at_once);
    let mut count = 0;
    while let Some((door, shown, response)) = answers.next().await {
        check(door, shown, &response);
        count += 1;
    }
    assert!(count >= DOORS.len() * (shown.len() - sessions.len()), "{count} requests");
    println!("{count} requests to {} doors were answered as the table says", DOORS.len());
}

fn check(door: &Door, shown: Shown<'_>, response: &Response<String>) {
    let (status, headers) = (response.status(), response.headers());
    let leads_to = headers.get(LOCATION).map_or("", |to| to.to_str().unwrap());
    let asks_to_sign_in = status == StatusCode::SEE_OTHER && leads_to.contains("/board/sign-in");
    let told = || format!("{door:?} with {shown:?} answered {status} {leads_to} {}", response.body());
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    match expected(door, shown) {
        Expected::LetIn => {
            // An answer for a route that is not served is the only one that is not the request's own fault.
            let broken = status.is_server_error()
                && status != StatusCode::NOT_IMPLEMENTED
                && door.path != "/board/events";
            assert!(!refused && !asks_to_sign_in && !broken, "{}", told());
            assert!(door.proof != Proof::Nothing || status != StatusCode::NOT_FOUND, "{}", told());
        }
        Expected::NoKey => {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", told());
            assert!(headers.contains_key(WWW_AUTHENTICATE), "{}", told());
        }
        Expected::NoScope => {
            assert_eq!(status, StatusCode::FORBIDDEN, "{}", told());
            let names = |scope: &Scope| response.body().contains(scope.as_str());
            assert!(door.act.any_of().iter().all(names), "{}", told());
        }
        Expected::SignIn => assert!(asks_to_sign_in, "{}", told()),
        Expected::NotLetIn => {
            let absent = status == StatusCode::NOT_FOUND;
            assert!(status == StatusCode::UNAUTHORIZED || asks_to_sign_in || absent, "{}", told());
        }
        Expected::NoLink => assert_eq!(status, StatusCode::FORBIDDEN, "{}", told()),
    }
}
