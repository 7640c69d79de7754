//! Executes the alerts of a message, each separately.

use std::collections::HashMap;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::heartbeats::Received;
use inresponse_core::model::{
    DedupKey, Ended, HeartbeatName, IncidentNumber, Note, Person, Report, ServiceName, State,
};
use inresponse_core::plan::{Refusal, StateChange, TakeOver, Update};
use inresponse_core::store::{ListQuery, Record};
use inresponse_core::{Chain, InvalidInput, Outage};
use inresponse_intake::{
    Covers, FLAPPING_WITHIN, LATE_FOR, OVER_TO_COME, Recovery, Recurrence, Remark, Signal, Standing, Subject,
    Translated, Trouble,
};

use crate::Api;
use crate::caller::Caller;
use crate::carry::by_itself;

/// The number of a message's alerts that are stored at once, so that a store can commit them together.
const AT_ONCE: usize = 128;
/// The maximum difference between the clocks of senders and servers. A recovery that was recorded before an incident
/// counts for it if it is at most this much later than the incident's first report.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(2);
/// When a recovery arrives, at most this many resolved incidents of its service are searched, newest first.
const LOOKED_AT: usize = 2_000;
/// The number of resolved incidents that are read at a time.
const PAGE: usize = 200;

/// The result for one alert of a message.
#[derive(Debug)]
#[must_use]
pub(crate) enum Taken {
    /// The alert opened this new incident.
    Opened(IncidentNumber),
    /// The alert was added to the count of this open incident.
    Counted(IncidentNumber),
    /// The alert resolved this incident.
    Resolved(IncidentNumber),
    /// The alert claimed this incident.
    Acknowledged(IncidentNumber),
    /// The alert released this incident.
    Released(IncidentNumber),
    /// The alert added a note to this incident.
    Noted(IncidentNumber),
    /// By a routing rule, the alert was a ping of this heartbeat.
    Pinged(HeartbeatName),
    /// Nothing needed to be done, for this reason.
    Unchanged(Option<IncidentNumber>, &'static str),
    /// The alert is invalid, however often it is sent.
    Refused(InvalidInput),
    /// The alert could not be stored, because of an outage on our side.
    Failed(Outage),
}

/// Executes all alerts of a message concurrently, but alerts about the same incident in their order.
///
/// The execution completes even if the sender disconnects.
pub(crate) async fn take(api: &Api, sender: &Caller, alerts: Vec<Translated>) -> Vec<Taken> {
    let (api, sender, count) = (api.clone(), sender.clone(), alerts.len());
    let share = sender.lane.share();
    let all = Box::pin(async move { Ok(take_all(&api, &sender, alerts).await) });
    let all = by_itself(share.of(all)).await;
    all.unwrap_or_else(|outage| {
        let failed = |_| Taken::Failed(Outage::unknown(Chain::of(&outage).to_string()));
        (0..count).map(failed).collect()
    })
}

async fn take_all(api: &Api, sender: &Caller, alerts: Vec<Translated>) -> Vec<Taken> {
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(alerts.len());
    taken.resize_with(alerts.len(), || None);
    let mut in_order: HashMap<(ServiceName, Subject), Vec<(usize, Signal)>> = HashMap::new();
    let mut ahead = 0;
    for (i, alert) in alerts.into_iter().enumerate() {
        let about = match &alert {
            Ok(Signal::Report(trouble)) => (trouble.service().clone(), Subject::Key(trouble.key().clone())),
            Ok(Signal::Recovery(recovery)) => (recovery.service.clone(), recovery.subject.clone()),
            Ok(Signal::Acknowledgement(remark) | Signal::Release(remark) | Signal::Note(remark)) => {
                (remark.service.clone(), remark.subject.clone())
            }
            Ok(Signal::Nothing(why)) => {
                ahead += usize::from(*why == OVER_TO_COME);
                taken[i] = Some(Taken::Unchanged(None, why));
                continue;
            }
            Err(invalid) => {
                taken[i] = Some(Taken::Refused(invalid.clone()));
                continue;
            }
        };
        if let Ok(signal) = alert {
            in_order.entry(about).or_default().push((i, signal));
        }
    }
    if ahead > 0 {
        tracing::warn!(key = %sender.key, alerts = ahead, "alerts end in the future: is the sender's clock ahead?");
    }
    let about_one = |signals: Vec<(usize, Signal)>| async move {
        let mut done = Vec::with_capacity(signals.len());
        for (i, signal) in signals {
            done.push((i, one(api, sender, signal).await));
        }
        done
    };
    let mut all = stream::iter(in_order.into_values().map(about_one)).buffer_unordered(AT_ONCE);
    while let Some(done) = all.next().await {
        for (i, one) in done {
            taken[i] = Some(one);
        }
    }
    taken.into_iter().map(|one| one.expect("every alert was grouped, or had its outcome at once")).collect()
}

async fn one(api: &Api, sender: &Caller, signal: Signal) -> Taken {
    let done = async {
        let _turn = sender.lane.turn().await?;
        match signal {
            Signal::Report(trouble) => report(api, sender, &trouble).await,
            Signal::Recovery(recovery) => recover(api, sender, recovery).await,
            Signal::Acknowledgement(remark) => remarked(api, sender, Done::Acknowledged, remark).await,
            Signal::Release(remark) => remarked(api, sender, Done::Released, remark).await,
            Signal::Note(remark) => remarked(api, sender, Done::Noted, remark).await,
            Signal::Nothing(why) => Ok(Taken::Unchanged(None, why)),
        }
    };
    done.await.unwrap_or_else(|outage| {
        tracing::error!(error = %Chain::of(&outage), "an alert was refused");
        Taken::Failed(outage)
    })
}

async fn report(api: &Api, sender: &Caller, trouble: &Trouble) -> Result<Taken, Outage> {
    const LATE: &str = "the alert ended before it arrived";
    let standing = || api.intake().recoveries(sender, |known| known.standing(trouble, api.engine().now()));
    let before = standing();
    let recurrence = match before {
        Standing::Open(recurrence) => recurrence,
        Standing::Late => match noted_long_ago(api, trouble).await? {
            None => return Ok(Taken::Unchanged(None, LATE)),
            Some(recurrence) => recurrence,
        },
    };
    match open(api, sender, trouble.report(recurrence), trouble).await? {
        Taken::Opened(number) if before != Standing::Late && standing() == Standing::Late => {
            // Its recovery came in the meantime and found no open incident yet.
            resolve(api, sender, None, number, StateChange::Resolve, None).await
        }
        taken => Ok(taken),
    }
}

async fn open(
    api: &Api,
    sender: &Caller,
    report: Result<Report, InvalidInput>,
    trouble: &Trouble,
) -> Result<Taken, Outage> {
    let report = match report {
        Ok(report) => report.reported_with(sender.reporter()),
        Err(invalid) => return Ok(Taken::Refused(invalid)),
    };
    let reported = match api.heartbeats().report(report).await? {
        Received::Pinged(heartbeat) => return Ok(Taken::Pinged(heartbeat)),
        Received::Reported(reported) => reported,
    };
    Ok(match reported {
        Reported::New(record) => Taken::Opened(record.number()),
        Reported::Repeat(record) => Taken::Counted(record.number()),
        Reported::UnknownService => {
            let message = format!("no team owns the service `{}`", trouble.service());
            // The log contains it once for the whole message.
            metrics::counter!("inresponse_reports_refused_total", "reason" => "unknown_service").increment(1);
            Taken::Refused(InvalidInput::field("service", message))
        }
    })
}

async fn recover(api: &Api, sender: &Caller, recovery: Recovery) -> Result<Taken, Outage> {
    const OF_ANOTHER: &str = "the recovery belongs to an earlier incident";
    let is_moving = api.intake().recoveries(sender, |known| {
        known.note(&recovery, api.engine().now());
        known.is_moving(&recovery)
    });
    if let Some(trouble) = recovery.or_else.as_ref().filter(|_| is_moving) {
        let (service, key) = (trouble.service().as_str(), trouble.key().as_str());
        tracing::warn!(by = %sender.key, service, key, "an alert's end moves with every message: is its sender's clock behind?");
        // It is not an end, so it does not make a report late either.
        return open(api, sender, trouble.report(Recurrence::Fresh), trouble).await;
    }
    let Some(record) = find(api, sender, &recovery.service, &recovery.subject).await? else {
        return Ok(Taken::Unchanged(None, "no open incident has the alert's dedup key"));
    };
    let change = match ending(api, &recovery, &record).await? {
        Ending::Its(change) => change,
        Ending::OfAnother => return Ok(Taken::Unchanged(Some(record.number()), OF_ANOTHER)),
        Ending::NotedAlready => {
            return Ok(Taken::Unchanged(Some(record.number()), "the recovery is already recorded"));
        }
    };
    resolve(api, sender, recovery.by, record.number(), change, recovery.note).await
}

/// How a recovery relates to the open incident with its key.
enum Ending {
    /// The recovery belongs to the incident, so it has this effect.
    Its(StateChange),
    /// The recovery ended an earlier problem, before the incident.
    OfAnother,
    /// The recovery was already recorded before the incident. Senders repeat recoveries.
    NotedAlready,
}

/// Decides how a recovery relates to an incident. The decision uses only stored data, so that all servers decide alike,
/// whenever they started.
async fn ending(api: &Api, recovery: &Recovery, record: &Record) -> Result<Ending, Outage> {
    let Some(at) = recovery.ended_at else { return Ok(Ending::Its(StateChange::Resolve)) };
    let incident = &record.incident;
    let (opened, detected) = (incident.created_at(), incident.detected_at());
    let (began, is_known) = match recovery.covers {
        Covers::Until(_) if at < detected => return Ok(Ending::OfAnother),
        // A sender that reports every change reports each once.
        Covers::Until(_) => return Ok(Ending::Its(StateChange::Resolve)),
        Covers::Episode(_) if at < detected => return Ok(Ending::OfAnother),
        Covers::Episode(began) => {
            let ended = Ended::new(Some(began), at);
            let is_its_own = ended.began() == Some(detected);
            // Another sender of the same trouble has reported it since: for that one, it is not over.
            if !is_its_own && at <= opened {
                return Ok(Ending::OfAnother);
            }
            (Some(began), at > if is_its_own { opened } else { opened + CLOCKS_DIFFER })
        }
        Covers::None => (None, at > opened + CLOCKS_DIFFER),
    };
    let ended = Ended::new(began, at);
    // A recovery after the incident was opened cannot have been recorded before.
    if !is_known && noted(api, &recovery.service, incident.dedup_key(), ended).await? {
        return Ok(Ending::NotedAlready);
    }
    Ok(Ending::Its(StateChange::End(ended)))
}

/// Whether that recovery resolved a recent incident.
async fn noted(
    api: &Api,
    service: &ServiceName,
    key: Option<&DedupKey>,
    ended: Ended,
) -> Result<bool, Outage> {
    let same = |record: &Record| record.incident.dedup_key() == key && record.incident.ended() == Some(ended);
    Ok(resolved_recently(api, service, same).await?.is_some())
}

/// How a problem recurs whose recovery was recorded too long ago for a late report; `None` if it was not. A process
/// that just started may mistake a repeated recovery for a new one, but the stored incident shows when the recovery was
/// recorded. If the recording is too long ago, the current report comes from another sender.
async fn noted_long_ago(api: &Api, trouble: &Trouble) -> Result<Option<Recurrence>, Outage> {
    let began = trouble.began_at().map(|at| Ended::new(None, at).at());
    let of_it = |record: &Record| {
        record.incident.dedup_key() == Some(trouble.key())
            && record.incident.ended().is_some_and(|ended| ended.began() == began)
    };
    let Some(record) = resolved_recently(api, trouble.service(), of_it).await? else { return Ok(None) };
    let noted_at = record.incident.resolved().map_or(record.incident.updated_at(), |resolved| resolved.at);
    let since = api.engine().now() - noted_at;
    let recurrence = if since <= FLAPPING_WITHIN { Recurrence::Flapping } else { Recurrence::Fresh };
    Ok((since > LATE_FOR).then_some(recurrence))
}

/// The latest resolved incident of a service that matches.
async fn resolved_recently(
    api: &Api,
    service: &ServiceName,
    is_wanted: impl Fn(&Record) -> bool,
) -> Result<Option<Record>, Outage> {
    let _turn = api.intake().look_back().await?;
    let mut query = ListQuery {
        state: Some(State::Resolved),
        service: Some(service.clone()),
        limit: PAGE,
        ..ListQuery::default()
    };
    for _ in 0..LOOKED_AT / PAGE {
        let page = api.engine().list(&query).await?;
        let (read, last) = (page.len(), page.last().map(Record::number));
        if let Some(found) = page.into_iter().find(&is_wanted) {
            return Ok(Some(found));
        }
        if read < PAGE {
            break;
        }
        query.below = last;
    }
    Ok(None)
}

async fn resolve(
    api: &Api,
    sender: &Caller,
    by: Option<Person>,
    number: IncidentNumber,
    change: StateChange,
    note: Option<Note>,
) -> Result<Taken, Outage> {
    let update = by_sender(sender, by, Some(change), note);
    Ok(match api.engine().update(number, &update).await? {
        Updated::Changed(record) if record.incident.state() == State::Resolved => Taken::Resolved(number),
        Updated::Changed(_) | Updated::Unchanged(_) | Updated::Refused(..) => {
            Taken::Unchanged(Some(number), "the incident is already resolved")
        }
        Updated::Absent => Taken::Unchanged(None, "there is no such incident"),
    })
}

/// An action of a person in another monitoring system.
#[derive(Debug, Clone, Copy)]
enum Done {
    Acknowledged,
    Released,
    Noted,
}

async fn remarked(api: &Api, sender: &Caller, done: Done, remark: Remark) -> Result<Taken, Outage> {
    let Some(record) = find(api, sender, &remark.service, &remark.subject).await? else {
        return Ok(Taken::Unchanged(None, "no open incident has the alert's dedup key"));
    };
    let number = record.number();
    let state = match done {
        Done::Acknowledged => Some(StateChange::Claim(TakeOver::No)),
        Done::Released => Some(StateChange::Release(TakeOver::No)),
        Done::Noted => None,
    };
    let update = by_sender(sender, remark.by.clone(), state, remark.note.clone());
    let unchanged = |why| Ok(Taken::Unchanged(Some(number), why));
    match api.engine().update(number, &update).await? {
        Updated::Changed(_) => Ok(match done {
            Done::Acknowledged => Taken::Acknowledged(number),
            Done::Released => Taken::Released(number),
            Done::Noted => Taken::Noted(number),
        }),
        Updated::Unchanged(_) => match done {
            Done::Acknowledged => unchanged("somebody has already claimed the incident"),
            Done::Released => unchanged("nobody has claimed the incident"),
            Done::Noted => unchanged("the request contains no note"),
        },
        Updated::Refused(_, Refusal::ClaimedBy(_)) => {
            // The claimant does not change, but the note is kept.
            if remark.note.is_some() {
                let only = by_sender(sender, remark.by, None, remark.note);
                let _ = api.engine().update(number, &only).await?;
            }
            unchanged(match done {
                Done::Acknowledged => "somebody has already claimed the incident",
                Done::Released | Done::Noted => "somebody else has claimed the incident",
            })
        }
        Updated::Refused(..) => unchanged("the incident is already resolved"),
        Updated::Absent => Ok(Taken::Unchanged(None, "there is no such incident")),
    }
}

/// The person in whose name a sender acts: the name in its message, otherwise the name of its key.
fn by_sender(sender: &Caller, by: Option<Person>, state: Option<StateChange>, note: Option<Note>) -> Update {
    let by = by.unwrap_or_else(|| Person::from(&sender.key));
    Update {
        by,
        key: Some(sender.key.clone()),
        severity: None,
        state,
        note,
        reach: Vec::new(),
        call_in: None,
        asked_at: None,
    }
}

/// Finds the unresolved incident of that service that an alert names, if the sender may act on it.
async fn find(
    api: &Api,
    sender: &Caller,
    service: &ServiceName,
    subject: &Subject,
) -> Result<Option<Record>, Outage> {
    let found = match subject {
        Subject::Key(key) => api.engine().find_open(service, key).await?,
        Subject::Number(number) => {
            let found = api.engine().get(*number).await?;
            found.filter(|r| r.incident.service() == service && r.incident.state() != State::Resolved)
        }
    };
    let Some(record) = found else { return Ok(None) };
    if sender.reported(&record.incident) {
        return Ok(Some(record));
    }
    let (incident, key) = (record.number().value(), sender.key.as_str());
    tracing::warn!(
        incident,
        key,
        "an API key was not allowed to act on an incident that another key reported"
    );
    Ok(None)
}
