//! A mail server that reads the subjects of the mails that it accepts, for measurements that need more than a count.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

/// A mail that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) accepted: Instant,
}

/// The mail server. The server runs on its own thread.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Reader {
    pub(crate) fn start() -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let (address, mails) = (listener.local_addr()?, Arc::default());
        let read = Arc::clone(&mails);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                loop {
                    let (stream, _) = listener.accept().await?;
                    tokio::spawn(converse(stream, Arc::clone(&read)));
                }
                #[expect(unreachable_code, reason = "the text contains the type")]
                Ok::<(), Failure>(())
            })
        });
        Ok(Self { address, mails })
    }

    /// All mails that were accepted so far, in order.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Serves one connection until it ends.
async fn converse(stream: TcpStream, mails: Arc<Mutex<Vec<Mail>>>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 localhost\r\n").await?;
    let mut line = String::new();
    while next(&mut stream, &mut line).await? {
        match line.get(..4).map(str::to_ascii_uppercase).as_deref() {
            Some("DATA") => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut subject = String::new();
                while next(&mut stream, &mut line).await? && line != ".\r\n" {
                    if let (true, Some(found)) = (subject.is_empty(), line.strip_prefix("Subject: ")) {
                        found.trim_end().clone_into(&mut subject);
                    }
                }
                stream.write_all(b"250 ok\r\n").await?;
                let mail = Mail { subject, accepted: Instant::now() };
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
            }
            Some("QUIT") => return Ok(stream.write_all(b"221 bye\r\n").await?),
            _ => stream.write_all(b"250 ok\r\n").await?,
        }
    }
    Ok(())
}

async fn next(stream: &mut BufReader<TcpStream>, line: &mut String) -> Result<bool, Failure> {
    line.clear();
    Ok(stream.read_line(line).await? > 0)
}
