//! Translates notifications of Nagios and Icinga: a form that their notification commands send with curl.
//!
//! The format is our own. Its fields are filled with the macros of Nagios (`$NOTIFICATIONTYPE$` and so on) or Icinga 2,
//! whose documentation describes them. Definitions to paste are in `docs/intake/`.

use chrono::SubsecRound;
use inresponse_core::InvalidInput;
use serde_json::Value;

use crate::form::Fields;
use crate::trouble::Repairs;
use crate::{Context, Covers, Recovery, Remark, Signal, Subject, Translated, Trouble, key, time};

/// Translates a notification in `application/x-www-form-urlencoded`.
///
/// | field | holds |
/// |---|---|
/// | `type` | `PROBLEM`, `RECOVERY`, `ACKNOWLEDGEMENT`; other types are ignored |
/// | `host` | the host's name |
/// | `check` | the name of the check (Nagios' service description); absent for checks of the host itself |
/// | `state` | `OK`, `UP`, `WARNING`, `CRITICAL`, `UNKNOWN`, `DOWN`, `UNREACHABLE` |
/// | `output`, `long_output` | the output of the check |
/// | `since` | the time when the state began, in Unix seconds |
/// | `author`, `comment` | the author and the text of an acknowledgement |
/// | `url` | a page with details |
/// | `label.NAME` | any label |
///
/// # Errors
/// The type or the host of the notification is missing.
pub fn notification(body: &[u8], context: &Context<'_>) -> Translated {
    let fields = Form(Fields::read(body));
    let mut repairs = Repairs::default();
    if fields.0.left_out > 0 {
        repairs.note(format!("{} fields were left out", fields.0.left_out));
    }
    let mut invalid = InvalidInput::default();
    let kind = fields.get("type").map(|kind| kind.trim().to_ascii_uppercase());
    let host = fields.get("host");
    for (name, given) in [("type", kind.as_deref()), ("host", host)] {
        if given.is_none() {
            invalid.push(name, "is missing");
        }
    }
    let (Some(kind), Some(host)) = (kind, host) else { return Err(invalid) };
    // Nagios writes "never" as zero. Only Icinga 2 sends fractions.
    let since = fields.get("since").filter(|since| *since != "0").map(Value::from);
    let since = time::read("since", since.as_ref(), &mut repairs).at().map(|at| at.trunc_subsecs(0));

    let check = fields.get("check");
    let key = match check {
        Some(check) => key::of_parts(&[host, check]),
        None => key::of_parts(&[host]),
    };
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
                .labels(fields.leading_labels(context))
                .label("host", host)
                .began(since)
                .repaired(repairs);
            if let Some(check) = check {
                trouble = trouble.label("check", check);
            }
            trouble = fields
                .labels()
                .into_iter()
                .fold(trouble, |trouble, (name, value)| trouble.detail(name, value));
            trouble = trouble.link("Monitoring", fields.get("url").unwrap_or_default());
            Ok(Signal::Report(Box::new(trouble)))
        }
        "RECOVERY" | "OK" | "UP" => {
            // The problem ended when the state changed, not when the notification was sent: it may have returned in
            // between.
            let covers = since.map_or(Covers::None, Covers::Until);
            let note = repairs.into_note("");
            Ok(Signal::Recovery(Recovery {
                ended_at: since,
                covers,
                note,
                ..Recovery::untimed(service, subject)
            }))
        }
        "ACKNOWLEDGEMENT" => {
            let by = fields.get("author").and_then(key::person);
            let note = repairs.into_note(fields.get("comment").unwrap_or_default());
            Ok(Signal::Acknowledgement(Remark { service, subject, by, note }))
        }
        _ => Ok(Signal::Nothing("notifications of that type are ignored")),
    }
}

/// The form's fields.
struct Form(Fields);

impl Form {
    /// A field of the form that is not blank. A macro that Nagios does not know is left as it is written, or becomes
    /// `$`; such a field counts as blank.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim();
        let unknown_macro = value.starts_with('$') && (value.len() == 1 || value.ends_with('$'));
        (!value.is_empty() && !unknown_macro).then_some(value)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.get(&format!("label.{name}"))
    }

    /// The labels that the rule reads for service and severity.
    fn leading_labels<'a>(&'a self, context: &'a Context<'_>) -> Vec<(&'a str, &'a str)> {
        context.rule.leading_labels().filter_map(|name| Some((name, self.label(name)?))).collect()
    }

    fn labels(&self) -> Vec<(&str, &str)> {
        let names = self.0.names().filter(|name| name.starts_with("label."));
        names.filter_map(|name| Some((name.strip_prefix("label.")?, self.get(name)?))).collect()
    }
}
