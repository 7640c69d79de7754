//! The configuration: where the database is, and the time limits.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use inresponse_core::InvalidInput;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// The configuration: where the database is, and how to reach it.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) server: tokio_postgres::Config,
    pub(crate) limits: TimeLimits,
}

/// The time limits of calls.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// The time limit for a connection to be opened.
    pub connect: Duration,
    /// The time limit for a call to wait for a connection that another call uses.
    pub wait: Duration,
    /// The time limit for a statement to wait for a lock.
    pub lock: Duration,
    /// The time limit for a statement, by the clock of the database's server.
    pub statement: Duration,
    /// The time limit for the answer to a statement. It is longer than `statement`, so that the server answers first.
    pub answer: Duration,
    /// The time limit for a write with its repetitions after lost answers.
    pub write: Duration,
}

impl TimeLimits {
    const USUAL: Self = Self {
        connect: Duration::from_secs(3),
        wait: Duration::from_secs(3),
        lock: Duration::from_secs(2),
        statement: Duration::from_secs(4),
        answer: Duration::from_secs(5),
        write: Duration::from_secs(12),
    };
}

const EXPECTED: &str = "must be like postgres://user:password@host:5432/database";

impl PostgresConfig {
    /// Uses the database at that URL. The URL may name several hosts, of which the one that accepts writes is used.
    ///
    /// If the URL names no `sslmode`, connections to other machines require TLS, with a certificate that the machine
    /// trusts.
    ///
    /// # Errors
    /// The URL cannot be read. The error does not contain the URL, because the URL contains a password.
    pub fn from_url(url: &str) -> Result<Self, InvalidInput> {
        let invalid = |message: &str| InvalidInput::field("url", message);
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid(EXPECTED));
        }
        let mut server: tokio_postgres::Config = url
            .parse()
            .map_err(|_| invalid(&format!("{EXPECTED}, with parameters that InResponse knows")))?;
        if server.get_hosts().is_empty() {
            return Err(invalid("must name a host"));
        }
        if server.get_user().is_none() {
            return Err(invalid("must name a user"));
        }
        if !url.contains("sslmode=") {
            let is_near = server.get_hosts().iter().all(is_this_machine);
            server.ssl_mode(if is_near { SslMode::Disable } else { SslMode::Require });
        }
        if server.get_application_name().is_none() {
            server.application_name("inresponse");
        }
        server.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { server, limits: TimeLimits::USUAL })
    }

    /// Replaces the time limits. The usual ones are made for a database that is near and not overloaded.
    #[must_use]
    pub fn time_limits(mut self, limits: TimeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The usual time limits, each that many times as long.
    #[must_use]
    pub fn patient(self, times: u32) -> Self {
        let TimeLimits { connect, wait, lock, statement, answer, write } = TimeLimits::USUAL;
        self.time_limits(TimeLimits {
            connect: connect * times,
            wait: wait * times,
            lock: lock * times,
            statement: statement * times,
            answer: answer * times,
            write: write * times,
        })
    }
}

/// Whether messages to that host do not leave the machine.
fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

impl fmt::Display for PostgresConfig {
    /// Shows the database without its user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self
            .server
            .get_hosts()
            .iter()
            .zip(self.server.get_ports().iter().map(Some).chain(std::iter::repeat(None)));
        f.write_str("PostgreSQL, ")?;
        for (place, (host, port)) in hosts.enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                #[cfg(unix)]
                Host::Unix(folder) => write!(f, "{}", folder.display())?,
            }
            if let Some(port) = port {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.server.get_dbname().or(self.server.get_user()).unwrap_or_default())
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresConfig({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://jo:canary@db.example.org/ir", "PostgreSQL, db.example.org:5432/ir"),
            ("postgresql://jo:canary@db.example.org:6432", "PostgreSQL, db.example.org:6432/jo"),
            ("postgres://jo@a:1,b:2/ir", "PostgreSQL, a:1,b:2/ir"),
        ] {
            let config = PostgresConfig::from_url(url).unwrap();
            assert_eq!(config.to_string(), shown);
            assert!(!format!("{config:?}").contains("canary"));
        }
    }

    #[test]
    fn connections_to_other_machines_require_tls_unless_the_url_says_otherwise() {
        for (url, mode) in [
            ("postgres://jo@db.example.org/ir", SslMode::Require),
            ("postgres://jo@127.0.0.1,db.example.org/ir", SslMode::Require),
            ("postgres://jo@localhost/ir", SslMode::Disable),
            ("postgres://jo@[::1]/ir", SslMode::Disable),
            ("postgres://jo@%2Fvar%2Frun%2Fpostgresql/ir", SslMode::Disable),
            ("postgres://jo@db.example.org/ir?sslmode=disable", SslMode::Disable),
            ("postgres://jo@localhost/ir?sslmode=require", SslMode::Require),
        ] {
            assert_eq!(PostgresConfig::from_url(url).unwrap().server.get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn p16_a_url_that_cannot_be_read_is_refused_without_being_shown() {
        for url in [
            "canary",
            "mysql://jo:canary@db/ir",
            "postgres://jo:canary@db:port/ir",
            "postgres://jo:canary@db/ir?canary=1",
            "postgres:///ir",
            "postgres://db.example.org/ir",
        ] {
            let refused = PostgresConfig::from_url(url).unwrap_err().to_string();
            assert!(refused.starts_with("url: must ") && !refused.contains("canary"), "{url}: {refused}");
        }
    }
}
