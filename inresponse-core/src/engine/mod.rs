//! The engine: executes what the planner decides.
//!
//! [`Engine`] is the face. It has parts, and hands each call to one of them. A part is a small struct that holds what
//! it needs; the rest are its arguments. `builder` puts them together.
//!
//! From a report to the mail:
//!
//! | step | part, file | does |
//! |---|---|---|
//! | 1 | `Reports`, `reports` | takes the report |
//! | 2 | `Lookup`, `lookup` | asks the roster which team owns the service and who is on call |
//! | 3 | `Slots`, `slots` | gives a sending slot for each first contact: limits sends in all, to one remote server, to one contact |
//! | 4 | – | [`plan::open_leasing`](crate::plan::open_leasing) decides, and [`Store::create`] makes it durable |
//! | 5 | `Leases`, `lease` | makes leased sends of the decision, with the links of `links` |
//! | 6 | `Wake`, `wake` | gives them to the runner, and remembers when the incident is due next |
//! | 7 | `Runner`, `run` | begins them |
//! | 8 | `Sender`, `deliver` | makes one attempt, and records its outcome |
//! | 9 | `Renewals`, `renew` | renews the lease during a long send |
//! | 10 | `Swap`, `swap` | changes the record by compare-and-swap: the outcome, and every other change |
//!
//! Later work begins at step 5: `Leases` plans the work that is due, takes the slots, and commits the leases. It is
//! asked by one of these:
//!
//! | part, file | does |
//! |---|---|
//! | `Runner`, `run` | leases what is due, forever (feature `runner`) |
//! | `Backlog`, `backlog` | remembers due incidents and alerts that wait for a slot, the most urgent first |
//! | `Bundles`, `bundles` | gathers what waits for one contact in the `Seats` of a bundle; `together` sends it in one message |
//! | `Advance`, `advance` | advances one incident, or all due incidents, until nothing is due |
//! | `Sweeper`, `sweep` | replaces lost timers, and advances for timers that are due |
//!
//! What else happens to an incident:
//!
//! | part, file | does |
//! |---|---|
//! | `update`; `shortcuts` | what people do; the most frequent updates |
//! | `bounce` | a carrier's later report on an alert that it had accepted |
//! | `Repair`, `repair` | corrects times after the clock went back |
//!
//! What they share:
//!
//! | part, file | does |
//! |---|---|
//! | `Clocks`, `clocks` | tells the time; `ahead`: whether the clock was ahead at a decision |
//! | `Driven`, `driven` | whether something in this process sends the alerts; warns once if not |
//! | `Alarm`, `timers` | sets the timers that keep the time if there is no runner |
//! | `InFlight`, `in_flight` | the deliveries that this process is sending |
//! | `Unsent`, `unsent` | leases that were not used because the result of their commit is unknown |
//! | `Waiting`, `waiting` | the levels that wait for a slot |
//! | `Urgency`, `urgency` | how urgent a send is |
//! | `leased` | a send whose lease is durable, and how long leases last |
//! | `Trouble`, `trouble`; `census` | warns the operator; counts the incidents |
//! | `transitions` | changes to an incident that an operator should hear of |
//!
//! The roster, for people: `Edits`, `edits` changes it; `receiver` asks whether it knows the receiver of a hand-over;
//! `call_in` asks whom targets mean that a person calls in;
//! `dry_run` says what a report would lead to; `coverage` says what is missing; `test_methods` tests whether a person is
//! reached.
//!
//! [`Store::create`]: crate::store::Store::create

mod advance;
mod ahead;
mod answer;
#[cfg(feature = "runner")]
mod backlog;
mod bounce;
mod builder;
#[cfg(feature = "runner")]
mod bundles;
mod call_in;
mod census;
mod claim_all;
mod clocks;
mod coverage;
mod deliver;
mod driven;
mod dry_run;
mod duty;
mod edits;
mod in_flight;
mod judge_again;
mod known_rules;
mod lease;
mod leased;
mod linking;
mod links;
mod lookup;
mod paging;
mod receiver;
mod renew;
#[cfg(feature = "runner")]
mod repair;
mod reports;
#[cfg(feature = "runner")]
mod run;
#[cfg_attr(not(feature = "runner"), allow(dead_code, reason = "only a runner sends bundles"))]
mod seats;
mod shortcuts;
mod slots;
mod swap;
mod sweep;
mod test_methods;
mod timers;
#[cfg(feature = "runner")]
mod together;
mod transitions;
#[cfg(feature = "runner")]
mod trouble;
mod unsent;
mod update;
mod urgency;
mod waiting;
mod wake;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

pub use advance::Advanced;
pub use answer::{Answered, OpenAlerts};
pub use bounce::{Bounced, Undelivered};
pub use builder::EngineBuilder;
pub use call_in::{Callees, Uncalled};
pub use census::WAITING_TOO_LONG;
pub use claim_all::ClaimedOne;
pub use dry_run::{DryRule, DryRun, DryStep};
pub use edits::{Messages, RosterEdited, UnverifiedPhones};
pub use linking::Linked;
pub use lookup::{DAYS_AHEAD, OnCall, TeamOnCall};
pub use receiver::Receiver;
pub use reports::Reported;
pub(crate) use reports::Taken;
pub use slots::{SENDS_PER_CONTACT, SENDS_PER_NEW_CONTACT};
pub use sweep::Swept;
pub use test_methods::Tested;
pub use timers::Timers;
pub use update::Updated;

use crate::claim::{AnswerToken, ClaimToken, ClaimsToken, TokenError};
use crate::clock::Clock;
use crate::error::Outage;
use crate::link_code::LinkCode;
use crate::model::{
    Contact, DedupKey, DeliveryId, IncidentNumber, MethodName, Person, PersonId, Report, RulesId, Scheme,
    ServiceName, Severity, TeamName,
};
use crate::notify::{Alert, Notifiers, Outcome};
pub use crate::plan::{Answer, AnswerTo, Refusal, StateChange, TakeOver, Update, Wanted};
use crate::roster::{self, Book, Explained, Finding, Pings, Profile, Roster, RosterEdit, Stint, Target};
use crate::store::{Census, ListQuery, Queueing, Record, Store};

/// Incident alerting and escalation over a store, a roster, notifiers and a clock.
///
/// Cloning is cheap; clones share one engine. The engine's promises hold for any number of engines on one store.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
}

/// The parts of an engine that are called from outside.
struct Parts {
    store: Arc<dyn Store>,
    roster: Arc<dyn Roster>,
    notifiers: Notifiers,
    clocks: Arc<clocks::Clocks>,
    links: Arc<links::Links>,
    lookup: Arc<lookup::Lookup>,
    edits: edits::Edits,
    reports: reports::Reports,
    swap: Arc<swap::Swap>,
    advance: Arc<advance::Advance>,
    sweeper: sweep::Sweeper,
    driven: Arc<driven::Driven>,
    #[cfg(feature = "runner")]
    runner: run::Runner,
    lease: Duration,
}

/// The parts of the engine, and its times.
impl Engine {
    /// The default duration of a lease.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);
    /// The minimum duration of a lease.
    pub const MIN_LEASE: Duration = Duration::from_secs(2);
    /// The maximum duration of a lease.
    pub const MAX_LEASE: Duration = crate::plan::MAX_LEASE;

    /// The time limit of one attempt to send, with leases of that duration: four leases.
    ///
    /// A send that takes longer than a third of its lease renews it. So a slow carrier causes no repeat, but the sends
    /// of a dead process are still taken over within one lease. Mail servers may take minutes: RFC 5321, 4.5.3.2.
    pub const fn send_deadline(lease: Duration) -> Duration {
        deliver::send_deadline(lease)
    }

    /// The roster, to read and to change.
    pub fn roster(&self) -> &dyn Roster {
        &*self.parts.roster
    }

    /// The time by the engine's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.parts.clocks.now()
    }

    /// The engine's clock.
    pub fn clock(&self) -> &dyn Clock {
        self.parts.clocks.clock()
    }

    /// The URL with which claim links begin, if there are any: where people reach the API and its pages.
    pub fn public_url(&self) -> Option<&str> {
        self.parts.links.base_url()
    }

    /// Reads the token of a claim link for `incident`.
    ///
    /// # Errors
    /// The token is invalid, or no claim links were configured.
    pub fn verify_claim(&self, incident: IncidentNumber, token: &str) -> Result<ClaimToken, TokenError> {
        self.parts.links.verify(incident, token, &self.parts.clocks)
    }

    /// Reads the token of a bundle's link.
    ///
    /// # Errors
    /// The token is invalid, or no claim links were configured.
    pub fn verify_claims(&self, token: &str) -> Result<ClaimsToken, TokenError> {
        self.parts.links.verify_claims(token, &self.parts.clocks)
    }

    /// Reads the token of a button in an alert; see [`Alert::answer_token`](crate::notify::Alert::answer_token).
    ///
    /// # Errors
    /// The token is invalid, or no claim links were configured.
    pub fn verify_answer(&self, token: &str) -> Result<AnswerToken, TokenError> {
        self.parts.links.verify_answer(token, &self.parts.clocks)
    }

    /// Makes a code with which an account of that scheme links itself to a person; see
    /// [`link_code`](crate::link_code). `None` if there is no such person, or no claim links were configured.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn link_code(&self, person: &PersonId, scheme: &Scheme) -> Result<Option<LinkCode>, Outage> {
        let Parts { lookup, links, clocks, .. } = &*self.parts;
        linking::code(lookup, links, clocks, person, scheme).await
    }

    /// Adds a verified account as a method to the person for whom the code was made, by an edit in that person's name.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn link(&self, code: &str, account: &Contact) -> Result<Linked, Outage> {
        let Parts { lookup, links, edits, .. } = &*self.parts;
        linking::link(lookup, links, edits, code, account).await
    }

    /// Whether a notifier can try to reach the contact.
    pub fn can_reach(&self, contact: &Contact) -> bool {
        self.parts.notifiers.reach(contact)
    }
}

/// What happens to incidents.
impl Engine {
    /// Takes a report: durable when this returns (promise 1), and the on-call engineer is alerted at once.
    ///
    /// `report` itself sends nothing. The alert is sent by one of these, in this process or in another one on the same
    /// store:
    ///
    /// - [`run`](Self::run) in a task of its own, which sends the first alert at once and every later one when it is due;
    /// - [`tick`](Self::tick) or [`advance`](Self::advance), called again and again from your own executor;
    /// - the [`Timers`] of the [builder](EngineBuilder::timers), which call [`advance_woken`](Self::advance_woken).
    ///
    /// If there are no timers, and nobody has called one of these methods when the first incident is recorded, the
    /// engine logs a warning, once.
    ///
    /// # Errors
    /// The store or the roster is unavailable. After an outage of kind unknown the report may have been recorded, and
    /// with a dedup key it is safe to send it again (promise 4).
    ///
    /// A routing rule that makes a ping of the report has no effect here, so that no report is lost. Use
    /// [`Heartbeats::report`](crate::heartbeats::Heartbeats::report) for reports that may be pings.
    pub async fn report(&self, report: Report) -> Result<Reported, Outage> {
        match self.parts.reports.report(report, Pings::Never).await? {
            Taken::Reported(reported) => Ok(reported),
            Taken::Ping(..) => Err(Outage::permanent("a report was taken for a ping")),
        }
    }

    /// Takes a report that may be a ping, by a routing rule.
    pub(crate) async fn report_or_ping(&self, report: Report) -> Result<Taken, Outage> {
        self.parts.reports.report(report, Pings::Allowed).await
    }

    /// Does what a person wants to an incident. [`claim`](Self::claim), [`release`](Self::release) and
    /// [`resolve`](Self::resolve) are short for the most frequent updates.
    ///
    /// # Errors
    /// The store or the roster is unavailable. After an outage of kind unknown the change may have happened; it is safe
    /// to ask for the same state again.
    pub async fn update(&self, number: IncidentNumber, update: &Update) -> Result<Updated, Outage> {
        update::update(&self.parts.swap, &self.parts.lookup, number, update).await
    }

    /// Claims the incidents of a bundle, each by its own swap, and returns the result of each, in the same order.
    ///
    /// Nothing is taken over: what somebody else has stays theirs (promise 6). The message with the alerts went to
    /// `asked_at`. `by` is the claimant; without a name it is the recipient of the message. An outage of one incident
    /// prevents no other claim. It is safe to call this again. If the call is dropped, some of the claims may have been made.
    pub async fn claim_all(
        &self,
        incidents: &[IncidentNumber],
        asked_at: &Contact,
        by: Option<&Person>,
    ) -> Vec<ClaimedOne> {
        claim_all::claim_all(&self.parts.swap, &self.parts.lookup, incidents, asked_at, by).await
    }

    /// Does what an answer over a channel asks for, if it counts (promise 20).
    ///
    /// The caller has verified that the answer came over the channel from the account [`Answer::from`]. Whether that
    /// account may answer the message, and in which round, is decided together with the change.
    ///
    /// # Errors
    /// The store or the roster is unavailable. After an outage of kind unknown the change may have happened; it is safe
    /// to take the answer again.
    pub async fn answer(&self, number: IncidentNumber, answer: Answer) -> Result<Answered, Outage> {
        answer::answer(&self.parts.swap, &self.parts.lookup, number, answer).await
    }

    /// The open incidents of which a contact was alerted in their current round, and the claimed ones to which it was called
    /// in, for an answer that names no incident.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn open_alerts_to(&self, contact: &Contact) -> Result<OpenAlerts, Outage> {
        answer::open_alerts_to(&*self.parts.store, contact).await
    }

    /// Records that an accepted alert bounced (promise 12). If nobody else can be reached at its level, the next level
    /// is due at once.
    ///
    /// It may be called any number of times, and before the acceptance is recorded. `reason` is the carrier's text; it
    /// is shortened.
    ///
    /// # Errors
    /// The store is unavailable. It is safe to call this again.
    pub async fn bounced(
        &self,
        number: IncidentNumber,
        delivery: &DeliveryId,
        reason: &str,
    ) -> Result<Bounced, Outage> {
        bounce::bounced(&self.parts.swap, number, delivery, reason).await
    }

    /// Records that a carrier could not deliver an alert that it had accepted, for now. The delivery is due again after a
    /// pause.
    ///
    /// It may be called any number of times, and before the acceptance is recorded. Only a report about the latest
    /// `attempt` counts. `reason` is the carrier's text; it is shortened.
    ///
    /// # Errors
    /// The store is unavailable. It is safe to call this again.
    pub async fn undelivered(
        &self,
        number: IncidentNumber,
        delivery: &DeliveryId,
        attempt: u32,
        reason: &str,
    ) -> Result<Undelivered, Outage> {
        bounce::undelivered(&self.parts.swap, number, delivery, attempt, reason).await
    }

    /// One incident.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.parts.store.load(number).await
    }

    /// The incident of a service that is not resolved and has that key.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        self.parts.store.find_open(service, key).await
    }

    /// A page of incidents, newest first.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.parts.store.list(query).await
    }

    /// How many incidents stand where.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn census(&self) -> Result<Census, Outage> {
        census::census(&*self.parts.store, &self.parts.clocks).await
    }

    /// In which order the store makes changes that wait.
    pub fn queueing(&self) -> Queueing {
        self.parts.store.queueing()
    }

    /// Quiet incidents, at most so many.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn quiet_incidents(&self, limit: usize) -> Result<Vec<Record>, Outage> {
        let mut found = self.parts.store.quiet(RulesId::JUDGE_AGAIN, None, limit).await?;
        found.retain(|record| record.incident.quiet().is_some());
        Ok(found)
    }
}

/// Doing what is due.
impl Engine {
    /// Advances incidents as soon as they are due, until `shutdown` resolves. Then it finishes the sends in progress.
    ///
    /// Reports and changes through this engine wake it, and so does the next due time. It runs at least every second.
    /// It logs an outage and tries again forever. Needs a tokio runtime.
    #[cfg(feature = "runner")]
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        self.parts.driven.note();
        self.parts.runner.run(shutdown).await;
    }

    /// Does everything that is due of one incident, and answers when to come back.
    ///
    /// Contacts are sent to at the same time, and each outcome is committed soon after it comes. What becomes due while
    /// a send is still under way is done too, so a slow contact delays no later level (promise 13). Nothing runs any
    /// more when this returns.
    ///
    /// # Errors
    /// The store or the roster is unavailable; sends that had begun were finished and recorded first.
    pub async fn advance(&self, number: IncidentNumber) -> Result<Advanced, Outage> {
        self.parts.driven.note();
        self.parts.advance.number(number).await
    }

    /// Advances every due incident, and returns how many were advanced. First, it judges quiet incidents again whose
    /// silences or alert hours have changed.
    ///
    /// Nothing runs any more when this returns. An incident that cannot be advanced (an outage) is logged and stays
    /// due.
    ///
    /// # Errors
    /// The store cannot list the due or the quiet incidents, or the roster is unavailable.
    pub async fn tick(&self) -> Result<usize, Outage> {
        self.parts.driven.note();
        let judged = self.parts.sweeper.judge_again.all().await;
        let advanced = self.parts.advance.tick().await?;
        judged.map(|_| advanced)
    }

    /// Like [`advance`](Self::advance), for the timer that was started under `wake`. It does nothing if a newer timer
    /// was started.
    ///
    /// For processes with a time limit. It takes no lease later than `within` after the call. A send that has not ended
    /// half a lease after that is given up, so that everything is done by then, except storage. The rest is due at
    /// once.
    ///
    /// # Errors
    /// The same as for `advance`.
    pub async fn advance_woken(
        &self,
        number: IncidentNumber,
        wake: u32,
        within: Duration,
    ) -> Result<Advanced, Outage> {
        self.parts.driven.note();
        self.parts.sweeper.woken(number, wake, within).await
    }

    /// Replaces the timers of an incident by a new one, before a timer reaches its limits.
    ///
    /// Does nothing if there is nothing to wait for.
    ///
    /// # Errors
    /// The timer cannot be started, or the store is unavailable. Then its existing timers continue.
    pub async fn restart_timer(&self, number: IncidentNumber) -> Result<(), Outage> {
        self.parts.sweeper.restart_by_number(number).await
    }

    /// Finds incidents that are overdue by `overdue_by` or more, so their timers were lost, and starts new timers. If
    /// that fails, it advances the incident itself.
    ///
    /// Nothing runs any more when this returns.
    ///
    /// # Errors
    /// The store cannot list the due incidents.
    pub async fn sweep(&self, overdue_by: Duration) -> Result<Swept, Outage> {
        self.parts.driven.note();
        self.parts.sweeper.sweep(overdue_by).await
    }
}

/// The roster, and what the configuration names besides.
impl Engine {
    /// Makes edits on somebody's behalf, with their audit records, in one atomic and durable step; see
    /// [`Roster::apply`]. Names are checked after all of the edits, so entries may name each other in any order.
    ///
    /// # Errors
    /// The roster is unavailable. After an outage of kind unknown the edits may have been made; it is safe to make
    /// them again.
    pub async fn edit_roster(&self, by: &Person, edits: &[RosterEdit]) -> Result<RosterEdited, Outage> {
        self.parts.edits.edit_roster(by, edits).await
    }

    /// Records that the people with that contact have stopped messages to it, or want them again, for example by the
    /// replies STOP and START. A stopped method is not alerted, is a finding of the coverage check, and stays stopped if
    /// the person is written again with the same contact. Returns the number of people whose entries were changed.
    ///
    /// # Errors
    /// The roster is unavailable. It is safe to call this again.
    pub async fn stop_messages(&self, contact: &Contact, messages: Messages) -> Result<usize, Outage> {
        self.parts.edits.stop(contact, messages).await
    }

    /// Records that a person has verified the phone number of a method. Returns the person as it is then, or `None` if the
    /// method no longer has that contact.
    ///
    /// # Errors
    /// The roster is unavailable. It is safe to call this again.
    pub async fn verify_method(
        &self,
        person: &PersonId,
        method: &MethodName,
        contact: &Contact,
    ) -> Result<Option<Profile>, Outage> {
        self.parts.edits.verify(person, method, contact).await
    }

    /// Whom a team alerts at `at`, as contacts; `None` for a team that is not known. [`explained`](Self::explained) says who
    /// these people are, and why.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn on_call(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<OnCall>, Outage> {
        self.parts.lookup.on_call(team, at).await
    }

    /// Whether a team can be alerted: it has settings, or a calendar or a service and the deployment a fallback.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn can_alert(&self, team: &TeamName) -> Result<bool, Outage> {
        self.parts.lookup.can_alert(team).await
    }

    /// Whether a calendar alone makes a team: the deployment has a fallback.
    pub fn has_default_fallback(&self) -> bool {
        self.parts.lookup.has_default_fallback()
    }

    /// The team that the configuration names for services that nobody owns.
    pub fn catch_all(&self) -> Option<&TeamName> {
        self.parts.lookup.catch_all()
    }

    /// The calendar days among the next `days`, the one at `at` included, on which nobody is on call for `team`.
    ///
    /// All of them for a team that is not known.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn uncovered_days(
        &self,
        team: &TeamName,
        at: DateTime<Utc>,
        days: u16,
    ) -> Result<Vec<NaiveDate>, Outage> {
        self.parts.lookup.uncovered_days(team, at, days).await
    }

    /// The names of all teams that are known, in order; for people.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        self.parts.lookup.teams().await
    }

    /// The days among the next [`DAYS_AHEAD`] on which nobody is on call, for every team but the canary's.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn uncovered(&self) -> Result<BTreeMap<TeamName, Vec<NaiveDate>>, Outage> {
        self.parts.lookup.uncovered().await
    }

    /// Every known team with who is on call for it now, in the order of their names, no older than this call.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn teams_on_call(&self) -> Result<Vec<TeamOnCall>, Outage> {
        self.parts.lookup.teams_on_call().await
    }

    /// All people and schedules, no older than this call.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn book(&self) -> Result<Arc<Book>, Outage> {
        self.parts.lookup.book().await
    }

    /// Every alert that a report for `service` at `at` would lead to if nobody claimed the incident, in order.
    ///
    /// `None` for a service that nobody owns and no catch-all team takes.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn dry_run(
        &self,
        service: &ServiceName,
        severity: Severity,
        at: DateTime<Utc>,
    ) -> Result<Option<Vec<DryStep>>, Outage> {
        let report = Report::builder(service.as_str(), severity, "dry run").build();
        let report = report.map_err(|e| Outage::permanent("a dry run cannot be reported").because(e))?;
        Ok(self.dry_route(report, at).await?.map(|run| run.steps))
    }

    /// What a report at `at` would lead to: the routing rule that matches, and every alert if nobody claimed the incident.
    ///
    /// `None` for a service that nobody owns and no catch-all team takes.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn dry_route(&self, report: Report, at: DateTime<Utc>) -> Result<Option<DryRun>, Outage> {
        dry_run::dry_run(&self.parts.lookup, report, at).await
    }

    /// What is missing or odd in the roster within the next `days`, by team: one team, or all but the canary's. A team
    /// that is not known is left out.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn coverage(
        &self,
        team: Option<&TeamName>,
        days: u16,
    ) -> Result<BTreeMap<TeamName, Vec<Finding>>, Outage> {
        coverage::coverage(&self.parts.lookup, &self.parts.notifiers, team, days).await
    }

    /// What the roster knows about `person`, who will be handed an incident of `team`.
    ///
    /// The roster knows its people, people in the team's calendar for a week from yesterday, people on call for any team now, and
    /// the fallback of any team.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn receiver(&self, team: &TeamName, person: &Person) -> Result<Receiver, Outage> {
        receiver::receiver(&self.parts.lookup, &self.parts.notifiers, team, person).await
    }

    /// Whom targets mean that somebody calls in to an incident of `team`, for
    /// [`Update::call_in`](crate::plan::Update::call_in).
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn callees(&self, team: &TeamName, targets: &[Target]) -> Result<Callees, Outage> {
        call_in::callees(&self.parts.lookup, &self.parts.notifiers, team, targets).await
    }

    /// Sends one message that is marked as a test by each of a person's methods, all at once, and returns the result of
    /// each after at most eight seconds.
    ///
    /// Stores nothing and never tries again. `None` for a person who is not in the roster. The caller limits how often
    /// this is done.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn test_methods(&self, person: &PersonId) -> Result<Option<Vec<Tested>>, Outage> {
        test_methods::test_methods(&self.parts.lookup, &self.parts.notifiers, person).await
    }
}

/// What people are told about the roster.
impl Engine {
    /// Who is on call for `team` from `from` to `to`, stint by stint; see [`roster::stints`](fn@crate::roster::stints).
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn stints(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Stint>, Outage> {
        let directory = self.parts.roster.directory(team, from, to).await?;
        Ok(roster::stints(&directory, &self.parts.lookup.defaults, from, to))
    }

    /// Who is on call for `team` at `at`, with the reasons. `None` if neither the team nor the deployment has settings.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn explained(&self, team: &TeamName, at: DateTime<Utc>) -> Result<Option<Explained>, Outage> {
        let directory = self.parts.roster.directory(team, at, at).await?;
        Ok(roster::explain(&directory, &self.parts.lookup.defaults, at))
    }

    /// Makes one attempt to send a notice about the roster, and returns within `patience`. Stores nothing.
    pub async fn send_notice(&self, notice: &Alert, patience: Duration) -> Outcome {
        test_methods::send_once(&self.parts.clocks, &self.parts.notifiers, notice, patience).await
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.parts.store)
            .field("roster", &self.parts.roster)
            .field("lease", &self.parts.lease)
            .finish_non_exhaustive()
    }
}
