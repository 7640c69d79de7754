//! Connects to DynamoDB and SES with the usual AWS environment.

use aws_config::{BehaviorVersion, SdkConfig};
use inresponse_core::Outage;
use inresponse_dynamo::{DynamoConfig, DynamoRoster, DynamoStore, ensure_tables};

/// Reads region, credentials and endpoint from the environment. Errors begin with `flag`, the setting that needs an AWS
/// region.
pub(crate) async fn environment(flag: &str) -> Result<SdkConfig, Outage> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    if aws.region().is_none() {
        return Err(Outage::permanent(format!(
            "{flag}: the AWS environment names no region; set AWS_REGION, or a region in the AWS profile"
        )));
    }
    Ok(aws)
}

/// The store and the roster in DynamoDB tables.
pub(crate) struct Tables {
    pub(crate) store: DynamoStore,
    pub(crate) roster: DynamoRoster,
}

impl Tables {
    /// Opens the tables with that prefix, and creates missing ones.
    pub(crate) async fn open(prefix: &str) -> Result<Self, Outage> {
        let client = aws_sdk_dynamodb::Client::new(&environment("dynamo-prefix").await?);
        let config = DynamoConfig::with_prefix(prefix);
        ensure_tables(&client, &config).await.map_err(|e| {
            let message = format!("dynamo-prefix: the tables {prefix}… cannot be found or created");
            Outage::new(e.kind(), message).because(e)
        })?;
        let store = DynamoStore::new(&client, config.clone());
        Ok(Self { store, roster: DynamoRoster::new(&client, config) })
    }
}
