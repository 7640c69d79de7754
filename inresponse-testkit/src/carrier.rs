//! A carrier's web API: it does to each recipient what it is told to, and keeps what it was sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use inresponse_conformance::Behaviour;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What was sent.
#[derive(Debug, Clone)]
pub struct Got {
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// By their names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    /// Whether the recipient has it, whatever was answered.
    pub taken: bool,
}

impl Got {
    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer: the status, further headers, and the body.
#[derive(Debug, Clone)]
pub struct Says {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Says {
    pub fn new(status: u16, body: impl ToString) -> Self {
        Self { status, headers: String::new(), body: body.to_string() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers += &format!("{name}: {}\r\n", value.to_string());
        self
    }
}

/// How a carrier speaks.
#[derive(Clone, Copy)]
pub struct Manners {
    /// Whom a request is for.
    pub recipient: fn(&Got) -> Option<String>,
    /// The answer to the request that has that number, from 1.
    pub answer: fn(&Got, Behaviour, usize) -> Says,
}

#[derive(Default)]
struct State {
    behaviours: HashMap<String, Behaviour>,
    next: Vec<Says>,
    got: Vec<(Option<String>, Got)>,
}

/// A carrier on a port of its own.
pub struct Carrier {
    port: u16,
    manners: Manners,
    state: Arc<Mutex<State>>,
    serving: Mutex<JoinHandle<()>>,
}

impl Carrier {
    pub fn start(manners: Manners) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::default();
        let serving = Mutex::new(serve(listener, manners, Arc::clone(&state)));
        Self { port, manners, state, serving }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that came, in order.
    pub fn all(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.iter().map(|(_, got)| got.clone()).collect()
    }

    /// What came for a recipient, in order.
    pub fn got(&self, recipient: &str) -> Vec<Got> {
        let state = self.state.lock().unwrap();
        let of = state.got.iter().filter(|(to, _)| to.as_deref() == Some(recipient));
        of.map(|(_, got)| got.clone()).collect()
    }

    /// Takes away the first request on that path.
    pub fn take(&self, path: &str) -> Option<Got> {
        let mut state = self.state.lock().unwrap();
        let place = state.got.iter().position(|(_, got)| got.path == path)?;
        Some(state.got.remove(place).1)
    }

    /// Answers the next requests with these, in order.
    pub fn say_next(&self, says: impl IntoIterator<Item = Says>) {
        self.state.lock().unwrap().next.extend(says);
    }

    /// Behaves like this to a recipient from now on.
    pub async fn behave(&self, recipient: &str, behaviour: Behaviour) {
        let before = self.state.lock().unwrap().behaviours.insert(recipient.to_owned(), behaviour);
        if behaviour == Behaviour::Unreachable {
            self.serving.lock().unwrap().abort();
            // The socket is closed when the task has been dropped.
            while !self.serving.lock().unwrap().is_finished() {
                tokio::task::yield_now().await;
            }
        } else if before == Some(Behaviour::Unreachable) {
            let listener = std::net::TcpListener::bind(("127.0.0.1", self.port)).unwrap();
            *self.serving.lock().unwrap() = serve(listener, self.manners, Arc::clone(&self.state));
        }
    }
}

/// Serves until it is aborted; its connections end with it.
fn serve(listener: std::net::TcpListener, manners: Manners, state: Arc<Mutex<State>>) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let state = Arc::clone(&state);
            connections.spawn(async move { answer(stream, manners, &state).await });
        }
    })
}

/// Reads one request and answers it as it was told to.
async fn answer(stream: TcpStream, manners: Manners, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? <= 2 {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ")?;
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let mut got = Got { method, path, headers, body, taken: false };
    let recipient = (manners.recipient)(&got);
    let (behaviour, says) = {
        let mut state = state.lock().unwrap();
        let behaviour = recipient.as_ref().and_then(|to| state.behaviours.get(to).copied());
        let behaviour = behaviour.unwrap_or(Behaviour::Accept);
        got.taken = matches!(behaviour, Behaviour::Accept | Behaviour::TakeAndHang | Behaviour::TakeAndClose);
        let says = match state.next.is_empty() {
            true => (manners.answer)(&got, behaviour, state.got.len() + 1),
            false => state.next.remove(0),
        };
        state.got.push((recipient, got));
        (behaviour, says)
    };
    match behaviour {
        Behaviour::TakeAndClose | Behaviour::Unreachable => return None,
        Behaviour::Hang | Behaviour::TakeAndHang => std::future::pending().await,
        Behaviour::Accept
        | Behaviour::Reject
        | Behaviour::RefuseSender
        | Behaviour::Busy
        | Behaviour::Throttle => {}
    }
    let Says { status, headers, body } = says;
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.flush().await.ok()
}
