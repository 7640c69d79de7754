//! The incident: one record, which only the planner changes.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::serde::{ts_microseconds as micros, ts_microseconds_option as micros_option};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    CallIns, Called, Contact, DedupKey, Delivery, DeliveryId, DeliveryKey, IncidentNumber, Level, Link,
    Matrix, Person, Purpose, Quiet, Recipient, Reporter, Routed, ServiceName, Severity, Signature, Source,
    State, TeamName, Timeline, Unknown,
};
use crate::clock::{later, to_micros};
use crate::error::InvalidInput;

/// The newest format of a stored incident that this version writes and acts on.
///
/// The format is raised if a field that decides who is alerted, and when, gets a new value, because an older server
/// would alert wrongly. A new field or a new timeline event needs no new format: an older server keeps both. A server
/// shows an incident in a newer format, but only newer servers act on it.
pub const FORMAT: u32 = 8;

/// The format of incidents that need no newer one.
pub(crate) const FIRST_FORMAT: u32 = 1;

/// The format of incidents some of whose levels have a wait of their own.
pub(crate) const OWN_WAITS: u32 = 2;

/// The format of incidents in which a person's rules alert some contacts later than their level.
pub(crate) const STEPS: u32 = 3;

/// The format of incidents whose claims end.
pub(crate) const CLAIM_ENDS: u32 = 4;

/// The format of incidents to which more people were called in.
pub(crate) const CALL_INS: u32 = 5;

/// The format of incidents of which a limit of the deployment held an alert back.
pub(crate) const LIMITED: u32 = 6;

/// The format of incidents that are or were quiet.
pub(crate) const QUIET: u32 = 7;

/// The format of incidents that a routing rule gave to a team, or only records.
pub(crate) const ROUTED: u32 = 8;

/// The format of bodies that were stored without one.
fn first_format() -> u32 {
    FIRST_FORMAT
}

/// When a problem ended, as its monitoring system reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the problem began, if reported.
    #[serde(default, with = "micros_option", skip_serializing_if = "Option::is_none")]
    began: Option<DateTime<Utc>>,
    /// When the problem was over.
    #[serde(with = "micros")]
    at: DateTime<Utc>,
}

impl Ended {
    /// The end of a problem that began then, in whole microseconds.
    pub fn new(began: Option<DateTime<Utc>>, at: DateTime<Utc>) -> Self {
        Self { began: began.map(to_micros), at: to_micros(at) }
    }

    /// When the problem began, if reported.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        self.began
    }

    /// When the problem was over.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// A hand-over to a person who has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// When the incident was handed over.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// Since when it is known that the person could not be notified.
    #[serde(default, with = "micros_option", skip_serializing_if = "Option::is_none")]
    pub unconfirmed_at: Option<DateTime<Utc>>,
}

/// The end of a claim, which is fixed when the claim is made or snoozed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimEnd {
    /// When the claim ends.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// When the end was fixed.
    #[serde(with = "micros")]
    pub since: DateTime<Utc>,
}

impl ClaimEnd {
    /// An end that is fixed now, that long from now.
    pub(crate) fn after(time: Duration, now: DateTime<Utc>) -> Self {
        Self { at: later(now, time), since: now }
    }
}

/// A level of the current round that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunLevel {
    /// The level.
    pub level: Level,
    /// When the level's first send was leased, or when its turn came if it has no contacts.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// Whether the level began again because the process that began it died.
    // Stored under the name that it has always had.
    #[serde(default, rename = "anew", skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// When a person requested not to wait for the level any longer.
    #[serde(default, with = "micros_option", skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl BegunLevel {
    /// A level that began at that time, for the first time.
    pub(crate) fn new(level: Level, at: DateTime<Utc>) -> Self {
        Self { level, at, again: false, passed_at: None, unknown: Unknown::default() }
    }
}

/// An incident with all decisions about it.
///
/// The incident is read through its methods and changed only by [`plan::step`](crate::plan::step). The number of its
/// reports is not a part of it, but of its [`Record`](crate::store::Record).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    #[serde(default = "first_format")]
    pub(crate) format: u32,
    pub(crate) number: IncidentNumber,
    pub(crate) service: ServiceName,
    pub(crate) team: TeamName,
    pub(crate) severity: Severity,
    pub(crate) state: State,
    pub(crate) title: String,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Source>,
    #[serde(with = "micros")]
    pub(crate) detected_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dedup_key: Option<DedupKey>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
    #[serde(with = "micros")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(with = "micros")]
    pub(crate) updated_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claimed: Option<Signature>,
    /// The hand-over, if the holder was handed the incident and has not answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handover: Option<Handover>,
    /// The end of the claim, if it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim_end: Option<ClaimEnd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resolved: Option<Signature>,
    /// The recovery that resolved the incident, if its system reported one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
    pub(crate) round: u32,
    #[serde(with = "micros")]
    pub(crate) round_began_at: DateTime<Utc>,
    /// The number of repeat rounds since the incident was opened or released.
    pub(crate) repeats_done: u32,
    /// The number of deliveries accepted since the incident was opened or released.
    pub(crate) accepted: u32,
    /// Whether everybody was alerted since the incident was opened or released.
    pub(crate) exhausted: bool,
    /// The number of status updates in this round.
    // Stored under the name that it has always had.
    #[serde(rename = "news", default, skip_serializing_if = "super::is_zero")]
    pub(crate) status_updates: u16,
    /// Who was called in during this round, and who answered.
    #[serde(default, skip_serializing_if = "CallIns::are_none")]
    pub(crate) call_ins: CallIns,
    /// Until when nobody is alerted, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<Quiet>,
    /// Whether a person escalated while the incident was quiet. Then nothing makes it quiet again until it is open again
    /// after a claim or a release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) quiet_overruled: bool,
    /// The number of times that the incident became due sooner than its timer knew.
    #[serde(default)]
    pub(crate) wake: u32,
    pub(crate) matrix: Matrix,
    pub(crate) begun: Vec<BegunLevel>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) timeline: Timeline,
    /// The team that a person last handed the incident to. New rounds alert this team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handed_to: Option<TeamName>,
    /// What a routing rule decided about the report, if one matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) routed: Option<Routed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reporter: Option<Reporter>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
    /// Whether only a part of the record could be read, so that it can be shown but never stored.
    #[serde(skip)]
    pub(crate) in_part: bool,
}

impl Incident {
    /// The incident's number.
    pub fn number(&self) -> IncidentNumber {
        self.number
    }

    /// Whether the incident was stored in a format newer than [`FORMAT`]: this server shows it, and only newer servers
    /// act on it.
    pub fn is_left_to_newer(&self) -> bool {
        self.format > FORMAT
    }

    /// The readable part of an incident in a newer format.
    pub(crate) fn read_in_part(body: &[u8]) -> Option<Self> {
        let part: Part = serde_json::from_slice(body).ok().filter(|part: &Part| part.format > FORMAT)?;
        let Part { format, number, service, team, severity, state, title, message, dedup_key, .. } = part;
        Some(Self {
            format,
            number,
            service,
            team,
            severity,
            state,
            title,
            message,
            source: None,
            detected_at: part.detected_at.unwrap_or(part.created_at),
            dedup_key,
            labels: BTreeMap::new(),
            links: Vec::new(),
            created_at: part.created_at,
            updated_at: part.updated_at.unwrap_or(part.created_at),
            claimed: part.claimed,
            handover: None,
            claim_end: None,
            resolved: part.resolved,
            ended: None,
            round: part.round,
            round_began_at: part.created_at,
            repeats_done: 0,
            accepted: 0,
            exhausted: false,
            status_updates: 0,
            call_ins: CallIns::default(),
            quiet: None,
            quiet_overruled: false,
            wake: 0,
            matrix: Matrix::new(Vec::new(), Vec::new(), std::time::Duration::ZERO),
            begun: Vec::new(),
            deliveries: Vec::new(),
            timeline: Timeline::default(),
            handed_to: None,
            routed: None,
            reporter: None,
            unknown: Unknown::default(),
            in_part: true,
        })
    }

    /// The service that the incident was reported for.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The team that has the incident.
    pub fn team(&self) -> &TeamName {
        &self.team
    }

    /// The team that a person last handed the incident to; `None` if it still belongs to the owner of its service.
    pub fn handed_to(&self) -> Option<&TeamName> {
        // Records of before this field say it in their timeline only.
        self.handed_to.as_ref().or_else(|| self.timeline.handed_to())
    }

    /// What a routing rule decided about the report, if one matched.
    pub fn routed(&self) -> Option<&Routed> {
        self.routed.as_ref()
    }

    /// Whether nobody is alerted, because a routing rule or the team's settings for this severity say so.
    pub fn records_only(&self) -> bool {
        self.is_recorded_by_rule() || self.matrix.records_only(self.severity)
    }

    /// Whether nobody is alerted, because a routing rule says so.
    pub fn is_recorded_by_rule(&self) -> bool {
        self.routed.as_ref().is_some_and(|routed| routed.record_only)
    }

    /// The incident's severity.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The incident's state.
    pub fn state(&self) -> State {
        self.state
    }

    /// The incident's title, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The description of the problem; may have many lines, may be empty.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The kind of monitoring system that reported the incident.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// When the problem was detected.
    pub fn detected_at(&self) -> DateTime<Utc> {
        self.detected_at
    }

    /// The reporting system's own key for the problem.
    pub fn dedup_key(&self) -> Option<&DedupKey> {
        self.dedup_key.as_ref()
    }

    /// The labels of the report.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The links of the report.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The API key of the first report; `None` if no key was needed, or if the incident was stored before keys were
    /// recorded.
    pub fn reporter(&self) -> Option<&Reporter> {
        self.reporter.as_ref()
    }

    /// When the incident was first reported.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// When the incident last changed.
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.updated_at
    }

    /// Who has claimed the incident, and when. A release clears this; a resolution keeps it.
    pub fn claimed(&self) -> Option<&Signature> {
        self.claimed.as_ref()
    }

    /// The hand-over, as long as the holder, who was handed the incident by somebody else, has not answered.
    pub fn handover(&self) -> Option<Handover> {
        self.handover
    }

    /// Until when nobody is alerted, and why, if the incident is open and quiet.
    pub fn quiet(&self) -> Option<&Quiet> {
        self.quiet.as_ref().filter(|_| self.state == State::Open)
    }

    /// The people who were called in, answered, and help the claimant; each with the time of the answer.
    pub fn responders(&self) -> &[Signature] {
        &self.call_ins.responders
    }

    /// Who resolved the incident, and when.
    pub fn resolved(&self) -> Option<&Signature> {
        self.resolved.as_ref()
    }

    /// The recovery that resolved the incident, if its system reported one.
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The current round of alerts, from 1.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The number of timers that had to be started for the incident. A timer's name contains it besides the incident's
    /// number.
    pub fn wake(&self) -> u32 {
        self.wake
    }

    /// The matrix that is frozen for the current round.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// The levels of the current round that have begun, in the order of their beginnings.
    pub fn begun(&self) -> &[BegunLevel] {
        &self.begun
    }

    /// The incident's deliveries: all of the current round, and the last ones of earlier rounds.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The timeline of what people and levels did.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The id of the delivery with this key, as its recipient sees it.
    pub fn delivery_id(&self, key: DeliveryKey) -> DeliveryId {
        DeliveryId::new(self.number, key, self.created_at)
    }

    /// The delivery with that id, if the incident still has it.
    pub fn delivery(&self, id: &DeliveryId) -> Option<&Delivery> {
        self.deliveries.iter().find(|d| self.delivery_id(d.key()) == *id)
    }

    /// The round of a status update that a later one has replaced, if that is its id.
    pub(crate) fn replaced_in(&self, id: &DeliveryId) -> Option<u32> {
        let key = id.status_update()?;
        // Each round counts its status updates.
        let is_counted = matches!(key.purpose, Purpose::StatusUpdate(n) if n <= self.status_updates);
        let was_made = key.round < self.round || key.round == self.round && is_counted;
        (was_made && self.delivery_id(key) == *id && self.delivery(id).is_none()).then_some(key.round)
    }

    /// Whether that person has the incident or helps the claimant.
    pub(crate) fn is_here(&self, person: &Person) -> bool {
        self.is_claimed_by(person) || self.call_ins.responders.iter().any(|one| one.by.is(person))
    }

    /// Whether a delivery may still be sent: it is of this round, and the incident's state and the people who are here
    /// already leave it something to do (promise 11).
    pub(crate) fn wants(&self, delivery: &Delivery) -> bool {
        let is_wanted = match (delivery.purpose, self.state) {
            (Purpose::Alert(_), State::Open) => self.quiet.is_none(),
            (Purpose::StatusUpdate(_), _) => true,
            (Purpose::CallIn(n), State::Open | State::Claimed) => {
                n > self.call_ins.over && !self.has_answered(delivery)
            }
            (Purpose::Alert(_), State::Claimed | State::Resolved) | (Purpose::CallIn(_), State::Resolved) => {
                false
            }
        };
        is_wanted && delivery.round == self.round
    }

    /// Whether somebody is called in at that contact and has not answered.
    pub(crate) fn has_live_call(&self, contact: &Contact) -> bool {
        let mut calls = self.current_deliveries().filter(|d| d.purpose.is_call_in());
        calls.any(|d| d.contact == *contact && self.wants(d))
    }

    /// Whether everybody whom a delivery calls in is here.
    fn has_answered(&self, delivery: &Delivery) -> bool {
        match &delivery.called {
            Some(Called { people, .. }) if !people.is_empty() => {
                people.iter().all(|person| self.is_here(&Person::from(person)))
            }
            Some(_) | None => self.is_here_by_address(&delivery.contact),
        }
    }

    /// Whether somebody whose name is that address has the incident or helps the claimant.
    pub(crate) fn is_here_by_address(&self, contact: &Contact) -> bool {
        let claimed = self.claimed.iter().filter(|_| self.state == State::Claimed);
        let mut here = claimed.chain(&self.call_ins.responders).map(|one| &one.by);
        here.any(|person| person.is_named_by(contact))
    }

    /// Whether that person has the incident.
    pub(crate) fn is_claimed_by(&self, person: &Person) -> bool {
        self.state == State::Claimed && self.claimed.as_ref().is_some_and(|claimed| claimed.by.is(person))
    }

    /// The holder, if the contact reaches them.
    pub fn holder_at(&self, contact: &Contact) -> Option<&Person> {
        let holder =
            self.claimed.as_ref().filter(|_| self.state == State::Claimed).map(|claimed| &claimed.by);
        holder.filter(|holder| self.is_at(holder, contact))
    }

    /// The person whom messages to that contact reach: the holder, or the only person for whom the contact was alerted. `None`
    /// for an address that nobody or several people have.
    pub fn person_at(&self, contact: &Contact) -> Option<Person> {
        if let Some(holder) = self.holder_at(contact) {
            return Some(holder.clone());
        }
        let mut people =
            self.matrix.recipients().iter().filter(|one| one.contact == *contact).map(|one| &one.person);
        let first = people.next()?;
        people.all(|other| other == first).then(|| Person::from(first))
    }

    /// The person who claims by a message to that contact: the person whom it reaches, otherwise the address.
    ///
    /// # Errors
    /// The address is no valid name of a person.
    pub fn claimant_at(&self, contact: &Contact) -> Result<Person, InvalidInput> {
        self.person_at(contact).map_or_else(|| Person::at(contact), Ok)
    }

    /// Whether a contact is the person's: it is their name, or the roster said so when the incident needed it.
    pub fn is_at(&self, person: &Person, contact: &Contact) -> bool {
        let is_theirs = |one: &Recipient| one.contact == *contact && one.person.as_str() == person.as_str();
        person.contact().as_ref() == Some(contact) || self.matrix.recipients().iter().any(is_theirs)
    }

    /// A contact as people may see it: a person's contact is shown as the person and the name of the method, any other
    /// contact as it is.
    pub fn shown(&self, contact: &Contact) -> String {
        match self.matrix.recipients().iter().find(|one| one.contact == *contact) {
            Some(Recipient { person, method, .. }) => format!("{person} ({method})"),
            None => contact.to_string(),
        }
    }

    /// Whether the incident is open, everybody was alerted, and nobody claimed it (promise 12).
    pub fn is_unclaimed(&self) -> bool {
        self.state == State::Open && self.exhausted
    }

    /// Whether the incident is open, every level had its turn, nothing was accepted and nothing is pending (promise
    /// 12).
    pub fn is_undelivered(&self) -> bool {
        self.is_unclaimed() && self.accepted == 0 && !self.current_deliveries().any(Delivery::is_unsettled)
    }

    /// The deliveries of the current round.
    pub(crate) fn current_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|d| d.round == self.round)
    }

    /// The current status updates.
    #[cfg(test)]
    pub(crate) fn current_status_updates(&self) -> impl Iterator<Item = &Delivery> {
        self.current_deliveries().filter(|d| d.is_status_update())
    }

    /// The alerts of a level of its current round.
    pub(crate) fn level_deliveries(&self, level: Level) -> impl Iterator<Item = &Delivery> {
        self.current_deliveries().filter(move |d| d.purpose == Purpose::Alert(level))
    }
}

/// The fields that every format has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    format: u32,
    number: IncidentNumber,
    service: ServiceName,
    team: TeamName,
    severity: Severity,
    state: State,
    title: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    dedup_key: Option<DedupKey>,
    #[serde(default, with = "micros_option")]
    detected_at: Option<DateTime<Utc>>,
    #[serde(with = "micros")]
    created_at: DateTime<Utc>,
    #[serde(default, with = "micros_option")]
    updated_at: Option<DateTime<Utc>>,
    #[serde(default)]
    claimed: Option<Signature>,
    #[serde(default)]
    resolved: Option<Signature>,
    #[serde(default)]
    round: u32,
}
