//! Runs statements within their time limits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use inresponse_core::Outage;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::config::{PostgresConfig, TimeLimits};
use crate::connect::Connector;
use crate::error::{Failure, unreachable};

/// The values of a statement.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Sessions that calls take turns with. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pool: Pool,
    limits: Arc<TimeLimits>,
}

impl Sessions {
    /// Up to `many` sessions, opened when they are needed.
    pub(crate) fn new(config: &PostgresConfig, many: usize) -> Result<Self, Outage> {
        let connector = Connector::new(config)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let mut server = config.server.clone();
        let limits = config.limits;
        server.connect_timeout(limits.connect).tcp_user_timeout(limits.answer);
        let manager = Manager::from_connect(server, connector, recycling);
        let pool = Pool::builder(manager)
            .max_size(many)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(limits.wait))
            .create_timeout(Some(limits.connect))
            .build()
            .map_err(|e| Outage::permanent("the connections cannot be set up").because(e))?;
        Ok(Self { pool, limits: Arc::new(limits) })
    }

    /// Waits for a free session, or opens one.
    pub(crate) async fn take(&self) -> Result<Session, Outage> {
        let client = self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                Outage::retryable("too many calls wait for a connection to the database")
            }
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
                Outage::retryable("the database did not accept a connection in time")
            }
            PoolError::Backend(error) => unreachable(error),
            error @ (PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                Outage::permanent("the connections were closed").because(error)
            }
        })?;
        Ok(Session { client: Some(client), limit: self.limits.answer, state: State::Idle })
    }

    /// Repeats nothing, but ends a write with all its tries in time.
    pub(crate) async fn in_time<T>(
        &self,
        write: impl Future<Output = Result<T, Outage>>,
    ) -> Result<T, Outage> {
        match tokio::time::timeout(self.limits.write, write).await {
            Ok(written) => written,
            Err(_) => Err(Failure::late().of_write()),
        }
    }
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A transaction was begun. It would hold its locks if the session were used by another call.
    InTransaction,
    /// A statement was sent and not answered.
    Busy,
    /// A statement failed in a way that the session cannot be used again.
    Spoilt,
}

/// A session. When it is dropped in the middle of a statement or a transaction, its connection is closed.
#[derive(Debug)]
pub(crate) struct Session {
    /// `None` only while it is dropped.
    client: Option<Client>,
    limit: Duration,
    state: State,
}

impl Session {
    /// Replaces the time limit of statements.
    pub(crate) fn limited_to(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs a statement, and returns its rows.
    pub(crate) async fn query(&mut self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
        let (client, turn) = self.turn()?;
        turn.run(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, values).await
        })
        .await
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn query_opt(&mut self, sql: &str, values: Values<'_>) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Runs a statement, and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
        let (client, turn) = self.turn()?;
        turn.run(async {
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, values).await
        })
        .await
    }

    /// Runs statements without values.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        let (client, turn) = self.turn()?;
        turn.run(client.batch_execute(sql)).await
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, sql: &str) -> Result<(), Failure> {
        self.batch(sql).await?;
        self.state = State::InTransaction;
        Ok(())
    }

    /// Ends the transaction, by a commit or a rollback.
    pub(crate) async fn end(&mut self, sql: &str) -> Result<(), Failure> {
        self.state = State::Idle;
        let ended = self.batch(sql).await;
        if ended.is_err() {
            self.state = State::Spoilt;
        }
        ended
    }

    /// The client, and its turn to run a statement.
    fn turn(&mut self) -> Result<(&Client, Turn<'_>), Failure> {
        let Self { client, limit, state } = self;
        let client = client.as_ref().ok_or_else(Failure::late)?;
        Ok((client, Turn { limit: *limit, state }))
    }
}

/// The turn of a session to run a statement.
struct Turn<'a> {
    limit: Duration,
    state: &'a mut State,
}

impl Turn<'_> {
    /// Runs a statement within its time limit. If this future is dropped, the session stays busy.
    async fn run<T>(
        self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let before = std::mem::replace(self.state, State::Busy);
        let done = match tokio::time::timeout(self.limit, statement).await {
            Ok(done) => done.map_err(Failure::of),
            Err(_) => Err(Failure::late()),
        };
        *self.state = match &done {
            Err(failure) if failure.spoils_session() => State::Spoilt,
            Ok(_) | Err(_) => before,
        };
        done
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        match self.state {
            State::Idle => drop(client),
            State::InTransaction | State::Busy | State::Spoilt => drop(Object::take(client)),
        }
    }
}
