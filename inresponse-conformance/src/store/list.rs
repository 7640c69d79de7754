//! Laws for the list of incidents that people see.

use inresponse_core::model::{IncidentNumber, Report, Severity, State, TeamName};
use inresponse_core::store::{ListQuery, Record, Store};

use super::acts::{ALL, commit, listed, new, numbers, repeat};
use crate::Harness;
use crate::scene::{at, claimed, handed_to, keyed, opening, report, resolved, service, with_severity};
use crate::waiting::eventually;

/// The team that has the incidents that were handed over.
const OTHER_TEAM: &str = "conformance/other";

/// The list contains whole records, by descending number, whenever they last changed.
pub async fn the_list_is_newest_first<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for i in 0..6 {
        records.push(new(&store, opening(keyed("athens", &format!("key {i}")), at(100 - i))).await);
    }
    records[1] = commit(&store, &records[1], claimed(&records[1].incident, "jo", at(200))).await;
    records[4] = repeat(&store, opening(keyed("athens", "key 4"), at(300))).await;
    records.reverse();
    let query = ListQuery { limit: ALL, ..ListQuery::default() };
    eventually(&records, || async { store.list(&query).await.expect("the store lists") }).await;
}

/// Creates two incidents of every service, severity and state, one of them handed to another team. Some incidents get
/// these values by a commit. Returns them newest first.
async fn one_of_each(store: &impl Store) -> Vec<Record> {
    let mut records = Vec::new();
    for (second, name) in ["athens", "sparta", "athens", "sparta"].into_iter().enumerate() {
        for severity in Severity::ALL {
            for state in State::ALL {
                let now = at(second as i64);
                let reported_as = if second < 2 { severity } else { Severity::Err };
                let mut record =
                    new(store, opening(Report::builder(name, reported_as, "something is wrong"), now)).await;
                if reported_as != severity {
                    record = commit(store, &record, with_severity(&record.incident, severity, now)).await;
                }
                if second == 1 || second == 2 {
                    record = commit(store, &record, handed_to(&record.incident, OTHER_TEAM, now)).await;
                }
                record = match state {
                    State::Open => record,
                    State::Claimed => commit(store, &record, claimed(&record.incident, "jo", now)).await,
                    State::Resolved => commit(store, &record, resolved(&record.incident, now)).await,
                };
                records.push(record);
            }
        }
    }
    records.reverse();
    records
}

/// Every combination of state, service, severity and team.
fn all_filters() -> Vec<ListQuery> {
    let services = [None, Some("athens"), Some("sparta"), Some("nowhere"), Some("athen"), Some("a%")];
    let with_none = |all: Vec<_>| [None].into_iter().chain(all.into_iter().map(Some)).collect::<Vec<_>>();
    let mut queries = Vec::new();
    for state in [None, Some(State::Open), Some(State::Claimed), Some(State::Resolved)] {
        for name in services {
            for severity in with_none(Severity::ALL.to_vec()) {
                queries.push(ListQuery {
                    state,
                    service: name.map(service),
                    team: None,
                    severity,
                    below: None,
                    limit: ALL,
                });
            }
        }
    }
    let without_team = queries.clone();
    for name in ["conformance", OTHER_TEAM, "nobody", "conform"] {
        let team = Some(TeamName::new(name).unwrap());
        queries.extend(without_team.iter().map(|query| ListQuery { team: team.clone(), ..query.clone() }));
    }
    queries
}

fn wanted(records: &[Record], query: &ListQuery) -> Vec<IncidentNumber> {
    let matches = |record: &&Record| {
        let incident = &record.incident;
        query.state.is_none_or(|state| incident.state() == state)
            && query.service.as_ref().is_none_or(|service| incident.service() == service)
            && query.team.as_ref().is_none_or(|team| incident.team() == team)
            && query.severity.is_none_or(|severity| incident.severity() == severity)
            && query.below.is_none_or(|below| record.number() < below)
    };
    records.iter().filter(matches).map(Record::number).take(query.limit).collect()
}

/// The list contains only incidents that match the filter's state, service, team and severity, alone and together.
pub async fn the_list_keeps_to_its_filters<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let records = one_of_each(&store).await;
    for query in all_filters() {
        let page = async || (&query, listed(&store, &query).await);
        eventually(&(&query, wanted(&records, &query)), page).await;
    }
}

/// Pages of the list skip and repeat nothing, with any filter.
pub async fn the_list_goes_on_below_a_number_without_gaps_or_repeats<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = harness.fresh().await;
    let records = one_of_each(&store).await;
    for query in all_filters() {
        let expected = wanted(&records, &query);
        eventually(&expected, || listed(&store, &query)).await;
        for limit in [1, 2, 5] {
            let (mut seen, mut query) = (Vec::new(), ListQuery { limit, ..query.clone() });
            // One page more than there can be ends a store that goes round in circles.
            for _ in 0..=records.len() {
                let page = listed(&store, &query).await;
                let Some(last) = page.last() else { break };
                query.below = Some(*last);
                seen.extend(page);
            }
            assert_eq!(seen, expected, "the list in pages of {limit}: {query:?}");
        }
    }
    // The number need not be that of an incident.
    for below in [0, 1, records[0].number().value() + 1, u64::MAX] {
        let query = ListQuery { below: Some(IncidentNumber::new(below)), limit: ALL, ..ListQuery::default() };
        eventually(&wanted(&records, &query), || listed(&store, &query)).await;
    }
}

/// A page of the list has at most the requested number, however many incidents match.
pub async fn the_list_holds_at_most_its_limit<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for i in 0..6 {
        records.insert(0, new(&store, opening(report("athens"), at(i))).await);
    }
    for limit in [1, 2, 5, 6, 7] {
        for state in [None, Some(State::Open)] {
            let query = ListQuery { state, limit, ..ListQuery::default() };
            let expected = numbers(&records[..limit.min(6)]);
            eventually(&expected, || listed(&store, &query)).await;
        }
    }
}
