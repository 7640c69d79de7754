//! Connections: TCP, TLS, AUTH.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::{Encryption, SmtpConfig};
use crate::error::{SmtpError, SmtpErrorKind};

/// Opens connections to one server.
pub(crate) struct Connector {
    config: SmtpConfig,
    tls: Tls,
}

/// How connections are encrypted, with the certificates to trust, which are read once.
enum Tls {
    Never,
    Opportunistic(TlsParameters),
    Required(TlsParameters),
    Implicit(TlsConnector),
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.config.fmt(f)
    }
}

/// Why there is no connection; certainly no mail was handed over.
pub(crate) type ConnectError = Box<dyn std::error::Error + Send + Sync>;

impl Connector {
    pub(crate) fn new(config: SmtpConfig) -> Result<Self, SmtpError> {
        let tls = match config.encryption {
            Encryption::Never => Tls::Never,
            Encryption::Opportunistic => Tls::Opportunistic(starttls(&config)?),
            Encryption::Required => Tls::Required(starttls(&config)?),
            Encryption::Implicit => Tls::Implicit(implicit()?),
        };
        Ok(Self { config, tls })
    }

    /// A connection that is ready for a mail.
    ///
    /// What a server refuses here, even for good, is no fault of a recipient.
    pub(crate) async fn connect(&self) -> Result<AsyncSmtpConnection, ConnectError> {
        let SmtpConfig { host, port, credentials, hello, .. } = &self.config;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        // With Nagle's algorithm every mail waits for a delayed acknowledgement, 40 ms each.
        stream.set_nodelay(true)?;
        let mut connection = match &self.tls {
            Tls::Implicit(tls) => {
                let name = ServerName::try_from(host.clone())?;
                let stream = Box::new(Encrypted(tls.connect(name, stream).await?));
                AsyncSmtpConnection::connect_with_transport(stream, hello).await?
            }
            Tls::Never | Tls::Opportunistic(_) | Tls::Required(_) => {
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await?
            }
        };
        match &self.tls {
            Tls::Required(tls) => connection.starttls(tls.clone(), hello).await?,
            Tls::Opportunistic(tls) if connection.can_starttls() => {
                connection.starttls(tls.clone(), hello).await?;
            }
            Tls::Opportunistic(_) | Tls::Never | Tls::Implicit(_) => {}
        }
        if let Some(credentials) = credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

fn failed(message: &str) -> SmtpError {
    SmtpError::new(SmtpErrorKind::Certificates, message)
}

/// What this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` included), which must not be nothing.
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

/// TLS as the mail library does it after STARTTLS. It reads the same certificates, and does not say how many.
fn starttls(config: &SmtpConfig) -> Result<TlsParameters, SmtpError> {
    roots()?;
    TlsParameters::new(config.host.clone()).map_err(|e| failed("TLS cannot be set up").because(e))
}

/// TLS from the first byte, over a stream of one's own, which the mail library has no way to do.
fn implicit() -> Result<TlsConnector, SmtpError> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed("TLS cannot be set up").because(e))?
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// An encrypted stream, as the mail library takes it.
#[derive(Debug)]
struct Encrypted(TlsStream<TcpStream>);

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
