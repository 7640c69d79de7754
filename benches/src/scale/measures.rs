//! The measurements that are made in every database, however it was filled.

use std::time::{Duration, Instant};

use chrono::Utc;
use inresponse_core::store::Store;

use super::columns::Columns;
use crate::Failure;
use crate::measure::{milliseconds, percentiles};
use crate::systems::Running;

/// The number of samples in single measurements.
pub(super) const SAMPLES: usize = 500;
/// The number of records that the engine reads at a time.
const PAGE: usize = 256;
/// The time limit for things that must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// Measures the query for due incidents, as the engine makes it.
pub(super) async fn due_scans(
    store: &dyn Store,
    columns: &mut Columns,
    name: &'static str,
) -> Result<(), Failure> {
    let mut took = Vec::new();
    for _ in 0..SAMPLES {
        let asked = Instant::now();
        let _due = store.due(Utc::now(), None, PAGE).await?;
        took.push(asked.elapsed());
    }
    columns.add(name, 3, milliseconds(percentiles(took)[0]));
    Ok(())
}

/// Waits for a second in which the server does next to nothing.
pub(super) async fn at_rest(running: &Running, until: Instant) -> Result<(), Failure> {
    let mut cpu = running.process.cpu()?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = running.process.cpu()?;
        if now - cpu < Duration::from_millis(30) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err("the server does not come to rest".into());
        }
        cpu = now;
    }
}
