//! The process group of a program, which is killed as a whole.

use tokio::process::{Child, Command};

/// The process group of a program. It is killed when this is dropped. Where there are no process groups, only the program
/// itself is killed.
pub(crate) struct Group {
    #[cfg(unix)]
    leader: Option<nix::unistd::Pid>,
}

#[cfg(unix)]
impl Group {
    /// Makes the program the leader of a process group.
    pub(crate) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    /// The group of a program that was just started.
    pub(crate) fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).map(nix::unistd::Pid::from_raw);
        Self { leader }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // What has ended is not there any more.
            let _ = nix::sys::signal::killpg(leader, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(not(unix))]
impl Group {
    pub(crate) fn lead(_: &mut Command) {}

    pub(crate) fn of(_: &Child) -> Self {
        Self {}
    }
}
