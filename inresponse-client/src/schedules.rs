//! The calls about people and schedules, the dry run, and the coverage check.

use chrono::{DateTime, SecondsFormat, Utc};
use inresponse_api::{
    Coverage, Override, OverrideEntry, Overrides, People, Person, PersonEntry, Plan, Schedule, ScheduleEntry,
    Schedules, Services, Shifts, Teams,
};
use reqwest::{Method, Url};

use crate::client::Client;
use crate::error::ClientError;

/// The largest page.
pub(crate) const PAGE: &str = "500";

impl Client {
    fn person_url(&self, person: &str) -> Url {
        self.http.url(&["people", person])
    }

    fn schedule_url(&self, team: &str, schedule: &str) -> Url {
        self.http.url(&["teams", team, "schedules", schedule])
    }

    fn override_url(&self, team: &str, schedule: &str, id: &str) -> Url {
        self.http.url(&["teams", team, "schedules", schedule, "overrides", id])
    }

    fn page_url(&self, of: &str, cursor: Option<&str>) -> Url {
        let mut url = self.http.url(&[of]);
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        url
    }

    /// A page of services: the one after `cursor`, or the first.
    pub async fn services(&self, cursor: Option<&str>) -> Result<Services, ClientError> {
        self.http.get(self.page_url("services", cursor)).await
    }

    /// A page of teams: the one after `cursor`, or the first.
    pub async fn teams(&self, cursor: Option<&str>) -> Result<Teams, ClientError> {
        self.http.get(self.page_url("teams", cursor)).await
    }

    /// A page of people: the one after `cursor`, or the first.
    pub async fn people(&self, cursor: Option<&str>) -> Result<People, ClientError> {
        self.http.get(self.page_url("people", cursor)).await
    }

    /// A person.
    pub async fn person(&self, person: &str) -> Result<Person, ClientError> {
        self.http.get(self.person_url(person)).await
    }

    /// Creates or replaces a person.
    pub async fn put_person(&self, person: &str, entry: &PersonEntry) -> Result<Person, ClientError> {
        Ok(self.http.change(Method::PUT, self.person_url(person), entry).await?.1)
    }

    /// Deletes a person.
    pub async fn delete_person(&self, person: &str) -> Result<(), ClientError> {
        self.http.delete(self.person_url(person)).await
    }

    /// The schedules of a team.
    pub async fn schedules(&self, team: &str) -> Result<Schedules, ClientError> {
        self.http.get(self.http.url(&["teams", team, "schedules"])).await
    }

    /// A schedule.
    pub async fn schedule(&self, team: &str, schedule: &str) -> Result<Schedule, ClientError> {
        self.http.get(self.schedule_url(team, schedule)).await
    }

    /// Creates or replaces a schedule.
    pub async fn put_schedule(
        &self,
        team: &str,
        schedule: &str,
        entry: &ScheduleEntry,
    ) -> Result<Schedule, ClientError> {
        Ok(self.http.change(Method::PUT, self.schedule_url(team, schedule), entry).await?.1)
    }

    /// Deletes a schedule with its overrides.
    pub async fn delete_schedule(&self, team: &str, schedule: &str) -> Result<(), ClientError> {
        self.http.delete(self.schedule_url(team, schedule)).await
    }

    /// The overrides of a schedule.
    pub async fn overrides(&self, team: &str, schedule: &str) -> Result<Overrides, ClientError> {
        self.http.get(self.http.url(&["teams", team, "schedules", schedule, "overrides"])).await
    }

    /// Creates or replaces an override.
    pub async fn put_override(
        &self,
        team: &str,
        schedule: &str,
        id: &str,
        entry: &OverrideEntry,
    ) -> Result<Override, ClientError> {
        Ok(self.http.change(Method::PUT, self.override_url(team, schedule, id), entry).await?.1)
    }

    /// Deletes an override.
    pub async fn delete_override(&self, team: &str, schedule: &str, id: &str) -> Result<(), ClientError> {
        self.http.delete(self.override_url(team, schedule, id)).await
    }

    /// Who is on call in a schedule from one time to another, at most 400 days later.
    pub async fn shifts(
        &self,
        team: &str,
        schedule: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Shifts, ClientError> {
        let mut url = self.http.url(&["teams", team, "schedules", schedule, "shifts"]);
        url.query_pairs_mut().append_pair("from", &instant(from)).append_pair("to", &instant(to));
        self.http.get(url).await
    }

    /// Reads which alerts a report for a service would cause if nobody claimed the incident.
    pub async fn plan(
        &self,
        service: &str,
        severity: Option<&str>,
        at: Option<DateTime<Utc>>,
    ) -> Result<Plan, ClientError> {
        let mut url = self.http.url(&["services", service, "plan"]);
        if let Some(severity) = severity {
            url.query_pairs_mut().append_pair("severity", severity);
        }
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("at", &instant(at));
        }
        self.http.get(url).await
    }

    /// Reads what is missing or odd in the roster within that many days, for one team or for all.
    pub async fn coverage(&self, days: Option<u32>, team: Option<&str>) -> Result<Coverage, ClientError> {
        let mut url = self.http.url(&["coverage"]);
        if let Some(days) = days {
            url.query_pairs_mut().append_pair("days", &days.to_string());
        }
        if let Some(team) = team {
            url.query_pairs_mut().append_pair("team", team);
        }
        self.http.get(url).await
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
