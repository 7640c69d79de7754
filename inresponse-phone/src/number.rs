//! Phone numbers.

use inresponse_core::model::Contact;

use crate::error::{PhoneError, PhoneErrorKind};

/// The number, if the text is one in the international format of E.164: a plus, and 2 to 15 digits of which the first is
/// not 0 (ITU-T E.164 section 6; Twilio, "Format phone numbers").
pub(crate) fn e164(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('+')?;
    let plain = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && !digits.starts_with('0')).then_some(text)
}

/// The contact for text messages to a number.
pub(crate) fn sms(number: &str) -> Option<Contact> {
    Contact::new(format!("sms:{}", e164(number)?)).ok()
}

/// The contact for calls to a number.
pub(crate) fn tel(number: &str) -> Option<Contact> {
    Contact::new(format!("tel:{}", e164(number)?)).ok()
}

/// The beginnings of numbers for which the caller pays extra, without the plus: premium rate and shared cost.
///
/// Sources: ITU-T E.169.2 (979) and E.169.3 (808), and the national numbering plans of regulators; each beginning was
/// compared with the metadata of libphonenumber, which has no other kind of number under any of them. The list is short:
/// it stops mistakes and the usual fraud, and is no replacement for the provider's own permissions by country.
const EXTRA: [&str; 55] = [
    // International premium rate, and international shared cost.
    "979", "808",  // USA, Canada and their neighbours: 900
    "1900", // Finland, Greece
    "358600", "358700", "30801", "30806", "30812", "30825", "30850", "30875", "30901", "30909",
    // Netherlands, Belgium, France
    "31900", "31906", "31909", "3290", "3381", "3389", // Spain, Portugal, Italy
    "34803", "34806", "34807", "34901", "34902", "351808", "39840", "39848", "39894", "39895", "39899",
    // Switzerland, Austria
    "41840", "41842", "41844", "41848", "41900", "41901", "41906", "43810", "43820", "43821", "43900",
    "43901", "43930", "43931", // United Kingdom, Denmark, Norway
    "4484", "4487", "449", "4590", "47820", "47829", // Germany, Australia, Japan
    "49137", "49180", "49900", "61190", "81990",
];

/// Which numbers may be reached: all but those for which the caller pays extra.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberRule {
    allowed: Vec<String>,
}

impl NumberRule {
    /// Refuses all numbers of premium rate and shared cost that are known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows all numbers that begin like this, for example `+44843`.
    ///
    /// # Errors
    /// It is not a plus and 1 to 15 digits.
    pub fn allow(mut self, beginning: &str) -> Result<Self, PhoneError> {
        let digits = beginning.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message =
                "a number that is allowed must be a plus and digits, or the beginning of such a number";
            return Err(PhoneError::new(PhoneErrorKind::Number, message));
        }
        self.allowed.push(digits.to_owned());
        Ok(self)
    }

    /// Whether a contact's number may be reached.
    pub(crate) fn allows(&self, contact: &Contact) -> bool {
        let Some(digits) = contact.address().strip_prefix('+') else { return true };
        let is_extra = EXTRA.iter().any(|beginning| digits.starts_with(beginning));
        !is_extra || self.allowed.iter().any(|beginning| digits.starts_with(beginning.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cost_extra_are_refused_unless_they_are_allowed() {
        let contact = |number: &str| Contact::new(format!("tel:{number}")).unwrap();
        let rule = NumberRule::new();
        for number in
            ["+979123456789", "+80812345678", "+19005551234", "+449012345678", "+448451234567", "+4918012345"]
        {
            assert!(!rule.allows(&contact(number)), "{number}");
        }
        for number in [
            "+302101234567",
            "+15005550006",
            "+18005550006",
            "+442071234567",
            "+447700900123",
            "+4915112345678",
        ] {
            assert!(rule.allows(&contact(number)), "{number}");
        }
        let rule = rule.allow("+44845").unwrap();
        assert!(rule.allows(&contact("+448451234567")));
        assert!(!rule.allows(&contact("+448441234567")));
        for text in ["", "+", "44845", "+44 845", "+1234567890123456"] {
            assert!(NumberRule::new().allow(text).is_err(), "{text}");
        }
        let mut sorted = EXTRA.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), EXTRA.len());
    }

    #[test]
    fn only_international_numbers_are_called() {
        for number in ["+302101234567", "+15005550006", "+4917", "+123456789012345"] {
            assert_eq!(e164(number), Some(number));
        }
        for text in [
            "",
            "+",
            "+1",
            "302101234567",
            "00302101234567",
            "+0302101234567",
            "+30 210",
            "+30-210",
            "+1234567890123456",
            "+٣٠٢١٠",
            "jo",
        ] {
            assert_eq!(e164(text), None, "{text}");
        }
    }
}
