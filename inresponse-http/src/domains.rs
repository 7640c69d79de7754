//! The domains of people outside the roster to whom incidents may be handed.

use inresponse_core::InvalidInput;
use inresponse_core::model::Contact;

/// The domains of people outside the roster to whom incidents may be handed.
#[derive(Debug, Clone, Default)]
pub struct HandOverDomains {
    /// Lower-case A-labels; if there are none, every domain is allowed.
    domains: Vec<String>,
}

impl HandOverDomains {
    /// Allows only these domains. An empty list allows every domain.
    ///
    /// # Errors
    /// One of the texts is not a domain.
    pub fn new(domains: &[String]) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let mut read = Vec::new();
        for (i, domain) in domains.iter().enumerate() {
            let field = format!("hand-over-domains[{i}]");
            let refused =
                || InvalidInput::field(field, format!("`{domain}` is not a domain like example.org"));
            let contact = Contact::new(format!("mailto:x@{domain}")).ok().filter(|_| !domain.contains('@'));
            read.extend(invalid.keep(contact.as_ref().and_then(domain_of).ok_or_else(refused)));
        }
        if invalid.is_empty() { Ok(Self { domains: read }) } else { Err(invalid) }
    }

    /// Whether incidents may be handed to that contact.
    pub(crate) fn allow(&self, contact: &Contact) -> bool {
        // Any other contact is a channel that the deployment itself has configured.
        self.domains.is_empty() || domain_of(contact).is_none_or(|domain| self.domains.contains(&domain))
    }
}

/// The domain of a mail address or of a URL.
fn domain_of(contact: &Contact) -> Option<String> {
    let domain = match contact.scheme() {
        "mailto" => contact.address().rsplit_once('@')?.1,
        "http" | "https" => {
            let rest = contact.address().trim_start_matches('/');
            let authority = rest.split(['/', '?', '#']).next()?;
            authority.rsplit_once('@').map_or(authority, |(_, host)| host).split(':').next()?
        }
        _ => return None,
    };
    Some(domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_compared_whole_and_however_it_is_written() {
        let domains = ["Example.org", "bücher.example"].map(str::to_owned);
        let domains = HandOverDomains::new(&domains).unwrap();
        for (contact, allowed) in [
            ("jo@example.org", true),
            ("jo@EXAMPLE.ORG", true),
            ("jo@xn--bcher-kva.example", true),
            ("https://example.org/hook", true),
            ("https://user@example.org:8443/hook", true),
            ("slack:ops", true),
            ("jo@mail.example.org", false),
            ("jo@badexample.org", false),
            ("jo@example.org.evil.example", false),
            ("https://evil.example/example.org", false),
            ("https://example.org@evil.example/", false),
        ] {
            let contact = Contact::new(contact).unwrap();
            assert_eq!(domains.allow(&contact), allowed, "{contact}");
            assert!(HandOverDomains::default().allow(&contact), "{contact}");
        }
        let refused = HandOverDomains::new(&["example.org".into(), "a b".into(), "x@y.org".into()]);
        let refused = refused.unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        assert_eq!(fields, ["hand-over-domains[1]", "hand-over-domains[2]"]);
    }
}
