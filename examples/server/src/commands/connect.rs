//! Chooses the server and the API key of a command.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use inresponse_client::{Client, ClientConfig};
use serde::Deserialize;

use super::Failure;

const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Options of every client command. A flag overrides the environment, and the environment overrides the file
/// ~/.config/inresponse/client.toml, which may contain `url` and `key`.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// The URL of the server (default: http://127.0.0.1:8080)
    #[arg(long, env = "INRESPONSE_URL", value_name = "URL")]
    url: Option<String>,

    /// The API key. Prefer the environment or the file: others can see command lines
    #[arg(long, env = "INRESPONSE_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,

    /// Print the JSON of the API
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: Option<String>,
    key: Option<String>,
}

/// The path of `client.toml`, by the XDG Base Directory Specification.
fn path() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(config.join("inresponse/client.toml"))
}

impl File {
    fn read() -> Result<Self, Failure> {
        let Some(path) = path() else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::Given(format!("{}: {error}", path.display()))),
        };
        // Only the message: the whole error quotes the line, which may contain the key.
        toml::from_str(&text)
            .map_err(|e: toml::de::Error| Failure::Given(format!("{}: {}", path.display(), e.message())))
    }
}

impl Connect {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.client_within(Duration::from_secs(15))
    }

    pub(super) fn client_within(&self, timeout: Duration) -> Result<Client, Failure> {
        let file = File::read()?;
        let url = self.url.clone().or(file.url).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let config = ClientConfig::new(url).timeout(timeout);
        let key = self.key.clone().or(file.key);
        Ok(Client::new(key.into_iter().fold(config, |config, key| config.key(key)))?)
    }
}
