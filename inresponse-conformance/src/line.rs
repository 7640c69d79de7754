//! A line between an adapter and its storage, on which answers get lost.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::select;
use futures_util::pin_mut;
use inresponse_core::{Outage, OutageKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The size of the pieces in which a relay passes answers on.
const PIECE: usize = 64 * 1024;

/// A line between an adapter and its storage, on which answers get lost when a law demands it. What was lost is an
/// answer: the storage has done what it was asked.
///
/// Clones are the same line.
#[derive(Debug, Clone, Default)]
pub struct Line {
    loss: Arc<Mutex<Loss>>,
}

/// Which of the next answers are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Loss {
    /// None.
    #[default]
    None,
    /// One, after that many others.
    One { after: usize },
    /// All, after that many others.
    All { after: usize },
}

/// The answers of a call that are lost, one after the other: more than a call and its connection need.
const ANSWERS: usize = 18;

/// Every loss that the laws try, each with a name of its own.
///
/// A call on an existing connection needs fewer answers than one that connects first, and a loss ends the connection. So
/// later and later answers are lost after losses, and earlier and earlier ones after successes.
pub(crate) fn losses() -> impl Iterator<Item = (String, Loss)> {
    let later = || 0..ANSWERS;
    let all = later().chain(later().rev()).map(|after| Loss::All { after });
    let one = later().chain(later().rev()).map(|after| Loss::One { after });
    all.chain(one).enumerate().map(|(nth, loss)| (format!("{nth}: {loss:?}"), loss))
}

/// Whether an outage says that nothing was changed.
pub(crate) fn tells_undone(outage: &Outage) -> bool {
    outage.kind() != OutageKind::Unknown
}

impl Line {
    /// A line on which nothing is lost yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the answer that passes now is lost. A harness asks this for each answer; [`Relay`] does so by itself.
    #[must_use]
    pub fn loses_answer(&self) -> bool {
        let mut loss = self.loss();
        let (now, is_lost) = match *loss {
            Loss::None => (Loss::None, false),
            Loss::One { after: 0 } => (Loss::None, true),
            Loss::All { after: 0 } => (Loss::All { after: 0 }, true),
            Loss::One { after } => (Loss::One { after: after - 1 }, false),
            Loss::All { after } => (Loss::All { after: after - 1 }, false),
        };
        *loss = now;
        is_lost
    }

    pub(crate) fn lose(&self, loss: Loss) {
        *self.loss() = loss;
    }

    fn loss(&self) -> MutexGuard<'_, Loss> {
        self.loss.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A relay for storage that is reached over TCP: it passes on what an adapter and its storage say to each other. If an
/// answer is lost, the relay takes it from the storage and closes both connections.
///
/// The connections must not be encrypted. A long answer may count as several.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay on a free port of this machine. It ends when it is dropped.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(storage: SocketAddr, line: Line) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((adapter, _)) = listener.accept().await {
                tokio::spawn(carry(adapter, storage, line.clone()));
            }
        });
        Ok(Self { address, accepting })
    }

    /// The address at which the adapter reaches its storage.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries one connection, until a side closes it or an answer is lost.
async fn carry(adapter: TcpStream, storage: SocketAddr, line: Line) {
    let Ok(storage) = TcpStream::connect(storage).await else { return };
    // A small piece must not wait for the next one.
    let _unsupported = (adapter.set_nodelay(true), storage.set_nodelay(true));
    let ((mut asks, mut hears), (mut answers, mut takes)) = (adapter.into_split(), storage.into_split());
    let forth = async { tokio::io::copy(&mut asks, &mut takes).await.map(drop) };
    let back = async {
        let mut piece = vec![0; PIECE];
        loop {
            let read = answers.read(&mut piece).await?;
            if read == 0 || line.loses_answer() {
                return Ok::<(), io::Error>(());
            }
            hears.write_all(&piece[..read]).await?;
        }
    };
    pin_mut!(forth, back);
    drop(select(forth, back).await);
}
