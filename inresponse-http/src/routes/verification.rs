//! Verifies phone numbers: a code is sent to the number, and the person types it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_api::{Code, CodeSent, Person};
use inresponse_core::Outage;
use inresponse_core::model::{Contact, DeliveryId, MethodName, PersonId};
use inresponse_core::notify::{Alert, Notice, Outcome};
use inresponse_core::roster::Profile;
use inresponse_core::settings::Swapped;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::people::person_id;
use crate::Api;
use crate::caller::Caller;
use crate::common::NoSuchPerson;
use crate::input::{Body, NoParams, Path};
use crate::problem::Problem;
use crate::recently::{Counted, Limit, count};
use crate::wire::people as wire;

/// How long a code is valid.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// How many times a code may be typed. Somebody who guesses has a chance of one in 200,000.
const ATTEMPTS: u32 = 5;
/// How many codes are sent to a person. Each message costs.
const CODES: Limit = Limit { most: 3, window: TimeDelta::minutes(15) };
/// The time limit for sending a code, because somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many times a change is tried again if another change came first.
const MAX_TRIES: usize = 8;

/// A code that was sent, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pending {
    contact: Contact,
    /// The SHA-256 of contact and code.
    hash: [u8; 32],
    until: DateTime<Utc>,
    attempts: u32,
}

impl Pending {
    fn hash(contact: &Contact, code: &str) -> [u8; 32] {
        Sha256::digest(format!("{}\n{code}", contact.as_str()).as_bytes()).into()
    }
}

/// Send a code to the phone number of a method.
///
/// The code has six digits, is valid for ten minutes and may be typed five times. A person is sent at most three codes in
/// fifteen minutes.
#[utoipa::path(post, path = "/people/{person}/methods/{method}/verification", tag = "roster",
    params(("person" = String, Path, example = "jo"), ("method" = String, Path, example = "text")),
    responses(
        (status = 202, description = "a code was sent", body = CodeSent),
        NoSuchPerson,
        (status = 422, description = "the method has no phone number", body = Problem),
        (status = 429, description = "the person was sent too many codes", body = Problem),
        (status = 503, description = "the code could not be sent", body = Problem),
    ))]
pub(crate) async fn send_code(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path((person, method)): Path<(String, String)>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let expires_at = send(&api, &person_id(&person)?, &method_name(&method)?).await?;
    Ok((StatusCode::ACCEPTED, Json(CodeSent { expires_at })))
}

/// Confirm a phone number with the code that was sent to it.
#[utoipa::path(put, path = "/people/{person}/methods/{method}/verification", tag = "roster", request_body = Code,
    params(("person" = String, Path, example = "jo"), ("method" = String, Path, example = "text")),
    responses(
        (status = 200, description = "the person, with the verified method", body = Person),
        NoSuchPerson,
        (status = 422, description = "the code is wrong or has expired", body = Problem),
    ))]
pub(crate) async fn confirm_code(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path((person, method)): Path<(String, String)>,
    Body(given): Body<Code>,
) -> Result<Json<Person>, Problem> {
    let person = person_id(&person)?;
    let profile = confirm(&api, &person, &method_name(&method)?, &given.code).await?;
    Ok(Json(wire::person(&person, &profile, key.sees)))
}

fn method_name(text: &str) -> Result<MethodName, Problem> {
    MethodName::new(text).map_err(|e| Problem::invalid(&e))
}

/// The phone number of a person's method.
async fn number(api: &Api, person: &PersonId, method: &MethodName) -> Result<Contact, Problem> {
    let book = api.engine().book().await.map_err(|e| Problem::outage(&e))?;
    let profile = book.person(person);
    let profile = profile.ok_or_else(|| Problem::not_found(format!("there is no person `{person}`")))?;
    let contact = profile.methods().get(method);
    let contact =
        contact.ok_or_else(|| Problem::not_found(format!("`{person}` has no method `{method}`")))?;
    match contact.scheme() {
        "sms" | "tel" => Ok(contact.clone()),
        _ => Err(Problem::unprocessable("method", "has no phone number")),
    }
}

/// Sends a code to a number, unless the person was sent too many. Returns when the code expires.
pub(crate) async fn send(
    api: &Api,
    person: &PersonId,
    method: &MethodName,
) -> Result<DateTime<Utc>, Problem> {
    let contact = number(api, person, method).await?;
    // Only people in the roster are counted, so that the number of counts is limited.
    let counted = count(api, &format!("codes:{person}"), CODES).await;
    if let Counted::NotNow(after) = counted.map_err(|e| Problem::outage(&e))? {
        let seconds = after.as_secs();
        let detail = format!("`{person}` was sent {} codes; try again in {seconds} seconds", CODES.most);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .header(RETRY_AFTER, HeaderValue::from(seconds)));
    }
    let code = random_code().map_err(|e| Problem::outage(&e))?;
    let (now, hash) = (api.engine().now(), Pending::hash(&contact, &code));
    let pending = Pending { contact: contact.clone(), hash, until: now + LIFE, attempts: 0 };
    store(api, person, method, &pending).await.map_err(|e| Problem::outage(&e))?;
    let notice = Notice {
        title: format!("{code} is your InResponse code"),
        message: "Type it on your page within ten minutes. Nobody else needs it.".to_owned(),
        facts: Vec::new(),
    };
    let id = DeliveryId::read(format!("code-{}", now.timestamp_micros().unsigned_abs()));
    let alert =
        id.and_then(|id| Alert::notice(id, &contact, notice, now)).map_err(|e| Problem::invalid(&e))?;
    match api.engine().send_notice(&alert, PATIENCE).await {
        Outcome::Accepted | Outcome::AcceptedAs(_) => Ok(pending.until),
        outcome => {
            tracing::warn!(%person, %method, outcome = outcome.kind().as_str(), "a code could not be sent");
            let detail = format!("the code could not be sent: {}", outcome.kind().as_str());
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}

/// Confirms a number. Each attempt is counted before the code is compared.
pub(crate) async fn confirm(
    api: &Api,
    person: &PersonId,
    method: &MethodName,
    code: &str,
) -> Result<Profile, Problem> {
    let wrong = |what: &str| Problem::unprocessable("code", what);
    let contact = number(api, person, method).await?;
    let pending = attempt(api, person, method).await.map_err(|e| Problem::outage(&e))?;
    let pending = pending.filter(|pending| pending.contact == contact && api.engine().now() < pending.until);
    let pending =
        pending.ok_or_else(|| wrong("has expired, was typed too often, or was never sent: send another"))?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if !bool::from(Pending::hash(&contact, &code).ct_eq(&pending.hash)) {
        return Err(wrong("is not the code that was sent"));
    }
    let verified = api.engine().verify_method(person, method, &contact).await;
    let profile = verified.map_err(|e| Problem::outage_of_change(&e))?;
    profile.ok_or_else(|| wrong("is for another number: send another"))
}

fn name(person: &PersonId, method: &MethodName) -> String {
    format!("code:{person}:{method}")
}

async fn stored(api: &Api, name: &str) -> Result<(Option<Vec<u8>>, Option<Pending>), Outage> {
    let was = api.shared().setting(name).await?;
    // An unreadable value counts as missing.
    let pending = was.as_deref().and_then(|was| serde_json::from_slice(was).ok());
    Ok((was, pending))
}

async fn swap(api: &Api, name: &str, was: Option<&[u8]>, pending: &Pending) -> Result<Swapped, Outage> {
    let value =
        serde_json::to_vec(pending).map_err(|e| Outage::permanent("a code cannot be stored").because(e))?;
    api.shared().swap_setting(name, was, &value).await
}

/// Stores a code in the place of the one before.
async fn store(api: &Api, person: &PersonId, method: &MethodName, pending: &Pending) -> Result<(), Outage> {
    let name = name(person, method);
    for _ in 0..MAX_TRIES {
        let (was, _) = stored(api, &name).await?;
        match swap(api, &name, was.as_deref(), pending).await? {
            Swapped::Done => return Ok(()),
            Swapped::Changed => {}
        }
    }
    Err(Outage::retryable("too many codes are sent at once"))
}

/// Counts an attempt; `None` if there is no code, or it was typed too often.
async fn attempt(api: &Api, person: &PersonId, method: &MethodName) -> Result<Option<Pending>, Outage> {
    let name = name(person, method);
    for _ in 0..MAX_TRIES {
        let (was, pending) = stored(api, &name).await?;
        let Some(pending) = pending.filter(|pending| pending.attempts < ATTEMPTS) else { return Ok(None) };
        let counted = Pending { attempts: pending.attempts + 1, ..pending };
        match swap(api, &name, was.as_deref(), &counted).await? {
            Swapped::Done => return Ok(Some(counted)),
            Swapped::Changed => {}
        }
    }
    Err(Outage::retryable("too many codes are typed at once"))
}

/// Six random digits.
fn random_code() -> Result<String, Outage> {
    // A larger number would make some codes more frequent.
    const LARGEST: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).map_err(|e| Outage::retryable("no random numbers").because(e))?;
        let number = u32::from_le_bytes(bytes);
        if number < LARGEST {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}
