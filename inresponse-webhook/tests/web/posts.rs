//! What is posted, where to, and where not.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_core::plan;
use inresponse_webhook::{Chat, WebhookConfig, WebhookErrorKind, WebhookNotifier};
use sha2::Sha256;

use crate::server::Server;

const SOON: Duration = Duration::from_secs(60);

fn alert(contact: &str, attempt: u32) -> Alert {
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let contact = Contact::new(contact).unwrap();
    let matrix = Matrix::new(vec![vec![contact.clone()]], vec![contact.clone()], Duration::from_secs(600));
    let lease = Some(Duration::from_secs(30));
    let team = TeamName::new("devops").unwrap();
    let (opening, sends) = plan::open(report, team, matrix, lease, DateTime::UNIX_EPOCH);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, attempt, contact)
}

fn notifier(config: WebhookConfig) -> WebhookNotifier {
    WebhookNotifier::new(config, Arc::new(SystemClock::new())).unwrap()
}

/// One that may post to the test's server.
fn inside() -> WebhookConfig {
    WebhookConfig::new().allow_internal("127.0.0.1")
}

fn url(server: &Server, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", server.port())
}

fn is_rejected(outcome: &Outcome, because: &str) -> bool {
    matches!(outcome, Outcome::Rejected { reason } if reason.contains(because))
}

#[tokio::test]
async fn p10_a_signature_holds_and_a_repeat_bears_the_same_id() {
    let server = Server::start();
    let key = b"0123456789abcdef01234567";
    let secret = format!("whsec_{}", STANDARD.encode(key));
    let notifier = notifier(inside().sign_with(&secret).unwrap());
    for attempt in 1..=2 {
        let alert = alert(&url(&server, "/hook"), attempt);
        assert_eq!(notifier.notify(&alert, SOON).await, Outcome::Accepted);
        let request = server.requests("/hook").pop().unwrap();
        let header = |name: &str| request.headers[name].as_str();
        assert_eq!(header("webhook-id"), alert.delivery_id().as_str());
        assert_eq!(header("x-inresponse-delivery"), alert.delivery_id().as_str());
        assert_eq!(header("content-type"), "application/json");
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        mac.update(&request.body);
        let signature = STANDARD.decode(header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
        mac.verify_slice(&signature).unwrap();
    }
}

#[tokio::test]
async fn without_a_secret_nothing_is_signed() {
    let server = Server::start();
    let outcome = notifier(inside()).notify(&alert(&url(&server, "/hook"), 1), SOON).await;
    assert_eq!(outcome, Outcome::Accepted);
    assert!(!server.requests("/hook")[0].headers.contains_key("webhook-signature"));
}

#[tokio::test]
async fn nothing_is_posted_to_internal_addresses() {
    let server = Server::start();
    let port = server.port();
    let notifier = notifier(WebhookConfig::new());
    for (contact, because) in [
        (format!("http://127.0.0.1:{port}/hook"), "must begin with https://"),
        (format!("https://127.0.0.1:{port}/hook"), "internal"),
        (format!("https://[::ffff:127.0.0.1]:{port}/hook"), "internal"),
        // A name whose addresses are known only after it was resolved.
        (format!("https://localhost:{port}/hook"), "internal"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "internal"),
    ] {
        let outcome = notifier.notify(&alert(&contact, 1), SOON).await;
        let named = contact.contains("localhost");
        // What a resolver answers may change, so such a contact is tried again.
        let is_tried_again = matches!(&outcome, Outcome::Unavailable { reason } if reason.contains(because));
        assert!(
            if named { is_tried_again } else { is_rejected(&outcome, because) },
            "{contact}: {outcome:?}"
        );
        assert_eq!(notifier.reaches(&Contact::new(&contact).unwrap()), named, "{contact}");
    }
    assert!(server.requests("/hook").is_empty());
}

#[tokio::test]
async fn a_name_of_an_internal_host_that_is_allowed_is_posted_to() {
    let server = Server::start();
    let notifier = notifier(WebhookConfig::new().allow_internal("LocalHost"));
    let contact = format!("http://localhost:{}/hook", server.port());
    assert_eq!(notifier.notify(&alert(&contact, 1), SOON).await, Outcome::Accepted);
    // Which allows no other.
    let outcome = notifier.notify(&alert(&url(&server, "/hook"), 1), SOON).await;
    assert!(is_rejected(&outcome, "https://"), "{outcome:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::start();
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        server.answer("/hook", &format!("{status}\r\nlocation: {}", url(&server, "/elsewhere")));
        let outcome = notifier(inside()).notify(&alert(&url(&server, "/hook"), 1), SOON).await;
        let moved_for_good = status.ends_with("Moved") || status.starts_with("308");
        assert_eq!(is_rejected(&outcome, "redirects"), moved_for_good, "{outcome:?}");
        assert!(format!("{outcome:?}").contains("redirects are not followed"), "{outcome:?}");
    }
    assert!(server.requests("/elsewhere").is_empty());
}

#[tokio::test]
async fn an_answer_without_an_end_keeps_nobody_waiting() {
    let server = Server::start();
    server.answer("/hook", "200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello");
    let outcome = notifier(inside()).notify(&alert(&url(&server, "/hook"), 1), SOON).await;
    assert_eq!(outcome, Outcome::Accepted);
}

#[tokio::test]
async fn p09_what_was_certainly_not_handed_over_is_unavailable() {
    let server = Server::start();
    let notifier = notifier(inside().allow_internal("192.0.2.1").allow_internal("nowhere.invalid"));
    for contact in [
        // No TLS is spoken there.
        url(&server, "/hook").replace("http:", "https:"),
        // An address that nobody has, and a name.
        "http://192.0.2.1/hook".to_owned(),
        "http://nowhere.invalid/hook".to_owned(),
    ] {
        let outcome = notifier.notify(&alert(&contact, 1), Duration::from_secs(1)).await;
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{contact}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn p13_an_address_where_packets_vanish_is_given_up_before_the_deadline() {
    // A queue of one place, which is taken: the next connection waits.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let patience = Duration::from_millis(200);
    let held: Vec<_> =
        std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&address, patience).ok()).collect();
    let alert = alert(&format!("http://{address}/hook"), 1);
    let notifier = notifier(inside());
    // In simulated time.
    let notified = notifier.notify(&alert, Duration::from_secs(120));
    let outcome = tokio::time::timeout(Duration::from_secs(11), notified).await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    drop((held, listener));
}

#[tokio::test]
async fn p09_a_channel_that_is_gone_is_told_by_what_the_chat_says() {
    let server = Server::start();
    let config = inside().channel(Chat::Slack, "ops", &url(&server, "/slack")).unwrap();
    let notifier = notifier(config);
    let said = |status: &str, body: &str| {
        format!(
            "{status}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n",
            body.len()
        )
    };
    for (answer, is_gone) in [
        (said("404 Not Found", "no_service"), true),
        (said("403 Forbidden", "invalid_token"), true),
        (said("403 Forbidden", "action_prohibited"), false),
        (said("400 Bad Request", "invalid_payload"), false),
        (said("404 Not Found", &"no_service".repeat(10_000)), false),
        // It announces more than it says, and says no more: the status decides.
        ("404 Not Found\r\ntransfer-encoding: chunked\r\n\r\nff\r\nno_".to_owned(), false),
    ] {
        server.answer("/slack", &answer);
        let outcome = notifier.notify(&alert("slack:ops", 1), SOON).await;
        assert_eq!(matches!(outcome, Outcome::Rejected { .. }), is_gone, "{answer}: {outcome:?}");
        assert!(is_gone || matches!(outcome, Outcome::Unavailable { .. }), "{answer}: {outcome:?}");
    }
    // A webhook has nothing to say.
    server.answer("/hook", &said("404 Not Found", "no_service"));
    let outcome = notifier.notify(&alert(&url(&server, "/hook"), 1), SOON).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
}

#[tokio::test]
async fn channels_are_posted_to_in_their_own_form() {
    let server = Server::start();
    let config = inside().channel(Chat::Slack, "ops", &url(&server, "/slack")).unwrap();
    let notifier = notifier(config.channel(Chat::Teams, "ops", &url(&server, "/teams")).unwrap());
    for (contact, path, form) in
        [("slack:ops", "/slack", "\"blocks\":"), ("teams:ops", "/teams", "AdaptiveCard")]
    {
        assert_eq!(notifier.notify(&alert(contact, 1), SOON).await, Outcome::Accepted);
        let body = String::from_utf8(server.requests(path)[0].body.clone()).unwrap();
        assert!(body.contains(form), "{body}");
    }
    let reaches = |contact| notifier.reaches(&Contact::new(contact).unwrap());
    assert!(reaches("slack:ops") && !reaches("slack:nobody"));
    let outcome = notifier.notify(&alert("slack:nobody", 1), SOON).await;
    assert!(is_rejected(&outcome, "no channel slack:nobody"), "{outcome:?}");
}

#[tokio::test]
async fn a_channel_that_may_not_be_posted_to_is_refused_at_once() {
    for url in ["http://example.org/canary", "https://10.0.0.1/canary", "ftp://example.org/canary"] {
        let config = WebhookConfig::new().channel(Chat::Teams, "ops", url).unwrap();
        let error = WebhookNotifier::new(config, Arc::new(SystemClock::new())).unwrap_err();
        assert_eq!(error.kind(), WebhookErrorKind::Channel);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn the_schemes_are_those_that_can_be_reached() {
    let of = |config| {
        let schemes = notifier(config).schemes();
        schemes.iter().map(|scheme| scheme.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(WebhookConfig::new()), ["https"]);
    let all = inside().channel(Chat::Slack, "a", "https://x.example/").unwrap();
    assert_eq!(of(all), ["https", "http", "slack"]);
}
