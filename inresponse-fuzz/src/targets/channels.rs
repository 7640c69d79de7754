//! What comes back over channels, and what programs say.

use inresponse_chat::{Request, Update, is_from_slack, is_from_telegram, read_request, read_update};
use inresponse_core::model::{Contact, DeliveryId};
use inresponse_push::read_receipt;

/// The secret of a channel. No input has it.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn account_holds(account: &Contact, scheme: &str) {
    assert_eq!(account.scheme(), scheme);
    assert_eq!(&Contact::new(account.as_str()).unwrap(), account);
}

fn id_holds(id: &DeliveryId) {
    assert_eq!(&DeliveryId::read(id.as_str()).unwrap(), id);
    assert!(id.as_str().len() <= DeliveryId::MAX_BYTES);
}

/// An update of Telegram: an account is a number, and a code comes from a private chat.
pub(super) fn telegram_update(data: &[u8]) {
    let text = std::str::from_utf8(data).ok();
    assert!(!is_from_telegram(text.filter(|text| *text != SECRET), SECRET));
    match read_update(data) {
        Some(Update::Press(press)) => {
            account_holds(&press.account, "telegram");
            assert!(press.account.address().parse::<i64>().is_ok());
            assert!((1..=128).contains(&press.id.len()));
            press.asks.iter().for_each(|(id, _)| id_holds(id));
        }
        Some(Update::Link { account, code, .. }) => {
            account_holds(&account, "telegram");
            assert!(!code.is_empty() && code.trim() == code);
            let json = serde_json::from_str::<serde_json::Value>(&String::from_utf8_lossy(data));
            assert!(json.is_ok_and(|json| json["message"]["chat"]["type"] == "private"));
        }
        Some(Update::Help { account, .. }) => account_holds(&account, "telegram"),
        Some(Update::Other) | None => {}
    }
}

/// A request of Slack: an account is letters and digits, and nothing unsigned is taken.
pub(super) fn slack_request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (signature, timestamp) = text.split_once('\n').unwrap_or((&text, "1795489200"));
    assert!(!is_from_slack(Some(signature), Some(timestamp), data, SECRET, super::now()));
    match read_request(data) {
        Some(Request::Action(action)) => {
            account_holds(&action.account, "slack");
            action.asks.iter().for_each(|(id, _)| id_holds(id));
        }
        Some(Request::Command { account, .. } | Request::Message { account, .. }) => {
            account_holds(&account, "slack");
            assert!(account.address().bytes().all(|b| b.is_ascii_alphanumeric()));
        }
        Some(Request::Challenge(challenge)) => assert!(challenge.len() <= 1024),
        Some(Request::Other) | None => {}
    }
}

/// The end of a program: the first byte is its exit code. The reason is short and has one line.
pub(super) fn command_end(data: &[u8]) {
    let (code, said) = data.split_first().map_or((0, data), |(code, said)| (*code, said));
    let outcome = inresponse_command::outcome(Some(code.into()), said);
    let reason = outcome.reason();
    assert!(reason.len() <= 200 && !reason.contains(char::is_control), "{reason:?}");
    assert_eq!(reason.is_empty(), code == 0, "{reason:?}");
}

/// The state of a receipt of Pushover.
pub(super) fn pushover_receipt(data: &[u8]) {
    if let Some(Some(acknowledged)) = read_receipt(data) {
        assert!(acknowledged.by.is_none_or(|by| !by.is_empty()));
    }
}
