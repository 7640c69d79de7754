//! What a power cut leaves of a disk.

use std::collections::BTreeMap;

use inresponse_sim::rng::Rng;

use crate::disk::{Change, Disk, File};
use crate::machine::FileId;

/// How many of the unsynced changes a power cut leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Survival {
    /// The cut leaves no change.
    Nothing,
    /// The cut leaves all changes.
    Everything,
    /// The cut leaves the first changes; the last of these may be torn.
    Prefix,
    /// The cut leaves any changes, perhaps later ones without earlier ones.
    Some,
    /// The cut leaves any sectors of any changes.
    Sectors,
}

impl Survival {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Everything, Self::Prefix, Self::Some, Self::Sectors];

    /// The description of the kind, for output.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "no unsynced change was left",
            Self::Everything => "everything was left",
            Self::Prefix => "the first changes were left, the last of them torn",
            Self::Some => "some changes were left, in any order",
            Self::Sectors => "some sectors of each change were left",
        }
    }
}

impl Disk {
    /// Decides at random what is left after a power cut.
    #[must_use]
    pub fn after_cut(&self, rng: &mut Rng) -> (Self, Survival) {
        let survival = *rng.pick(&Survival::ALL);
        let names = self.surviving_names(survival, rng);
        let files = self.files.iter().map(|file| file.survivor(survival, rng)).collect();
        (Self::with(files, names, self.directory), survival)
    }

    fn surviving_names(&self, survival: Survival, rng: &mut Rng) -> BTreeMap<String, FileId> {
        let mut names = self.synced_names.clone();
        let prefix = rng.below(self.renamings.len() as u64 + 1);
        for (i, renaming) in (0..).zip(&self.renamings) {
            let kept = match survival {
                Survival::Nothing => false,
                Survival::Everything => true,
                Survival::Prefix => i < prefix,
                Survival::Some | Survival::Sectors => rng.chance(500),
            };
            match renaming.file {
                Some(file) if kept => _ = names.insert(renaming.name.clone(), file),
                None if kept => _ = names.remove(&renaming.name),
                Some(_) | None => {}
            }
        }
        names
    }
}

impl File {
    fn survivor(&self, survival: Survival, rng: &mut Rng) -> Self {
        let mut content = self.synced.clone();
        let tear = Tear { sector: *rng.pick(&[512, 4096]), grown: None };
        // A file may have grown although the written bytes did not arrive. Then it contains zeros, or the bytes that
        // were on the disk.
        let noise = rng.any().to_le_bytes()[0];
        let grown = *rng.pick(&[None, Some(0), Some(noise)]);
        let prefix = rng.below(self.changes.len() as u64 + 1);
        for (i, change) in (1..).zip(&self.changes) {
            match survival {
                Survival::Nothing => {}
                Survival::Everything => change.apply(&mut content),
                Survival::Prefix if i < prefix => change.apply(&mut content),
                Survival::Prefix if i == prefix => {
                    let mut torn = false;
                    tear.apply(change, &mut content, || {
                        torn = torn || rng.chance(300);
                        !torn
                    });
                }
                Survival::Prefix => {}
                Survival::Some if rng.chance(500) => change.apply(&mut content),
                Survival::Some => {}
                Survival::Sectors => Tear { grown, ..tear }.apply(change, &mut content, || rng.chance(500)),
            }
        }
        Self { now: content.clone(), synced: content, changes: Vec::new() }
    }
}

/// How a cut tears changes.
#[derive(Debug, Clone, Copy)]
struct Tear {
    /// The number of bytes that are written completely or not at all.
    sector: usize,
    /// The bytes of a sector that did not arrive where the file grew; `None`: the file did not grow.
    grown: Option<u8>,
}

impl Tear {
    fn apply(self, change: &Change, content: &mut Vec<u8>, mut kept: impl FnMut() -> bool) {
        let (mut at, mut bytes) = match change {
            Change::Write { at, bytes } => (*at, &bytes[..]),
            Change::Resize(_) => {
                if kept() {
                    change.apply(content);
                }
                return;
            }
        };
        while !bytes.is_empty() {
            let in_sector = bytes.len().min(self.sector - at % self.sector);
            let (part, rest) = bytes.split_at(in_sector);
            if kept() {
                Change::Write { at, bytes: part.to_vec() }.apply(content);
            } else if let Some(byte) = self.grown
                && content.len() < at + in_sector
            {
                content.resize(at + in_sector, byte);
            }
            (at, bytes) = (at + in_sector, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::disk::{Call, Directory};

    /// A file of three sectors, synced and then written over whole twice, as it is found after cuts.
    fn survivors() -> BTreeSet<Vec<u8>> {
        let mut disk = Disk::new(Directory::Synced);
        let file = disk.create("a").unwrap();
        for byte in 0..3 {
            let bytes = vec![byte; 3 * 512];
            disk.change(file, Change::Write { at: 0, bytes }, Call::WriteLog).unwrap();
            if byte == 0 {
                disk.sync(file, Call::SyncLog).unwrap();
                disk.sync_directory().unwrap();
            }
        }
        let mut rng = Rng::new(1, 1);
        let sectors = |content: &[u8]| content.chunks(512).map(|sector| sector[0]).collect();
        (0..2000).map(|_| sectors(&disk.after_cut(&mut rng).0.files[file].now)).collect()
    }

    #[test]
    fn each_sector_is_found_in_any_of_the_versions_since_the_last_sync() {
        assert_eq!(survivors().len(), 27);
    }

    #[test]
    fn what_is_not_synced_may_be_there_or_not_and_what_is_synced_is_there() {
        let mut found = BTreeSet::new();
        let mut rng = Rng::new(1, 1);
        for _ in 0..500 {
            let mut disk = Disk::new(Directory::Synced);
            let synced = disk.create("synced").unwrap();
            disk.change(synced, Change::Resize(9), Call::WriteLog).unwrap();
            disk.sync(synced, Call::SyncLog).unwrap();
            disk.sync_directory().unwrap();
            let new = disk.create("new").unwrap();
            disk.change(new, Change::Write { at: 0, bytes: vec![7; 9] }, Call::WriteLog).unwrap();
            let after = disk.after_cut(&mut rng).0;
            assert_eq!(after.files[after.find("synced").unwrap()].now.len(), 9);
            found.insert(after.find("new").map(|file| after.files[file].now.clone()));
        }
        // The file may be missing, empty, whole, or grown with zeros or other bytes in it.
        assert!(found.contains(&None) && found.contains(&Some(vec![])) && found.contains(&Some(vec![7; 9])));
        assert!(found.contains(&Some(vec![0; 9])) && found.len() > 4, "{found:?}");
    }
}
