//! The paths of everything that is measured.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;

/// An error for the person who ran the command.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The paths of everything that is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Site {
    /// The server's release build.
    #[arg(long)]
    pub(crate) server: PathBuf,
    /// The folder in which Debian's packages were unpacked.
    #[arg(long)]
    pub(crate) debian: PathBuf,
    /// An empty folder for databases and logs, on a real disk.
    #[arg(long)]
    pub(crate) work: PathBuf,
}

impl Site {
    /// The folder of a system's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.work.join("data")
    }
}
