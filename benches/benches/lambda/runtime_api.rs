//! The Runtime API for one function at a time, and a Step Functions that accepts every start of an execution.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::Failure;

/// The time limit for everything that a function does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A function that has asked for an event and waits for it.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) at: Instant,
    event: oneshot::Sender<String>,
}

enum Seen {
    Poll(Poll),
    Answer(Instant, Bytes),
    Error(Bytes),
}

/// The Runtime API. The server runs until the process ends.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// When the last answer came.
    pub(crate) answered_at: Instant,
}

impl RuntimeApi {
    pub(crate) async fn listen() -> Result<Self, Failure> {
        let (sender, seen) = mpsc::unbounded_channel();
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .route("/", post(start_execution))
            .with_state(sender);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, api).await });
        Ok(Self { address, seen, answered_at: Instant::now() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the function asks for an event.
    pub(crate) async fn poll(&mut self) -> Result<Poll, Failure> {
        match self.next().await? {
            Seen::Poll(poll) => Ok(poll),
            Seen::Answer(_, body) | Seen::Error(body) => Err(unexpected(&body)),
        }
    }

    /// Hands an event to the function, and waits for its answer.
    pub(crate) async fn answer(&mut self, poll: Poll, event: &Value) -> Result<Value, Failure> {
        poll.event.send(event.to_string()).map_err(|_| "the function has ended")?;
        match self.next().await? {
            Seen::Answer(at, body) => {
                self.answered_at = at;
                Ok(serde_json::from_slice(&body)?)
            }
            Seen::Poll(_) => Err("the function asks for an event and has not answered the last".into()),
            Seen::Error(body) => Err(unexpected(&body)),
        }
    }

    async fn next(&mut self) -> Result<Seen, Failure> {
        let seen = timeout(PATIENCE, self.seen.recv()).await.map_err(|_| "the function does nothing")?;
        seen.ok_or_else(|| "the stand-in for the Runtime API has stopped".into())
    }
}

fn unexpected(body: &[u8]) -> Failure {
    format!("the function says {}", String::from_utf8_lossy(body)).into()
}

type Sender = State<mpsc::UnboundedSender<Seen>>;

async fn next(State(sender): Sender) -> impl IntoResponse {
    let at = Instant::now();
    let (event, waiting) = oneshot::channel();
    let _nobody_looks = sender.send(Seen::Poll(Poll { at, event }));
    let event = waiting.await.unwrap_or_default();
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        // Far away.
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:inresponse-processor",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        ),
    ];
    (headers, event)
}

async fn response(State(sender): Sender, body: Bytes) -> impl IntoResponse {
    let _nobody_looks = sender.send(Seen::Answer(Instant::now(), body));
    (axum::http::StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

async fn error(State(sender): Sender, body: Bytes) -> impl IntoResponse {
    let _nobody_looks = sender.send(Seen::Error(body));
    (axum::http::StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

async fn start_execution() -> impl IntoResponse {
    let body = r#"{"executionArn":"arn:aws:states:eu-central-1:123456789012:execution:inresponse-escalation:incident-1-0","startDate":1795548048.0}"#;
    ([("content-type", "application/x-amz-json-1.0")], body)
}
