//! Nagios and Icinga: a form that their notification commands send with curl.
//!
//! The protocol is our own; its fields are filled with the macros of Nagios (`$NOTIFICATIONTYPE$` and so on) or
//! Icinga 2, whose documentation says what they hold. Definitions to paste are in `docs/intake/`.

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Person};

use crate::{Acknowledgement, Context, Covers, Recovery, Signal, Subject, Translated, Trouble, text};

/// Translates a notification in `application/x-www-form-urlencoded`.
///
/// | field | holds |
/// |---|---|
/// | `type` | `PROBLEM`, `RECOVERY`, `ACKNOWLEDGEMENT`; of other types nothing is done |
/// | `host` | the host's name |
/// | `check` | the name of the check (Nagios' service description); none for checks of the host itself |
/// | `state` | `OK`, `UP`, `WARNING`, `CRITICAL`, `UNKNOWN`, `DOWN`, `UNREACHABLE` |
/// | `output`, `long_output` | what the check said |
/// | `since` | since when it is in that state, in Unix seconds |
/// | `author`, `comment` | of an acknowledgement |
/// | `url` | where to look |
/// | `label.NAME` | any label |
///
/// # Errors
/// A field that is missing or does not hold.
pub fn notification(body: &[u8], context: &Context<'_>) -> Translated {
    let fields = Fields::read(body)?;
    let mut invalid = InvalidInput::default();
    let kind = fields.get("type").map(|kind| kind.trim().to_ascii_uppercase());
    let host = fields.get("host");
    for (name, given) in [("type", kind.as_deref()), ("host", host)] {
        if given.is_none() {
            invalid.push(name, "is missing");
        }
    }
    let since = invalid.keep(seconds("since", fields.get("since"))).flatten();
    let (Some(kind), Some(host), true) = (kind, host, invalid.is_empty()) else { return Err(invalid) };

    let check = fields.get("check");
    let key = check.map_or_else(|| host.to_owned(), |check| format!("{host}/{check}"));
    let key = DedupKey::new(text::name(&key, DedupKey::MAX_BYTES))?;
    let service = context.rule.service(|name| fields.label(name), context.service);
    let subject = Subject::Key(key.clone());
    match kind.as_str() {
        "PROBLEM" => {
            let state = fields.get("state").unwrap_or("UNKNOWN");
            let told = context.rule.told_severity(|name| fields.label(name));
            let severity = told.or_else(|| context.rule.severity_word(state));
            let severity = severity.unwrap_or(context.rule.unknown_severity());
            let title = match check {
                Some(check) => format!("{check} on {host} is {state}"),
                None => format!("{host} is {state}"),
            };
            let mut trouble = Trouble::new(service, key, severity, "nagios")
                .title([title.as_str()])
                .paragraph(fields.get("output").unwrap_or_default())
                .paragraph(&fields.get("long_output").unwrap_or_default().replace("\\n", "\n"))
                .labels(fields.labels())
                .label("host", host)
                .began(since);
            if let Some(check) = check {
                trouble = trouble.label("check", check);
            }
            trouble = trouble.link("Monitoring", fields.get("url").unwrap_or_default());
            Ok(Signal::Report(Box::new(trouble)))
        }
        "RECOVERY" | "OK" | "UP" => {
            // It is over since the state changed, not since that was told: it may have come back in between.
            let covers = since.map_or(Covers::None, Covers::Until);
            Ok(Signal::Recovery(Recovery { service, subject, ended_at: since, covers, by: None }))
        }
        "ACKNOWLEDGEMENT" => {
            let by = fields.get("author").and_then(|author| Person::new(text::name(author, 100)).ok());
            Ok(Signal::Acknowledgement(Acknowledgement { service, subject, by }))
        }
        _ => Ok(Signal::Nothing("of notifications of that type nothing is done")),
    }
}

fn seconds(field: &'static str, given: Option<&str>) -> Result<Option<DateTime<Utc>>, InvalidInput> {
    // Zero is how Nagios writes "never".
    let Some(text) = given.map(str::trim).filter(|text| *text != "0") else { return Ok(None) };
    // Icinga 2 tells fractions too.
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = Some(whole).filter(|_| fraction.bytes().all(|b| b.is_ascii_digit()));
    let at =
        whole.and_then(|whole| whole.parse::<i64>().ok()).filter(|at| (0..=253_402_300_799).contains(at));
    let at = at.and_then(|at| DateTime::from_timestamp(at, 0));
    at.map(Some).ok_or_else(|| InvalidInput::field(field, "must be Unix seconds"))
}

/// The form's fields.
struct Fields(Vec<(String, String)>);

impl Fields {
    /// The most fields of a notification.
    const MAX: usize = 256;

    fn read(body: &[u8]) -> Result<Self, InvalidInput> {
        let fields: Vec<_> = form_urlencoded::parse(body).into_owned().take(Self::MAX + 1).collect();
        if fields.len() > Self::MAX {
            return Err(InvalidInput::field("body", format!("must have at most {} fields", Self::MAX)));
        }
        Ok(Self(fields))
    }

    /// A field that is not blank. A macro that Nagios does not know stays as it is written, or is `$`.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.trim())?;
        let unknown_macro = value.starts_with('$') && (value.len() == 1 || value.ends_with('$'));
        (!value.is_empty() && !unknown_macro).then_some(value)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.get(&format!("label.{name}"))
    }

    fn labels(&self) -> Vec<(&str, &str)> {
        let label = |(name, _): &'_ &(String, String)| name.starts_with("label.");
        let names = self.0.iter().filter(label).map(|(name, _)| name.as_str());
        names.filter_map(|name| Some((name.strip_prefix("label.")?, self.get(name)?))).collect()
    }
}
