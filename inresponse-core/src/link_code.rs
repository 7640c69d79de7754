//! Codes that link an account of a channel to a person.
//!
//! A person's page shows the code, and the person sends it from their account. So the account proves that it is theirs;
//! what a message claims about its sender counts for nothing. A code is bound to the person, the channel and the person's
//! present methods. The link adds a method, so a code works once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::Mac;

use crate::claim::{LINK_LIFE, TokenSecret};
use crate::model::{PersonId, Scheme};
use crate::roster::Profile;

/// How much later than its life from now a code may expire: the clock that made it may have been ahead.
const CLOCK_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The number of bytes of the HMAC in a code. 96 bits cannot be guessed within ten minutes.
const MAC_BYTES: usize = 12;
/// The number of bytes of a code: the expiry in seconds, the tag, the HMAC.
const BYTES: usize = 4 + 2 + MAC_BYTES;

/// A code that links an account to a person: 24 characters, ASCII letters, digits, hyphens and underscores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCode {
    /// The code. It is a secret of the person.
    pub code: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

impl LinkCode {
    /// A code for an account of that scheme, valid for [`LINK_LIFE`] from `now`.
    pub fn new(
        person: &PersonId,
        profile: &Profile,
        scheme: &Scheme,
        secret: &TokenSecret,
        now: DateTime<Utc>,
    ) -> Self {
        let expires_at = now.checked_add_signed(LINK_LIFE).unwrap_or(now);
        let expiry = u32::try_from(expires_at.timestamp()).unwrap_or(u32::MAX);
        let mac = secret.link_mac(&content(person, profile, scheme, expiry)).finalize().into_bytes();
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(expiry.to_be_bytes());
        bytes.extend(tag(person));
        bytes.extend(&mac[..MAC_BYTES]);
        Self { code: URL_SAFE_NO_PAD.encode(bytes), expires_at }
    }
}

/// The person for whom a code was made that is valid now; `None` if the code is none, has expired, or was used.
///
/// The HMAC is compared in constant time.
pub fn person_of<'a>(
    code: &str,
    scheme: &Scheme,
    people: impl Iterator<Item = (&'a PersonId, &'a Profile)>,
    secrets: &[TokenSecret],
    now: DateTime<Utc>,
) -> Option<&'a PersonId> {
    if code.len() > 64 {
        return None;
    }
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(code).ok()?.try_into().ok()?;
    let (expiry, rest) = bytes.split_first_chunk::<4>()?;
    let (tagged, mac) = rest.split_first_chunk::<2>()?;
    let expiry = u32::from_be_bytes(*expiry);
    let expires_at = DateTime::from_timestamp(expiry.into(), 0)?;
    if expires_at <= now || expires_at - now > LINK_LIFE + CLOCK_AHEAD {
        return None;
    }
    // The tag spares the HMACs of other people.
    let mut candidates = people.filter(|(person, _)| tag(person) == *tagged);
    let is_theirs = |person: &PersonId, profile: &Profile| {
        let content = content(person, profile, scheme, expiry);
        let mut valid = secrets.iter().filter(|secret| secret.holds(now));
        valid.any(|secret| secret.link_mac(&content).verify_truncated_left(mac).is_ok())
    };
    candidates.find(|(person, profile)| is_theirs(person, profile)).map(|(person, _)| person)
}

/// What is signed. No part contains a line break.
fn content(person: &PersonId, profile: &Profile, scheme: &Scheme, expiry: u32) -> Vec<u8> {
    let mut content = format!("{}\n{}\n{expiry}\n", scheme.as_str(), person.as_str());
    for (method, contact) in profile.methods() {
        content.push_str(&format!("{method}\n{}\n", contact.as_str()));
    }
    content.into_bytes()
}

/// Two bytes that differ for most people (FNV-1a, folded). They are no secret.
fn tag(person: &PersonId) -> [u8; 2] {
    let hash = person
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_be_bytes();
    [a ^ c, b ^ d]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Contact, MethodName};

    fn profile(methods: &[(&str, &str)]) -> Profile {
        let method = |(name, contact): &(&str, &str)| {
            (MethodName::new(*name).unwrap(), Contact::new(contact).unwrap())
        };
        Profile::builder(methods.iter().map(method).collect::<BTreeMap<_, _>>()).build().unwrap()
    }

    #[test]
    fn p20_a_code_links_its_person_over_its_channel_once_and_for_ten_minutes() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let secrets = [TokenSecret::new(*b"fedcba9876543210").unwrap(), secret.clone()];
        let (jo, kim) = (PersonId::new("jo").unwrap(), PersonId::new("kim").unwrap());
        let (telegram, slack) = (Scheme::new("telegram").unwrap(), Scheme::new("slack").unwrap());
        let before = profile(&[("mail", "jo@example.org")]);
        let after = profile(&[("mail", "jo@example.org"), ("telegram", "telegram:7")]);
        let others = profile(&[("mail", "kim@example.org")]);
        let LinkCode { code, expires_at } = LinkCode::new(&jo, &before, &telegram, &secret, now);
        assert_eq!((code.len(), expires_at), (24, now + LINK_LIFE));
        let found = |code: &str, scheme: &Scheme, jos: &Profile, secrets: &[TokenSecret], at| {
            let people = [(&kim, &others), (&jo, jos)];
            person_of(code, scheme, people.into_iter(), secrets, at).map(|id| id.as_str().to_owned())
        };
        let second = TimeDelta::seconds(1);
        let jos = Some("jo".to_owned());
        assert_eq!(found(&code, &telegram, &before, &secrets, now), jos);
        assert_eq!(found(&code, &telegram, &before, &secrets, now + LINK_LIFE - second), jos);
        assert_eq!(found(&code, &telegram, &before, &secrets, now + LINK_LIFE), None, "late");
        assert_eq!(found(&code, &telegram, &before, &secrets, now - TimeDelta::minutes(6)), None, "too long");
        assert_eq!(found(&code, &slack, &before, &secrets, now), None, "another channel");
        assert_eq!(found(&code, &telegram, &after, &secrets, now), None, "used");
        assert_eq!(found(&code, &telegram, &before, &secrets[..1], now), None, "another secret");
        for i in 0..code.len() {
            let mut forged = code.clone().into_bytes();
            forged[i] = if forged[i] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(found(&forged, &telegram, &before, &secrets, now), None, "{i}");
        }
        for junk in ["", "jo", "/start", "é", &"A".repeat(24), &"A".repeat(5000)] {
            assert_eq!(found(junk, &telegram, &before, &secrets, now), None, "{junk:?}");
        }
    }
}
