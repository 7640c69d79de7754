//! The users of the system: monitoring that reports, people who act, and the editor of the roster.

mod call_in;
mod claim_all;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use call_in::call_in;
pub use claim_all::claim_all;
use inresponse_core::Outage;
use inresponse_core::engine::{Answered, Reported, Updated};
use inresponse_core::model::{
    DedupKey, DeliveryId, IncidentNumber, KeyName, Note, Person, Report, Scheme, Severity,
};
use inresponse_core::plan::{self, StateChange, TakeOver, Update, Wanted};

use crate::fault::Fault;
use crate::history::{Answer, AnswerCall, Read, Reply, ReportCall, UpdateCall, Verdict};
use crate::rng::Rng;
use crate::routes;
use crate::scenario::{self, Claims, Roster};
use crate::schedules::Draw;
use crate::silences::{Quiet, Quieting, labels};
use crate::stage::Stage;
use crate::world::{MILLI, Micros, SECOND};

/// How long after a change of a wall clock due work may come later than promised.
pub const CLOCK_SETTLES: Micros = 32 * SECOND;

/// The maximum number of times that monitoring sends an unanswered report, including the first.
const TRIES: u32 = 6;

/// Sends a report. A report with a dedup key is sent again until it is answered.
pub async fn report(stage: Arc<Stage>, mut rng: Rng) {
    let service = if rng.chance(40) { "nobody" } else { *rng.pick(&["s0", "s0", "s1", "s2"]) };
    let key = rng.chance(500).then(|| rng.pick(&["k0", "k1"]).to_string());
    let severity = *rng.pick(&[Severity::Warn, Severity::Err, Severity::Crit, Severity::Crit]);
    for _ in 0..TRIES {
        let again = report_once(&stage, service, key.as_deref(), severity).await;
        if !again || key.is_none() {
            return;
        }
        stage.world.sleep(rng.between(50 * MILLI, 2 * SECOND)).await;
    }
}

/// Sends a report once, and returns whether it went unanswered.
async fn report_once(stage: &Arc<Stage>, service: &str, key: Option<&str>, severity: Severity) -> bool {
    let (process, engine) = stage.some().await;
    let routing = routes::labels(key, severity);
    let forecast = stage.forecast(process, service, severity, &routing).await;
    let (i, title, labels) = {
        let mut state = stage.world.lock();
        let (began, i) = (state.now(), state.history.reports.len());
        let title = format!("r{i}");
        let mut labels = match stage.scenario.quiet {
            Quiet::Used { .. } => labels(i),
            Quiet::Unused => BTreeMap::new(),
        };
        labels.extend(routing);
        state.history.reports.push(ReportCall {
            began,
            ended: None,
            process,
            service: service.into(),
            key: key.map(str::to_owned),
            severity,
            labels: labels.clone(),
            title: title.clone(),
            forecast,
            answer: Answer::Waiting,
        });
        (i, title, labels)
    };
    let mut report = Report::builder(service, severity, title).message(format!("message of r{i}"));
    for (name, value) in labels {
        report = report.label(name, value);
    }
    if let Some(key) = key {
        report = report.dedup_key(DedupKey::new(key).expect("a plain key").as_str());
    }
    let report = report.build().expect("the report of a scenario is valid");
    stage
        .world
        .note(|| format!("report r{i} for {service}, key {key:?}, {severity}, to server {}", process.host));
    let answer = match stage.world.within(process, async move { engine.report(report).await }).await {
        Some(Ok(Reported::New(record))) => Answer::Got(Reply::New(record)),
        Some(Ok(Reported::Repeat(record))) => Answer::Got(Reply::Repeat(record)),
        Some(Ok(Reported::UnknownService)) => Answer::Got(Reply::UnknownService),
        Some(Err(error)) => Answer::Failed(error.kind()),
        None => Answer::Lost,
    };
    stage.world.note(|| match &answer {
        Answer::Got(Reply::New(record)) => format!("report r{i} is answered {}", record.number()),
        Answer::Got(Reply::Repeat(record)) => format!("report r{i} is a repeat of {}", record.number()),
        other => format!("report r{i} is answered {other:?}"),
    });
    let alerting = match &answer {
        Answer::Got(Reply::New(record) | Reply::Repeat(record)) => Some(record.number()),
        _ => None,
    };
    let again = matches!(answer, Answer::Failed(_) | Answer::Lost);
    let mut state = stage.world.lock();
    let now = state.now();
    let call = &mut state.history.reports[i];
    (call.ended, call.answer) = (Some(now), answer);
    drop(state);
    if let Some(number) = alerting {
        stage.begin_execution(number);
    }
    again
}

/// The number of an incident that somebody knows from an answer or an alert.
fn known(stage: &Stage, rng: &mut Rng) -> Option<IncidentNumber> {
    let state = stage.world.lock();
    let answered = state.history.reports.iter().filter_map(|call| match call.answer.got()? {
        Reply::New(record) | Reply::Repeat(record) => Some(record.number()),
        Reply::UnknownService => None,
    });
    let received = state.history.sends.iter().filter(|s| s.arrived.is_some()).map(|s| s.number);
    let mut known: Vec<_> = answered.chain(received).collect();
    known.sort();
    known.dedup();
    (!known.is_empty()).then(|| *rng.pick(&known))
}

/// A person updates some incident.
pub async fn act(stage: Arc<Stage>, mut rng: Rng) {
    let number = if rng.chance(20) { Some(IncidentNumber::new(77)) } else { known(&stage, &mut rng) };
    let Some(number) = number else { return };
    let by = actor(&stage, &mut rng);
    let over = if rng.chance(250) { TakeOver::Yes } else { TakeOver::No };
    // Where claims are long, most people claim and snooze.
    let claims = stage.scenario.claims == Claims::Long && rng.chance(600);
    let request = match if claims { *rng.pick(&[0, 0, 10]) } else { rng.below(14) } {
        0..4 => Some(StateChange::Claim(over)),
        4..6 => Some(StateChange::Release(over)),
        6 => Some(StateChange::Resolve),
        // What is planned ends by itself, often before its silence does.
        11 | 12 if matches!(stage.scenario.quiet, Quiet::Used { .. }) => Some(StateChange::Resolve),
        7 => Some(StateChange::HandTo(anybody(&mut rng))),
        8 => {
            let to = *rng.pick(&["t0", "t1", "t1", "nobody"]);
            Some(StateChange::HandToTeam(scenario::team(to)))
        }
        9 => Some(StateChange::Escalate),
        10 => {
            let (shortest, longest) = stage.scenario.claims.snoozes();
            Some(StateChange::Snooze(Duration::from_secs(rng.between(shortest, longest))))
        }
        _ => None,
    };
    let severity = rng.chance(250).then(|| *rng.pick(&Severity::ALL));
    let note = (rng.chance(200) || (request.is_none() && severity.is_none())).then(|| note("looking"));
    update(
        &stage,
        number,
        Update {
            by: by.clone(),
            key: None,
            severity,
            state: request,
            note,
            reach: Vec::new(),
            call_in: None,
            asked_at: None,
        },
    )
    .await;
    // Two people at once, now and then: claims that race.
    if rng.chance(300) {
        let other = person(&mut rng);
        update(&stage, number, Update::state(other, StateChange::Claim(TakeOver::No))).await;
    }
}

/// Two people claim the same incident at the same time.
pub async fn race(stage: Arc<Stage>, mut rng: Rng) {
    let Some(number) = known(&stage, &mut rng) else { return };
    let claim = |name: &str| {
        let by = Person::new(name).expect("a plain name");
        let stage = Arc::clone(&stage);
        async move { update(&stage, number, Update::state(by, StateChange::Claim(TakeOver::No))).await }
    };
    tokio::join!(biased; claim("jo"), claim("kim"));
}

/// A person writes many notes.
pub async fn write(stage: Arc<Stage>, mut rng: Rng, notes: u64) {
    let Some(number) = known(&stage, &mut rng) else { return };
    for _ in 0..notes {
        let note = Some(note(&"long \"story\" ".repeat(150)));
        update(
            &stage,
            number,
            Update {
                by: person(&mut rng),
                key: None,
                severity: None,
                state: None,
                note,
                reach: Vec::new(),
                call_in: None,
                asked_at: None,
            },
        )
        .await;
    }
}

/// The person who acts.
fn actor(stage: &Stage, rng: &mut Rng) -> Person {
    match stage.scenario.claims {
        Claims::Short => person(rng),
        Claims::Long => anybody(rng),
    }
}

fn person(rng: &mut Rng) -> Person {
    Person::new(rng.pick(&["jo", "kim", "lee"])).expect("a plain name")
}

/// A random person, by name or by an address at which they can be notified.
fn anybody(rng: &mut Rng) -> Person {
    if rng.chance(500) {
        return person(rng);
    }
    let contact = scenario::contact(&format!("c{}", rng.below(7)));
    Person::new(contact.as_str()).expect("the address of a contact is a valid name")
}

fn note(text: &str) -> Note {
    Note::new(text).expect("a short text")
}

fn verdict(updated: Updated) -> Verdict {
    match updated {
        Updated::Changed(record) => Verdict::Changed(record),
        Updated::Unchanged(record) => Verdict::Unchanged(record),
        Updated::Refused(record, refusal) => Verdict::Refused(record, refusal),
        Updated::Absent => Verdict::Absent,
    }
}

async fn update(stage: &Arc<Stage>, number: IncidentNumber, update: Update) {
    let (process, engine) = stage.some().await;
    let i = begin_update(stage, number, update.clone(), None);
    let work = async move { Ok(verdict(engine.update(number, &update).await?)) };
    let answer = stage.world.within(process, work).await;
    end_update(stage, i, number, answer);
}

/// Somebody answers an alert over its channel: from the right account or from another one, in time or late, and
/// sometimes a message that was never sent.
pub async fn answer(stage: Arc<Stage>, mut rng: Rng) {
    let (i, sent) = {
        let state = stage.world.lock();
        let arrived = state.history.sends.iter().enumerate().filter(|(_, sent)| sent.arrived.is_some());
        let arrived: Vec<_> = arrived.map(|(i, sent)| (i, sent.clone())).collect();
        if arrived.is_empty() {
            return;
        }
        rng.pick(&arrived).clone()
    };
    let wants = *rng.pick(&[Wanted::Claim, Wanted::Claim, Wanted::Resolve, Wanted::Escalate]);
    let is_sent = !rng.chance(50);
    let id = if is_sent { sent.delivery.clone() } else { format!("{}-9-9-9-x", sent.number) };
    let from = match rng.below(4) {
        0 => None,
        1 => Some(scenario::contact(&format!("c{}", rng.below(7)))),
        _ => Some(sent.contact.clone()),
    };
    let by = match &sent.person {
        Some((person, _)) => Person::from(person),
        None => Person::new(sent.contact.address()).expect("the address of a contact is a valid name"),
    };
    let change = match wants {
        Wanted::Claim => StateChange::Claim(TakeOver::No),
        Wanted::Resolve => StateChange::Resolve,
        Wanted::Escalate => StateChange::Escalate,
    };
    let answer = plan::Answer {
        to: plan::AnswerTo::Delivery(DeliveryId::read(&id).expect("the id of a delivery")),
        from: from.clone(),
        account: None,
        wants,
        counts_in: None,
        over: KeyName::channel(&Scheme::mailto()),
    };
    // Some channels send everything twice.
    let times = if rng.chance(300) { 2 } else { 1 };
    for _ in 0..times {
        let (process, engine) = stage.some().await;
        let over = AnswerCall { to: is_sent.then_some(i), from: from.clone() };
        let update = Update::state(by.clone(), change.clone());
        let call = begin_update(&stage, sent.number, update, Some(over));
        let (answer, number) = (answer.clone(), sent.number);
        let work = async move {
            Ok(match engine.answer(number, answer).await? {
                Answered::Done(record, ..) => Verdict::Changed(record),
                Answered::Already(record, _) => Verdict::Unchanged(record),
                Answered::Refused(record, refusal) => Verdict::Refused(record, refusal),
                Answered::Absent => Verdict::Absent,
            })
        };
        let answer = stage.world.within(process, work).await;
        end_update(&stage, call, sent.number, answer);
    }
}

/// Records that an update is requested, and returns its index.
fn begin_update(stage: &Stage, number: IncidentNumber, update: Update, over: Option<AnswerCall>) -> usize {
    let i = {
        let mut state = stage.world.lock();
        let (began, i) = (state.now(), state.history.updates.len());
        let (update, over, answer) = (update.clone(), over.clone(), Answer::Waiting);
        state.history.updates.push(UpdateCall { began, ended: None, number, update, over, answer });
        i
    };
    stage.world.note(|| {
        let how = over.map(|over| format!(", an answer: {over:?}")).unwrap_or_default();
        format!("update {i} of {number} by {}: {:?} {:?}{how}", update.by, update.state, update.severity)
    });
    i
}

/// Records the answer to an update.
fn end_update(stage: &Arc<Stage>, i: usize, number: IncidentNumber, answer: Option<Result<Verdict, Outage>>) {
    let answer = match answer {
        Some(Ok(verdict)) => Answer::Got(verdict),
        Some(Err(error)) => Answer::Failed(error.kind()),
        None => Answer::Lost,
    };
    stage.world.note(|| {
        let word = match &answer {
            Answer::Got(Verdict::Changed(r)) => {
                format!("done, {} at {}", r.incident.state(), r.version.value())
            }
            Answer::Got(Verdict::Unchanged(_)) => "it was so".into(),
            Answer::Got(Verdict::Refused(_, refusal)) => refusal.to_string(),
            other => format!("{other:?}"),
        };
        format!("update {i} is answered: {word}")
    });
    let alerting = matches!(&answer, Answer::Got(Verdict::Changed(_)));
    let mut state = stage.world.lock();
    let now = state.now();
    let call = &mut state.history.updates[i];
    (call.ended, call.answer) = (Some(now), answer);
    drop(state);
    if alerting {
        stage.begin_execution(number);
    }
}

/// A person reads an incident.
pub async fn read(stage: &Arc<Stage>, rng: &mut Rng) {
    let Some(number) = known(stage, rng) else { return };
    let (process, engine) = stage.some().await;
    let began = stage.world.now();
    let work = async move { engine.get(number).await };
    if let Some(Ok(Some(record))) = stage.world.within(process, work).await {
        let mut state = stage.world.lock();
        let ended = state.now();
        state.history.reads.push(Read { began, ended, record });
    }
}

/// Reads the census once.
pub async fn census(stage: &Arc<Stage>) {
    let (process, engine) = stage.some().await;
    if let Some(Ok(census)) = stage.world.within(process, async move { engine.census().await }).await {
        let mut state = stage.world.lock();
        let now = state.now();
        state.history.censuses.push((now, process.host, census));
    }
}

/// Sets the whole roster before the run begins.
pub fn put_roster(stage: &Stage) {
    stage.world.lock().history.put_roster(0, stage.scenario.roster.clone());
}

/// A person edits a person, a schedule, an override or the levels of a team.
pub async fn edit_schedules(stage: Arc<Stage>, mut rng: Rng) {
    let (process, engine) = stage.some().await;
    let edits = {
        let state = stage.world.lock();
        let Some((_, roster)) = state.history.rosters.last() else { return };
        Draw { rng: &mut rng, base: stage.world.base }.edits(roster)
    };
    let by = person(&mut rng);
    stage.world.note(|| format!("{by} edits the roster: {edits:?}"));
    let work = async move { engine.edit_roster(&by, &edits).await };
    let answer = match stage.world.within(process, work).await {
        Some(Ok(edited)) => Answer::Got(edited),
        Some(Err(error)) => Answer::Failed(error.kind()),
        None => Answer::Lost,
    };
    stage.world.note(|| format!("the edit is answered {answer:?}"));
    stage.world.lock().history.edits.push(answer);
}

/// A person makes, changes or lifts a silence, or changes alert hours.
pub async fn edit_silences(stage: Arc<Stage>, mut rng: Rng) {
    let (process, engine) = stage.some().await;
    let edits = {
        let state = stage.world.lock();
        let Some((_, roster)) = state.history.rosters.last() else { return };
        let (base, chaos) = (stage.world.base, stage.scenario.chaos);
        Quieting { rng: &mut rng, base, chaos }.edits(roster)
    };
    let by = person(&mut rng);
    stage.world.note(|| format!("{by} edits silences: {edits:?}"));
    let work = async move { engine.edit_roster(&by, &edits).await };
    let answer = stage.world.within(process, work).await;
    stage.world.note(|| format!("the edit is answered {answer:?}"));
}

/// An editor changes the roster.
pub fn edit(stage: &Stage, rng: &mut Rng) {
    let mut roster: Roster = match stage.world.lock().history.rosters.last() {
        Some((_, roster)) => roster.clone(),
        None => return,
    };
    let (name, other) = if rng.chance(600) { ("t0", "t1") } else { ("t1", "t0") };
    let what = edit_team(stage, rng, &mut roster, name, other);
    let mut state = stage.world.lock();
    let now: Micros = state.now();
    state.history.put_roster(now, roster);
    drop(state);
    stage.world.note(|| format!("the roster of {name} is edited: {what}"));
}

/// Changes a team, and returns a description of the change.
fn edit_team(stage: &Stage, rng: &mut Rng, roster: &mut Roster, name: &str, other: &str) -> &'static str {
    let service = *rng.pick(&["s0", "s1", "s2"]);
    let Some(plan) = roster.teams.get_mut(name) else {
        roster.teams.insert(name.into(), scenario::team_plan(rng, stage.scenario.base, false));
        return "the team is created again";
    };
    let day = plan.day(stage.world.wall_at(stage.world.now(), 0));
    match rng.below(9) {
        0 | 1 => {
            roster.services.insert(service.into(), name.into());
            "the team owns another service"
        }
        2 => {
            let fresh = scenario::team_plan(rng, stage.scenario.base, false);
            (plan.wait, plan.fallback, plan.repeat) = (fresh.wait, fresh.fallback, fresh.repeat);
            "settings"
        }
        3 | 4 => {
            plan.calendar.insert(day, scenario::levels(rng));
            "a new calendar entry for today"
        }
        5 => {
            plan.calendar.remove(&day);
            "the calendar entry for today is deleted"
        }
        6 => {
            // Other tools may write it this way.
            roster.services.insert(service.into(), "t2".into());
            "the service of a team without settings and calendar"
        }
        7 => {
            roster.services.remove(service);
            "a service is deleted"
        }
        _ => {
            roster.delete_team(name);
            if roster.teams.contains_key(other) && rng.chance(500) {
                let given = roster.services.values_mut().filter(|owner| *owner == name);
                given.for_each(|owner| *owner = other.into());
            } else {
                roster.services.retain(|_, owner| owner != name);
            }
            "it is deleted"
        }
    }
}

/// Changes a machine's wall clock.
pub fn jump(stage: &Stage, rng: &mut Rng) {
    let all = [Fault::ClockForward, Fault::ClockBack, Fault::ClockFarForward, Fault::ClockFarBack];
    let rates = &stage.scenario.rates;
    let kinds: Vec<_> = all.into_iter().filter(|f| rates[*f as usize] > 0).collect();
    if kinds.is_empty() {
        return;
    }
    let kind = *rng.pick(&kinds);
    let year = 365 * 86_400 * SECOND;
    let far = match rng.below(3) {
        0 => rng.between(60 * SECOND, 7200 * SECOND),
        1 => rng.between(86_400 * SECOND, year),
        _ => rng.between(year, 10 * year),
    };
    let near = rng.between(SECOND, 30 * SECOND);
    let signed = |by: Micros| i64::try_from(by).unwrap_or(0);
    let by = match kind {
        Fault::ClockForward => signed(near),
        Fault::ClockBack => -signed(near),
        Fault::ClockFarForward => signed(far),
        _ => -signed(far),
    };
    let host = usize::try_from(rng.below(stage.scenario.hosts as u64)).unwrap_or(0);
    let mut state = stage.world.lock();
    if !state.faults.take(kind) {
        return;
    }
    let now = state.now();
    let to = now + CLOCK_SETTLES;
    let disturbance = crate::history::Disturbance { from: now, to, host: Some(host), fault: kind };
    state.history.disturbed(disturbance);
    let offset = state.offset(host) + by;
    state.set_offset(host, offset);
    drop(state);
    stage.world.note(|| format!("the wall clock of server {host} jumps by {} s", by / 1_000_000));
}
