//! URLs of Amazon SNS.

/// An `https` URL on a host of Amazon SNS, and nothing else: it may be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AmazonUrl(String);

impl AmazonUrl {
    /// The longest, in bytes.
    const MAX_BYTES: usize = 2048;

    /// Checks a URL. It is read by the letter: what another reader might take for something else is refused.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let (host, path) = text.strip_prefix("https://")?.split_once('/')?;
        let region = host.strip_prefix("sns.")?;
        let region =
            region.strip_suffix(".amazonaws.com").or_else(|| region.strip_suffix(".amazonaws.com.cn"))?;
        let is_region = !region.is_empty()
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_path =
            path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#' | b'"' | b'<' | b'>'));
        (is_region && is_path && text.len() <= Self::MAX_BYTES).then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amazons_own_hosts_are_fetched() {
        for good in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/x.pem",
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:a:1:t&Token=5",
        ] {
            assert_eq!(AmazonUrl::new(good).as_ref().map(AmazonUrl::as_str), Some(good));
        }
        for bad in [
            "",
            "http://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com",
            "https://sns.us-east-1.amazonaws.com:444/x.pem",
            "https://user@sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
            "https://sns.evil.example/.amazonaws.com/x.pem",
            "https://sns.evil.example?.amazonaws.com/x.pem",
            "https://sns.evil.example\\.amazonaws.com/x.pem",
            "https://sns.a.b.amazonaws.com/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "https://bucket.s3.amazonaws.com/x.pem",
            "https://xsns.us-east-1.amazonaws.com/x.pem",
            "https://SNS.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com/x .pem",
            "https://sns.us-east-1.amazonaws.com/x\r\n.pem",
            " https://sns.us-east-1.amazonaws.com/x.pem",
        ] {
            assert_eq!(AmazonUrl::new(bad), None, "{bad}");
        }
        assert_eq!(AmazonUrl::new(&format!("https://sns.a.amazonaws.com/{}", "x".repeat(3000))), None);
    }
}
