//! Every way in which a call can fail, and the outcome that it is.

use std::time::Duration;

use aws_sdk_sesv2::config::{Config, Region};
use inresponse_core::notify::{Notifier, Outcome};

use crate::stub::{Answer, Stub, alert, aws, notifier};

const AMPLE: Duration = Duration::from_secs(60);

/// The outcome in one word, with the pause in milliseconds.
fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted | Outcome::AcceptedAs(_) => "accepted".into(),
        Outcome::Rejected { .. } => "rejected".into(),
        Outcome::Throttled { after, .. } => format!("throttled {}", after.as_millis()),
        Outcome::Limited { .. } => "limited".into(),
        Outcome::Unavailable { .. } => "unavailable".into(),
        Outcome::Unknown { .. } => "unknown".into(),
    }
}

async fn check(what: &str, answer: Answer, expected: &str) {
    let stub = Stub::start(move |_| answer.clone());
    let outcome = stub.notifier().notify(&alert("jo@example.org"), AMPLE).await;
    assert_eq!(kind(&outcome), expected, "{what}: {outcome:?}");
    assert_eq!(stub.calls().len(), 1, "{what}: one attempt");
}

#[tokio::test]
async fn p09_every_error_of_ses_is_the_outcome_it_should_be_after_one_attempt() {
    const UNVERIFIED: &str = "Email address is not verified. The following identities failed the check in region \
                              EU-WEST-1: ";
    let unverified = |identities: &str| format!("{UNVERIFIED}{identities}");
    let cases = [
        // About this recipient.
        (400, "MessageRejected", "Address is on the suppression list".to_owned(), "rejected"),
        (400, "MessageRejected", "Address blacklisted.".to_owned(), "rejected"),
        (400, "BadRequestException", "Missing final '@domain'".to_owned(), "rejected"),
        (400, "BadRequestException", "Domain contains dot-dot".to_owned(), "rejected"),
        (400, "BadRequestException", "Local address contains control or whitespace".to_owned(), "rejected"),
        // About the account, the sender, the configuration, the message: every recipient would meet the same.
        (400, "MessageRejected", "Invalid content: virus found".to_owned(), "unavailable"),
        (400, "MessageRejected", unverified("jo@example.org"), "unavailable"),
        (400, "MessageRejected", unverified("InResponse <alerts@example.org>"), "unavailable"),
        (400, "MessageRejected", unverified("alerts@example.org, jo@example.org"), "unavailable"),
        (400, "MessageRejected", unverified(""), "unavailable"),
        (400, "MessageRejected", "Email address is not verified".to_owned(), "unavailable"),
        (400, "MessageRejected", "Sending suspended for this account.".to_owned(), "unavailable"),
        (400, "MessageRejected", "Sending paused for this account.".to_owned(), "unavailable"),
        (400, "MessageRejected", "something new".to_owned(), "unavailable"),
        (400, "MailFromDomainNotVerifiedException", "no MX record".to_owned(), "unavailable"),
        (400, "AccountSuspendedException", "permanently restricted".to_owned(), "unavailable"),
        (400, "SendingPausedException", "currently paused".to_owned(), "unavailable"),
        (400, "BadRequestException", "Invalid tag value".to_owned(), "unavailable"),
        (400, "BadRequestException", "Configuration set is paused".to_owned(), "unavailable"),
        (404, "NotFoundException", "Configuration set <x> does not exist.".to_owned(), "unavailable"),
        (403, "AccessDeniedException", "not authorized to perform: ses:SendEmail".to_owned(), "unavailable"),
        (403, "UnrecognizedClientException", "The security token is invalid".to_owned(), "unavailable"),
        (403, "ExpiredTokenException", "The security token is expired".to_owned(), "unavailable"),
        (403, "InvalidSignatureException", "Signature expired".to_owned(), "unavailable"),
        (403, "RequestTimeTooSkewed", "the clock".to_owned(), "unavailable"),
        (409, "ConflictException", "changed meanwhile".to_owned(), "unavailable"),
        // Slower.
        (429, "TooManyRequestsException", "Too many requests".to_owned(), "throttled 1000"),
        (400, "ThrottlingException", "Maximum sending rate exceeded.".to_owned(), "throttled 1000"),
        (400, "ThrottlingException", "Daily message quota exceeded.".to_owned(), "throttled 30000"),
        (400, "LimitExceededException", "too many".to_owned(), "throttled 30000"),
        // The result is unknown, except if the service says it.
        (503, "ServiceUnavailableException", "later".to_owned(), "unavailable"),
        (500, "InternalFailure", "oops".to_owned(), "unknown"),
        (500, "InternalServiceErrorException", "oops".to_owned(), "unknown"),
        (504, "GatewayTimeout", "late".to_owned(), "unknown"),
    ];
    for (status, code, message, expected) in cases {
        check(&format!("{code}: {message}"), Answer::error(status, code, &message), expected).await;
    }
}

#[tokio::test]
async fn a_pause_that_ses_asks_for_is_told() {
    let throttled = |headers: &str| {
        Answer::new(429, &format!("x-amzn-errortype: TooManyRequestsException\r\n{headers}"), "{}")
    };
    let cases = [
        ("retry-after: 7\r\n", "throttled 7000"),
        ("x-amz-retry-after: 2500\r\n", "throttled 2500"),
        ("retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", "throttled 1000"),
        ("retry-after: 99999999999999999999\r\n", "throttled 1000"),
    ];
    for (headers, expected) in cases {
        check(headers, throttled(headers), expected).await;
    }
    check("503", Answer::new(503, "retry-after: 3\r\n", "{}"), "throttled 3000").await;
}

#[tokio::test]
async fn an_answer_that_is_none_of_ses_means_what_its_status_means() {
    let raw = |text: &str| Answer::RepliesAndCloses(text.to_owned());
    let cases = [
        ("no error code", Answer::new(400, "", "{}"), "unavailable"),
        ("a code in the body", Answer::new(400, "", r#"{"__type":"SendingPausedException"}"#), "unavailable"),
        ("a proxy's refusal", Answer::new(407, "", "<html>"), "unavailable"),
        ("a proxy's page", Answer::new(502, "", "<html>bad gateway</html>"), "unknown"),
        ("a page instead of an error", Answer::new(503, "", "<html>"), "unavailable"),
        ("a page instead of success", Answer::new(200, "", "<html>"), "unknown"),
        ("success without a word", Answer::new(200, "", ""), "accepted"),
        ("no HTTP at all", raw("220 ready\r\n\r\n"), "unknown"),
        ("nothing", raw(""), "unknown"),
        ("half a reply", raw("HTTP/1.1 200 OK\r\ncontent-le"), "unknown"),
        ("half a body", raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"), "unknown"),
    ];
    for (what, answer, expected) in cases {
        check(what, answer, expected).await;
    }
}

#[tokio::test]
async fn p13_no_answer_by_the_deadline_is_unknown() {
    let stub = Stub::start(|_| Answer::Hangs);
    let outcome = stub.notifier().notify(&alert("jo@example.org"), Duration::from_secs(3)).await;
    assert_eq!(kind(&outcome), "unknown", "{outcome:?}");
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn what_fails_before_anything_is_handed_over_is_unavailable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let anonymous = Config::builder().region(Region::new("eu-west-1"));
    let anonymous = anonymous.endpoint_url(format!("http://127.0.0.1:{free}"));
    let cases = [
        ("nobody listens", aws(free)),
        ("no credentials", anonymous),
        ("no region", aws(free).region(None)),
        ("no such endpoint", aws(free).endpoint_url("http://")),
        ("a name that does not exist", aws(free).endpoint_url("http://ses.invalid")),
        ("TLS to nobody", aws(free).endpoint_url(format!("https://127.0.0.1:{free}"))),
    ];
    for (what, aws) in cases {
        let outcome = notifier(aws).notify(&alert("jo@example.org"), AMPLE).await;
        assert_eq!(kind(&outcome), "unavailable", "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn neither_the_mail_nor_a_session_token_shows_in_a_reason() {
    let alert = alert("jo@example.org").with_claim_url("https://x.example/claim?token=t".into());
    let hidden = |outcome: Outcome| {
        let shown = format!("{outcome:?}");
        assert!(shown.len() < 500 && !shown.contains("canary"), "{shown}");
    };
    // The SDK would show the request with the mail in it.
    hidden(notifier(aws(1).endpoint_url("http://")).notify(&alert, AMPLE).await);
    // SES shows what it would have signed.
    let message = format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this \
         request should have been\n'POST\n/v2/email/outbound-emails\n\ncontent-type:application/json\n\
         x-amz-security-token:canary{}'",
        "x".repeat(1000)
    );
    let stub = Stub::start(move |_| Answer::error(403, "InvalidSignatureException", &message));
    hidden(stub.notifier().notify(&alert, AMPLE).await);
    let page = format!("<html>{}", "canary".repeat(1000));
    let stub = Stub::start(move |_| Answer::new(502, "", &page));
    hidden(stub.notifier().notify(&alert, AMPLE).await);
}

#[tokio::test]
async fn a_connection_that_never_stands_by_the_deadline_is_unavailable() {
    // It takes connections and speaks no TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let aws = aws(port).endpoint_url(format!("https://127.0.0.1:{port}"));
    let outcome = notifier(aws).notify(&alert("jo@example.org"), Duration::from_millis(300)).await;
    assert_eq!(kind(&outcome), "unavailable", "{outcome:?}");
}

#[tokio::test]
async fn a_local_part_beyond_ascii_is_rejected_without_a_call_and_a_domain_is_told_in_a_labels() {
    let stub = Stub::start(|_| Answer::accepted());
    let notifier = stub.notifier();
    let beyond = alert("josé@bücher.example");
    assert!(!notifier.reaches(beyond.contact()));
    let outcome = notifier.notify(&beyond, AMPLE).await;
    assert_eq!(kind(&outcome), "rejected", "{outcome:?}");
    assert!(stub.calls().is_empty());
    let domain = alert("jo@bücher.example");
    assert!(notifier.reaches(domain.contact()));
    assert_eq!(notifier.notify(&domain, AMPLE).await, Outcome::Accepted);
    assert_eq!(stub.calls()[0].to(), "jo@xn--bcher-kva.example");
}
