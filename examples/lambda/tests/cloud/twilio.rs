//! Replies to text messages, signed as Twilio signs them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The body of a request to that URL, and its signature with that token.
pub(crate) fn signed(url: &str, token: &str, parameters: &[(&str, &str)]) -> (String, String) {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let text: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, format!("{url}{text}").as_bytes()).as_ref());
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let body: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    (body.join("&"), signature)
}
