//! Measures the cost of receiving reports.

use std::time::Duration;

use super::goals::{
    BATCHES, BATCHES_CPU, CPU_64, MEMORY, P50_64, P99_16, P99_64, P99_256, PUTS_16, PUTS_64, PUTS_256,
    SYSTEMS,
};
use crate::http::report_all;
use crate::measure::milliseconds;
use crate::sink::Sink;
use crate::systems::{self, Mails, System};
use crate::table::{Row, Table};
use crate::wrk::shoot;
use crate::{Failure, Site};

/// How long a system is under load before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// The first number of the measured reports, far from those of the warm-up.
const MEASURED: u64 = 1_000_000_000;

const CONNECTIONS: [(usize, Row, Row); 3] =
    [(64, PUTS_64, P99_64), (16, PUTS_16, P99_16), (256, PUTS_256, P99_256)];

/// Measures one incident a request, as many as possible. Each system is started again for each number of connections.
pub(super) fn puts(site: &Site, seconds: u64, table: &mut Table) -> Result<(), Failure> {
    for (connections, puts, p99) in CONNECTIONS {
        for system in SYSTEMS {
            let sink = Sink::start(site)?;
            let running = systems::start(site, system, Mails::None, sink.address)?;
            let shot = systems::report(system, "CRIT");
            shoot(site, running.address, &shot, 0, connections, WARM_UP)?;
            let cpu = running.process.cpu()?;
            let lasting = Duration::from_secs(seconds);
            let shots = shoot(site, running.address, &shot, MEASURED, connections, lasting)?;
            let cpu = running.process.cpu()? - cpu;
            eprintln!("{connections} connections, {system}: {shots:?}, {cpu:.2?}, {} mails", sink.count());
            table.add(puts, system, shots.per_second);
            table.add(p99, system, milliseconds(shots.p99));
            if connections == 64 {
                table.add(P50_64, system, milliseconds(shots.p50));
                table.add(CPU_64, system, cpu.as_secs_f64() / shots.requests * 1e3);
            }
        }
    }
    Ok(())
}

/// Measures a hundred alerts a request.
pub(super) fn batches(site: &Site, seconds: u64, table: &mut Table) -> Result<(), Failure> {
    const CONNECTIONS: usize = 8;
    for system in [System::Alertmanager, System::InResponse, System::RecordsOnly, System::OnPostgres] {
        let sink = Sink::start(site)?;
        let running = systems::start(site, system, Mails::None, sink.address)?;
        let shot = systems::batch(system);
        shoot(site, running.address, &shot, 0, CONNECTIONS, WARM_UP)?;
        let cpu = running.process.cpu()?;
        let lasting = Duration::from_secs(seconds);
        let shots = shoot(site, running.address, &shot, MEASURED, CONNECTIONS, lasting)?;
        let cpu = running.process.cpu()? - cpu;
        eprintln!("batches, {system}: {shots:?}, {cpu:.2?}, {} mails", sink.count());
        let alerts = shots.requests * 100.0;
        table.add(BATCHES, system, shots.per_second * 100.0);
        table.add(BATCHES_CPU, system, cpu.as_secs_f64() / alerts * 1e3);
    }
    Ok(())
}

/// Measures the memory once 100,000 incidents are open and everybody has been alerted.
pub(super) async fn memory(site: &Site, table: &mut Table) -> Result<(), Failure> {
    const OPEN: usize = 100_000;
    /// The time limit for all mails, and then for the system to become idle.
    const PATIENCE: Duration = Duration::from_secs(600);
    const REST: Duration = Duration::from_secs(3);
    for system in [System::Alertmanager, System::InResponse, System::RecordsOnly] {
        let sink = Sink::start(site)?;
        let running = systems::start(site, system, Mails::None, sink.address)?;
        report_all(running.address, &systems::report(system, "CRIT"), OPEN, 64).await?;
        let at_once = running.process.memory()?;
        let alerts = if system == System::InResponse { OPEN } else { 0 };
        let mails = sink.until(alerts, PATIENCE).await;
        if mails < alerts {
            return Err(format!("of {alerts} mails only {mails} were accepted in {PATIENCE:?}").into());
        }
        tokio::time::sleep(REST).await;
        let memory = running.process.memory()?;
        eprintln!("memory, {system}: {at_once:.0} MB, then {memory:.0} MB, {mails} mails");
        table.add(MEMORY, system, memory);
    }
    Ok(())
}
