//! InResponse on AWS Lambda: one program, which chooses its function by the name of the handler.
//!
//! | handler | called by | does |
//! |---|---|---|
//! | `processor` | API Gateway | the HTTP API |
//! | `notifier` | the state machine; SNS | advances one incident; handles bounces and complaints |
//! | `sweeper` | a schedule | advances overdue incidents; asks for acknowledgements; reads calendar feeds; sends notices |

mod channels;
mod config;
mod notifier;
mod processor;
mod secrets;
mod sweeper;
mod timers;
mod variables;
mod wiring;

use inresponse_core::clock::{Clock as _, SystemClock};
use lambda_runtime::Error;

use crate::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let log = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(log).with_current_span(false).without_time().init();
    let config = Config::read(|name| std::env::var(name).ok(), SystemClock::new().now())?;
    // Set by Lambda to what the template calls the handler.
    match std::env::var("_HANDLER").unwrap_or_default().as_str() {
        "processor" => processor::run(config).await,
        "notifier" => notifier::run(config).await,
        "sweeper" => sweeper::run(config).await,
        other => Err(format!("there is no handler `{other}`: it is processor, notifier or sweeper").into()),
    }
}
