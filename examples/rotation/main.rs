//! Two people take turns every week. Who is on call gets the alert on a pager: contacts `pager:…`, which reach a notifier
//! of this program.

use std::collections::BTreeMap;
use std::error::Error;

use inresponse_core::Engine;
use inresponse_core::chrono::Days;
use inresponse_core::clock::Clock;
use inresponse_core::engine::{Reported, RosterEdited, Updated};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{
    Contact, LayerName, MethodName, Person, PersonId, Report, ScheduleName, Scheme, ServiceName, Severity,
    TeamName,
};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{
    Entry, Layer, Member, Profile, Schedule, Team, TeamLevel, Turn, TurnUnit, Who, Zone,
};
use inresponse_core::testing::{ManualClock, RecordingNotifier};

/// A person of the roster with a pager.
fn person(id: &str) -> Result<Entry, Box<dyn Error>> {
    let methods = BTreeMap::from([(MethodName::new("pager")?, Contact::new(format!("pager:{id}"))?)]);
    Ok(Entry::person(&PersonId::new(id)?, Profile::builder(methods).build()?))
}

/// Who is on call for the team in so many days, and why.
async fn on_call(engine: &Engine, team: &TeamName, days: u64) -> Result<PersonId, Box<dyn Error>> {
    let at = engine.now().checked_add_days(Days::new(days)).ok_or("too far ahead")?;
    let explained = engine.explained(team, at).await?.ok_or("an unknown team")?;
    let first = explained.levels.first().and_then(|level| level.first()).ok_or("nobody is on call")?;
    let Who::Person(id) = &first.who else { return Err("not a person of the roster".into()) };
    println!("{}: {id}, by {}", at.format("%F"), first.why);
    Ok(id.clone())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A Wednesday. A server uses `SystemClock`, and a notifier that sends.
    let clock = ManualClock::at("2026-12-02T12:00:00Z".parse()?);
    let pager = RecordingNotifier::new();
    let notifiers = Notifiers::new().with(Scheme::new("pager")?, pager.clone());
    let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();

    // Ann's first week begins on Monday at nine; then it is Ben's, then Ann's again.
    let members =
        vec![Member::always(vec!["person:ann".parse()?]), Member::always(vec!["person:ben".parse()?])];
    let turn = Turn::every(1, TurnUnit::Week);
    let weekly = Layer::new(LayerName::new("weekly")?, members, "2026-11-30T09:00".parse()?, turn);
    let schedule = Schedule::new(Zone::utc(), vec![weekly], Vec::new())?;
    let settings = Team::builder(vec![Contact::new("pager:boss")?])
        .levels(vec![TeamLevel { notify: vec!["schedule:primary".parse()?], wait: None }])
        .build()?;
    let (team, service) = (TeamName::new("web")?, ServiceName::new("shop")?);
    let edits = [
        person("ann")?.into(),
        person("ben")?.into(),
        Entry::schedule(&team, &ScheduleName::new("primary")?, schedule).into(),
        Entry::team(&team, settings).into(),
        Entry::service(&service, &team).into(),
    ];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }
    let now = on_call(&engine, &team, 0).await?;
    on_call(&engine, &team, 7).await?;

    let report = Report::builder("shop", Severity::Crit, "5xx error spike").build()?;
    let Reported::New(record) = engine.report(report).await? else { return Err("it is not new".into()) };
    engine.tick().await?;
    for attempt in pager.attempts() {
        println!("{} alerted {}", clock.now().format("%F"), attempt.contact);
    }
    match engine.claim(record.number(), &Person::from(&now)).await? {
        Updated::Changed(record) => println!("incident {} is {}", record.number(), record.incident.state()),
        other => return Err(format!("the claim was not made: {other:?}").into()),
    }
    Ok(())
}
