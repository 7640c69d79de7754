//! The calls about services, teams and calendars.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use inresponse_api::{Calendar, Changes, Day, DayEntry, OnCall, Owner, Service, Team, TeamSettings};
use reqwest::{Method, Url};

use crate::client::Client;
use crate::error::ClientError;
use crate::schedules::PAGE;

impl Client {
    fn service_url(&self, service: &str) -> Url {
        self.http.url(&["services", service])
    }

    fn team_url(&self, team: &str) -> Url {
        self.http.url(&["teams", team])
    }

    fn day_url(&self, team: &str, day: NaiveDate) -> Url {
        self.http.url(&["teams", team, "calendar", &day.format("%Y-%m-%d").to_string()])
    }

    /// Reads which team owns a service.
    pub async fn service(&self, service: &str) -> Result<Service, ClientError> {
        self.http.get(self.service_url(service)).await
    }

    /// Assigns a service to a team.
    pub async fn put_service(&self, service: &str, team: &str) -> Result<Service, ClientError> {
        self.put_owned_service(service, &Owner { team: Some(team.to_owned()), owner: None }).await
    }

    /// Gives a service to a team, and says which roster file owns the entry.
    pub async fn put_owned_service(&self, service: &str, owner: &Owner) -> Result<Service, ClientError> {
        Ok(self.http.change(Method::PUT, self.service_url(service), owner).await?.1)
    }

    /// Deletes a service.
    pub async fn delete_service(&self, service: &str) -> Result<(), ClientError> {
        self.http.delete(self.service_url(service)).await
    }

    /// Reads a team's settings.
    pub async fn team(&self, team: &str) -> Result<Team, ClientError> {
        self.http.get(self.team_url(team)).await
    }

    /// Creates or replaces a team's settings.
    pub async fn put_team(&self, team: &str, settings: &TeamSettings) -> Result<Team, ClientError> {
        Ok(self.http.change(Method::PUT, self.team_url(team), settings).await?.1)
    }

    /// Deletes a team with its calendar.
    pub async fn delete_team(&self, team: &str) -> Result<(), ClientError> {
        self.http.delete(self.team_url(team)).await
    }

    /// Reads a day of a team's calendar.
    pub async fn day(&self, team: &str, day: NaiveDate) -> Result<Day, ClientError> {
        self.http.get(self.day_url(team, day)).await
    }

    /// Creates or replaces a day of a team's calendar.
    pub async fn put_day(&self, team: &str, day: NaiveDate, entry: &DayEntry) -> Result<Day, ClientError> {
        Ok(self.http.change(Method::PUT, self.day_url(team, day), entry).await?.1)
    }

    /// Deletes a day of a team's calendar.
    pub async fn delete_day(&self, team: &str, day: NaiveDate) -> Result<(), ClientError> {
        self.http.delete(self.day_url(team, day)).await
    }

    /// Reads a page of a team's calendar: the one after `cursor`, or the first.
    pub async fn calendar(&self, team: &str, cursor: Option<&str>) -> Result<Calendar, ClientError> {
        let mut url = self.http.url(&["teams", team, "calendar"]);
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.http.get(url).await
    }

    /// Reads who is on call for a team, now or at another time.
    pub async fn on_call(&self, team: &str, at: Option<DateTime<Utc>>) -> Result<OnCall, ClientError> {
        let mut url = self.http.url(&["teams", team, "oncall"]);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("at", &at.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        self.http.get(url).await
    }

    /// Reads who changed the roster and when, newest first: a page of up to `limit` changes, after `cursor` or from the
    /// newest on.
    pub async fn roster_changes(&self, limit: usize, cursor: Option<&str>) -> Result<Changes, ClientError> {
        let mut url = self.http.url(&["roster", "changes"]);
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.http.get(url).await
    }
}
