//! The form in which Twilio sends requests.

/// The maximum number of parameters of a form. Twilio sends some thirty, and more with each new feature.
const MAX_PARAMETERS: usize = 500;

/// The parameters of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`; `None` if it has too many parameters.
    pub fn read(body: &[u8]) -> Option<Self> {
        let parameters: Vec<_> = form_urlencoded::parse(body).into_owned().take(MAX_PARAMETERS + 1).collect();
        (parameters.len() <= MAX_PARAMETERS).then_some(Self(parameters))
    }

    /// All parameters, in order.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Form {
    /// Shows the names only: the values are what people wrote, and their numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn p16_a_form_is_read_in_bounds() {
        let form = Form::read(b"From=%2B30210&Body=10001c+%F0%9F%94%A5&Empty=&Body=2").unwrap();
        assert_eq!(form.value("From"), Some("+30210"));
        assert_eq!(form.value("Body"), Some("10001c 🔥"));
        assert_eq!(form.value("Empty"), Some(""));
        assert_eq!(form.value("body"), None);
        assert_eq!(form.parameters().len(), 4);
        assert!(!format!("{form:?}").contains("30210"));
        assert!(Form::read("a=b&".repeat(501).as_bytes()).is_none());
        assert!(Form::read(&[0xff, b'=', 0xfe]).is_some());
    }
}
