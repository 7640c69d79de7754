//! The function `processor`: the HTTP API behind API Gateway.

use std::sync::Arc;

use inresponse_http::{Api, Keys, Pages};
use inresponse_phone::TwilioChannel;
use lambda_runtime::Error;

use crate::config::Config;
use crate::wiring::{Parts, parts};

/// Answers events of HTTP APIs (v2) and of REST APIs (v1) until Lambda ends the process.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    let Parts { engine, store, outlets, twilio, .. } = parts(&config).await?;
    // A stream of events would be paid for by the second; the pages ask now and then instead.
    let pages = Pages::under(&config.public_url)?.streams(0);
    let api = Api::new(engine, Keys::new(config.api_keys)).pages(pages).settings(store.clone());
    // What comes back over the channels comes to the same API.
    let api = outlets.answers().into_iter().fold(api, Api::channel_by);
    let twilio = twilio.map(|account| TwilioChannel::new(account, Arc::new(store)));
    let api = twilio.into_iter().fold(api, |api, twilio| api.channel_by(Arc::new(twilio)));
    let api = api.hand_over_to(config.hand_over_domains);
    let api = api.metrics(inresponse_http::metrics::install()?);
    lambda_http::run(inresponse_http::router(api)).await
}
