//! The upper limit for comparison: a server on the same libraries that does nothing.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::put;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::Failure;

/// Serves until it is killed.
pub(crate) async fn serve(listen: SocketAddr) -> Result<(), Failure> {
    let router = Router::new().route("/incidents", put(async |_body: Bytes| StatusCode::CREATED));
    let listener = TcpListener::bind(listen).await?.tap_io(|stream| {
        // Like the real server.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}
