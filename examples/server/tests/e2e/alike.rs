//! What the server does as every other deployment does.

use serde_json::Value;

use crate::contract::{self, Deployment};
use crate::mail::MailServer;
use crate::server::{KEY, Server, Setup, client};

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
async fn p05_a_release_alerts_anew() {
    contract::p05_a_release_alerts_anew(&Here::start().await).await;
}

#[tokio::test]
async fn p12_the_fallback_is_alerted_where_nobody_is_on_call() {
    contract::p12_the_fallback_is_alerted_where_nobody_is_on_call(&Here::start().await).await;
}

#[tokio::test]
async fn p03_reports_at_once_under_one_key_are_one_incident() {
    contract::p03_reports_at_once_under_one_key_are_one_incident(&Here::start().await).await;
}

#[tokio::test]
async fn p16_every_route_answers() {
    contract::p16_every_route_answers(&Here::start().await).await;
}
