//! Fuzzes the headers that tell who sent a request.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::header::{COOKIE, FORWARDED, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use inresponse_http::{TrustedProxies, fuzzing};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::{api, once};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;
const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
/// The sender's address, as the proxy saw it.
const SEEN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 77);

static PROXIES: LazyLock<TrustedProxies> =
    LazyLock::new(|| TrustedProxies::new(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).unwrap());

/// The address that the server believes. The log's text for this address must stay small and plain.
fn client(peer: Ipv4Addr, headers: &HeaderMap) -> IpAddr {
    let (address, told) = fuzzing::client(SocketAddr::from((peer, 4711)), &PROXIES, headers);
    assert!(told.len() <= 300 && told.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{told:?}");
    let address = address.expect("the peer is known");
    assert_eq!(address, address.to_canonical());
    address
}

/// Reads lines as headers: a line that begins with `f` is a header `Forwarded`, any other one `X-Forwarded-For`.
pub(super) fn forwarded(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let (name, value) = match line {
            [b'f', value @ ..] => (FORWARDED, value),
            [_, value @ ..] => (FORWARDED_FOR, value),
            [] => continue,
        };
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        headers.append(name, value);
    }
    assert_eq!(client(STRANGER, &headers), STRANGER, "an untrusted proxy is not believed");
    client(PROXY, &headers);
    for (name, hop) in [(FORWARDED_FOR, SEEN.to_string()), (FORWARDED, format!("for={SEEN}"))] {
        let is_alone = headers.keys().all(|other| *other == name);
        let mut extended = headers.clone();
        extended.append(&name, HeaderValue::from_str(&hop).unwrap());
        holds(client(PROXY, &extended), is_alone);
        // Others put it at the end of the last line that came.
        let lines: Vec<_> = headers.get_all(&name).iter().cloned().collect();
        let Some((last, before)) = lines.split_last() else { continue };
        let line = [last.as_bytes(), b", ", hop.as_bytes()].concat();
        extended.remove(&name);
        for line in before {
            extended.append(&name, line.clone());
        }
        extended.append(&name, HeaderValue::from_bytes(&line).unwrap());
        holds(client(PROXY, &extended), is_alone && last.to_str().is_ok());
    }
}

/// Checks that the server believes what the proxy has added, or nothing: everything before it was written by the
/// client.
fn holds(client: IpAddr, is_certain: bool) {
    assert!(client == SEEN || (client == PROXY && !is_certain), "{client}");
}

struct Board {
    runtime: Runtime,
    router: Router,
    /// The cookie of somebody who has signed in.
    cookie: HeaderValue,
}

thread_local! {
    static BOARD: OnceCell<Board> = const { OnceCell::new() };
}

impl Board {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let (router, cookie) = runtime.block_on(async {
            let router = api::world().await;
            let form = Request::post("/board/sign-in").body(Body::from(format!("key={}&name=Jo", api::KEY)));
            let signed_in = router.clone().oneshot(form.unwrap()).await.unwrap();
            let cookie = signed_in.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
            let cookie = HeaderValue::from_str(cookie).unwrap();
            (router, cookie)
        });
        Self { runtime, router, cookie }
    }

    /// Whether the sign-in page redirects, as it does for somebody who has signed in.
    fn is_signed_in(&self, cookies: &[&HeaderValue]) -> bool {
        let mut request = Request::get("/board/sign-in").body(Body::empty()).unwrap();
        for cookie in cookies {
            request.headers_mut().append(COOKIE, (*cookie).clone());
        }
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).unwrap();
        match response.status() {
            StatusCode::SEE_OTHER => true,
            StatusCode::OK => false,
            other => panic!("{other}"),
        }
    }
}

/// Fuzzes the value of a session's cookie, and any header `Cookie`.
pub(super) fn session(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(written) = fuzzing::session(text)
    {
        assert_eq!(fuzzing::session(&written).as_ref(), Some(&written), "the value is read again unchanged");
        assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    }
    let Ok(given) = HeaderValue::from_bytes(data) else { return };
    once(&BOARD, Board::new, |board| {
        assert!(!board.is_signed_in(&[&given]), "nobody guesses a session");
        // A cookie of another name hides nothing.
        if !data.windows(10).any(|name| name == b"inresponse") {
            assert!(board.is_signed_in(&[&given, &board.cookie]));
        }
    });
}
