//! Fetches from Amazon SNS: signing certificates, and the links that confirm subscriptions.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::body::Bytes;
use inresponse_intake::sns::AmazonUrl;

/// Fetches URLs from Amazon SNS: signing certificates, and the links that confirm subscriptions.
#[async_trait]
pub trait FetchFromAmazon: Debug + Send + Sync + 'static {
    /// Fetches that URL with GET, and returns the body of a 2xx answer: at most 64 KiB, within some seconds, without
    /// redirects, over TLS with a verified host.
    ///
    /// # Errors
    /// The request failed, or the answer is too large or not a 2xx. The error's text is for the log.
    async fn get(&self, url: &AmazonUrl) -> Result<Bytes, String>;
}

/// A fetcher, and the certificates that it has fetched.
#[derive(Debug, Clone)]
pub(crate) struct Amazon {
    fetcher: Arc<dyn FetchFromAmazon>,
    certificates: Arc<Mutex<HashMap<AmazonUrl, Bytes>>>,
}

impl Amazon {
    /// The maximum number of certificates that are kept. Amazon has one for each region and replaces it about once a
    /// year.
    const MAX_CERTIFICATES: usize = 64;

    pub(crate) fn new(fetcher: impl FetchFromAmazon) -> Self {
        Self { fetcher: Arc::new(fetcher), certificates: Arc::default() }
    }

    pub(crate) fn fetcher(&self) -> &dyn FetchFromAmazon {
        &*self.fetcher
    }

    fn certificates(&self) -> MutexGuard<'_, HashMap<AmazonUrl, Bytes>> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn known(&self, url: &AmazonUrl) -> Option<Bytes> {
        self.certificates().get(url).cloned()
    }

    pub(crate) fn keep(&self, url: &AmazonUrl, certificate: &Bytes) {
        let mut certificates = self.certificates();
        if certificates.len() >= Self::MAX_CERTIFICATES {
            certificates.clear();
        }
        certificates.insert(url.clone(), certificate.clone());
    }
}
