//! A web server that does on each path what it is told to, and keeps what it was sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use inresponse_conformance::Behaviour;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What was sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    path: String,
    /// By their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether the recipient has it, whatever was answered.
    pub(crate) taken: bool,
}

#[derive(Default)]
struct State {
    behaviours: HashMap<String, Behaviour>,
    answers: HashMap<String, String>,
    requests: Vec<Request>,
}

/// A server on a port of its own.
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
    serving: Mutex<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::default();
        let serving = Mutex::new(serve(listener, Arc::clone(&state)));
        Self { port, state, serving }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What came on a path, in order.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        let requests = &self.state.lock().unwrap().requests;
        requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// A path on which everything is answered with that, from the status on.
    pub(crate) fn answer(&self, path: &str, answer: &str) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), answer.to_owned());
    }

    pub(crate) async fn behave(&self, path: &str, behaviour: Behaviour) {
        let before = self.state.lock().unwrap().behaviours.insert(path.to_owned(), behaviour);
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

/// Reads one request and answers it as it was told to.
async fn answer(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? <= 2 {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ")?;
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    let (behaviour, answer) = {
        let mut state = state.lock().unwrap();
        let behaviour = state.behaviours.get(&path).copied().unwrap_or(Behaviour::Accept);
        let taken = matches!(behaviour, Behaviour::Accept | Behaviour::TakeAndHang | Behaviour::TakeAndClose);
        let answer = state.answers.get(&path).cloned();
        state.requests.push(Request { path, headers, body, taken });
        (behaviour, answer)
    };
    let status = match behaviour {
        Behaviour::Accept => answer.unwrap_or_else(|| "200 OK".to_owned()),
        Behaviour::Reject => "410 Gone".to_owned(),
        Behaviour::RefuseSender => "401 Unauthorized".to_owned(),
        Behaviour::Busy => "503 Service Unavailable".to_owned(),
        Behaviour::Throttle => format!("429 Slow Down\r\nretry-after: {}", Behaviour::PAUSE.as_secs()),
        Behaviour::TakeAndClose | Behaviour::Unreachable => return None,
        Behaviour::Hang | Behaviour::TakeAndHang => std::future::pending().await,
    };
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok()
}
