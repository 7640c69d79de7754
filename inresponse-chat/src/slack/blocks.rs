//! The blocks of a message, with buttons. The value of a button has at most 2000 characters
//! (<https://docs.slack.dev/reference/block-kit/block-elements/button-element>).

use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::Wanted;
use inresponse_outward::brief;
use inresponse_outward::slack::{self, CONTEXT, HEADER, header, lines, link, marked, plain, section};
use serde_json::{Value, json};

use crate::wanted::{buttons, label};

/// The text and the blocks of a message. `answered` is the id of the alert that the buttons answer.
pub fn message(alert: &Alert, answered: &str) -> Value {
    let (incident, head) = (alert.incident(), brief::head(alert));
    let mut blocks = vec![header(&head)];
    // The header has no room for a long title.
    if head.chars().count() > HEADER {
        blocks.push(section(incident.title()));
    }
    if brief::tells_what_happened(alert) {
        blocks.push(section(incident.message()));
    }
    let links = links(alert);
    if !links.is_empty() {
        blocks.push(marked(&links));
    }
    let buttons: Vec<Value> = buttons(alert).iter().map(|wanted| button(alert, *wanted, answered)).collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    let context = plain(&brief::context(alert), CONTEXT);
    // The id is part of what the recipient has.
    blocks
        .push(json!({ "type": "context", "block_id": alert.delivery_id().as_str(), "elements": [context] }));
    slack::message(&head, blocks)
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
    let others = alert.incident().links().iter().map(|other| link(other.text(), other.url()));
    lines(page.into_iter().chain(others))
}
