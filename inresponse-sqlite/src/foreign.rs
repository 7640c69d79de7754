//! Finds parts of a database that this program did not make. A foreign trigger, for example, would run on every
//! write by the server.

use std::collections::BTreeMap;
use std::path::Path;

use inresponse_core::Outage;
use rusqlite::Connection;

use crate::error::{Moment, outage};
use crate::schema::{at_version, schema_version, stored_version};

/// The kind and the name of a part of the schema.
type Object = (String, String);

/// Refuses a database whose schema differs from that of its version. The error names what is foreign, missing or
/// changed.
///
/// The schema of a newer version cannot be checked.
pub(crate) fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), Outage> {
    let version = stored_version(connection)?;
    if version > schema_version() {
        return Ok(());
    }
    let own = objects(&at_version(version)?)?;
    let found = objects(connection)?;
    let refused = |((kind, name), what): (&Object, &str)| {
        let message = format!("{} {what}: the {kind} `{}`", path.display(), name.escape_debug());
        Err(Outage::permanent(message))
    };
    let foreign = found.keys().find(|object| !own.contains_key(*object));
    let missing = || own.keys().find(|object| !found.contains_key(*object));
    let changed =
        || found.iter().find(|(object, sql)| own.get(*object) != Some(sql)).map(|(object, _)| object);
    if let Some(object) = foreign {
        return refused((object, "contains something that this program did not make"));
    }
    if let Some(object) = missing() {
        return refused((object, "is missing something that this program makes"));
    }
    match changed() {
        Some(object) => refused((object, "contains something that is not as this program made it")),
        None => Ok(()),
    }
}

/// All parts of the schema, each with the statement that made it and the table that it belongs to.
fn objects(connection: &Connection) -> Result<BTreeMap<Object, String>, Outage> {
    let read = || {
        let mut all =
            connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema")?;
        let object = |row: &rusqlite::Row<'_>| {
            let (table, sql): (String, String) = (row.get(2)?, row.get(3)?);
            Ok(((row.get(0)?, row.get(1)?), format!("{table}: {}", plain(&sql))))
        };
        all.query_map([], object)?.collect::<rusqlite::Result<_>>()
    };
    read().map_err(|e| outage(e, Moment::BeforeCommit))
}

/// The statement without comments, and with single spaces. Comments and spaces have no meaning, and may have been
/// different in the version that made the database.
fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ if first.is_ascii_whitespace() => 1,
            '\'' | '"' | '`' | '[' => {
                // A doubled quote ends one text and begins the next, which has the same effect.
                let end = if first == '[' { ']' } else { first };
                let length = rest[1..].find(end).map_or(rest.len(), |at| at + 2);
                plain.push_str(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            _ => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        if !plain.ends_with(' ') {
            plain.push(' ');
        }
        rest = &rest[length..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_and_spaces_are_left_out() {
        assert_eq!(
            plain("CREATE  TABLE t ( -- a 'comment\n\n a /* one\nmore */ TEXT)"),
            "CREATE TABLE t ( a TEXT)"
        );
        for sql in ["x'--'", "\"a -- b\" c", "[a  /*b*/] c", "'it''s --' d", "`  `", "a - - b", "'--"] {
            assert_eq!(plain(sql), sql);
        }
        assert_eq!(plain("a --"), "a ");
    }
}
