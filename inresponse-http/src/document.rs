//! The API document: what every call answers alike is added here, once.

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

const PROBLEM: &str = "#/components/schemas/Problem";
const PROBLEM_JSON: &str = "application/problem+json";

/// The document as JSON, with what the layers around every route may answer.
pub(crate) fn complete(document: &OpenApi) -> String {
    let mut document = serde_json::to_value(document).expect("the document has only string keys");
    let paths = document["paths"].as_object_mut();
    let operations = paths.into_iter().flatten().filter_map(|(_, item)| item.as_object_mut());
    for operation in
        operations.flatten().map(|(_, operation)| operation).filter(|o| o["responses"].is_object())
    {
        let needs_key = operation.get("security").is_some();
        let has_body = operation.get("requestBody").is_some();
        let always = [
            ("400", "something of the request does not hold", true),
            ("401", "an API key is needed", needs_key),
            ("403", "the API key lacks the scope", needs_key),
            ("408", "the body took too long", has_body),
            ("413", "the body is too large", has_body),
            ("500", "a fault of the server's", true),
            ("503", "out of order, or too many requests: send it again", true),
        ];
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for (status, description, _) in always.iter().filter(|(.., applies)| *applies) {
            responses.entry(*status).or_insert_with(|| problem(description));
        }
        responses.values_mut().for_each(as_problem_json);
    }
    document.to_string()
}

/// The document of an API under that prefix.
pub(crate) fn served_at(document: &str, prefix: &str) -> String {
    let at = if prefix.is_empty() { "/" } else { prefix };
    let servers = json!([{ "url": at }]);
    let rest = document.strip_prefix('{').expect("the document is a JSON object");
    format!("{{\"servers\":{servers},{rest}")
}

fn problem(description: &str) -> Value {
    json!({ "description": description, "content": { PROBLEM_JSON: { "schema": { "$ref": PROBLEM } } } })
}

/// Problems have a content type of their own (RFC 9457).
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
}
