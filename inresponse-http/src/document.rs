//! Completes the API document: adds the answers that all calls have in common.

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::doors::{Door, Proof};

const PROBLEM: &str = "#/components/schemas/Problem";
const PROBLEM_JSON: &str = "application/problem+json";

/// The document as JSON, with the answers that the layers around every route may give.
pub(crate) fn complete(document: &OpenApi) -> String {
    let mut document = serde_json::to_value(document).expect("the document has only string keys");
    let paths = document["paths"].as_object_mut();
    let items = paths.into_iter().flatten().filter_map(|(path, item)| Some((path, item.as_object_mut()?)));
    let operations = items.flat_map(|(path, item)| item.iter_mut().map(move |(method, o)| (path, method, o)));
    for (path, method, operation) in operations.filter(|(.., o)| o["responses"].is_object()) {
        let door = Door::of(&method.to_ascii_uppercase(), path);
        let needs_key = door.is_some_and(|door| tell(door, operation));
        let has_body = operation.get("requestBody").is_some();
        let always = [
            ("400", "the request is invalid", true),
            ("401", "an API key is needed", needs_key),
            ("403", "the API key lacks the scope", needs_key),
            ("408", "the body took too long", has_body),
            ("413", "the body is too large", has_body),
            ("500", "an internal error", true),
            ("503", "unavailable, or too many requests: send it again", true),
        ];
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for (status, description, _) in always.iter().filter(|(.., applies)| *applies) {
            responses.entry(*status).or_insert_with(|| problem(description));
        }
        responses.values_mut().for_each(as_problem_json);
    }
    document.to_string()
}

/// Writes into the description of a call which key it needs, and returns whether it needs one.
fn tell(door: &Door, operation: &mut Value) -> bool {
    let schemes: &[&str] = match door.proof {
        Proof::Key => &["key", "bearer"],
        Proof::SendersKey => &["key", "bearer", "basic", "genieKey"],
        // A key in the body is not a security scheme.
        Proof::RoutingKey => &[],
        Proof::Session
        | Proof::KeyOrSession
        | Proof::Link
        | Proof::CalendarToken
        | Proof::Channel
        | Proof::Nothing => {
            return false;
        }
    };
    let any_of = door.act.any_of();
    let needs = match any_of {
        [] => "Needs an API key, with any scope.".to_owned(),
        _ => format!("Needs an API key with the scope {}, to {}.", door.act.who(), door.act.words()),
    };
    let description = match operation["description"].as_str() {
        Some(said) if !said.is_empty() => format!("{said}\n\n{needs}"),
        Some(_) | None => needs,
    };
    operation["description"] = description.into();
    let roles: Vec<Vec<&str>> = match any_of {
        [] => vec![Vec::new()],
        _ => any_of.iter().map(|scope| vec![scope.as_str()]).collect(),
    };
    let security: Vec<Value> =
        schemes.iter().flat_map(|scheme| roles.iter().map(move |roles| json!({ *scheme: roles }))).collect();
    if !security.is_empty() {
        operation["security"] = security.into();
    }
    true
}

/// The API document of a server whose paths begin with that prefix.
pub(crate) fn served_at(document: &str, prefix: &str) -> String {
    let at = if prefix.is_empty() { "/" } else { prefix };
    let servers = json!([{ "url": at }]);
    let rest = document.strip_prefix('{').expect("the document is a JSON object");
    format!("{{\"servers\":{servers},{rest}")
}

fn problem(description: &str) -> Value {
    json!({ "description": description, "content": { PROBLEM_JSON: { "schema": { "$ref": PROBLEM } } } })
}

/// Gives problem responses their own content type (RFC 9457).
fn as_problem_json(response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { return };
    let is_problem = content.get("application/json").is_some_and(|json| json["schema"]["$ref"] == PROBLEM);
    if is_problem && let Some(media) = content.remove("application/json") {
        content.insert(PROBLEM_JSON.to_owned(), media);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_tells_the_scopes_of_its_door() {
        let document: Value = serde_json::from_str(&crate::document()).unwrap();
        let operation = |door: &Door| &document["paths"][door.path][door.method.to_ascii_lowercase()];
        let mut told = 0;
        for door in crate::doors::DOORS.iter().filter(|door| operation(door).is_object()) {
            let operation = operation(door);
            let mut roles = std::collections::BTreeSet::new();
            for way in operation["security"].as_array().into_iter().flatten() {
                let scopes = way.as_object().unwrap().values().flat_map(|scopes| scopes.as_array().unwrap());
                roles.extend(scopes.map(|scope| scope.as_str().unwrap()));
            }
            let expected: std::collections::BTreeSet<_> = match door.proof {
                Proof::Key | Proof::SendersKey => door.act.any_of().iter().map(|s| s.as_str()).collect(),
                Proof::RoutingKey
                | Proof::KeyOrSession
                | Proof::Session
                | Proof::Link
                | Proof::CalendarToken
                | Proof::Channel
                | Proof::Nothing => Default::default(),
            };
            assert_eq!(roles, expected, "{door:?}");
            let words = operation["description"].as_str().unwrap_or_default();
            for scope in door.act.any_of() {
                assert!(words.contains(&format!("`{}`", scope.as_str())), "{door:?}: {words}");
                told += 1;
            }
        }
        assert!(told >= 35, "{told}");
    }

    #[test]
    fn every_call_tells_its_problems_as_problems() {
        let document: Value = serde_json::from_str(&crate::document()).unwrap();
        let items = document["paths"].as_object().unwrap().values();
        let operations: Vec<&Value> = items.flat_map(|item| item.as_object().unwrap().values()).collect();
        assert!(operations.len() >= 30);
        for operation in operations {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("503"), "{operation}");
            for (status, response) in responses {
                let json = &response["content"]["application/json"]["schema"]["$ref"];
                assert_ne!(json, PROBLEM, "{status} of {operation}");
            }
        }
    }

    #[test]
    fn every_word_of_a_field_is_told() {
        use inresponse_api as api;
        let document: Value = serde_json::from_str(&crate::document()).unwrap();
        let fields: [(&str, &[&str]); 9] = [
            ("Health/properties/status", api::HealthStatus::WORDS),
            ("IncidentView/properties/severity", api::Severity::WORDS),
            ("IncidentView/properties/state", api::State::WORDS),
            ("IncidentView/properties/reached", api::Reached::WORDS),
            ("LevelView", api::LevelWord::WORDS),
            ("DeliveryView/properties/status", api::DeliveryStatus::WORDS),
            ("OutcomeView/properties/kind", api::OutcomeKind::WORDS),
            ("EntryView/properties/event", api::EventKind::WORDS),
            ("EntryView/properties/why", api::TeamReason::WORDS),
        ];
        for (field, words) in fields {
            let told = document.pointer(&format!("/components/schemas/{field}/description"));
            let told = told.and_then(Value::as_str).unwrap_or_default();
            for word in words {
                assert!(told.contains(&format!("`{word}`")), "{field} does not tell {word}: {told}");
            }
        }
    }
}
