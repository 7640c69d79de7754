//! The real server behind nginx and Caddy from Debian's packages, configured as `docs/operations/proxies` has it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

mod front;

use std::path::Path;
use std::time::Duration;

use inresponse_testkit::{process, server};
use mail_parser::MessageParser;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};

use front::{Front, HOST, Proxy, self_signed};
use server::{KEY, SOON, Server, Setup};

/// Where the client is, so that it is not taken for the proxy.
const CLIENT: &str = "127.0.0.9";

async fn served(dir: &Path, proxy: Proxy) -> (Server, Front, Client) {
    let certificate = self_signed(dir);
    let [http, https] = [process::free_port(), process::free_port()];
    let url = format!("https://{HOST}:{https}");
    let args = ["--listen", "127.0.0.1:0", "--db", "test.db", "--outbox", "outbox", "--api-key", KEY];
    let more = ["--public-url", &url, "--trusted-proxies", "127.0.0.1"];
    let args = args.iter().chain(&more).map(ToString::to_string).collect();
    let server = Setup { dir: dir.to_owned(), args, env: Vec::new(), starter: Vec::new() }.start().await;
    let front = Front::start(proxy, dir, [http, https], server.url.strip_prefix("http://").unwrap());
    let certificate = Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    let client = Client::builder()
        .tls_certs_only([certificate])
        .redirect(Policy::none())
        .local_address(CLIENT.parse::<std::net::IpAddr>().unwrap())
        .resolve(HOST, "127.0.0.1:0".parse().unwrap())
        .build()
        .unwrap();
    for _ in 0..SOON.as_millis() / 50 {
        if client.get(format!("{url}/healthz")).send().await.is_ok_and(|answer| answer.status().is_success())
        {
            return (server, front, client);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{proxy:?} does not answer:\n{}", front.log());
}

async fn works(proxy: Proxy) {
    let dir = tempfile::tempdir().unwrap();
    let (server, front, client) = served(dir.path(), proxy).await;
    let at = |path: &str| format!("{}{path}", front.url);

    // A report, under the address that the answer names; and one as large as they may be.
    let body = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "many" });
    let report = client.put(at("/incidents")).header("x-api-key", KEY).json(&body).send().await.unwrap();
    assert_eq!(report.status(), StatusCode::CREATED);
    let hsts: Vec<_> = report.headers().get_all("strict-transport-security").iter().collect();
    assert_eq!(hsts, ["max-age=31536000"]);
    let large = json!([{ "labels": { "alertname": "x", "service": "athens" },
        "annotations": { "description": "x".repeat(1_000_000) } }]);
    let large = client.post(at("/api/v2/alerts")).bearer_auth(KEY).json(&large).send().await.unwrap();
    assert!(large.status().is_success(), "{}", large.status());

    // The link in the mail leads through the proxy, and claims.
    let link = link(dir.path()).await;
    assert!(link.starts_with(&at("/incidents/10000/claim?token=")), "{link}");
    let page = client.get(&link).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("5xx"));
    let claimed = client.post(&link).body("name=Jo").send().await.unwrap();
    assert_eq!(claimed.status(), StatusCode::OK);
    let shown: Value = server.get("/incidents/10000").await;
    assert_eq!((&shown["state"], &shown["claimedBy"]), (&json!("CLAIMED"), &json!("Jo")));

    // Who comes by http is led to https.
    let plain = client.get(format!("http://{HOST}:{}/board/oncall?x=1", front.http)).send().await.unwrap();
    assert!(plain.status().is_redirection(), "{}", plain.status());
    // Caddy takes its port for the usual one, seen from outside.
    let led = plain.headers()["location"].to_str().unwrap().to_owned();
    let usual = format!("https://{HOST}/board/oncall?x=1");
    assert!(led == at("/board/oncall?x=1") || led == usual, "{led}");

    // The log names the real client, whatever it claims to be.
    let forged = [("accept", "*/*"), ("x-forwarded-for", "198.51.100.9"), ("forwarded", "for=198.51.100.9")];
    for (n, (name, value)) in forged.into_iter().enumerate() {
        let wrong = client.get(at("/incidents")).header("x-api-key", "a wrong key of this test");
        let wrong = wrong.header(name, value);
        assert_eq!(wrong.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let named = format!("client={CLIENT} (by the proxy 127.0.0.1)");
        let told = || server.output().matches(&named).count();
        for _ in 0..SOON.as_millis() / 50 {
            if told() > n {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(told(), n + 1, "{}", server.output());
    }

    stream(&server, &front, &client).await;
}

/// The board's stream of events comes through as it is sent.
async fn stream(server: &Server, front: &Front, client: &Client) {
    let form = format!("key={KEY}&name=Jo");
    let sign_in = client.request(Method::POST, format!("{}/board/sign-in", front.url));
    let signed_in = sign_in.header("origin", &front.url).body(form).send().await.unwrap();
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER, "{}", front.log());
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let events = client.get(format!("{}/board/events", front.url)).header("cookie", cookie);
    let mut events = events.send().await.unwrap();
    assert_eq!(events.status(), StatusCode::OK);
    let mut seen = String::new();
    for title in ["5xx", "something new"] {
        if title != "5xx" {
            let body = json!({ "service": "athens", "severity": "ERR", "title": title, "message": "" });
            server.put("/incidents", body).await;
        }
        while !seen.contains(title) {
            let chunk = tokio::time::timeout(SOON, events.chunk()).await.expect("an event comes soon");
            seen.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
        }
    }
}

/// The link to claim with, from the mail about the first incident.
async fn link(dir: &Path) -> String {
    for _ in 0..SOON.as_millis() / 50 {
        let files = std::fs::read_dir(dir.join("outbox")).into_iter().flatten().flatten();
        let mut mails = files.map(|file| file.path()).filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("10000-") && name.ends_with(".eml")
        });
        if let Some(mail) = mails.next() {
            let bytes = std::fs::read(mail).unwrap();
            let text = MessageParser::default().parse(&bytes).unwrap().body_text(0).unwrap().into_owned();
            return text.lines().find(|line| line.contains("/claim?token=")).unwrap().trim().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail came");
}

#[tokio::test]
async fn the_server_works_behind_nginx_as_it_is_documented() {
    works(Proxy::Nginx).await;
}

#[tokio::test]
async fn the_server_works_behind_caddy_as_it_is_documented() {
    works(Proxy::Caddy).await;
}
