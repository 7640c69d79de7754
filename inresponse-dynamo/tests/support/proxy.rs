//! Stands between a store and an emulator, and does to calls what no emulator does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What happens to one call.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It never arrives; the answer is a failure of the service.
    Lost,
    /// It arrives; the answer is a failure of the service.
    AnswerLost,
    /// It arrives; then nothing is ever answered.
    Silence,
    /// As [`Fault::AnswerLost`], after the test has done something in between.
    AnswerLostAfter { arrived: oneshot::Sender<()>, go_on: oneshot::Receiver<()> },
    /// Too much for now.
    Throttled,
    /// Another transaction has hold of an item.
    Conflict,
    /// Read, but with nothing in it yet.
    LeftOut,
}

/// The calls that came, and what is to happen to those that come.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    inner: Arc<Inner>,
    pub(crate) url: String,
}

#[derive(Debug)]
struct Inner {
    target: String,
    client: reqwest::Client,
    faults: Mutex<VecDeque<(String, Fault)>>,
    calls: Mutex<Vec<String>>,
    reads: Mutex<Vec<(Value, Value)>>,
    forgets_tokens: bool,
}

impl Proxy {
    pub(crate) async fn before(target: String) -> Self {
        Self::start(target, false).await
    }

    /// One behind which no second try of a transaction is recognised, as after ten minutes.
    pub(crate) async fn that_forgets_tokens(target: String) -> Self {
        Self::start(target, true).await
    }

    async fn start(target: String, forgets_tokens: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let inner = Inner {
            target,
            client,
            faults: Mutex::default(),
            calls: Mutex::default(),
            reads: Mutex::default(),
            forgets_tokens,
        };
        let inner = Arc::new(inner);
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, url }
    }

    /// Does that to the next call of `operation` that has no fault yet.
    pub(crate) fn next(&self, operation: &str, fault: Fault) {
        self.inner.faults.lock().unwrap().push_back((operation.to_owned(), fault));
    }

    /// How many calls of `operation` came.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.inner.calls.lock().unwrap().iter().filter(|call| *call == operation).count()
    }

    /// What was asked of indexes and batches since the last call, and answered.
    pub(crate) fn reads(&self) -> Vec<(Value, Value)> {
        std::mem::take(&mut self.inner.reads.lock().unwrap())
    }

    /// Whether every fault has happened.
    pub(crate) fn is_done(&self) -> bool {
        self.inner.faults.lock().unwrap().is_empty()
    }
}

async fn pass(State(proxy): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.split_once('.').unwrap().1.to_owned();
    let fault = {
        proxy.calls.lock().unwrap().push(operation.clone());
        let mut faults = proxy.faults.lock().unwrap();
        let place = faults.iter().position(|(of, _)| *of == operation);
        place.and_then(|place| faults.remove(place)).map(|(_, fault)| fault)
    };
    let code = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    match fault {
        None if ["Query", "BatchGetItem"].contains(&operation.as_str()) => {
            let asked = serde_json::from_slice(&body).unwrap();
            let (parts, answered) = proxy.forward(headers, body).await.into_parts();
            let answered = axum::body::to_bytes(answered, usize::MAX).await.unwrap();
            proxy.reads.lock().unwrap().push((asked, serde_json::from_slice(&answered).unwrap()));
            Response::from_parts(parts, answered.into())
        }
        None => proxy.forward(headers, body).await,
        Some(Fault::Lost) => failure(),
        Some(Fault::AnswerLost) => {
            proxy.forward(headers, body).await;
            failure()
        }
        Some(Fault::Silence) => {
            proxy.forward(headers, body).await;
            std::future::pending().await
        }
        Some(Fault::AnswerLostAfter { arrived, go_on }) => {
            proxy.forward(headers, body).await;
            arrived.send(()).unwrap();
            go_on.await.unwrap();
            failure()
        }
        Some(Fault::Throttled) => refused(
            json!({ "__type": code("ProvisionedThroughputExceededException"), "message": "slow down" }),
        ),
        Some(Fault::Conflict) if operation == "TransactWriteItems" => refused(json!({
            "__type": code("TransactionCanceledException"),
            "message": "Transaction cancelled",
            "CancellationReasons": [{ "Code": "TransactionConflict" }, { "Code": "None" }],
        })),
        Some(Fault::Conflict) => {
            refused(json!({ "__type": code("TransactionConflictException"), "message": "ongoing" }))
        }
        Some(Fault::LeftOut) => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            answer(StatusCode::OK, json!({ "Responses": {}, "UnprocessedKeys": asked["RequestItems"] }))
        }
    }
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}

fn refused(body: Value) -> Response {
    answer(StatusCode::BAD_REQUEST, body)
}

fn failure() -> Response {
    answer(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "oh" }),
    )
}

impl Inner {
    async fn forward(&self, headers: HeaderMap, body: Bytes) -> Response {
        let mut body = body.to_vec();
        if self.forgets_tokens {
            let mut asked: Value = serde_json::from_slice(&body).unwrap();
            asked.as_object_mut().unwrap().remove("ClientRequestToken");
            body = serde_json::to_vec(&asked).unwrap();
        }
        let mut call = self.client.post(&self.target).body(body);
        for (name, value) in &headers {
            if !["host", "content-length"].contains(&name.as_str()) {
                call = call.header(name, value);
            }
        }
        let answer = call.send().await.unwrap();
        let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
        (status, [("content-type", kind)], answer.bytes().await.unwrap()).into_response()
    }
}
