//! The form of a person, and its conversion into a request.

use std::collections::BTreeMap;

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{PersonId, Zone};
use inresponse_core::roster::Profile;

use super::form::Fields;
use super::schedule_form::lines;
use crate::caller::Addresses;
use crate::wire::people::person;

/// The texts of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// The id by which others name the person.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) timezone: String,
    /// One method on each line: `mail: jo@example.org`.
    pub(super) methods: String,
    /// One step on each line: `CRIT 180 call, mail`.
    pub(super) rules: String,
    /// One absence on each line: `2026-12-24 to 2026-12-27`.
    pub(super) absences: String,
    /// Whether the person is also notified a day before a shift begins.
    pub(super) day_ahead: bool,
    /// Whether the person gets status updates: `on`, `off`, or empty if the deployment decides.
    pub(super) status_updates: String,
    /// Whether each method gets a test message once a week.
    pub(super) weekly_test: bool,
}

impl Form {
    pub(super) fn new(zone: &Zone) -> Self {
        Self { timezone: zone.name().to_owned(), methods: "mail: ".to_owned(), ..Self::default() }
    }

    /// Reads the form that a browser sent.
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name);
        Self {
            id: text("person"),
            name: text("name"),
            timezone: text("timezone"),
            methods: text("methods"),
            rules: text("rules"),
            absences: text("absences"),
            day_ahead: text("day-ahead") == "on",
            status_updates: text("status-updates"),
            weekly_test: text("weekly-test") == "on",
        }
    }

    /// The form with the current values of a person.
    pub(super) fn of(id: &PersonId, profile: &Profile, addresses: Addresses) -> Self {
        let shown = person(id, profile, addresses);
        let methods: Vec<String> =
            shown.methods.iter().map(|(name, contact)| format!("{name}: {contact}")).collect();
        let steps = shown.rules.iter().flat_map(|(rule, steps)| {
            steps.iter().map(move |step| format!("{rule} {} {}", step.after_seconds, step.methods.join(", ")))
        });
        let absences: Vec<String> =
            shown.absences.iter().map(|absence| format!("{} to {}", absence.from, absence.to)).collect();
        Self {
            id: shown.person,
            name: profile.name().unwrap_or_default().to_owned(),
            timezone: shown.timezone,
            methods: methods.join("\n"),
            rules: steps.collect::<Vec<_>>().join("\n"),
            absences: absences.join("\n"),
            day_ahead: shown.day_ahead_notice,
            status_updates: shown.status_updates.map(|choice| choice.to_string()).unwrap_or_default(),
            weekly_test: shown.weekly_test,
        }
    }

    /// The body of the request that the API would get for this form.
    pub(super) fn entry(&self) -> Result<api::PersonEntry, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let mut methods = BTreeMap::new();
        for line in lines(&self.methods) {
            let (name, contact) = line.split_once(':').unwrap_or((line, ""));
            if methods.insert(name.trim().to_owned(), contact.trim().to_owned()).is_some() {
                invalid.push(format!("methods.{}", name.trim()), "is given twice");
            }
        }
        let mut rules: BTreeMap<String, Vec<api::RuleStep>> = BTreeMap::new();
        for (i, line) in lines(&self.rules).enumerate() {
            match step(line) {
                Some((rule, step)) => rules.entry(rule).or_default().push(step),
                None => invalid.push(format!("rules[{i}]"), "must be like `CRIT 180 call, mail`"),
            }
        }
        let mut absences = Vec::new();
        for (i, line) in lines(&self.absences).enumerate() {
            match line.split_once(" to ") {
                Some((from, to)) => {
                    absences.push(api::Absence { from: from.trim().to_owned(), to: to.trim().to_owned() });
                }
                None => invalid.push(format!("absences[{i}]"), "must be like `2026-12-24 to 2026-12-27`"),
            }
        }
        let entry = api::PersonEntry {
            // An edit by hand removes the owner: the entry no longer belongs to a file.
            owner: None,
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            timezone: Some(self.timezone.clone()),
            methods: Some(methods),
            rules: Some(rules),
            absences: Some(absences),
            day_ahead_notice: Some(self.day_ahead),
            status_updates: Some(self.status_updates.as_str()).filter(|s| !s.is_empty()).map(Into::into),
            weekly_test: Some(self.weekly_test),
        };
        if invalid.is_empty() { Ok(entry) } else { Err(invalid) }
    }
}

/// One step of a rule: the severity or `default`, the seconds, the methods.
fn step(line: &str) -> Option<(String, api::RuleStep)> {
    let mut parts = line.splitn(3, char::is_whitespace);
    let (rule, after, methods) = (parts.next()?, parts.next()?, parts.next()?);
    let methods = methods.split(',').map(|method| method.trim().to_owned()).collect();
    Some((rule.to_owned(), api::RuleStep { after_seconds: after.parse().ok()?, methods }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_of_a_person_is_what_is_shown_again() {
        let form = Form {
            id: "jo".to_owned(),
            name: "Jo Doe".to_owned(),
            timezone: "Europe/Athens".to_owned(),
            methods: "call: tel:+302101234567\nmail: jo@example.org".to_owned(),
            rules: "CRIT 0 mail\nCRIT 180 call, mail".to_owned(),
            absences: "2026-12-24T00:00 to 2026-12-27T09:00".to_owned(),
            day_ahead: true,
            status_updates: "off".to_owned(),
            weekly_test: true,
        };
        let (profile, _) = crate::wire::people::profile(form.entry().unwrap()).unwrap();
        assert_eq!(Form::of(&PersonId::new("jo").unwrap(), &profile, Addresses::Whole), form);
        let masked = Form::of(&PersonId::new("jo").unwrap(), &profile, Addresses::Masked);
        assert!(!masked.methods.contains("jo@example.org"), "{masked:?}");
    }

    #[test]
    fn p16_a_line_that_is_not_understood_is_named() {
        let form = Form {
            methods: "mail: a@b.c\nmail: d@e.f".to_owned(),
            rules: "CRIT 0 mail\nCRIT soon mail\nCRIT".to_owned(),
            absences: "2026-12-24".to_owned(),
            ..Form::default()
        };
        let refused = form.entry().unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|error| error.field()).collect();
        assert_eq!(fields, ["methods.mail", "rules[1]", "rules[2]", "absences[0]"]);
    }
}
