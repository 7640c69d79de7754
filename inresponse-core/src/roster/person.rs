//! A person's entry: how they are reached, and when they are away.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::error::InvalidInput;
use crate::model::{Contact, MethodName, OwnerName, Scheme, Severity, StatusUpdates, Zone};

/// A person of the roster: their display name, time zone, methods, rules and absences.
///
/// The id by which others name the person is the entry's [key](super::EntryKey::Person).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    timezone: Zone,
    methods: BTreeMap<MethodName, Contact>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rules: BTreeMap<RuleFor, Vec<RuleStep>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absences: Vec<Absence>,
    #[serde(default, skip_serializing_if = "DayAhead::is_default")]
    day_ahead_notice: DayAhead,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "on_or_off")]
    status_updates: Option<StatusUpdates>,
    #[serde(default, skip_serializing_if = "WeeklyTest::is_default")]
    weekly_test: WeeklyTest,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    stopped: BTreeMap<MethodName, DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    verified: BTreeMap<MethodName, DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

/// Whether a person is also notified a day before a shift begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum DayAhead {
    /// The person is told only when the shift begins.
    #[default]
    NotAsked,
    /// The person asked for it.
    Asked,
}

impl DayAhead {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<bool> for DayAhead {
    fn from(asked: bool) -> Self {
        if asked { Self::Asked } else { Self::NotAsked }
    }
}

impl From<DayAhead> for bool {
    fn from(notice: DayAhead) -> Self {
        notice == DayAhead::Asked
    }
}

/// Whether each method of a person gets a test message once a week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum WeeklyTest {
    /// The person's methods are tested only by hand.
    #[default]
    NotAsked,
    /// The person asked for it.
    Asked,
}

impl WeeklyTest {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<bool> for WeeklyTest {
    fn from(asked: bool) -> Self {
        if asked { Self::Asked } else { Self::NotAsked }
    }
}

impl From<WeeklyTest> for bool {
    fn from(test: WeeklyTest) -> Self {
        test == WeeklyTest::Asked
    }
}

/// The incidents that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RuleFor {
    /// Incidents of this severity.
    Severity(Severity),
    /// Incidents of every severity that has no rule of its own.
    Default,
}

/// One step of a rule: after this time, these methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleStep {
    /// How long after the level began.
    #[serde(rename = "afterSeconds", with = "whole_seconds")]
    pub after: Duration,
    /// The methods that are alerted then.
    pub methods: Vec<MethodName>,
}

/// A time in which a person is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// When the absence begins.
    pub from: Moment,
    /// When the absence ends.
    pub to: Moment,
}

impl Absence {
    /// The instants of the absence, in the person's zone.
    pub fn span(&self, zone: &Zone) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from.begins(zone), self.to.ends(zone))
    }
}

impl Profile {
    /// The maximum length of a display name, in bytes.
    pub const MAX_NAME_BYTES: usize = 200;
    /// The maximum number of methods.
    pub const MAX_METHODS: usize = 10;
    /// The maximum number of steps of one rule.
    pub const MAX_STEPS: usize = 10;
    /// The maximum time between a level's beginning and a step.
    pub const MAX_AFTER: Duration = Duration::from_secs(24 * 3600);
    /// The maximum number of absences.
    pub const MAX_ABSENCES: usize = 100;

    /// A person with these methods, in UTC, without rules and absences.
    pub fn builder(methods: BTreeMap<MethodName, Contact>) -> ProfileBuilder {
        let profile = Self {
            name: None,
            timezone: Zone::utc(),
            methods,
            rules: BTreeMap::new(),
            absences: Vec::new(),
            day_ahead_notice: DayAhead::NotAsked,
            status_updates: None,
            weekly_test: WeeklyTest::NotAsked,
            stopped: BTreeMap::new(),
            verified: BTreeMap::new(),
            owner: None,
        };
        ProfileBuilder { profile }
    }

    /// The display name, if it differs from the id.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The person's time zone.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// The person's methods.
    pub fn methods(&self) -> &BTreeMap<MethodName, Contact> {
        &self.methods
    }

    /// The methods by which the person is alerted: all but those that they have stopped.
    pub fn open_methods(&self) -> impl Iterator<Item = (&MethodName, &Contact)> {
        self.methods.iter().filter(|(name, _)| !self.stopped.contains_key(*name))
    }

    /// Since when the person has stopped messages by a method, for example with the reply STOP.
    pub fn stopped(&self) -> &BTreeMap<MethodName, DateTime<Utc>> {
        &self.stopped
    }

    /// The same person, who stopped messages to `contact` at `at`; `None`: who wants them again.
    #[must_use]
    pub fn stopping(mut self, contact: &Contact, at: Option<DateTime<Utc>>) -> Self {
        for name in self.methods.iter().filter(|(_, c)| *c == contact).map(|(name, _)| name) {
            match at {
                Some(at) => _ = self.stopped.entry(name.clone()).or_insert(at),
                None => _ = self.stopped.remove(name),
            }
        }
        self
    }

    /// When the person verified the phone number of a method, with a code that was sent to it.
    pub fn verified(&self) -> &BTreeMap<MethodName, DateTime<Utc>> {
        &self.verified
    }

    /// The same person, who verified a method at `at`, if it still has that contact.
    #[must_use]
    pub fn verifying(mut self, method: &MethodName, contact: &Contact, at: DateTime<Utc>) -> Self {
        if self.methods.get(method) == Some(contact) {
            self.verified.insert(method.clone(), at);
        }
        self
    }

    /// The methods that have a phone number that the person has not verified.
    pub fn unverified(&self) -> impl Iterator<Item = (&MethodName, &Contact)> {
        let is_phone = |contact: &Contact| matches!(contact.scheme(), "sms" | "tel");
        self.methods.iter().filter(move |(name, c)| is_phone(c) && !self.verified.contains_key(*name))
    }

    /// Where the person's rules use a phone number that the person has not verified, and that the rules of `was` do not use
    /// already: the field and the method.
    pub fn uses_unverified(&self, was: Option<&Self>) -> Option<(String, MethodName)> {
        let mut unverified = self.unverified().map(|(name, _)| name);
        unverified.find_map(|name| {
            let field = self.field_using(name)?;
            let is_old = was.is_some_and(|was| {
                was.methods.get(name) == self.methods.get(name) && was.field_using(name).is_some()
            });
            (!is_old).then(|| (field, name.clone()))
        })
    }

    /// The field by which a method is alerted: a rule that names it, or the method itself if a severity has no rule.
    fn field_using(&self, method: &MethodName) -> Option<String> {
        let by_rule = self.rules.iter().find_map(|(name, steps)| {
            let place = steps.iter().position(|step| step.methods.contains(method))?;
            Some(format!("rules.{name}[{place}].methods"))
        });
        let has_rule = |severity: &Severity| self.rules.contains_key(&RuleFor::Severity(*severity));
        let all_have_rules = self.rules.contains_key(&RuleFor::Default) || Severity::ALL.iter().all(has_rule);
        by_rule.or_else(|| (!all_have_rules).then(|| format!("methods.{method}")))
    }

    /// The same person, with what they stopped and verified before, if the method still has the same contact.
    #[must_use]
    pub fn marked_as(mut self, was: &Self) -> Self {
        let kept = |marks: &BTreeMap<MethodName, DateTime<Utc>>| {
            let is_same = |name: &MethodName| {
                self.methods.get(name).is_some_and(|contact| was.methods.get(name) == Some(contact))
            };
            let marks = marks.iter().filter(|(name, _)| is_same(name));
            marks.map(|(name, at)| (name.clone(), *at)).collect()
        };
        (self.stopped, self.verified) = (kept(&was.stopped), kept(&was.verified));
        self
    }

    /// The person's rules.
    pub fn rules(&self) -> &BTreeMap<RuleFor, Vec<RuleStep>> {
        &self.rules
    }

    /// The person's absences.
    pub fn absences(&self) -> &[Absence] {
        &self.absences
    }

    /// Whether the person is also notified a day before a shift begins.
    pub fn day_ahead_notice(&self) -> DayAhead {
        self.day_ahead_notice
    }

    /// Whether the person gets status updates about incidents of which they were alerted; `None` if they have not chosen,
    /// so that the deployment decides.
    pub fn status_updates(&self) -> Option<StatusUpdates> {
        self.status_updates
    }

    /// Whether each of the person's methods gets a test message once a week.
    pub fn weekly_test(&self) -> WeeklyTest {
        self.weekly_test
    }

    /// The person's first method that is a mail address, in the order of the methods' names.
    pub fn mail(&self) -> Option<&Contact> {
        self.methods.values().find(|contact| contact.scheme() == Scheme::mailto().as_str())
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same person with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }

    /// The same person with a further method. An edit by hand removes the owner, so this does.
    ///
    /// # Errors
    /// There are too many methods.
    pub fn with_method(mut self, name: MethodName, contact: Contact) -> Result<Self, InvalidInput> {
        self.methods.insert(name, contact);
        self.owner = None;
        ProfileBuilder { profile: self }.build()
    }

    /// Whether the person is away at `at`.
    pub fn is_away(&self, at: DateTime<Utc>) -> bool {
        let spans = self.absences.iter().map(|absence| absence.span(&self.timezone));
        spans.into_iter().any(|(from, to)| from <= at && at < to)
    }
}

/// Collects a [`Profile`]; [`build`](Self::build) checks it.
#[derive(Debug, Clone)]
pub struct ProfileBuilder {
    profile: Profile,
}

impl ProfileBuilder {
    /// The display name (default: the id).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.profile.name = Some(name.into().trim().to_owned());
        self
    }

    /// The person's time zone (default: UTC).
    #[must_use]
    pub fn timezone(mut self, zone: Zone) -> Self {
        self.profile.timezone = zone;
        self
    }

    /// A rule (default: all methods at once).
    #[must_use]
    pub fn rule(mut self, for_: RuleFor, steps: Vec<RuleStep>) -> Self {
        self.profile.rules.insert(for_, steps);
        self
    }

    /// An absence.
    #[must_use]
    pub fn absence(mut self, absence: Absence) -> Self {
        self.profile.absences.push(absence);
        self
    }

    /// Whether the person is also notified a day before a shift begins (default: no).
    #[must_use]
    pub fn day_ahead_notice(mut self, notice: DayAhead) -> Self {
        self.profile.day_ahead_notice = notice;
        self
    }

    /// Whether the person gets status updates (default: the deployment decides).
    #[must_use]
    pub fn status_updates(mut self, choice: StatusUpdates) -> Self {
        self.profile.status_updates = Some(choice);
        self
    }

    /// Whether each of the person's methods gets a test message once a week (default: no).
    #[must_use]
    pub fn weekly_test(mut self, test: WeeklyTest) -> Self {
        self.profile.weekly_test = test;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire.
    pub fn build(self) -> Result<Profile, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let profile = self.profile;
        if let Some(name) = &profile.name {
            invalid.keep(crate::model::title("name", name, Profile::MAX_NAME_BYTES));
        }
        if profile.methods.len() > Profile::MAX_METHODS {
            invalid.push("methods", format!("must be at most {}", Profile::MAX_METHODS));
        }
        if profile.absences.len() > Profile::MAX_ABSENCES {
            invalid.push("absences", format!("must be at most {}", Profile::MAX_ABSENCES));
        }
        for (i, absence) in profile.absences.iter().enumerate() {
            let (from, to) = absence.span(&profile.timezone);
            if from >= to {
                invalid.push(format!("absences[{i}].to"), "must be after `from`");
            }
        }
        for (name, steps) in &profile.rules {
            check_rule(&profile, &format!("rules.{name}"), steps, &mut invalid);
        }
        if invalid.is_empty() { Ok(profile) } else { Err(invalid) }
    }
}

fn check_rule(profile: &Profile, field: &str, steps: &[RuleStep], invalid: &mut InvalidInput) {
    if steps.len() > Profile::MAX_STEPS {
        invalid.push(field.to_owned(), format!("must be at most {} steps", Profile::MAX_STEPS));
        return;
    }
    if !steps.iter().any(|step| step.after.is_zero() && !step.methods.is_empty()) {
        invalid.push(field.to_owned(), "must have a step with `afterSeconds` 0 that names a method");
    }
    for (i, step) in steps.iter().enumerate() {
        if step.after > Profile::MAX_AFTER {
            let most = Profile::MAX_AFTER.as_secs();
            invalid.push(format!("{field}[{i}].afterSeconds"), format!("must be at most {most}"));
        }
        for (n, method) in step.methods.iter().enumerate() {
            if !profile.methods.contains_key(method) {
                let message = format!("`{method}` is not one of the person's methods");
                invalid.push(format!("{field}[{i}].methods[{n}]"), message);
            }
        }
    }
}

impl TryFrom<String> for RuleFor {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        if text == "default" {
            return Ok(Self::Default);
        }
        let severity = text.parse().map_err(|_| {
            InvalidInput::field(format!("rules.{text}"), "must be CRIT, ERR, WARN or default")
        })?;
        Ok(Self::Severity(severity))
    }
}

impl From<RuleFor> for String {
    fn from(rule: RuleFor) -> Self {
        rule.to_string()
    }
}

impl std::fmt::Display for RuleFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Severity(severity) => severity.fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

mod on_or_off {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::StatusUpdates;

    pub(super) fn serialize<S: Serializer>(choice: &Option<StatusUpdates>, s: S) -> Result<S::Ok, S::Error> {
        let word = choice.map(|choice| match choice {
            StatusUpdates::On => "on",
            StatusUpdates::Off => "off",
        });
        word.serialize(s)
    }

    /// A word of a newer version counts as no choice.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<StatusUpdates>, D::Error> {
        let word = Option::<String>::deserialize(d)?;
        Ok(match word.as_deref() {
            Some("on") => Some(StatusUpdates::On),
            Some("off") => Some(StatusUpdates::Off),
            Some(_) | None => None,
        })
    }
}

mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(d.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(names: &[&str]) -> BTreeMap<MethodName, Contact> {
        let method = |name: &&str| (MethodName::new(name).unwrap(), Contact::new("jo@example.org").unwrap());
        names.iter().map(method).collect()
    }

    #[test]
    fn p16_a_person_names_every_invalid_field() {
        let step = |after, method: &str| RuleStep {
            after: Duration::from_secs(after),
            methods: vec![MethodName::new(method).unwrap()],
        };
        let away = |from: &str, to: &str| Absence { from: from.parse().unwrap(), to: to.parse().unwrap() };
        let refused = Profile::builder(methods(&["mail"]))
            .name("")
            .rule(RuleFor::Default, vec![step(60, "mail")])
            .rule(RuleFor::Severity(Severity::Crit), vec![step(0, "call"), step(100_000, "mail")])
            .absence(away("2026-12-24", "2026-12-27"))
            .absence(away("2026-12-24T10:00", "2026-12-24T10:00Z"))
            .build()
            .unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        let expected = [
            "name",
            "absences[1].to",
            "rules.CRIT[0].methods[0]",
            "rules.CRIT[1].afterSeconds",
            "rules.default",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_stopped_method_stays_stopped_until_it_is_started_or_has_another_contact() {
        let name = |name: &str| MethodName::new(name).unwrap();
        let contact = |text: &str| Contact::new(text).unwrap();
        let methods = |text: &str| {
            BTreeMap::from([(name("mail"), contact("jo@example.org")), (name("text"), contact(text))])
        };
        let made = |text: &str| Profile::builder(methods(text)).build().unwrap();
        let at: DateTime<Utc> = "2026-11-24T03:00:00Z".parse().unwrap();
        let (sms, later) = (contact("sms:+302101234567"), at + chrono::TimeDelta::hours(1));
        let stopped = made("sms:+302101234567").stopping(&sms, Some(at));
        let open: Vec<_> = stopped.open_methods().map(|(name, _)| name.as_str()).collect();
        assert_eq!(open, ["mail"]);
        assert_eq!(stopped.clone().stopping(&sms, Some(later)), stopped, "stopped once");
        assert_eq!(stopped.clone().stopping(&contact("sms:+3021"), Some(at)), stopped, "somebody else");
        let json = serde_json::to_string(&stopped).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), stopped);
        assert_eq!(made("sms:+302101234567").marked_as(&stopped), stopped, "written again");
        assert!(made("sms:+306971234567").marked_as(&stopped).stopped().is_empty(), "another number");
        assert_eq!(stopped.stopping(&sms, None), made("sms:+302101234567"), "started again");

        let text = name("text");
        let unverified = |profile: &Profile| profile.unverified().count();
        let verified = made("sms:+302101234567").verifying(&text, &sms, at);
        assert_eq!((unverified(&made("sms:+302101234567")), unverified(&verified)), (1, 0));
        assert_eq!(made("sms:+302101234567").marked_as(&verified), verified, "written again");
        assert_eq!(unverified(&made("sms:+306971234567").marked_as(&verified)), 1, "another number");
        assert_eq!(unverified(&made("sms:+306971234567").verifying(&text, &sms, at)), 1, "changed meanwhile");
    }

    #[test]
    fn a_rule_may_not_begin_to_use_a_number_that_is_not_verified() {
        let name = |name: &str| MethodName::new(name).unwrap();
        let contact = |text: &str| Contact::new(text).unwrap();
        let made = |number: &str, rules: &[(RuleFor, &[&str])]| {
            let methods = [(name("mail"), contact("jo@example.org")), (name("text"), contact(number))];
            let mut builder = Profile::builder(methods.into());
            for (rule, methods) in rules {
                let methods = methods.iter().map(|method| name(method)).collect();
                builder = builder.rule(*rule, vec![RuleStep { after: Duration::ZERO, methods }]);
            }
            builder.build().unwrap()
        };
        const NUMBER: &str = "sms:+302101234567";
        let warn = RuleFor::Severity(Severity::Warn);
        let without = made(NUMBER, &[(RuleFor::Default, &["mail"])]);
        let with = made(NUMBER, &[(RuleFor::Default, &["mail", "text"])]);
        let at: DateTime<Utc> = "2026-11-24T03:00:00Z".parse().unwrap();
        let verified = with.clone().verifying(&name("text"), &contact(NUMBER), at);
        let moved = made("sms:+306971234567", &[(RuleFor::Default, &["mail", "text"])]);
        // (what, person, who was there before, the field that is refused)
        let cases = [
            ("a rule leaves it out", &without, None, None),
            ("a rule names it", &with, None, Some("rules.default[0].methods")),
            ("without a rule, all methods are used", &made(NUMBER, &[]), None, Some("methods.text")),
            ("a severity has no rule", &made(NUMBER, &[(warn, &["mail"])]), None, Some("methods.text")),
            ("it is verified", &verified, None, None),
            ("it was used before", &with, Some(&with), None),
            ("it was there before, and not used", &with, Some(&without), Some("rules.default[0].methods")),
            ("another number", &moved, Some(&with), Some("rules.default[0].methods")),
        ];
        for (what, person, was, field) in cases {
            let refused = person.uses_unverified(was);
            assert_eq!(refused.as_ref().map(|(field, _)| field.as_str()), field, "{what}");
        }
    }

    #[test]
    fn a_person_survives_being_stored() {
        let profile = Profile::builder(methods(&["mail", "call"]))
            .name("Jo Doe")
            .timezone(Zone::new("Europe/Athens").unwrap())
            .rule(
                RuleFor::Default,
                vec![RuleStep { after: Duration::ZERO, methods: vec![MethodName::new("mail").unwrap()] }],
            )
            .absence(Absence {
                from: "2026-12-24".parse().unwrap(),
                to: "2026-12-27T09:00+02:00".parse().unwrap(),
            })
            .day_ahead_notice(DayAhead::Asked)
            .status_updates(StatusUpdates::Off)
            .weekly_test(WeeklyTest::Asked)
            .build()
            .unwrap();
        let json = serde_json::to_string(&profile).unwrap();
        assert!(json.contains(r#""statusUpdates":"off""#), "{json}");
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        let away = |at: &str| profile.is_away(at.parse().unwrap());
        assert!(away("2026-12-23T22:00:00Z") && !away("2026-12-23T21:59:59Z"));
        assert!(away("2026-12-27T06:59:59Z") && !away("2026-12-27T07:00:00Z"));
    }
}
