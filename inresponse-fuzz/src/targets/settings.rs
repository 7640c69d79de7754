//! Fuzzes the server's config file.

use inresponse_server::fuzzing::{self, Read};

/// Checks that the settings of a valid file show no secret, and that errors about an invalid file contain none.
pub(super) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The secret that replaces this mark in the file.
    const SECRET: &str = "Zx9Canary7Secret3Value1";
    let text = text.replace("$S", SECRET);
    match fuzzing::config(&text) {
        Ok(Read { shown, token_secret }) => {
            assert!(token_secret.is_none_or(|secret| secret.len() >= 16));
            let secret_only = ["token-secret", "key", "api-key"];
            if !text.is_empty() && mentions_only(&text, SECRET, &secret_only) {
                assert!(!shown.contains(SECRET), "{shown}");
            }
        }
        Err(told) => {
            assert!(told.lines().count() > 1, "{told}");
            assert!(told.len() < 64 * 1024 + 8 * text.len(), "{}", told.len());
        }
    }
}

/// Whether a text occurs only in these entries of a file.
fn mentions_only(toml: &str, text: &str, names: &[&str]) -> bool {
    toml.lines().filter(|line| line.contains(text)).all(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        names.contains(&name) && line.matches('=').count() == 1
    })
}
