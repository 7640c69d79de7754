//! Silences of the real server on a real database file, which is killed between every two steps: promise 21.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

/// When the server is killed and started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Never,
    AfterTheSilence,
    AfterTheReport,
    BeforeTheLift,
    AfterTheLift,
}

const ALL: [Killed; 5] = [
    Killed::Never,
    Killed::AfterTheSilence,
    Killed::AfterTheReport,
    Killed::BeforeTheLift,
    Killed::AfterTheLift,
];

/// A server that is killed at one step.
struct Killable {
    setup: Setup,
    server: Server,
    killed: Killed,
}

impl Killable {
    async fn at(&mut self, step: Killed) {
        if self.killed == step {
            self.server.kill();
            self.server = self.setup.start().await;
        }
    }

    async fn silence(&self) {
        let to = crate::server::unix_now() + 3600.0;
        let to = chrono::DateTime::from_timestamp(to as i64, 0).unwrap();
        let matchers = json!([{ "name": "service", "value": "athens" }]);
        let silence = json!({ "matchers": matchers, "to": to, "comment": "deploy" });
        self.server.put("/silences/deploy", silence).await;
    }

    async fn lift(&self) {
        let (status, answer) = self.server.call(Method::DELETE, "/silences/deploy", None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    }

    async fn until_quiet(&self, number: u64) -> Value {
        self.server.until(number, SOON, |incident| incident["quietUntil"].is_string()).await
    }

    /// The rounds in which somebody was alerted and the mail was accepted.
    async fn until_alerted(&self, number: u64, round: u64) -> Value {
        let is_accepted = |incident: &Value| {
            let mut deliveries = incident["deliveries"].as_array().unwrap().iter();
            deliveries.any(|one| one["round"] == round && one["status"] == "accepted")
        };
        self.server.until(number, SOON, is_accepted).await
    }
}

async fn killable(mail: &MailServer, dir: &std::path::Path, wait_seconds: u64, killed: Killed) -> Killable {
    let setup = Setup::new(dir, mail.port);
    let server = setup.start().await;
    // Many levels: a slow machine is still not at the last one when the silence comes.
    let escalation = vec![json!(["lee@example.org"]); 12];
    let oncall = json!(["jo@example.org"]);
    server.team("devops", wait_seconds, oncall, json!(escalation), "ops@example.org").await;
    server.put("/services/athens", json!({ "team": "devops" })).await;
    Killable { setup, server, killed }
}

/// A kill at the moment of the alert may repeat it (promise 10). Otherwise there is exactly one.
fn once_more(mail: &MailServer, before: usize, killed: Killed) {
    let mails = mail.accepted_to("jo@example.org") - before;
    let most = if killed == Killed::AfterTheLift { 2 } else { 1 };
    assert!((1..=most).contains(&mails), "{mails} mails, killed: {killed:?}");
}

#[tokio::test]
async fn p21_what_was_reported_during_a_silence_alerts_once_when_it_is_lifted_wherever_the_server_is_killed()
{
    for killed in ALL {
        let (dir, mail) = (tempfile::tempdir().unwrap(), MailServer::start().await);
        let mut killable = killable(&mail, dir.path(), 600, killed).await;
        killable.silence().await;
        killable.at(Killed::AfterTheSilence).await;
        let number = killable.server.report("athens").await;
        killable.at(Killed::AfterTheReport).await;
        killable.until_quiet(number).await;
        killable.at(Killed::BeforeTheLift).await;
        assert_eq!(mail.accepted_to("jo@example.org"), 0, "{killed:?}");
        killable.lift().await;
        killable.at(Killed::AfterTheLift).await;
        let incident = killable.until_alerted(number, 1).await;
        assert_eq!(incident["round"], 1, "{killed:?}: {incident}");
        once_more(&mail, 0, killed);
    }
}

#[tokio::test]
async fn p21_a_silence_made_after_the_alert_ends_in_a_new_round_wherever_the_server_is_killed() {
    for killed in ALL {
        let (dir, mail) = (tempfile::tempdir().unwrap(), MailServer::start().await);
        // The server asks for silences when the next level is due.
        let mut killable = killable(&mail, dir.path(), 5, killed).await;
        let number = killable.server.report("athens").await;
        killable.until_alerted(number, 1).await;
        killable.at(Killed::AfterTheReport).await;
        killable.silence().await;
        killable.at(Killed::AfterTheSilence).await;
        let round = killable.until_quiet(number).await["round"].as_u64().unwrap();
        killable.at(Killed::BeforeTheLift).await;
        let before = mail.accepted_to("jo@example.org");
        killable.lift().await;
        killable.at(Killed::AfterTheLift).await;
        let incident = killable.until_alerted(number, round + 1).await;
        assert_eq!(incident["round"], round + 1, "{killed:?}: {incident}");
        once_more(&mail, before, killed);
    }
}
