//! Moves everything that a deployment stores from one database to another.
//!
//! [`transfer`] copies incidents with their numbers, deliveries and timelines, the roster with its audit records, and the
//! settings. A store takes part by implementing [`Source`] and [`Target`]. Both see items as they are stored, so nothing
//! is lost that this version does not know.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::error::Outage;
use crate::model::{IncidentNumber, Version};
use crate::plan::Draft;
use crate::store::Record;

/// The number of items that are read and written at once.
const PAGE: usize = 256;

/// The name of the setting that marks a target as long as a transfer has not ended. Its value names the source.
///
/// A server must not use such a database, because incidents or numbers may be missing.
pub const UNFINISHED: &str = "transfer-from";

/// The parts of what a deployment stores, in the order in which they are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The incidents, by number.
    Incidents,
    /// The entries of the roster, by team, kind and name.
    Entries,
    /// The audit records of the roster, by number.
    Changes,
    /// The settings, by name.
    Settings,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 4] = [Self::Incidents, Self::Entries, Self::Changes, Self::Settings];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incidents => "incidents",
            Self::Entries => "roster entries",
            Self::Changes => "audit records",
            Self::Settings => "settings",
        })
    }
}

/// An incident as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredIncident {
    /// The number of the incident.
    pub number: IncidentNumber,
    /// The version of the record.
    pub version: Version,
    /// The number of reports.
    pub count: u64,
    /// The time of the last report.
    pub last_reported_at: DateTime<Utc>,
    /// When the incident expires; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The bytes of [`Draft::body`].
    pub body: Vec<u8>,
}

impl StoredIncident {
    /// The values that a store indexes. A store writes [`body`](Self::body) itself, and not the body of the draft.
    ///
    /// # Errors
    /// The body is not an incident, or not the incident with that number. The outage is permanent.
    pub fn draft(&self) -> Result<Draft, Outage> {
        let unreadable = || Outage::permanent(format!("incident {} cannot be read", self.number));
        let record = Record::decode(&self.body, self.version, self.count, self.last_reported_at)
            .map_err(|e| unreadable().because(e))?;
        if record.number() != self.number {
            return Err(unreadable());
        }
        Ok(Draft::stored(record.incident, self.expires_at))
    }
}

impl fmt::Debug for StoredIncident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredIncident({}, version {})", self.number, self.version.value())
    }
}

/// One stored item.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// An incident.
    Incident(StoredIncident),
    /// An entry of the roster: its key in three parts, and its body.
    Entry {
        /// The team to which the entry belongs; empty: none.
        team: String,
        /// The kind of the entry.
        kind: String,
        /// The name, unique among the entries of the same team and kind.
        name: String,
        /// The body, JSON.
        body: String,
    },
    /// An audit record of the roster.
    Change {
        /// The number, in the order of recording.
        number: u64,
        /// When the change was made.
        at: DateTime<Utc>,
        /// The person who made the change.
        who: String,
        /// The changes, as [`RosterChange::stored`](crate::roster::RosterChange::stored) writes them.
        what: String,
    },
    /// A setting, which may be a secret.
    Setting {
        /// The name.
        name: String,
        /// The value.
        value: Vec<u8>,
    },
}

impl Item {
    /// Adds all values to a hash. Each text is preceded by its length, so that no two items have the same bytes.
    fn hash_into(&self, hash: &mut Sha256) {
        let mut text = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match self {
            Self::Incident(StoredIncident { number, version, count, last_reported_at, expires_at, body }) => {
                text(&number.value().to_be_bytes());
                text(&version.value().to_be_bytes());
                text(&count.to_be_bytes());
                text(&micros(*last_reported_at));
                text(&expires_at.map_or_else(Vec::new, |at| micros(at).to_vec()));
                text(body);
            }
            Self::Entry { team, kind, name, body } => {
                [team, kind, name, body].iter().for_each(|part| text(part.as_bytes()));
            }
            Self::Change { number, at, who, what } => {
                text(&number.to_be_bytes());
                text(&micros(*at));
                text(who.as_bytes());
                text(what.as_bytes());
            }
            Self::Setting { name, value } => {
                text(name.as_bytes());
                text(value);
            }
        }
    }

    fn is_mark(&self) -> bool {
        matches!(self, Self::Setting { name, .. } if name == UNFINISHED)
    }
}

fn micros(at: DateTime<Utc>) -> [u8; 8] {
    at.timestamp_micros().to_be_bytes()
}

impl fmt::Display for Item {
    /// The name of the item, without its content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(incident) => write!(f, "incident {}", incident.number),
            Self::Entry { team, kind, name, .. } if team.is_empty() => write!(f, "the {kind} `{name}`"),
            Self::Entry { team, kind, name, .. } => write!(f, "the {kind} `{name}` of team `{team}`"),
            Self::Change { number, .. } => write!(f, "audit record {number}"),
            Self::Setting { name, .. } => write!(f, "the setting `{name}`"),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({self})")
    }
}

/// A database from which everything is read. Nobody else may write to it meanwhile.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Reads at most `limit` items of a part in ascending order: the first ones, or those after an item of that part.
    ///
    /// Texts are ordered by their UTF-8 bytes.
    async fn page(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Outage>;

    /// The highest number that an incident may ever have had.
    async fn last_number(&self) -> Result<IncidentNumber, Outage>;
}

/// A database into which everything is written.
#[async_trait]
pub trait Target: Source {
    /// The incident with the highest number.
    async fn last_incident(&self) -> Result<Option<Item>, Outage>;

    /// Writes items of one part in one atomic, durable step. An item whose key is taken is left out.
    async fn add(&self, items: &[Item]) -> Result<(), Outage>;

    /// Lets the next incident have a number above this one.
    async fn number_above(&self, last: IncidentNumber) -> Result<(), Outage>;

    /// Removes a setting.
    async fn remove_setting(&self, name: &str) -> Result<(), Outage>;
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// An earlier transfer is continued after that incident.
    Continued(IncidentNumber),
    /// That many items of a part were copied by this call.
    Copied(Part, u64),
    /// That many items of a part were read again and are the same in both databases.
    Verified(Part, u64),
}

/// The number of items of a part, and the SHA-256 hash of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// The part.
    pub part: Part,
    /// The number of items.
    pub count: u64,
    /// The hash, which is the same for the same items in every kind of database.
    pub hash: [u8; 32],
}

/// The result of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// What the target contains, computed by reading it. The source contains the same.
    pub sums: Vec<Sum>,
    /// The next incident gets a number above this one.
    pub last_number: IncidentNumber,
}

/// Copies everything from `from` to `to`, and compares both at the end.
///
/// `to` must be empty, or contain an unfinished transfer from the same source, which is then continued. `named` names
/// the source in the mark [`UNFINISHED`]; it must contain no password. The memory that is needed does not grow with the
/// number of incidents.
///
/// # Errors
/// One of the databases is unavailable; an incident cannot be read; `from` is itself the target of an unfinished
/// transfer; `to` contains other data; or the databases differ at the end. Then `to` is still marked.
pub async fn transfer(
    from: &dyn Source,
    to: &dyn Target,
    named: &str,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Transferred, Outage> {
    if mark_of(from).await?.is_some() {
        return Err(Outage::permanent("the source is itself the target of a transfer that has not ended"));
    }
    begin(to, named).await?;
    for part in Part::ALL {
        let mut after = None;
        if part == Part::Incidents {
            after = to.last_incident().await?;
            if let Some(Item::Incident(last)) = &after {
                progress(Progress::Continued(last.number));
            }
        }
        let mut copied = 0;
        loop {
            let page = from.page(part, after.as_ref(), PAGE).await?;
            if page.is_empty() {
                break;
            }
            to.add(&page).await?;
            copied += page.len() as u64;
            progress(Progress::Copied(part, copied));
            after = page.into_iter().next_back();
        }
    }
    let highest = |item: Option<Item>| match item {
        Some(Item::Incident(incident)) => incident.number,
        Some(_) | None => IncidentNumber::new(0),
    };
    let last_number = from.last_number().await?.max(highest(to.last_incident().await?));
    to.number_above(last_number).await?;
    let mut sums = Vec::new();
    for part in Part::ALL {
        sums.push(compare(from, to, part, progress).await?);
    }
    let last_number = to.last_number().await?;
    to.remove_setting(UNFINISHED).await?;
    Ok(Transferred { sums, last_number })
}

/// The source of the unfinished transfer into a database.
async fn mark_of(database: &dyn Source) -> Result<Option<Vec<u8>>, Outage> {
    let mut after = None;
    loop {
        let page = database.page(Part::Settings, after.as_ref(), PAGE).await?;
        for item in &page {
            if let Item::Setting { name, value } = item
                && name == UNFINISHED
            {
                return Ok(Some(value.clone()));
            }
        }
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
}

/// Marks the target, or finds that it is marked by an earlier transfer from the same source.
async fn begin(to: &dyn Target, named: &str) -> Result<(), Outage> {
    if let Some(marked) = mark_of(to).await? {
        if marked == named.as_bytes() {
            return Ok(());
        }
        let marked = String::from_utf8_lossy(&marked).into_owned();
        return Err(Outage::permanent(format!(
            "the target contains a part of another database: {marked}; use an empty target"
        )));
    }
    for part in Part::ALL {
        if let Some(found) = to.page(part, None, 1).await?.first() {
            return Err(Outage::permanent(format!(
                "the target contains other data: {found}; use an empty target"
            )));
        }
    }
    to.add(&[Item::Setting { name: UNFINISHED.to_owned(), value: named.as_bytes().to_vec() }]).await
}

/// Reads a part of both databases, and refuses the first difference.
async fn compare(
    from: &dyn Source,
    to: &dyn Target,
    part: Part,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Sum, Outage> {
    let (mut wanted, mut found) = (Items::new(from, part), Items::new(to, part));
    let (mut count, mut hash) = (0, Sha256::new());
    loop {
        let (wanted, found) = (wanted.next().await?, found.next().await?);
        match (wanted, found) {
            (None, None) => break,
            (Some(wanted), Some(found)) if wanted == found => {
                found.hash_into(&mut hash);
                count += 1;
                if count % PAGE as u64 == 0 {
                    progress(Progress::Verified(part, count));
                }
            }
            (Some(item), _) | (None, Some(item)) => {
                return Err(Outage::permanent(format!(
                    "the databases differ: {item} is not the same in both; was the source in use in between? Repeat \
                     the transfer with an empty target"
                )));
            }
        }
    }
    progress(Progress::Verified(part, count));
    Ok(Sum { part, count, hash: hash.finalize().into() })
}

/// The items of a part, one after the other, without the mark of an unfinished transfer.
struct Items<'a, S: ?Sized> {
    of: &'a S,
    part: Part,
    page: std::vec::IntoIter<Item>,
    last: Option<Item>,
}

impl<'a, S: Source + ?Sized> Items<'a, S> {
    fn new(of: &'a S, part: Part) -> Self {
        Self { of, part, page: Vec::new().into_iter(), last: None }
    }

    async fn next(&mut self) -> Result<Option<Item>, Outage> {
        loop {
            if let Some(item) = self.page.next() {
                if item.is_mark() {
                    continue;
                }
                return Ok(Some(item));
            }
            let page = self.of.page(self.part, self.last.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            self.last = Some(last.clone());
            self.page = page.into_iter();
        }
    }
}
