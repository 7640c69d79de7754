//! A disk that keeps what was synced, and a random part of the rest.

use std::collections::BTreeMap;

use crate::machine::{FileId, Locks, Shared};

/// The power is off: no call works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Off;

/// A call that changes the disk, or makes changes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// The call writes to the database file, or changes its size.
    WriteDatabase,
    /// The call writes to the write-ahead log, or changes its size.
    WriteLog,
    /// The call writes to a rollback journal, or changes its size.
    WriteJournal,
    /// The call syncs the database file.
    SyncDatabase,
    /// The call syncs the write-ahead log.
    SyncLog,
    /// The call syncs a rollback journal.
    SyncJournal,
    /// The call creates or deletes a file.
    Name,
    /// The call syncs the directory.
    SyncDirectory,
}

impl Call {
    /// All kinds of calls.
    pub const ALL: [Self; 8] = [
        Self::WriteDatabase,
        Self::WriteLog,
        Self::WriteJournal,
        Self::SyncDatabase,
        Self::SyncLog,
        Self::SyncJournal,
        Self::Name,
        Self::SyncDirectory,
    ];

    /// The description of the call, for output.
    pub fn words(self) -> &'static str {
        match self {
            Self::WriteDatabase => "during a write to the database file",
            Self::WriteLog => "during a write to the write-ahead log",
            Self::WriteJournal => "during a write to the rollback journal",
            Self::SyncDatabase => "during a sync of the database file",
            Self::SyncLog => "during a sync of the write-ahead log",
            Self::SyncJournal => "during a sync of the rollback journal",
            Self::Name => "while a file was created or deleted",
            Self::SyncDirectory => "during a sync of the directory",
        }
    }
}

/// Whether syncing the directory has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// A sync of the directory works as it should.
    Synced,
    /// A sync of the directory does nothing, like in a program or file system with this defect.
    NeverSynced,
}

/// The call during which the power goes off, or everything is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// The kind of call; `None` means any kind.
    pub(crate) call: Option<Call>,
    /// The number of the call among those of its kind, from 1.
    pub(crate) nth: u64,
}

/// A change to a file that is not synced yet.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Change {
    pub(crate) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Resize(len) => content.resize(*len, 0),
        }
    }
}

#[derive(Debug, Default, Clone)]
pub(crate) struct File {
    /// The content of the file as programs see it.
    pub(crate) now: Vec<u8>,
    /// The content that certainly survives a power cut, without later changes.
    pub(crate) synced: Vec<u8>,
    pub(crate) changes: Vec<Change>,
}

/// A change to the directory: a name that now stands for a file, or for none.
#[derive(Debug, Clone)]
pub(crate) struct Renaming {
    pub(crate) name: String,
    pub(crate) file: Option<FileId>,
}

/// A directory and its files, as programs see them, and as they certainly survive a power cut.
#[derive(Debug)]
pub struct Disk {
    pub(crate) files: Vec<File>,
    pub(crate) names: BTreeMap<String, FileId>,
    pub(crate) synced_names: BTreeMap<String, FileId>,
    pub(crate) renamings: Vec<Renaming>,
    pub(crate) directory: Directory,
    fate: Option<Fate>,
    /// The call during which the power went off.
    off: Option<Call>,
    /// The locks and memory that the machine's processes share as long as it has power.
    pub(crate) locks: Locks,
    pub(crate) shared: Shared,
}

impl Disk {
    /// An empty disk.
    pub fn new(directory: Directory) -> Self {
        Self::with(Vec::new(), BTreeMap::new(), directory)
    }

    /// A disk whose whole content is synced.
    pub(crate) fn with(files: Vec<File>, names: BTreeMap<String, FileId>, directory: Directory) -> Self {
        Self {
            files,
            synced_names: names.clone(),
            names,
            renamings: Vec::new(),
            directory,
            fate: None,
            off: None,
            locks: Locks::default(),
            shared: Shared::default(),
        }
    }

    /// The disk after every process was killed: everything that they wrote is there, synced or not.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        Self {
            synced_names: self.synced_names.clone(),
            renamings: self.renamings.clone(),
            ..Self::with(self.files.clone(), self.names.clone(), self.directory)
        }
    }

    pub(crate) fn meet(&mut self, fate: Option<Fate>) {
        self.fate = fate;
    }

    /// The call during which the power went off; `None` if it is on.
    pub fn off(&self) -> Option<Call> {
        self.off
    }

    pub(crate) fn is_on(&self) -> Result<(), Off> {
        if self.off.is_some() { Err(Off) } else { Ok(()) }
    }

    /// Counts a call, and cuts the power if it is the chosen one.
    fn called(&mut self, call: Call) -> Result<(), Off> {
        if let Some(fate) = &mut self.fate
            && fate.call.is_none_or(|wanted| wanted == call)
        {
            fate.nth -= 1;
            if fate.nth == 0 {
                self.fate = None;
                self.off = Some(call);
                return Err(Off);
            }
        }
        Ok(())
    }

    pub(crate) fn find(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    pub(crate) fn create(&mut self, name: &str) -> Result<FileId, Off> {
        self.is_on()?;
        let file = self.files.len();
        self.files.push(File::default());
        self.names.insert(name.to_owned(), file);
        self.renamings.push(Renaming { name: name.to_owned(), file: Some(file) });
        self.called(Call::Name)?;
        Ok(file)
    }

    pub(crate) fn delete(&mut self, name: &str) -> Result<Option<FileId>, Off> {
        self.is_on()?;
        let deleted = self.names.remove(name);
        if deleted.is_some() {
            self.renamings.push(Renaming { name: name.to_owned(), file: None });
            self.called(Call::Name)?;
        }
        Ok(deleted)
    }

    pub(crate) fn sync_directory(&mut self) -> Result<(), Off> {
        self.is_on()?;
        self.called(Call::SyncDirectory)?;
        match self.directory {
            Directory::Synced => {
                self.synced_names = self.names.clone();
                self.renamings.clear();
            }
            Directory::NeverSynced => {}
        }
        Ok(())
    }

    pub(crate) fn change(&mut self, file: FileId, change: Change, call: Call) -> Result<(), Off> {
        self.is_on()?;
        let File { now, changes, .. } = &mut self.files[file];
        change.apply(now);
        changes.push(change);
        self.called(call)
    }

    pub(crate) fn sync(&mut self, file: FileId, call: Call) -> Result<(), Off> {
        self.is_on()?;
        self.called(call)?;
        let File { synced, changes, .. } = &mut self.files[file];
        changes.drain(..).for_each(|change| change.apply(synced));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: usize, text: &str) -> Change {
        Change::Write { at, bytes: text.into() }
    }

    #[test]
    fn a_sync_makes_a_file_certain_and_nothing_else_does() {
        let mut disk = Disk::new(Directory::Synced);
        let file = disk.create("a").unwrap();
        disk.change(file, write(2, "xy"), Call::WriteLog).unwrap();
        assert_eq!((&disk.files[file].now[..], &disk.files[file].synced[..]), (&b"\0\0xy"[..], &b""[..]));
        disk.sync(file, Call::SyncLog).unwrap();
        assert_eq!(disk.files[file].synced, b"\0\0xy");
        disk.change(file, Change::Resize(1), Call::WriteLog).unwrap();
        assert_eq!((disk.files[file].now.len(), disk.files[file].synced.len()), (1, 4));
    }

    #[test]
    fn a_name_is_certain_once_the_directory_is_synced_and_not_by_a_sync_of_its_file() {
        for directory in [Directory::Synced, Directory::NeverSynced] {
            let mut disk = Disk::new(directory);
            let file = disk.create("a").unwrap();
            disk.sync(file, Call::SyncLog).unwrap();
            assert_eq!(disk.synced_names.len(), 0);
            disk.sync_directory().unwrap();
            assert_eq!(disk.synced_names.len(), usize::from(directory == Directory::Synced));
            assert_eq!(disk.delete("a").unwrap(), Some(file));
            assert_eq!(disk.synced_names.len(), usize::from(directory == Directory::Synced));
        }
    }

    #[test]
    fn the_power_goes_off_in_the_call_that_was_meant_and_nothing_works_afterwards() {
        let mut disk = Disk::new(Directory::Synced);
        disk.meet(Some(Fate { call: Some(Call::SyncLog), nth: 2 }));
        let file = disk.create("a").unwrap();
        disk.change(file, write(0, "a"), Call::WriteLog).unwrap();
        disk.sync(file, Call::SyncLog).unwrap();
        disk.change(file, write(0, "b"), Call::WriteLog).unwrap();
        assert_eq!(disk.sync(file, Call::SyncLog), Err(Off));
        assert_eq!((disk.off(), &disk.files[file].synced[..]), (Some(Call::SyncLog), &b"a"[..]));
        assert_eq!(disk.sync(file, Call::SyncLog), Err(Off));
        assert_eq!(disk.create("b"), Err(Off));
        assert_eq!(disk.change(file, write(0, "c"), Call::WriteLog), Err(Off));
        assert_eq!(
            (disk.after_kill().files[file].now.as_slice(), disk.after_kill().off()),
            (&b"b"[..], None)
        );
    }
}
