//! Takes the place of Lambda's Runtime API, with tables of its own.

use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use inresponse_dynamo::{DynamoConfig, ensure_tables};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const KEY: &str = "events-test-key-events-test-key";
pub(crate) const PUBLIC_URL: &str = "https://alerts.example.org";

/// Events that wait, and the answers that came, by their place.
#[derive(Debug)]
struct Runtime {
    events: Mutex<Vec<(usize, Value)>>,
    answers: mpsc::UnboundedSender<(usize, Value)>,
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let event = runtime.events.lock().unwrap().pop();
    let Some((place, event)) = event else { return std::future::pending().await };
    let headers = [
        ("lambda-runtime-aws-request-id", place.to_string()),
        ("lambda-runtime-deadline-ms", "4102444800000".to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:1:function:x".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn answer(State(runtime): State<Arc<Runtime>>, Path(place): Path<usize>, body: String) -> StatusCode {
    runtime.answers.send((place, serde_json::from_str(&body).unwrap())).unwrap();
    StatusCode::ACCEPTED
}

/// The program, which ends with this.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The tables of a test.
pub(crate) struct Tables {
    dynamo: String,
    prefix: String,
    /// More variables of the functions.
    more: Vec<(&'static str, String)>,
}

impl Tables {
    pub(crate) async fn new(name: &str) -> Self {
        let dynamo = std::env::var("INRESPONSE_TEST_DYNAMODB_LOCAL").expect("run `cargo xtask test`");
        let prefix = format!("{name}-{}-", std::process::id());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(&dynamo);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        ensure_tables(&client, &DynamoConfig::with_prefix(&prefix)).await.unwrap();
        Self { dynamo, prefix, more: Vec::new() }
    }

    /// The same tables for functions that have these variables too.
    pub(crate) fn with(mut self, more: Vec<(&'static str, String)>) -> Self {
        self.more = more;
        self
    }

    /// Has a function answer these events.
    pub(crate) async fn answered(&self, handler: &str, events: Vec<Value>) -> Vec<Value> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let runtime_api = listener.local_addr().unwrap().to_string();
        let (sender, mut came) = mpsc::unbounded_channel();
        let count = events.len();
        let waiting = events.into_iter().enumerate().rev().collect();
        let runtime = Arc::new(Runtime { events: Mutex::new(waiting), answers: sender });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .with_state(runtime);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let program = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .envs([
                ("_HANDLER", handler),
                ("AWS_LAMBDA_RUNTIME_API", &runtime_api),
                ("AWS_LAMBDA_FUNCTION_NAME", handler),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
                ("AWS_ENDPOINT_URL", &self.dynamo),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", "eu-central-1"),
                ("INRESPONSE_TABLE_PREFIX", &self.prefix),
                ("INRESPONSE_MAIL_FROM", "alerts@example.org"),
                ("INRESPONSE_PUBLIC_URL", PUBLIC_URL),
                ("INRESPONSE_STATE_MACHINE", "arn:aws:states:eu-central-1:1:stateMachine:x"),
                ("INRESPONSE_TOKEN_SECRET", "0123456789abcdef0123456789abcdef"),
                ("INRESPONSE_API_KEY", KEY),
            ])
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .spawn();
        let _program = Program(program.unwrap());
        let mut answers = vec![Value::Null; count];
        for _ in 0..count {
            let (place, answer) =
                tokio::time::timeout(Duration::from_secs(180), came.recv()).await.unwrap().unwrap();
            answers[place] = answer;
        }
        answers
    }
}

/// As a REST API's stage `prod` sends it, with the fields that matter.
pub(crate) fn rest(method: &str, path: &str, body: Option<&Value>) -> Value {
    json!({
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": { "x-api-key": KEY, "Content-Type": "application/json" },
        "multiValueHeaders": { "x-api-key": [KEY], "Content-Type": ["application/json"] },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": { "proxy": path.trim_start_matches('/') },
        "stageVariables": null,
        "requestContext": {
            "accountId": "1", "apiId": "x", "stage": "prod", "requestId": "r", "resourceId": "x",
            "resourcePath": "/{proxy+}", "httpMethod": method, "path": format!("/prod{path}"),
            "protocol": "HTTP/1.1", "identity": { "sourceIp": "192.0.2.1" },
        },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}

/// As an HTTP API sends it.
pub(crate) fn http(method: &str, path: &str, body: Option<&Value>) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "x-api-key": KEY, "content-type": "application/json" },
        "requestContext": {
            "accountId": "1", "apiId": "x", "domainName": "x.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x",
            },
            "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "24/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_521_600_000_u64,
        },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}
