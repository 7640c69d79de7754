//! Runs Postfix's `smtp-sink`, which accepts every mail and prints the count.

use std::fs::Permissions;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::{Process, free_address};
use crate::{Failure, Site};

/// A mail server that accepts everything. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    accepted: Arc<Mutex<Vec<Instant>>>,
    _process: Process,
}

impl Sink {
    pub(crate) fn start(site: &Site) -> Result<Self, Failure> {
        Self::start_with(site, None)
    }

    /// Starts a server that writes each mail to a file of its own in that folder, with its recipients.
    pub(crate) fn keeping(site: &Site, mails: &Path) -> Result<Self, Failure> {
        std::fs::create_dir(mails)?;
        // The server's user may not be the owner of the folder.
        std::fs::set_permissions(mails, Permissions::from_mode(0o777))?;
        Self::start_with(site, Some(mails))
    }

    fn start_with(site: &Site, mails: Option<&Path>) -> Result<Self, Failure> {
        let address = free_address()?;
        let mut command = Command::new(site.debian.join("usr/sbin/smtp-sink"));
        // If it runs as root, it needs another user to run as.
        if nix::unistd::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        if let Some(mails) = mails {
            // A random number follows.
            command.arg("-d").arg(mails.join("mail."));
        }
        command.args(["-c", "-m", "1024", &address.to_string(), "1024"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process::spawn(command)?;
        let counted = process.child.stdout.take().ok_or("no standard output")?;
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&accepted);
        std::thread::spawn(move || note(counted, &noted));
        for _ in 0..500 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(Self { address, accepted, _process: process });
            }
            sleep(Duration::from_millis(10));
        }
        Err("smtp-sink does not listen".into())
    }

    /// The time at which each mail so far was accepted.
    pub(crate) fn accepted(&self) -> Vec<Instant> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of mails accepted so far.
    pub(crate) fn count(&self) -> usize {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until that many mails were accepted in total, and returns the number.
    pub(crate) async fn until(&self, count: usize, patience: Duration) -> usize {
        let until = Instant::now() + patience;
        while self.count() < count && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.count()
    }
}

/// Records the time of every mail. The count is printed over and over: `sess=1 quit=0 mesg=7\r`.
fn note(mut counted: ChildStdout, accepted: &Mutex<Vec<Instant>>) {
    let (mut text, mut chunk) = (String::new(), [0; 65536]);
    while let Ok(read) = counted.read(&mut chunk) {
        if read == 0 {
            return;
        }
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&chunk[..read]));
        let Some(end) = text.rfind('\r') else { continue };
        let count = text[..end].rsplit("mesg=").next().and_then(|count| count.trim().parse::<usize>().ok());
        text.drain(..=end);
        let mut accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = count.unwrap_or_default().max(accepted.len());
        accepted.resize(count, now);
    }
}
