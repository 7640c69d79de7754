//! Runs a mail server of another project, and reads the mails that arrived at it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A running mail server. Dropping it stops the server.
pub struct MailServer {
    child: Child,
    orders: ChildStdin,
    events: Arc<Mutex<Vec<Value>>>,
    pub port: u16,
}

/// The Python interpreter with the mail server's library, which `cargo xtask test` installs.
pub fn python() -> String {
    std::env::var("INRESPONSE_TEST_PYTHON").expect(
        "this test needs a mail server that `cargo xtask test` installs: run the tests with that command",
    )
}

impl MailServer {
    pub async fn start() -> Self {
        Self::spawn(0, None).await
    }

    pub async fn start_at(port: u16) -> Self {
        Self::spawn(port, None).await
    }

    /// Starts a mail server that requires STARTTLS and AUTH. The certificate to trust is written to `authority`.
    pub async fn start_secure(authority: &Path) -> Self {
        Self::spawn(0, Some(authority)).await
    }

    async fn spawn(port: u16, authority: Option<&Path>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail_server.py");
        let mut command = Command::new(python());
        command.arg(script).arg(port.to_string()).args(authority);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (stdout, seen) = (child.stdout.take().unwrap(), Arc::clone(&events));
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                seen.lock().unwrap().push(serde_json::from_str::<Value>(&line).unwrap());
            }
        });
        let orders = child.stdin.take().unwrap();
        let mut server = Self { child, orders, events, port: 0 };
        for _ in 0..2400 {
            if let Some(event) = server.of("listening").first() {
                server.port = u16::try_from(event["port"].as_u64().unwrap()).unwrap();
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the mail server did not start");
    }

    /// Changes the behaviour of the mail server, and waits until it takes effect.
    pub fn mode(&mut self, mode: &str) {
        let before = self.of("mode").len();
        writeln!(self.orders, "mode {mode}").unwrap();
        while self.of("mode").len() == before {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn of(&self, kind: &str) -> Vec<Value> {
        self.events.lock().unwrap().iter().filter(|e| e["event"] == kind).cloned().collect()
    }

    /// The mails that the server accepted.
    pub fn accepted(&self) -> Vec<Value> {
        self.of("accepted")
    }

    /// The mails that arrived completely, but whose reply was lost.
    pub fn lost(&self) -> Vec<Value> {
        self.of("lost")
    }

    /// The number of attempts to that address that were refused.
    pub fn refused(&self, to: &str) -> usize {
        self.of("refused").iter().filter(|e| e["to"] == to).count()
    }

    /// The number of accepted mails to that address.
    pub fn accepted_to(&self, to: &str) -> usize {
        self.accepted().iter().filter(|e| e["to"] == to).count()
    }

    /// Waits until that many mails to that address were accepted.
    pub async fn wait_for(&self, to: &str, mails: usize, patience: Duration) {
        let rounds = patience.as_millis() / 20 + 1;
        for _ in 0..rounds {
            if self.accepted_to(to) >= mails {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("only {} of {mails} mails to {to} were accepted after {patience:?}", self.accepted_to(to));
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
