//! Cursors: they mark where the next page of a list begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, EntryKey, EntryKind};
use inresponse_core::store::ListQuery;
use sha2::{Digest, Sha256};

use crate::input::number;

/// The cursor of the page that begins with the next lower incident number in this list.
pub(crate) fn write(below: IncidentNumber, list: &ListQuery) -> String {
    URL_SAFE_NO_PAD.encode(format!("{below}.{}", mark(list)))
}

/// Reads a cursor of this list.
///
/// # Errors
/// The text is not a cursor, or is the cursor of another list, in which it would skip or repeat incidents.
pub(crate) fn read(text: &str, list: &ListQuery) -> Result<IncidentNumber, InvalidInput> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let (below, marked) =
        std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once('.')).ok_or_else(refused)?;
    let below = number(below).map_err(|_| refused())?;
    // The cursor must have exactly the form that is written, so that each place has one cursor.
    if marked == mark(list) && write(below, list) == text { Ok(below) } else { Err(refused()) }
}

/// The prefix of cursors in the list of roster changes.
const CHANGES: &str = "changes.";

/// The cursor of the page that begins before that roster change.
pub(crate) fn write_change(before: &ChangeMark) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CHANGES}{before}"))
}

/// Reads a cursor of the list of roster changes.
///
/// # Errors
/// The text is not a cursor, or is the cursor of another list.
pub(crate) fn read_change(text: &str) -> Result<ChangeMark, InvalidInput> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let decoded = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let mark = decoded.and_then(|text| ChangeMark::new(text.strip_prefix(CHANGES)?).ok());
    mark.filter(|mark| write_change(mark) == text).ok_or_else(refused)
}

/// The cursor of the page of entries that begins after that key.
pub(crate) fn write_entry(after: &EntryKey) -> String {
    let team = after.team().map_or("", TeamName::as_str);
    // A name contains no control characters, so the parts stay separate.
    URL_SAFE_NO_PAD.encode(format!("{}\u{1f}{team}\u{1f}{}", after.kind().as_str(), after.name()))
}

/// Reads a cursor of the entries of that kind.
///
/// # Errors
/// The text is not a cursor, or is the cursor of another list.
pub(crate) fn read_entry(text: &str, kind: EntryKind) -> Result<EntryKey, InvalidInput> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let decoded = std::str::from_utf8(&bytes).map_err(|_| refused())?;
    let mut parts = decoded.splitn(3, '\u{1f}');
    let (word, team, name) = (parts.next(), parts.next(), parts.next());
    let (Some(word), Some(team), Some(name)) = (word, team, name) else { return Err(refused()) };
    let key = EntryKey::from_parts(kind, team, name).map_err(|_| refused())?;
    if word == kind.as_str() && write_entry(&key) == text { Ok(key) } else { Err(refused()) }
}

fn refused() -> InvalidInput {
    InvalidInput::field("cursor", "is not a cursor that this list returned")
}

/// A short hash that distinguishes lists. The hash is not a secret; it only detects mistakes.
fn mark(list: &ListQuery) -> String {
    let parts = [
        list.team.as_ref().map_or("", TeamName::as_str),
        list.state.map_or("", |state| state.as_str()),
        list.severity.map_or("", |severity| severity.as_str()),
        list.service.as_ref().map_or("", ServiceName::as_str),
    ];
    let hash = Sha256::digest(parts.join("\0"));
    hash[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use inresponse_core::model::{Severity, State};

    #[test]
    fn a_cursor_is_for_its_own_list_only() {
        let service = |name: &str| Some(ServiceName::new(name).unwrap());
        let lists = [
            ListQuery { limit: 51, ..ListQuery::default() },
            ListQuery { state: Some(State::Open), ..ListQuery::default() },
            ListQuery { severity: Some(Severity::Crit), ..ListQuery::default() },
            ListQuery { service: service("athens"), ..ListQuery::default() },
            ListQuery { service: service("OPEN"), ..ListQuery::default() },
            ListQuery { team: Some(TeamName::new("athens").unwrap()), ..ListQuery::default() },
        ];
        for (i, own) in lists.iter().enumerate() {
            for below in [1, 10_000, u64::MAX].map(IncidentNumber::new) {
                let cursor = write(below, own);
                for (k, list) in lists.iter().enumerate() {
                    assert_eq!(read(&cursor, list).ok(), (i == k).then_some(below), "{i} {k}");
                }
                assert!(read(&cursor[1..], own).is_err());
            }
        }
    }

    #[test]
    fn a_cursor_of_the_changes_is_for_them_only() {
        let mark = ChangeMark::numbered(7);
        let cursor = write_change(&mark);
        assert_eq!(read_change(&cursor).ok(), Some(mark));
        assert!(read(&cursor, &ListQuery::default()).is_err());
        let other = write(IncidentNumber::new(7), &ListQuery::default());
        for refused in [&other, &cursor[1..], "", "x"] {
            assert!(read_change(refused).is_err(), "{refused}");
        }
    }
}
