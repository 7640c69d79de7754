//! The configuration: the mail server, the encryption and the sender.

use std::fmt;

use inresponse_mail::Sender;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use url::{Host, Url};

use crate::error::{SmtpError, SmtpErrorKind};

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// The connection is never encrypted.
    Never,
    /// The connection is encrypted by STARTTLS if the server offers it.
    Opportunistic,
    /// The connection is encrypted by STARTTLS, or not made.
    Required,
    /// The connection is encrypted from the first byte.
    Implicit,
}

/// What others on the network path to a mail server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Secrecy {
    /// Others can read nothing: the connection is encrypted, or not made.
    Encrypted,
    /// Others can read everything if they suppress the server's offer of encryption.
    Opportunistic,
    /// Others can read the mails. No password is configured.
    Plain,
    /// Others can read the mails and the password.
    PlainPassword,
}

/// A mail server, how to reach it, and the sender.
#[derive(Clone)]
pub struct SmtpConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) hello: ClientId,
    pub(crate) sender: Sender,
}

impl SmtpConfig {
    /// A server by its URL, and the sender as a mail shows it.
    ///
    /// `smtp://host` uses plain SMTP on port 25, `smtp://host?tls=required` or `tls=opportunistic` uses STARTTLS on
    /// port 587, `smtps://host` uses TLS on port 465. User and password come before the host, percent-encoded; another
    /// port comes after it. A path is the name with which the server is greeted. Non-ASCII names are sent in A-labels.
    ///
    /// # Errors
    /// The URL or the sender is invalid. The message never contains the password.
    pub fn from_url(url: &str, sender: &str) -> Result<Self, SmtpError> {
        let wrong =
            |what: &str| SmtpError::new(SmtpErrorKind::Url, format!("the URL of the mail server {what}"));
        let url = Url::parse(url).map_err(|e| wrong("cannot be read").because(e))?;
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "tls" => tls = Some(value.into_owned()),
                // The error does not show the option's name, which may be part of a password that contains a `?`.
                _ => {
                    return Err(wrong(
                        "has a parameter other than tls; a `?` in a password must be written %3F",
                    ));
                }
            }
        }
        let (encryption, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (Encryption::Never, 25),
            ("smtp", Some("opportunistic")) => (Encryption::Opportunistic, 587),
            ("smtp", Some("required")) => (Encryption::Required, 587),
            ("smtps", _) => (Encryption::Implicit, 465),
            ("smtp", Some(_)) => return Err(wrong("must have tls=required or tls=opportunistic")),
            _ => return Err(wrong("must begin with smtp:// or smtps://")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
        let ascii = |name: &str| Host::parse(name).map(|host| host.to_string());
        let host = ascii(host).map_err(|e| wrong("names a host that is not a domain").because(e))?;
        let decode = |text: &str| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            decoded
                .map(|text| text.into_owned())
                .map_err(|_| wrong("has a user or password that is not UTF-8"))
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decode(url.username())?, decode(password)?)),
            None if url.username().is_empty() => None,
            None => return Err(wrong("has a user without a password")),
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            // Beyond ASCII, in a URL.
            name if name.contains('%') => {
                let name = ascii(name).map_err(|e| wrong("has a path that is not a domain").because(e))?;
                ClientId::Domain(name)
            }
            name => ClientId::Domain(name.to_owned()),
        };
        let sender = Sender::new(sender)
            .map_err(|e| SmtpError::new(SmtpErrorKind::Sender, e.to_string()).because(e))?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            encryption,
            credentials,
            hello,
            sender,
        })
    }

    /// What others on the network path to the server can read.
    pub fn secrecy(&self) -> Secrecy {
        match (self.encryption, &self.credentials) {
            (Encryption::Required | Encryption::Implicit, _) => Secrecy::Encrypted,
            (Encryption::Opportunistic, _) => Secrecy::Opportunistic,
            (Encryption::Never, Some(_)) => Secrecy::PlainPassword,
            (Encryption::Never, None) => Secrecy::Plain,
        }
    }

    /// Whether a user and a password are configured.
    pub fn has_login(&self) -> bool {
        self.credentials.is_some()
    }
}

impl fmt::Display for SmtpConfig {
    /// Shows the server: host and port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpConfig {
    /// Shows everything except user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .field("authenticates", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_documented() {
        let cases = [
            ("smtp://mail", Some(("mail", 25, Encryption::Never))),
            ("smtp://u:p%40ss@mail:2525", Some(("mail", 2525, Encryption::Never))),
            ("smtp://mail?tls=required", Some(("mail", 587, Encryption::Required))),
            ("smtp://mail?tls=opportunistic", Some(("mail", 587, Encryption::Opportunistic))),
            ("smtps://mail/hello.example.org", Some(("mail", 465, Encryption::Implicit))),
            ("smtps://mail_server", Some(("mail_server", 465, Encryption::Implicit))),
            ("smtp://u:p@Bücher.example", Some(("xn--bcher-kva.example", 25, Encryption::Never))),
            ("smtp://192.0.2.1", Some(("192.0.2.1", 25, Encryption::Never))),
            ("smtp://a%20b", None),
            ("smtp://[::1]:25", Some(("::1", 25, Encryption::Never))),
            ("smtp://mail?tls=perhaps", None),
            ("smtp://mail?timeout=3", None),
            ("smtp://user@mail", None),
            ("http://mail", None),
            ("smtp://", None),
            ("mail", None),
        ];
        for (url, expected) in cases {
            let got = SmtpConfig::from_url(url, "a@b.c").ok();
            assert_eq!(got.as_ref().map(|c| (&*c.host, c.port, c.encryption)), expected, "{url}");
        }
        assert!(SmtpConfig::from_url("smtp://mail", "nobody").is_err());
        let config = SmtpConfig::from_url("smtp://mail/bücher.example", "a@bücher.example").unwrap();
        assert_eq!(config.hello.to_string(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_others_can_read_is_known() {
        for (url, secrecy) in [
            ("smtp://mail", Secrecy::Plain),
            ("smtp://u:p@mail", Secrecy::PlainPassword),
            ("smtp://u:p@mail?tls=opportunistic", Secrecy::Opportunistic),
            ("smtp://u:p@mail?tls=required", Secrecy::Encrypted),
            ("smtps://u:p@mail", Secrecy::Encrypted),
        ] {
            assert_eq!(SmtpConfig::from_url(url, "a@b.c").unwrap().secrecy(), secrecy, "{url}");
        }
    }

    #[test]
    fn the_password_shows_neither_in_debug_output_nor_in_errors() {
        let config = SmtpConfig::from_url("smtp://user:canary@mail", "a@b.c").unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let error = SmtpConfig::from_url("smtp://user:canary@mail?tls=x", "a@b.c").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
