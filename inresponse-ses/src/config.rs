//! The configuration: the sender and the configuration set of SES.

use inresponse_mail::Sender;

use crate::error::{SesError, SesErrorKind};

/// The sender, and the SES configuration set that decides where SES reports bounces.
#[derive(Debug, Clone)]
pub struct SesConfig {
    pub(crate) sender: Sender,
    pub(crate) configuration_set: Option<String>,
}

impl SesConfig {
    /// The sender as a mail shows it: `InResponse <alerts@example.org>`. SES must have verified the address or its
    /// domain.
    ///
    /// # Errors
    /// The sender is not a mail address.
    pub fn new(sender: &str) -> Result<Self, SesError> {
        let sender =
            Sender::new(sender).map_err(|e| SesError::new(SesErrorKind::Sender, e.to_string()).because(e))?;
        Ok(Self { sender, configuration_set: None })
    }

    /// Sends with that configuration set of SES. Without one, SES reports bounces only where the settings of the
    /// sender's identity say.
    ///
    /// # Errors
    /// The name does not have 1 to 64 ASCII letters, digits, underscores and dashes (API reference of SES v2,
    /// `CreateConfigurationSet`).
    pub fn configuration_set(mut self, name: &str) -> Result<Self, SesError> {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if name.is_empty() || name.len() > 64 || !plain {
            let message =
                "the configuration set must be 1 to 64 ASCII letters, digits, underscores and dashes";
            return Err(SesError::new(SesErrorKind::ConfigurationSet, message));
        }
        self.configuration_set = Some(name.to_owned());
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invalid_is_named() {
        let kind = |config: Result<SesConfig, SesError>| config.err().map(|e| e.kind());
        assert_eq!(kind(SesConfig::new("nobody")), Some(SesErrorKind::Sender));
        let config = SesConfig::new("InResponse <a@b.example>").unwrap();
        for (name, holds) in
            [("in_Response-1", true), ("", false), ("a b", false), ("é", false), (&"a".repeat(65), false)]
        {
            let expected = (!holds).then_some(SesErrorKind::ConfigurationSet);
            assert_eq!(kind(config.clone().configuration_set(name)), expected, "{name:?}");
        }
    }
}
