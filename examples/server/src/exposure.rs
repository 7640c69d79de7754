//! Finds files of this deployment that other users of the machine can access.

use std::path::{Path, PathBuf};

use crate::config::{Config, MailConfig, StorageConfig};

/// The files that other users can access, each with the command that prevents it.
pub(crate) fn exposed(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(file) = &config.file {
        // The server's group may read a file that root owns.
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
        StorageConfig::Postgres(_) => {}
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

/// A warning if a file with possible secrets has one of these bits in its mode.
#[cfg(unix)]
fn told(path: &Path, bits: u32, change: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let path = path.display();
    (mode & bits != 0).then(|| {
        format!(
            "{path} is open to others on this machine (mode {mode:04o}); to close it: `chmod {change} {path}`"
        )
    })
}

/// On systems other than Unix, modes are not checked.
#[cfg(not(unix))]
fn told(_: &Path, _: u32, _: &str) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::ServeArgs;

    #[test]
    fn every_file_that_others_can_get_at_is_named_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let set = |name: &str, mode| {
            std::fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).unwrap();
        };
        std::fs::create_dir(path("mails")).unwrap();
        for name in ["server.toml", "x.db", "x.db-wal", "x.db-shm"] {
            std::fs::write(path(name), "").unwrap();
        }
        let args = ServeArgs {
            config: Some(path("server.toml")),
            db: Some(path("x.db")),
            outbox: Some(path("mails")),
            ..ServeArgs::default()
        };
        let config = Config::load(args).unwrap();
        let modes = |config_mode, files, folder| {
            set("server.toml", config_mode);
            ["x.db", "x.db-wal", "x.db-shm"].iter().for_each(|name| set(name, files));
            set("mails", folder);
            exposed(&config)
        };
        assert_eq!(modes(0o600, 0o600, 0o700), [""; 0]);
        assert_eq!(modes(0o640, 0o600, 0o700), [""; 0], "the server's group may read its settings");
        for (config_mode, files, folder) in
            [(0o644, 0o640, 0o750), (0o660, 0o604, 0o701), (0o601, 0o660, 0o710)]
        {
            let told = modes(config_mode, files, folder);
            let names = [
                ("server.toml", config_mode),
                ("x.db", files),
                ("x.db-wal", files),
                ("x.db-shm", files),
                ("mails", folder),
            ];
            assert_eq!(told.len(), names.len(), "{told:?}");
            for (told, (name, mode)) in told.iter().zip(names) {
                assert!(told.starts_with(&format!("{} is open", path(name).display())), "{told}");
                assert!(told.contains(&format!("(mode {mode:04o})")), "{told}");
            }
        }
    }
}
