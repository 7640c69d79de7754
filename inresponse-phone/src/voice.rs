//! What is spoken in a call, as TwiML.
//!
//! An answering machine also takes calls. So a call claims nothing by being answered: somebody must press a key. The keys
//! are those of GoAlert, which people move from; 1 is not among them, because greetings of mailboxes ask for it.

use inresponse_core::model::{Incident, Person, Severity, State};
use inresponse_core::notify::{Alert, Bundle};
use inresponse_core::plan::{self, Wanted};
use inresponse_core::text::visible;

use crate::segments::plain;
use crate::sms;

/// How often a call says everything, if nobody presses a key.
const TIMES: usize = 3;
/// How many seconds a call waits for a key after it said everything.
const WAIT: u32 = 6;
/// The maximum number of characters that are spoken of a title and of a service's name. A TwiML document has at most 4,000
/// characters, and each of these can become six by escaping.
const TITLE: usize = 110;
const SERVICE: usize = 40;

/// What a key asks for.
pub(crate) fn key(digits: &str) -> Option<Wanted> {
    match digits {
        "4" => Some(Wanted::Claim),
        "5" => Some(Wanted::Escalate),
        "6" => Some(Wanted::Resolve),
        _ => None,
    }
}

/// What is broken, as it is spoken; before it who called the person in, or whose claim ended.
pub(crate) fn what(incident: &Incident, caller: Option<&Person>) -> String {
    let severity = match incident.severity() {
        Severity::Crit => "Critical",
        Severity::Err => "Error",
        Severity::Warn => "Warning",
    };
    let (service, title) = (cut(incident.service().as_str(), SERVICE), cut(incident.title(), TITLE));
    let called = caller.map_or_else(String::new, |caller| {
        let claimed = incident.claimed().filter(|_| incident.state() == State::Claimed);
        let holder = claimed.map_or("Nobody", |claimed| claimed.by.as_str());
        format!("{} called you in. {} has it. ", cut(caller.as_str(), SERVICE), cut(holder, SERVICE))
    });
    let over = plan::round_began_after(incident).filter(|_| caller.is_none());
    let again = over
        .map_or_else(String::new, |over| format!("The claim of {} ended. ", cut(over.by.as_str(), SERVICE)));
    format!("{called}{again}{severity} incident {} of {service}. {title}.", incident.number())
}

/// How many alerts there are, and of which services, as it is spoken: `37 critical alerts and 1 warning: checkout and 11
/// other services.`
pub(crate) fn what_of_bundle(bundle: &Bundle) -> String {
    let counts: Vec<_> = bundle
        .severities()
        .into_iter()
        .map(|(severity, count)| match (severity, count) {
            (Severity::Crit, 1) => "1 critical alert".to_owned(),
            (Severity::Crit, count) => format!("{count} critical alerts"),
            (Severity::Err, 1) => "1 error".to_owned(),
            (Severity::Err, count) => format!("{count} errors"),
            (Severity::Warn, 1) => "1 warning".to_owned(),
            (Severity::Warn, count) => format!("{count} warnings"),
        })
        .collect();
    format!("{}: {}.", counts.join(" and "), cut(&bundle.services_in_words(), TITLE))
}

/// The document of a call about many alerts. No key claims them all: the mail and the board do.
pub(crate) fn many(bundle: &Bundle) -> String {
    let how = "Claim them on the board, or by the link in your mail.";
    let said = format!("<Pause length=\"1\"/>{}{}", say(&what_of_bundle(bundle)), say(how));
    document(&said.repeat(TIMES))
}

/// That the claim of the person who is called ends, as it is spoken.
pub(crate) fn claim_ends(alert: &Alert) -> String {
    let incident = alert.incident();
    let service = cut(incident.service().as_str(), SERVICE);
    format!("{}: incident {} of {service}.", sms::claim_ends(alert), incident.number())
}

/// The document of a call: it says what is broken, and asks for a key, three times. Twilio sends the key to `action`.
pub(crate) fn prompt(incident: &Incident, caller: Option<&Person>, action: &str) -> String {
    let what = what(incident, caller);
    let keys = if caller.is_some() {
        "Press 4 if you are on it, 6 to resolve it, or 5 to alert the next level."
    } else {
        "Press 4 to claim it, 6 to resolve it, or 5 to alert the next level."
    };
    let said = format!("<Pause length=\"1\"/>{}<Pause length=\"1\"/>{}", say(&what), say(keys));
    let gather = format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"{WAIT}\" method=\"POST\" action=\"{}\">{said}</Gather>",
        escape(action)
    );
    let bye = say("No key was pressed, so nobody has claimed it. Goodbye.");
    document(&format!("{}{bye}", gather.repeat(TIMES)))
}

/// The document of a call that says something three times and needs no answer: a code. Digits are said one by one.
pub(crate) fn notice(text: &str) -> String {
    let mut spoken = String::new();
    for c in cut(text, TITLE).chars() {
        spoken.push(c);
        if c.is_ascii_digit() {
            spoken.push(' ');
        }
    }
    document(&format!("<Pause length=\"1\"/>{}<Pause length=\"1\"/>", say(&spoken)).repeat(TIMES))
}

/// The document that says a text and ends the call.
pub(crate) fn last_words(text: &str) -> String {
    document(&format!("{}<Hangup/>", say(text)))
}

/// The document that answers a text message; without a text, nothing is sent back.
pub(crate) fn message(text: Option<&str>) -> String {
    document(&text.map_or_else(String::new, |text| format!("<Message>{}</Message>", escape(&plain(text)))))
}

fn document(verbs: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
}

fn say(text: &str) -> String {
    format!("<Say>{}</Say>", escape(text))
}

/// The beginning of a text in one line.
fn cut(text: &str, most: usize) -> String {
    plain(&visible(text)).chars().take(most).collect()
}

/// A text within XML. Characters that XML 1.0 does not allow (section 2.2) become blanks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alert, next_round};

    #[test]
    fn p23_a_call_about_many_says_how_many_and_asks_for_no_key() {
        let bundle = crate::testing::bundle(
            &["checkout", "checkout", "a <b>"],
            "tel:+302101234567",
            "https://x.example",
        );
        assert_eq!(what_of_bundle(&bundle), "3 critical alerts: checkout and 1 other service.");
        let said = many(&bundle);
        assert_eq!(said.matches("3 critical alerts").count(), TIMES);
        assert!(!said.contains("<Gather") && !said.contains("<b>"), "{said}");
    }

    #[test]
    fn a_call_says_what_is_broken_and_asks_for_a_key_three_times() {
        let alert = alert("checkout", "payments & \"refunds\" fail", "tel:+302101234567", None);
        let document = prompt(alert.incident(), None, "https://a.example/channels/twilio/voice?delivery=x&y");
        assert_eq!(document.matches("<Gather ").count(), 3);
        assert_eq!(document.matches("</Gather>").count(), 3);
        let what = "<Say>Critical incident 10001 of checkout. payments &amp; &quot;refunds&quot; fail.</Say>";
        assert_eq!(document.matches(what).count(), 3, "{document}");
        assert_eq!(document.matches("?delivery=x&amp;y\"").count(), 3);
        assert!(document.ends_with("Goodbye.</Say></Response>"), "{document}");
    }

    #[test]
    fn p22_the_call_of_the_next_round_says_whose_claim_ended() {
        let said = what(next_round("tel:+302101234567").incident(), None);
        assert_eq!(
            said,
            "The claim of kim ended. Critical incident 10001 of checkout. 12 % of payments fail."
        );
    }

    #[test]
    fn p16_a_document_is_never_longer_than_twilio_takes() {
        for c in ["\"", "日", "🔥", "&", "x"] {
            let alert = alert("s", &format!("t{}", c.repeat(120)), "tel:+302101234567", None);
            let url = format!(
                "https://{}.example/channels/twilio/voice?delivery={}",
                "x".repeat(100),
                "x".repeat(64)
            );
            let document = prompt(alert.incident(), None, &url);
            assert!(document.chars().count() <= 4000, "{c}: {}", document.chars().count());
        }
    }

    #[test]
    fn p20_only_three_keys_ask_for_anything() {
        assert_eq!(key("4"), Some(Wanted::Claim));
        assert_eq!(key("5"), Some(Wanted::Escalate));
        assert_eq!(key("6"), Some(Wanted::Resolve));
        for other in ["", "1", "0", "#", "*", "44", "4 ", "٤"] {
            assert_eq!(key(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_to_a_text_message_is_escaped() {
        assert_eq!(
            message(Some("a <b> & 'c'")),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>a &lt;b&gt; &amp; &apos;c&apos;</Message></Response>"
        );
        assert!(message(None).ends_with("<Response></Response>"));
    }
}
