//! A server that answers each call as it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sesv2::config::{Builder, Config, Credentials, Region};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::Alert;
use inresponse_core::plan;
use inresponse_ses::{SesConfig, SesNotifier};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub const SECRET: &str = "canary-secret-access-key";

/// A call as SES would see it.
#[derive(Debug, Clone)]
pub struct Call {
    pub request_line: String,
    pub headers: Vec<String>,
    pub body: Value,
}

impl Call {
    pub fn to(&self) -> String {
        self.body["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned()
    }

    pub fn message(&self) -> Vec<u8> {
        STANDARD.decode(self.body["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap()
    }
}

/// What the server does with a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These bytes, and the connection stays open.
    Replies(String),
    /// These bytes, and the connection is closed.
    RepliesAndCloses(String),
    Hangs,
}

impl Answer {
    pub fn new(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Answer::Replies(format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nx-amzn-requestid: 1\r\n{headers}content-length: \
             {length}\r\n\r\n{body}"
        ))
    }

    pub fn accepted() -> Self {
        Self::new(200, "", r#"{"MessageId":"0100018c-1"}"#)
    }

    /// An error as the service writes it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "message": message }).to_string();
        Self::new(status, &format!("x-amzn-errortype: {code}\r\n"), &body)
    }
}

type Answers = Arc<dyn Fn(&Call) -> Answer + Send + Sync>;

pub struct Stub {
    pub port: u16,
    answers: Answers,
    calls: Arc<Mutex<Vec<Call>>>,
    serving: Mutex<JoinHandle<()>>,
}

impl Stub {
    pub fn start(answers: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, calls): (Answers, _) = (Arc::new(answers), Arc::default());
        let serving = Mutex::new(serve(listener, Arc::clone(&answers), Arc::clone(&calls)));
        Self { port, answers, calls, serving }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Refuses connections, and ends those that there are.
    pub async fn stop(&self) {
        self.serving.lock().unwrap().abort();
        while !self.serving.lock().unwrap().is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Serves again, on the same port.
    pub fn resume(&self) {
        if self.serving.lock().unwrap().is_finished() {
            let listener = std::net::TcpListener::bind(("127.0.0.1", self.port)).unwrap();
            let (answers, calls) = (Arc::clone(&self.answers), Arc::clone(&self.calls));
            *self.serving.lock().unwrap() = serve(listener, answers, calls);
        }
    }

    pub fn notifier(&self) -> SesNotifier {
        notifier(aws(self.port))
    }
}

/// Serves until it is aborted; its connections end with it.
fn serve(listener: std::net::TcpListener, answers: Answers, calls: Arc<Mutex<Vec<Call>>>) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        let mut sessions = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (answers, calls) = (Arc::clone(&answers), Arc::clone(&calls));
            sessions.spawn(async move { session(stream, &*answers, &calls).await });
        }
    })
}

async fn session(
    stream: TcpStream,
    answers: &(dyn Fn(&Call) -> Answer + Send + Sync),
    calls: &Mutex<Vec<Call>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let call = request(&mut stream).await?;
        calls.lock().unwrap().push(call.clone());
        match answers(&call) {
            Answer::Replies(reply) => stream.write_all(reply.as_bytes()).await.ok()?,
            Answer::RepliesAndCloses(reply) => {
                stream.write_all(reply.as_bytes()).await.ok()?;
                return None;
            }
            Answer::Hangs => std::future::pending().await,
        }
    }
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let request_line = lines.remove(0);
    let length =
        lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Call { request_line, headers: lines, body: serde_json::from_slice(&body).unwrap() })
}

/// How AWS is reached: over the local server.
pub fn aws(port: u16) -> Builder {
    Config::builder()
        .region(Region::new("eu-west-1"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", SECRET, None, None, "test"))
}

pub fn notifier(aws: Builder) -> SesNotifier {
    let config = SesConfig::new("InResponse <alerts@example.org>").unwrap();
    SesNotifier::new(aws, config.configuration_set("inresponse").unwrap(), Arc::new(SystemClock::new()))
}

pub fn alert(to: &str) -> Alert {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let contact = Contact::new(to).unwrap();
    let matrix = Matrix::new(vec![vec![contact]], vec![], Duration::from_secs(600));
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let (opening, sends) =
        plan::open(report, TeamName::new("t").unwrap(), matrix, Some(Duration::from_secs(30)), at);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
}
