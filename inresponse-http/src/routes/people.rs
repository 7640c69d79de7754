//! People.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::{People, Person, PersonEntry};
use inresponse_core::model::PersonId;
use inresponse_core::roster::{Entry, EntryKey, EntryKind, Listed};

use super::changes::edit_naming;
use super::roster::{delete, page, reachable};
use crate::Api;
use crate::caller::Caller;
use crate::input::{Body, NoParams, Params, Path};
use crate::problem::Problem;
use crate::wire::people as wire;

pub(super) fn person_id(text: &str) -> Result<PersonId, Problem> {
    PersonId::new(text).map_err(|e| Problem::invalid(&e))
}

/// Create or replace a person.
#[utoipa::path(put, path = "/people/{person}", tag = "roster", request_body = PersonEntry,
    params(("person" = String, Path, example = "jo")),
    responses(
        (status = 200, description = "as it is now", body = Person),
        (status = 400, description = "a field is invalid", body = Problem),
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
        (status = 404, description = "no such person", body = Problem),
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
        (status = 404, description = "no such person", body = Problem),
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
        (status = 400, description = "a parameter is invalid", body = Problem),
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
