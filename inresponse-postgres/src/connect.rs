//! Opens a session: TLS, and the settings that every session needs.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use deadpool_postgres::Connect;
use inresponse_core::{Chain, Outage};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{PostgresConfig, TimeLimits};

/// Opens sessions.
#[derive(Clone)]
pub(crate) struct Connector {
    /// `None`: connections without TLS.
    tls: Option<MakeRustlsConnect>,
    settings: String,
}

impl Connector {
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self, Outage> {
        let tls = match config.server.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls()?)),
        };
        Ok(Self { tls, settings: settings(&config.limits) })
    }
}

/// The settings of every session, whatever the defaults of the server, the database and the user are.
fn settings(limits: &TimeLimits) -> String {
    format!(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE;
         SET synchronous_commit = on;
         SET statement_timeout = {};
         SET lock_timeout = {};
         SET idle_in_transaction_session_timeout = {};
         SET jit = off",
        limits.statement.as_millis(),
        limits.lock.as_millis(),
        limits.answer.as_millis(),
    )
}

fn tls() -> Result<ClientConfig, Outage> {
    let failed = |e: rustls::Error| Outage::permanent("TLS cannot be set up on this machine").because(e);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(failed)?.with_platform_verifier().map_err(failed)?.with_no_client_auth())
}

type Opened = Result<(Client, JoinHandle<()>), Error>;

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Opened> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, task) = match &self.tls {
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    (client, tokio::spawn(carry(connection)))
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    (client, tokio::spawn(carry(connection)))
                }
            };
            client.batch_execute(&self.settings).await?;
            Ok((client, task))
        })
    }
}

/// Carries the messages of a connection until it ends.
async fn carry<S, T>(mut connection: Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            // A commit that was not replicated is about to be answered like any other. The connection is closed
            // instead, so that the caller does not know either.
            Ok(AsyncMessage::Notice(notice)) if notice.routine() == Some("SyncRepWaitForLSN") => {
                tracing::warn!(notice = %Chain::of(&notice), "the database did not wait for its standby");
                return;
            }
            Ok(AsyncMessage::Notice(notice)) => {
                tracing::debug!(notice = %Chain::of(&notice), "a notice of the database");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %Chain::of(&error), "a connection to the database broke");
                return;
            }
        }
    }
}
