//! Does what the alerts of a message ask for, each by itself.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::model::{IncidentNumber, Person, ServiceName, State};
use inresponse_core::plan::{Refusal, StateChange, TakeOver, Update};
use inresponse_core::store::Record;
use inresponse_core::{InvalidInput, Outage};
use inresponse_intake::{Acknowledgement, Covers, Recovery, Signal, Standing, Subject, Translated, Trouble};

use crate::Api;
use crate::keys::Sender;
use crate::limits::by_itself;
use crate::problem::cause;
use crate::routes::incidents::refused_report;

/// How many alerts of a message are stored at once, so that a store can commit them together.
const AT_ONCE: usize = 128;

/// What became of one alert.
#[derive(Debug)]
#[must_use]
pub(crate) enum Taken {
    /// A new incident.
    Opened(IncidentNumber),
    /// Counted in an open incident.
    Counted(IncidentNumber),
    /// It resolved that incident.
    Resolved(IncidentNumber),
    /// It claimed that incident.
    Acknowledged(IncidentNumber),
    /// There was nothing to be done, and why.
    Unchanged(Option<IncidentNumber>, &'static str),
    /// It cannot be taken, however often it is sent.
    Refused(InvalidInput),
    /// It could not be stored, for reasons of our own.
    Failed(Outage),
}

/// Does what every alert asks for, in whatever order, but in their order where they are about the same trouble.
///
/// Carried through even if the sender goes away.
pub(crate) async fn take(api: &Api, sender: &Sender, alerts: Vec<Translated>) -> Vec<Taken> {
    let (api, sender, count) = (api.clone(), sender.clone(), alerts.len());
    let all = by_itself(async move { Ok(take_all(&api, &sender, alerts).await) }).await;
    all.unwrap_or_else(|outage| {
        let failed = |_| Taken::Failed(Outage::unknown(outage.to_string()));
        (0..count).map(failed).collect()
    })
}

async fn take_all(api: &Api, sender: &Sender, alerts: Vec<Translated>) -> Vec<Taken> {
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(alerts.len());
    taken.resize_with(alerts.len(), || None);
    let mut in_order: HashMap<(ServiceName, Subject), Vec<(usize, Signal)>> = HashMap::new();
    for (i, alert) in alerts.into_iter().enumerate() {
        let about = match &alert {
            Ok(Signal::Report(trouble)) => (trouble.service().clone(), Subject::Key(trouble.key().clone())),
            Ok(Signal::Recovery(recovery)) => (recovery.service.clone(), recovery.subject.clone()),
            Ok(Signal::Acknowledgement(ack)) => (ack.service.clone(), ack.subject.clone()),
            Ok(Signal::Nothing(why)) => {
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

async fn one(api: &Api, sender: &Sender, signal: Signal) -> Taken {
    let by = &sender.name;
    let done = async {
        let _turn = sender.lane.turn().await?;
        match signal {
            Signal::Report(trouble) => report(api, by, &trouble).await,
            Signal::Recovery(recovery) => recover(api, by, recovery).await,
            Signal::Acknowledgement(ack) => acknowledge(api, by, ack).await,
            Signal::Nothing(why) => Ok(Taken::Unchanged(None, why)),
        }
    };
    done.await.unwrap_or_else(|outage| {
        tracing::error!(error = %outage, cause = cause(&outage), "an alert was not taken");
        Taken::Failed(outage)
    })
}

async fn report(api: &Api, by: &Person, trouble: &Trouble) -> Result<Taken, Outage> {
    const LATE: &str = "it was over before it came";
    let standing = || api.intake().recoveries().standing(trouble, api.engine().now());
    let recurrence = match standing() {
        Standing::Open(recurrence) => recurrence,
        Standing::Late => return Ok(Taken::Unchanged(None, LATE)),
    };
    let report = match trouble.report(recurrence) {
        Ok(report) => report,
        Err(invalid) => return Ok(Taken::Refused(invalid)),
    };
    match api.engine().report(report).await? {
        Reported::New(record) => match standing() {
            Standing::Open(_) => Ok(Taken::Opened(record.number())),
            // Its recovery came meanwhile and found nothing open yet.
            Standing::Late => resolve(api, by, record.number()).await,
        },
        Reported::Repeat(record) => Ok(Taken::Counted(record.number())),
        Reported::UnknownService => {
            let message = format!("no team answers for the service `{}`", trouble.service());
            refused_report(by, "unknown_service", &message);
            Ok(Taken::Refused(InvalidInput::field("service", message)))
        }
    }
}

async fn recover(api: &Api, by: &Person, recovery: Recovery) -> Result<Taken, Outage> {
    api.intake().recoveries().note(&recovery, api.engine().now());
    let Some(record) = find(api, &recovery.service, &recovery.subject).await? else {
        return Ok(Taken::Unchanged(None, "nothing is open under its key"));
    };
    let tells_times = match recovery.covers {
        Covers::Episode(_) | Covers::Until(_) => true,
        Covers::None => false,
    };
    let began = record.incident.detected_at();
    if tells_times && recovery.ended_at.is_some_and(|ended| ended < began) {
        return Ok(Taken::Unchanged(Some(record.number()), "it is the end of trouble before this incident"));
    }
    resolve(api, recovery.by.as_ref().unwrap_or(by), record.number()).await
}

async fn resolve(api: &Api, by: &Person, number: IncidentNumber) -> Result<Taken, Outage> {
    let update = Update::state(by.clone(), StateChange::Resolve);
    Ok(match api.engine().update(number, &update).await? {
        Updated::Changed(_) => Taken::Resolved(number),
        Updated::Unchanged(_) | Updated::Refused(..) => {
            Taken::Unchanged(Some(number), "it is resolved already")
        }
        Updated::Absent => Taken::Unchanged(None, "there is no such incident"),
    })
}

async fn acknowledge(api: &Api, by: &Person, ack: Acknowledgement) -> Result<Taken, Outage> {
    let Some(record) = find(api, &ack.service, &ack.subject).await? else {
        return Ok(Taken::Unchanged(None, "nothing is open under its key"));
    };
    let number = record.number();
    let update = Update::state(ack.by.unwrap_or_else(|| by.clone()), StateChange::Claim(TakeOver::No));
    Ok(match api.engine().update(number, &update).await? {
        Updated::Changed(_) => Taken::Acknowledged(number),
        Updated::Unchanged(_) | Updated::Refused(_, Refusal::ClaimedBy(_)) => {
            Taken::Unchanged(Some(number), "somebody has claimed it already")
        }
        Updated::Refused(..) => Taken::Unchanged(Some(number), "it is resolved already"),
        Updated::Absent => Taken::Unchanged(None, "there is no such incident"),
    })
}

/// The incident that is meant, if it is not resolved and of that service.
async fn find(api: &Api, service: &ServiceName, subject: &Subject) -> Result<Option<Record>, Outage> {
    match subject {
        Subject::Key(key) => api.engine().open(service, key).await,
        Subject::Number(number) => {
            let found = api.engine().get(*number).await?;
            Ok(found.filter(|r| r.incident.service() == service && r.incident.state() != State::Resolved))
        }
    }
}
