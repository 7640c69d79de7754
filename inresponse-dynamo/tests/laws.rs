//! The laws of every store and roster, on two implementations of DynamoDB.
//!
//! No emulator deletes what has expired. The laws of outages lose one answer on a connection; these harnesses have no
//! relay between adapter and emulator. Lost answers are tested in `faults`, by a proxy that understands the calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use inresponse_conformance::{Durable, Harness, Shared};
use inresponse_dynamo::{DynamoRoster, DynamoStore};
use support::{Emulator, Tables};

struct Stores(Tables);

impl Harness for Stores {
    type Subject = DynamoStore;

    async fn fresh(&self) -> DynamoStore {
        self.0.make().await;
        self.0.store()
    }
}

impl Durable for Stores {
    /// The process is gone; DynamoDB is not.
    async fn reopen(&self, crashed: DynamoStore) -> DynamoStore {
        drop(crashed);
        self.0.store()
    }
}

impl Shared for Stores {
    async fn another(&self, _: &DynamoStore) -> DynamoStore {
        self.0.store()
    }
}

struct Rosters(Tables);

impl Harness for Rosters {
    type Subject = DynamoRoster;

    async fn fresh(&self) -> DynamoRoster {
        self.0.make().await;
        self.0.roster()
    }
}

impl Durable for Rosters {
    async fn reopen(&self, crashed: DynamoRoster) -> DynamoRoster {
        drop(crashed);
        self.0.roster()
    }
}

impl Shared for Rosters {
    async fn another(&self, _: &DynamoRoster) -> DynamoRoster {
        self.0.roster()
    }
}

mod ministack {
    mod store {
        use crate::*;
        inresponse_conformance::store_laws!(Stores(Tables::of(Emulator::Ministack)), except: outages, expiry);
    }
    mod roster {
        use crate::*;
        inresponse_conformance::roster_laws!(Rosters(Tables::of(Emulator::Ministack)), except: outages);
    }
    mod settings {
        use crate::*;
        inresponse_conformance::settings_laws!(Stores(Tables::of(Emulator::Ministack)), except: outages);
    }
}

mod dynamodb_local {
    mod store {
        use crate::*;
        inresponse_conformance::store_laws!(Stores(Tables::of(Emulator::DynamodbLocal)), except: outages, expiry);
    }
    mod roster {
        use crate::*;
        inresponse_conformance::roster_laws!(Rosters(Tables::of(Emulator::DynamodbLocal)), except: outages);
    }
    mod settings {
        use crate::*;
        inresponse_conformance::settings_laws!(Stores(Tables::of(Emulator::DynamodbLocal)), except: outages);
    }
}
