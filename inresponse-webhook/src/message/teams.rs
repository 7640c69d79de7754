//! The message format of Microsoft Teams: an Adaptive Card in the envelope that a webhook of Workflows expects.
//!
//! A message has at most 28 KB (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>). Untrusted
//! text is in a `TextRun`, which is plain text, and not in a `TextBlock`, which is Markdown. So untrusted text cannot
//! hide the target of a link.

use inresponse_core::notify::{Alert, Bundle, Occasion};
use inresponse_outward::brief::{claim, context, cut, head, tells_what_happened};
use inresponse_outward::many;
use serde_json::{Value, json};

use super::{body, json_bytes};

/// The maximum number of JSON bytes for the message, the title and the context.
const MESSAGE: usize = 12 * 1024;
const TITLE: usize = 3 * 1024;
const CONTEXT: usize = 4 * 1024;
/// The number of links. A card shows six actions at most, and one is the claim link.
const LINKS: usize = 5;
/// The maximum length of a link that is shown, in bytes.
const URL: usize = 1024;

/// The maximum number of JSON bytes for the first line of one incident of many.
const ONE_OF_MANY: usize = 512;
/// The maximum length of the link that claims many incidents, in bytes.
const CLAIM_ALL: usize = 4 * 1024;

/// The body of a message to Teams.
pub(crate) fn teams(alert: &Alert) -> Vec<u8> {
    let incident = alert.incident();
    let colour = match alert.occasion() {
        Occasion::Alert | Occasion::CalledIn => "Attention",
        Occasion::Claimed | Occasion::Handed | Occasion::ClaimEnds | Occasion::Notice => "Accent",
        Occasion::Resolved => "Good",
    };
    let mut card = vec![text(&head(alert), TITLE, large(colour))];
    if tells_what_happened(alert) {
        card.push(text(incident.message(), MESSAGE, json!({})));
    }
    card.push(text(&context(alert), CONTEXT, json!({ "isSubtle": true })));
    let links = incident.links().iter().filter(|link| link.url().len() <= URL).take(LINKS);
    let links = links.map(|link| open(&cut(link.text(), 100, json_bytes), link.url()));
    let actions = claim(alert).map(|(word, url)| open(word, url)).into_iter().chain(links).collect();
    body(&message(card, actions))
}

/// The body of a message about many incidents. A link that does not fit is left out.
pub(crate) fn teams_of_bundle(bundle: &Bundle) -> Vec<u8> {
    let mut card = vec![
        text(&bundle.headline(), TITLE, large("Attention")),
        text(&many::services(bundle), CONTEXT, json!({})),
    ];
    card.extend(many::worst(bundle).map(|(head, _)| text(&head, ONE_OF_MANY, json!({}))));
    card.extend(many::others(bundle).map(|others| text(&others, CONTEXT, json!({ "isSubtle": true }))));
    let all = bundle.claim_all_url().filter(|url| url.len() <= CLAIM_ALL);
    let actions = all.map(|url| open("Claim all of these", url)).into_iter().collect();
    body(&message(card, actions))
}

/// Untrusted text, cut to that many JSON bytes.
fn text(text: &str, most: usize, look: Value) -> Value {
    let mut run = json!({ "type": "TextRun", "text": cut(text, most, json_bytes) });
    for (name, value) in look.as_object().into_iter().flatten() {
        run[name] = value.clone();
    }
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

fn large(colour: &str) -> Value {
    json!({ "size": "Large", "weight": "Bolder", "color": colour })
}

fn open(title: &str, url: &str) -> Value {
    json!({ "type": "Action.OpenUrl", "title": title, "url": url })
}

fn message(card: Vec<Value>, actions: Vec<Value>) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": card,
                "actions": actions,
            },
        }],
    })
}
