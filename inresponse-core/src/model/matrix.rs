//! The escalation matrix of one round, frozen when the round begins.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Contact, Level, MethodName, PersonId, Severity, TimedStep, Timing, Unknown, Zone};

/// The source of a matrix's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The calendar had an entry for the day.
    Calendar,
    /// The calendar had no entry: level 1 is the team's fallback.
    Fallback,
}

/// Whether people who were alerted get status updates about claims and resolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StatusUpdates {
    /// They do not: after a claim nothing is sent.
    // Both are stored under the names that they have always had.
    #[default]
    #[serde(rename = "kept")]
    Off,
    /// They do, in the thread of their alert.
    #[serde(rename = "told")]
    On,
}

impl StatusUpdates {
    fn are_off(&self) -> bool {
        *self == StatusUpdates::Off
    }
}

/// Who is alerted in one round, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matrix {
    levels: Vec<Vec<Contact>>,
    fallback: Vec<Contact>,
    origin: Origin,
    #[serde(rename = "waitMillis", with = "millis")]
    wait: Duration,
    repeat: u32,
    #[serde(rename = "news", default, skip_serializing_if = "StatusUpdates::are_off")]
    status_updates: StatusUpdates,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    alert_levels: BTreeMap<Severity, Vec<u16>>,
    #[serde(default = "Zone::utc", deserialize_with = "zone", skip_serializing_if = "is_utc")]
    zone: Zone,
    /// The wait of each numbered level, if the levels do not all have the same.
    #[serde(rename = "waitsMillis", default, skip_serializing_if = "Vec::is_empty", with = "all_millis")]
    waits: Vec<Duration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<Recipient>,
    #[serde(default, skip_serializing_if = "Timing::is_plain")]
    timing: Timing,
    /// Which recipients have chosen whether they get status updates, by their places.
    #[serde(rename = "newsOf", default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<(u16, StatusUpdates)>,
    /// How long a claim of the team lasts; absent if claims do not end.
    #[serde(
        rename = "claimTimeoutMillis",
        default,
        skip_serializing_if = "Option::is_none",
        with = "maybe_millis"
    )]
    claim_timeout: Option<Duration>,
    /// For each severity, the number of alerts that were left out because a round would have had too many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    cut: BTreeMap<Severity, u32>,
    #[serde(flatten)]
    unknown: Unknown,
}

/// The person to whom a contact of a level belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// The level; absent for somebody to whom the incident was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The address.
    pub contact: Contact,
    /// The person who is reached at that address.
    pub person: PersonId,
    /// The person's name for that way to reach them.
    pub method: MethodName,
}

/// Reads a zone. If this library's time zone database does not have the zone, the record must still be readable.
fn zone<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Zone, D::Error> {
    let name = String::deserialize(d)?;
    Ok(Zone::new(&name).unwrap_or_else(|_| Zone::utc()))
}

fn is_utc(zone: &Zone) -> bool {
    *zone == Zone::utc()
}

impl Matrix {
    /// The maximum number of contacts in a matrix, including the fallback, and of alerts in a round.
    pub const MAX_CONTACTS: usize = 40;

    /// The matrix of a day with a calendar entry: `levels` in order, then `fallback`.
    pub fn new(levels: Vec<Vec<Contact>>, fallback: Vec<Contact>, wait: Duration) -> Self {
        let levels = levels.into_iter().map(without_doubles).collect();
        Self {
            levels,
            fallback: without_doubles(fallback),
            origin: Origin::Calendar,
            wait,
            repeat: 0,
            status_updates: StatusUpdates::Off,
            alert_levels: BTreeMap::new(),
            zone: Zone::utc(),
            waits: Vec::new(),
            recipients: Vec::new(),
            timing: Timing::default(),
            choices: Vec::new(),
            claim_timeout: None,
            cut: BTreeMap::new(),
            unknown: Unknown::default(),
        }
    }

    /// The matrix of a day without a calendar entry: the fallback is level 1.
    pub fn without_calendar(fallback: Vec<Contact>, wait: Duration) -> Self {
        let fallback = without_doubles(fallback);
        Self { origin: Origin::Fallback, ..Self::new(vec![fallback.clone()], fallback, wait) }
    }

    /// Sets the number of further rounds before the fallback.
    #[must_use]
    pub fn repeated(mut self, repeat: u32) -> Self {
        self.repeat = repeat;
        self
    }

    /// Sets the levels that each severity alerts (no levels: the severity alerts nobody).
    #[must_use]
    pub fn alerting(mut self, alert_levels: BTreeMap<Severity, Vec<u16>>) -> Self {
        self.alert_levels = alert_levels;
        self
    }

    /// Sets whether people get status updates.
    #[must_use]
    pub fn with_status_updates(mut self, status_updates: StatusUpdates) -> Self {
        self.status_updates = status_updates;
        self
    }

    /// Sets how long a claim lasts (default: claims do not end).
    #[must_use]
    pub fn claims_last(mut self, timeout: Option<Duration>) -> Self {
        self.claim_timeout = timeout;
        self
    }

    /// Sets the team's time zone (default: UTC).
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// The same matrix, in which the `n`th numbered level is given the `n`th wait.
    #[must_use]
    pub fn waiting(mut self, waits: Vec<Duration>) -> Self {
        let is_same = waits.iter().all(|wait| *wait == self.wait);
        self.waits = if is_same { Vec::new() } else { waits };
        self
    }

    /// The same matrix with the people to whom its contacts belong.
    #[must_use]
    pub fn reaching(mut self, recipients: Vec<Recipient>) -> Self {
        self.recipients = recipients;
        self
    }

    /// The same matrix, in which people's rules say when each contact is alerted.
    #[must_use]
    pub fn timed(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// The same matrix, in which recipients have chosen whether they get status updates, by their places.
    #[must_use]
    pub fn choosing(mut self, choices: Vec<(u16, StatusUpdates)>) -> Self {
        self.choices = choices;
        self
    }

    /// The same matrix, for whose severities that many alerts were left out (promise 7).
    #[must_use]
    pub fn without(mut self, cut: BTreeMap<Severity, u32>) -> Self {
        self.cut = cut;
        self
    }

    /// Adds people to whom contacts of the matrix belong.
    pub(crate) fn know(&mut self, recipients: impl IntoIterator<Item = Recipient>) {
        for recipient in recipients {
            if !self.recipients.contains(&recipient) {
                self.recipients.push(recipient);
            }
        }
    }

    /// Forgets people who are in no level of the matrix.
    pub(crate) fn forget(&mut self, is_needless: impl Fn(&Recipient) -> bool) {
        // The steps know people by their places, and all those come before.
        self.recipients.retain(|one| one.level.is_some() || !is_needless(one));
    }

    /// The known people to whom contacts belong.
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The person, and their method, whom a contact of a level reaches.
    pub fn recipient(&self, level: Level, contact: &Contact) -> Option<&Recipient> {
        self.recipients.iter().find(|one| one.level == Some(level) && one.contact == *contact)
    }

    /// The person, and their method, whom a step of a level reaches in an incident of that severity. If two people share
    /// the contact, the step may be one of only one of them.
    pub fn recipient_after(
        &self,
        level: Level,
        contact: &Contact,
        after: Duration,
        severity: Severity,
    ) -> Option<&Recipient> {
        let is_this = |step: &&TimedStep| {
            step.level == level && step.after == after && self.contact_of(step) == Some(contact)
        };
        // A step of an earlier severity may still be under way after a raise.
        let steps = self.timing.of(severity).into_iter().flatten().chain(self.timing.all());
        let whose = steps.filter(is_this).find_map(|step| step.recipient);
        let timed = whose.and_then(|i| self.recipients.get(usize::from(i)));
        timed.or_else(|| self.recipient(level, contact))
    }

    /// All people, and their methods, whom a step of a level reaches. Several people may share the contact.
    pub(crate) fn recipients_after(
        &self,
        level: Level,
        contact: &Contact,
        after: Duration,
    ) -> Vec<&Recipient> {
        let is_this = |step: &&TimedStep| {
            step.level == level && step.after == after && self.contact_of(step) == Some(contact)
        };
        let timed = self.timing.all().filter(is_this).filter_map(|step| step.recipient);
        let mut found: Vec<&Recipient> = Vec::new();
        for one in timed.filter_map(|i| self.recipients.get(usize::from(i))) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        if found.is_empty() {
            let is_named = |one: &&Recipient| one.level == Some(level) && one.contact == *contact;
            found.extend(self.recipients.iter().filter(is_named));
        }
        found
    }

    fn contact_of(&self, step: &TimedStep) -> Option<&Contact> {
        self.contacts(step.level).get(usize::from(step.place))
    }

    /// Whether each contact is alerted when its level begins. A server that does not know of steps must leave an
    /// incident alone of which this is not true.
    pub fn is_plain(&self) -> bool {
        self.timing.is_plain()
    }

    /// The alerts of a level for incidents of a severity, in the order of their times: each contact, and how long after
    /// the level's beginning it is alerted.
    pub fn steps(&self, level: Level, severity: Severity) -> Vec<(&Contact, Duration)> {
        let Some(steps) = self.timing.of(severity) else {
            return self.contacts(level).iter().map(|contact| (contact, Duration::ZERO)).collect();
        };
        let of_level = |step: &&TimedStep| step.level == level;
        let mut steps: Vec<_> = steps.iter().filter(of_level).map(|step| (step.after, step.place)).collect();
        steps.sort_unstable();
        steps.dedup();
        let contacts = self.contacts(level);
        let step = |(after, place): (Duration, u16)| Some((contacts.get(usize::from(place))?, after));
        steps.into_iter().filter_map(step).collect()
    }

    /// The contacts that are alerted when the level begins, for incidents of a severity.
    pub fn first_contacts(&self, level: Level, severity: Severity) -> Cow<'_, [Contact]> {
        if self.timing.is_plain() {
            return Cow::Borrowed(self.contacts(level));
        }
        let first = self.steps(level, severity).into_iter().filter(|(_, after)| after.is_zero());
        first.map(|(contact, _)| contact.clone()).collect()
    }

    /// For each person of a level, the steps that any severity's rule gives them. If nobody has a rule, all contacts of a
    /// person are steps at the level's beginning.
    pub(crate) fn steps_by_person(&self, level: Level) -> Vec<Vec<(&Contact, Duration)>> {
        let mut people: BTreeMap<&PersonId, Vec<_>> = BTreeMap::new();
        if self.timing.is_plain() {
            for whose in self.recipients.iter().filter(|one| one.level == Some(level)) {
                people.entry(&whose.person).or_default().push((&whose.contact, Duration::ZERO));
            }
        }
        for step in self.timing.all().filter(|step| step.level == level) {
            let whose = step.recipient.and_then(|i| self.recipients.get(usize::from(i)));
            if let (Some(whose), Some(contact)) = (whose, self.contact_of(step)) {
                people.entry(&whose.person).or_default().push((contact, step.after));
            }
        }
        people.into_values().collect()
    }

    /// How many alerts were left out for incidents of a severity, because a round has at most
    /// [`MAX_CONTACTS`](Self::MAX_CONTACTS) (promise 7).
    pub fn cut(&self, severity: Severity) -> u32 {
        self.cut.get(&severity).copied().unwrap_or_default()
    }

    /// The team's time zone, in which people see times.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether people who were alerted get status updates, unless they have chosen themselves.
    pub fn status_updates(&self) -> StatusUpdates {
        self.status_updates
    }

    /// Whether status updates go to that contact: as the person has chosen whose contact it is, else as everybody gets
    /// them. If several people share the contact, one who gets them is enough.
    pub fn status_updates_at(&self, contact: &Contact) -> StatusUpdates {
        // A person may be known at several places: at levels, and because somebody called them in.
        let whose = self.recipients.iter().filter(|one| one.contact == *contact);
        let chosen = whose.map(|one| {
            let is_theirs = |place: u16| {
                self.recipients.get(usize::from(place)).is_some_and(|other| other.person == one.person)
            };
            let choice = self.choices.iter().find(|(place, _)| is_theirs(*place));
            choice.map_or(self.status_updates, |(_, choice)| *choice)
        });
        let chosen: Vec<_> = chosen.collect();
        match chosen.as_slice() {
            [] => self.status_updates,
            chosen if chosen.contains(&StatusUpdates::On) => StatusUpdates::On,
            _ => StatusUpdates::Off,
        }
    }

    /// The number of numbered levels.
    pub fn height(&self) -> u16 {
        u16::try_from(self.levels.len()).unwrap_or(u16::MAX)
    }

    /// The contacts of a level; empty if the level does not exist.
    pub fn contacts(&self, level: Level) -> &[Contact] {
        match level {
            Level::Fallback => &self.fallback,
            Level::At(n) => {
                n.checked_sub(1).and_then(|i| self.levels.get(usize::from(i))).map_or(&[], Vec::as_slice)
            }
        }
    }

    /// The source of the levels.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// How long a level is given before the next one is alerted, unless the level has its own wait.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// How long that level is given before the next one is alerted.
    pub fn wait_of(&self, level: Level) -> Duration {
        let own = match level {
            Level::At(n) => n.checked_sub(1).and_then(|i| self.waits.get(usize::from(i))),
            Level::Fallback => None,
        };
        own.copied().unwrap_or(self.wait)
    }

    /// Whether some levels have a wait of their own. A server that does not know of such waits must leave the incident
    /// alone.
    pub fn has_own_waits(&self) -> bool {
        !self.waits.is_empty()
    }

    /// How long a claim lasts; `None` if claims do not end.
    pub fn claim_timeout(&self) -> Option<Duration> {
        self.claim_timeout
    }

    /// The number of further rounds before the fallback.
    pub fn repeat(&self) -> u32 {
        self.repeat
    }

    /// Whether incidents of `severity` alert level `n`.
    ///
    /// If the calendar is empty, level 1 is the fallback: every severity that alerts anybody alerts it.
    pub fn alerts(&self, severity: Severity, n: u16) -> bool {
        let is_fallback = self.origin == Origin::Fallback && n == 1;
        self.alert_levels
            .get(&severity)
            .is_none_or(|levels| levels.contains(&n) || (is_fallback && !levels.is_empty()))
    }

    /// Whether incidents of `severity` alert nobody at all.
    pub fn records_only(&self, severity: Severity) -> bool {
        self.alert_levels.get(&severity).is_some_and(Vec::is_empty)
    }

    /// The numbered levels that incidents of `severity` alert, in order.
    pub fn alerted_levels(&self, severity: Severity) -> impl Iterator<Item = u16> + '_ {
        (1..=self.height()).filter(move |n| self.alerts(severity, *n))
    }
}

fn without_doubles(contacts: Vec<Contact>) -> Vec<Contact> {
    let mut seen = Vec::with_capacity(contacts.len());
    for contact in contacts {
        if !seen.contains(&contact) {
            seen.push(contact);
        }
    }
    seen
}

mod all_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(waits: &[Duration], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(waits.iter().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Duration>, D::Error> {
        let waits = Vec::<u64>::deserialize(d)?;
        Ok(waits.into_iter().map(Duration::from_millis).collect())
    }
}

mod maybe_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
        d.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(d)?.map(Duration::from_millis))
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_millis)
    }
}
