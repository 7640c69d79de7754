//! Tokens: the secret part of the link in an alert, and of a button in one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::{Contact, DeliveryId, IncidentNumber};

mod many;

pub use many::ClaimsToken;

/// How long a token is valid.
pub const TOKEN_LIFE: TimeDelta = TimeDelta::days(7);

/// How long the token of a button is valid. Pushed messages may be kept by a server that strangers read.
pub const ANSWER_LIFE: TimeDelta = TimeDelta::days(1);

/// How long a code that links an account is valid.
pub const LINK_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How much later than its life from now a token may expire: the clock that made it may have been ahead, which
/// promise 14 allows.
const CLOCK_AHEAD: TimeDelta = TimeDelta::hours(1);

/// A secret that signs tokens.
#[derive(Clone)]
pub struct TokenSecret {
    bytes: Vec<u8>,
    until: Option<DateTime<Utc>>,
}

impl TokenSecret {
    /// The minimum number of bytes of a secret.
    pub const MIN_BYTES: usize = 16;

    /// A secret of at least [`MIN_BYTES`](Self::MIN_BYTES) random bytes.
    ///
    /// # Errors
    /// The secret has too few bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, crate::InvalidInput> {
        let bytes = bytes.into();
        if bytes.len() < Self::MIN_BYTES {
            let message = format!("must be at least {} bytes, is {}", Self::MIN_BYTES, bytes.len());
            return Err(crate::InvalidInput::field("token-secret", message));
        }
        Ok(Self { bytes, until: None })
    }

    /// Marks the secret as replaced at that time. Tokens that it signed stay valid for up to [`TOKEN_LIFE`] after that
    /// time.
    #[must_use]
    pub fn replaced_at(mut self, at: DateTime<Utc>) -> Self {
        self.until = Some(at.checked_add_signed(TOKEN_LIFE).unwrap_or(at));
        self
    }

    /// An HMAC over the content of a code that links an account.
    pub(crate) fn link_mac(&self, content: &[u8]) -> Hmac<Sha256> {
        self.mac(TokenKind::Link, content)
    }

    pub(crate) fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn mac(&self, kind: TokenKind, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("HMAC takes keys of any length");
        mac.update(kind.label());
        mac.update(payload);
        mac
    }
}

/// What a token is for. A token of one kind is never valid as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    Claim,
    Answer,
    Link,
    Claims,
}

impl TokenKind {
    /// What is signed before the payload.
    fn label(self) -> &'static [u8] {
        match self {
            TokenKind::Claim => b"inresponse claim v1\0",
            TokenKind::Answer => b"inresponse answer v1\0",
            TokenKind::Link => b"inresponse link v1\0",
            TokenKind::Claims => b"inresponse claims v1\0",
        }
    }

    /// How long a token is valid.
    fn life(self) -> TimeDelta {
        match self {
            TokenKind::Claim | TokenKind::Claims => TOKEN_LIFE,
            TokenKind::Answer => ANSWER_LIFE,
            TokenKind::Link => LINK_LIFE,
        }
    }

    /// The maximum length of the text of a token.
    fn longest(self) -> usize {
        match self {
            TokenKind::Claim | TokenKind::Answer | TokenKind::Link => 1024,
            TokenKind::Claims => 8 * 1024,
        }
    }
}

/// A payload as a token: its base64url, a dot, and the base64url of an HMAC-SHA-256 over it.
fn signed(kind: TokenKind, payload: &[u8], secret: &TokenSecret) -> String {
    let mac = secret.mac(kind, payload).finalize().into_bytes();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(mac))
}

/// The payload of a token that was signed with one of `secrets`. The signature is compared in constant time.
fn opened(
    kind: TokenKind,
    token: &str,
    secrets: &[TokenSecret],
    now: DateTime<Utc>,
) -> Result<Vec<u8>, TokenError> {
    if token.len() > kind.longest() {
        return Err(TokenError::Invalid);
    }
    let (payload, mac) = token.split_once('.').ok_or(TokenError::Invalid)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Invalid)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| TokenError::Invalid)?;
    let is_signed_with = |secret: &TokenSecret| secret.mac(kind, &payload).verify_slice(&mac).is_ok();
    if !secrets.iter().any(|secret| secret.holds(now) && is_signed_with(secret)) {
        return Err(TokenError::Invalid);
    }
    Ok(payload)
}

/// Whether a token that expires then is valid now.
fn is_current(kind: TokenKind, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), TokenError> {
    if expires_at <= now {
        return Err(TokenError::Expired);
    }
    if expires_at - now > kind.life() + CLOCK_AHEAD { Err(TokenError::Invalid) } else { Ok(()) }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// The content of a token: its holder may claim this incident as this recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimToken {
    /// The incident.
    pub incident: IncidentNumber,
    /// The recipient of the alert.
    pub recipient: Contact,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The text is not a token, was not signed with any valid secret, is valid for too long, or is for another
    /// incident.
    Invalid,
    /// The token was valid and has expired.
    Expired,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenError::Invalid => "the link is not valid",
            TokenError::Expired => "the link has expired",
        })
    }
}

impl std::error::Error for TokenError {}

impl ClaimToken {
    /// A token for one alert, valid for [`TOKEN_LIFE`] from `now`.
    pub fn new(incident: IncidentNumber, recipient: Contact, now: DateTime<Utc>) -> Self {
        Self { incident, recipient, expires_at: now.checked_add_signed(TOKEN_LIFE).unwrap_or(now) }
    }

    /// The token as text that is safe in a URL.
    ///
    /// The text is the base64url of number, expiry in Unix seconds and recipient, then a dot, then the base64url of an
    /// HMAC-SHA-256 over them.
    pub fn sign(&self, secret: &TokenSecret) -> String {
        let Self { incident, recipient, expires_at } = self;
        let payload = format!("{incident}:{}:{}", expires_at.timestamp(), recipient.as_str());
        signed(TokenKind::Claim, payload.as_bytes(), secret)
    }

    /// Reads a token that was signed with one of `secrets` for `incident`.
    ///
    /// The signature is compared in constant time.
    ///
    /// # Errors
    /// The text is not a token, was signed with another secret or one that was replaced too long ago, is for another
    /// incident, is valid for longer than any token that is made here, or has expired at `now`.
    pub fn verify(
        token: &str,
        incident: IncidentNumber,
        secrets: &[TokenSecret],
        now: DateTime<Utc>,
    ) -> Result<Self, TokenError> {
        let payload = opened(TokenKind::Claim, token, secrets, now)?;
        let token = Self::read(&payload).ok_or(TokenError::Invalid)?;
        if token.incident != incident {
            return Err(TokenError::Invalid);
        }
        is_current(TokenKind::Claim, token.expires_at, now)?;
        Ok(token)
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(payload).ok()?.splitn(3, ':');
        Some(Self {
            incident: IncidentNumber::new(parts.next()?.parse().ok()?),
            expires_at: DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?,
            recipient: Contact::try_from(parts.next()?.to_owned()).ok()?,
        })
    }
}

/// The content of the token of a button: its holder may answer this message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerToken {
    /// The incident.
    pub incident: IncidentNumber,
    /// The message that is answered.
    pub delivery: DeliveryId,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

impl AnswerToken {
    /// A token for one alert, valid for [`ANSWER_LIFE`] from `now`.
    pub fn new(incident: IncidentNumber, delivery: DeliveryId, now: DateTime<Utc>) -> Self {
        Self { incident, delivery, expires_at: now.checked_add_signed(ANSWER_LIFE).unwrap_or(now) }
    }

    /// The token as text that is safe in a URL.
    pub fn sign(&self, secret: &TokenSecret) -> String {
        let Self { incident, delivery, expires_at } = self;
        let payload = format!("{incident}:{}:{delivery}", expires_at.timestamp());
        signed(TokenKind::Answer, payload.as_bytes(), secret)
    }

    /// Reads a token that was signed with one of `secrets`.
    ///
    /// # Errors
    /// The text is not a token of a button, was signed with another secret or one that was replaced too long ago, is
    /// valid for longer than any token that is made here, or has expired at `now`.
    pub fn verify(token: &str, secrets: &[TokenSecret], now: DateTime<Utc>) -> Result<Self, TokenError> {
        let payload = opened(TokenKind::Answer, token, secrets, now)?;
        let token = Self::read(&payload).ok_or(TokenError::Invalid)?;
        is_current(TokenKind::Answer, token.expires_at, now)?;
        Ok(token)
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(payload).ok()?.splitn(3, ':');
        Some(Self {
            incident: IncidentNumber::new(parts.next()?.parse().ok()?),
            expires_at: DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?,
            delivery: DeliveryId::read(parts.next()?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_its_incident_recipient_secret_and_week_only() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let old = TokenSecret::new(*b"fedcba9876543210").unwrap();
        let token = ClaimToken::new(IncidentNumber::new(7), Contact::new("jo@b.c").unwrap(), now);
        let text = token.sign(&old);
        let verify = |text: &str, number, secrets: &[TokenSecret], at| {
            ClaimToken::verify(text, IncidentNumber::new(number), secrets, at)
        };
        let both = [secret.clone(), old.clone()];
        assert_eq!(verify(&text, 7, &both, now), Ok(token.clone()));
        assert_eq!(verify(&text, 8, &both, now), Err(TokenError::Invalid));
        assert_eq!(verify(&text, 7, &[secret], now), Err(TokenError::Invalid));
        assert_eq!(verify(&text, 7, &both, now + TimeDelta::days(7)), Err(TokenError::Expired));
        assert_eq!(verify(&text, 7, &both, now + TimeDelta::days(7) - TimeDelta::seconds(1)), Ok(token));
        for i in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[i] = if forged[i] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last character of unpadded base64 has bits that mean nothing; a decoder refuses them.
            assert_eq!(verify(&forged, 7, &both, now), Err(TokenError::Invalid), "{i}");
        }
        for junk in ["", ".", "a", "a.b", "é.é", &"x".repeat(5000)] {
            assert_eq!(verify(junk, 7, &both, now), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn p20_a_secret_that_was_replaced_holds_for_seven_days_and_no_longer() {
        let replaced = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let new = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let old = TokenSecret::new(*b"fedcba9876543210").unwrap();
        let both = [new.clone(), old.clone().replaced_at(replaced)];
        let verify = |made: DateTime<Utc>, secret: &TokenSecret, at: DateTime<Utc>| {
            let token = ClaimToken::new(IncidentNumber::new(7), Contact::new("jo@b.c").unwrap(), made);
            ClaimToken::verify(&token.sign(secret), IncidentNumber::new(7), &both, at).map(|_| ())
        };
        let (second, days) = (TimeDelta::seconds(1), TimeDelta::days);
        assert_eq!(verify(replaced - second, &old, replaced), Ok(()));
        assert_eq!(verify(replaced - second, &old, replaced + days(7) - second * 2), Ok(()));
        // An attacker who has the old one makes no more links with it.
        let late = replaced + days(7);
        assert_eq!(verify(late - second, &old, late - second), Ok(()));
        assert_eq!(verify(late - second, &old, late), Err(TokenError::Invalid));
        assert_eq!(verify(late + days(30), &old, late + days(30)), Err(TokenError::Invalid));
        assert_eq!(verify(late + days(30), &new, late + days(30)), Ok(()));
    }

    #[test]
    fn p20_a_token_that_lives_longer_than_a_week_is_refused() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let verify = |life: TimeDelta| {
            let recipient = Contact::new("jo@b.c").unwrap();
            let incident = IncidentNumber::new(7);
            let token = ClaimToken { incident, recipient, expires_at: now + life };
            ClaimToken::verify(&token.sign(&secret), incident, std::slice::from_ref(&secret), now).map(|_| ())
        };
        assert_eq!(verify(TOKEN_LIFE), Ok(()));
        // P14: the clock has gone back since.
        assert_eq!(verify(TOKEN_LIFE + TimeDelta::minutes(59)), Ok(()));
        for life in [TOKEN_LIFE + TimeDelta::minutes(61), TimeDelta::days(8), TimeDelta::days(36_500)] {
            assert_eq!(verify(life), Err(TokenError::Invalid), "{life}");
        }
    }

    #[test]
    fn a_token_of_a_button_holds_for_a_day_and_is_no_claim_link() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secrets = [TokenSecret::new(*b"0123456789abcdef").unwrap()];
        let (incident, delivery) = (IncidentNumber::new(7), DeliveryId::read("7-1-1-0-t5k2m8x1qo").unwrap());
        let token = AnswerToken::new(incident, delivery, now);
        let text = token.sign(&secrets[0]);
        let just_before = now + TimeDelta::days(1) - TimeDelta::seconds(1);
        assert_eq!(AnswerToken::verify(&text, &secrets, now), Ok(token.clone()));
        assert_eq!(AnswerToken::verify(&text, &secrets, just_before), Ok(token));
        assert_eq!(AnswerToken::verify(&text, &secrets, now + TimeDelta::days(1)), Err(TokenError::Expired));
        assert_eq!(ClaimToken::verify(&text, incident, &secrets, now), Err(TokenError::Invalid));
        let claim = ClaimToken::new(incident, Contact::new("jo@b.c").unwrap(), now).sign(&secrets[0]);
        assert_eq!(AnswerToken::verify(&claim, &secrets, now), Err(TokenError::Invalid));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "TokenSecret(…)");
    }
}
