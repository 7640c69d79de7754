//! Reads and checks the settings of phones: Twilio and other gateways.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_phone::{
    GatewayConfig, GatewaySettings, NumberRule, PhoneError, PhoneErrorKind, TwilioConfig,
};

use crate::file::{FileGateway, FilePhone, FileTwilio};

/// The providers of text messages and calls.
#[derive(Debug, Clone, Default)]
pub struct PhoneConfig {
    /// The account at Twilio.
    pub twilio: Option<TwilioConfig>,
    /// Gateways, in the order in which they are tried.
    pub gateways: Vec<GatewayConfig>,
    /// The numbers that may be reached.
    pub numbers: NumberRule,
}

pub(crate) fn check(
    account: Option<FileTwilio>,
    gateways: BTreeMap<String, FileGateway>,
    phone: &FilePhone,
    public_url: Option<&str>,
    invalid: &mut InvalidInput,
) -> PhoneConfig {
    let mut numbers = NumberRule::new();
    for (i, beginning) in phone.allow_numbers.iter().enumerate() {
        let named =
            |error: PhoneError| InvalidInput::field(format!("phone.allow-numbers[{i}]"), error.to_string());
        numbers = invalid.keep(numbers.clone().allow(beginning).map_err(named)).unwrap_or(numbers);
    }
    let account = account.and_then(|file| twilio(&file, public_url, invalid));
    let gateway = |(name, file): (String, FileGateway)| {
        let FileGateway { url, method, headers, body, schemes, accepted, gone } = file;
        let settings = GatewaySettings { url, method, headers, body, schemes, accepted, gone };
        let named = |error: PhoneError| InvalidInput::field(format!("gateway.{name}"), error.to_string());
        invalid.keep(GatewayConfig::new(&name, &settings).map_err(named))
    };
    PhoneConfig { twilio: account, gateways: gateways.into_iter().filter_map(gateway).collect(), numbers }
}

fn twilio(file: &FileTwilio, public_url: Option<&str>, invalid: &mut InvalidInput) -> Option<TwilioConfig> {
    let named = |error: PhoneError| {
        let key = match error.kind() {
            PhoneErrorKind::AccountSid => "account-sid",
            PhoneErrorKind::AuthToken => "auth-token",
            PhoneErrorKind::From => "from",
            _ => "api-url",
        };
        InvalidInput::field(format!("twilio.{key}"), error.to_string())
    };
    let mut config =
        invalid.keep(TwilioConfig::new(&file.account_sid, &file.auth_token.0, &file.from).map_err(named))?;
    if let Some(number) = &file.call_from {
        let named = |error: PhoneError| InvalidInput::field("twilio.call-from", error.to_string());
        config = invalid.keep(config.call_from(number).map_err(named))?;
    }
    if let Some(url) = &file.api_url {
        config = invalid.keep(config.api_url(url).map_err(named))?;
    }
    Some(public_url.into_iter().fold(config, |config, url| config.public_url(url)))
}
