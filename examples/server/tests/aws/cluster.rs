//! Two servers on the same tables, and the mails that they sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::contract::Deployment;
use crate::server::{KEY, SOON, Server, Setup, client, unix_now};

const SENDER: &str = "alerts@example.org";

fn emulator(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// An AWS account that no other test has, and what servers in it share.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Twelve digits; the emulator takes an access key of that form for the number of an account.
    number: String,
    pub(crate) prefix: String,
}

impl Account {
    /// One in which SES has verified the sender.
    pub(crate) async fn new() -> Self {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let micros = (unix_now() * 1e6) as u64;
        let number = format!("{:012}", micros % 1_000_000_000_000);
        let prefix = format!("server-{number}-{}-{count}-", std::process::id());
        let credential = format!("Credential={number}/20260101/eu-central-1/ses/aws4_request");
        let verified = http()
            .post(format!("{}/v2/email/identities", emulator("INRESPONSE_TEST_MINISTACK")))
            // The emulator looks for the account, and not at the signature.
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
            )
            .json(&json!({ "EmailIdentity": SENDER }));
        assert!(verified.send().await.unwrap().status().is_success());
        Self { number, prefix }
    }

    /// A server on the account's tables.
    pub(crate) fn setup(&self, dir: &tempfile::TempDir) -> Setup {
        let args = ["--listen", "127.0.0.1:0", "--dynamo-prefix", &self.prefix, "--ses"];
        let args = args.iter().map(ToString::to_string).collect();
        let env = [
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.number.clone()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            // One endpoint for everything, and another for what it names.
            ("AWS_ENDPOINT_URL", emulator("INRESPONSE_TEST_MINISTACK")),
            ("AWS_ENDPOINT_URL_DYNAMODB", emulator("INRESPONSE_TEST_DYNAMODB_LOCAL")),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Setup { dir: dir.path().to_owned(), args, env, starter: Vec::new() }
            .bundling_after(0)
            .with("--mail-from", &format!("InResponse <{SENDER}>"))
    }

    /// The mails to somebody, oldest first.
    pub(crate) async fn mails(&self, to: &str) -> Vec<String> {
        let url = emulator("INRESPONSE_TEST_MINISTACK");
        let url = format!("{url}/_ministack/ses/messages?account={}", self.number);
        let text = http().get(url).send().await.unwrap().text().await.unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let Some(all) = all["messages"][&self.number].as_array() else { return Vec::new() };
        let mine = |mail: &&Value| mail["To"].as_array().unwrap().iter().any(|recipient| recipient == to);
        let text = |mail: &Value| {
            let (subject, body) = (mail["Subject"].as_str().unwrap(), mail["BodyText"].as_str().unwrap());
            format!("Subject: {subject}\n\n{body}")
        };
        all.iter().filter(mine).map(text).collect()
    }

    /// Waits until somebody has got that many mails, and answers them.
    pub(crate) async fn wait_for_mails(&self, to: &str, count: usize) -> Vec<String> {
        for _ in 0..SOON.as_millis() / 100 {
            let mails = self.mails(to).await;
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{to} did not get {count} mails within {SOON:?}")
    }
}

/// Two servers on the same tables, of which every call goes to the other than the one before.
pub(crate) struct Cluster {
    pub(crate) account: Account,
    pub(crate) servers: [Server; 2],
    turn: AtomicUsize,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Cluster {
    /// Started at the same moment, so that both find no tables.
    pub(crate) async fn start() -> Self {
        let (dir, account) = (tempfile::tempdir().unwrap(), Account::new().await);
        let setup = account.setup(&dir).with("--api-key", KEY);
        let start = || setup.start().now_or_never().unwrap();
        let servers = std::thread::scope(|scope| {
            let started = [scope.spawn(start), scope.spawn(start)];
            started.map(|server| server.join().unwrap())
        });
        assert!(!dir.path().join("inresponse.db").exists(), "there is no database file");
        assert!(!dir.path().join("outbox").exists(), "there is no outbox");
        Self { account, servers, turn: AtomicUsize::new(0), client: client(), _dir: dir }
    }
}

impl Deployment for Cluster {
    fn api(&self) -> (&str, &reqwest::Client) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (&self.servers[turn % 2].url, &self.client)
    }

    fn key(&self) -> &str {
        KEY
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.account.mails(to).await
    }
}
