//! Claim, release and resolve, by an incident's number and a person.

use super::{Engine, Updated};
use crate::error::Outage;
use crate::model::{IncidentNumber, Person};
use crate::plan::{StateChange, TakeOver, Update};

/// The most frequent updates.
impl Engine {
    /// Claims an incident: the alerts of its round stop.
    ///
    /// If somebody else has it, the claim is refused, and the refusal names who has it. To take it over, call
    /// [`update`](Self::update) with [`StateChange::Claim`] and [`TakeOver::Yes`].
    ///
    /// ```
    /// # use inresponse_core::engine::{Refusal, Reported, RosterEdited, Updated};
    /// # use inresponse_core::memory::{MemoryRoster, MemoryStore};
    /// # use inresponse_core::model::{Contact, Person, Report, Scheme, ServiceName, Severity, TeamName};
    /// # use inresponse_core::notify::Notifiers;
    /// # use inresponse_core::roster::{Entry, Team};
    /// # use inresponse_core::testing::{ManualClock, RecordingNotifier};
    /// # use inresponse_core::{Engine, chrono::DateTime};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let notifiers = Notifiers::new().with(Scheme::new("to")?, RecordingNotifier::new());
    /// # let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    /// # let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock).build();
    /// # let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    /// # let settings = Team::builder(vec![Contact::new("to:all")?]).build()?;
    /// # let entries = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    /// # let RosterEdited::Done(_) = engine.edit_roster(&Person::new("setup")?, &entries).await? else { panic!() };
    /// # let report = Report::builder("athens", Severity::Crit, "5xx error spike").build()?;
    /// # let Reported::New(record) = engine.report(report).await? else { panic!() };
    /// # let number = record.number();
    /// let (jo, kim) = (Person::new("jo")?, Person::new("kim")?);
    /// assert!(matches!(engine.claim(number, &jo).await?, Updated::Changed(_)));
    /// assert!(matches!(engine.claim(number, &jo).await?, Updated::Unchanged(_)));
    /// match engine.claim(number, &kim).await? {
    ///     Updated::Refused(_, Refusal::ClaimedBy(person)) => assert_eq!(person, jo),
    ///     other => panic!("{other:?}"),
    /// }
    /// assert!(matches!(engine.resolve(number, &kim).await?, Updated::Changed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`update`](Self::update).
    pub async fn claim(&self, number: IncidentNumber, by: &Person) -> Result<Updated, Outage> {
        self.update(number, &Update::state(by.clone(), StateChange::Claim(TakeOver::No))).await
    }

    /// Releases an incident: it is OPEN, and a new round of alerts begins at once.
    ///
    /// If somebody else has it, the release is refused, and the refusal names who has it. To release it anyway, call
    /// [`update`](Self::update) with [`StateChange::Release`] and [`TakeOver::Yes`].
    ///
    /// # Errors
    /// The same as for [`update`](Self::update).
    pub async fn release(&self, number: IncidentNumber, by: &Person) -> Result<Updated, Outage> {
        self.update(number, &Update::state(by.clone(), StateChange::Release(TakeOver::No))).await
    }

    /// Resolves an incident, even if another person has it. This is final.
    ///
    /// # Errors
    /// The same as for [`update`](Self::update).
    pub async fn resolve(&self, number: IncidentNumber, by: &Person) -> Result<Updated, Outage> {
        self.update(number, &Update::state(by.clone(), StateChange::Resolve)).await
    }
}
