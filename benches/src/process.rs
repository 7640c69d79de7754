//! Runs the systems' processes. A system's process ends when its guard is dropped, and the kernel reports their
//! resource use.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

/// All processes that run now.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends everything that was started when this process is interrupted or terminated, because guards are not dropped
/// then.
pub(crate) fn end_together() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        });
        // Kept, so that nothing is started after this.
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        for id in running.iter().filter_map(|id| i32::try_from(*id).ok()) {
            let _ended = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
        std::process::exit(130);
    });
    Ok(())
}

/// The number of tries, 20 ms apart, for a system to listen.
const TRIES: u32 = 1500;

/// A process. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Process {
    /// Starts a process with its output in a file, and waits until it listens.
    pub(crate) fn start(mut command: Command, log: &Path, address: SocketAddr) -> Result<Self, Failure> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut process = Self::spawn(command)?;
        for _ in 0..TRIES {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("a system ended at once ({status}), see {}", log.display()).into());
            }
            if TcpStream::connect(address).is_ok() {
                return Ok(process);
            }
            sleep(Duration::from_millis(20));
        }
        Err(format!("a system does not listen, see {}", log.display()).into())
    }

    pub(crate) fn spawn(mut command: Command) -> Result<Self, Failure> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
        running.insert(child.id());
        Ok(Self { child })
    }

    /// The processor time of all threads so far, user and system, including those that have ended.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(self.child.id())?))?;
        Ok(clock.now()?.into())
    }

    /// The resident memory of the process, in MB.
    pub(crate) fn memory(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0 / 1e6)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its data is thrown away with it.
        let _ended = self.child.kill();
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
        let _reaped = self.child.wait();
    }
}

/// An address on loopback that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
