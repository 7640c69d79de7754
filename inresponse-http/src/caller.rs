//! The caller of a request, known by the API key that it shows.

use inresponse_core::model::{Incident, IncidentNumber, KeyName, Reporter, ServiceName};
use inresponse_core::{Engine, Outage};

use crate::doors::Act;
use crate::keys::ApiKey;
use crate::lanes::Lane;

/// The caller of a request. The caller's key has the scope that the route needs.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The name of the caller's key.
    pub(crate) key: KeyName,
    /// The service that the caller's key is restricted to.
    pub(crate) service: Option<ServiceName>,
    /// The lane of the caller's key.
    pub(crate) lane: Lane,
    /// Whether the key may see addresses: it may change the roster.
    pub(crate) sees: Addresses,
}

/// How addresses of people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// As they are.
    Whole,
    /// A part of the address is shown, so that people can recognise it.
    Masked,
}

impl Caller {
    /// The caller, as an incident records who reported it.
    pub(crate) fn reporter(&self) -> Reporter {
        Reporter::new(self.key.clone(), self.service.clone())
    }

    /// Whether an incident was reported with this key, or with one that is restricted to the same service.
    ///
    /// An incident without a key was stored before keys were recorded, or was reported without one. In both cases only
    /// the incident's service counts.
    pub(crate) fn reported(&self, incident: &Incident) -> bool {
        match incident.reporter() {
            Some(reporter) => reporter.shares_with(&self.reporter()),
            None => self.service.as_ref().is_none_or(|own| own == incident.service()),
        }
    }

    /// Why the caller may not act on that incident; `None` if it may.
    pub(crate) async fn barred(
        &self,
        engine: &Engine,
        number: IncidentNumber,
    ) -> Result<Option<String>, Outage> {
        if self.service.is_none() {
            return Ok(None);
        }
        let found = engine.get(number).await?;
        Ok(found.and_then(|record| self.barred_from(record.incident.service())))
    }

    /// Why the caller may not act on incidents of that service; `None` if it may.
    pub(crate) fn barred_from(&self, service: &ServiceName) -> Option<String> {
        let own = self.service.as_ref().filter(|own| *own != service)?;
        Some(format!("the API key `{}` is restricted to the service `{own}`", self.key))
    }
}

impl From<&ApiKey> for Caller {
    fn from(entry: &ApiKey) -> Self {
        let sees = if entry.may(Act::ChangeRoster) { Addresses::Whole } else { Addresses::Masked };
        Self {
            key: entry.name().clone(),
            service: entry.service().cloned(),
            lane: entry.lane().clone(),
            sees,
        }
    }
}
