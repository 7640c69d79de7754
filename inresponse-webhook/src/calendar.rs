//! Fetches calendar feeds, through the same gate as webhooks.

use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::Chain;
use inresponse_core::feeds::{Ask, Calendars, Fetched};
use inresponse_core::roster::{Feed, FeedCopy, FeedEvent};
use inresponse_outward::header::{ACCEPT, ETAG, IF_NONE_MATCH, LOCATION};
use inresponse_outward::{Outward, StatusCode};
use reqwest::Response;
use url::Url;

use crate::config::WebhookConfig;
use crate::error::{WebhookError, without_certificates};

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// How often an answer may lead elsewhere.
const MAX_REDIRECTS: usize = 3;
/// How many findings of one calendar are kept.
const MAX_FINDINGS: usize = 20;

/// Fetches and reads the calendars of feeds. Cheap to clone.
///
/// A URL is checked as a webhook's is: `https:` only, and no address of the inside, unless the configuration allows the
/// host. Redirects are followed through the same check.
#[derive(Debug, Clone)]
pub struct CalendarFetcher {
    outward: Outward,
}

impl CalendarFetcher {
    /// A fetcher that reaches the internal hosts of that configuration, and the internet. Nothing is connected yet.
    ///
    /// # Errors
    /// This machine trusts no certificates.
    pub fn new(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let outward = Outward::connecting_within(&config.internal, CONNECT);
        Ok(Self { outward: outward.map_err(without_certificates)? })
    }

    async fn read(&self, feed: &Feed, ask: &Ask) -> Result<Fetched, String> {
        let mut url = Url::parse(&feed.url).map_err(|_| "its URL cannot be read".to_owned())?;
        for _ in 0..=MAX_REDIRECTS {
            let request = self.outward.get(url.clone()).map_err(|refused| refused.to_string())?;
            let mut request = request.header(ACCEPT, "text/calendar, */*;q=0.5");
            if let Some(etag) = &ask.etag {
                request = request.header(IF_NONE_MATCH, etag.as_str());
            }
            let response = request.send().await.map_err(|e| Chain::of(&e.without_url()).to_string())?;
            match response.status() {
                StatusCode::NOT_MODIFIED if ask.etag.is_some() => return Ok(Fetched::Unchanged),
                StatusCode::OK => return read(response, ask).await,
                status if status.is_redirection() => {
                    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                    let next = location.and_then(|location| url.join(location).ok());
                    url = next.ok_or("it leads to an address that cannot be read")?;
                }
                status => return Err(format!("it answered {status}")),
            }
        }
        Err("it leads elsewhere too often".to_owned())
    }
}

#[async_trait]
impl Calendars for CalendarFetcher {
    async fn fetch(&self, feed: &Feed, ask: &Ask, deadline: Duration) -> Fetched {
        match tokio::time::timeout(deadline, self.read(feed, ask)).await {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(reason)) => Fetched::Failed { reason },
            Err(_) => {
                Fetched::Failed { reason: format!("it did not answer within {} s", deadline.as_secs()) }
            }
        }
    }
}

async fn read(mut response: Response, ask: &Ask) -> Result<Fetched, String> {
    let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body: Vec<u8> = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|e| Chain::of(&e.without_url()).to_string())?;
        let Some(chunk) = chunk else { break };
        if body.len() + chunk.len() > inresponse_calendar::limits::MAX_BYTES {
            return Err(format!("it has more than {} bytes", inresponse_calendar::limits::MAX_BYTES));
        }
        body.extend_from_slice(&chunk);
    }
    let (from, to) = ask.span;
    let calendar =
        inresponse_calendar::read(&body, &ask.zone, from..to).map_err(|e| Chain::of(&e).to_string())?;
    let event =
        |event: inresponse_calendar::Event| FeedEvent { from: event.from, to: event.to, names: event.names };
    let findings = calendar.findings.iter().take(MAX_FINDINGS);
    let copy = FeedCopy {
        events: calendar.events.into_iter().map(event).collect(),
        findings: findings.map(|finding| format!("{}: {}", finding.event(), finding.message())).collect(),
    };
    Ok(Fetched::Read { copy, etag })
}
