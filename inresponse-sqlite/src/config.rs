//! Where the database is.

use std::path::{Path, PathBuf};

/// Where the database is.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    path: PathBuf,
}

impl SqliteConfig {
    /// The database in that file, which is created if it is absent, readable by its owner only.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
