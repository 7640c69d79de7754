//! The routes by which answers come back over channels. Each channel verifies its own requests.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use inresponse_core::notify::{CameBack, Reply};

use crate::Api;
use crate::carry::carried_through;
use crate::here::Here;
use crate::input::Path;
use crate::problem::Problem;

/// Takes what a channel sends: an answer by a button, a key or a message.
///
/// The channel's own signature or secret is the credential.
#[utoipa::path(post, path = "/channels/{channel}", tag = "channels",
    params(("channel" = String, Path, description = "`telegram`, `slack`, …")),
    request_body(content = String, description = "as the channel sends it"),
    responses(
        (status = 200, description = "as the channel expects it", body = String, content_type = "text/plain"),
        (status = 400, description = "the request cannot be read", body = String, content_type = "text/plain"),
        (status = 403, description = "the request is not from the channel", body = String, content_type = "text/plain"),
        (status = 404, description = "this channel is not configured", body = Problem),
        (status = 503, description = "the answer could not be stored: send it again", body = Problem),
    ))]
pub(crate) async fn answer(
    api: Here,
    Path(channel): Path<String>,
    url: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    take(api, channel, url, headers, body).await
}

/// Takes what a channel with several paths sends.
///
/// The channel's own signature or secret is the credential.
#[utoipa::path(post, path = "/channels/{channel}/{part}", tag = "channels",
    params(("channel" = String, Path, description = "`twilio`"),
        ("part" = String, Path, description = "`sms`, `voice`, `status`")),
    request_body(content = String, description = "as the channel sends it"),
    responses(
        (status = 200, description = "as the channel expects it", body = String, content_type = "text/plain"),
        (status = 400, description = "the request cannot be read", body = String, content_type = "text/plain"),
        (status = 403, description = "the request is not from the channel", body = String, content_type = "text/plain"),
        (status = 404, description = "this channel is not configured", body = Problem),
        (status = 503, description = "the answer could not be stored: send it again", body = Problem),
    ))]
pub(crate) async fn answer_part(
    api: Here,
    Path((channel, part)): Path<(String, String)>,
    url: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    take(api, format!("{channel}/{part}"), url, headers, body).await
}

async fn take(
    Here(api): Here,
    path: String,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Some(channel) = api.channel(&path) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "this channel is not configured"));
    };
    let body = body.map_err(|e| Problem::new(e.status(), "the body cannot be read"))?;
    let engine = api.engine().clone();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = engine.public_url().map(|base| format!("{base}/channels/{path}{query}"));
    let lane = api.strangers().clone();
    // An answer takes effect even if the channel hangs up.
    let taken = carried_through(&lane, async move {
        let headers: Vec<_> =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let came_back = CameBack { path: &path, url: url.as_deref(), headers: &headers, body: &body };
        channel.take(&engine, came_back).await
    });
    let Reply { status, content_type, body } =
        taken.await.map_err(|outage| Problem::outage_of_change(&outage))?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, [(header::CONTENT_TYPE, content_type)], body).into_response())
}

impl Api {
    /// The configured channel with that path below `/channels/`.
    fn channel(&self, path: &str) -> Option<std::sync::Arc<dyn inresponse_core::notify::Channel>> {
        self.channels().iter().find(|channel| channel.paths().contains(&path)).cloned()
    }
}
