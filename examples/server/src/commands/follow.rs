//! The command `inresponse watch`: follows the open incidents.

use std::collections::BTreeMap;
use std::time::Duration;

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
    let print = |incident: &Incident| match args.connect.json {
        true => output::json(incident),
        false => output::say(&output::row(incident)),
    };
    if !args.connect.json {
        output::say(&output::header())?;
    }
    let mut known: BTreeMap<u64, Incident> = BTreeMap::new();
    loop {
        let looked = match args.number {
            Some(number) => look_at(&client, number, &known).await,
            None => look(&client, &query, &known).await,
        };
        match looked {
            Ok((now, changed)) => {
                changed.iter().try_for_each(print)?;
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
