//! A server that answers as Twilio's API does, by number, and keeps what it was sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_conformance::Behaviour;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) const SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "canary-token-0123456789abcdef012";
pub(crate) const FROM: &str = "+15005550006";

/// What was sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) authorized: bool,
    /// Whether Twilio has it, whatever was answered.
    pub(crate) taken: bool,
}

impl Request {
    pub(crate) fn value(&self, name: &str) -> &str {
        self.form.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// The parameter of the URL to which Twilio reports. `None` if Twilio is not asked to report.
    pub(crate) fn reported(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.value("StatusCallback")).ok()?;
        url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }
}

#[derive(Default)]
struct State {
    behaviours: HashMap<String, Behaviour>,
    answers: HashMap<String, (u16, String)>,
    requests: Vec<Request>,
}

/// A server on a port of its own.
pub(crate) struct Fake {
    port: u16,
    state: Arc<Mutex<State>>,
    serving: Mutex<JoinHandle<()>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::default();
        let serving = Mutex::new(serve(listener, Arc::clone(&state)));
        Self { port, state, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What came for a number, in order.
    pub(crate) fn requests(&self, to: &str) -> Vec<Request> {
        let requests = &self.state.lock().unwrap().requests;
        requests.iter().filter(|request| request.value("To") == to).cloned().collect()
    }

    /// Answers everything for a number with that status and body.
    pub(crate) fn answer(&self, to: &str, status: u16, body: &str) {
        self.state.lock().unwrap().answers.insert(to.to_owned(), (status, body.to_owned()));
    }

    pub(crate) async fn behave(&self, to: &str, behaviour: Behaviour) {
        let before = self.state.lock().unwrap().behaviours.insert(to.to_owned(), behaviour);
        if behaviour == Behaviour::Unreachable {
            self.serving.lock().unwrap().abort();
            // The socket is closed when the task has been dropped.
            while !self.serving.lock().unwrap().is_finished() {
                tokio::task::yield_now().await;
            }
        } else if before == Some(Behaviour::Unreachable) {
            let listener = std::net::TcpListener::bind(("127.0.0.1", self.port)).unwrap();
            *self.serving.lock().unwrap() = serve(listener, Arc::clone(&self.state));
        }
    }
}

/// Serves until it is aborted; its connections end with it.
fn serve(listener: std::net::TcpListener, state: Arc<Mutex<State>>) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let state = Arc::clone(&state);
            connections.spawn(async move { answer(stream, &state).await });
        }
    })
}

/// An error as Twilio writes it. Its text contains the number, which nobody should see.
pub(crate) fn error(status: u16, code: u32) -> String {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    json!({ "code": code, "message": "The number canary-number is not …", "more_info": more, "status": status })
        .to_string()
}

/// Reads one request and answers it as it was told to.
async fn answer(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorized) = (0, false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? <= 2 {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => {
                authorized = value == format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let (behaviour, told, path) = {
        let mut state = state.lock().unwrap();
        let request = Request { path: path.clone(), form, authorized, taken: false };
        let to = request.value("To").to_owned();
        let behaviour = state.behaviours.get(&to).copied().unwrap_or(Behaviour::Accept);
        let taken = matches!(behaviour, Behaviour::Accept | Behaviour::TakeAndHang | Behaviour::TakeAndClose);
        let told = state.answers.get(&to).cloned();
        state.requests.push(Request { taken: taken && told.is_none(), ..request });
        (behaviour, told, path)
    };
    let sid = if path.contains("/Calls") { "CA" } else { "SM" };
    let made = json!({ "sid": format!("{sid}{}", "0".repeat(32)), "status": "queued", "error_code": null });
    let (status, body) = match behaviour {
        Behaviour::Accept => told.unwrap_or((201, made.to_string())),
        Behaviour::Reject => (400, error(400, 21211)),
        Behaviour::RefuseSender => (401, error(401, 20003)),
        Behaviour::Busy => (503, error(503, 20503)),
        Behaviour::Throttle => (429, error(429, 20429)),
        Behaviour::TakeAndClose | Behaviour::Unreachable => return None,
        Behaviour::Hang | Behaviour::TakeAndHang => std::future::pending().await,
    };
    let pause = if status == 429 {
        format!("retry-after: {}\r\n", Behaviour::PAUSE.as_secs())
    } else {
        String::new()
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{pause}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()
}
