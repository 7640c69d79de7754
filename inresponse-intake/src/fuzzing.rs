//! The parsers of signed messages, for the fuzz targets: no fuzzer can forge the signature in front of them.

use crate::json::object;
use crate::sns::{AmazonUrl, alarm::Alarm};
use crate::{Context, Translated};

/// Translates a CloudWatch alarm, if the body is one.
pub fn alarm(message: &str, topic: &str, context: &Context<'_>) -> Option<Translated> {
    let message = object(message.as_bytes()).ok()?;
    let alarm = Alarm::notified(&message).or_else(|| Alarm::event(&message))?;
    Some(alarm.translate(Some(topic), context))
}

/// Reads a URL of Amazon SNS, if the text is one. The topic is that of the fuzz corpus.
pub fn amazon_url(text: &str) -> Option<AmazonUrl> {
    AmazonUrl::certificate(text).or_else(|| AmazonUrl::confirmation(text, "arn:aws:sns:eu-west-1:1:t"))
}
