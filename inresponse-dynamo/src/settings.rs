//! The settings that all processes share, in DynamoDB.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use inresponse_core::Outage;
use inresponse_core::settings::{Settings, Swapped};

use crate::call::{Again, read, write};
use crate::item::{Item, text};
use crate::store::DynamoStore;

impl DynamoStore {
    /// Stores `value` if no value is stored under that name yet. Returns the stored value.
    ///
    /// # Errors
    /// DynamoDB is unavailable.
    pub async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, Outage> {
        self.set("SET #value = if_not_exists(#value, :value)", name, value).await
    }

    /// Replaces the value stored under that name.
    ///
    /// # Errors
    /// DynamoDB is unavailable.
    pub async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<(), Outage> {
        self.set("SET #value = :value", name, value).await.map(drop)
    }

    /// Changes a value and returns the new one. Both kinds of change have the same effect if they are made twice.
    async fn set(&self, change: &str, name: &str, value: Vec<u8>) -> Result<Vec<u8>, Outage> {
        let written = write(&self.client, Again::Harmless, || {
            self.client
                .update_item()
                .table_name(&self.config.config)
                .key("configkey", text(name))
                .update_expression(change)
                .expression_attribute_names("#value", "value")
                .expression_attribute_values(":value", AttributeValue::B(Blob::new(value.clone())))
                .return_values(ReturnValue::AllNew)
                .send()
        })
        .await
        .map_err(|failure| failure.into_outage())?;
        value_of(name, written.attributes.unwrap_or_default())
    }
}

#[async_trait]
impl Settings for DynamoStore {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        let found = read(&self.client, || {
            self.client
                .get_item()
                .table_name(&self.config.config)
                .key("configkey", text(name))
                .consistent_read(true)
                .send()
        })
        .await?;
        found.item.map(|item| value_of(name, item)).transpose()
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        let mut values = HashMap::from([(":value".to_owned(), AttributeValue::B(Blob::new(value)))]);
        if let Some(was) = was {
            values.insert(":was".to_owned(), AttributeValue::B(Blob::new(was)));
        }
        // The new value counts as the expected one too, because an earlier try of this write may have happened.
        let condition = match was {
            None => "attribute_not_exists(#value) OR #value = :value",
            Some(_) => "#value = :was OR #value = :value",
        };
        let written = write(&self.client, Again::Harmless, || {
            self.client
                .update_item()
                .table_name(&self.config.config)
                .key("configkey", text(name))
                .update_expression("SET #value = :value")
                .condition_expression(condition)
                .expression_attribute_names("#value", "value")
                .set_expression_attribute_values(Some(values.clone()))
                .send()
        });
        match written.await {
            Ok(_) => Ok(Swapped::Done),
            Err(failure) if failure.is_condition() && !failure.unsure => Ok(Swapped::Changed),
            // It may have been done, and changed again by somebody else.
            Err(failure) => Err(failure.into_outage()),
        }
    }
}

fn value_of(name: &str, mut item: Item) -> Result<Vec<u8>, Outage> {
    match item.remove("value") {
        Some(AttributeValue::B(value)) => Ok(value.into_inner()),
        _ => Err(Outage::permanent(format!("the setting {name} cannot be read"))),
    }
}
