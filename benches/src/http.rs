//! One connection to a system, for requests that must be counted exactly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes, to_bytes};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::wrk::Shot;

/// A connection that is kept open.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Body>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    /// Sends one request, and fails unless it succeeds.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Bytes, Failure> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/json").body(Body::from(body))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), usize::MAX).await?;
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body);
            return Err(format!("{method} {path} is answered {status}: {text}").into());
        }
        Ok(body)
    }

    /// Sends the same request as wrk would.
    pub(crate) async fn shoot(&mut self, shot: &Shot, number: u64) -> Result<Bytes, Failure> {
        let lines = shot.headers.lines().filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = lines.collect();
        self.send(shot.method, shot.path, &headers, shot.body(number)).await
    }
}

/// Sends that many requests of a shot over that many connections. Each request has its own number.
pub(crate) async fn report_all(
    address: SocketAddr,
    shot: &Shot,
    count: usize,
    connections: usize,
) -> Result<(), Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let (next, shot) = (Arc::clone(&next), shot.clone());
        senders.spawn(async move {
            let mut connection = Connection::open(address).await?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Failure>(());
                }
                connection.shoot(&shot, u64::try_from(number)?).await?;
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    Ok(())
}
