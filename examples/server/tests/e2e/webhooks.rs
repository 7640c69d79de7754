//! Alerts by webhook: to a URL of the roster, and to a channel whose URL is in the config file.

use std::sync::mpsc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::{SOON, Setup};

/// Answers everything with 200, and hands on what it was sent.
async fn listen() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                // Every body ends with the end of an object, and no header does.
                while !request.ends_with(b"}") {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        return;
                    }
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                sender.send(String::from_utf8(request).unwrap()).ok();
            });
        }
    });
    (port, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_reach_webhooks_and_channels_without_a_proxy() {
    let (port, requests) = listen().await;
    let dir = tempfile::tempdir().unwrap();
    let config =
        format!("[webhook]\ninternal = ['127.0.0.1']\nslack.ops = 'http://127.0.0.1:{port}/secret-path'\n");
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let mut setup = Setup::new(dir.path(), 9).with("--config", "config.toml");
    setup = setup.with("--webhook-secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3");
    // Nobody is there: a user of it would reach nobody.
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"];
    setup.env.extend(proxies.map(|name| (name.to_owned(), "http://127.0.0.1:9".to_owned())));
    let server = setup.start().await;

    let hook = format!("http://127.0.0.1:{port}/hook");
    server.team("athens", 600, json!(["slack:ops", hook]), json!([]), "ops@example.org").await;
    let number = server.report("athens").await;
    let settled = |incident: &Value| {
        let deliveries = incident["deliveries"].as_array().unwrap();
        deliveries.len() == 2 && deliveries.iter().all(|d| d["status"] == "accepted")
    };
    server.until(number, SOON, settled).await;
    let mut got = [requests.recv().unwrap(), requests.recv().unwrap()];
    got.sort();
    let [json, slack] = got;
    assert!(json.starts_with("POST /hook ") && json.contains("\r\nwebhook-signature: v1,"), "{json}");
    assert!(json.contains(&format!("\"incidentId\":{number}")) && json.contains("/claim?token="), "{json}");
    assert!(slack.starts_with("POST /secret-path ") && slack.contains("\"blocks\":"), "{slack}");
    assert!(!server.output().contains("secret-path"), "{}", server.output());

    // What cannot be reached is refused where it would be written down.
    for contact in ["slack:typo", "https://127.0.0.2/x", "http://example.org/x", "teams:ops"] {
        let team = json!({ "fallback": [contact] });
        let (status, answer) = server.call(Method::PUT, "/teams/other", Some(team)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{contact}: {answer}");
        assert_eq!(answer["errors"][0]["field"], "fallback[0]", "{answer}");
    }
}
