//! The topics from which reports of SES are accepted.

use std::collections::BTreeSet;

use async_trait::async_trait;
use inresponse_core::notify::{Noticed, TakeNotices};
use inresponse_core::{Engine, Outage};

use crate::error::{SesError, SesErrorKind};
use crate::notice::read;
use crate::take::{Taken, take};

/// Accepts reports of SES from trusted topics only.
///
/// Trusted topics are necessary, because anybody with an AWS account can have SES report any bounce to their own topic.
#[derive(Debug, Clone, Default)]
pub struct SesTopics {
    trusted: BTreeSet<String>,
}

impl SesTopics {
    /// Trusts the topics with these resource names, such as `arn:aws:sns:eu-west-1:123456789012:inresponse-mails`.
    ///
    /// # Errors
    /// One of the texts is not the resource name of a topic.
    pub fn new(topics: impl IntoIterator<Item = String>) -> Result<Self, SesError> {
        let trusted: BTreeSet<_> = topics.into_iter().collect();
        match trusted.iter().find(|topic| !is_topic(topic)) {
            Some(topic) => {
                let message = format!(
                    "`{topic}` is not the ARN of an SNS topic like arn:aws:sns:eu-west-1:123456789012:mails"
                );
                Err(SesError::new(SesErrorKind::Topic, message))
            }
            None => Ok(Self { trusted }),
        }
    }

    /// Whether no topic is trusted, so that no report is accepted.
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty()
    }
}

fn is_topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    matches!(parts[..], ["arn", _, "sns", _, _, _]) && parts.iter().all(is_plain)
}

#[async_trait]
impl TakeNotices for SesTopics {
    async fn take(&self, engine: &Engine, topic: &str, message: &str) -> Result<Noticed, Outage> {
        if !self.trusted.contains(topic) {
            return Ok(match read(message.as_bytes()) {
                Ok(_) => Noticed::Untrusted,
                Err(_) => Noticed::Foreign,
            });
        }
        Ok(match take(engine, message.as_bytes()).await? {
            Taken::Dead => Noticed::Dead,
            Taken::Nothing => Noticed::Nothing,
            Taken::Foreign(_) => Noticed::Foreign,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_given_by_its_resource_name() {
        for good in [
            "arn:aws:sns:eu-west-1:123456789012:inresponse-mails",
            "arn:aws-cn:sns:cn-north-1:123456789012:mails.fifo",
        ] {
            assert!(SesTopics::new([good.to_owned()]).is_ok(), "{good}");
        }
        for bad in [
            "",
            "inresponse-mails",
            "arn:aws:sqs:eu-west-1:123456789012:mails",
            "arn:aws:sns:eu-west-1::mails",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sns:eu-west-1:123456789012:*",
            "arn:aws:sns:eu-west-1:123456789012:mails:0b1c2d3e-subscription",
            " arn:aws:sns:eu-west-1:123456789012:mails",
        ] {
            assert_eq!(SesTopics::new([bad.to_owned()]).unwrap_err().kind(), SesErrorKind::Topic, "{bad}");
        }
    }
}
