//! The blocks of a message, with buttons.
//!
//! A header has at most 150 characters, the text of a section 3000, that of a context 2000, a block id 255, the value of
//! a button 2000 (<https://docs.slack.dev/reference/block-kit>). Untrusted text is plain text, or escaped as in
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::Wanted;
use inresponse_outward::brief;
use serde_json::{Value, json};

use crate::wanted::{buttons, label};

const HEADER: usize = 150;
const SECTION: usize = 3000;
const CONTEXT: usize = 2000;

/// The text and the blocks of a message. `answered` is the id of the alert that the buttons answer.
pub fn message(alert: &Alert, answered: &str) -> Value {
    let (incident, head) = (alert.incident(), brief::head(alert));
    let plain = |text: &str, most: usize| json!({ "type": "plain_text", "text": brief::cut(text, most, characters), "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": plain(&head, HEADER) })];
    // The header has no room for a long title.
    if head.chars().count() > HEADER {
        blocks.push(json!({ "type": "section", "text": plain(incident.title(), SECTION) }));
    }
    if brief::tells_what_happened(alert) {
        blocks.push(json!({ "type": "section", "text": plain(incident.message(), SECTION) }));
    }
    let links = links(alert);
    if !links.is_empty() {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": links } }));
    }
    let buttons: Vec<Value> = buttons(alert).iter().map(|wanted| button(alert, *wanted, answered)).collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    let context = plain(&brief::context(alert), CONTEXT);
    // The id is part of what the recipient has.
    blocks
        .push(json!({ "type": "context", "block_id": alert.delivery_id().as_str(), "elements": [context] }));
    // The text is what notifications show. Slack would otherwise fetch the links, to show what is behind them.
    let text = escape(&brief::cut(&head, SECTION, characters));
    json!({ "text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

fn button(alert: &Alert, wanted: Wanted, answered: &str) -> Value {
    let name = match wanted {
        Wanted::Claim => "claim",
        Wanted::Resolve => "resolve",
        Wanted::Escalate => "escalate",
    };
    let text = json!({ "type": "plain_text", "text": label(alert, wanted), "emoji": false });
    let mut button = json!({ "type": "button", "action_id": name, "text": text, "value": answered });
    if wanted == Wanted::Claim {
        button["style"] = json!("primary");
    }
    button
}

/// The incident's page, and as many other links as fit.
fn links(alert: &Alert) -> String {
    let page = match alert.occasion() {
        Occasion::Notice => None,
        Occasion::Alert
        | Occasion::CalledIn
        | Occasion::Claimed
        | Occasion::Handed
        | Occasion::ClaimEnds
        | Occasion::Resolved => alert.board_url(),
    };
    let page = page.map(|url| link("Open the incident", url));
    let others = alert.incident().links().iter();
    let others = others.map(|l| link(&brief::cut(l.text(), HEADER, characters), l.url()));
    let mut lines = String::new();
    for line in page.into_iter().chain(others) {
        if lines.chars().count() + line.chars().count() < SECTION {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines.trim_end().to_owned()
}

fn link(text: &str, url: &str) -> String {
    let url = url.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    format!("<{}|{}>", escape(&url), escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn characters(_: char) -> usize {
    1
}
