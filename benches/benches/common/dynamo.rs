//! The store on DynamoDB, in the emulator that the usual AWS environment names.

use aws_config::BehaviorVersion;
use inresponse_core::Outage;
use inresponse_dynamo::{DynamoConfig, DynamoStore, ensure_tables};

/// The store in the tables with that prefix. Missing tables are created.
pub(crate) async fn store(prefix: &str) -> Result<DynamoStore, Outage> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let config = DynamoConfig::with_prefix(prefix);
    ensure_tables(&client, &config).await?;
    Ok(DynamoStore::new(&client, config))
}
