//! Addresses that alerts go to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// The part of a contact before the colon, which picks the notifier: `mailto`, `sms`, `https`, …
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scheme(String);

impl Scheme {
    /// A scheme by its name, without the colon.
    ///
    /// # Errors
    /// Not a scheme in the sense of RFC 3986 section 3.1, or longer than 32 bytes.
    pub fn new(name: &str) -> Result<Self, InvalidInput> {
        let name = name.to_ascii_lowercase();
        let rest_is_legal = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
        if name.len() > 32 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !rest_is_legal {
            return Err(InvalidInput::field("contact", format!("`{name}` is not a scheme")));
        }
        Ok(Self(name))
    }

    /// The scheme of e-mail addresses.
    pub fn mailto() -> Self {
        Self("mailto".to_owned())
    }

    /// The name, in lower case, without the colon.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody's address with its scheme, normalised so that the same address is the same contact.
///
/// A bare e-mail address is `mailto:`. Schemes and mail domains are lower-cased; everything else is kept.
///
/// ```
/// use inresponse_core::model::Contact;
/// let contact = Contact::new("Jo@Example.ORG")?;
/// assert_eq!(contact.as_str(), "mailto:Jo@example.org");
/// assert_eq!(contact.address(), "Jo@example.org");
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Contact {
    uri: String,
    colon: usize,
}

impl Contact {
    /// The longest that a contact may be, scheme included, in bytes.
    pub const MAX_BYTES: usize = 254;

    /// Checks and normalises an address.
    ///
    /// # Errors
    /// Empty, too long, with white space or control characters, without a scheme or `@`, or a `mailto:` that
    /// is not `local@domain`.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidInput> {
        let text = text.as_ref().trim();
        let refuse = |message: String| Err(InvalidInput::field("contact", message));
        if text.is_empty() {
            return refuse("must not be empty".into());
        }
        let too_long =
            |bytes: usize| refuse(format!("must be at most {} bytes, is {bytes}", Self::MAX_BYTES));
        if text.len() > Self::MAX_BYTES {
            return too_long(text.len());
        }
        // No URI holds these (RFC 3986 section 2); quotes would also take two bytes each in a stored record.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\')) {
            let text = text.escape_debug();
            return refuse(format!("`{text}` must not contain white space, quotes or backslashes"));
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) => (Scheme::new(scheme)?, rest),
            None if text.contains('@') => (Scheme::mailto(), text),
            None => return refuse(format!("`{text}` is neither an e-mail address nor `scheme:address`")),
        };
        let rest = if scheme == Scheme::mailto() { mail_address(rest)? } else { rest.to_owned() };
        if rest.is_empty() {
            return refuse(format!("`{text}` has nothing after its scheme"));
        }
        let uri = format!("{}:{rest}", scheme.as_str());
        // What is stored is read again by these same rules, so they hold for the normalised form, too.
        if uri.len() > Self::MAX_BYTES {
            return too_long(uri.len());
        }
        Ok(Self { colon: scheme.as_str().len(), uri })
    }

    /// The whole address with its scheme.
    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// The scheme, which picks the notifier.
    pub fn scheme(&self) -> &str {
        &self.uri[..self.colon]
    }

    /// What comes after the scheme's colon.
    pub fn address(&self) -> &str {
        &self.uri[self.colon + 1..]
    }
}

/// Checks `local@domain` as far as it can be without asking the mail server, and lower-cases the domain.
fn mail_address(text: &str) -> Result<String, InvalidInput> {
    let refuse = || InvalidInput::field("contact", format!("`{text}` is not an e-mail address"));
    let (local, domain) = text.rsplit_once('@').ok_or_else(refuse)?;
    let domain = domain.to_lowercase();
    // RFC 5322 dot-atom; quoted local parts are legal and, in a field that reaches a mail header, not worth it.
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '[' | ']' | ':');
    let dots = |s: &str| s.starts_with('.') || s.ends_with('.') || s.contains("..");
    let sound = !local.is_empty()
        && !domain.is_empty()
        && local.chars().all(atom)
        && domain.chars().all(host)
        && !dots(local)
        && !dots(&domain);
    if sound { Ok(format!("{local}@{domain}")) } else { Err(refuse()) }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An IPv6 address has colons: without its scheme it would be read as having another.
        let is_plain = self.scheme() == "mailto" && !self.address().contains(':');
        f.write_str(if is_plain { self.address() } else { &self.uri })
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({})", self.uri)
    }
}

impl TryFrom<String> for Contact {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        Self::new(text)
    }
}

impl From<Contact> for String {
    fn from(contact: Contact) -> String {
        contact.uri
    }
}

#[cfg(test)]
mod tests {
    use super::Contact;

    #[test]
    fn contacts_are_read_as_they_are_shown() {
        for (text, shown) in [
            ("Jo@Example.org", "Jo@example.org"),
            ("jo@[127.0.0.1]", "jo@[127.0.0.1]"),
            ("mailto:jo@[::1]", "mailto:jo@[::1]"),
            ("sms:+4917", "sms:+4917"),
        ] {
            let contact = Contact::new(text).unwrap();
            assert_eq!(contact.to_string(), shown);
            assert_eq!(Contact::new(shown), Ok(contact));
        }
    }

    #[test]
    fn contacts_are_normalised() {
        let cases = [
            ("a@b.c", Some("mailto:a@b.c")),
            (" Jo@EXAMPLE.org ", Some("mailto:Jo@example.org")),
            ("MAILTO:Jo@EXAMPLE.org", Some("mailto:Jo@example.org")),
            ("sms:+4912345", Some("sms:+4912345")),
            ("https://chat.example/Hook?x=Y", Some("https://chat.example/Hook?x=Y")),
            ("", None),
            ("jo", None),
            ("a b@c.d", None),
            ("a@b.c\r\nBcc: x@y.z", None),
            ("mailto:", None),
            ("sms:", None),
            ("1sms:x", None),
            ("a@", None),
            ("@b", None),
            (".a@b.c", None),
            ("a@b..c", None),
            ("<a@b.c>", None),
            ("sms:\"1\"", None),
            ("sms:1\\2", None),
        ];
        for (given, expected) in cases {
            let got = Contact::new(given);
            assert_eq!(got.as_ref().ok().map(Contact::as_str), expected, "{given:?}");
        }
    }
}
