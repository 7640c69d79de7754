//! Blocks of messages to Slack, for its incoming webhooks and for its app.
//!
//! A header has at most 150 characters, the text of a section 3000, that of a context 2000, a block id 255
//! (<https://docs.slack.dev/reference/block-kit/blocks>). A message has at most 50 blocks; one with more than about 13,000
//! characters in all was refused. Untrusted text is plain text, or escaped as in
//! <https://docs.slack.dev/messaging/formatting-message-text>, so that it can neither notify a channel nor hide the target
//! of a link.

use inresponse_core::notify::Bundle;
use serde_json::{Value, json};

use crate::brief::cut;
use crate::many;

/// The maximum number of characters of a header.
pub const HEADER: usize = 150;
/// The maximum number of characters of a section's text.
pub const SECTION: usize = 3000;
/// The maximum number of characters of a context's text.
pub const CONTEXT: usize = 2000;

/// The maximum number of characters of the first line of one incident of many.
const ONE_OF_MANY: usize = 300;

/// Untrusted text, cut to `most` characters.
pub fn plain(text: &str, most: usize) -> Value {
    json!({ "type": "plain_text", "text": cut(text, most, characters), "emoji": false })
}

/// A header.
pub fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain(text, HEADER) })
}

/// A section of untrusted text.
pub fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain(text, SECTION) })
}

/// A section of links and escaped text.
pub fn marked(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// A message of these blocks. The text is what notifications show. Slack would otherwise fetch the links, to show what is
/// behind them.
pub fn message(text: &str, blocks: Vec<Value>) -> Value {
    let text = escape(&cut(text, SECTION, characters));
    json!({ "text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

/// Links as lines, as many as fit in a section.
pub fn lines(links: impl Iterator<Item = String>) -> String {
    let mut lines = String::new();
    for line in links {
        if lines.chars().count() + line.chars().count() < SECTION {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines.trim_end().to_owned()
}

/// A link. A bar would end the URL, so bars in it are encoded.
pub fn link(text: &str, url: &str) -> String {
    let url = url.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    format!("<{}|{}>", escape(&url), escape(&cut(text, HEADER, characters)))
}

/// Many incidents: how many of which severities and services, the worst ones, the numbers of the others, and a link to
/// claim them all. A link that does not fit is left out.
pub fn bundle(bundle: &Bundle) -> Value {
    let head = bundle.headline();
    let mut blocks = vec![header(&head), section(&many::services(bundle))];
    let all = bundle.claim_all_url().map(|url| format!("*{}*", link("Claim all of these", url)));
    blocks.extend(all.filter(|link| link.chars().count() < SECTION).map(|link| marked(&link)));
    for (head, claim) in many::worst(bundle) {
        let claim = claim.map_or_else(String::new, |url| format!("{}  ", link("Claim it", url)));
        blocks.push(marked(&format!("{claim}{}", escape(&cut(&head, ONE_OF_MANY, characters)))));
    }
    let others = many::others(bundle).unwrap_or_else(|| "these are all".to_owned());
    blocks.push(json!({ "type": "context", "block_id": bundle.id(), "elements": [plain(&others, CONTEXT)] }));
    message(&head, blocks)
}

/// Escapes text, so that it can neither notify anybody nor contain a link.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The weight of a character for Slack.
pub fn characters(_: char) -> usize {
    1
}
