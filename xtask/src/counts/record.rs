//! The recorded counts, and how new ones are compared with them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::tools::Failure;

/// How much more than its record a count may be, in percent.
const MORE: u64 = 5;

/// The recorded counts of each kind of processor. Libraries choose other code on other processors.
#[derive(Debug, Default)]
pub(super) struct Record {
    kinds: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Record {
    /// Reads the record. A file that does not exist is an empty record.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(Self { kinds: serde_json::from_slice(&bytes)? }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        }
    }

    /// Compares counts with their record. Without a record for this kind of processor, or with `replace`, the counts are
    /// recorded.
    ///
    /// # Errors
    /// A count is more than 5 % over its record.
    pub(super) fn judge(
        mut self,
        counts: &[(&str, u64)],
        replace: Replace,
        file: &Path,
    ) -> Result<(), Failure> {
        let kind = kind_of(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        let known = self.kinds.get(&kind).cloned().unwrap_or_default();
        let missing: Vec<_> = counts.iter().filter(|(name, _)| !known.contains_key(*name)).collect();
        let over: Vec<_> =
            counts.iter().filter_map(|(name, count)| over(name, *count, *known.get(*name)?)).collect();
        if replace == Replace::No && !over.is_empty() {
            let again = "if that is intended, record them again: cargo xtask bench counts --record";
            return Err(format!("{}\n{again}", over.join("\n")).into());
        }
        if replace == Replace::Yes || !missing.is_empty() {
            let of_kind = self.kinds.entry(kind.clone()).or_default();
            let new = counts.iter().filter(|(name, _)| replace == Replace::Yes || !known.contains_key(*name));
            of_kind.extend(new.map(|(name, count)| ((*name).to_owned(), *count)));
            std::fs::write(file, serde_json::to_string_pretty(&self.kinds)? + "\n")?;
        }
        if replace == Replace::No && !missing.is_empty() {
            println!("NO RECORD for the processor `{kind}`: nothing was compared. The counts are now in");
            println!("{}; commit the file if this machine counts again.", file.display());
        }
        Ok(())
    }
}

/// Whether the recorded counts are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    Yes,
    No,
}

/// The sentence about a count that is too high; `None` if it is not.
fn over(name: &str, count: u64, recorded: u64) -> Option<String> {
    let most = recorded + recorded * MORE / 100;
    (count > most).then(|| format!("{name}: {count} instructions, recorded are {recorded}, at most {most}"))
}

/// The kind of a processor: its maker and family, from the text of `/proc/cpuinfo`.
fn kind_of(cpuinfo: &str) -> String {
    let value = |name: &str| {
        let line =
            cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let maker =
        value("vendor_id").or_else(|| value("CPU implementer")).unwrap_or_else(|| "unknown".to_owned());
    let family = value("cpu family").or_else(|| value("CPU part")).unwrap_or_else(|| "unknown".to_owned());
    format!("{} {maker} family {family}", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_may_be_five_percent_over_its_record_and_no_more() {
        assert_eq!(over("a", 105_000, 100_000), None);
        assert_eq!(over("a", 50_000, 100_000), None);
        assert!(over("a", 105_001, 100_000).is_some_and(|text| text.contains("105001")));
    }

    #[test]
    fn the_kind_of_a_processor_is_its_maker_and_family() {
        let kind = kind_of("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n");
        assert!(kind.ends_with("AuthenticAMD family 25"), "{kind}");
        assert!(kind_of("").ends_with("unknown family unknown"));
    }

    #[test]
    fn an_unknown_processor_fails_nothing_and_is_recorded() {
        let folder = std::env::temp_dir().join(format!("counts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("counts.json");
        let judge = |count, replace| Record::read(&file).unwrap().judge(&[("a", count)], replace, &file);
        judge(100_000, Replace::No).unwrap();
        judge(105_000, Replace::No).unwrap();
        assert!(judge(105_001, Replace::No).is_err());
        judge(105_001, Replace::Yes).unwrap();
        judge(110_000, Replace::No).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
