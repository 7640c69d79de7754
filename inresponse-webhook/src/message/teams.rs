//! Microsoft Teams' form: an Adaptive Card in the envelope that a webhook of Workflows takes.
//!
//! A message has at most 28 KB (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>). Text of a
//! `TextRun` is plain where that of a `TextBlock` is Markdown, so what strangers wrote cannot hide where a link leads.

use inresponse_core::notify::Alert;
use serde_json::{Value, json};

use super::{body, context, cut, head, json_bytes};

/// The most bytes of JSON that a message, a title and the context may take.
const MESSAGE: usize = 12 * 1024;
const TITLE: usize = 3 * 1024;
const CONTEXT: usize = 4 * 1024;
/// A card shows six actions at most.
const LINKS: usize = 5;
/// The longest link that is shown, in bytes.
const URL: usize = 1024;

/// The body of a message.
pub(crate) fn teams(alert: &Alert) -> Vec<u8> {
    let incident = alert.incident();
    let text = |text: &str, most: usize, look: Value| {
        let mut run = json!({ "type": "TextRun", "text": cut(text, most, json_bytes) });
        for (name, value) in look.as_object().into_iter().flatten() {
            run[name] = value.clone();
        }
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let large = json!({ "size": "Large", "weight": "Bolder", "color": "Attention" });
    let mut card = vec![text(&head(alert), TITLE, large)];
    if !incident.message().trim().is_empty() {
        card.push(text(incident.message(), MESSAGE, json!({})));
    }
    card.push(text(&context(alert), CONTEXT, json!({ "isSubtle": true })));
    let open = |title: &str, url: &str| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let links = incident.links().iter().filter(|link| link.url().len() <= URL).take(LINKS);
    let links = links.map(|link| open(&cut(link.text(), 100, json_bytes), link.url()));
    let actions: Vec<Value> =
        alert.claim_url().map(|url| open("Claim it", url)).into_iter().chain(links).collect();
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
