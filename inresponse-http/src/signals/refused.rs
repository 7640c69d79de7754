//! Counts and logs messages that were refused as a whole, because few senders show the answer to their users.

use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::Api;
use crate::problem::Told;

/// Every kind of sender, with the prefix of its routes.
pub(crate) const SENDERS: [(&str, &str); 9] = [
    ("/api/v2/alerts", "prometheus"),
    ("/intake/alertmanager", "alertmanager"),
    ("/intake/grafana", "grafana"),
    ("/intake/nagios", "nagios"),
    ("/intake/generic", "generic"),
    ("/intake/sns", "sns"),
    ("/intake/eventbridge", "eventbridge"),
    ("/v2/enqueue", "pagerduty"),
    ("/v2/alerts", "opsgenie"),
];

/// A message of another monitoring system, before its result is known.
#[derive(Debug)]
pub(crate) struct Watched {
    sender: &'static str,
    key: Option<String>,
    bytes: Option<u64>,
}

impl Watched {
    /// The message of a request, if its route takes messages.
    pub(crate) fn new(api: &Api, route: &str, request: &Request) -> Option<Self> {
        // A request that only reads is not a message.
        if request.method() != Method::POST {
            return None;
        }
        let (_, sender) = SENDERS.iter().find(|(path, _)| route.starts_with(path))?;
        let length = request.headers().get(CONTENT_LENGTH);
        let bytes = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Some(Self { sender, key: api.keys().name(request.headers()), bytes })
    }

    /// Counts and logs the message if it was refused as a whole.
    ///
    /// A message with an unknown key is not counted here, because it belongs to nobody. A message whose alerts were
    /// refused one by one is not counted here either, because that is already logged.
    pub(crate) fn answered(self, response: &Response) {
        let status = response.status();
        let refused = [
            StatusCode::BAD_REQUEST,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::NOT_IMPLEMENTED,
        ];
        if !refused.contains(&status) {
            return;
        }
        metrics::counter!("inresponse_intake_alerts_total", "sender" => self.sender, "outcome" => "refused")
            .increment(1);
        let told = response.extensions().get::<Told>();
        let key = told.and_then(|told| told.key.as_deref()).or(self.key.as_deref()).unwrap_or("unknown");
        tracing::warn!(
            sender = self.sender,
            key,
            status = status.as_u16(),
            bytes = self.bytes,
            reason = told.map_or("", |told| &told.detail),
            "a message was refused"
        );
    }
}
