//! Accepts connections, and lets go of them when the server stops.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use inresponse_core::Chain;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

/// How many connections are open at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 8192;
/// How long a client may take to send the head of a request, and how long a connection may be idle.
///
/// Not a round number: what sends every ten seconds would meet the end of its connection each time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(13);
/// How long requests may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// The pause after an accept that failed (out of file descriptors, most likely).
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` resolves, then lets requests that have begun end.
pub(crate) async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    loop {
        let accepted = async {
            let place = Arc::clone(&connections).acquire_owned().await;
            (listener.accept().await, place)
        };
        let ((stream, peer), place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            (accepted, place) = accepted => match accepted {
                Ok(accepted) => (accepted, place),
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        // A small answer must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %Chain::of(&error), "a connection keeps Nagle's algorithm");
        }
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut router = router.clone();
            async move {
                let mut request: Request = request.map(axum::body::Body::new);
                // Who is refused is told in the log.
                request.extensions_mut().insert(ConnectInfo(peer));
                match <Router as ServiceExt<Request>>::ready(&mut router).await {
                    Ok(ready) => ready.call(request).await,
                    Err(never) => Err::<axum::response::Response, Infallible>(never),
                }
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(error = %Chain::of(&error), "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
