//! The incident processor: the HTTP API behind API Gateway.

use inresponse_http::{Api, Keys};
use lambda_runtime::Error;

use crate::config::Config;
use crate::wiring::engine;

/// Answers events of HTTP APIs (v2) and of REST APIs (v1) until Lambda ends the process.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    let engine = engine(&config).await?;
    let api = Api::new(engine, Keys::new(vec![config.api_key]));
    let api = api.metrics(inresponse_http::metrics::install()?);
    lambda_http::run(inresponse_http::router(api)).await
}
