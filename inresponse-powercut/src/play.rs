//! Plays the life of one database from one seed: it is written to, cut off, opened again, and so on.

use std::collections::BTreeMap;
use std::fmt;

use inresponse_core::store::Created;
use inresponse_sim::rng::Rng;
use inresponse_sqlite::{Write, Written, prepare, write_batch};
use rusqlite::Connection;

use crate::disk::{Call, Directory, Disk, Fate};
use crate::state::State;
use crate::survive::Survival;
use crate::vfs::Machine;
use crate::workload;

/// A planted defect, to test that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// No defect: the product as it is.
    None,
    /// SQLite is configured to sync less.
    Synchronous(&'static str),
    /// Syncs of the directory have no effect.
    DirectoryNeverSynced,
}

/// The moment at which the life of a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The machine ended while the database was opened and recovered.
    Opening,
    /// The machine ended while the database was written to.
    Writing,
    /// The machine ended while the database was closed.
    Closing,
    /// The machine ended after the database was closed.
    Closed,
}

/// Counts of events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The number of databases.
    pub databases: u64,
    /// The number of power cuts.
    pub cuts: u64,
    /// The number of times that all processes were killed.
    pub kills: u64,
    /// The number of orderly stops.
    pub stops: u64,
    /// The number of answered writes.
    pub writes: u64,
    /// The number of answered incident numbers.
    pub numbers: u64,
    /// The number of unanswered batches that were in the database afterwards.
    pub unanswered_kept: u64,
    /// The number of unanswered batches that were not in the database afterwards.
    pub unanswered_gone: u64,
    /// Power cuts by the call in which they came; `None`: between calls.
    pub calls: BTreeMap<Option<Call>, u64>,
    /// Power cuts by the moment at which they came.
    pub moments: BTreeMap<Moment, u64>,
    /// Power cuts by how much they left.
    pub survivals: BTreeMap<Survival, u64>,
}

impl Tally {
    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        fn add<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            from.iter().for_each(|(key, n)| *to.entry(*key).or_default() += n);
        }
        self.databases += other.databases;
        self.cuts += other.cuts;
        self.kills += other.kills;
        self.stops += other.stops;
        self.writes += other.writes;
        self.numbers += other.numbers;
        self.unanswered_kept += other.unanswered_kept;
        self.unanswered_gone += other.unanswered_gone;
        add(&mut self.calls, &other.calls);
        add(&mut self.moments, &other.moments);
        add(&mut self.survivals, &other.survivals);
    }

    /// The events that never occurred, so that they were not tested.
    pub fn missing(&self) -> Vec<String> {
        let calls = Call::ALL.iter().filter(|call| !self.calls.contains_key(&Some(**call)));
        let calls = calls.map(|call| call.words().to_owned());
        let survivals = Survival::ALL.iter().filter(|one| !self.survivals.contains_key(one));
        let moments = [Moment::Opening, Moment::Writing, Moment::Closing, Moment::Closed];
        let moments = moments.iter().filter(|one| !self.moments.contains_key(one));
        calls
            .chain(survivals.map(|one| one.words().to_owned()))
            .chain(moments.map(|one| format!("{one:?}")))
            .chain((self.kills == 0).then(|| "a kill".to_owned()))
            .chain(
                (self.unanswered_kept == 0)
                    .then(|| "an unanswered batch that was in the database afterwards".to_owned()),
            )
            .chain(
                (self.unanswered_gone == 0)
                    .then(|| "an unanswered batch that was not in the database afterwards".to_owned()),
            )
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} power cuts, {} kills and {} stops of {} databases; {} writes answered, {} of them new numbers",
            self.cuts, self.kills, self.stops, self.databases, self.writes, self.numbers
        )?;
        for (call, n) in &self.calls {
            writeln!(f, "{n:>8}  {}", call.map_or("between calls", Call::words))?;
        }
        for (moment, n) in &self.moments {
            writeln!(f, "{n:>8}  {}", format!("{moment:?}").to_lowercase())?;
        }
        for (survival, n) in &self.survivals {
            writeln!(f, "{n:>8}  {}", survival.words())?;
        }
        writeln!(
            f,
            "{:>8}  unanswered batches were in the database afterwards, complete",
            self.unanswered_kept
        )?;
        writeln!(f, "{:>8}  unanswered batches were not in the database at all", self.unanswered_gone)
    }
}

/// Why a machine stopped before its work was done.
enum Halt {
    /// The power went off.
    Off,
    /// A promise was broken.
    Broken(String),
}

/// What the database must contain, known without reading it.
struct Known {
    /// The states that the database may have. The first of them is the last certain state, the last of them is the
    /// latest state.
    possible: Vec<State>,
    /// The highest number that was answered.
    answered: u64,
    turn: u64,
}

struct Life<'a> {
    machine: &'a Machine,
    plant: Plant,
    known: &'a mut Known,
    tally: &'a mut Tally,
    rng: &'a mut Rng,
    moment: Moment,
}

/// Plays a seed to its end.
///
/// # Errors
/// What was broken: an answered write is missing or changed, or the database is damaged or does not open.
pub fn play(seed: u64, plant: Plant) -> Result<Tally, String> {
    let mut rng = Rng::new(seed, 1);
    let directory = match plant {
        Plant::None | Plant::Synchronous(_) => Directory::Synced,
        Plant::DirectoryNeverSynced => Directory::NeverSynced,
    };
    let mut disk = Disk::new(directory);
    let mut known = Known { possible: vec![State::fresh()], answered: 0, turn: 0 };
    let mut tally = Tally { databases: 1, ..Tally::default() };
    let ends = rng.between(2, 8);
    for end in 0..=ends {
        let killed = rng.chance(150);
        let machine = Machine::start(disk);
        // After the last, everything must be well.
        machine.meet((end < ends).then(|| fate(&mut rng)));
        let life = Life {
            machine: &machine,
            plant,
            known: &mut known,
            tally: &mut tally,
            rng: &mut rng,
            moment: Moment::Opening,
        };
        let moment = life.live().map_err(|broken| format!("after {end} ends: {broken}"))?;
        let off = machine.disk().off();
        if end == ends {
            break;
        }
        if killed && off.is_some() {
            disk = machine.disk().after_kill();
            tally.kills += 1;
        } else if off.is_none() && rng.chance(500) {
            disk = machine.disk().after_kill();
            tally.stops += 1;
        } else {
            let survival;
            (disk, survival) = machine.disk().after_cut(&mut rng);
            tally.cuts += 1;
            *tally.calls.entry(off).or_default() += 1;
            *tally.moments.entry(moment).or_default() += 1;
            *tally.survivals.entry(survival).or_default() += 1;
        }
    }
    Ok(tally)
}

fn fate(rng: &mut Rng) -> Fate {
    let call = rng.chance(500).then(|| *rng.pick(&Call::ALL));
    let most = match call {
        None => *rng.pick(&[8, 40, 200, 800]),
        Some(Call::WriteLog) => 300,
        Some(Call::SyncLog | Call::WriteDatabase) => 20,
        Some(_) => 4,
    };
    Fate { call, nth: rng.between(1, most) }
}

impl Life<'_> {
    /// Runs the machine until the power goes off or it is stopped. Returns at which moment that was.
    fn live(mut self) -> Result<Moment, String> {
        match self.work() {
            Ok(()) => {}
            Err(Halt::Off) => return Ok(self.moment),
            Err(Halt::Broken(what)) => return Err(what),
        }
        Ok(if self.machine.disk().off().is_some() { Moment::Closing } else { Moment::Closed })
    }

    fn work(&mut self) -> Result<(), Halt> {
        let mut writer = self.open()?;
        self.check(&writer)?;
        // Another server on the same file.
        let mut other = if self.rng.chance(300) { Some(self.open()?) } else { None };
        let mut reader = None;
        self.moment = Moment::Writing;
        for _ in 0..self.rng.between(1, *self.rng.clone().pick(&[3, 12, 40])) {
            if self.rng.chance(100) {
                reader = self.read(reader.is_some())?;
            }
            let connection = match &mut other {
                Some(other) if self.rng.chance(500) => other,
                Some(_) | None => &mut writer,
            };
            // Borrowed apart from the rest of this.
            let latest = self.known.latest().clone();
            self.known.turn += 1;
            let batch = workload::batch(&latest, self.known.turn, self.rng);
            self.write(connection, &batch, latest)?;
        }
        Ok(())
    }

    fn failed<E: fmt::Display>(&self, what: &str) -> impl Fn(E) -> Halt {
        let off = self.machine.disk().off().is_some();
        move |error| if off { Halt::Off } else { Halt::Broken(format!("{what}: {error}")) }
    }

    /// Opens the database as the writer does.
    fn open(&self) -> Result<Connection, Halt> {
        let connection = self.machine.connect();
        let connection = connection.map_err(|e| self.failed("the database cannot be opened")(e))?;
        let connection =
            prepare(connection).map_err(|e| self.failed("the database cannot be prepared")(chain(&e)))?;
        if let Plant::Synchronous(how) = self.plant {
            let planted = connection.pragma_update(None, "synchronous", how);
            planted.map_err(|e| self.failed("the defect cannot be planted")(e))?;
        }
        Ok(connection)
    }

    /// Starts or ends a reader. A reader in the middle of its work keeps what it reads from being overwritten.
    fn read(&self, busy: bool) -> Result<Option<Connection>, Halt> {
        if busy {
            return Ok(None);
        }
        let connection =
            self.machine.connect().map_err(|e| self.failed("a reader cannot open the database")(e))?;
        let began = connection.execute_batch("PRAGMA query_only = 1; BEGIN; SELECT count(*) FROM incident");
        began.map_err(|e| self.failed("a reader cannot read")(e))?;
        Ok(Some(connection))
    }

    /// Checks that every answered write is there, and otherwise only whole unanswered batches.
    fn check(&mut self, connection: &Connection) -> Result<(), Halt> {
        let sound = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        let sound = sound.map_err(|e| self.failed("the database cannot be checked")(e))?;
        if sound != "ok" {
            return Err(Halt::Broken(format!("the database is damaged: {sound}")));
        }
        let found = State::read(connection).map_err(|e| self.failed("the database cannot be read")(e))?;
        let Some(which) = self.known.possible.iter().position(|state| *state == found) else {
            return Err(Halt::Broken(found.differs_from(&self.known.possible[0])));
        };
        if self.known.possible.len() > 1 {
            let kept = which + 1 == self.known.possible.len();
            *(if kept { &mut self.tally.unanswered_kept } else { &mut self.tally.unanswered_gone }) += 1;
        }
        // Now that somebody has seen it, it must stay, whichever process wrote it.
        self.known.possible = vec![found];
        Ok(())
    }

    fn write(&mut self, connection: &mut Connection, batch: &[Write], mut state: State) -> Result<(), Halt> {
        let expected: Vec<_> = batch.iter().map(|write| state.apply(write)).collect();
        let written = match write_batch(connection, batch.to_vec()) {
            Ok(written) => written,
            Err(error) => {
                let halt = self.failed("a batch failed with the power on")(chain(&error));
                self.known.possible.push(state);
                return Err(halt);
            }
        };
        for (written, expected) in written.into_iter().zip(expected) {
            let written = written.map_err(|e| Halt::Broken(format!("a write failed: {}", chain(&e))))?;
            if let Written::Created(created) = &written
                && let Created::New(record) = &**created
            {
                let number = record.number().value();
                if number <= self.known.answered {
                    let highest = self.known.answered;
                    return Err(Halt::Broken(format!("the number {number} was answered after {highest}")));
                }
                self.known.answered = number;
                self.tally.numbers += 1;
            }
            if written != expected {
                return Err(Halt::Broken(format!(
                    "the database answered {written:?} instead of {expected:?}"
                )));
            }
            self.tally.writes += 1;
        }
        self.known.possible = vec![state];
        Ok(())
    }
}

impl Known {
    fn latest(&self) -> &State {
        self.possible.last().expect("there is always at least one possible state")
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(" ({})", chain(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Directory;

    /// The state after opening it as the writer does.
    fn opened(machine: &Machine) -> (Connection, State) {
        let connection = prepare(machine.connect().unwrap()).unwrap();
        let state = State::read(&connection).unwrap();
        (connection, state)
    }

    #[test]
    fn p01_what_a_killed_process_had_not_synced_is_synced_before_anybody_sees_it() {
        let mut seen_unsynced = 0;
        for nth in 1.. {
            let mut rng = Rng::new(nth, 2);
            let machine = Machine::start(Disk::new(Directory::Synced));
            let (mut connection, before) = opened(&machine);
            machine.meet(Some(Fate { call: Some(Call::WriteLog), nth }));
            if write_batch(&mut connection, workload::batch(&before, 1, &mut Rng::new(1, 1))).is_ok() {
                assert!(nth > 3);
                break;
            }
            let killed = machine.disk().after_kill();
            let machine = Machine::start(killed);
            let (_connection, seen) = opened(&machine);
            seen_unsynced += u32::from(seen != before);
            for _ in 0..20 {
                let cut = machine.disk().after_cut(&mut rng).0;
                assert!(opened(&Machine::start(cut)).1 == seen, "killed at write {nth}");
            }
        }
        assert!(seen_unsynced > 0);
    }
}
