//! The laws of every store, roster and settings, on a real server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use inresponse_postgres::{Database, PostgresRoster, PostgresStore};
use support::harness::OnPostgres;

mod store {
    use super::*;
    inresponse_conformance::store_laws!(OnPostgres::<PostgresStore>::new());
}

mod roster {
    use super::*;
    inresponse_conformance::roster_laws!(OnPostgres::<PostgresRoster>::new());
}

mod settings {
    use super::*;
    inresponse_conformance::settings_laws!(OnPostgres::<Database>::new());
}
