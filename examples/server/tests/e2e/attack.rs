//! Strangers and recipients who hang, on a server that may open 256 files: everybody else is served.
//!
//! How fast is printed, not judged: `cargo xtask load`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mail_parser::MessageParser;
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::load::{Lock, now};
use crate::mail::MailServer;
use crate::server::{KEY, SOON, Server, Setup, unix_now};

/// How many alerts are watched while nothing else happens, and as many in each attack.
const ALERTS: usize = 40;
/// How long an attack goes on before the first of them is reported.
const WARMING_UP: Duration = Duration::from_secs(2);
/// Within which time an alert is on time, as the promise for an attack has it.
const ON_TIME: f64 = 2.0;

/// A server with few descriptors, a mail server, and hooks that never answer.
struct Scene {
    server: Server,
    mail: MailServer,
    /// Where a hook hangs.
    hook: u16,
}

impl Scene {
    async fn new(dir: &Path) -> Self {
        let mail = MailServer::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        std::fs::write(dir.join("config.toml"), "[webhook]\ninternal = ['127.0.0.1']\n").unwrap();
        let mut setup = Setup::new(dir, mail.port).with("--config", "config.toml");
        setup.starter = ["sh", "-c", "ulimit -n 256; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
        setup.env.push(("RUST_LOG".to_owned(), "error".to_owned()));
        let server = setup.start().await;
        server.team("victim", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
        Self { server, mail, hook }
    }

    fn address(&self) -> String {
        self.server.url.trim_start_matches("http://").to_owned()
    }

    /// Alerts of a team that has nothing to do with it, one after the other, each with a look at its claim link.
    async fn served(&self) -> Served {
        let client = Client::builder().pool_max_idle_per_host(0).timeout(SOON).build().unwrap();
        let mut served = Served::default();
        for i in 0..ALERTS {
            let body = json!({ "service": "victim", "severity": "CRIT", "title": format!("alert {i}"), "message": "x" });
            let began = now();
            let request =
                client.put(format!("{}/incidents", self.server.url)).header("x-api-key", KEY).json(&body);
            let response = request.send().await.unwrap();
            served.reports.push(began.elapsed());
            assert_eq!(response.status(), StatusCode::CREATED);
            let number = response.json::<serde_json::Value>().await.unwrap()["incidentId"].as_u64().unwrap();
            let due = unix_now();
            let mail = self.accepted(number).await;
            served.alerts.push((unix_now() - due).max(0.0));
            let raw = mail["raw"].as_str().unwrap().as_bytes();
            let text = MessageParser::default().parse(raw).unwrap().body_text(0).unwrap().into_owned();
            let link = text.lines().find(|line| line.contains("/claim?token=")).unwrap().trim().to_owned();
            let began = now();
            let page = client.get(&link).send().await.unwrap();
            served.links.push(began.elapsed());
            assert_eq!(page.status(), StatusCode::OK);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        served
    }

    /// The mail about the incident to the on-call engineer, once it has arrived.
    async fn accepted(&self, number: u64) -> serde_json::Value {
        for _ in 0..SOON.as_millis() / 5 {
            let mails = self.mail.accepted();
            if let Some(mail) = mails.iter().find(|e| e["incident"] == number && e["to"] == "jo@example.org")
            {
                return mail.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("incident {number} was not alerted:\n{}", self.server.output());
    }
}

/// How clients that are not part of an attack were served.
#[derive(Default)]
struct Served {
    reports: Vec<Duration>,
    links: Vec<Duration>,
    /// How long after they were due the alerts were accepted, in seconds.
    alerts: Vec<f64>,
}

impl Served {
    fn tell(&mut self, when: &str) {
        self.reports.sort_unstable();
        self.links.sort_unstable();
        self.alerts.sort_unstable_by(f64::total_cmp);
        let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
        let on_time = self.alerts.iter().filter(|late| **late <= ON_TIME).count() * 100 / self.alerts.len();
        println!(
            "{when:<46} alerts on time {on_time:>3} %, latest {:.2} s; p99 of a report {:?}, of a claim link {:?}",
            self.alerts[self.alerts.len() - 1],
            p99(&self.reports),
            p99(&self.links)
        );
    }
}

/// So many connections that do that, each again as soon as it has ended; they end with this.
fn strangers<F>(
    many: usize,
    address: &str,
    act: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> JoinSet<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let act = Arc::new(act);
    let mut all = JoinSet::new();
    for _ in 0..many {
        let (address, act) = (address.to_owned(), Arc::clone(&act));
        all.spawn(async move {
            loop {
                if let Ok(stream) = TcpStream::connect(&address).await {
                    act(stream).await;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    all
}

/// Asks for much, again and again, and reads nothing.
async fn reads_nothing(mut stream: TcpStream) {
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    if stream.write_all(request.as_bytes()).await.is_ok() {
        // Until the server closes it, which shows in what can be written.
        while stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Announces a body, and sends a byte of it a second.
async fn announces_a_body(mut stream: TcpStream) {
    let head = "POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{";
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let mut said = [0; 512];
    loop {
        tokio::select! {
            read = stream.read(&mut said) => if matches!(read, Ok(0) | Err(_)) { return },
            () = tokio::time::sleep(Duration::from_secs(1)) => if stream.write_all(b" ").await.is_err() { return },
        }
    }
}

/// Tries keys.
async fn guesses_a_key(mut stream: TcpStream) {
    let request = "GET /incidents HTTP/1.1\r\nHost: x\r\nX-Api-Key: a-key-that-nobody-has\r\n\r\n";
    let mut said = [0; 2048];
    while stream.write_all(request.as_bytes()).await.is_ok() {
        if matches!(stream.read(&mut said).await, Ok(0) | Err(_)) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_strangers_who_read_nothing_announce_much_or_try_keys_keep_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(dir.path()).await;
    scene.served().await.tell("nobody attacks");
    let readers = strangers(400, &scene.address(), reads_nothing);
    tokio::time::sleep(WARMING_UP).await;
    scene.served().await.tell("400 strangers read nothing");
    drop(readers);
    let announcing = strangers(1100, &scene.address(), announces_a_body);
    tokio::time::sleep(WARMING_UP).await;
    scene.served().await.tell("1,100 strangers announce a body");
    drop(announcing);
    let guessing = strangers(1100, &scene.address(), guesses_a_key);
    tokio::time::sleep(WARMING_UP).await;
    scene.served().await.tell("1,100 strangers try keys");
    drop(guessing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_recipients_who_hang_keep_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(dir.path()).await;
    scene.served().await.tell("nobody hangs");
    let boxes: Vec<_> = (0..7).map(|i| format!("hang-{i}@example.org")).collect();
    scene.server.team("boxes", 600, json!(boxes), json!([]), "ops@example.org").await;
    for _ in 0..13 {
        scene.server.report("boxes").await;
    }
    scene.served().await.tell("7 mailboxes hang, 13 incidents");
    for (i, hooks) in (0..44).collect::<Vec<_>>().chunks(11).enumerate() {
        let hooks: Vec<_> = hooks.iter().map(|n| format!("http://127.0.0.1:{}/{n}", scene.hook)).collect();
        let team = format!("hooks{i}");
        scene.server.team(&team, 600, json!(hooks), json!([]), "ops@example.org").await;
        for _ in 0..13 {
            scene.server.report(&team).await;
        }
    }
    scene.served().await.tell("44 hooks hang besides, 52 incidents");
    let given = AtomicUsize::new(0);
    for i in 0..540 {
        let number = scene.server.report("victim").await;
        let to = json!({ "handTo": format!("hang-{i}@d{i}.example"), "by": "jo" });
        let (status, _) = scene.server.post(&format!("/incidents/{number}"), to).await;
        if status == StatusCode::OK {
            given.fetch_add(1, Ordering::Relaxed);
        }
    }
    let given = given.into_inner();
    scene.served().await.tell(&format!("{given} incidents are given to people who hang"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(dir.path()).await;
    for (bytes, answer) in [(20_000, "HTTP/1.1 200"), (33_000, "HTTP/1.1 431"), (80_000, "HTTP/1.1 431")] {
        let mut stream = TcpStream::connect(scene.address()).await.unwrap();
        let head = format!(
            "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n",
            "x".repeat(bytes)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        // It may close the connection before it has read everything.
        let _ended = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said);
        assert!(said.starts_with(answer), "{bytes}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_request_that_has_arrived_is_answered_however_many_connect() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(dir.path()).await;
    let lock = Lock::take(&dir.path().join("test.db"));
    let client = Client::builder().timeout(SOON).build().unwrap();
    let body = json!({ "service": "victim", "severity": "CRIT", "title": "waits", "message": "x" });
    let request = client.put(format!("{}/incidents", scene.server.url)).header("x-api-key", KEY).json(&body);
    let waits = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut held = Vec::new();
    for _ in 0..600 {
        held.push(TcpStream::connect(scene.address()).await.unwrap());
    }
    lock.release();
    assert_eq!(waits.await.unwrap().unwrap().status(), StatusCode::CREATED);
}
