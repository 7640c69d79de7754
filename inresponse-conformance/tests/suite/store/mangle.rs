//! Incidents as they come back from a store that does not keep them whole.

use inresponse_core::model::Incident;
use serde_json::Value;

use super::Defect::{self, *};

/// The incident as a store with that defect keeps it.
pub(crate) fn mangled(incident: &Incident, defect: Option<Defect>) -> Incident {
    let mut body = serde_json::to_value(incident).unwrap();
    match defect.unwrap_or(none) {
        keeps_milliseconds => everywhere(&mut body, &|value| {
            // Of all numbers in an incident only times in microseconds are that large.
            if let Some(micros) = value.as_i64().filter(|n| *n > 1_000_000_000_000) {
                *value = Value::from(micros / 1000 * 1000);
            }
        }),
        keeps_ascii => everywhere(&mut body, &|value| {
            if let Value::String(text) = value {
                text.retain(|c| c.is_ascii());
            }
        }),
        loses_empty_labels => {
            if let Some(Value::Object(labels)) = body.get_mut("labels") {
                labels.retain(|_, label| label != "");
            }
        }
        keeps_no_number_in_the_incident => body["number"] = Value::from(0),
        loses_what_carriers_said => everywhere(&mut body, &|value| {
            if let Value::Object(map) = value {
                map.remove("detail");
            }
        }),
        loses_notes => body["timeline"].as_array_mut().unwrap().retain(|entry| entry["event"] != "noted"),
        cuts_long_messages => {
            let short: String = body["message"].as_str().unwrap().chars().take(2_000).collect();
            body["message"] = Value::from(short);
        }
        keeps_what_it_knows => everywhere(&mut body, &|value| {
            if let Value::Object(map) = value {
                map.remove("fromLater");
            }
        }),
        cuts_long_timelines => body["timeline"].as_array_mut().unwrap().truncate(3),
        _ => {}
    }
    serde_json::from_value(body).unwrap()
}

fn everywhere(value: &mut Value, change: &dyn Fn(&mut Value)) {
    change(value);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| everywhere(value, change)),
        Value::Object(map) => map.values_mut().for_each(|value| everywhere(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
