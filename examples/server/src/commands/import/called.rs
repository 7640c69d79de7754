//! The names of entries in the list of changes.

use inresponse_core::roster::EntryKey;

use super::super::output;

/// The name of an entry.
pub(super) fn name(key: &EntryKey) -> String {
    output::line(&match key {
        EntryKey::Day(team, day) => format!("{team} {day}"),
        EntryKey::Service(_)
        | EntryKey::Team(_)
        | EntryKey::Person(_)
        | EntryKey::Schedule(..)
        | EntryKey::Override(..)
        | EntryKey::Feed(..)
        | EntryKey::Heartbeat(_)
        | EntryKey::Silence(_)
        | EntryKey::Routes => key.to_string(),
    })
}
