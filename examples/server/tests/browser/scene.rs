//! A night like others: a few teams, a few incidents, mails that went out.

use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) mail: MailServer,
    _dir: TempDir,
}

/// A mail as its reader sees it.
pub(crate) struct Letter {
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Letter {
    fn new(mail: &Value) -> Self {
        let mail = MessageParser::default().parse(mail["raw"].as_str().unwrap().as_bytes()).unwrap();
        Self { text: mail.body_text(0).unwrap().into_owned(), html: mail.body_html(0).unwrap().into_owned() }
    }

    /// The addresses that the mail links to.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = self.html.split("href=\"").skip(1);
        links
            .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&"))
            .collect()
    }

    pub(crate) fn claim_link(&self) -> String {
        self.claim_links().remove(0)
    }

    /// The links that claim.
    pub(crate) fn claim_links(&self) -> Vec<String> {
        let links = self.text.lines().filter(|line| line.contains("/claim?token="));
        links.map(|line| line.trim().to_owned()).collect()
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::configured("").await
    }

    /// With a server that has that configuration.
    pub(crate) async fn configured(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mail = MailServer::start().await;
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let mut setup = Setup::new(dir.path(), mail.port).with("--config", "config.toml");
        setup.env.push(("INRESPONSE_TELL_CLAIMS".to_owned(), "true".to_owned()));
        let server = setup.start().await;
        Self { server, mail, _dir: dir }
    }

    /// The first mail to that address, when it has come.
    pub(crate) async fn letter(&self, to: &str) -> Letter {
        self.letter_that_says(to, "").await
    }

    /// The first mail to that address that says that.
    pub(crate) async fn letter_that_says(&self, to: &str, words: &str) -> Letter {
        for _ in 0..SOON.as_millis() / 50 {
            let mails = self.mail.accepted();
            let letters = mails.iter().filter(|mail| mail["to"] == to).map(Letter::new);
            if let Some(letter) = letters.into_iter().find(|letter| letter.text.contains(words)) {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no mail to {to} that says {words:?}");
    }

    pub(crate) async fn state(&self, number: u64) -> String {
        self.server.get(&format!("/incidents/{number}")).await["state"].as_str().unwrap().to_owned()
    }

    /// A team whose levels are seconds apart, so that a later one is alerted too.
    pub(crate) async fn team(&self, name: &str, wait: u64) {
        let (oncall, then) =
            (json!(format!("{name}-jo@example.org")), json!([format!("{name}-kim@example.org")]));
        self.server.team(name, wait, oncall, then, &format!("{name}-ops@example.org")).await;
    }

    pub(crate) async fn report(&self, report: Value) -> u64 {
        self.server.put("/incidents", report).await["incidentId"].as_u64().unwrap()
    }

    pub(crate) async fn change(&self, number: u64, change: Value) {
        let (status, answer) = self.server.post(&format!("/incidents/{number}"), change).await;
        assert!(status.is_success(), "{answer}");
    }

    /// Incidents of every kind and in every state; answers the first one's number, which is open and rich.
    pub(crate) async fn night(&self) -> u64 {
        self.team("checkout", 600).await;
        self.team("search", 1).await;
        self.team("billing", 600).await;
        let spike = self
            .report(json!({
                "service": "checkout", "severity": "CRIT", "title": "12 % of payments fail with 5xx",
                "message": "payment-gateway answers 502 since the deploy of 02:47.\nRetries do not help; the error budget of the week is gone in 20 minutes.",
                "source": "prometheus", "dedupKey": "checkout/5xx", "labels": { "region": "eu-south-1", "deploy": "2026-11-24.3" },
                "links": [{ "text": "Runbook: payments fail", "url": "https://wiki.example.org/payments" }, { "text": "Error rate", "url": "https://grafana.example.org/d/5xx" }]
            }))
            .await;
        self.report(json!({ "service": "search", "severity": "ERR", "title": "Index is 40 minutes behind", "message": "" })).await;
        self.report(json!({ "service": "billing", "severity": "WARN", "title": "Certificate of billing.example.org ends in 9 days", "message": "" })).await;
        let disk = self
            .report(json!({ "service": "search", "severity": "CRIT", "title": "Disk of search-3 is full", "message": "0 bytes left on /var" }))
            .await;
        self.change(disk, json!({ "state": "CLAIMED", "by": "Kim" })).await;
        let queue = self
            .report(json!({ "service": "billing", "severity": "ERR", "title": "Invoices wait in the queue for more than an hour", "message": "" }))
            .await;
        self.change(queue, json!({ "state": "CLAIMED", "by": "Lee" })).await;
        let done = self.report(json!({ "service": "billing", "severity": "WARN", "title": "Nightly backup took too long", "message": "" })).await;
        self.change(done, json!({ "state": "RESOLVED", "by": "Lee" })).await;
        self.change(
            spike,
            json!({ "note": "Rolled back to 2026-11-24.2.\nErrors go down, not yet gone.", "by": "Jo" }),
        )
        .await;
        self.mail.wait_for("search-kim@example.org", 1, SOON).await;
        spike
    }

    /// Three people of a team with a rotation that follows the sun, a gap on Sundays, an override and an absence.
    pub(crate) async fn rotation(&self) {
        for (id, name, zone) in [
            ("jo", "Jo Doe", "Europe/Athens"),
            ("kim", "Kim Roe", "America/New_York"),
            ("lee", "Lee Poe", "Asia/Kolkata"),
        ] {
            let person = json!({
                "name": name, "timezone": zone, "methods": { "mail": format!("{id}@example.org") },
                "rules": { "CRIT": [{ "afterSeconds": 0, "methods": ["mail"] }] },
            });
            self.server.put(&format!("/people/{id}"), person).await;
        }
        self.server.put("/teams/shop", json!({ "fallback": ["shop-ops@example.org"] })).await;
        self.server.put("/services/shop", json!({ "team": "shop" })).await;
        let week = json!({ "every": 1, "unit": "week" });
        let weekdays = json!(["Mon", "Tue", "Wed", "Thu", "Fri"]);
        let schedule = json!({ "timezone": "Europe/Athens", "layers": [
            { "name": "weekdays", "members": ["person:jo", ["person:kim", "person:lee"]], "from": "2026-01-05T09:00",
              "turn": week, "hours": [{ "days": weekdays, "from": "09:00", "to": "09:00" }] },
            { "name": "saturdays", "members": ["person:lee", "person:kim"], "from": "2026-01-05T09:00", "turn": week,
              "hours": [{ "days": ["Sat"], "from": "09:00", "to": "21:00" }] },
        ] });
        self.server.put("/teams/shop/schedules/primary", schedule).await;
        let settings = json!({ "fallback": ["shop-ops@example.org"], "levels": [
            { "notify": ["schedule:primary"], "waitSeconds": 300 }, { "notify": ["person:kim"] },
        ] });
        self.server.put("/teams/shop", settings).await;
        let now = crate::server::unix_now();
        let at = |hours: f64| {
            let at = std::time::UNIX_EPOCH + Duration::from_secs_f64(now + hours * 3600.0);
            chrono::DateTime::<chrono::Utc>::from(at).to_rfc3339()
        };
        let stand_in =
            json!({ "from": at(1.0), "to": at(9.0), "oncall": "person:lee", "note": "Jo is at a wedding" });
        self.server.put("/teams/shop/schedules/primary/overrides/wedding", stand_in).await;
    }
}
