//! What the answers of SES mean.

use std::time::Duration;

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use inresponse_core::notify::Outcome;

/// The sending rate is one of mails a second, so after a second there is room again.
const PAUSE: Duration = Duration::from_secs(1);

/// The quota is one of mails in 24 hours, and never asked for sooner than the planner may wait.
const QUOTA_PAUSE: Duration = Duration::from_secs(30);

/// What SES says of an address that cannot be one, in lower case.
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

/// The outcome that a failed call of `SendEmail` is; `handed`: whether SES may have had the mail.
///
/// Only what is about this recipient or this message is *rejected*. What is about the account would meet every
/// recipient alike and can be mended, so it is tried again.
///
/// | answer | outcome |
/// |---|---|
/// | `MessageRejected`: the content (a virus), or only the recipient's address is not verified (sandbox) | rejected |
/// | `MessageRejected` that names another identity, or the account | unavailable |
/// | `BadRequestException` about the recipient's address | rejected |
/// | other `BadRequestException`, `NotFoundException` (configuration set) | unavailable |
/// | `MailFromDomainNotVerifiedException`, `AccountSuspendedException`, `SendingPausedException` | unavailable |
/// | `TooManyRequestsException`, `ThrottlingException` and the like, 429 | throttled: as asked for, else 1 s |
/// | `LimitExceededException`, the daily quota | throttled: as asked for, else 30 s |
/// | 401, 403, other 4xx (keys, permissions, a clock that is out) | unavailable |
/// | 503 | unavailable |
/// | 500, 502, 504 and the rest, an answer that cannot be read | unknown: it may have been taken |
/// | no credentials, no region, no connection | unavailable: nothing was handed over |
/// | no answer in time, connection lost | unavailable until the mail was under way, then unknown |
///
/// Sources: the errors of `SendEmail` and the common errors in the API reference of SES v2; "Amazon SES email
/// sending errors" and "Errors related to the sending quotas" in the developer guide. How long to wait is told by
/// `Retry-After` (RFC 9110 section 10.2.3, in seconds) or `x-amz-retry-after` (in milliseconds).
pub(crate) fn outcome(
    error: &SdkError<SendEmailError, HttpResponse>,
    handed: bool,
    recipient: &str,
) -> Outcome {
    match error {
        SdkError::ServiceError(answer) => refused(answer.err(), answer.raw(), recipient),
        SdkError::ResponseError(answer) => of_status(answer.raw(), reason(error)),
        // Nothing was sent, or nothing came back.
        error if handed => Outcome::unknown(reason(error)),
        error => Outcome::unavailable(reason(error)),
    }
}

fn refused(error: &SendEmailError, response: &HttpResponse, recipient: &str) -> Outcome {
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    let status = response.status().as_u16();
    let reason = format!("{status} {code}: {}", short(message));
    let said = message.to_ascii_lowercase();
    let throttled = |pause| Outcome::throttled(asked_for(response).unwrap_or(pause), reason.clone());
    if said.contains("quota") {
        return throttled(QUOTA_PAUSE);
    }
    match code {
        "MessageRejected" if is_about_recipient(&said, recipient) => Outcome::rejected(reason),
        "BadRequestException" if ABOUT_ADDRESS.iter().any(|about| said.contains(about)) => {
            Outcome::rejected(reason)
        }
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

/// What a status alone means. A refusal says that nothing was taken; a gateway or a crash says nothing at all.
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

/// Whether a rejected message was rejected for itself or its recipient, and not for the account or the sender.
fn is_about_recipient(said: &str, recipient: &str) -> bool {
    if let Some((_, identities)) = said.split_once("failed the check in region") {
        let identities = identities.split_once(':').map_or("", |(_, identities)| identities);
        return identities.split(',').all(|identity| identity.trim().eq_ignore_ascii_case(recipient));
    }
    !["not verified", "account", "paused", "suspended"].iter().any(|word| said.contains(word))
}

/// What went wrong, with its causes.
fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|cause| short(&cause.to_string()).to_owned()).collect::<Vec<_>>().join(": ")
}

/// The beginning of a text. Some causes show the whole request, which holds a secret link, and a signature that
/// does not match is answered with the headers, which may hold a session token; both come late in a long text.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// How long SES asks to be given.
fn asked_for(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.headers().get(name)?.trim().parse::<u64>().ok();
    let seconds = || number("retry-after").map(Duration::from_secs);
    number("x-amz-retry-after").map(Duration::from_millis).or_else(seconds)
}
