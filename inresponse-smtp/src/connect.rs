//! Opens connections: TCP, TLS, AUTH.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::Extension;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::{Encryption, SmtpConfig};
use crate::error::{SmtpError, SmtpErrorKind};
use crate::reply::Failure;
use crate::session::{GREETING, Session, Stream, within};

/// The time limit for connecting, for all addresses together. If packets are dropped, there is no error before this
/// limit.
const CONNECT: Duration = Duration::from_secs(10);

/// Opens connections to one server.
pub(crate) struct Connector {
    config: SmtpConfig,
    /// The TLS configuration. The trusted certificates are read only once.
    tls: Option<TlsConnector>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl Connector {
    pub(crate) fn new(config: SmtpConfig) -> Result<Self, SmtpError> {
        let tls = match config.encryption {
            Encryption::Never => None,
            Encryption::Opportunistic | Encryption::Required | Encryption::Implicit => Some(tls()?),
        };
        Ok(Self { config, tls })
    }

    /// Opens a connection that is ready for a mail. `deadline` limits the whole attempt.
    ///
    /// A refusal at this stage, even a permanent one, is not about the recipient.
    pub(crate) async fn connect(&self, deadline: Duration) -> Result<Session, Failure> {
        let SmtpConfig { host, port, encryption, credentials, hello, .. } = &self.config;
        let patience = CONNECT.min(deadline);
        let stream = within(patience, async {
            let addresses: Vec<_> = tokio::net::lookup_host((host.as_str(), *port)).await?.collect();
            reach(&addresses, patience).await
        })
        .await?;
        // With Nagle's algorithm every mail waits for a delayed acknowledgement, 40 ms each.
        stream.set_nodelay(true)?;
        let mut session = match (encryption, &self.tls) {
            (Encryption::Implicit, Some(tls)) => Session::begin(self.encrypted(tls, stream).await?).await?,
            _ => Session::begin(stream).await?,
        };
        session.hello(hello).await?;
        let upgrades = match encryption {
            Encryption::Required if !session.can(Extension::StartTls) => {
                return Err(Failure::Lost("the mail server offers no STARTTLS".into()));
            }
            Encryption::Required => true,
            Encryption::Opportunistic => session.can(Extension::StartTls),
            Encryption::Never | Encryption::Implicit => false,
        };
        if let (true, Some(tls)) = (upgrades, &self.tls) {
            let stream = session.starttls().await?;
            session = Session::resume(self.encrypted(tls, stream).await?);
            session.hello(hello).await?;
        }
        if let Some(credentials) = credentials {
            session.sign_in(credentials).await?;
        }
        Ok(session)
    }

    async fn encrypted<S: Stream>(&self, tls: &TlsConnector, stream: S) -> Result<TlsStream<S>, Failure> {
        let name = ServerName::try_from(self.config.host.clone()).map_err(Failure::unreadable)?;
        within(GREETING, async { Ok(tls.connect(name, stream).await?) }).await
    }
}

/// Connects to the first address that can be reached. Each address gets its share of the time, so that one that never
/// answers does not keep the next from being tried.
async fn reach(addresses: &[SocketAddr], patience: Duration) -> Result<TcpStream, Failure> {
    let share = patience / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut failure = Failure::Lost("the mail server's name has no address".into());
    for address in addresses {
        match within(share, async { Ok(TcpStream::connect(address).await?) }).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn failed(message: &str) -> SmtpError {
    SmtpError::new(SmtpErrorKind::Certificates, message)
}

/// The certificates that this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` included). This machine must trust at
/// least one certificate.
fn roots() -> Result<RootCertStore, SmtpError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(failed(
            "TLS needs certificates to trust, and this machine has none: install its CA certificates or set \
             SSL_CERT_FILE",
        ));
    }
    Ok(roots)
}

fn tls() -> Result<TlsConnector, SmtpError> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed("TLS cannot be set up").because(e))?
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests;
