//! The secret part of the link in a bundle: its holder may claim these incidents.

use chrono::{DateTime, Utc};

use super::{TOKEN_LIFE, TokenError, TokenKind, TokenSecret, is_current, opened, signed};
use crate::model::{Contact, IncidentNumber};
use crate::notify::Bundle;

/// The content of a token: its holder may claim each of these incidents as this recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsToken {
    /// The incidents, in ascending order; at most [`Bundle::MOST`].
    pub incidents: Vec<IncidentNumber>,
    /// The recipient of the alerts.
    pub recipient: Contact,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

impl ClaimsToken {
    /// A token for the alerts of one message, valid for [`TOKEN_LIFE`] from `now`. Only the first [`Bundle::MOST`]
    /// incidents count.
    pub fn new(
        incidents: impl IntoIterator<Item = IncidentNumber>,
        recipient: Contact,
        now: DateTime<Utc>,
    ) -> Self {
        let mut incidents: Vec<_> = incidents.into_iter().take(Bundle::MOST).collect();
        incidents.sort_unstable();
        incidents.dedup();
        Self { incidents, recipient, expires_at: now.checked_add_signed(TOKEN_LIFE).unwrap_or(now) }
    }

    /// The token as text that is safe in a URL: about 1,000 characters for 500 incidents with numbers close together.
    ///
    /// The text is the base64url of the count of incidents, the differences of their numbers, expiry and recipient, then a
    /// dot, then the base64url of an HMAC-SHA-256 over them.
    pub fn sign(&self, secret: &TokenSecret) -> String {
        let Self { incidents, recipient, expires_at } = self;
        let mut payload = Vec::new();
        push(&mut payload, incidents.len() as u64);
        let mut before = 0;
        for number in incidents {
            push(&mut payload, number.value() - before);
            before = number.value();
        }
        payload.extend(format!("{}:{}", expires_at.timestamp(), recipient.as_str()).bytes());
        signed(TokenKind::Claims, &payload, secret)
    }

    /// Reads a token that was signed with one of `secrets`.
    ///
    /// # Errors
    /// The text is not a token of a bundle, was signed with another secret or one that was replaced too long ago, is valid
    /// for longer than any token that is made here, or has expired at `now`.
    pub fn verify(token: &str, secrets: &[TokenSecret], now: DateTime<Utc>) -> Result<Self, TokenError> {
        let payload = opened(TokenKind::Claims, token, secrets, now)?;
        let token = Self::read(&payload).ok_or(TokenError::Invalid)?;
        is_current(TokenKind::Claims, token.expires_at, now)?;
        Ok(token)
    }

    fn read(mut payload: &[u8]) -> Option<Self> {
        let count = usize::try_from(pull(&mut payload)?).ok().filter(|count| *count <= Bundle::MOST)?;
        let (mut incidents, mut number) = (Vec::with_capacity(count), 0_u64);
        for _ in 0..count {
            number = number.checked_add(pull(&mut payload)?)?;
            incidents.push(IncidentNumber::new(number));
        }
        let (expires_at, recipient) = std::str::from_utf8(payload).ok()?.split_once(':')?;
        Some(Self {
            incidents,
            expires_at: DateTime::from_timestamp(expires_at.parse().ok()?, 0)?,
            recipient: Contact::try_from(recipient.to_owned()).ok()?,
        })
    }
}

/// Appends a number in groups of seven bits, the lowest first; the highest bit says that another group follows.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes such a number from the front.
fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let group = u64::from(first & 0x7f);
        number |= group.checked_shl(shift).filter(|shifted| shifted >> shift == group)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::claim::{AnswerToken, ClaimToken};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn jo() -> Contact {
        Contact::new("jo@b.c").unwrap()
    }

    fn token(numbers: impl IntoIterator<Item = u64>) -> ClaimsToken {
        ClaimsToken::new(numbers.into_iter().map(IncidentNumber::new), jo(), now())
    }

    #[test]
    fn p23_a_token_of_a_bundle_holds_for_its_incidents_recipient_and_week_only() {
        let secrets = [TokenSecret::new(*b"0123456789abcdef").unwrap()];
        let numbers: [Vec<u64>; 4] =
            [vec![7], vec![10_007, 10_003], (10_000..10_500).collect(), vec![0, 127, 128, u64::MAX]];
        for numbers in numbers {
            let made = token(numbers);
            let text = made.sign(&secrets[0]);
            let verify = |at| ClaimsToken::verify(&text, &secrets, at);
            assert_eq!(verify(now()), Ok(made.clone()));
            assert_eq!(verify(now() + TimeDelta::days(7)), Err(TokenError::Expired));
            let number = made.incidents[0];
            assert_eq!(ClaimToken::verify(&text, number, &secrets, now()), Err(TokenError::Invalid));
            assert_eq!(AnswerToken::verify(&text, &secrets, now()), Err(TokenError::Invalid));
            let one = ClaimToken::new(number, jo(), now()).sign(&secrets[0]);
            assert_eq!(ClaimsToken::verify(&one, &secrets, now()), Err(TokenError::Invalid));
            for i in [0, 1, text.len() / 2, text.len() - 1] {
                let mut forged = text.clone().into_bytes();
                forged[i] = if forged[i] == b'A' { b'B' } else { b'A' };
                let forged = String::from_utf8(forged).unwrap();
                assert_eq!(ClaimsToken::verify(&forged, &secrets, now()), Err(TokenError::Invalid), "{i}");
            }
        }
        for junk in ["", ".", "a.b", &"x".repeat(50_000)] {
            assert_eq!(ClaimsToken::verify(junk, &secrets, now()), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn p23_a_token_of_500_incidents_fits_in_a_url() {
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        assert!(token(10_000..10_500).sign(&secret).len() < 1_000);
        assert!(token((0..500).map(|i| 1_000_000 + i * 2_000_000)).sign(&secret).len() < 4_000);
    }

    #[test]
    fn a_payload_that_is_cut_or_too_long_is_no_token() {
        let mut payload = Vec::new();
        push(&mut payload, 501);
        payload.extend([1; 501]);
        payload.extend(b"1800000000:mailto:jo@b.c");
        assert_eq!(ClaimsToken::read(&payload), None);
        for junk in [&b""[..], b"\x02\x01", b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x01\x01x"]
        {
            assert_eq!(ClaimsToken::read(junk), None);
        }
    }
}
