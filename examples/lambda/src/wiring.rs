//! Wires the parts together, once per cold start.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use inresponse_channels::{ChannelSettings, Outlets, add_channels};
use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::notify::Notifiers;
use inresponse_dynamo::{DynamoConfig, DynamoRoster, DynamoStore};
use inresponse_phone::TwilioConfig;
use inresponse_ses::{SesConfig, SesNotifier};
use inresponse_webhook::WebhookConfig;
use lambda_runtime::Error;

use crate::channels;
use crate::config::Config;
use crate::timers::Executions;

/// The time limit to connect, as in the SDK's default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// The parts of a function.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) store: DynamoStore,
    /// Pushes and chats, and what takes their answers.
    pub(crate) outlets: Outlets,
    /// The account whose replies and keys count.
    pub(crate) twilio: Option<TwilioConfig>,
    /// Which internal hosts may be reached.
    pub(crate) webhook: WebhookConfig,
}

/// The engine with DynamoDB, SES, Step Functions and the channels, and its store. Only the settings of the channels are read
/// at once.
pub(crate) async fn parts(config: &Config) -> Result<Parts, Error> {
    let aws = aws_config::defaults(BehaviorVersion::latest()).http_client(http()).load().await;
    let tables = DynamoConfig::with_prefix(&config.table_prefix);
    let dynamo = aws_sdk_dynamodb::Client::new(&aws);
    let clock = SystemClock::new();
    let mut ses = SesConfig::new(&config.mail_from)?;
    if let Some(name) = &config.configuration_set {
        ses = ses.configuration_set(name)?;
    }
    let mut notifiers = Notifiers::new().mail(SesNotifier::new(&aws, ses, Arc::new(clock.clone())));
    let store = DynamoStore::new(&dynamo, tables.clone());
    let (mut outlets, mut twilio, mut internal) = (Outlets::default(), None, WebhookConfig::new());
    if let Some(secret) = &config.channels {
        let settings = channels::settings(&aws, secret, &config.public_url).await?;
        let ChannelSettings { webhook, outlets: pushes, phone, limits } = settings;
        outlets = Outlets::new(pushes, webhook.internal(), Some(&config.public_url), &clock)?;
        (twilio, internal) = (phone.twilio.clone(), webhook.clone());
        let settings = || Arc::new(store.clone());
        notifiers = add_channels(notifiers, webhook, phone, &outlets, &clock)?
            .remembering(settings())
            .limited(limits, settings(), clock.clone());
    }
    let roster = DynamoRoster::new(&dynamo, tables);
    let mut engine = Engine::builder(store.clone(), roster, notifiers, clock)
        .defaults(config.defaults.clone())
        .status_updates(config.status_updates)
        .timers(Executions::new(&aws, config.state_machine.clone()))
        .claim_links(&config.public_url, config.token_secrets.clone())?;
    if let Some(team) = &config.catch_all {
        engine = engine.catch_all(team.clone());
    }
    if let Some(keep) = config.keep_resolved {
        engine = engine.keep_resolved(keep);
    }
    Ok(Parts { engine: engine.build(), store, outlets, twilio, webhook: internal })
}

/// One HTTP client for all AWS services. By default each service's client reads all root certificates, which is most of
/// a cold start.
fn http() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .proxy_config(ProxyConfig::from_env())
        .connector_settings(settings)
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}
