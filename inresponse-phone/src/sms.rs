//! The text of a text message.

use inresponse_core::model::{Signature, State};
use inresponse_core::notify::{Alert, Bundle, Occasion};
use inresponse_core::plan;
use inresponse_core::text::visible;

use crate::segments::{plain, segments};

/// The maximum number of segments of a message. Each is billed, and Twilio recommends at most 320 characters, because
/// longer messages arrive less often. A claim link has some 150 characters: it fits beside a text of the GSM alphabet,
/// and not beside one of any other script, where the code has to do.
const MAX_SEGMENTS: usize = 3;
/// The maximum number of characters of the service's name and of the title, which must be read at a glance. Shorter ones
/// are tried if a text has characters of which few fit into a segment.
const LENGTHS: [(usize, usize); 3] = [(40, 80), (30, 50), (20, 25)];

/// Whether somebody reads what people write back to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replies {
    /// They claim and resolve.
    Count,
    /// Nobody reads them.
    AreLost,
}

/// The text of an alert, a status update or a notice: at most three segments.
pub(crate) fn text(alert: &Alert, replies: Replies) -> String {
    let texts = LENGTHS.map(|lengths| text_of(alert, replies, lengths));
    let fits = texts.iter().find(|text| segments(text) <= MAX_SEGMENTS);
    let text = fits.unwrap_or(&texts[texts.len() - 1]).clone();
    let link = match alert.occasion() {
        Occasion::Alert | Occasion::CalledIn | Occasion::Handed | Occasion::ClaimEnds => alert.claim_url(),
        Occasion::Claimed | Occasion::Resolved | Occasion::Notice => None,
    };
    let with_link = link.map(|link| format!("{text}\n{link}"));
    with_link.filter(|text| segments(text) <= MAX_SEGMENTS).unwrap_or(text)
}

/// The text for many alerts: the counts, and a link to claim them if it fits.
pub(crate) fn text_of_bundle(bundle: &Bundle) -> String {
    let counts = cut(&bundle.headline(), 120);
    let text = format!("{counts}\nClaim them on the board or by your mail.");
    let with_link = bundle.claim_all_url().map(|link| format!("{counts}\nClaim all: {link}"));
    with_link.filter(|text| segments(text) <= MAX_SEGMENTS).unwrap_or(text)
}

fn text_of(alert: &Alert, replies: Replies, (service, title): (usize, usize)) -> String {
    let incident = alert.incident();
    let number = incident.number();
    let (service, title) = (cut(incident.service().as_str(), service), cut(incident.title(), title));
    let what = format!("{} {service}: {title}", incident.severity());
    let by = |by: Option<&Signature>| by.map_or_else(|| "Somebody".to_owned(), |by| cut(by.by.as_str(), 40));
    match alert.occasion() {
        Occasion::Alert => {
            let over = plan::round_began_after(incident);
            let again = over
                .map_or_else(String::new, |over| format!("Claim of {} ended: ", cut(over.by.as_str(), 30)));
            match replies {
                Replies::AreLost => format!("{again}{what}\nIncident {number}. Do not reply."),
                Replies::Count => format!("{again}{what}\nReply {number}c to claim, {number}r to resolve."),
            }
        }
        Occasion::CalledIn => {
            let caller = alert.called_by().map_or_else(|| "Somebody".to_owned(), |by| cut(by.as_str(), 30));
            let claimed = incident.claimed().filter(|_| incident.state() == State::Claimed);
            let holder = claimed.map_or_else(|| "nobody".to_owned(), |claimed| cut(claimed.by.as_str(), 30));
            let called = format!("{caller} called you in; {holder} has it: {what}");
            match replies {
                Replies::AreLost => format!("{called}\nIncident {number}. Do not reply."),
                Replies::Count => {
                    format!("{called}\nReply {number}c if you are on it, {number}r to resolve.")
                }
            }
        }
        Occasion::Handed if replies == Replies::AreLost => {
            format!("Handed to you: {number} {what}\nConfirm that you have it. Do not reply.")
        }
        Occasion::Handed => format!("Handed to you: {what}\nReply {number}c to confirm that you have it."),
        Occasion::ClaimEnds => format!(
            "{}: {number} {what}\nThen the alerts begin again. Snooze it to keep it.",
            claim_ends(alert)
        ),
        Occasion::Claimed => format!("{} has {number} {what}", by(incident.claimed())),
        Occasion::Resolved => format!("{} resolved {number} {what}", by(incident.resolved())),
        Occasion::Notice => notice(alert),
    }
}

/// That the claim of the recipient ends, and when.
pub(crate) fn claim_ends(alert: &Alert) -> String {
    let zone = alert.incident().matrix().zone();
    match alert.claim_ends_at() {
        Some(at) => format!("Your claim ends at {}", zone.local(at).clock().format("%H:%M")),
        None => "Your claim ends".to_owned(),
    }
}

/// As much of a notice as fits.
fn notice(alert: &Alert) -> String {
    let Some(notice) = alert.as_notice() else { return String::new() };
    let whole = match notice.message.trim() {
        "" => notice.title.clone(),
        message => format!("{}\n{message}", notice.title),
    };
    // 153 characters are in a segment at most, so this is a bound, and each step makes the text shorter.
    let mut most = MAX_SEGMENTS * 153;
    loop {
        let text = cut(&whole, most);
        if segments(&text) <= MAX_SEGMENTS || most < 20 {
            return text;
        }
        most -= 20;
    }
}

/// The beginning of a text in one line, and three dots if it was cut.
fn cut(text: &str, most: usize) -> String {
    let text = plain(&visible(text));
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alert, bundle, next_round};
    use inresponse_core::model::Report;

    fn told(alert: &Alert) -> String {
        text(alert, Replies::Count)
    }

    #[test]
    fn p23_a_message_about_many_has_the_counts_and_a_link_that_fits() {
        let services = ["checkout", "checkout", "search", "billing"];
        let told = |link: &str| text_of_bundle(&bundle(&services, "sms:+302101234567", link));
        let counts = "4 CRIT: checkout and 2 other services";
        assert_eq!(
            told("https://x.example/claims?token=t"),
            format!("{counts}\nClaim all: https://x.example/claims?token=t")
        );
        let long = told(&format!("https://x.example/claims?token={}", "t".repeat(1_000)));
        assert_eq!(long, format!("{counts}\nClaim them on the board or by your mail."));
        assert_eq!(segments(&long), 1);
    }

    #[test]
    fn a_message_says_what_is_broken_and_how_to_answer() {
        let said = told(&alert(
            "checkout",
            "12 % of payments fail",
            "sms:+302101234567",
            Some("https://x.example/c?token=t"),
        ));
        assert_eq!(
            said,
            "CRIT checkout: 12 % of payments fail\nReply 10001c to claim, 10001r to resolve.\nhttps://x.example/c?token=t"
        );
        assert_eq!(segments(&said), 1);
    }

    #[test]
    fn p22_the_message_of_the_next_round_says_whose_claim_ended() {
        let said = told(&next_round("sms:+302101234567"));
        assert_eq!(
            said,
            "Claim of kim ended: CRIT checkout: 12 % of payments fail\nReply 10001c to claim, 10001r to resolve."
        );
    }

    #[test]
    fn nobody_is_asked_for_a_reply_that_nobody_reads() {
        let alert = alert("checkout", "5xx", "sms:+302101234567", Some("https://x.example/c?token=t"));
        let said = text(&alert, Replies::AreLost);
        assert_eq!(said, "CRIT checkout: 5xx\nIncident 10001. Do not reply.\nhttps://x.example/c?token=t");
    }

    #[test]
    fn a_link_is_left_out_where_it_does_not_fit() {
        let link = format!("https://alerts.example.org/incidents/10001/claim?token={}", "x".repeat(95));
        for title in ["12 % fail", &*"long title ".repeat(20)] {
            let said = told(&alert("checkout", title, "sms:+302101234567", Some(&link)));
            assert!(said.ends_with(&link), "{said}");
            assert_eq!(segments(&said), 2, "{said}");
        }
        // Another script leaves 67 characters in a segment.
        let said = told(&alert("checkout", "Οι πληρωμές αποτυγχάνουν", "sms:+302101234567", Some(&link)));
        assert!(said.ends_with("10001r to resolve."), "{said}");
        assert!(segments(&said) <= 2, "{said}");
    }

    #[test]
    fn p16_any_text_is_a_short_message() {
        for text in ["日本語", "🔥", "\u{202e}gnp.exe", "€", "x"] {
            let title = text.repeat(Report::MAX_TITLE_BYTES / text.len());
            let said = told(&alert(&"s".repeat(60), &title, "sms:+302101234567", None));
            assert!(segments(&said) <= MAX_SEGMENTS, "{said}");
            assert!(said.contains("10001c"), "{said}");
            assert_eq!(said.lines().count(), 2, "{said}");
        }
    }
}
