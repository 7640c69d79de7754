//! Describes the machine that measured, for readers of the figures.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;

/// How long the disk is measured.
const LASTING: Duration = Duration::from_secs(2);

/// A description of the machine: cores, memory, kernel, load, and disk.
pub(crate) fn description(work: &Path) -> Result<String, Failure> {
    let cores = std::thread::available_parallelism()?;
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = read("/proc/meminfo");
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default();
    Ok(format!(
        "{cores} cores ({}), {:.0} GB, Linux {}, {:.0} writes of 4 KiB with fdatasync a second; load average {} \
         before anything was started",
        cpu.trim_start_matches([' ', '\t', ':']),
        memory * 1024.0 / 1e9,
        read("/proc/sys/kernel/osrelease").trim(),
        syncs_per_second(work)?,
        load()
    ))
}

/// The load averages of one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The number of blocks that the disk makes durable in a second, one after the other.
fn syncs_per_second(work: &Path) -> Result<f64, Failure> {
    let path = work.join("disk");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let block = [7; 4096];
    // Over blocks that are there, as a log that is written again.
    for _ in 0..256 {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let (begun, mut syncs) = (Instant::now(), 0_u32);
    while begun.elapsed() < LASTING {
        if syncs.is_multiple_of(256) {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
