//! The configuration: where the database is.

use std::path::{Path, PathBuf};

/// The configuration: where the database is.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    path: PathBuf,
}

impl SqliteConfig {
    /// Uses the database in that file. If the file does not exist, it is created, readable by its owner only.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path of the database file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
