//! What SES is given.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::clock::SystemClock;
use inresponse_core::notify::{Notifier, Outcome};
use inresponse_ses::{SesConfig, SesNotifier};
use mail_parser::MessageParser;
use serde_json::json;

use crate::stub::{Answer, Stub, alert, aws};

const AMPLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_call_has_the_mail_its_envelope_and_tags_that_ses_takes() {
    let stub = Stub::start(|_| Answer::accepted());
    let alert = alert("jo@example.org");
    assert_eq!(stub.notifier().notify(&alert, AMPLE).await, Outcome::Accepted);
    let calls = stub.calls();
    let [call] = &calls[..] else { panic!("one call: {calls:?}") };
    assert!(call.request_line.starts_with("POST /v2/email/outbound-emails"), "{}", call.request_line);
    let delivery = alert.delivery_id().as_str();
    let mut body = call.body.clone();
    body.as_object_mut().unwrap().remove("Content").unwrap();
    let expected = json!({
        "FromEmailAddress": "alerts@example.org",
        "Destination": { "ToAddresses": ["jo@example.org"] },
        "ConfigurationSetName": "inresponse",
        "EmailTags": [
            { "Name": "inresponse-incident", "Value": "10001" },
            { "Name": "inresponse-delivery", "Value": delivery },
        ],
    });
    assert_eq!(body, expected);
    for text in ["inresponse-incident", "inresponse-delivery", delivery] {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        assert!(plain && text.len() <= 256, "{text}");
    }

    let message = call.message();
    let mail = MessageParser::default().parse(&message).unwrap();
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("InResponse"), Some("alerts@example.org")));
    assert_eq!(mail.subject(), Some("[CRIT] #10001 athens: 5xx"));
    assert_eq!(mail.header("X-InResponse-Delivery").unwrap().as_text(), Some(delivery));
}

#[tokio::test]
async fn a_call_is_signed_over_its_body() {
    let stub = Stub::start(|_| Answer::accepted());
    assert_eq!(stub.notifier().notify(&alert("jo@example.org"), AMPLE).await, Outcome::Accepted);
    let call = &stub.calls()[0];
    let header = |name: &str| {
        call.headers
            .iter()
            .find(|line| line.to_lowercase().starts_with(name))
            .unwrap_or_else(|| panic!("{name}"))
    };
    assert!(header("authorization:").contains("Credential=AKIAEXAMPLE/"));
    assert!(header("authorization:").contains("/eu-west-1/ses/aws4_request"));
    assert!(call.headers.iter().all(|line| !line.to_lowercase().contains("chunked")), "{:?}", call.headers);
}

#[tokio::test]
async fn without_a_configuration_set_none_is_named() {
    let stub = Stub::start(|_| Answer::accepted());
    let config = SesConfig::new("alerts@example.org").unwrap();
    let notifier = SesNotifier::new(aws(stub.port), config, Arc::new(SystemClock::new()));
    assert_eq!(notifier.notify(&alert("jo@example.org"), AMPLE).await, Outcome::Accepted);
    assert_eq!(stub.calls()[0].body.get("ConfigurationSetName"), None);
}
