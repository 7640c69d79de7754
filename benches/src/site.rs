//! Where everything is that is measured.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;

/// What went wrong, for the person who ran the command.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Where everything is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Site {
    /// The server, as it is released.
    #[arg(long)]
    pub(crate) server: PathBuf,
    /// Where Debian's packages were unpacked.
    #[arg(long)]
    pub(crate) debian: PathBuf,
    /// An empty folder for databases and logs, on a real disk.
    #[arg(long)]
    pub(crate) work: PathBuf,
}

impl Site {
    /// Where a system has its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.work.join("data")
    }
}
