//! People.

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use chrono::TimeDelta;
use inresponse_api::{People, Person, PersonEntry, Tests};
use inresponse_core::engine::Tested;
use inresponse_core::model::PersonId;
use inresponse_core::roster::{Entry, EntryKey, EntryKind, Listed};

use super::changes::edit_naming;
use super::roster::{delete, page, reachable};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoSuchPerson};
use crate::input::{Body, NoParams, Params, Path};
use crate::problem::Problem;
use crate::recently::{Counted, Limit, count};
use crate::wire::people as wire;

pub(super) fn person_id(text: &str) -> Result<PersonId, Problem> {
    PersonId::new(text).map_err(|e| Problem::invalid(&e))
}

/// Create or replace a person.
#[utoipa::path(put, path = "/people/{person}", tag = "roster", request_body = PersonEntry,
    params(("person" = String, Path, example = "jo")),
    responses(
        (status = 200, description = "as it is now", body = Person),
        InvalidField,
        (status = 409, description = "a team's fallback needs one of the person's methods", body = Problem),
        (status = 422, description = "a contact cannot be reached from here", body = Problem),
    ))]
pub(crate) async fn put_person(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(person): Path<String>,
    Body(given): Body<PersonEntry>,
) -> Result<Json<Person>, Problem> {
    let person = person_id(&person)?;
    let (profile, named) = wire::profile(given).map_err(|e| Problem::invalid(&e))?;
    reachable(&api, &named)?;
    let _ = edit_naming(&api, &key, Entry::person(&person, profile.clone()).into(), &named).await?;
    Ok(Json(wire::person(&person, &profile, key.sees)))
}

/// A person.
///
/// Addresses are masked unless the API key has the scope `admin`.
#[utoipa::path(get, path = "/people/{person}", tag = "roster",
    params(("person" = String, Path, example = "jo")),
    responses(
        (status = 200, description = "the person", body = Person),
        NoSuchPerson,
    ))]
pub(crate) async fn get_person(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(person): Path<String>,
) -> Result<Json<Person>, Problem> {
    let person = person_id(&person)?;
    let book = api.engine().book().await.map_err(|e| Problem::outage(&e))?;
    let profile = book.person(&person);
    let profile = profile.ok_or_else(|| Problem::not_found(format!("there is no person `{person}`")))?;
    Ok(Json(wire::person(&person, profile, key.sees)))
}

/// Delete a person.
#[utoipa::path(delete, path = "/people/{person}", tag = "roster",
    params(("person" = String, Path, example = "jo")),
    responses(
        (status = 204, description = "gone"),
        NoSuchPerson,
        (status = 409, description = "the person is still named somewhere", body = Problem),
    ))]
pub(crate) async fn delete_person(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(person): Path<String>,
) -> Result<StatusCode, Problem> {
    let person = person_id(&person)?;
    let what = format!("person `{person}`");
    delete(&api, &key, EntryKey::Person(person), &what).await
}

/// List the people.
///
/// Addresses are masked unless the API key has the scope `admin`.
#[utoipa::path(get, path = "/people", operation_id = "list_people", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = People),
        InvalidParameter,
    ))]
pub(crate) async fn list_people(
    State(api): State<Api>,
    key: Caller,
    params: Params,
) -> Result<Json<People>, Problem> {
    let (page, cursor) = page(&api, EntryKind::Person, params).await?;
    let person = |listed: Listed| match listed.entry {
        Some(Entry::Person { person, profile }) => Some(wire::person(&person, &profile, key.sees)),
        _ => None,
    };
    Ok(Json(People { people: page.into_iter().filter_map(person).collect(), cursor }))
}

/// How many times a person may be sent test messages, by all callers together.
const TESTS: Limit = Limit { most: 3, window: TimeDelta::minutes(1) };

/// Send a person one test message by each of their methods.
///
/// The answer has the result of each message, after at most eight seconds. A person may be tested at most three times a
/// minute.
#[utoipa::path(post, path = "/people/{person}/test", tag = "roster",
    params(("person" = String, Path, example = "jo")),
    responses(
        (status = 200, description = "the result of each message", body = Tests),
        NoSuchPerson,
        (status = 429, description = "the person was sent too many test messages", body = Problem),
    ))]
pub(crate) async fn test_person(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(person): Path<String>,
) -> Result<Json<Tests>, Problem> {
    let person = person_id(&person)?;
    Ok(Json(wire::tests(&tested(&api, &person).await?, key.sees)))
}

/// Tests whether a person is reached, unless the person was tested too often.
pub(crate) async fn tested(api: &Api, person: &PersonId) -> Result<Vec<Tested>, Problem> {
    let absent = || Problem::not_found(format!("there is no person `{person}`"));
    let book = api.engine().book().await.map_err(|e| Problem::outage(&e))?;
    // Only people in the roster are counted, so that the number of counts is limited.
    book.person(person).ok_or_else(absent)?;
    let counted = count(api, &format!("tests:{person}"), TESTS).await;
    if let Counted::NotNow(after) = counted.map_err(|e| Problem::outage(&e))? {
        let seconds = after.as_secs();
        let detail = format!(
            "`{person}` was sent {} tests within a minute; try again in {seconds} seconds",
            TESTS.most
        );
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .header(RETRY_AFTER, HeaderValue::from(seconds)));
    }
    let tested = api.engine().test_methods(person).await.map_err(|e| Problem::outage(&e))?;
    tested.ok_or_else(absent)
}
