//! The command `inresponse watch`: follows the open incidents.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use inresponse_client::{Client, ClientErrorKind as Kind, Incident, ListQuery, Severity, State};

use super::connect::Connect;
use super::report::severity;
use super::{Failure, output};

/// The interval at which the server is asked.
const PERIOD: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Follow only this incident, until it is resolved
    #[arg(conflicts_with_all = ["service", "severity"])]
    number: Option<u64>,
    /// Follow only incidents of this service
    #[arg(long)]
    service: Option<String>,
    /// Follow only incidents of this severity: CRIT, ERR or WARN
    #[arg(long, value_parser = severity)]
    severity: Option<Severity>,
    #[command(flatten)]
    connect: Connect,
}

/// Reads all unresolved incidents, by number.
async fn unresolved(client: &Client, query: &ListQuery) -> Result<BTreeMap<u64, Incident>, Failure> {
    let mut found = BTreeMap::new();
    // In this order, an incident that is claimed between the two queries is seen twice rather than not at all.
    for state in [State::Open, State::Claimed] {
        let mut pages = client.pages(query.clone().state(state).limit(500));
        while let Some(page) = pages.next().await? {
            found.extend(page.incidents.into_iter().map(|incident| (incident.incident_id, incident)));
        }
    }
    Ok(found)
}

pub(super) async fn watch(args: WatchArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let query = args.service.clone().into_iter().fold(ListQuery::new(), ListQuery::service);
    let query = args.severity.into_iter().fold(query, ListQuery::severity);
    let mut known: BTreeMap<u64, Incident> = BTreeMap::new();
    loop {
        let looked = match args.number {
            Some(number) => look_at(&client, number, &known).await,
            None => look(&client, &query, &known).await,
        };
        match looked {
            Ok((now, changed)) => {
                for incident in &changed {
                    match args.connect.json {
                        true => output::json(incident)?,
                        false => output::say(&told(known.get(&incident.incident_id), incident))?,
                    }
                }
                known = now;
                if args.number.is_some() && known.values().all(|i| i.state == State::Resolved) {
                    return Ok(());
                }
            }
            // The command waits for a server that is restarted.
            Err(Failure::Call(error)) if matches!(error.kind(), Kind::Transport | Kind::Overloaded) => {
                output::warn(&format!("{error}; trying again"))?;
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// A line about an incident: when, which, and what changed since it was `known`.
fn told(known: Option<&Incident>, incident: &Incident) -> String {
    let changes = changes(known, incident).join(", ");
    let (at, style) = (output::time(incident.updated_at), output::style_of(incident));
    let Incident { incident_id, severity, service, title, .. } = incident;
    let rest = output::line(&format!("{service}: {title} – {changes}"));
    format!("{at} {style}{incident_id:>6} {severity:<4}{style:#} {rest}")
}

/// What changed since an incident was `known`; its state, if it was not.
fn changes(known: Option<&Incident>, now: &Incident) -> Vec<String> {
    let by = |who: &Option<String>| who.as_deref().map_or_else(String::new, |who| format!(" by {who}"));
    let state = || match &now.state {
        State::Open if known.is_some_and(|was| was.state != State::Open) => "open again".to_owned(),
        State::Open => "open".to_owned(),
        State::Claimed => format!("claimed{}", by(&now.claimed_by)),
        State::Resolved => format!("resolved{}", by(&now.resolved_by)),
        State::Other(word) => word.clone(),
    };
    let Some(was) = known else { return vec![state()] };
    let mut changes = Vec::new();
    let mut note = |is_changed: bool, what: String| {
        if is_changed {
            changes.push(what);
        }
    };
    let is_new_claim = was.claimed_by != now.claimed_by && now.state == State::Claimed;
    note(was.state != now.state || is_new_claim, state());
    note(was.severity != now.severity, format!("severity {} instead of {}", now.severity, was.severity));
    note(was.team != now.team, format!("team {} instead of {}", now.team, was.team));
    note(was.count != now.count, format!("reported {} times", now.count));
    note(was.round != now.round, format!("round {} of alerts", now.round));
    note(was.responders.len() < now.responders.len(), "more people are on it".to_owned());
    note(!was.unclaimed && now.unclaimed, "everybody had their turn and nobody claimed it".to_owned());
    note(!was.undelivered && now.undelivered, "nobody could be reached".to_owned());
    let until = |at: DateTime<Utc>, what: &str| format!("{what} {}", output::time(at));
    if let Some(at) = now.quiet_until.filter(|_| was.quiet_until != now.quiet_until) {
        note(true, until(at, "nobody is alerted until"));
    }
    note(was.quiet_until.is_some() && now.quiet_until.is_none(), "quiet ended".to_owned());
    if let Some(at) = now.claim_ends_at.filter(|_| was.claim_ends_at != now.claim_ends_at) {
        note(true, until(at, "the claim ends at"));
    }
    if let Some(at) = now.next_alert_at.filter(|_| was.next_alert_at != now.next_alert_at) {
        note(true, until(at, "next alert at"));
    }
    if changes.is_empty() {
        changes.push("deliveries or notes changed".to_owned());
    }
    changes
}

/// Reads one incident, which stays in the list when it is resolved.
async fn look_at(
    client: &Client,
    number: u64,
    known: &BTreeMap<u64, Incident>,
) -> Result<(BTreeMap<u64, Incident>, Vec<Incident>), Failure> {
    let incident = client.incident(number).await?.incident;
    let changed = (known.get(&number) != Some(&incident)).then(|| incident.clone());
    Ok((BTreeMap::from([(number, incident)]), changed.into_iter().collect()))
}

/// Reads the unresolved incidents, and those that changed since `known`, sorted by number.
async fn look(
    client: &Client,
    query: &ListQuery,
    known: &BTreeMap<u64, Incident>,
) -> Result<(BTreeMap<u64, Incident>, Vec<Incident>), Failure> {
    let now = unresolved(client, query).await?;
    let mut changed: Vec<_> =
        now.values().filter(|i| known.get(&i.incident_id) != Some(i)).cloned().collect();
    for number in known.keys().filter(|number| !now.contains_key(number)) {
        changed.push(client.incident(*number).await?.incident);
    }
    changed.sort_by_key(|incident| incident.incident_id);
    Ok((now, changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(change: impl FnOnce(&mut serde_json::Value)) -> Incident {
        let mut json = serde_json::json!({
            "incidentId": 10_000, "service": "athens", "team": "devops", "severity": "ERR", "state": "OPEN",
            "title": "5xx", "message": "", "detectedAt": "2026-12-01T08:00:00Z",
            "createdAt": "2026-12-01T08:00:00Z", "updatedAt": "2026-12-01T08:00:00Z", "count": 1, "round": 1,
            "unclaimed": false, "undelivered": false,
        });
        change(&mut json);
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_line_says_what_changed() {
        let first = incident(|_| {});
        assert_eq!(
            told(None, &first).replace('\u{1b}', "").replace("[31m", "").replace("[0m", ""),
            "2026-12-01 08:00:00 UTC  10000 ERR  athens: 5xx – open"
        );
        let claimed = incident(|json| {
            json["state"] = "CLAIMED".into();
            json["claimedBy"] = "jo".into();
        });
        let since = |now: &Incident| changes(Some(&first), now).join(", ");
        assert_eq!(since(&claimed), "claimed by jo");
        assert_eq!(changes(Some(&claimed), &first), ["open again"]);
        let taken = incident(|json| {
            json["state"] = "CLAIMED".into();
            json["claimedBy"] = "kim".into();
        });
        assert_eq!(changes(Some(&claimed), &taken), ["claimed by kim"]);
        let resolved = incident(|json| {
            json["state"] = "RESOLVED".into();
            json["resolvedBy"] = "jo".into();
        });
        assert_eq!(changes(Some(&claimed), &resolved), ["resolved by jo"]);
        let worse = incident(|json| {
            json["severity"] = "CRIT".into();
            json["count"] = 3.into();
            json["nextAlertAt"] = "2026-12-01T08:10:00Z".into();
        });
        assert_eq!(
            since(&worse),
            "severity CRIT instead of ERR, reported 3 times, next alert at 2026-12-01 08:10:00 UTC"
        );
        let noted = incident(|json| json["updatedAt"] = "2026-12-01T08:01:00Z".into());
        assert_eq!(since(&noted), "deliveries or notes changed");
    }
}
