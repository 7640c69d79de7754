//! The message format of Slack: the blocks of an incoming webhook.
//!
//! A header has at most 150 characters, the text of a section 3000, and that of a context 2000
//! (<https://docs.slack.dev/reference/block-kit/blocks>). Untrusted text is plain text, or escaped as in
//! <https://docs.slack.dev/messaging/formatting-message-text>, so that it can neither notify a channel nor hide the
//! target of a link.

use inresponse_core::notify::Alert;
use inresponse_outward::brief::{claim, context, cut, head, tells_what_happened};
#[cfg(test)]
use serde_json::Value;
use serde_json::json;

use super::body;

const HEADER: usize = 150;
const SECTION: usize = 3000;
const CONTEXT: usize = 2000;

/// The body of a message to Slack.
pub(crate) fn slack(alert: &Alert) -> Vec<u8> {
    let (incident, head) = (alert.incident(), head(alert));
    let plain = |text: &str, most: usize| json!({ "type": "plain_text", "text": cut(text, most, characters), "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": plain(&head, HEADER) })];
    // The header has no room for a long title.
    if head.chars().count() > HEADER {
        blocks.push(json!({ "type": "section", "text": plain(incident.title(), SECTION) }));
    }
    if tells_what_happened(alert) {
        blocks.push(json!({ "type": "section", "text": plain(incident.message(), SECTION) }));
    }
    let links = links(alert);
    if !links.is_empty() {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": links } }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&context(alert), CONTEXT)] }));
    // The text is what notifications show. Slack would otherwise fetch the links, to show what is behind them.
    let text = escape(&cut(&head, SECTION, characters));
    body(&json!({ "text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false }))
}

/// The claim link, and as many other links as fit.
fn links(alert: &Alert) -> String {
    let claim = claim(alert).map(|(word, url)| format!("*{}*", link(word, url)));
    let others = alert.incident().links().iter().map(|l| link(&cut(l.text(), HEADER, characters), l.url()));
    let mut lines = String::new();
    for line in claim.into_iter().chain(others) {
        if lines.chars().count() + line.chars().count() < SECTION {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines.trim_end().to_owned()
}

fn link(text: &str, url: &str) -> String {
    let url = url.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    // Only a bar ends the URL.
    format!("<{}|{}>", escape(&url), escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn characters(_: char) -> usize {
    1
}

#[cfg(test)]
pub(super) fn texts(body: &[u8]) -> Vec<String> {
    let message: Value = serde_json::from_slice(body).unwrap();
    let blocks = message["blocks"].as_array().unwrap().iter();
    let text = |block: &Value| [&block["text"]["text"], &block["elements"][0]["text"]].map(Value::clone);
    let texts = blocks.flat_map(text).chain([message["text"].clone()]);
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
