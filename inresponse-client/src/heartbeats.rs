//! The calls about heartbeats.

use std::collections::BTreeMap;

use inresponse_api::{Heartbeat, HeartbeatEntry, Heartbeats, Ping};
use reqwest::{Method, Url};

use crate::client::Client;
use crate::error::ClientError;
use crate::schedules::PAGE;

impl Client {
    fn heartbeat_url(&self, heartbeat: &str) -> Url {
        self.http.url(&["heartbeats", heartbeat])
    }

    /// Pings a heartbeat. It is safe to ping again.
    pub async fn ping(&self, heartbeat: &str) -> Result<Ping, ClientError> {
        let url = self.http.url(&["heartbeats", heartbeat, "ping"]);
        // The server ignores the body.
        Ok(self.http.change(Method::POST, url, &BTreeMap::<(), ()>::new()).await?.1)
    }

    /// Reads a heartbeat with its last pings and misses.
    pub async fn heartbeat(&self, heartbeat: &str) -> Result<Heartbeat, ClientError> {
        self.http.get(self.heartbeat_url(heartbeat)).await
    }

    /// Creates or replaces a heartbeat.
    pub async fn put_heartbeat(
        &self,
        heartbeat: &str,
        entry: &HeartbeatEntry,
    ) -> Result<Heartbeat, ClientError> {
        Ok(self.http.change(Method::PUT, self.heartbeat_url(heartbeat), entry).await?.1)
    }

    /// Deletes a heartbeat. An incident that is open because of it stays open.
    pub async fn delete_heartbeat(&self, heartbeat: &str) -> Result<(), ClientError> {
        self.http.delete(self.heartbeat_url(heartbeat)).await
    }

    /// Reads a page of the heartbeats: the one after `cursor`, or the first.
    pub async fn heartbeats(&self, cursor: Option<&str>) -> Result<Heartbeats, ClientError> {
        let mut url = self.http.url(&["heartbeats"]);
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.http.get(url).await
    }
}
