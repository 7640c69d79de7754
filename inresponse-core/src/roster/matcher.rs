//! Matchers: which incidents a silence matches.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::error::InvalidInput;

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MatchOp {
    /// The value is the same.
    #[serde(rename = "=")]
    Equal,
    /// The value is another one.
    #[serde(rename = "!=")]
    NotEqual,
    /// The whole value matches a regular expression.
    #[serde(rename = "=~")]
    Like,
    /// The whole value does not match a regular expression.
    #[serde(rename = "!~")]
    NotLike,
}

impl MatchOp {
    /// All four. An operator that begins like another one comes before it.
    const ALL: [Self; 4] = [Self::NotEqual, Self::NotLike, Self::Like, Self::Equal];

    /// The operator as Alertmanager writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Like => "=~",
            Self::NotLike => "!~",
        }
    }

    /// Whether the value is a regular expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Like | Self::NotLike)
    }

    /// Whether a value must match, not differ.
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Like)
    }
}

/// A condition on a label, as in Alertmanager.
///
/// The names `service`, `team` and `severity` mean the incident's field or a label of that name. A label that is
/// missing is like an empty one.
///
/// ```
/// use inresponse_core::roster::Matcher;
/// let matcher: Matcher = r#"instance=~"db-.*""#.parse()?;
/// assert_eq!(matcher.to_string(), r#"instance=~"db-.*""#);
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    op: MatchOp,
    value: String,
}

impl TryFrom<Stored> for Matcher {
    type Error = InvalidInput;

    fn try_from(Stored { name, op, value }: Stored) -> Result<Self, InvalidInput> {
        Self::new(&name, op, &value)
    }
}

impl From<Matcher> for Stored {
    fn from(Matcher { name, op, value, .. }: Matcher) -> Self {
        Self { name, op, value }
    }
}

impl Matcher {
    /// The maximum length of a name, in bytes.
    pub const MAX_NAME_BYTES: usize = 128;
    /// The maximum length of a value or regular expression, in bytes.
    pub const MAX_VALUE_BYTES: usize = 1_000;
    /// The maximum size of a compiled regular expression, in bytes.
    const MAX_COMPILED: usize = 256 * 1024;

    /// A matcher for the label of that name.
    ///
    /// # Errors
    /// The name is empty or too long, the value is too long, or it is not a regular expression, or too large as one.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, InvalidInput> {
        let name = crate::model::title("name", name, Self::MAX_NAME_BYTES)?;
        if value.len() > Self::MAX_VALUE_BYTES {
            let most = Self::MAX_VALUE_BYTES;
            return Err(InvalidInput::field("value", format!("must be at most {most} bytes")));
        }
        let regex = op.is_regex().then(|| compile(value)).transpose()?;
        Ok(Self { name, op, value: value.to_owned(), regex })
    }

    /// The name of the label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or the regular expression.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether an incident fulfils the condition.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let label = subject.labels.get(&self.name).map_or("", String::as_str);
        let field = match self.name.as_str() {
            "service" => Some(subject.service.as_str()),
            "team" => Some(subject.team.as_str()),
            "severity" => Some(subject.severity.as_str()),
            _ => None,
        };
        let label = Some(label).filter(|label| field.is_none() || !label.is_empty());
        field.into_iter().chain(label).any(|value| self.is_met(value)) == self.op.is_equal()
    }

    /// Whether a value fulfils the condition.
    pub fn accepts(&self, value: &str) -> bool {
        self.is_met(value) == self.op.is_equal()
    }

    /// Whether an empty value, as of a missing label, fulfils the condition.
    pub(super) fn matches_empty(&self) -> bool {
        self.accepts("")
    }

    fn is_met(&self, value: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(value),
            None => value == self.value,
        }
    }
}

/// Compiles an anchored regular expression, which runs in linear time.
fn compile(text: &str) -> Result<Regex, InvalidInput> {
    let build = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        let builder = builder.size_limit(Matcher::MAX_COMPILED).dfa_size_limit(Matcher::MAX_COMPILED);
        builder.nest_limit(50).build()
    };
    // Alone first: otherwise `a)(b` would be valid within the anchors.
    build(text).and_then(|_| build(&format!("^(?s:{text})$"))).map_err(|error| {
        let message = match error {
            regex::Error::CompiledTooBig(_) => "is too large a regular expression",
            _ => "must be a regular expression",
        };
        InvalidInput::field("value", message)
    })
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

/// As Alertmanager writes it.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        write!(f, "{}{}\"{value}\"", self.name, self.op.as_str())
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As Alertmanager reads it: the quotes may be left out.
impl FromStr for Matcher {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let malformed = || InvalidInput::field("matchers", r#"must be like name="value""#);
        let text = text.trim();
        let at = text.find(['=', '!']).ok_or_else(malformed)?;
        let (name, rest) = text.split_at(at);
        let op = MatchOp::ALL.into_iter().find(|op| rest.starts_with(op.as_str())).ok_or_else(malformed)?;
        let value = rest[op.as_str().len()..].trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or_else(malformed)?,
            None => value.to_owned(),
        };
        Self::new(name, op, &value)
    }
}

/// The text before the closing quote, which must be the last character.
fn unquoted(text: &str) -> Option<String> {
    let (mut value, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(value),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                c @ ('"' | '\\') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{ServiceName, Severity, TeamName};

    fn matches(matcher: &str, labels: &[(&str, &str)]) -> bool {
        let (service, team) = (ServiceName::new("checkout").unwrap(), TeamName::new("web").unwrap());
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let severity = Severity::Warn;
        matcher.parse::<Matcher>().unwrap().matches(&Subject {
            service: &service,
            team: &team,
            severity,
            labels: &labels,
        })
    }

    #[test]
    fn p21_a_matcher_compares_as_alertmanager_does() {
        let labels = &[("env", "prod"), ("instance", "db-1"), ("note", "two\nlines")];
        let cases = [
            ("env=prod", true),
            ("env=\"prod\"", true),
            ("env=pro", false),
            ("env!=prod", false),
            ("env!=test", true),
            ("env=~pro.", true),
            // Anchored at both ends.
            ("env=~ro", false),
            ("env=~prod|test", true),
            ("env=~test|pro", false),
            ("env!~pro.", false),
            ("env!~ro", true),
            // A missing label is an empty one.
            ("missing=", true),
            ("missing=\"\"", true),
            ("missing!=x", true),
            ("missing=~.+", false),
            ("missing!~.+", true),
            ("note=~two.lines", true),
            // Fields.
            ("service=checkout", true),
            ("service!=checkout", false),
            ("service=~check.*", true),
            ("service=", false),
            ("service!=", true),
            ("team=web", true),
            ("team=db", false),
            ("severity=WARN", true),
            ("severity=warn", false),
        ];
        for (matcher, expected) in cases {
            assert_eq!(matches(matcher, labels), expected, "{matcher}");
        }
    }

    #[test]
    fn p21_a_name_of_a_field_means_the_field_or_the_label() {
        let labels = &[("service", "api"), ("severity", "critical")];
        let cases = [
            ("service=checkout", true),
            ("service=api", true),
            ("service=other", false),
            ("service!=checkout", false),
            ("service!=api", false),
            ("service!=other", true),
            ("service=~a.*", true),
            ("severity=critical", true),
            ("severity=WARN", true),
            ("severity!~crit.*", false),
        ];
        for (matcher, expected) in cases {
            assert_eq!(matches(matcher, labels), expected, "{matcher}");
        }
    }

    #[test]
    fn p16_a_malformed_or_too_large_matcher_is_refused() {
        let cases = [
            ("", "matchers"),
            ("env", "matchers"),
            ("=x", "name"),
            ("env=\"x", "matchers"),
            ("env=\"x\"y", "matchers"),
            ("env!x", "matchers"),
            ("env=~(", "value"),
            ("env=~a)(b", "value"),
            (r"env=~(\w{100}){100}", "value"),
        ];
        for (text, field) in cases {
            let refused = text.parse::<Matcher>().unwrap_err();
            assert_eq!(refused.errors()[0].field(), field, "{text}");
        }
        assert!(Matcher::new("x", MatchOp::Equal, &"x".repeat(1_001)).is_err());
        assert!(Matcher::new(&"x".repeat(129), MatchOp::Equal, "x").is_err());
    }

    #[test]
    fn a_matcher_is_read_as_it_is_written() {
        for value in ["x", "", "a\"b", r"a\d\\", "two\nlines", "=~", " x "] {
            for op in MatchOp::ALL {
                let Ok(matcher) = Matcher::new("env", op, value) else { continue };
                assert_eq!(matcher.to_string().parse::<Matcher>().unwrap(), matcher, "{matcher}");
                let stored = serde_json::to_string(&matcher).unwrap();
                assert_eq!(serde_json::from_str::<Matcher>(&stored).unwrap(), matcher);
            }
        }
    }
}
