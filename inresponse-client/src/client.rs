//! The calls about incidents.

use inresponse_api::{Details, Incident, Page, Report, Update};
use reqwest::{Method, StatusCode};

use crate::config::ClientConfig;
use crate::error::ClientError;
use crate::http::Http;
use crate::list::ListQuery;

/// A client of one server. Cheap to clone.
///
/// Every method makes one call, and answers a [`ClientError`] where that did not do what it should.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: Http,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Reported {
    /// It is a new incident.
    New(Incident),
    /// An incident of that service was open under that key, and counts one report more.
    Repeat(Incident),
}

impl Client {
    /// A client of that server. Nothing is connected yet.
    ///
    /// # Errors
    /// The URL or the key does not hold, or this machine trusts no certificates.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        Ok(Self { http: Http::new(config)? })
    }

    /// Reports an incident. Answered only after it is durable.
    pub async fn report(&self, report: &Report) -> Result<Reported, ClientError> {
        let (status, incident) = self.http.change(Method::PUT, self.http.url(&["incidents"]), report).await?;
        Ok(if status == StatusCode::CREATED { Reported::New(incident) } else { Reported::Repeat(incident) })
    }

    /// Changes an incident, and answers it as it is then.
    pub async fn update(&self, number: u64, update: &Update) -> Result<Details, ClientError> {
        let url = self.http.url(&["incidents", &number.to_string()]);
        Ok(self.http.change(Method::POST, url, update).await?.1)
    }

    /// An incident with its deliveries and timeline.
    pub async fn incident(&self, number: u64) -> Result<Details, ClientError> {
        self.http.get(self.http.url(&["incidents", &number.to_string()])).await
    }

    /// The incident with the warnings that its hand-over to that person would have. Nothing is changed.
    ///
    /// `by` is who would hand it over; the key's name if there is none.
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

    /// A page of incidents, newest first.
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

    /// The pages of a list, one after the other.
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
    /// The next page, or none after the last one. After an error the same page is asked for again.
    pub async fn next(&mut self) -> Result<Option<Page>, ClientError> {
        let Some(query) = &self.next else { return Ok(None) };
        let page = self.client.list(query).await?;
        self.next = page.cursor.as_ref().map(|cursor| query.clone().cursor(cursor));
        Ok(Some(page))
    }
}
