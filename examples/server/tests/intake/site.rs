//! A server as the pages configure it, with a mail server, and what is seen of both from outside.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::mail::MailServer;
use crate::pages;
use crate::server::{Server, Setup};

/// How long another system may take to notice something and to tell it.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct Site {
    dir: TempDir,
    setup: Setup,
    pub(crate) server: Server,
    mail: MailServer,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more in its config.
    pub(crate) async fn with(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = pages::block("README.md", "toml", 0) + more;
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let mail = MailServer::start().await;
        let setup = Setup::new(dir.path(), mail.port).with("--config", "config.toml");
        let server = setup.start().await;
        Self { dir, setup, server, mail }
    }

    /// Kills the server, and starts another one on its database.
    pub(crate) async fn crash(&mut self) {
        self.server.kill();
        self.server = self.setup.start().await;
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file into the folder and answers its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// All incidents there are.
    pub(crate) async fn incidents(&self) -> Vec<Value> {
        self.server.get("/incidents?limit=500").await["incidents"].as_array().unwrap().clone()
    }

    /// Waits until there is one incident and that holds of it.
    pub(crate) async fn until(&self, what: &str, log: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE.as_millis() / 100 {
            let incidents = self.incidents().await;
            assert!(incidents.len() <= 1, "{incidents:#?}");
            if let Some(incident) = incidents.into_iter().find(|incident| holds(incident)) {
                return incident;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = std::fs::read_to_string(self.dir.path().join(log)).unwrap_or_default();
        let incidents = self.incidents().await;
        panic!("it never came to be {what}: {incidents:#?}\n{log}\n{}", self.server.output());
    }

    /// How many mails the mail server has accepted.
    pub(crate) fn mails(&self) -> usize {
        self.mail.accepted().len()
    }

    /// Waits for one open incident of `athens` with one mail, as the page promises.
    pub(crate) async fn opened(&self, log: &str) -> Value {
        let incident = self.until("open", log, |incident| incident["state"] == "OPEN").await;
        assert_eq!((&incident["service"], &incident["team"]), (&"athens".into(), &"devops".into()));
        self.mail.wait_for("devops@example.org", 1, PATIENCE).await;
        incident
    }

    /// Waits until that incident is resolved; there is no other, and no other mail was sent.
    pub(crate) async fn resolved(&self, log: &str) -> Value {
        let incident = self.until("resolved", log, |incident| incident["state"] == "RESOLVED").await;
        // Whatever would be sent too many would be sent at once.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(self.incidents().await.len(), 1);
        let mails = self.mail.accepted();
        assert_eq!(mails.len(), 1, "{mails:#?}");
        incident
    }
}
