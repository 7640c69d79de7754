//! The server's file.

use crate::config::Config;
use crate::config::ServeArgs;

/// What is kept of a file tells no secret, and what is refused says why without one.
pub(super) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // What stands for a secret wherever the file has this mark.
    const SECRET: &str = "Zx9Canary7Secret3Value1";
    let text = text.replace("$S", SECRET);
    match Config::read(ServeArgs::default(), &text) {
        Ok(config) => {
            let shown = format!("{config:?}");
            for secret in [&config.token_secret].into_iter().flatten() {
                assert!(secret.0.len() >= 16);
            }
            let secret_only = ["token-secret", "key", "api-key"];
            if !text.is_empty() && mentions_only(&text, SECRET, &secret_only) {
                assert!(!shown.contains(SECRET), "{shown}");
            }
        }
        Err(error) => {
            let told = error.to_string();
            assert!(told.lines().count() > 1, "{told}");
            assert!(told.len() < 64 * 1024 + 8 * text.len(), "{}", told.len());
        }
    }
}

/// Whether a text stands in no other entries than these.
fn mentions_only(toml: &str, text: &str, names: &[&str]) -> bool {
    toml.lines().filter(|line| line.contains(text)).all(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        names.contains(&name) && line.matches('=').count() == 1
    })
}
