//! The calls about silences.

use inresponse_api::{Silence, SilenceEntry, Silences};
use reqwest::Method;

use crate::client::Client;
use crate::error::ClientError;
use crate::schedules::PAGE;

impl Client {
    /// A page of silences: the one after `cursor`, or the first.
    pub async fn silences(&self, cursor: Option<&str>) -> Result<Silences, ClientError> {
        let mut url = self.http.url(&["silences"]);
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.http.get(url).await
    }

    /// A silence.
    pub async fn silence(&self, id: &str) -> Result<Silence, ClientError> {
        self.http.get(self.http.url(&["silences", id])).await
    }

    /// Makes or changes a silence.
    pub async fn put_silence(&self, id: &str, entry: &SilenceEntry) -> Result<Silence, ClientError> {
        Ok(self.http.change(Method::PUT, self.http.url(&["silences", id]), entry).await?.1)
    }

    /// Lifts a silence.
    pub async fn delete_silence(&self, id: &str) -> Result<(), ClientError> {
        self.http.delete(self.http.url(&["silences", id])).await
    }
}
