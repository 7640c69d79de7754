//! The reader of the config file, for the fuzz targets.

use crate::config::{Config, ServeArgs};

/// The result of reading a config file.
#[derive(Debug)]
pub struct Read {
    /// The settings, as a log would show them.
    pub shown: String,
    /// The secret that tokens are signed with.
    pub token_secret: Option<String>,
}

/// Reads a config file, without any flags.
///
/// # Errors
/// Everything that is invalid, in words.
pub fn config(text: &str) -> Result<Read, String> {
    let config = Config::read(ServeArgs::default(), text).map_err(|error| error.to_string())?;
    let shown = format!("{config:?}");
    Ok(Read { shown, token_secret: config.token_secret.map(|secret| secret.0) })
}
