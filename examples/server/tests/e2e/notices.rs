//! What people are told about the roster by mail: that a shift begins, that it was changed, and what the coverage check
//! finds.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_sqlite::{Database, SqliteConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, unix_now};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(unix_now() as i64, 0).unwrap()
}

/// A team with jo on call from now on for two hours, and kim above.
async fn team(server: &Server) {
    for person in ["jo", "kim"] {
        let mail = format!("{person}@example.org");
        server.put(&format!("/people/{person}"), json!({ "methods": { "mail": mail } })).await;
    }
    let mut team = json!({ "timezone": "Europe/Athens", "fallback": ["person:kim"] });
    server.put("/teams/web", team.clone()).await;
    server.put("/teams/web/schedules/primary", json!({ "layers": [] })).await;
    team["levels"] = json!([{ "notify": ["schedule:primary"] }, { "notify": ["person:kim"] }]);
    team["shiftNotices"] = json!({});
    server.put("/teams/web", team).await;
    put_override(server, "now", TimeDelta::seconds(3), TimeDelta::hours(2), "person:jo").await;
}

async fn put_override(server: &Server, id: &str, from: TimeDelta, to: TimeDelta, who: &str) {
    let time = |after: TimeDelta| (now() + after).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let body = json!({ "from": time(from), "to": time(to), "oncall": [who] });
    server.put(&format!("/teams/web/schedules/primary/overrides/{id}"), body).await;
}

fn mails<'a>(all: &'a [Value], to: &str) -> Vec<&'a Value> {
    all.iter().filter(|mail| mail["to"] == format!("{to}@example.org")).collect()
}

/// The team's row in the database.
struct Row {
    database: Database,
    key: String,
}

impl Row {
    async fn new(dir: &Path) -> Self {
        let database = Database::open(SqliteConfig::new(dir.join("test.db"))).await.unwrap();
        let digest: String =
            Sha256::digest(b"web").iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { database, key: format!("notices.{digest}") }
    }

    async fn read(&self) -> (Vec<u8>, Value) {
        let stored = self.database.setting(&self.key).await.unwrap().unwrap();
        let row = serde_json::from_slice(&stored).unwrap();
        (stored, row)
    }

    /// Waits until the sends of all notices are recorded. A server that dies earlier would send them again.
    async fn recorded(&self) {
        for _ in 0..SOON.as_millis() / 50 {
            if self.read().await.1["pending"] == json!([]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:#}", self.read().await.1);
    }

    async fn change(&self, change: impl Fn(&mut Value)) {
        let (stored, mut row) = self.read().await;
        change(&mut row);
        let row = serde_json::to_vec(&row).unwrap();
        let swapped = self.database.swap_setting(&self.key, Some(&stored), &row).await.unwrap();
        assert_eq!(swapped, Swapped::Done);
    }
}

#[tokio::test]
async fn who_goes_on_call_is_told_and_so_is_who_loses_a_shift_and_the_fallback_once_a_week() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let mut server = setup.start().await;
    team(&server).await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    let all = mail.accepted();
    let [begins] = mails(&all, "jo")[..] else { panic!("{all:#?}") };
    let subject = begins["subject"].as_str().unwrap();
    assert!(subject.starts_with("You are on call for web until "), "{subject}");
    let text = begins["raw"].as_str().unwrap();
    assert!(text.contains("Alerted next: kim") && text.contains("/board/oncall"), "{text}");
    let row = Row::new(dir.path()).await;
    row.recorded().await;
    server.kill();

    // The team is no longer new, and nobody has looked at its roster for a week.
    row.change(|row| {
        row["since"] = json!(now() - TimeDelta::days(30));
        row["checkAt"] = json!(now() - TimeDelta::days(1));
    })
    .await;
    let (server, other) = (setup.start().await, setup.start().await);
    mail.wait_for("kim@example.org", 1, SOON).await;
    let all = mail.accepted();
    let [findings] = mails(&all, "kim")[..] else { panic!("{all:#?}") };
    let subject = findings["subject"].as_str().unwrap();
    assert!(subject.starts_with("The roster of web has "), "{subject}");
    let text = findings["raw"].as_str().unwrap();
    assert!(text.contains("nobody is on call in schedule primary"), "{text}");

    // kim gets one of jo's hours from somebody else.
    put_override(&server, "swap", TimeDelta::minutes(60), TimeDelta::minutes(90), "person:kim").await;
    mail.wait_for("jo@example.org", 2, SOON).await;
    mail.wait_for("kim@example.org", 2, SOON).await;
    row.recorded().await;
    drop((server, other));
    // What was sent is not sent again.
    let _server = setup.start().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let all = mail.accepted();
    let (jo, kim) = (mails(&all, "jo"), mails(&all, "kim"));
    assert_eq!((all.len(), jo.len(), kim.len()), (4, 2, 2), "{all:#?}");
    for (mail, line) in [(jo[1], "Removed: "), (kim[1], "Added: ")] {
        let subject = mail["subject"].as_str().unwrap();
        assert!(subject.starts_with("Your shifts for web were changed by "), "{subject}");
        assert!(mail["raw"].as_str().unwrap().contains(line), "{mail}");
    }
}
