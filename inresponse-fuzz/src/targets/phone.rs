//! Fuzzes what people write back by text message, and the requests of Twilio.

use inresponse_phone::fuzzing::{Form, Said, read, signed};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://ir.example.org/channels/twilio/sms";

/// A reply means the same in every case, and with any blanks.
pub(super) fn sms(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let said = read(&text);
    if let Said::Answer(number, _) = said {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(number.map(|number| number.value()), digits.parse().ok(), "{text:?}");
        assert_eq!(read(&text.to_ascii_uppercase()), said, "{text:?}");
        assert_eq!(read(text.trim()), said, "{text:?}");
    }
}

/// A form is read in bounds, is the same after it was written again, and no signature that Twilio did not make holds.
pub(super) fn twilio(data: &[u8]) {
    let place = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let signature = String::from_utf8_lossy(&data[..place]);
    let body = data.get(place + 1..).unwrap_or_default();
    assert!(!signed(TOKEN, URL, &signature, body));
    let Some(form) = Form::read(body) else { return };
    assert!(form.parameters().len() <= 500);
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    written.extend_pairs(form.parameters());
    assert_eq!(Form::read(written.finish().as_bytes()), Some(form));
}
