//! The real server as a process, and its API.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The time limit for things that must happen, even on a busy machine. No test result depends on it.
pub const SOON: Duration = Duration::from_secs(120);

pub const KEY: &str = "test-key-test-key";

/// A running server; it is killed with this.
pub struct Server {
    child: Child,
    pub url: String,
    client: reqwest::Client,
    output: Arc<Mutex<String>>,
}

/// How a server is started.
pub struct Setup {
    pub dir: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// A program that starts it, with its arguments.
    pub starter: Vec<String>,
}

impl Setup {
    /// A server with its database in that folder, on a free port, which sends its mail to that port.
    pub fn new(dir: &Path, mail_port: u16) -> Self {
        Self::on(["--db", "test.db"], dir, mail_port)
    }

    /// A server with that storage.
    pub fn on(storage: [&str; 2], dir: &Path, mail_port: u16) -> Self {
        let args = ["--listen", "127.0.0.1:0", storage[0], storage[1], "--api-key", KEY];
        let smtp = format!("smtp://127.0.0.1:{mail_port}");
        let args = args.iter().map(ToString::to_string).chain(["--smtp-url".to_owned(), smtp]).collect();
        Self { dir: dir.to_owned(), args, env: Vec::new(), starter: Vec::new() }.bundling_after(0)
    }

    /// Sets how many single alerts a contact gets in a minute; with 0, each alert is a message. (Servers of an earlier version
    /// ignore the variable.)
    #[must_use]
    pub fn bundling_after(mut self, singles: u32) -> Self {
        const NAME: &str = "INRESPONSE_SINGLES_PER_MINUTE";
        self.env.retain(|(name, _)| name != NAME);
        self.env.push((NAME.to_owned(), singles.to_string()));
        self
    }

    pub fn with(mut self, flag: &str, value: &str) -> Self {
        self.args.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    pub async fn start(&self) -> Server {
        match self.try_start() {
            Started::Listens(server) => server,
            Started::Ended(output) => panic!("the server did not start:\n{output}"),
        }
    }

    /// Starts the server, and waits until it listens or ends.
    pub fn try_start(&self) -> Started {
        let server = std::env::var("INRESPONSE_TEST_SERVER");
        self.try_start_of(&server.unwrap_or_else(|_| built("inresponse")))
    }

    /// Starts that program as the server, and waits until it listens or ends.
    pub fn try_start_of(&self, server: &str) -> Started {
        let starter = self.starter.iter().map(String::as_str);
        let words: Vec<_> = starter.chain([server]).chain(self.args.iter().map(String::as_str)).collect();
        let mut command = Command::new(words[0]);
        command.current_dir(&self.dir).args(&words[1..]).envs(self.env.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::clone(&output);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut url = None;
        for line in lines.by_ref().map_while(Result::ok) {
            let address = line.strip_prefix("InResponse listens on ").map(str::to_owned);
            let mut log = output.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
            if address.is_some() {
                url = address;
                break;
            }
        }
        let Some(url) = url else {
            child.wait().unwrap();
            std::thread::sleep(Duration::from_millis(200));
            return Started::Ended(output.lock().unwrap().clone());
        };
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Started::Listens(Server { child, url, client: client(), output })
    }
}

/// The path of a program that was built with the current test: cargo puts programs next to the folder of tests.
fn built(program: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let beside = test.ancestors().nth(2).unwrap().join(program);
    assert!(beside.exists(), "{} was not built", beside.display());
    beside.into_os_string().into_string().unwrap()
}

/// An HTTP client that closes idle connections before the server does. Otherwise a request may be sent on a connection
/// that the server just closed.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(5)).build().unwrap()
}

/// Whether a server started.
pub enum Started {
    Listens(Server),
    /// The server ended before it listened. The text is its output.
    Ended(String),
}

impl Server {
    /// The output of the server so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.try_call(method, path, body).await.unwrap()
    }

    pub async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).header("x-api-key", KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.timeout(SOON).send().await?;
        let status = response.status();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::PUT, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, None).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// Creates a team with that wait, whose service has the same name. These people are on call from yesterday to
    /// tomorrow.
    pub async fn team(&self, name: &str, wait: u64, oncall: Value, escalation: Value, fallback: &str) {
        let team = json!({ "escalateAfterSeconds": wait, "fallback": [fallback] });
        self.put(&format!("/teams/{name}"), team).await;
        let today = self.get(&format!("/teams/{name}/oncall")).await["day"].as_str().unwrap().to_owned();
        let today: chrono::NaiveDate = today.parse().unwrap();
        for day in [today.pred_opt(), Some(today), today.succ_opt()].into_iter().flatten() {
            let entry = json!({ "oncall": oncall, "escalation": escalation });
            self.put(&format!("/teams/{name}/calendar/{day}"), entry).await;
        }
        self.put(&format!("/services/{name}"), json!({ "team": name })).await;
    }

    /// Reports an incident and returns its number.
    pub async fn report(&self, service: &str) -> u64 {
        let body = json!({ "service": service, "severity": "CRIT", "title": "5xx", "message": "many" });
        self.put("/incidents", body).await["incidentId"].as_u64().unwrap()
    }

    /// Reads an incident again and again until it satisfies a condition.
    pub async fn until(&self, number: u64, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..patience.as_millis() / 50 + 1 {
            last = self.get(&format!("/incidents/{number}")).await;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("incident {number} did not change as expected: {last:#}\n{}", self.output());
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the server has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells the server to stop, and waits until it has stopped.
    pub fn terminate(&mut self) -> ExitStatus {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The wall-clock time, which the mail server's events also contain.
pub fn unix_now() -> f64 {
    #[allow(clippy::disallowed_methods, reason = "this test needs the wall-clock time")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}
