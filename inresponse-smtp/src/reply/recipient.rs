//! Decides whether a refusal is about the recipient and permanent: only such a refusal ends a delivery (promise 9).

use super::{Phase, Reply, Status};

/// Whether the server permanently refuses the recipient. If in doubt, the answer is no.
pub(super) fn is_refused(reply: &Reply, phase: Phase) -> bool {
    if reply.code < 500 {
        return false;
    }
    let text = reply.text();
    match phase {
        Phase::Connecting | Phase::Sender => false,
        Phase::Recipient => at_recipient(reply, &text),
        // About the message, unless the server says that it is about the mailbox.
        Phase::Content | Phase::HandedOver => {
            reply.status().is_some_and(|status| names_recipient(status, &text) == Some(true))
        }
    }
}

/// Judges a refusal after RCPT: by the enhanced status code, then by the code, then by the text.
fn at_recipient(reply: &Reply, text: &str) -> bool {
    match reply.status().map(|status| names_recipient(status, text)) {
        Some(Some(decided)) => decided,
        Some(None) | None => match reply.code {
            551 | 556 => !names_another(text),
            550 | 552 | 553 | 554 => NOBODY.iter().any(|words| text.contains(words)) && !names_another(text),
            _ => false,
        },
    }
}

/// Whether an enhanced status code is about the recipient; `None` if it does not say.
fn names_recipient(status: Status, text: &str) -> Option<bool> {
    // 550 with 4.x.x contradicts itself.
    if status.class != 5 {
        return Some(false);
    }
    match status.about() {
        // Mailbox, domain, syntax, ambiguous, moved, no mail for that domain (RFC 7505; at Exchange nobody found).
        (1, 1 | 2 | 3 | 4 | 6 | 10) => Some(!blames_sender(text)),
        // Disabled; but Gmail says so of mailboxes that just get too much.
        (2, 1) => Some(!blames_sender(text) && !text.contains(" rate ")),
        // Full; but some say so of what the sender may send.
        (2, 2) => Some(!blames_sender(text) && !text.contains("sending")),
        // Beyond ASCII, which only the recipient's address ever is here (RFC 6531 section 3.5).
        (6, 7) => Some(true),
        // Exchange Online of an address that it does not know ("directory-based edge blocking").
        (4, 1) => Some(text.contains("recipient address rejected: access denied")),
        // "Other or undefined", as Outlook.com says of mailboxes that it does not have.
        (0 | 1 | 2 | 3 | 5, 0) => None,
        _ => Some(false),
    }
}

/// Texts for "no such mailbox" from servers without a status code: Sendmail, Postfix, Exim, qmail, Exchange, Courier,
/// and large providers.
const NOBODY: [&str; 46] = [
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "user does not exist",
    "user doesn't exist",
    "user disabled",
    "user is disabled",
    "not a valid user",
    "invalid user",
    "no such recipient",
    "unknown recipient",
    "recipient unknown",
    "recipient not found",
    "recipient does not exist",
    "recipient doesn't exist",
    "invalid recipient",
    "not a valid recipient",
    "no such mailbox",
    "unknown mailbox",
    "mailbox unknown",
    "mailbox not found",
    "mailbox does not exist",
    "mailbox doesn't exist",
    "mailbox unavailable",
    "mailbox is unavailable",
    "mailbox disabled",
    "mailbox is disabled",
    "mailbox name not allowed",
    "mailbox name is invalid",
    "invalid mailbox",
    "not a valid mailbox",
    "no mailbox here by that name",
    "no such address",
    "unknown address",
    "address unknown",
    "address does not exist",
    "address doesn't exist",
    "unrouteable address",
    "unroutable address",
    "unknown account",
    "account not found",
    "account does not exist",
    "user doesn't have a",
    "no such person",
    "unknown local part",
];

/// Whether a text says that the refusal is not about the recipient: the client may not relay, has sent too much, or is
/// not trusted.
fn names_another(text: &str) -> bool {
    const ANOTHER: [&str; 27] = [
        "relay",
        "quota",
        "limit",
        "exceed",
        "spam",
        "policy",
        "block",
        "blacklist",
        "denied",
        "authenticat",
        "reputation",
        "reverse",
        "ptr record",
        "your ip",
        " rate",
        "not permitted",
        "not allowed to",
        "spf",
        "dkim",
        "dmarc",
        "dns",
        "mx record",
        "resource record",
        "your account",
        "your domain",
        "your address",
        "outbound",
    ];
    // Postfix says so of a recipient: unknown in the table of those whom it relays for.
    let text = text.replace("relay recipient table", "");
    blames_sender(&text) || ANOTHER.iter().any(|word| text.contains(word))
}

/// Whether a text says that the refusal is about the sender: Postfix refuses a sender only after RCPT.
fn blames_sender(text: &str) -> bool {
    ["sender", "mail from", "from address", "return path", "return-path", "helo", "client host"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use inresponse_core::notify::Outcome;

    use crate::reply::{Failure, Phase, Reply, outcome};

    fn kind(phase: Phase, reply: &str) -> &'static str {
        let (code, _) = reply.split_at(3);
        let lines = reply.lines().map(|line| line[3..].trim_start_matches(['-', ' ']).to_owned()).collect();
        let reply = Reply { code: code.parse().unwrap(), lines };
        match outcome(&Failure::Refused(reply), phase) {
            Outcome::Rejected { .. } => "dead",
            Outcome::Throttled { .. } => "pause",
            Outcome::Unavailable { .. } => "again",
            outcome => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn p09_only_a_refusal_of_the_recipient_is_dead() {
        // As servers write them after RCPT; what Gmail, Exchange, Amazon SES and Postfix document among them.
        let after_rcpt = [
            // The enhanced status code says that it is about the recipient.
            (
                "550 5.1.1 <jo@x.example>: Recipient address rejected: User unknown in virtual mailbox table",
                "dead",
            ),
            (
                "550 5.1.1 <jo@x.example>: Recipient address rejected: User unknown in relay recipient table",
                "dead",
            ),
            (
                "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 \
              double-checking the recipient's email address\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser \
              a1-20 - gsmtp",
                "dead",
            ),
            (
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jo@x.example not found by SMTP address lookup",
                "dead",
            ),
            ("556 5.1.10 Recipient address has null MX", "dead"),
            ("550 5.1.2 <jo@x.example>: Recipient address rejected: Domain not found", "dead"),
            ("553 5.1.2 We weren't able to find the recipient domain.", "dead"),
            ("501 5.1.3 Bad recipient address syntax", "dead"),
            ("553 5.1.3 The recipient address is not a valid RFC-5321 address.", "dead"),
            ("550 5.1.4 RESOLVER.ADR.Ambiguous; ambiguous address", "dead"),
            ("551 5.1.6 The mailbox has moved", "dead"),
            ("550 5.2.1 The email account that you tried to reach is disabled.", "dead"),
            ("552 5.2.2 The email account that you tried to reach is over quota.", "dead"),
            ("550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]", "dead"),
            ("553 5.6.7 Non-ASCII addresses not permitted for that recipient", "dead"),
            ("550 sorry, no mailbox here by that name (#5.1.1)", "dead"),
            // It leaves that open, or there is none, and the text says so.
            ("550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "dead"),
            ("550 5.1.0 <jo@x.example>... User unknown", "dead"),
            ("550 no such user", "dead"),
            ("550 No Such User Here", "dead"),
            ("550 Unrouteable address", "dead"),
            ("550 jo@x.example... User unknown", "dead"),
            ("550 Requested action not taken: mailbox unavailable", "dead"),
            ("552 1 Requested mail action aborted, mailbox not found", "dead"),
            ("553 5.3.0 <jo@x.example>... User unknown", "dead"),
            ("550 unknown local part", "dead"),
            ("550 No such person at this address", "dead"),
            // It is about who sends: the client's domain, its records, the account that signed in.
            ("550 alerts.example.org doesn't have a valid SPF record", "again"),
            ("550 Your domain doesn't have an MX record", "again"),
            ("550 5.1.0 domain doesn't have a DMARC record", "again"),
            ("550 Your account is disabled", "again"),
            ("554 Account disabled", "again"),
            (
                "550-Requested action not taken: mailbox unavailable\n550 invalid DNS MX or A/AAAA resource record",
                "again",
            ),
            ("550 Invalid recipient jo@x.example", "dead"),
            ("551 User not local; please try <jo@y.example>", "dead"),
            ("553 Requested action not taken: mailbox name not allowed", "dead"),
            ("554 delivery error: dd This user doesn't have a x.example account (jo@x.example) [0]", "dead"),
            ("556 this domain accepts no mail", "dead"),
            // About the sender or the client.
            ("554 5.7.1 <jo@x.example>: Relay access denied", "again"),
            ("550 5.7.1 Unable to relay", "again"),
            ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "again"),
            ("550 relay not permitted", "again"),
            ("550 relaying denied: no such user here may relay", "again"),
            ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "again"),
            ("551 we do not relay", "again"),
            (
                "550 5.4.5 Daily user sending quota exceeded. https://support.google.com/mail/?p=DailyLimitExceeded",
                "again",
            ),
            ("550 Daily sending quota exceeded", "again"),
            ("552 5.2.2 You have exceeded your sending quota", "again"),
            ("552 Requested mail action aborted: exceeded storage allocation", "again"),
            (
                "550 5.1.0 <ir@x.example>: Sender address rejected: User unknown in local recipient table",
                "again",
            ),
            ("550 5.1.1 <ir@x.example>: Sender address rejected: User unknown", "again"),
            ("553 5.7.1 <ir@x.example>: Sender address rejected: not owned by user ir", "again"),
            ("550 5.1.7 Bad sender's mailbox address syntax", "again"),
            ("550 5.1.8 Access denied, bad outbound sender", "again"),
            (
                "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
                "again",
            ),
            ("550 Sender verify failed", "again"),
            ("550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus", "again"),
            ("550 5.7.26 Unauthenticated email from x.example is not accepted", "again"),
            ("550 5.7.1 <jo@x.example>: Recipient address rejected: Access denied", "again"),
            ("554 5.7.1 Policy rejection on the target address", "again"),
            ("530 5.7.0 Must issue a STARTTLS command first", "again"),
            ("535 5.7.8 Username and Password not accepted", "again"),
            ("538 5.7.11 Encryption required", "again"),
            ("550 authentication required", "again"),
            ("571 blocked", "again"),
            // About the server, its routes, the protocol, the message.
            ("554 5.3.0 Internal error", "again"),
            ("552 5.3.4 Message size exceeds fixed limit", "again"),
            ("550 5.4.4 Unable to route due to invalid recipient domain", "again"),
            ("554 5.4.6 Hop count exceeded", "again"),
            ("503 5.5.1 Error: need MAIL command", "again"),
            ("504 5.5.2 <jo>: Recipient address rejected: need fully-qualified address", "again"),
            ("554 5.6.0 Message content rejected", "again"),
            ("500 what", "again"),
            ("521 this host accepts no mail", "again"),
            // About the recipient, but not for good.
            (
                "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional \
              messages from being delivered.",
                "again",
            ),
            ("550 5.2.3 Message too large for this recipient", "again"),
            ("550 4.1.1 unverified address", "again"),
            // In doubt.
            ("550 no", "again"),
            ("550", "again"),
            ("554 Transaction failed", "again"),
            ("553 we don't take that", "again"),
            ("550 5.9.9 something new", "again"),
            ("599 5.1 user unknown", "again"),
            // Later.
            ("450 4.1.1 <jo@x.example>: Recipient address rejected: unverified address", "again"),
            ("450 4.1.2 <jo@x.example>: Recipient address rejected: Domain not found", "again"),
            ("450 4.2.0 busy", "again"),
            ("451 4.3.0 Temporary lookup failure", "again"),
            ("450 no such user right now", "again"),
            ("450 4.2.0 <jo@x.example>: Recipient address rejected: Greylisted", "pause"),
            ("450 4.7.1 try again later", "pause"),
            ("451 4.7.500 Server busy. Please try again later", "pause"),
            ("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", "pause"),
            ("452 4.2.2 The email account that you tried to reach is over quota", "pause"),
            ("452 4.5.3 Your message has too many recipients", "pause"),
            ("421 4.4.5 Server busy, try again later", "pause"),
            ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", "pause"),
            ("454 Throttling failure: Maximum sending rate exceeded", "pause"),
        ];
        for (reply, expected) in after_rcpt {
            assert_eq!(kind(Phase::Recipient, reply), expected, "{reply}");
        }
    }

    #[test]
    fn p09_before_rcpt_nothing_is_about_the_recipient_and_after_it_only_what_says_so() {
        let refusals = [
            "550 5.1.1 user unknown",
            "550 no such user",
            "553 5.7.1 Sender address rejected",
            "501 mail from address must be same as authorization user",
            "554 Email address is not verified",
            "550 5.1.2 Domain not found",
        ];
        for (phase, reply) in
            [Phase::Connecting, Phase::Sender].iter().flat_map(|p| refusals.map(|r| (*p, r)))
        {
            assert_eq!(kind(phase, reply), "again", "{phase:?}: {reply}");
        }
        for (reply, expected) in [
            ("554 Message rejected: Email address is not verified. The following identities failed", "again"),
            ("554 5.7.1 This message looks like spam", "again"),
            ("552 5.3.4 too large", "again"),
            ("554 5.6.0 no", "again"),
            ("550 no such user", "again"),
            ("554 5.5.1 No valid recipients", "again"),
            ("550 5.4.1 Recipient address rejected: Access denied", "dead"),
            ("552 5.2.2 full", "dead"),
            ("550 5.1.1 User unknown", "dead"),
            ("550 5.2.1 mailbox disabled", "dead"),
            ("451 4.3.0 later", "again"),
            ("421 4.7.0 later", "pause"),
        ] {
            for phase in [Phase::Content, Phase::HandedOver] {
                assert_eq!(kind(phase, reply), expected, "{phase:?}: {reply}");
            }
        }
    }
}
