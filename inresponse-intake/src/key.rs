//! Dedup keys, which distinguish one problem from another. Keys that are too long are hashed, never cut.

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Person, ServiceName};
use sha2::{Digest, Sha256};

use crate::{repair, text};

/// The number of bytes that stay readable at the beginning of a hashed key.
const READABLE_BYTES: usize = 56;
const HASH_BYTES: usize = '…'.len_utf8() + '#'.len_utf8() + 64;

/// The key of an identity: the identity itself if it is a valid key, otherwise its hash. `None` if it is blank.
pub(crate) fn of(identity: &str) -> Option<DedupKey> {
    let identity = identity.trim();
    if identity.is_empty() {
        return None;
    }
    let is_plain = !identity.contains(char::is_control) && !repair::is_broken(identity);
    let plain = if is_plain { DedupKey::new(identity).ok() } else { None };
    Some(plain.unwrap_or_else(|| of_hash(identity, identity.as_bytes())))
}

/// The key of an identity that has several parts. Different lists of parts never get the same key.
pub(crate) fn of_parts(parts: &[&str]) -> DedupKey {
    let joined = parts.join("/");
    // It can be taken apart again if only the last of several parts has the separator.
    let (last, others) = parts.split_last().unwrap_or((&"", &[]));
    let is_clear =
        !others.iter().any(|part| part.contains('/')) && (!others.is_empty() || !last.contains('/'));
    // Blanks at the ends of a key do not count, but at the ends of its parts they do.
    let is_trimmed = joined.trim() == joined;
    let plain = if is_clear && is_trimmed { of(&joined) } else { None };
    plain.unwrap_or_else(|| {
        let exact: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        of_hash(&joined, exact.as_bytes())
    })
}

/// The key of a whole message.
pub(crate) fn of_whole(readable: &str, message: &[u8]) -> DedupKey {
    of_hash(readable, message)
}

/// A unique key, made from a message and its time of receipt, for a sender that sent none. The server can return the
/// key to the sender.
pub(crate) fn made_of(message: &[u8], now: DateTime<Utc>) -> Result<DedupKey, InvalidInput> {
    let hash =
        Sha256::new().chain_update(now.timestamp_micros().to_be_bytes()).chain_update(message).finalize();
    DedupKey::new(hex(&hash[..16]))
}

/// The service that a sender names; `None` if the name is blank.
pub(crate) fn service(name: &str) -> Option<ServiceName> {
    let whole = text::name(name, usize::MAX);
    if whole.len() <= ServiceName::MAX_BYTES {
        return ServiceName::new(whole).ok();
    }
    ServiceName::new(hashed(&whole, name.as_bytes(), ServiceName::MAX_BYTES)).ok()
}

/// The person that a sender names; `None` if the name is blank.
pub(crate) fn person(name: &str) -> Option<Person> {
    let whole = text::name(name, usize::MAX);
    if whole.len() <= Person::MAX_BYTES {
        return Person::new(whole).ok();
    }
    Person::new(hashed(&whole, name.as_bytes(), Person::MAX_BYTES)).ok()
}

fn of_hash(readable: &str, identity: &[u8]) -> DedupKey {
    DedupKey::new(hashed(readable, identity, DedupKey::MAX_BYTES))
        .expect("a short text and a hash make a key")
}

fn hashed(readable: &str, identity: &[u8], max: usize) -> String {
    let readable = text::name(readable, READABLE_BYTES.min(max - HASH_BYTES));
    format!("{readable}…#{}", hex(&Sha256::digest(identity)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn p03_no_two_identities_have_one_key() {
        let long = |end: &str| format!("{}{end}", "x".repeat(512));
        let japanese = |end: &str| format!("{}{end}", "あ".repeat(299));
        let identities = [
            "a",
            "a b",
            "a\nb",
            "a\tb",
            "a\u{0}b",
            "\u{7}",
            "é",
            &long(""),
            &long("1"),
            &long("2"),
            &japanese("い"),
            &japanese("う"),
            &repair::decode(b"m\xFCller"),
            &repair::decode(b"m\xF6ller"),
            "m\u{FFFD}ller",
        ];
        let keys: HashSet<_> = identities.iter().map(|identity| of(identity).unwrap()).collect();
        assert_eq!(keys.len(), identities.len());
        assert_eq!(of(&long("")).unwrap().as_str(), long(""), "what can be a key is one");
        for identity in identities {
            let key = of(identity).unwrap();
            assert_eq!(of(key.as_str()), Some(key), "a sender may answer with the key that it was told");
        }
        assert_eq!((of(""), of(" \n")), (None, None));
    }

    #[test]
    fn p03_no_two_lists_of_parts_have_one_key() {
        let lists: [&[&str]; 10] = [
            &["a", "b"],
            &["a/b"],
            &["a", "b/c"],
            &["a/b", "c"],
            &["a", "b", "c"],
            &["a", ""],
            &["", "a"],
            &["a"],
            &["a ", "b"],
            &["a", "b "],
        ];
        let keys: HashSet<_> = lists.iter().map(|parts| of_parts(parts)).collect();
        assert_eq!(keys.len(), lists.len() - 1, "of these, two of three parts and of two are alike");
        assert_eq!(of_parts(&["web-1", "Disk /"]).as_str(), "web-1/Disk /");
        let long = "x".repeat(600);
        assert_ne!(of_parts(&["a", &long]), of_parts(&["a", &format!("{long}y")]));
    }

    #[test]
    fn p06_no_two_people_with_long_names_are_one() {
        let long = |end: &str| person(&format!("{}{end}", "é".repeat(100))).unwrap();
        assert_ne!(long("a"), long("b"));
        assert_eq!((person(" Jo\n").unwrap().as_str(), person(" ")), ("Jo", None));
    }

    #[test]
    fn p03_no_two_long_services_are_one() {
        let long = |end: &str| service(&format!("{}{end}", "é".repeat(100))).unwrap();
        assert_ne!(long("a"), long("b"));
        assert_eq!(service("a\nb").unwrap().as_str(), "a b");
        assert_eq!(service(" "), None);
    }
}
