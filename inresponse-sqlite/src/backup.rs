//! Copies a database that is in use, and restores a copy.

use std::cmp::Ordering;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use inresponse_core::Outage;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension};

use crate::error::{Moment, outage};
use crate::foreign::refuse_foreign;
use crate::schema::{
    BUSY_TIMEOUT, create_private, lock, one_file, open_reader, prepare, schema_version, stored_version,
};

/// The number of pages that are copied between two reports of progress.
const PAGES: i32 = 512;

/// How far numbering moves on if it is unknown which numbers were given after the backup.
///
/// A number is never given twice (promise 2), and a backup does not contain the numbers that were given after it.
pub const NUMBERS_LEFT_OUT: u64 = 1_000_000;

/// The progress of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of pages that are copied.
    pub done: u64,
    /// The total number of pages.
    pub total: u64,
}

/// What to do with an existing database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The restore is refused.
    Refuse,
    /// The existing database is kept under a name that is not in use, and its numbers are not given again.
    PutAside,
}

/// How the schema of an undamaged database compares with this version's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The database has the schema of this version.
    Current,
    /// The database has an older schema, which this version upgrades when it opens the database.
    Older,
    /// The database has a newer schema, which this version does not open.
    Newer,
}

/// The result of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The path of the previous database, if it was put aside.
    pub put_aside: Option<PathBuf>,
    /// The last number that may have been given; the next incident gets a higher one.
    pub last_number: u64,
    /// The number of incidents after the restore.
    pub incidents: u64,
    /// The names of the settings in the backup, such as secrets and accepted keys.
    pub settings: Vec<String>,
}

/// Copies a database, even while others write to it, to a file that must not exist yet.
///
/// The copy contains everything that was answered before the copy began. The copy is checked and synced before it gets
/// its name. A failed copy leaves a file that ends in `.partial`. The function blocks.
///
/// # Errors
/// The file exists, one of the files cannot be read or written, the copy is damaged, or the database contains anything
/// that this program did not make (a trigger, a view, a changed table). The error names it: such a backup could not be
/// restored.
pub fn backup(from: &Path, to: &Path, mut progress: impl FnMut(Progress)) -> Result<(), Outage> {
    if to.exists() {
        return Err(Outage::permanent(format!("{} already exists", to.display())));
    }
    must_exist(from)?;
    let source = open_reader(from)?;
    refuse_foreign(&source, from)?;
    let partial = beside(to, ".partial");
    copy(&source, &partial, &mut progress)?;
    let copied = open_writer_as_it_is(&partial)?;
    is_sound(&copied, &partial)?;
    // This is checked again, because something may have been added during the copying.
    refuse_foreign(&copied, from)?;
    finish(copied, &partial)?;
    // Unlike a rename, a link does not replace a file that was created there in the meantime.
    std::fs::hard_link(&partial, to).map_err(|e| io("cannot be given its name", to, e))?;
    std::fs::remove_file(&partial).map_err(|e| io("cannot be removed", &partial, e))?;
    sync_folder(to)
}

/// Replaces the database at `to`, which no server may be using, with a backup.
///
/// Numbering continues above all used numbers: above those of the old database, and [`NUMBERS_LEFT_OUT`] higher unless
/// the backup was made from the old database. At every moment there is a complete database at `to`, the old or the new
/// one. No server can use the old one after the restore. Incidents that are open and due in the backup are alerted as
/// after an outage, the on-call engineer first. The function blocks.
///
/// # Errors
/// `from` is damaged, is not a database of this program, is from a newer version, or contains anything that this
/// program did not make (a trigger, a view, a changed table), which the error names; `to` exists and must stay, or is
/// in use; or one of the files cannot be read or written.
pub fn restore(
    from: &Path,
    to: &Path,
    existing: Existing,
    mut progress: impl FnMut(Progress),
) -> Result<Restored, Outage> {
    must_exist(from)?;
    let wal = beside(to, "-wal");
    let replaced = match (to.exists(), existing) {
        (false, _) if wal.exists() => return Err(left_behind(&wal)),
        (false, _) => None,
        (true, Existing::Refuse) => {
            return Err(Outage::permanent(format!("{} already exists", to.display())));
        }
        (true, Existing::PutAside) => Some(Replaced::take(to)?),
    };
    let source = open_reader(from)?;
    is_sound(&source, from)?;
    refuse_foreign(&source, from)?;
    let partial = beside(to, ".partial");
    copy(&source, &partial, &mut progress)?;
    drop(source);

    let copied = open_writer_as_it_is(&partial)?;
    // This is checked again, because the source was not locked in the meantime, and before any statement that could
    // start a trigger.
    refuse_foreign(&copied, from)?;
    let copied = prepare(copied)?;
    let known = last_number(&copied)?;
    let last = match &replaced {
        Some(old) if old.last >= known && old.origin.is_some() && old.origin == origin(&copied)? => old.last,
        Some(old) => old.last.max(known) + NUMBERS_LEFT_OUT,
        None => known + NUMBERS_LEFT_OUT,
    };
    let failed = |e| outage(e, Moment::Commit);
    copied.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'incident'", [last]).map_err(failed)?;
    let incidents =
        copied.query_row("SELECT count(*) FROM incident", [], |row| row.get(0)).map_err(failed)?;
    let settings = settings(&copied).map_err(failed)?;
    finish(copied, &partial)?;
    let put_aside = match &replaced {
        Some(_) if wal.exists() => return Err(left_behind(&wal)),
        Some(_) => Some(also_named(to)?),
        None => None,
    };
    std::fs::rename(&partial, to).map_err(|e| io("cannot be renamed", &partial, e))?;
    sync_folder(to)?;
    if let Some(old) = replaced {
        old.let_go();
    }
    Ok(Restored { put_aside, last_number: last, incidents, settings })
}

/// The database that a restore replaces. The old database is locked, so that no server begins to use it.
struct Replaced {
    connection: Connection,
    last: u64,
    origin: Option<Vec<u8>>,
}

impl Replaced {
    /// Makes sure that nobody uses the database, and moves all its content into one file.
    fn take(path: &Path) -> Result<Self, Outage> {
        let connection = open_writer_as_it_is(path)?;
        lock(&connection, path)?;
        let (last, origin) = (last_number(&connection)?, origin(&connection)?);
        Ok(Self { connection, last, origin })
    }

    /// Releases the lock. A process that opened the file under its old name, and waits for the lock, gives up before
    /// this returns.
    fn let_go(self) {
        std::thread::sleep(BUSY_TIMEOUT + Duration::from_secs(1));
        drop(self.connection);
    }
}

/// A secret that is made once in a database, and therefore shows whether two databases have the same origin. `None` if
/// there is none.
fn origin(connection: &Connection) -> Result<Option<Vec<u8>>, Outage> {
    connection
        .query_row("SELECT value FROM setting ORDER BY name LIMIT 1", [], |row| row.get(0))
        .optional()
        .map_err(|e| outage(e, Moment::BeforeCommit))
}

fn settings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare("SELECT name FROM setting ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
}

fn left_behind(wal: &Path) -> Outage {
    Outage::permanent(format!(
        "{} belongs to a database that no longer exists; put it aside first",
        wal.display()
    ))
}

/// Checks whether a database is undamaged, even while others use it. The check reads the whole database, and blocks.
///
/// # Errors
/// The database cannot be read, is damaged, is not a database of this program, or contains anything that this program
/// did not make.
pub fn check(path: &Path) -> Result<Checked, Outage> {
    must_exist(path)?;
    let connection = open_reader(path)?;
    is_sound(&connection, path)?;
    refuse_foreign(&connection, path)?;
    Ok(match stored_version(&connection)?.cmp(&schema_version()) {
        Ordering::Less => Checked::Older,
        Ordering::Equal => Checked::Current,
        Ordering::Greater => Checked::Newer,
    })
}

fn must_exist(path: &Path) -> Result<(), Outage> {
    if path.is_file() {
        return Ok(());
    }
    Err(Outage::permanent(format!("there is no database {}", path.display())))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn copy(source: &Connection, to: &Path, progress: &mut impl FnMut(Progress)) -> Result<(), Outage> {
    let failed = |e| outage(e, Moment::BeforeCommit);
    if to.exists() {
        std::fs::remove_file(to).map_err(|e| io("cannot be removed", to, e))?;
    }
    create_private(to)?;
    let mut copied = Connection::open(to).map_err(failed)?;
    // One view of the source, or every write to it would restart the copy.
    let view = source.unchecked_transaction().map_err(failed)?;
    view.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    let backup = Backup::new(&view, &mut copied).map_err(failed)?;
    loop {
        let step = backup.step(PAGES).map_err(failed)?;
        let pages = backup.progress();
        let total = u64::try_from(pages.pagecount).unwrap_or_default();
        let left = u64::try_from(pages.remaining).unwrap_or_default();
        progress(Progress { done: total.saturating_sub(left), total });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(Outage::retryable("the database is busy")),
        }
    }
}

/// Opens an existing file for writing, whatever its schema.
fn open_writer_as_it_is(path: &Path) -> Result<Connection, Outage> {
    Connection::open(path).map_err(|e| outage(e, Moment::BeforeCommit))
}

fn is_sound(connection: &Connection, path: &Path) -> Result<(), Outage> {
    let failed = |e| outage(e, Moment::BeforeCommit);
    let found: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(Outage::permanent(format!("{} is damaged: {found}", path.display())));
    }
    last_number(connection).map(drop).map_err(|e| {
        Outage::permanent(format!("{} is not a database of this program", path.display())).because(e)
    })
}

fn last_number(connection: &Connection) -> Result<u64, Outage> {
    connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'incident'", [], |row| row.get(0))
        .map_err(|e| outage(e, Moment::BeforeCommit))
}

/// Gives a file a second name, beside the first.
fn also_named(path: &Path) -> Result<PathBuf, Outage> {
    let mut names = std::iter::once(".before-restore".to_owned())
        .chain((2..).map(|n| format!(".before-restore-{n}")))
        .map(|ending| beside(path, &ending));
    let aside = names.find(|name| !name.exists()).expect("there are more numbers than files");
    std::fs::hard_link(path, &aside).map_err(|e| io("cannot be put aside", path, e))?;
    sync_folder(path)?;
    Ok(aside)
}

/// Moves a finished copy into one file, and syncs it.
fn finish(copied: Connection, partial: &Path) -> Result<(), Outage> {
    one_file(&copied).map_err(|e| outage(e, Moment::Commit))?;
    copied.close().map_err(|(_, e)| outage(e, Moment::Commit))?;
    sync(partial)
}

fn sync_folder(of: &Path) -> Result<(), Outage> {
    sync(of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn sync(path: &Path) -> Result<(), Outage> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| io("cannot be synced", path, e))
}

fn io(what: &str, path: &Path, error: std::io::Error) -> Outage {
    Outage::permanent(format!("{} {what}: {error}", path.display())).because(error)
}
