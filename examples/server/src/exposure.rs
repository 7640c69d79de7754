//! Files of this deployment that others on the machine can get at.

use std::path::{Path, PathBuf};

use crate::config::{Config, MailConfig, StorageConfig};

/// What others can get at, with the command that ends it.
pub(crate) fn exposed(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(file) = &config.file {
        // A group may read it: that of the server, where root owns it.
        found.extend(told(file, 0o027, "go-w,o-rwx"));
    }
    match &config.storage {
        StorageConfig::Sqlite(database) => {
            let with = |ending: &str| {
                let mut name = database.clone().into_os_string();
                name.push(ending);
                PathBuf::from(name)
            };
            found.extend(
                ["", "-wal", "-shm"].iter().filter_map(|ending| told(&with(ending), 0o077, "go-rwx")),
            );
        }
        #[cfg(feature = "aws")]
        StorageConfig::Dynamo { .. } => {}
    }
    match &config.mail {
        MailConfig::Outbox { dir, .. } => found.extend(told(dir, 0o077, "go-rwx")),
        MailConfig::Smtp(_) => {}
        #[cfg(feature = "aws")]
        MailConfig::Ses(_) => {}
    }
    found
}

/// Says so if a file, which may hold secrets, has one of those bits in its mode.
#[cfg(unix)]
fn told(path: &Path, bits: u32, change: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let path = path.display();
    (mode & bits != 0).then(|| {
        format!(
            "{path} is open to others on this machine (mode {mode:04o}); `chmod {change} {path}` ends that"
        )
    })
}

/// Other systems have other ways.
#[cfg(not(unix))]
fn told(_: &Path, _: u32, _: &str) -> Option<String> {
    None
}
