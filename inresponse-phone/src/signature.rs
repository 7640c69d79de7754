//! The signature of a request from Twilio.
//!
//! `X-Twilio-Signature` is the base64 of an HMAC-SHA-1, with the auth token as the key, over the URL that Twilio was told
//! to call, followed by the name and the value of each POST parameter, sorted by their names (Twilio, "Webhooks
//! security"). Twilio's servers do not agree on whether the URL contains a default port, so its libraries accept both
//! forms; so does this module.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::AuthToken;

/// Whether Twilio signed a request to that URL with those parameters. The signature is compared in constant time.
pub(crate) fn holds(token: &AuthToken, url: &str, parameters: &[(String, String)], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.0.as_bytes());
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    sorted.dedup();
    let parameters: String = sorted.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    let signs = |url: &str| hmac::verify(&key, format!("{url}{parameters}").as_bytes(), &signature).is_ok();
    let [with_port, without_port] = forms(url);
    // Both are computed always, so that the time says nothing.
    signs(&with_port) | signs(&without_port)
}

/// A URL with its port and without.
fn forms(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else { return [url.to_owned(), url.to_owned()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let in_brackets = authority.rfind(']').unwrap_or(host_at);
    let colon = authority[in_brackets..].find(':').map(|at| in_brackets + at);
    match colon {
        Some(colon) => [url.to_owned(), format!("{scheme}://{}{path}", &authority[..colon])],
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            [format!("{scheme}://{authority}:{port}{path}"), url.to_owned()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> AuthToken {
        AuthToken("12345".to_owned())
    }

    fn parameters() -> Vec<(String, String)> {
        [
            ("Digits", "1234"),
            ("CallSid", "CA1234567890ABCDE"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
            ("From", "+14158675309"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The example of Twilio's page.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    #[test]
    fn the_example_of_twilio_holds_and_every_change_of_it_does_not() {
        assert!(holds(&token(), URL, &parameters(), SIGNATURE));
        assert!(holds(&token(), "https://mycompany.com:443/myapp.php?foo=1&bar=2", &parameters(), SIGNATURE));
        for url in [
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            "https://mycompany.com/myapp.php?foo=1&bar=3",
            "https://mycompany.com:8443/other",
            "mycompany.com",
            "",
        ] {
            assert!(!holds(&token(), url, &parameters(), SIGNATURE), "{url}");
        }
        for i in 0..parameters().len() {
            let mut changed = parameters();
            changed[i].1.push('0');
            assert!(!holds(&token(), URL, &changed, SIGNATURE));
            changed.remove(i);
            assert!(!holds(&token(), URL, &changed, SIGNATURE));
        }
        assert!(!holds(&AuthToken("12346".to_owned()), URL, &parameters(), SIGNATURE));
        for signature in ["", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "é", "AAAA"] {
            assert!(!holds(&token(), URL, &parameters(), signature), "{signature}");
        }
    }

    #[test]
    fn the_port_is_read_where_it_is() {
        for (url, with, without) in [
            ("https://a.b/c:d", "https://a.b:443/c:d", "https://a.b/c:d"),
            ("http://a.b:8080?x", "http://a.b:8080?x", "http://a.b?x"),
            ("http://a.b", "http://a.b:80", "http://a.b"),
            ("https://[::1]/x", "https://[::1]:443/x", "https://[::1]/x"),
            ("https://[::1]:5/x", "https://[::1]:5/x", "https://[::1]/x"),
        ] {
            assert_eq!(forms(url), [with, without], "{url}");
        }
    }
}
