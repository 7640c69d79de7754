//! Accepts connections, and closes them when the server stops.

mod peers;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use inresponse_core::Chain;
use inresponse_http::HeldBack;
use tokio::net::{TcpListener, TcpSocket};
use tokio_io_timeout::TimeoutStream;
use tower::{Service, ServiceExt};

use peers::{FIRST_BYTE, Peers};
use stream::{Arriving, Moving};

/// The time limit for a client to send the head of a request, and for a connection to be idle.
///
/// The limit is not a round number: the connection of a client that sends every ten seconds would otherwise often end
/// just as it sends.
const HEADER_TIMEOUT: Duration = Duration::from_secs(13);
/// The time limit for a client that reads nothing of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of bytes that are read at a time. The head of a request is not much longer.
const BUFFER: usize = 32 * 1024;
/// The maximum number of connections that wait to be accepted, if the system allows it. A client beyond that tries
/// again after a second.
const BACKLOG: u32 = 4096;
/// The time limit for requests in progress when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// The pause after a failed accept, most likely because no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on that address.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Like the standard library: the address can be used again at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` resolves, then finishes the requests in progress.
///
/// `connections` limits how many are open at once.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: usize,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = pin!(shutdown);
    let peers = Peers::new(connections);
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(BUFFER);
    loop {
        let accepted = async {
            let accepted = listener.accept().await?;
            Ok((accepted, peers.take_in().await))
        };
        let ((stream, address), place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err::<_, std::io::Error>(error) => {
                    tracing::warn!(error = %Chain::of(&error), "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        // A small answer must not wait for the acknowledgement of the previous one.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %Chain::of(&error), "a connection keeps Nagle's algorithm");
        }
        let (router, peer) = (router.clone(), Arc::clone(&place.peer));
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (mut router, peer) = (router.clone(), Arc::clone(&peer));
            async move {
                let mut request: Request =
                    request.map(|body| axum::body::Body::new(Arriving::new(body, Arc::clone(&peer))));
                // The log shows the address of a client that is refused.
                request.extensions_mut().insert(ConnectInfo(address));
                let held = Arc::clone(&peer);
                request.extensions_mut().insert(HeldBack::new(move || held.answered()));
                let answer = match <Router as ServiceExt<Request>>::ready(&mut router).await {
                    Ok(ready) => ready.call(request).await,
                    Err(never) => Err::<axum::response::Response, Infallible>(never),
                };
                peer.answered();
                answer
            }
        });
        let mut stream = TimeoutStream::new(Moving::new(stream, Arc::clone(&place.peer)));
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            let peer = Arc::clone(&place.peer);
            let waited = async {
                tokio::time::sleep(FIRST_BYTE).await;
                peer.waited_for();
                std::future::pending::<Infallible>().await
            };
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(error = %Chain::of(&error), "a connection ended early");
                },
                () = place.peer.must_go() => {
                    tracing::debug!(client = %address, "a connection was closed to make room for another");
                }
                never = waited => match never {},
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
