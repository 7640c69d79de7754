//! The command `inresponse list`.

use std::collections::BTreeMap;

use clap::Args;
use inresponse_client::{Client, ClientError, Incident, ListQuery, Severity, State};

use super::connect::Connect;
use super::report::severity;
use super::{Failure, output};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List only incidents in this state: OPEN, CLAIMED or RESOLVED (default: OPEN and CLAIMED)
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// List resolved incidents too. This is the default with --json
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// List only incidents of this service
    #[arg(long)]
    service: Option<String>,
    /// List only incidents of this team
    #[arg(long)]
    team: Option<String>,
    /// List only incidents of this severity: CRIT, ERR or WARN
    #[arg(long, value_parser = severity)]
    severity: Option<Severity>,
    /// The maximum number of incidents to list
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Do not shorten lines to 80 columns
    #[arg(long)]
    wide: bool,
    #[command(flatten)]
    connect: Connect,
}

fn state(text: &str) -> Result<State, String> {
    match text.to_ascii_uppercase().as_str() {
        "OPEN" => Ok(State::Open),
        "CLAIMED" => Ok(State::Claimed),
        "RESOLVED" => Ok(State::Resolved),
        _ => Err("must be OPEN, CLAIMED or RESOLVED".to_owned()),
    }
}

pub(super) async fn list(args: ListArgs) -> Result<(), Failure> {
    let query = args.service.into_iter().fold(ListQuery::new(), ListQuery::service);
    let query = args.team.into_iter().fold(query, ListQuery::team);
    let query = args.severity.into_iter().fold(query, ListQuery::severity);
    let is_active_only = args.state.is_none() && !args.all && !args.connect.json;
    let queries = if is_active_only {
        // In this order, an incident that is claimed between the two queries is seen twice rather than not at all.
        vec![query.clone().state(State::Open), query.state(State::Claimed)]
    } else {
        vec![args.state.into_iter().fold(query, ListQuery::state)]
    };
    let client = args.connect.client()?;
    let mut found = BTreeMap::new();
    for query in queries {
        let listed = newest(&client, query, args.limit).await?;
        found.extend(listed.into_iter().map(|incident| (incident.incident_id, incident)));
    }
    let incidents: Vec<_> = found.into_values().rev().take(args.limit).collect();
    if args.connect.json {
        output::json(&incidents)?;
        return Ok(());
    }
    let width = if args.wide { output::Width::Whole } else { output::Width::Columns80 };
    output::say(&output::header_of(width))?;
    for incident in &incidents {
        output::say(&output::row_of(incident, width))?;
    }
    Ok(())
}

/// At most so many incidents of a list.
async fn newest(client: &Client, query: ListQuery, limit: usize) -> Result<Vec<Incident>, ClientError> {
    let mut pages = client.pages(query.limit(limit.clamp(1, 500)));
    let mut incidents = Vec::new();
    while incidents.len() < limit
        && let Some(page) = pages.next().await?
    {
        incidents.extend(page.incidents);
    }
    incidents.truncate(limit);
    Ok(incidents)
}
