//! Prints the results as a table.

use std::time::Duration;

use crate::Failure;
use crate::function::Site;

/// The figures of a function.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// The times from the start of the process to its first poll.
    pub(crate) init: Vec<Duration>,
    pub(crate) init_cpu: Vec<Duration>,
    /// The times of the first report, for which connections are made.
    pub(crate) first: Vec<Duration>,
    pub(crate) first_cpu: Vec<Duration>,
    pub(crate) warm: Vec<Duration>,
    /// The processor times of each warm report.
    pub(crate) warm_cpu: Vec<Duration>,
    pub(crate) memory: Vec<u64>,
}

/// The value below which the given percentage of all values lies.
fn quantile<T: Copy + Ord + Default>(values: &mut [T], percent: usize) -> T {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get((values.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

/// Prints the table in Markdown.
pub(crate) fn print(site: &Site, ours: &mut Figures, peer: &mut Figures) -> Result<(), Failure> {
    let megabytes = |path: &std::path::Path| -> Result<f64, Failure> {
        Ok(f64::from(u32::try_from(std::fs::metadata(path)?.len())?) / 1e6)
    };
    println!("InResponse {}; {}", env!("CARGO_PKG_VERSION"), site.python_versions()?);
    println!("bootstrap {:.2} MB, zipped {:.2} MB", megabytes(&site.bootstrap)?, megabytes(&site.archive)?);
    println!(
        "medians of {} starts and {} warm reports of each, by turns\n",
        ours.init.len(),
        ours.warm.len()
    );
    println!("| | InResponse | Python with boto3 | ratio |\n|---|---|---|---|");
    type Pick = fn(&mut Figures) -> &mut Vec<Duration>;
    let rows: [(&str, Pick, usize); 9] = [
        ("start to first poll", |f| &mut f.init, 50),
        ("– the longest", |f| &mut f.init, 100),
        ("– processor time", |f| &mut f.init_cpu, 50),
        ("first report", |f| &mut f.first, 50),
        ("– processor time", |f| &mut f.first_cpu, 50),
        ("warm report", |f| &mut f.warm, 50),
        ("– 99 of 100 within", |f| &mut f.warm, 99),
        ("– processor time", |f| &mut f.warm_cpu, 50),
        ("– processor time, the longest", |f| &mut f.warm_cpu, 100),
    ];
    for (name, pick, percent) in rows {
        let millis = |figures: &mut Figures| quantile(pick(figures), percent).as_secs_f64() * 1e3;
        let (a, b) = (millis(ours), millis(peer));
        println!("| {name} | {a:.2} ms | {b:.2} ms | {:.1} |", b / a);
    }
    let mebibytes = |figures: &mut Figures| quantile(&mut figures.memory, 50) / 1024;
    let (a, b) = (mebibytes(ours), mebibytes(peer));
    println!("| peak memory | {a} MiB | {b} MiB | {:.1} |", b as f64 / a as f64);
    Ok(())
}
