//! The client, and its calls about incidents.

use inresponse_api::{Details, Incident, Page, Pinged, Report, Update};
use reqwest::{Method, StatusCode};

use crate::config::ClientConfig;
use crate::error::ClientError;
use crate::http::Http;
use crate::list::ListQuery;

/// A client of one server. Cloning is cheap.
///
/// Every method makes one call, and returns a [`ClientError`] if the call fails.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: Http,
}

/// The result of a report.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Reported {
    /// The report opened a new incident.
    New(Incident),
    /// The report was added to the count of an open incident of the service with the same dedup key.
    Repeat(Incident),
    /// By a routing rule, the report was a ping of a heartbeat. There is no incident.
    Pinged(Pinged),
}

impl Client {
    /// Makes a client of that server. The client does not connect yet.
    ///
    /// # Errors
    /// The URL or the key is invalid, or this machine trusts no certificates.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        Ok(Self { http: Http::new(config)? })
    }

    /// Reports an incident. The server answers only after the incident is durable.
    pub async fn report(&self, report: &Report) -> Result<Reported, ClientError> {
        /// What the server answers.
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Answer {
            Incident(Box<Incident>),
            Pinged(Pinged),
        }
        let (status, answer) = self.http.change(Method::PUT, self.http.url(&["incidents"]), report).await?;
        Ok(match answer {
            Answer::Incident(incident) if status == StatusCode::CREATED => Reported::New(*incident),
            Answer::Incident(incident) => Reported::Repeat(*incident),
            Answer::Pinged(pinged) => Reported::Pinged(pinged),
        })
    }

    /// Changes an incident and returns its new state.
    pub async fn update(&self, number: u64, update: &Update) -> Result<Details, ClientError> {
        let url = self.http.url(&["incidents", &number.to_string()]);
        Ok(self.http.change(Method::POST, url, update).await?.1)
    }

    /// Reads an incident with its deliveries and timeline.
    pub async fn incident(&self, number: u64) -> Result<Details, ClientError> {
        self.http.get(self.http.url(&["incidents", &number.to_string()])).await
    }

    /// Reads an incident, with the warnings that a hand-over to that person would have. This changes nothing.
    ///
    /// `by` is the person who would hand the incident over (default: the key's name).
    pub async fn before_hand_over(
        &self,
        number: u64,
        person: &str,
        by: Option<&str>,
    ) -> Result<Details, ClientError> {
        let mut url = self.http.url(&["incidents", &number.to_string()]);
        url.query_pairs_mut().append_pair("handTo", person).extend_pairs(by.map(|by| ("by", by)));
        self.http.get(url).await
    }

    /// Reads a page of incidents, newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, ClientError> {
        let mut url = self.http.url(&["incidents"]);
        let ListQuery { state, service, team, severity, limit, cursor } = query;
        let pairs = [
            ("state", state.as_ref().map(ToString::to_string)),
            ("service", service.clone()),
            ("team", team.clone()),
            ("severity", severity.as_ref().map(ToString::to_string)),
            ("limit", limit.map(|limit| limit.to_string())),
            ("cursor", cursor.clone()),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        url.query_pairs_mut().extend_pairs(given);
        self.http.get(url).await
    }

    /// Reads the pages of a list one after the other.
    pub fn pages(&self, query: ListQuery) -> Pages {
        Pages { client: self.clone(), next: Some(query) }
    }
}

/// The pages of a list.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    next: Option<ListQuery>,
}

impl Pages {
    /// Reads the next page; `None` after the last one. After an error the next call requests the same page again.
    pub async fn next(&mut self) -> Result<Option<Page>, ClientError> {
        let Some(query) = &self.next else { return Ok(None) };
        let page = self.client.list(query).await?;
        self.next = page.cursor.as_ref().map(|cursor| query.clone().cursor(cursor));
        Ok(Some(page))
    }
}
