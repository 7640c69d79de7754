//! Creates the tables.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};
use inresponse_core::Outage;

use crate::call::{Again, bounded, write};
use crate::config::DynamoConfig;
use crate::error::{Trouble, outage, trouble};
use crate::item::{BY_DUE, BY_SERVICE, BY_SERVICE_AND_TEAM, BY_STATE, BY_TEAM};

use ScalarAttributeType::{N, S};

/// The maximum number of times to ask whether a table is ready, a quarter of a second apart.
const MAX_LOOKS: u32 = 240;

/// A key: its partition attribute, and its sort attribute, if it has one.
type Key = (&'static str, Option<&'static str>);

/// The definition of a table.
struct Table<'a> {
    name: &'a str,
    attributes: &'a [(&'static str, ScalarAttributeType)],
    key: Key,
    indexes: &'a [(&'static str, Key, &'a [&'static str])],
}

/// Creates missing tables and waits until all can be used. The function is meant for local use and tests.
///
/// The tables are billed on demand and have no backups or protection. A real deployment creates them by its template.
/// If all tables exist, this function only checks that, and needs no permission except `dynamodb:DescribeTable`. This
/// function adds no index to an existing table: lists that need a missing index are slower.
///
/// # Errors
/// DynamoDB is unavailable or refuses the call.
pub async fn ensure_tables(client: &Client, config: &DynamoConfig) -> Result<(), Outage> {
    let client = bounded(client);
    let tables = [
        Table {
            name: &config.incident,
            attributes: &[
                ("incidentId", N),
                ("dueShard", N),
                ("dueKey", S),
                ("stateKey", S),
                ("serviceKey", S),
                ("teamKey", S),
                ("serviceTeamKey", S),
            ],
            key: ("incidentId", None),
            indexes: &[
                (BY_DUE, ("dueShard", Some("dueKey")), &[]),
                (BY_STATE, ("stateKey", Some("incidentId")), &["waitingSince", "unclaimed", "undelivered"]),
                (BY_SERVICE, ("serviceKey", Some("incidentId")), &[]),
                (BY_TEAM, ("teamKey", Some("incidentId")), &[]),
                (BY_SERVICE_AND_TEAM, ("serviceTeamKey", Some("incidentId")), &[]),
            ],
        },
        Table {
            name: &config.roster_change,
            attributes: &[("log", S), ("mark", S)],
            key: ("log", Some("mark")),
            indexes: &[],
        },
        Table {
            name: &config.service,
            attributes: &[("serviceId", S)],
            key: ("serviceId", None),
            indexes: &[],
        },
        Table {
            name: &config.calendar,
            attributes: &[("teamname", S), ("day", S)],
            key: ("teamname", Some("day")),
            indexes: &[],
        },
        Table {
            name: &config.config,
            attributes: &[("configkey", S)],
            key: ("configkey", None),
            indexes: &[],
        },
        Table { name: &config.open_key, attributes: &[("openKey", S)], key: ("openKey", None), indexes: &[] },
        Table { name: &config.team, attributes: &[("teamname", S)], key: ("teamname", None), indexes: &[] },
    ];
    let mut all_there = true;
    for table in &tables {
        all_there &= status(&client, table.name).await? == Some(TableStatus::Active);
    }
    if all_there {
        return Ok(());
    }
    // The first two whole before the others, so that an interrupted process begins again at them.
    let [incident, roster_change, others @ ..] = &tables;
    for table in [incident, roster_change] {
        create(&client, table).await?;
        wait_for(&client, table.name).await?;
        expire(&client, table.name).await?;
    }
    for table in others {
        create(&client, table).await?;
    }
    for table in others {
        wait_for(&client, table.name).await?;
    }
    Ok(())
}

fn incomplete(error: BuildError) -> Outage {
    Outage::permanent("a request to DynamoDB is incomplete").because(error)
}

fn schema((partition, sort): Key) -> Result<Vec<KeySchemaElement>, Outage> {
    let element = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(incomplete)
    };
    let sort = sort.map(|name| element(name, KeyType::Range));
    [Some(element(partition, KeyType::Hash)), sort].into_iter().flatten().collect()
}

async fn create(client: &Client, table: &Table<'_>) -> Result<(), Outage> {
    let mut call = client
        .create_table()
        .table_name(table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(table.key)?));
    for (name, kind) in table.attributes {
        let attribute = AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone());
        call = call.attribute_definitions(attribute.build().map_err(incomplete)?);
    }
    for (name, key, with) in table.indexes {
        let projection = if with.is_empty() {
            Projection::builder().projection_type(ProjectionType::KeysOnly)
        } else {
            let names = with.iter().map(|name| (*name).to_owned()).collect();
            Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(names))
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(*name)
            .set_key_schema(Some(schema(*key)?))
            .projection(projection.build());
        call = call.global_secondary_indexes(index.build().map_err(incomplete)?);
    }
    match call.send().await {
        Ok(_) => Ok(()),
        // Somebody has made it, or is making it.
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => {
            let trouble = trouble(&error);
            Err(outage(error, trouble))
        }
    }
}

/// The status of the table; `None` if it does not exist.
async fn status(client: &Client, name: &str) -> Result<Option<TableStatus>, Outage> {
    let described = write(client, Again::Harmless, || client.describe_table().table_name(name).send()).await;
    match described {
        Ok(described) => Ok(described.table.and_then(|table| table.table_status)),
        Err(failure) if failure.error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(failure) => Err(failure.into_outage()),
    }
}

async fn wait_for(client: &Client, name: &str) -> Result<(), Outage> {
    for _ in 0..MAX_LOOKS {
        if status(client, name).await? == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err(Outage::retryable(format!("the table {name} is still being made")))
}

/// Lets items expire by the attribute that audit records have, and resolved incidents too if they are not kept forever.
async fn expire(client: &Client, name: &str) -> Result<(), Outage> {
    let by = TimeToLiveSpecification::builder().attribute_name("expiresAt").enabled(true);
    let call = client.update_time_to_live().table_name(name);
    match call.time_to_live_specification(by.build().map_err(incomplete)?).send().await {
        Ok(_) => Ok(()),
        // It is enabled already.
        Err(error) if error.code() == Some("ValidationException") => Ok(()),
        Err(error) => match trouble(&error) {
            // Another process is enabling it.
            Trouble::Throttled | Trouble::Conflict => Ok(()),
            trouble @ (Trouble::Unsure | Trouble::Condition | Trouble::Refused) => {
                Err(outage(error, trouble))
            }
        },
    }
}
