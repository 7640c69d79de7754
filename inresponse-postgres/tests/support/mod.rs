//! Databases on a real server.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod harness;

use inresponse_postgres::{Database, PostgresConfig};

/// The configuration with time limits that no busy machine reaches.
pub(crate) fn config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(url).unwrap().patient(30)
}

/// The URL of the database at that port.
pub(crate) fn url(port: u16) -> String {
    format!("postgres://inresponse@127.0.0.1:{port}/postgres")
}

pub(crate) async fn open(url: &str) -> Database {
    Database::open(config(url)).await.unwrap()
}
