//! Matchers as Alertmanager writes them, and in the form of the HTTP API.

use inresponse_client::Matcher;
use inresponse_core::roster;

/// A matcher in the form of a request.
pub(crate) fn matcher(matcher: &roster::Matcher) -> Matcher {
    Matcher {
        name: matcher.name().to_owned(),
        value: matcher.value().to_owned(),
        is_regex: matcher.op().is_regex(),
        is_equal: matcher.op().is_equal(),
    }
}

/// A matcher as Alertmanager writes it.
pub(crate) fn matcher_text(matcher: &Matcher) -> String {
    let op = match (matcher.is_regex, matcher.is_equal) {
        (false, true) => "=",
        (false, false) => "!=",
        (true, true) => "=~",
        (true, false) => "!~",
    };
    format!("{}{op}{:?}", matcher.name, matcher.value)
}
