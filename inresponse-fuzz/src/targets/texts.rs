//! Fuzzes texts of one line, such as cursors and tokens.

use std::sync::LazyLock;

use inresponse_core::claim::{ClaimToken, TokenError, TokenSecret};
use inresponse_core::model::{Contact, IncidentNumber, ServiceName, Severity, State};
use inresponse_core::roster::Matcher;
use inresponse_core::store::ListQuery;
use inresponse_http::fuzzing;
use inresponse_intake::opsgenie::RequestId;

use super::{now, refusal_holds};

/// Two lists with different filters.
static LISTS: LazyLock<[ListQuery; 2]> = LazyLock::new(|| {
    let athens = ServiceName::new("athens").ok();
    let open = ListQuery { state: Some(State::Open), service: athens, ..ListQuery::default() };
    [open, ListQuery { severity: Some(Severity::Crit), ..ListQuery::default() }]
});

pub(super) fn cursor(data: &[u8]) {
    let [one, other] = &*LISTS;
    if let Ok(text) = std::str::from_utf8(data) {
        match fuzzing::read_cursor(text, one) {
            Ok(below) => {
                assert_eq!(fuzzing::write_cursor(below, one), text, "a place in a list has only one cursor");
                assert!(fuzzing::read_cursor(text, other).is_err(), "the cursor belongs to another list");
            }
            Err(invalid) => refusal_holds(&invalid),
        }
    }
    if let Some(bytes) = data.first_chunk::<8>() {
        let below = IncidentNumber::new(u64::from_le_bytes(*bytes));
        let written = fuzzing::write_cursor(below, one);
        assert_eq!(fuzzing::read_cursor(&written, one), Ok(below));
        assert!(fuzzing::read_cursor(&written, other).is_err());
    }
}

static SECRETS: LazyLock<[TokenSecret; 2]> = LazyLock::new(|| {
    [*b"0123456789abcdef", *b"fedcba9876543210"].map(|bytes| TokenSecret::new(bytes).unwrap())
});

pub(super) fn token(data: &[u8]) {
    let [own, others] = &*SECRETS;
    let verify = |text: &str, number, secret: &TokenSecret| {
        ClaimToken::verify(text, IncidentNumber::new(number), std::slice::from_ref(secret), now())
    };
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Nobody without the secret makes a token.
    assert!(verify(text, 7, others).is_err() && verify(text, 7, own).is_err());
    let Ok(recipient) = Contact::new(text.trim_start_matches(|c: char| c.is_ascii_digit())) else { return };
    let number = text.len() as u64;
    let token = ClaimToken::new(IncidentNumber::new(number), recipient, now());
    let signed = token.sign(own);
    assert_eq!(verify(&signed, number, own), Ok(token), "a signed token is valid");
    assert_eq!(
        verify(&signed, number, others),
        Err(TokenError::Invalid),
        "a token is valid only under its own secret"
    );
    assert_eq!(
        verify(&signed, number + 1, own),
        Err(TokenError::Invalid),
        "a token is valid only for its own incident"
    );
    let mut forged = signed.into_bytes();
    let place =
        data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte)) % forged.len();
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(verify(&forged, number, own), Err(TokenError::Invalid), "only the exact token is valid");
}

pub(super) fn contact(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Contact::new(text) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(contact) => {
            assert_eq!(
                Contact::new(contact.as_str()).as_ref(),
                Ok(&contact),
                "the contact in its stored form"
            );
            assert_eq!(
                Contact::new(contact.to_string()).as_ref(),
                Ok(&contact),
                "the contact in its shown form"
            );
            assert!(contact.as_str().len() <= Contact::MAX_BYTES);
            assert!(!contact.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
        }
    }
}

pub(super) fn time(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match fuzzing::time(text) {
        Err(invalid) => refusal_holds(&invalid),
        Ok(at) => {
            assert!((0..=253_402_300_799).contains(&at.timestamp()), "{at}");
            assert_eq!(fuzzing::time(&at.to_rfc3339()), Ok(at));
        }
    }
}

/// Checks that a URL that is accepted as Amazon's also leads to Amazon in the library that fetches it.
pub(super) fn amazon_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(amazon) = inresponse_intake::fuzzing::amazon_url(text) else { return };
    let url = url::Url::parse(amazon.as_str()).unwrap();
    let host = url.host_str().unwrap();
    assert_eq!((url.scheme(), url.port(), url.username(), url.password()), ("https", None, "", None));
    assert!(host.starts_with("sns."), "{host}");
    assert!(host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"), "{host}");
    assert_eq!(url.fragment(), None);
}

pub(super) fn request_id(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(id) = RequestId::parse(text)
    {
        assert_eq!(id.text(), text.to_ascii_lowercase());
        assert_eq!(RequestId::parse(&id.text()), Some(id));
    }
}

pub(super) fn matcher(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match text.parse::<Matcher>() {
        Err(invalid) => refusal_holds(&invalid),
        Ok(matcher) => {
            let again: Matcher = matcher.to_string().parse().unwrap_or_else(|e| panic!("{matcher}: {e}"));
            assert_eq!(again.to_string(), matcher.to_string());
        }
    }
}
