//! What the server does as every other deployment does.

use std::time::Duration;

use inresponse_http::{Scope, hash_of};
use serde_json::Value;

use crate::contract::{self, Deployment};
use crate::mail::MailServer;
use crate::server::{KEY, Server, Setup, client};
use inresponse_testkit::access::{self, Visitors, sign_in};
use inresponse_testkit::over_http::OverHttp;

struct Here {
    server: Server,
    mail: MailServer,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Here {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mail = MailServer::start().await;
        let server = Setup::new(dir.path(), mail.port).start().await;
        Self { server, mail, client: client(), _dir: dir }
    }
}

impl Deployment for Here {
    fn api(&self) -> (&str, &reqwest::Client) {
        (&self.server.url, &self.client)
    }

    fn key(&self) -> &str {
        KEY
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        let raw = |mail: &Value| mail["raw"].as_str().unwrap().to_owned();
        self.mail.accepted().iter().filter(|mail| mail["to"] == to).map(raw).collect()
    }
}

#[tokio::test]
async fn p08_p11_escalates_until_it_is_claimed() {
    contract::p08_p11_escalates_until_it_is_claimed(&Here::start().await).await;
}

#[tokio::test]
async fn p06_the_link_in_the_mail_claims() {
    contract::p06_the_link_in_the_mail_claims(&Here::start().await).await;
}

#[tokio::test]
async fn p05_a_release_alerts_again() {
    contract::p05_a_release_alerts_again(&Here::start().await).await;
}

#[tokio::test]
async fn p12_the_fallback_is_alerted_if_nobody_is_on_call() {
    contract::p12_the_fallback_is_alerted_if_nobody_is_on_call(&Here::start().await).await;
}

#[tokio::test]
async fn p03_reports_at_once_under_one_key_are_one_incident() {
    contract::p03_reports_at_once_under_one_key_are_one_incident(&Here::start().await).await;
}

#[tokio::test]
async fn p16_every_route_answers() {
    contract::p16_every_route_answers(&Here::start().await).await;
}

#[tokio::test]
async fn every_door_takes_what_the_table_says() {
    let (dir, mail) = (tempfile::tempdir().unwrap(), MailServer::start().await);
    let keys: [(&str, &[Scope]); 3] = [
        ("key-that-may-report", &[Scope::Report]),
        ("key-that-may-respond", &[Scope::Respond]),
        ("key-that-administers", &[Scope::Admin]),
    ];
    let removed = "key-that-was-removed";
    let start = async |keys: &[(&str, &[Scope])]| {
        let entry = |(key, scopes): &(&str, &[Scope])| {
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            format!("[[keys]]\nname = {key:?}\nhash = {:?}\nscopes = {scopes:?}\n", hash_of(key))
        };
        let file = dir.path().join("config.toml");
        std::fs::write(&file, keys.iter().map(entry).collect::<String>()).unwrap();
        Setup::new(dir.path(), mail.port).with("--config", file.to_str().unwrap()).start().await
    };
    let stay = reqwest::redirect::Policy::none();
    let client =
        reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(5)).redirect(stay).build().unwrap();
    let mut before = start(&[&keys[..], &[(removed, &Scope::ALL)]].concat()).await;
    let ended = sign_in(&OverHttp { url: &before.url, client: &client }, removed).await.unwrap();
    before.terminate();
    let server = start(&keys).await;
    let incident = server.report("athens").await;
    let visitors = Visitors {
        keys: &[&[(KEY, &Scope::ALL[..])][..], &keys[..]].concat(),
        removed,
        ended: &ended,
        incident,
        body_of_strangers: 0,
        at_once: 8,
    };
    let at = OverHttp { url: &server.url, client: &client };
    access::every_door_takes_what_the_table_says(&at, &visitors).await;
}
