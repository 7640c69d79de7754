//! The message format of Microsoft Teams: an Adaptive Card in the envelope that a webhook of Workflows expects.
//!
//! A message has at most 28 KB (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>). Untrusted
//! text is in a `TextRun`, which is plain text, and not in a `TextBlock`, which is Markdown. So untrusted text cannot
//! hide the target of a link.

use inresponse_core::notify::{Alert, Occasion};
use inresponse_outward::brief::{claim, context, cut, head, tells_what_happened};
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

/// The body of a message to Teams.
pub(crate) fn teams(alert: &Alert) -> Vec<u8> {
    let incident = alert.incident();
    let text = |text: &str, most: usize, look: Value| {
        let mut run = json!({ "type": "TextRun", "text": cut(text, most, json_bytes) });
        for (name, value) in look.as_object().into_iter().flatten() {
            run[name] = value.clone();
        }
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let colour = match alert.occasion() {
        Occasion::Alert | Occasion::CalledIn => "Attention",
        Occasion::Claimed | Occasion::Handed | Occasion::ClaimEnds | Occasion::Notice => "Accent",
        Occasion::Resolved => "Good",
    };
    let large = json!({ "size": "Large", "weight": "Bolder", "color": colour });
    let mut card = vec![text(&head(alert), TITLE, large)];
    if tells_what_happened(alert) {
        card.push(text(incident.message(), MESSAGE, json!({})));
    }
    card.push(text(&context(alert), CONTEXT, json!({ "isSubtle": true })));
    let open = |title: &str, url: &str| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let links = incident.links().iter().filter(|link| link.url().len() <= URL).take(LINKS);
    let links = links.map(|link| open(&cut(link.text(), 100, json_bytes), link.url()));
    let actions: Vec<Value> =
        claim(alert).map(|(word, url)| open(word, url)).into_iter().chain(links).collect();
    body(&json!({
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
    }))
}
