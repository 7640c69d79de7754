//! Reads the bodies of other systems' messages. Such bodies may be larger than those of our own API, up to a limit.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;

use super::room::{MAX_BYTES, Room};
use crate::Api;
use crate::problem::Problem;

/// The size up to which a message needs no share of the memory for large messages, because the number of concurrent
/// messages is limited.
const SMALL: usize = 64 * 1024;
/// The time limit for a message to arrive, including its wait for room in memory.
const PATIENCE: Duration = Duration::from_secs(10);

/// The body of a message. The body occupies memory until it is dropped.
#[derive(Debug)]
pub(crate) struct Message {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for Message {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromRequest<Api> for Message {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let announced = request.headers().get(CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX_BYTES) {
            return Err(too_large());
        }
        let room = match api.keys().name(request.headers()) {
            Some(_) => api.intake().room(),
            None => api.intake().strangers_room(),
        };
        let arrived = tokio::time::timeout(PATIENCE, read(request, announced, room)).await;
        arrived.map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long; nothing was recorded")
        })?
    }
}

fn too_large() -> Problem {
    let detail = format!("the body must be at most {MAX_BYTES} bytes; nothing was recorded");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

async fn read(request: Request, announced: Option<usize>, room: &Room) -> Result<Message, Problem> {
    let mut arriving = request.into_body().into_data_stream();
    let (mut bytes, mut held) = (Vec::new(), None);
    while let Some(chunk) = arriving.next().await {
        let chunk: Bytes =
            chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body ended early"))?;
        let length = bytes.len() + chunk.len();
        if length > MAX_BYTES {
            return Err(too_large());
        }
        // The memory is taken only after this many bytes have arrived, so that announcing a large body is not enough.
        // All of it is taken at once, so that two messages do not wait for each other.
        if length > SMALL && held.is_none() {
            let needed = announced.unwrap_or(MAX_BYTES).max(length) - SMALL;
            let needed = u32::try_from(needed).unwrap_or(u32::MAX);
            let got = tokio::time::timeout(PATIENCE / 2, room.take(needed)).await;
            // Senders repeat a message that was answered with 503.
            let no_room =
                || Problem::unavailable("the server is too busy for a message this large").not_recorded();
            held = Some(got.ok().flatten().ok_or_else(no_room)?);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Message { bytes, _room: held })
}
