//! Two servers on one database, killed again and again under load, with an account of every number and every mail.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inresponse_testkit::postgres::Postgres;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::mail::MailServer;
use crate::server::{Server, Setup, Started, unix_now};

pub(crate) const TEAMS: usize = 8;
pub(crate) const WRITERS: usize = 8;
const SERVERS: usize = 2;
/// In seconds: so long that a server of which nothing was killed records what it sent in time, on a busy machine too.
pub(crate) const LEASE: u32 = 9;

/// System calls at which a server is killed, and at which of them on one thread at most: those by which it
/// syncs, writes and answers.
const CALLS: [(&str, u64); 4] =
    [("fsync,fdatasync", 60), ("pwrite64", 400), ("write", 40), ("sendto,writev", 120)];
/// How long a server may take to come to that call, before it is killed anyway.
const UNTIL_CALL: Duration = Duration::from_millis(1500);

/// What the reporters were told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) numbers: Mutex<Vec<u64>>,
    pub(crate) failed: AtomicU64,
}

/// A server, and what its mails are written by: each time it is started, another sender.
pub(crate) struct Seat {
    pub(crate) storage: [String; 2],
    pub(crate) dir: std::path::PathBuf,
    pub(crate) mail_port: u16,
    pub(crate) starts: u64,
    pub(crate) name: char,
}

impl Seat {
    pub(crate) fn sender(&self) -> String {
        format!("{}{}@inresponse.example", self.name, self.starts)
    }

    /// The next start, by that program.
    pub(crate) fn next(&mut self, starter: Vec<String>) -> Setup {
        self.starts += 1;
        let storage = self.storage.each_ref().map(String::as_str);
        let setup = Setup::on(storage, &self.dir, self.mail_port).with("--lease-seconds", &LEASE.to_string());
        Setup { starter, ..setup.with("--mail-from", &self.sender()) }
    }
}

/// A tracer that kills what it starts at one of its system calls.
fn killer(seed: &mut u64) -> Vec<String> {
    let strace = std::env::var("INRESPONSE_TEST_STRACE").expect(
        "this test kills at system calls, by a tracer that `cargo xtask test` finds: run the tests with that",
    );
    let (call, most) = CALLS[next(seed) as usize % CALLS.len()];
    let nth = 1 + next(seed) % most;
    // Its grandparent's child is the server itself, so that killing that kills the server.
    let (trace, kill) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
    let words = ["-D", "-f", "-qqq", "-o", "/dev/null", "-e", &trace, "-e", &kill];
    std::iter::once(strace).chain(words.map(str::to_owned)).collect()
}

/// How servers ended.
#[derive(Default)]
struct Ends {
    /// Which sender was killed when.
    killed: HashMap<String, f64>,
    at_random: u64,
    at_call: u64,
    starting: u64,
}

impl Ends {
    fn all(&self) -> u64 {
        self.at_random + self.at_call + self.starting
    }
}

/// A small generator of numbers that need not be good: xorshift64.
pub(crate) fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

pub(crate) type Servers = Arc<[RwLock<Server>; SERVERS]>;

pub(crate) async fn report_until(
    done: Arc<AtomicBool>,
    servers: Servers,
    told: Arc<Told>,
    writer: usize,
    pause: Duration,
) {
    let mut i = 0;
    while !done.load(Ordering::Relaxed) {
        i += 1;
        let service = format!("t{}", (writer + i) % TEAMS);
        let title = format!("trouble {i} of {writer}");
        let body = json!({ "service": service, "severity": "ERR", "title": title, "message": "" });
        let server = &servers[(writer + i) % SERVERS];
        let answer = server.read().await.try_call(Method::PUT, "/incidents", Some(body)).await;
        match answer {
            Ok((StatusCode::CREATED, incident)) => {
                told.numbers.lock().unwrap().push(incident["incidentId"].as_u64().unwrap());
            }
            Ok((status, answer)) if answer.get("incidentId").is_some() => panic!("{status} {answer}"),
            Ok(_) | Err(_) => _ = told.failed.fetch_add(1, Ordering::Relaxed),
        }
        tokio::time::sleep(pause).await;
    }
}

pub(crate) async fn every_incident(server: &Server) -> HashMap<u64, Value> {
    let mut incidents = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/incidents?limit=500{cursor}")).await;
        for incident in page["incidents"].as_array().unwrap() {
            incidents.insert(incident["incidentId"].as_u64().unwrap(), incident.clone());
        }
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return incidents,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p09_p10_crash_loses_no_number_and_no_mail() {
    account_of_crashes(["--db", "test.db"], 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_p02_p09_p10_crash_on_postgres_loses_no_number_and_no_mail() {
    let postgres = Postgres::start();
    account_of_crashes(["--postgres-url", &postgres.url()], 20).await;
}

/// Kills two servers on that storage again and again, `usually` so often, and accounts for every number and every mail.
async fn account_of_crashes(storage: [&str; 2], usually: u64) {
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |n| n.parse::<u64>().unwrap());
    let (kills, mut seed) = (number("INRESPONSE_KILLS", usually), number("INRESPONSE_SEED", 1));
    // Not zero, which stays zero.
    seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let dir = tempfile::tempdir().unwrap();
    let mut mail = MailServer::start().await;
    let storage = storage.map(str::to_owned);
    let seat = |name| Seat {
        storage: storage.clone(),
        dir: dir.path().to_owned(),
        mail_port: mail.port,
        starts: 0,
        name,
    };
    let mut seats = [seat('a'), seat('b')];
    let first = seats[0].next(Vec::new()).start().await;
    for i in 0..TEAMS {
        let oncall = json!(format!("oncall{i}@example.org"));
        first.team(&format!("t{i}"), 3600, oncall, json!([]), "ops@example.org").await;
    }
    let second = seats[1].next(Vec::new()).start().await;
    let servers: Servers = Arc::new([RwLock::new(first), RwLock::new(second)]);
    let (told, done) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    // No more mail than the mail server can answer in time, and in a long run than it can keep in mind.
    let pause = Duration::from_millis(40.max(kills / 20));
    let report = |i| report_until(Arc::clone(&done), Arc::clone(&servers), Arc::clone(&told), i, pause);
    let writers: Vec<_> = (0..WRITERS).map(|i| tokio::spawn(report(i))).collect();

    let mut ends = Ends::default();
    // Whether the server in that seat is to end at a system call.
    let mut traced = [false; SERVERS];
    while ends.all() < kills {
        mail.mode(["ok", "ok", "busy", "ok", "drop", "ok", "lose"][ends.all() as usize % 7]);
        // One that is to end at a system call is watched from its start, to know when it did.
        let chosen = next(&mut seed) as usize % SERVERS;
        let victim = traced.iter().position(|traced| *traced).unwrap_or(chosen);
        let mut at_call = false;
        if traced[victim] {
            for _ in 0..UNTIL_CALL.as_millis() / 5 {
                // The reporters are in the middle of their requests; only this takes the lock to itself.
                at_call = servers[victim].write().await.has_ended();
                if at_call {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        } else {
            tokio::time::sleep(Duration::from_millis(100 + next(&mut seed) % 250)).await;
        }
        // Not through the lock: the reporters are in the middle of their requests, and stay there.
        let pid = servers[victim].read().await.pid();
        if !at_call {
            // It may just have ended by itself.
            std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
        }
        *(if at_call { &mut ends.at_call } else { &mut ends.at_random }) += 1;
        ends.killed.insert(seats[victim].sender(), unix_now());
        let mut server = servers[victim].write().await;
        traced[victim] = next(&mut seed).is_multiple_of(3);
        loop {
            let starter = if traced[victim] { killer(&mut seed) } else { Vec::new() };
            match seats[victim].next(starter).try_start() {
                Started::Listens(started) => {
                    *server = started;
                    break;
                }
                Started::Ended(_) if traced[victim] => {
                    ends.starting += 1;
                    traced[victim] = false;
                }
                Started::Ended(output) => panic!("a server did not start again:\n{output}"),
            }
        }
        if ends.all().is_multiple_of(50) {
            let numbers = told.numbers.lock().unwrap().len();
            println!("{} of {kills} kills, {numbers} numbers answered", ends.all());
        }
    }
    // What is still to end at a system call would do so in the middle of the account.
    for victim in (0..SERVERS).filter(|victim| traced[*victim]) {
        let mut server = servers[victim].write().await;
        server.kill();
        ends.killed.insert(seats[victim].sender(), unix_now());
        *server = seats[victim].next(Vec::new()).start().await;
    }
    mail.mode("ok");
    while told.numbers.lock().unwrap().len() < 3000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let (stored, unmailed, account) = accounted(&*servers[0].read().await, &told, &mail, &ends.killed).await;
    let numbers = told.numbers.lock().unwrap().len();
    println!(
        "{} kills of two servers ({} at random moments, {} at system calls, {} more as they started): {} numbers \
         answered, {} requests without one, {} incidents stored; {} mails accepted for {} deliveries, {} arrived whose \
         reply was lost (of {} every time); {} deliveries arrived more than once: {} whose sender was killed, {} after a lost reply, {} \
         unexplained",
        ends.all(),
        ends.at_random,
        ends.at_call,
        ends.starting,
        numbers,
        told.failed.load(Ordering::Relaxed),
        stored,
        mail.accepted().len(),
        account.deliveries,
        mail.lost().len(),
        unmailed,
        account.sender_killed + account.after_lost_reply + account.unexplained.len(),
        account.sender_killed,
        account.after_lost_reply,
        account.unexplained.len(),
    );
    assert!(ends.at_call + ends.starting > 0, "no server came to its end at a system call");
    assert!(account.unexplained.is_empty(), "{:?}", account.unexplained);
}

/// Checks that no number was lost or answered twice, and waits until every mail has arrived. Returns the number of
/// incidents, the number of those whose mail was never accepted, and the account of the mails.
pub(crate) async fn accounted(
    server: &Server,
    told: &Told,
    mail: &MailServer,
    killed: &HashMap<String, f64>,
) -> (usize, usize, Account) {
    let numbers = told.numbers.lock().unwrap().clone();
    let unique: HashSet<u64> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a number was answered twice");
    let stored = every_incident(server).await;
    let missing: Vec<_> = unique.iter().filter(|n| !stored.contains_key(n)).collect();
    assert!(missing.is_empty(), "numbers were answered and lost: {missing:?}");

    // Every open incident's mail arrives: of those that nobody was told the number of too.
    let incidents_of = |mails: Vec<Value>| -> HashSet<u64> {
        mails.iter().map(|mail| mail["incident"].as_u64().unwrap()).collect()
    };
    let mut unmailed: HashSet<u64> = stored.keys().copied().collect();
    let mut arrived = HashSet::new();
    for second in 0..600 {
        let accepted = incidents_of(mail.accepted());
        unmailed.retain(|number| !accepted.contains(number));
        arrived = incidents_of(mail.lost());
        if unmailed.is_empty() || (second > 120 && unmailed.is_subset(&arrived)) {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for number in &unmailed {
        let one = server.get(&format!("/incidents/{number}")).await;
        assert!(arrived.contains(number), "{} incidents were never alerted, as {one:#}", unmailed.len());
        // Of what arrived again and again and its reply was lost each time, the next attempt comes ever later.
        assert!(one["nextAlertAt"].is_string(), "an alert that may not have arrived was given up: {one:#}");
    }

    (stored.len(), unmailed.len(), Account::of(mail, killed))
}

/// The deliveries that arrived more than once, and why.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) deliveries: usize,
    pub(crate) sender_killed: usize,
    pub(crate) after_lost_reply: usize,
    pub(crate) unexplained: Vec<String>,
}

impl Account {
    fn of(mail: &MailServer, killed_at: &HashMap<String, f64>) -> Self {
        let mut arrivals: HashMap<String, Vec<(f64, bool, String)>> = HashMap::new();
        for (events, lost) in [(mail.accepted(), false), (mail.lost(), true)] {
            for event in events {
                let delivery = event["delivery"].as_str().unwrap().to_owned();
                let sender = event["from"].as_str().unwrap().to_owned();
                arrivals.entry(delivery).or_default().push((event["at"].as_f64().unwrap(), lost, sender));
            }
        }
        let mut account = Self { deliveries: arrivals.len(), ..Self::default() };
        for (delivery, mut times) in arrivals {
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Every arrival but the last was repeated, and needs a reason.
            let repeated: Vec<_> = times.windows(2).map(|pair| (&pair[0], pair[1].0)).collect();
            // Who sent it was killed before it could record that, and before it came again. A sender that was killed
            // even before the mail arrived cannot have recorded it, however long the mail was on its way.
            let killed = |(at, _, by): &(f64, bool, String), next: f64| {
                killed_at.get(by).is_some_and(|killed| *killed < next.min(at + f64::from(LEASE)))
            };
            if repeated.is_empty() {
            } else if repeated.iter().all(|(one, next)| one.1 && !killed(one, *next)) {
                account.after_lost_reply += 1;
            } else if repeated.iter().all(|(one, next)| one.1 || killed(one, *next)) {
                account.sender_killed += 1;
            } else {
                let after = |(at, _, by): &(f64, bool, String)| Some(killed_at.get(by)? - at);
                let after: Vec<_> = times.iter().map(after).collect();
                account.unexplained.push(format!("{delivery}: {times:?}, senders killed {after:?} s later"));
            }
        }
        account
    }
}
