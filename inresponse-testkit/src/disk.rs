//! A small disk, which a test fills.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;

/// A file system in memory with a limited size, mounted on a folder. Dropping it unmounts it.
///
/// Only root may mount. Another user needs `sudo` without a password.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of that size, such as `8m`, on an empty folder.
    pub fn mount(folder: &Path, size: &str) -> Self {
        let options = format!("size={size},mode=0777");
        as_root(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder));
        Self { folder: folder.to_owned() }
    }

    /// Gives the disk another size.
    pub fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        as_root(Command::new("mount").args(["-o", &options]).arg(&self.folder));
    }
}

/// Runs a command, and if that fails, runs it by `sudo`.
fn as_root(command: &mut Command) {
    let (done, printed) = run(command);
    if done {
        return;
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--non-interactive").arg(command.get_program()).args(command.get_args());
    let (done, again) = run(&mut sudo);
    assert!(
        done,
        "this test mounts a small disk, which needs root, or sudo without a password:\n{printed}\n{again}"
    );
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = |program: &str, words: &[&str]| {
            Command::new(program)
                .args(words)
                .arg("--lazy")
                .arg(&self.folder)
                .status()
                .is_ok_and(|s| s.success())
        };
        let _ = unmount("umount", &[]) || unmount("sudo", &["--non-interactive", "umount"]);
    }
}
