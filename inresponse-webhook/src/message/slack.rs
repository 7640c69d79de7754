//! The message format of Slack: the blocks of an incoming webhook.

use inresponse_core::notify::{Alert, Bundle};
use inresponse_outward::brief::{claim, context, head, tells_what_happened};
use inresponse_outward::slack::{CONTEXT, HEADER, header, lines, link, marked, message, plain, section};
#[cfg(test)]
use serde_json::Value;
use serde_json::json;

use super::body;

/// The body of a message to Slack.
pub(crate) fn slack(alert: &Alert) -> Vec<u8> {
    let (incident, head) = (alert.incident(), head(alert));
    let mut blocks = vec![header(&head)];
    // The header has no room for a long title.
    if head.chars().count() > HEADER {
        blocks.push(section(incident.title()));
    }
    if tells_what_happened(alert) {
        blocks.push(section(incident.message()));
    }
    // The claim link, and as many other links as fit.
    let claim = claim(alert).map(|(word, url)| format!("*{}*", link(word, url)));
    let others = incident.links().iter().map(|other| link(other.text(), other.url()));
    let links = lines(claim.into_iter().chain(others));
    if !links.is_empty() {
        blocks.push(marked(&links));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&context(alert), CONTEXT)] }));
    body(&message(&head, blocks))
}

/// The body of a message about many incidents.
pub(crate) fn slack_of_bundle(bundle: &Bundle) -> Vec<u8> {
    body(&inresponse_outward::slack::bundle(bundle))
}

#[cfg(test)]
pub(super) fn texts(body: &[u8]) -> Vec<String> {
    let message: Value = serde_json::from_slice(body).unwrap();
    let blocks = message["blocks"].as_array().unwrap().iter();
    let text = |block: &Value| [&block["text"]["text"], &block["elements"][0]["text"]].map(Value::clone);
    let texts = blocks.flat_map(text).chain([message["text"].clone()]);
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
