//! Secrets Manager, Twilio and ntfy on loopback, as far as a function needs them.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "canary-token-0123456789abcdef012";
pub(crate) const FROM: &str = "+15005550006";

/// The parameters of a request.
type Parameters = Vec<(String, String)>;

/// What the carriers were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    texts: Arc<Mutex<Vec<Parameters>>>,
    pushes: Arc<Mutex<Vec<Value>>>,
}

impl Sent {
    /// The text messages, in order, each as the parameters of its request.
    pub(crate) fn texts(&self) -> Vec<Parameters> {
        self.texts.lock().unwrap().clone()
    }

    /// The pushes that have a button, in order.
    pub(crate) fn pushes(&self) -> Vec<Value> {
        let all = self.pushes.lock().unwrap();
        all.iter().filter(|push| push["actions"].is_array()).cloned().collect()
    }
}

#[derive(Debug, Clone)]
struct World {
    sent: Sent,
    secret: Arc<str>,
}

async fn secret(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    let call: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    if call["SecretId"] != "inresponse/channels" {
        let absent = json!({ "__type": "ResourceNotFoundException", "Message": "there is no such secret" });
        return (StatusCode::BAD_REQUEST, Json(absent)).into_response();
    }
    Json(json!({ "Name": "inresponse/channels", "SecretString": *world.secret })).into_response()
}

async fn text(State(world): State<World>, Form(form): Form<Parameters>) -> Response {
    world.sent.texts.lock().unwrap().push(form);
    let made = json!({ "sid": format!("SM{}", "0".repeat(32)), "status": "queued", "error_code": null });
    (StatusCode::CREATED, Json(made)).into_response()
}

async fn push(State(world): State<World>, body: String) -> Json<Value> {
    let push: Value = serde_json::from_str(&body).unwrap();
    let id = format!("message{}", world.sent.pushes().len());
    let answer =
        json!({ "id": id, "event": "message", "topic": push["topic"], "sequence_id": push["sequence_id"] });
    world.sent.pushes.lock().unwrap().push(push);
    Json(answer)
}

/// Starts them; what they were sent, and the variables of a function that uses them.
pub(crate) async fn start() -> (Sent, Vec<(&'static str, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let settings = format!(
        r#"
        [webhook]
        internal = ["127.0.0.1"]
        [twilio]
        account-sid = "{SID}"
        auth-token = "{TOKEN}"
        from = "{FROM}"
        api-url = "{here}"
        [ntfy]
        url = "{here}/ntfy"
        "#
    );
    let sent = Sent::default();
    let router = Router::new()
        .route("/", post(secret))
        .route("/ntfy/", post(push))
        .route(&format!("/2010-04-01/Accounts/{SID}/Messages.json"), post(text))
        .with_state(World { sent: sent.clone(), secret: settings.into() });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let variables = vec![
        ("INRESPONSE_CHANNELS", "secretsmanager:inresponse/channels".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", here),
    ];
    (sent, variables)
}
