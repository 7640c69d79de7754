//! The incidents in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};
use tokio_postgres::types::ToSql;

use crate::columns::{self, COMMIT, CREATE, borrowed, drafted, get, micros, record};
use crate::error::Failure;
use crate::query;
use crate::session::Sessions;
use crate::tries::{Earlier, Tried, Tries};
use crate::write_id::WriteId;

/// The incidents in PostgreSQL. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    /// The sessions for calls that alerts wait for.
    pub(crate) alerts: Sessions,
    /// The sessions for queries by people, however large those are.
    pub(crate) people: Sessions,
}

impl PostgresStore {
    /// Takes a number that was never returned (promise 2). A number that is not used is a gap.
    async fn next_number(&self) -> Result<IncidentNumber, Outage> {
        let row = self.alerts.take().await?.query_opt("SELECT nextval('incident_number')", &[]).await;
        // If the answer is lost, only a number is lost.
        let row = row.map_err(Failure::of_read)?;
        let number: Option<i64> = row.as_ref().map(|row| get(row, 0)).transpose()?;
        let number = number.and_then(|number| u64::try_from(number).ok()).map(IncidentNumber::new);
        number.ok_or_else(|| Outage::permanent("the database returned no number"))
    }

    /// Tries to create an incident, or to count a repeat. `None`: the number is taken.
    async fn try_create(
        &self,
        draft: &Draft,
        write_id: WriteId,
        earlier: Earlier,
    ) -> Result<Tried<Option<Created>>, Outage> {
        let incident = draft.incident();
        let Some(number) = columns::number(incident.number()) else {
            return Err(Outage::permanent("the numbers of incidents are used up"));
        };
        let (reported_at, service) = (micros(incident.created_at()), incident.service().as_str());
        // A report that may have been counted is not counted again.
        let count: i64 = if earlier == Earlier::None { 1 } else { 0 };
        let drafted = drafted(draft, write_id);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&number, &reported_at, &service, &count];
        values.extend(borrowed(&drafted));
        let mut session = self.alerts.take().await?;
        let row = match session.query_opt(&CREATE, &values).await {
            Ok(row) => row.ok_or_else(|| Outage::permanent("the database did not answer a create"))?,
            Err(failure) if failure.breaks("incident_by_number") => {
                // By an earlier try, after which the incident was resolved; or after numbers were lost in a failover.
                // The row is written, not read: a standby may not have it yet, and a write waits for the standby.
                let sql = "UPDATE incident SET create_id = create_id WHERE number = $1 AND create_id = $2";
                let ours = session.execute(sql, &[&number, &write_id.value()]).await;
                return match ours {
                    Ok(ours) => {
                        let record = || Created::New(Record::created(incident.clone()));
                        Ok(Tried::Done((ours > 0).then(record)))
                    }
                    Err(failure) => Tried::of(failure),
                };
            }
            Err(failure) => return Tried::of(failure),
        };
        let (is_new, is_counted): (bool, bool) = (get(&row, 5)?, get(&row, 6)?);
        if is_new {
            return Ok(Tried::Done(Some(Created::New(Record::created(incident.clone())))));
        }
        if !is_counted {
            return Err(Outage::unknown("it is not known whether the report was counted"));
        }
        Ok(Tried::Done(Some(Created::Repeat(record(&row)?))))
    }

    async fn create_in_time(&self, opening: Opening) -> Result<Created, Outage> {
        loop {
            let draft = opening.clone().numbered(self.next_number().await?);
            let (write_id, mut tries) = (WriteId::new(), Tries::new());
            let created = loop {
                let tried = self.try_create(&draft, write_id, tries.earlier()).await;
                if let Some(created) = tries.after(tried).await? {
                    break created;
                }
            };
            match created {
                Some(created) => return Ok(created),
                None => {
                    tracing::error!(number = draft.incident().number().value(), "a number was given twice");
                }
            }
        }
    }

    async fn commit_in_time(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let (write_id, mut tries) = (WriteId::new(), Tries::new());
        loop {
            let tried = self.try_commit(version, draft, write_id, tries.earlier()).await;
            if let Some(committed) = tries.after(tried).await? {
                return Ok(committed);
            }
        }
    }

    async fn try_commit(
        &self,
        version: Version,
        draft: &Draft,
        write_id: WriteId,
        earlier: Earlier,
    ) -> Result<Tried<Committed>, Outage> {
        let number = columns::number(draft.incident().number());
        let (Some(number), Some(before)) = (number, columns::version(version)) else {
            return Ok(Tried::Done(Committed::Stale));
        };
        let drafted = drafted(draft, write_id);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&number, &before];
        values.extend(borrowed(&drafted));
        let mut session = self.alerts.take().await?;
        match session.execute(&COMMIT, &values).await {
            Ok(0) if earlier == Earlier::None => Ok(Tried::Done(Committed::Stale)),
            Ok(0) => {
                let sql = "SELECT version FROM incident WHERE number = $1";
                let row = session.query_opt(sql, &[&number]).await.map_err(Failure::of_write)?;
                // Versions are consecutive. If another write followed this version, this one did not.
                match row.map(|row| get::<i64>(&row, 0)).transpose()? {
                    Some(now) if now > before + 1 => Err(Outage::unknown(
                        "the record changed again before it was known whether this commit happened",
                    )),
                    Some(_) | None => Ok(Tried::Done(Committed::Stale)),
                }
            }
            Ok(_) => Ok(Tried::Done(Committed::At(version.next()))),
            Err(failure) => Tried::of(failure),
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        self.alerts.in_time(self.create_in_time(opening)).await
    }

    async fn load(&self, number: IncidentNumber) -> Result<Option<Record>, Outage> {
        query::load(&mut self.alerts.take().await?, number).await
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        query::find_open(&mut self.alerts.take().await?, service, key).await
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::page(&mut self.alerts.take().await?, query::DUE, micros(now), after, limit).await
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::page(&mut self.alerts.take().await?, query::AHEAD, micros(now), after, limit).await
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        query::page(&mut self.alerts.take().await?, query::QUIET, judged_by.value(), after, limit).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        self.alerts.in_time(self.commit_in_time(version, draft)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        query::list(&mut self.people.take().await?, query).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        query::census(&mut self.people.take().await?, waiting_before).await
    }
}
