//! Parsers behind a signature that no fuzzer forges, for the fuzz targets.

use crate::json::object;
use crate::sns::{AmazonUrl, alarm::Alarm};
use crate::{Context, Translated};

/// A CloudWatch alarm, if the body is one.
pub fn alarm(message: &str, topic: &str, context: &Context<'_>) -> Option<Translated> {
    let message = object(message.as_bytes()).ok()?;
    let alarm = Alarm::notified(&message).or_else(|| Alarm::event(&message))?;
    Some(alarm.translate(Some(topic), context))
}

/// A URL of Amazon SNS, if it is one; the topic is that of the corpus.
pub fn amazon_url(text: &str) -> Option<AmazonUrl> {
    AmazonUrl::certificate(text).or_else(|| AmazonUrl::confirmation(text, "arn:aws:sns:eu-west-1:1:t"))
}
