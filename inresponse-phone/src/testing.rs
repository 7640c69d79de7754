//! What the unit tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use inresponse_core::model::{Contact, Incident, IncidentNumber, Matrix, Person, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Bundle};
use inresponse_core::plan::{self, Decision, HoldNothing, Input, NextRound, StateChange, TakeOver, Update};

/// The first alert of incident 10001.
pub(crate) fn alert(service: &str, title: &str, contact: &str, link: Option<&str>) -> Alert {
    let report = Report::builder(service, Severity::Crit, title).build().unwrap();
    let contact = Contact::new(contact).unwrap();
    let matrix = Matrix::new(vec![vec![contact.clone()]], vec![contact.clone()], Duration::from_secs(600));
    let team = TeamName::new("devops").unwrap();
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report, team, matrix, lease, DateTime::UNIX_EPOCH);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    let alert = Alert::new(incident, 1, sends[0].delivery, 1, contact);
    link.into_iter().fold(alert, |alert, link| alert.with_claim_url(link.to_owned()))
}

/// The alert of the next round, after kim snoozed the incident for a minute and the claim ended.
pub(crate) fn next_round(contact: &str) -> Alert {
    let first = alert("checkout", "12 % of payments fail", contact, None);
    let mut incident = first.incident().clone();
    let kim = Person::new("kim").unwrap();
    let changes = [StateChange::Claim(TakeOver::No), StateChange::Snooze(Duration::from_secs(60))];
    let stepped = |incident: &Incident, input: Input<'_>, seconds: u64| {
        let now = DateTime::UNIX_EPOCH + Duration::from_secs(seconds);
        match plan::step(incident, input, now) {
            Decision::Change(plan) => (plan.draft.into_incident(), plan.sends),
            other => panic!("{other:?}"),
        }
    };
    for change in changes {
        let update = Update::state(kim.clone(), change);
        incident = stepped(&incident, Input::Update { update: &update, round: None }, 1).0;
    }
    let round = NextRound::of(incident.team().clone(), incident.matrix().clone());
    let due = Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: Some(round) };
    let (incident, sends) = stepped(&incident, due, 61);
    Alert::new(Arc::new(incident), 1, sends[0].delivery, 1, sends[0].contact.clone())
}

/// A bundle of alerts, each of its service.
pub(crate) fn bundle(services: &[&str], contact: &str, link: &str) -> Bundle {
    let alerts = services.iter().map(|service| alert(service, "12 % of payments fail", contact, None));
    Bundle::new(alerts.collect()).unwrap().with_claim_all_url(link.to_owned())
}
