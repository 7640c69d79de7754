//! Contacts: the addresses to which alerts are sent.

use std::fmt;
use std::sync::Arc;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::InvalidInput;

/// The part of a contact before the colon, which selects the notifier: `mailto`, `sms`, `https`, …
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scheme(String);

impl Scheme {
    /// Makes a scheme from its name without the colon.
    ///
    /// # Errors
    /// The text is not a scheme by RFC 3986 section 3.1, or is longer than 32 bytes.
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

    /// The name of the scheme, in lower case, without the colon.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address with its scheme, normalised so that the same address is always the same contact.
///
/// A bare e-mail address gets the scheme `mailto:`. Schemes and the domains of mail and web addresses are in lower
/// case. Non-ASCII labels become A-labels (RFC 5890 section 2.3.2.1, with the mapping of UTS #46). So all spellings of
/// a domain are one contact, and every server accepts it. The rest of the address is not changed.
///
/// ```
/// use inresponse_core::model::Contact;
/// let contact = Contact::new("Jo@Bücher.Example")?;
/// assert_eq!(contact.as_str(), "mailto:Jo@xn--bcher-kva.example");
/// assert_eq!(contact.address(), "Jo@xn--bcher-kva.example");
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
///
/// A phone number (`sms:`, `tel:`) is international: a plus, and 2 to 15 digits of which the first is not 0 (ITU-T E.164
/// section 6). Visual separators (RFC 3966 section 5.1.1) are removed.
///
/// A contact that was stored before domains were A-labels and numbers were international can still be read:
/// [`TryFrom<String>`], and so serde, keeps a domain that has no A-labels and any number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Contact {
    /// Shared, because an address is copied often: from the roster into the matrix, the deliveries and the sends.
    uri: Arc<str>,
    colon: usize,
}

impl Contact {
    /// The maximum length of a contact, including its scheme, in bytes.
    pub const MAX_BYTES: usize = 254;

    /// Checks and normalises an address.
    ///
    /// # Errors
    /// The address is empty, too long, has white space or control characters, has neither a scheme nor `@`, is a
    /// `mailto:` that is not `local@domain`, or a phone number that is not international.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidInput> {
        Self::read(text.as_ref(), a_labels, international)
    }

    /// Reads an address, and converts its domain with `domain` and its phone number with `number`, if it has one.
    fn read(
        text: &str,
        domain: fn(&str) -> Option<String>,
        number: fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidInput> {
        let text = text.trim();
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
        let address = match scheme.as_str() {
            "mailto" => mail_address(rest, domain).ok_or_else(|| {
                InvalidInput::field("contact", format!("`{rest}` is not an e-mail address"))
            })?,
            "http" | "https" => web_address(rest, domain).ok_or_else(|| {
                InvalidInput::field("contact", format!("the host of `{text}` is not a domain"))
            })?,
            "sms" | "tel" => number(rest).ok_or_else(|| {
                let message = format!("`{rest}` is not an international phone number such as +302101234567");
                InvalidInput::field("contact", message)
            })?,
            _ => rest.to_owned(),
        };
        if address.is_empty() {
            return refuse(format!("`{text}` has nothing after its scheme"));
        }
        let uri = format!("{}:{address}", scheme.as_str());
        // A stored contact is read by the same rules, so they apply to the normalised form too.
        if uri.len() > Self::MAX_BYTES {
            return too_long(uri.len());
        }
        Ok(Self { colon: scheme.as_str().len(), uri: uri.into() })
    }

    /// The whole address with its scheme.
    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// The scheme, which picks the notifier.
    pub fn scheme(&self) -> &str {
        &self.uri[..self.colon]
    }

    /// The part after the scheme's colon.
    pub fn address(&self) -> &str {
        &self.uri[self.colon + 1..]
    }

    /// A masked form of the address: people who know the address recognise it, but nobody can use it.
    ///
    /// ```
    /// # use inresponse_core::model::Contact;
    /// assert_eq!(Contact::new("jo@example.org")?.masked(), "j…@example.org");
    /// assert_eq!(Contact::new("sms:+302101234567")?.masked(), "sms:…67");
    /// # Ok::<(), inresponse_core::InvalidInput>(())
    /// ```
    pub fn masked(&self) -> String {
        let (scheme, address) = (self.scheme(), self.address());
        let first: String = address.chars().take(1).collect();
        match (scheme, address.rsplit_once('@')) {
            ("mailto", Some((_, domain))) => format!("{first}…@{domain}"),
            ("http" | "https", _) => format!("{scheme}://{}/…", self.remote()),
            (_, _) if address.chars().count() > 4 => {
                let skipped = address.chars().count() - 2;
                format!("{scheme}:…{}", address.chars().skip(skipped).collect::<String>())
            }
            (_, _) => format!("{scheme}:…"),
        }
    }

    /// The remote server, which may keep all contacts there waiting: the domain of a mail address, host and port of a
    /// web address, the scheme of any other.
    pub(crate) fn remote(&self) -> &str {
        let address = self.address();
        if let Some(rest) = address.strip_prefix("//") {
            let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
            return authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        }
        match address.rsplit_once('@') {
            Some((_, domain)) if self.scheme() == "mailto" => domain,
            Some(_) | None => self.scheme(),
        }
    }
}

/// A domain in lower case and ASCII. ASCII domains are not checked further, so that no working address is refused.
fn a_labels(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase());
    }
    let (denied, hyphens) = (AsciiDenyList::STD3, Hyphens::Allow);
    let domain = Uts46::new().to_ascii(domain.as_bytes(), denied, hyphens, DnsLength::Verify);
    domain.ok().map(|domain| domain.into_owned())
}

/// A domain in the form that contacts had before domains were A-labels.
fn lower_case(domain: &str) -> Option<String> {
    Some(domain.to_lowercase())
}

/// An international phone number without separators.
fn international(text: &str) -> Option<String> {
    let number = text.replace(['-', '.', '(', ')'], "");
    let digits = number.strip_prefix('+')?;
    let plain = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && !digits.starts_with('0')).then_some(number)
}

/// Any number, as contacts had it before numbers were international.
fn any_number(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Checks `local@domain` as far as possible without asking the mail server.
fn mail_address(text: &str, domain: fn(&str) -> Option<String>) -> Option<String> {
    let (local, domain) = text.rsplit_once('@').and_then(|(local, of)| Some((local, domain(of)?)))?;
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
    sound.then(|| format!("{local}@{domain}"))
}

/// Reads the part after the colon of a web address. Its host, if it has one, is a domain (RFC 3986 section 3.2).
fn web_address(text: &str, domain: fn(&str) -> Option<String>) -> Option<String> {
    let Some(rest) = text.strip_prefix("//") else { return Some(text.to_owned()) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, host) = authority.split_at(host_at);
    let (host, port) =
        host.split_at(if host.starts_with('[') { 0 } else { host.find(':').unwrap_or(host.len()) });
    Some(format!("//{user}{}{port}{path}", domain(host)?))
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

impl Serialize for Contact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.uri)
    }
}

impl TryFrom<String> for Contact {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        Self::new(&text).or_else(|refused| Self::read(&text, lower_case, any_number).map_err(|_| refused))
    }
}

impl From<Contact> for String {
    fn from(contact: Contact) -> String {
        contact.uri.as_ref().to_owned()
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
    fn the_remote_side_is_a_domain_a_host_or_a_scheme() {
        for (text, remote) in [
            ("jo@Example.org", "example.org"),
            ("mailto:jo@[::1]", "[::1]"),
            ("https://u:p@Hooks.example:8443/a@b?c", "hooks.example:8443"),
            ("http://hooks.example#x", "hooks.example"),
            ("https://[::1]:8080/x", "[::1]:8080"),
            ("sms:+4917", "sms"),
            ("slack:team@night", "slack"),
            ("https:odd", "https"),
        ] {
            assert_eq!(Contact::new(text).unwrap().remote(), remote, "{text}");
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
            ("tel:+30-210-123.4567", Some("tel:+302101234567")),
            ("TEL:+1(500)555-0006", Some("tel:+15005550006")),
            ("tel:112", None),
            ("tel:302101234567", None),
            ("tel:00302101234567", None),
            ("tel:+0302101234567", None),
            ("tel:+1234567890123456", None),
            ("tel:+1", None),
            ("tel:+30210x", None),
            ("sms:jo", None),
            ("sms:\"1\"", None),
            ("sms:1\\2", None),
            ("https://Chat.Example/Hook?x=Y", Some("https://chat.example/Hook?x=Y")),
        ];
        for (given, expected) in cases {
            let got = Contact::new(given);
            assert_eq!(got.as_ref().ok().map(Contact::as_str), expected, "{given:?}");
        }
    }

    #[test]
    fn p06_the_spellings_of_one_domain_are_one_contact() {
        let spellings: [(&str, &[&str]); 8] = [
            (
                "mailto:jo@xn--bcher-kva.example",
                &[
                    "jo@bücher.example",
                    "jo@BÜCHER.Example",
                    "mailto:jo@bu\u{308}cher.example",
                    "jo@XN--BCHER-KVA.example",
                    "jo@bücher\u{3002}example",
                    "jo@bü\u{ad}cher.example",
                ],
            ),
            ("mailto:Jo@xn--strae-oqa.example", &["Jo@straße.example", "Jo@STRAẞE.example"]),
            ("mailto:jo@mail.xn--hxajbheg2az3al.xn--jxalpdlp", &["jo@mail.παράδειγμα.δοκιμή"]),
            ("mailto:jo@xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g", &["jo@उदाहरण.परीक्षा"]),
            // Only the domain is normalised: only the server of an address may interpret its local part (RFC 5321
            // section 2.4).
            ("mailto:josé@xn--bcher-kva.example", &["josé@bücher.example"]),
            (
                "https://xn--bcher-kva.example/a?b=Ü",
                &["https://bücher.example/a?b=Ü", "HTTPS://BÜCHER.example/a?b=Ü"],
            ),
            ("http://u:P@xn--bcher-kva.example:8080", &["http://u:P@Bücher.Example:8080"]),
            ("https://[::1]:8080/x", &["https://[::1]:8080/x"]),
        ];
        for (one, written) in spellings {
            for text in written.iter().chain([&one]) {
                let contact = Contact::new(text).unwrap();
                assert_eq!(contact.as_str(), one, "{text}");
                let stored = serde_json::to_string(text).unwrap();
                assert_eq!(serde_json::from_str::<Contact>(&stored).unwrap(), contact, "{text}");
            }
        }
    }

    #[test]
    fn p16_a_domain_that_has_no_a_labels_is_refused_and_read_where_it_is_stored() {
        let long = format!("jo@{}.example", "ü".repeat(60));
        for text in ["jo@ex\u{fffd}ample.org", "jo@bü_cher.example", "jo@ü..example", "jo@[bü]", &long] {
            assert!(Contact::new(text).is_err(), "{text}");
        }
        for text in [long.as_str(), "jo@٠ü.example"] {
            let stored = Contact::try_from(format!("mailto:{text}")).unwrap();
            assert_eq!(stored.address(), text);
        }
        assert_eq!(Contact::try_from("tel:112".to_owned()).unwrap().as_str(), "tel:112", "stored before");
        assert!(Contact::try_from("jo@b..c".to_owned()).is_err());
        assert!(Contact::new("https://a\u{ff0f}b/x").is_err(), "a slash in disguise");
    }
}
