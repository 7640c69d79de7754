//! DynamoDB emulators, which `cargo xtask test` installs and starts.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod proxy;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{AsyncSleep, BehaviorVersion, Credentials, Region, Sleep};
use inresponse_dynamo::{DynamoConfig, DynamoRoster, DynamoStore, ensure_tables};

/// An emulator, by the variable that holds its address.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Emulator {
    Ministack,
    DynamodbLocal,
}

impl Emulator {
    pub(crate) fn url(self) -> String {
        let variable = match self {
            Emulator::Ministack => "INRESPONSE_TEST_MINISTACK",
            Emulator::DynamodbLocal => "INRESPONSE_TEST_DYNAMODB_LOCAL",
        };
        std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
    }
}

/// A client whose time-outs take a minute for each second: an emulator on a busy machine is slow, and that is no outage.
pub(crate) fn client(url: &str) -> Client {
    #[derive(Debug)]
    struct Patient;

    impl AsyncSleep for Patient {
        fn sleep(&self, duration: Duration) -> Sleep {
            // Pauses between tries are shorter, and stay as they are.
            let is_timeout = duration >= Duration::from_secs(1);
            Sleep::new(tokio::time::sleep(if is_timeout { duration * 60 } else { duration }))
        }
    }

    Client::from_conf(config(url).sleep_impl(Patient).build())
}

/// A client with the time-outs that everybody else has.
pub(crate) fn impatient_client(url: &str) -> Client {
    Client::from_conf(config(url).build())
}

fn config(url: &str) -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(url)
}

/// Tables in an emulator that nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) url: String,
    pub(crate) config: DynamoConfig,
    prefix: String,
}

impl Tables {
    pub(crate) fn of(emulator: Emulator) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("test-{}-{count}-", std::process::id());
        let config = DynamoConfig::with_prefix(&prefix);
        Self { url: emulator.url(), config, prefix }
    }

    pub(crate) fn incident_table(&self) -> String {
        self.named("Incident")
    }

    /// The table of that name.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn config_table(&self) -> String {
        format!("{}Config", self.prefix)
    }

    pub(crate) async fn make(&self) {
        ensure_tables(&client(&self.url), &self.config).await.unwrap();
    }

    pub(crate) fn store(&self) -> DynamoStore {
        DynamoStore::new(&client(&self.url), self.config.clone())
    }

    pub(crate) fn roster(&self) -> DynamoRoster {
        DynamoRoster::new(&client(&self.url), self.config.clone())
    }
}
