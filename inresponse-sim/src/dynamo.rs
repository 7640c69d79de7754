//! Simulates the store on DynamoDB call by call: each call to an emulator is a separate step, with its own faults.
//!
//! The SDK uses simulated time. The simulation's thread waits while the emulator works, so an answer takes no simulated
//! time, and a seed always plays out in the same way.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    AsyncSleep, BehaviorVersion, Config, Credentials, Region, Sleep, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use inresponse_dynamo::{DynamoConfig, DynamoStore, ensure_tables};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::history::Disturbance;
use crate::store::Ways;
use crate::world::{MILLI, Micros, Process, World, micros};

/// The environment variable with the emulator's address.
pub const ADDRESS: &str = "INRESPONSE_SIM_DYNAMODB";

/// The store's shortest pause before another try. Each further pause is twice as long.
const PAUSE: Duration = Duration::from_millis(60);
/// The maximum time of a call with its retries.
const TRIED_AGAIN: Micros = 700 * MILLI;

/// The connection to the emulator: a client on its own runtime.
struct Emulator {
    address: String,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

static EMULATOR: LazyLock<Emulator> = LazyLock::new(|| Emulator {
    address: std::env::var(ADDRESS)
        .unwrap_or_else(|_| panic!("{ADDRESS} is not set; `cargo xtask sim --store dynamo` sets it")),
    runtime: tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread can be started"),
    http: reqwest::Client::builder().no_proxy().build().expect("a client without TLS can always be made"),
});

impl Emulator {
    /// Does something outside the simulation, while the simulation waits.
    fn wait_for<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (tell, told) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // The caller waits.
            let _ = tell.send(work.await);
        });
        told.recv().expect("work outside the simulation does not panic")
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let failed = |error: reqwest::Error| ConnectorError::io(error.into());
        let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
        let request = request.map(|body| body.bytes().unwrap_or_default().to_vec());
        let answered = self.http.execute(request.try_into().map_err(failed)?).await.map_err(failed)?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        let mut response = answer(status.as_u16(), answered.bytes().await.map_err(failed)?.to_vec())?;
        for (name, value) in &headers {
            if let Ok(value) = value.to_str() {
                response.headers_mut().insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }
}

fn answer(status: u16, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|e| ConnectorError::other(e.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body)))
}

fn refused(body: &Value) -> Result<HttpResponse, ConnectorError> {
    answer(400, body.to_string().into_bytes())
}

fn config(behind: impl HttpConnector + 'static) -> aws_sdk_dynamodb::config::Builder {
    let connector = SharedHttpConnector::new(behind);
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "simulation"))
        .endpoint_url(&EMULATOR.address)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
}

/// Calls the emulator without faults.
#[derive(Debug, Clone)]
struct Plain;

impl HttpConnector for Plain {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(EMULATOR.ask(request))
    }
}

/// The calls of a process, in which faults occur.
#[derive(Debug, Clone)]
struct Calls {
    world: Arc<World>,
    process: Process,
}

impl Calls {
    /// Never returns if the process is dead.
    async fn passes(&self) {
        self.world.moment().await;
        if !self.world.lives(self.process) {
            std::future::pending::<()>().await;
        }
    }

    fn strikes(&self, fault: Fault, operation: &str) -> bool {
        let mut state = self.world.lock();
        if !state.faults.strikes(fault) {
            return false;
        }
        let (now, host) = (state.now(), self.process.host);
        let (from, to) = (now, now + TRIED_AGAIN);
        state.history.disturbed(Disturbance { from, to, host: Some(host), fault });
        drop(state);
        self.world.note(|| format!("server {host}: {} ({operation})", fault.word()));
        true
    }

    async fn go(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let operation = target.rsplit('.').next().unwrap_or_default();
        self.passes().await;
        if self.strikes(Fault::CallLost, operation) {
            return Err(ConnectorError::io("the connection broke".into()));
        }
        let name = |error: &str| format!("com.amazonaws.dynamodb.v20120810#{error}");
        if self.strikes(Fault::CallThrottled, operation) {
            return refused(&json!({ "__type": name("ProvisionedThroughputExceededException") }));
        }
        let conflict = match operation {
            "TransactWriteItems" => Some(json!({
                "__type": name("TransactionCanceledException"),
                "CancellationReasons": [{ "Code": "TransactionConflict" }, { "Code": "None" }],
            })),
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                Some(json!({ "__type": name("TransactionConflictException") }))
            }
            _ => None,
        };
        if let Some(conflict) = conflict
            && self.strikes(Fault::CallConflict, operation)
        {
            return refused(&conflict);
        }
        let answered = EMULATOR.wait_for(EMULATOR.ask(request));
        let lost = self.strikes(Fault::AnswerLost, operation);
        self.passes().await;
        if lost { Err(ConnectorError::io("the connection broke".into())) } else { answered }
    }
}

impl HttpConnector for Calls {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().go(request))
    }
}

/// Simulated time for the SDK and the store.
#[derive(Debug)]
struct SimulatedTime(Arc<World>);

impl AsyncSleep for SimulatedTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        // Half of a pause is left to a chance that is not the seed's: it becomes a whole one.
        let mut whole = PAUSE;
        while whole < duration {
            whole *= 2;
        }
        Sleep::new(self.0.sleep(micros(whole)))
    }
}

/// The tables of one run, which are deleted at its end.
struct Tables {
    prefix: String,
    config: DynamoConfig,
}

impl Drop for Tables {
    fn drop(&mut self) {
        let client = Client::from_conf(config(Plain).build());
        for table in ["Incident", "Service", "OncallCalendar", "Config", "OpenKey", "Team", "RosterChange"] {
            let delete = client.delete_table().table_name(format!("{}{table}", self.prefix));
            // Remaining data disappear with the emulator.
            EMULATOR.runtime.spawn(async move { delete.send().await.map(drop) });
        }
    }
}

/// The access of the processes to new tables.
///
/// # Panics
/// The emulator does not answer.
pub fn ways(world: &Arc<World>) -> Ways {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let prefix = format!("sim-{}-{}-", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let tables = Tables { config: DynamoConfig::with_prefix(&prefix), prefix };
    let names = tables.config.clone();
    let made = EMULATOR
        .runtime
        .block_on(async move { ensure_tables(&Client::from_conf(config(Plain).build()), &names).await });
    made.expect("the emulator makes tables");
    let world = Arc::clone(world);
    Box::new(move |process| {
        let calls = Calls { world: Arc::clone(&world), process };
        let config = config(calls).sleep_impl(SimulatedTime(Arc::clone(&world))).build();
        Arc::new(DynamoStore::new(&Client::from_conf(config), tables.config.clone()))
    })
}
