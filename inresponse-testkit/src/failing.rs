//! Tests what a notifier over HTTP says if its carrier fails: at every step before a request, and by what it answers
//! (promise 9).
//!
//! A channel joins with a line: a [`Channel`], and what its carrier answers in its own words.

use std::sync::Arc;
use std::time::Duration;

use inresponse_conformance::Behaviour;
use inresponse_core::clock::{Clock as _, SystemClock};
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use tokio::net::TcpListener;

use crate::carrier::{Carrier, Manners, Says};

/// The host whose name does not resolve. A notifier that checks names must allow it, and `127.0.0.1`.
pub const NOWHERE: &str = "nowhere.invalid";

/// A time in which nothing fails for want of time, on a busy machine too.
const AMPLE: Duration = Duration::from_secs(120);
/// A time that a hanging carrier exceeds.
const SHORT: Duration = Duration::from_secs(2);

/// A notifier, and a contact that it reaches.
pub type Reached = (Arc<dyn Notifier>, Contact);

/// A channel whose carrier fails.
pub struct Channel<'a> {
    /// The notifier for a carrier at that URL, and a contact. Their secrets contain `canary`.
    pub at: &'a dyn Fn(&str) -> Reached,
    /// The outcome of a 500, which differs between channels.
    pub of_500: OutcomeKind,
    /// The outcome of a success with the page of a proxy.
    pub of_a_portal: OutcomeKind,
    /// Successes with an error in their body, as this carrier writes it, and their outcomes.
    pub errors: &'a [(&'a str, OutcomeKind)],
}

/// Plays the table.
pub async fn check(channel: Channel<'_>) {
    before_a_request(&channel).await;
    answers(&channel).await;
    silence(&channel).await;
}

/// No such name; nobody there; a server that speaks no TLS: the message was certainly not delivered.
async fn before_a_request(channel: &Channel<'_>) {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let plain = Carrier::start(ANY);
    let tls = plain.url().replace("http:", "https:");
    let urls = [
        format!("http://{NOWHERE}/"),
        format!("https://{NOWHERE}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("{tls}/"),
    ];
    for url in urls {
        let outcome = attempt(channel, &url, AMPLE).await;
        assert_eq!(outcome.kind(), OutcomeKind::Unavailable, "{url}: {outcome:?}");
    }
    assert!(plain.all().is_empty(), "a request was sent in plain text");
}

async fn answers(channel: &Channel<'_>) {
    use OutcomeKind::{Throttled, Unknown};
    let pause = |status| Says::new(status, "").with("retry-after", 9);
    let portal = "<html>sign in to the network</html>";
    let mut rows = vec![
        (Says::new(429, ""), Throttled, None),
        (pause(429), Throttled, Some(Duration::from_secs(9))),
        (pause(503), Throttled, Some(Duration::from_secs(9))),
        (Says::new(502, ""), Unknown, None),
        (Says::new(504, ""), Unknown, None),
        (Says::new(500, ""), channel.of_500, None),
        (Says::new(200, portal), channel.of_a_portal, None),
    ];
    rows.extend(channel.errors.iter().map(|(body, kind)| (Says::new(200, body), *kind, None)));
    let carrier = Carrier::start(ANY);
    for (says, kind, pause) in rows {
        carrier.say_next([says.clone()]);
        let before = carrier.all().len();
        let outcome = attempt(channel, &format!("{}/", carrier.url()), AMPLE).await;
        assert_eq!(outcome.kind(), kind, "{says:?}: {outcome:?}");
        if let (Some(pause), Outcome::Throttled { after, .. }) = (pause, &outcome) {
            assert_eq!(*after, pause, "{says:?}");
        }
        assert_eq!(carrier.all().len(), before + 1, "{says:?}: one attempt");
    }
}

/// A carrier that takes the connection and says nothing: the message may have arrived, unless the time was over before.
async fn silence(channel: &Channel<'_>) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let outcome = attempt(channel, &url, SHORT).await;
    assert!(matches!(outcome.kind(), OutcomeKind::Unknown | OutcomeKind::Unavailable), "{outcome:?}");
}

async fn attempt(channel: &Channel<'_>, url: &str, deadline: Duration) -> Outcome {
    let (notifier, contact) = (channel.at)(url);
    let alert = Alert::test(&contact, SystemClock::new().now()).unwrap();
    let outcome = notifier.notify(&alert, deadline).await;
    assert!(!outcome.reason().contains("canary"), "{outcome:?}");
    outcome
}

/// A carrier that answers what it is told to.
const ANY: Manners = Manners { recipient: |_| None, answer: |_, _: Behaviour, _| Says::new(200, "") };
