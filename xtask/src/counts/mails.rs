//! A mail server that accepts every mail and counts them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::tools::Failure;

/// A mail server. It runs until this process ends.
#[derive(Debug)]
pub(super) struct MailServer {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicU32>,
}

impl MailServer {
    pub(super) fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                // A client that leaves ends only its own thread.
                std::thread::spawn(move || serve(&stream, &count));
            }
        });
        Ok(Self { address, accepted })
    }

    /// Waits until that many mails were accepted. `patience` is the number of waits of 100 ms.
    pub(super) fn until(&self, count: u32, patience: u32) -> Result<(), Failure> {
        for _ in 0..patience {
            if self.accepted.load(Ordering::Relaxed) >= count {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("only {} of {count} mails were sent", self.accepted.load(Ordering::Relaxed)).into())
    }
}

/// Answers one client until it leaves.
fn serve(stream: &TcpStream, accepted: &AtomicU32) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream;
    answers.write_all(b"220 sink\r\n")?;
    let mut in_mail = false;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let command = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match (in_mail, command.as_str()) {
            (true, _) if line != "." => continue,
            (true, _) => {
                in_mail = false;
                accepted.fetch_add(1, Ordering::Relaxed);
                "250 accepted\r\n"
            }
            (false, "DATA") => {
                in_mail = true;
                "354 go on\r\n"
            }
            (false, "QUIT") => "221 bye\r\n",
            (false, _) => "250 sink\r\n",
        };
        answers.write_all(answer.as_bytes())?;
    }
    Ok(())
}
