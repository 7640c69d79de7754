//! The calls about routing rules.

use inresponse_api::{Route, Routes, RoutesEntry};
use reqwest::Method;

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// The routing rules, in their order.
    pub async fn routes(&self) -> Result<Routes, ClientError> {
        self.http.get(self.http.url(&["routes"])).await
    }

    /// Sets the routing rules, all at once.
    pub async fn put_routes(&self, entry: &RoutesEntry) -> Result<Routes, ClientError> {
        Ok(self.http.change(Method::PUT, self.http.url(&["routes"]), entry).await?.1)
    }

    /// Deletes all routing rules.
    pub async fn delete_routes(&self) -> Result<(), ClientError> {
        self.http.delete(self.http.url(&["routes"])).await
    }

    /// What would happen to a report with these labels, now or at a time (RFC 3339 or Unix seconds).
    pub async fn route(
        &self,
        service: &str,
        severity: Option<&str>,
        labels: &[(String, String)],
        at: Option<&str>,
    ) -> Result<Route, ClientError> {
        let mut url = self.http.url(&["route"]);
        let mut query = url.query_pairs_mut();
        query.append_pair("service", service);
        for (name, value) in [("severity", severity), ("at", at)] {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        query.extend_pairs(labels.iter().map(|(name, value)| ("label", format!("{name}={value}"))));
        drop(query);
        self.http.get(url).await
    }
}
