//! The page of the documentation that lists every call, read from the API document.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic, its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::doors::Door;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/http.md");

const HEAD: &str = "\
# HTTP

<!-- `cargo xtask reference` writes this page from the API document. -->

The whole API document is at `/openapi.json`, as OpenAPI. Any key reads it. After you sign in to the board, you can browse it
at `/docs`.

- Bodies are JSON. Names are in camelCase, times in RFC 3339 (UTC). An unknown field is refused.
- The key is in the header `x-api-key`, or `Authorization: Bearer KEY`. [Keys](../keys.md) says what each scope may do.
- An error is a problem document (RFC 9457, `application/problem+json`) with `errors: [{field, message}]`. 400: the request is
  invalid. 401: no key, or a wrong one. 403: the key lacks the scope. 409: not allowed in the present state. 413: the body is
  larger than 256 KiB (on the routes of other monitoring systems, 1 MiB). 422: an unknown name. 503: unavailable or too busy.
- With 503 and `mayHaveBeenRecorded: true` the change may have happened. With a dedup key it is safe to send a report again.
- Lists are pages. If an answer has a `cursor`, there is more: send it as the parameter `cursor`.
";

/// The page.
fn page() -> String {
    let document: Value = serde_json::from_str(&crate::document()).unwrap();
    let mut page = HEAD.to_owned();
    let mut groups: BTreeMap<String, Vec<(String, String, Value)>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let tag = call["tags"][0].as_str().unwrap_or("other").to_owned();
            groups.entry(tag).or_default().push((path.clone(), method.to_ascii_uppercase(), call.clone()));
        }
    }
    let mut bodies = BTreeSet::new();
    for (tag, mut calls) in groups {
        calls.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        writeln!(page, "\n## {}\n\n| call | does | key | body |\n|---|---|---|---|", capital(&tag)).unwrap();
        for (path, method, call) in calls {
            let door = Door::of(&method, &path).unwrap();
            let does = call["summary"].as_str().unwrap_or_default().trim_end_matches('.');
            let body = body(&call);
            bodies.extend(body.map(str::to_owned));
            let body = body.map(|body| format!("[{body}](#{})", body.to_lowercase())).unwrap_or_default();
            writeln!(page, "| `{method} {path}` | {} | {} | {body} |", cell(does), door.act.who()).unwrap();
        }
    }
    page.push_str("\n## Bodies\n");
    for name in bodies {
        let schema = &document["components"]["schemas"][&name];
        writeln!(page, "\n### {name}\n").unwrap();
        if let Some(words) = schema["description"].as_str() {
            writeln!(page, "{}\n", words.split("\n\n").next().unwrap_or_default().replace('\n', " "))
                .unwrap();
        }
        fields(schema, &mut page);
    }
    page
}

/// The name of the body of a call, if it has one with a name.
fn body(call: &Value) -> Option<&str> {
    let content = call["requestBody"]["content"].as_object()?;
    content.values().find_map(|content| content["schema"]["$ref"].as_str()?.rsplit('/').next())
}

fn fields(schema: &Value, page: &mut String) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("| field | type | is |\n|---|---|---|\n");
    for (name, property) in properties {
        let words = cell(property["description"].as_str().unwrap_or_default());
        let required = if required.contains(&name.as_str()) { " **Required.**" } else { "" };
        writeln!(page, "| `{name}` | {} | {words}{required} |", kind(property)).unwrap();
    }
}

/// The type of a value, in words.
fn kind(of: &Value) -> String {
    if let Some(name) = of["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return name.to_owned();
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(kinds) = of[several].as_array() {
            let kinds: Vec<String> = kinds.iter().map(kind).filter(|kind| kind != "null").collect();
            return kinds.join(" or ");
        }
    }
    let one = |name: &str| match name {
        "array" => format!("list: {}", kind(&of["items"])),
        "object" if of["additionalProperties"].is_object() => {
            format!("by names: {}", kind(&of["additionalProperties"]))
        }
        other => other.to_owned(),
    };
    match &of["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => {
            let names: Vec<String> =
                names.iter().filter_map(Value::as_str).filter(|name| *name != "null").map(one).collect();
            names.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[test]
fn the_page_on_http_lists_every_call() {
    if std::env::var_os("INRESPONSE_WRITE_REFERENCE").is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert!(written == page(), "{PAGE} is out of date: `cargo xtask reference` writes it again");
}
