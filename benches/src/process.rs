//! The systems' processes: they end with their guard, and the kernel says what they used.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::Failure;

/// How long a system may take to listen: tries, 20 ms apart.
const TRIES: u32 = 1500;

/// A process; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Process {
    /// Starts it, with what it prints in a file, and waits until it listens.
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
        let child = command.spawn().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// The processor time of all its threads so far, user and system, those that have ended included.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(self.child.id())?))?;
        Ok(clock.now()?.into())
    }

    /// The memory that it has resident, in MB.
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
        let _reaped = self.child.wait();
    }
}

/// An address on loopback that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
