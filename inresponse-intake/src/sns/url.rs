//! Checks URLs of Amazon SNS before they are fetched.

/// An `https` URL of Amazon SNS that may be fetched: a certificate, or the confirmation of a subscription.
///
/// The check is strict: anything that another parser might read differently is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AmazonUrl(String);

impl AmazonUrl {
    /// The maximum length of a URL, in bytes.
    const MAX_BYTES: usize = 2048;

    /// The URL of a certificate of SNS: `/SimpleNotificationService-` and hexadecimal digits.
    pub(crate) fn certificate(text: &str) -> Option<Self> {
        Self::at(text, |path| {
            let name = path.strip_prefix("SimpleNotificationService-")?.strip_suffix(".pem")?;
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            ((8..=64).contains(&name.len()) && name.bytes().all(is_hex)).then_some(())
        })
    }

    /// The URL of the call that confirms a subscription to a topic, and of no other call.
    pub(crate) fn confirmation(text: &str, topic: &str) -> Option<Self> {
        Self::at(text, |path| {
            let query = path.strip_prefix('?')?;
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:=&".contains(&b);
            let of = |name: &str| {
                let mut values =
                    query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(n, _)| *n == name);
                values.next().filter(|_| values.next().is_none()).map(|(_, value)| value)
            };
            let is_confirmation = of("Action")? == "ConfirmSubscription" && of("TopicArn")? == topic;
            (is_confirmation && query.bytes().all(is_plain)).then_some(())
        })
    }

    /// A URL on a host of SNS, if its path is accepted.
    fn at(text: &str, path_is_right: impl Fn(&str) -> Option<()>) -> Option<Self> {
        let (host, path) = text.strip_prefix("https://")?.split_once('/')?;
        let region = host.strip_prefix("sns.")?;
        let region =
            region.strip_suffix(".amazonaws.com").or_else(|| region.strip_suffix(".amazonaws.com.cn"))?;
        path_is_right(path)?;
        (is_region(region) && text.len() <= Self::MAX_BYTES).then(|| Self(text.to_owned()))
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text looks like a region such as `eu-west-1` or `us-gov-west-1`: words of letters, then a number.
///
/// Amazon serves customers' own content on other hosts under `amazonaws.com`, such as `sns.s3.amazonaws.com` for a
/// bucket named `sns`. No such host has a region in that place.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, words @ .., number] = parts.as_slice() else { return false };
    let is_word =
        |word: &&str| (1..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    (2..=4).contains(&area.len())
        && is_word(area)
        && (1..=2).contains(&words.len())
        && words.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: [&str; 7] = [
        "sns.us-east-1.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.us-isob-east-1.amazonaws.com",
        "sns.ap-southeast-3.amazonaws.com",
        "sns.mx-central-1.amazonaws.com",
        "sns.eusc-de-east-1.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
    ];
    const FOREIGN: [&str; 27] = [
        "",
        "sns.amazonaws.com",
        "sns.s3.amazonaws.com",
        "sns.s3.amazonaws.com.cn",
        "sns.s3-us-west-2.amazonaws.com",
        "sns.s3-website-us-west-2.amazonaws.com",
        "sns.s3-1.amazonaws.com",
        "sns.elb-1.amazonaws.com",
        "sns.us-east.amazonaws.com",
        "sns.us-east-1a.amazonaws.com",
        "sns.us-east-.amazonaws.com",
        "sns.-east-1.amazonaws.com",
        "sns.us--1.amazonaws.com",
        "sns.us-east-1.s3.amazonaws.com",
        "sns.us-east-1.amazonaws.com.",
        "sns.us-east-1.amazonaws.com:443",
        "sns.us-east-1.amazonaws.com:",
        "user@sns.us-east-1.amazonaws.com",
        "sns.us-east-1.amazonaws.com@evil.example",
        "sns.us-east-1.amazonaws.com.evil.example",
        "sns.us-east-1.evil.example?.amazonaws.com",
        "sns.us-east-1.evil.example\\.amazonaws.com",
        "sns.us-east-1.evil.example#.amazonaws.com",
        "sns..amazonaws.com",
        "xsns.us-east-1.amazonaws.com",
        "SNS.us-east-1.amazonaws.com",
        "sns.us-east-1.amazonaws.com\t",
    ];
    const CERTIFICATE: &str = "SimpleNotificationService-0123456789abcdef.pem";
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";
    const CONFIRMATION: &str =
        "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&Token=2336";

    fn confirmation(text: &str) -> Option<AmazonUrl> {
        AmazonUrl::confirmation(text, TOPIC)
    }

    #[test]
    fn only_the_hosts_of_sns_in_a_region_are_fetched() {
        for host in HOSTS {
            assert!(AmazonUrl::certificate(&format!("https://{host}/{CERTIFICATE}")).is_some(), "{host}");
            assert!(confirmation(&format!("https://{host}/{CONFIRMATION}")).is_some(), "{host}");
        }
        for host in FOREIGN {
            assert_eq!(AmazonUrl::certificate(&format!("https://{host}/{CERTIFICATE}")), None, "{host}");
            assert_eq!(confirmation(&format!("https://{host}/{CONFIRMATION}")), None, "{host}");
        }
        for scheme in ["http://", "HTTPS://", "", " https://", "//"] {
            let url = |path| format!("{scheme}sns.us-east-1.amazonaws.com/{path}");
            assert_eq!(AmazonUrl::certificate(&url(CERTIFICATE)), None, "{scheme}");
            assert_eq!(confirmation(&url(CONFIRMATION)), None, "{scheme}");
        }
    }

    #[test]
    fn a_certificate_has_the_name_that_sns_gives_its_own() {
        for path in [
            "",
            "x.pem",
            CONFIRMATION,
            "SimpleNotificationService-0123456789abcdef",
            "SimpleNotificationService-.pem",
            "SimpleNotificationService-0123456789ABCDEF.pem",
            "SimpleNotificationService-0123456789abcdeg.pem",
            "SimpleNotificationService-0123456789abcdef.pem?x",
            "SimpleNotificationService-0123456789abcdef.pem#x",
            "SimpleNotificationService-0123456789abcdef.pem\r\n",
            "SimpleNotificationService-0123456789/../abcdef.pem",
            "/SimpleNotificationService-0123456789abcdef.pem",
            "bucket/SimpleNotificationService-0123456789abcdef.pem",
        ] {
            assert_eq!(
                AmazonUrl::certificate(&format!("https://sns.us-east-1.amazonaws.com/{path}")),
                None,
                "{path}"
            );
        }
    }

    #[test]
    fn only_a_subscription_to_the_topic_of_the_message_is_confirmed() {
        let long = format!("{CONFIRMATION}{}", "x".repeat(3000));
        for path in [
            "",
            CERTIFICATE,
            "?Action=ConfirmSubscription",
            "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:another&Token=5",
            "?Action=Publish&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&Token=5",
            "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&Action=Publish",
            "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&x=\\",
            "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms#x",
            "x?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms",
            &long,
        ] {
            assert_eq!(confirmation(&format!("https://sns.us-east-1.amazonaws.com/{path}")), None, "{path}");
        }
    }
}
