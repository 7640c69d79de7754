//! No secret shows anywhere, however much is logged and whatever goes wrong.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

const API_KEY: &str = "canary-Key-9fK2/mQ7+zX1";
const FILE_KEY: &str = "canary-File-4hT8/bN3+vC6";
const WRONG_KEY: &str = "canary-Wrong-6jR5/pL0+sD2";
const TOKEN_SECRET: &str = "canary-Token-1wE7/uI9+oP4";
const SMTP_PASSWORD: &str = "canary-Smtp-3aS8/dF5+gH0";
const SECRETS: [&str; 5] = [API_KEY, FILE_KEY, WRONG_KEY, TOKEN_SECRET, SMTP_PASSWORD];

fn percent_encoded(text: &str) -> String {
    text.replace('/', "%2F").replace('+', "%2B")
}

/// What a secret looks like as it is, in a URL, and in the middle of something in base64.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), percent_encoded(secret), secret.escape_debug().to_string()];
    for before in 0..3 {
        // The first and last characters depend on the neighbours.
        let padded = format!("{}{secret}", "x".repeat(before));
        for encoded in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            let end = encoded.trim_end_matches('=').len() - 2;
            forms.push(encoded[if before == 0 { 0 } else { 4 }..end].to_owned());
        }
    }
    forms
}

/// Fails if a secret shows in what somebody could see.
fn assert_hidden(secrets: &[&str], place: &str, seen: &str) {
    for secret in secrets {
        for form in forms(secret) {
            if let Some(at) = seen.find(&form) {
                let start = seen.floor_char_boundary(at.saturating_sub(200));
                panic!("{secret} shows in {place}: …{}", &seen[start..at + form.len()]);
            }
        }
    }
}

/// Sends a request and looks at all of the answer.
async fn send(what: &str, request: RequestBuilder) -> (StatusCode, String) {
    let response = request.timeout(SOON).send().await.unwrap();
    let (status, headers) = (response.status(), format!("{:?}", response.headers()));
    let body = response.text().await.unwrap();
    assert_hidden(&SECRETS, what, &headers);
    assert_hidden(&SECRETS, what, &body);
    (status, body)
}

fn setup(dir: &std::path::Path, mail: &[&str]) -> Setup {
    let config = format!(
        "[[keys]]\nname = \"file\"\nkey = \"{FILE_KEY}\"\nscopes = [\"report\"]\nservice = \"athens\"\n\
         [roster.services]\nathens = \"devops\"\n[roster.teams.devops]\nfallback = [\"jo@example.org\"]\n"
    );
    std::fs::write(dir.join("config.toml"), config).unwrap();
    let args = ["--listen", "127.0.0.1:0", "--db", "test.db", "--config", "config.toml"];
    let args =
        args.iter().chain(&["--trusted-proxies", "127.0.0.1"]).chain(mail).map(ToString::to_string).collect();
    let env =
        [("INRESPONSE_API_KEY", API_KEY), ("INRESPONSE_TOKEN_SECRET", TOKEN_SECRET), ("RUST_LOG", "trace")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Setup { dir: dir.to_owned(), args, env, starter: Vec::new() }
}

/// Every operation of the API document, with every way to show a key and with bodies that hold and do not.
async fn every_route(server: &Server) {
    let client = Client::new();
    let (status, document) = send(
        "/openapi.json",
        client.get(format!("{}/openapi.json", server.url)).header("x-api-key", API_KEY),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            operations += 1;
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{incidentId}", "10000").replace("{service}", "athens");
            let path =
                path.replace("{team}", "nobody").replace("{day}", "2026-12-24").replace(['{', '}'], "");
            let url = format!("{}{path}", server.url);
            let what = format!("{method} {path}");
            // A client for each, since one that shows many wrong keys is slowed down.
            let forwarded = format!("203.0.113.{operations}");
            for key in [API_KEY, FILE_KEY, WRONG_KEY] {
                let requests = [
                    client.request(method.clone(), &url).header("x-api-key", key),
                    client.request(method.clone(), &url).bearer_auth(key).body("{\"service\": 5"),
                    client.request(method.clone(), &url).basic_auth("any", Some(key)).body("[]"),
                    client.request(method.clone(), &url).header("authorization", format!("GenieKey {key}")),
                    client.request(method.clone(), format!("{url}?token={}", percent_encoded(key))),
                    client
                        .request(method.clone(), &url)
                        .json(&json!({ "routing_key": key, "event_action": "x" })),
                ];
                for request in requests {
                    send(&what, request.header("x-forwarded-for", &forwarded)).await;
                }
            }
        }
    }
    assert!(operations >= 25, "{operations}");
    for path in ["/healthz", "/readyz", "/metrics"] {
        send(path, client.get(format!("{}{path}", server.url)).header("x-api-key", API_KEY)).await;
    }
}

async fn report(server: &Server) -> u64 {
    let body = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "many" });
    let put = Client::new().put(format!("{}/incidents", server.url)).header("x-api-key", API_KEY).json(&body);
    let (status, answer) = send("PUT /incidents", put).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    serde_json::from_str::<Value>(&answer).unwrap()["incidentId"].as_u64().unwrap()
}

/// What the server has printed once a line with this has come.
async fn printed(server: &Server, line: &str) -> String {
    for _ in 0..SOON.as_millis() / 50 {
        let output = server.output();
        if output.contains(line) {
            return output;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("`{line}` was never printed:\n{}", server.output());
}

#[tokio::test]
async fn no_secret_shows_in_logs_answers_or_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = setup(dir.path(), &["--outbox", "outbox"]).start().await;
    report(&server).await;
    let mut link = None;
    for _ in 0..SOON.as_millis() / 50 {
        let files = std::fs::read_dir(dir.path().join("outbox")).into_iter().flatten();
        let mails = files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
        link = mails
            .filter_map(|mail| mail.lines().find(|l| l.contains("/claim?token=")).map(str::to_owned))
            .next();
        if link.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let link = link.expect("a mail with a link");
    let token = link.trim().split_once("token=").unwrap().1.to_owned();
    every_route(&server).await;
    // Everybody who has the link may see it: the page's form bears the token. Nobody else.
    let client = Client::new();
    let url = format!("{}/incidents/10000/claim?token=", server.url);
    for token in [token.as_str(), &token[1..]] {
        for request in
            [client.get(format!("{url}{token}")), client.post(format!("{url}{token}")).body("name=Jo")]
        {
            send("the claim page", request).await;
        }
    }
    assert!(server.terminate().success());
    let output = server.output();
    assert!(output.contains("TRACE") || output.contains("DEBUG"), "everything is logged: {output}");
    assert_hidden(&SECRETS, "the log", &output);
    assert_hidden(&[&token], "the log", &output);
}

#[tokio::test]
async fn no_secret_shows_where_the_mail_server_refuses_the_password_or_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let authority = dir.path().join("authority.pem");
    let mail = MailServer::start_secure(&authority).await;
    let password = percent_encoded(SMTP_PASSWORD);
    for (port, told) in [(mail.port, "535"), (1, "refused")] {
        let url = format!("smtp://jo:{password}@localhost:{port}?tls=required");
        let mut setup = setup(dir.path(), &["--smtp-url", &url]);
        setup.env.push(("SSL_CERT_FILE".to_owned(), authority.to_str().unwrap().to_owned()));
        let mut server = setup.start().await;
        let number = report(&server).await;
        let shown =
            Client::new().get(format!("{}/incidents/{number}", server.url)).header("x-api-key", API_KEY);
        let mut seen = String::new();
        for _ in 0..SOON.as_millis() / 50 {
            seen = send("the incident", shown.try_clone().unwrap()).await.1;
            if seen.contains(told) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(seen.contains(told), "{seen}");
        send("/metrics", Client::new().get(format!("{}/metrics", server.url)).header("x-api-key", API_KEY))
            .await;
        assert_hidden(&SECRETS, "the log", &printed(&server, "DEBUG").await);
        server.kill();
        assert_hidden(&SECRETS, "the log", &server.output());
    }
}

#[test]
fn no_secret_shows_if_the_configuration_is_invalid() {
    let dir = tempfile::tempdir().unwrap();
    let start = |config: &str, variables: &[(&str, &str)]| {
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_inresponse"));
        command.current_dir(dir.path()).args(["--listen", "nowhere", "--config", "config.toml"]);
        let output = command.env("RUST_LOG", "trace").envs(variables.iter().copied()).output().unwrap();
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(told.contains("config.toml") || told.contains("listen"), "{told}");
        assert_hidden(&SECRETS, config, &told);
    };
    for secret in SECRETS {
        for name in ["api-key", "token-secret", "smtp-url"] {
            start(&format!("{name} = \"{secret}\""), &[]);
            start(&format!("{name} = \"{secret}"), &[]);
            start(&format!("{name} = {secret}"), &[]);
            start(&format!("{name} = [\"{secret}\"]"), &[]);
            start(&format!("{name} = \"{secret}\"\n{name} = \"{secret}\""), &[]);
            start(&format!("no-such-name = 1 # {secret}\n{name} = \"{secret}\""), &[]);
        }
        start(&format!("keys = \"{secret}\""), &[]);
        for entry in ["key", "hash"] {
            start(&format!("[[keys]]\nname = \"x\"\nscopes = []\n{entry} = \"{secret}\"\nother = 1"), &[]);
            start(&format!("[[keys]]\nname = \"x\"\nscopes = []\n{entry} = {{ a = \"{secret}\" }}"), &[]);
        }
        for url in
            ["http://jo:{}@x", "smtp://jo:{}", "smtp://jo:25?{}@x", "smtp://jo:{}@x?tls=no", "smtp://{}@x"]
        {
            start(&format!("smtp-url = \"{}\"", url.replace("{}", secret)), &[]);
            start("", &[("INRESPONSE_SMTP_URL", &url.replace("{}", &percent_encoded(secret)))]);
        }
        start("", &[("INRESPONSE_TOKEN_SECRET", secret), ("INRESPONSE_API_KEY", secret)]);
    }
}
