//! The meaning of SES's answers.

use std::time::Duration;

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use inresponse_core::notify::Outcome;

/// The pause after SES's sending rate is exceeded. The rate is a number of mails per second, so SES accepts mails again
/// after a second.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause after SES's daily quota is exceeded: the longest that the planner may wait.
const QUOTA_PAUSE: Duration = Duration::from_secs(30);

/// SES's texts for an address to which it does not send, in lower case.
const SUPPRESSED: [&str; 2] = ["suppression list", "address blacklisted"];

/// SES's texts for an invalid address, in lower case. The sender's address was checked before.
const ABOUT_ADDRESS: [&str; 9] = [
    "missing final '@domain'",
    "domain contains",
    "domain starts with",
    "domain ends with",
    "local address contains",
    "missing domain",
    "illegal address",
    "invalid email address",
    "invalid domain name",
];

/// The outcome of a failed call of `SendEmail`. `handed` says whether SES may have the mail. The table is in the
/// documentation of the crate.
pub(crate) fn outcome(error: &SdkError<SendEmailError, HttpResponse>, handed: bool) -> Outcome {
    match error {
        SdkError::ServiceError(answer) => refused(answer.err(), answer.raw()),
        SdkError::ResponseError(answer) => of_status(answer.raw(), reason(error)),
        // Nothing was sent, or nothing came back.
        error if handed => Outcome::unknown(reason(error)),
        error => Outcome::unavailable(reason(error)),
    }
}

fn refused(error: &SendEmailError, response: &HttpResponse) -> Outcome {
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    let status = response.status().as_u16();
    let reason = format!("{status} {code}: {}", short(message));
    let said = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let throttled = |pause| Outcome::throttled(asked_for(response).unwrap_or(pause), reason.clone());
    if said.contains("quota") {
        return throttled(QUOTA_PAUSE);
    }
    match code {
        "MessageRejected" if says(&SUPPRESSED) => Outcome::rejected(reason),
        "BadRequestException" if says(&ABOUT_ADDRESS) => Outcome::rejected(reason),
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottledException"
        | "RequestThrottled"
        | "RequestLimitExceeded" => throttled(PAUSE),
        "LimitExceededException" => throttled(QUOTA_PAUSE),
        _ => of_status(response, reason),
    }
}

/// The outcome for an HTTP status alone. After a refusal, nothing was accepted. After a gateway error or a crash, the
/// mail may have been accepted.
fn of_status(response: &HttpResponse, reason: String) -> Outcome {
    match response.status().as_u16() {
        429 => Outcome::throttled(asked_for(response).unwrap_or(PAUSE), reason),
        400..=499 => Outcome::unavailable(reason),
        503 => match asked_for(response) {
            Some(pause) => Outcome::throttled(pause, reason),
            None => Outcome::unavailable(reason),
        },
        _ => Outcome::unknown(reason),
    }
}

/// The text of an error with its causes.
fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|cause| short(&cause.to_string()).to_owned()).collect::<Vec<_>>().join(": ")
}

/// The beginning of a text. Some causes contain the whole request with its secret link, and the answer to a wrong
/// signature contains the headers with a session token. Such secrets come late in a long text, so the beginning
/// contains none.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// The pause that SES asks for.
fn asked_for(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.headers().get(name)?.trim().parse::<u64>().ok();
    let seconds = || number("retry-after").map(Duration::from_secs);
    number("x-amz-retry-after").map(Duration::from_millis).or_else(seconds)
}
