//! Fetches certificates and confirms subscriptions at Amazon SNS.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use inresponse_core::Chain;
use inresponse_http::{AmazonUrl, FetchFromAmazon};
use reqwest::Client;
use reqwest::redirect::Policy;

/// The time limit for an answer of Amazon.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum size of an answer, in bytes. A certificate has about two thousand.
const MAX_BYTES: usize = 64 * 1024;

/// Fetches over HTTPS. Redirects are not followed, because they might lead to other hosts.
#[derive(Debug)]
pub(crate) struct FromAmazon {
    client: Client,
}

impl FromAmazon {
    /// # Errors
    /// This machine has no certificate store to verify Amazon's hosts.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let client = Client::builder().https_only(true).redirect(Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl FetchFromAmazon for FromAmazon {
    async fn get(&self, url: &AmazonUrl) -> Result<Bytes, String> {
        let told = |error: reqwest::Error| Chain::of(&error.without_url()).to_string();
        let mut response = self.client.get(url.as_str()).send().await.map_err(told)?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!("the answer has more than {MAX_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }
}
