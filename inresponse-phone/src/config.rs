//! The configuration: the account, the sender, and where Twilio is reached.

use std::fmt;

use url::Url;

use crate::error::{PhoneError, PhoneErrorKind};
use crate::number;

/// Where Twilio's API is reached, unless the configuration says otherwise.
const API: &str = "https://api.twilio.com";

/// The account at Twilio, the sender, and where Twilio is reached.
#[derive(Clone)]
pub struct TwilioConfig {
    pub(crate) account_sid: String,
    pub(crate) auth_token: AuthToken,
    pub(crate) from: Sender,
    pub(crate) call_from: Option<String>,
    pub(crate) api_url: Url,
    pub(crate) public_url: Option<String>,
}

/// The account's secret, which also signs what Twilio sends here.
#[derive(Clone)]
pub(crate) struct AuthToken(pub(crate) String);

/// Who sends text messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A phone number.
    Number(String),
    /// A messaging service, which chooses the number.
    Service(String),
}

impl TwilioConfig {
    /// The account with that *Account SID* and *Auth Token*. `from` is one of its phone numbers (`+15005550006`), or the
    /// SID of a *Messaging Service* (`MG…`). A messaging service cannot call.
    ///
    /// # Errors
    /// One of them is invalid. The error does not contain the auth token.
    pub fn new(account_sid: &str, auth_token: &str, from: &str) -> Result<Self, PhoneError> {
        if !is_sid(account_sid, "AC") {
            return Err(PhoneError::new(
                PhoneErrorKind::AccountSid,
                "the account SID must be AC and 32 hexadecimal digits",
            ));
        }
        if auth_token.len() < 16
            || auth_token.len() > 128
            || !auth_token.bytes().all(|b| b.is_ascii_graphic())
        {
            let message = "the auth token must be 16 to 128 visible ASCII characters";
            return Err(PhoneError::new(PhoneErrorKind::AuthToken, message));
        }
        let (sender, call_from) = match number::e164(from) {
            Some(number) => (Sender::Number(number.to_owned()), Some(number.to_owned())),
            None if is_sid(from, "MG") => (Sender::Service(from.to_owned()), None),
            None => {
                let message = "the sender must be a phone number such as +15005550006, or the SID of a messaging \
                               service: MG and 32 hexadecimal digits";
                return Err(PhoneError::new(PhoneErrorKind::From, message));
            }
        };
        Ok(Self {
            account_sid: account_sid.to_owned(),
            auth_token: AuthToken(auth_token.to_owned()),
            from: sender,
            call_from,
            api_url: Url::parse(API).expect("is a URL"),
            public_url: None,
        })
    }

    /// Calls from that number: if a messaging service sends the text messages, calls need a number of their own.
    ///
    /// # Errors
    /// It is not a phone number.
    pub fn call_from(mut self, number: &str) -> Result<Self, PhoneError> {
        let number = number::e164(number).ok_or_else(|| {
            PhoneError::new(PhoneErrorKind::From, "the number for calls must be one such as +15005550006")
        })?;
        self.call_from = Some(number.to_owned());
        Ok(self)
    }

    /// Reaches Twilio's API there, for example `https://api.dublin.ie1.twilio.com`.
    ///
    /// # Errors
    /// It is not a URL with a host, or has a query.
    pub fn api_url(mut self, url: &str) -> Result<Self, PhoneError> {
        let refuse =
            || PhoneError::new(PhoneErrorKind::ApiUrl, "the URL of the API must be https:// and a host");
        let url = Url::parse(url).map_err(|e| refuse().because(e))?;
        if url.host().is_none() || url.query().is_some() || url.cannot_be_a_base() {
            return Err(refuse());
        }
        self.api_url = url;
        Ok(self)
    }

    /// Tells Twilio to send answers and reports to this deployment, which people reach at that URL. Without it, no answer
    /// comes back, and nobody can be called.
    #[must_use]
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.trim_end_matches('/').to_owned());
        self
    }
}

/// Whether a text is an id as Twilio makes them: two letters and 32 hexadecimal digits.
fn is_sid(text: &str, kind: &str) -> bool {
    let rest = text.strip_prefix(kind);
    rest.is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(…)")
    }
}

impl fmt::Debug for TwilioConfig {
    /// Shows everything except the auth token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioConfig")
            .field("account_sid", &self.account_sid)
            .field("from", &self.from)
            .field("call_from", &self.call_from)
            .field("api_url", &self.api_url.as_str())
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";
    const TOKEN: &str = "canary0123456789abcdef0123456789";

    #[test]
    fn an_account_and_its_sender_are_checked() {
        let service = format!("MG{}", "0".repeat(32));
        for (sid, token, from, expected) in [
            (SID, TOKEN, "+15005550006", None),
            (SID, TOKEN, service.as_str(), None),
            ("SK0123456789abcdef0123456789abcdef", TOKEN, "+15005550006", Some(PhoneErrorKind::AccountSid)),
            ("AC0123", TOKEN, "+15005550006", Some(PhoneErrorKind::AccountSid)),
            (SID, "", "+15005550006", Some(PhoneErrorKind::AuthToken)),
            (SID, "canary with blanks inside", "+15005550006", Some(PhoneErrorKind::AuthToken)),
            (SID, TOKEN, "15005550006", Some(PhoneErrorKind::From)),
            (SID, TOKEN, "MG1", Some(PhoneErrorKind::From)),
        ] {
            let made = TwilioConfig::new(sid, token, from);
            assert_eq!(made.as_ref().err().map(PhoneError::kind), expected, "{sid} {from}");
            let shown = format!("{made:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
        let config = TwilioConfig::new(SID, TOKEN, &service).unwrap();
        assert_eq!(config.call_from, None);
        assert!(config.clone().call_from("jo").is_err());
        assert!(config.clone().call_from("+15005550006").is_ok());
        for url in ["api.twilio.com", "mailto:a@b.c", "https://api.twilio.com/?x=y"] {
            assert!(config.clone().api_url(url).is_err(), "{url}");
        }
    }
}
