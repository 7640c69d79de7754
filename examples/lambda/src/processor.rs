//! The function `processor`: the HTTP API behind API Gateway.

use inresponse_http::{Api, Keys, Pages};
use lambda_runtime::Error;

use crate::config::Config;
use crate::wiring::engine;

/// Answers events of HTTP APIs (v2) and of REST APIs (v1) until Lambda ends the process.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    let (engine, store) = engine(&config).await?;
    // A stream of events would be paid for by the second; the pages ask now and then instead.
    let pages = Pages::under(&config.public_url)?.streams(0);
    let api = Api::new(engine, Keys::new(config.api_keys)).pages(pages).settings(store).without_heartbeats();
    let api = api.hand_over_to(config.hand_over_domains);
    let api = api.metrics(inresponse_http::metrics::install()?);
    lambda_http::run(inresponse_http::router(api)).await
}
