//! Too much, too slow, too unfair: nothing is lost, and who behaves is served. Speeds are printed, not judged:
//! `cargo xtask load`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{KEY, SOON, Server, Setup};

/// The key of somebody else.
const OTHER: &str = "other-key-other-key";
/// How many clients are slow, half of them in the head of their request.
const SLOW: usize = 1000;
/// How long the storm lasts, unless `INRESPONSE_LOAD_SECONDS` says otherwise.
const STORM: Duration = Duration::from_secs(2);
/// How many clients it has.
const STORMING: usize = 256;

async fn start(dir: &Path) -> Server {
    let config = format!("[[keys]]\nname = \"other\"\nkey = \"{OTHER}\"\nscopes = [\"report\"]\n");
    std::fs::write(dir.join("config.toml"), config).unwrap();
    let args = ["--listen", "127.0.0.1:0", "--db", "test.db", "--api-key", KEY, "--config", "config.toml"];
    let args = args.map(str::to_owned).to_vec();
    Setup {
        dir: dir.to_owned(),
        args,
        env: vec![("RUST_LOG".to_owned(), "error".to_owned())],
        starter: Vec::new(),
    }
    .bundling_after(0)
    .start()
    .await
}

/// Of the service whose incidents alert nobody, so that only intake is measured.
fn body(i: usize) -> Value {
    json!({ "service": "quiet", "severity": "WARN", "title": format!("report {i}"), "message": "x".repeat(300) })
}

async fn quiet_service(server: &Server) {
    let team = json!({ "fallback": ["ops@example.org"], "alertLevels": { "WARN": [] } });
    server.put("/teams/quiet", team).await;
    server.put("/services/quiet", json!({ "team": "quiet" })).await;
}

/// What a report was answered.
#[derive(Clone)]
struct Answered {
    status: StatusCode,
    json: Value,
    may_come_again: bool,
    took: Duration,
}

async fn report(client: &Client, url: &str, key: &str, i: usize) -> Answered {
    let began = now();
    let request = client.put(format!("{url}/incidents")).header("x-api-key", key).json(&body(i));
    let response = request.timeout(SOON).send().await.unwrap();
    let (status, may_come_again) = (response.status(), response.headers().contains_key("retry-after"));
    let json = response.json().await.unwrap();
    Answered { status, json, may_come_again, took: began.elapsed() }
}

pub(crate) fn now() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "a test measures")]
    Instant::now()
}

/// Median, 99th percentile and longest.
fn times(answers: &[Answered]) -> [Duration; 3] {
    let mut times: Vec<Duration> = answers.iter().map(|a| a.took).collect();
    times.sort_unstable();
    [times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]]
}

/// Sends one byte a second until the server has enough of it; answers how long that took and what it said.
async fn slow_client(address: String, head: String) -> (Duration, String) {
    let began = now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break,
                Ok(n) => said.extend_from_slice(&chunk[..n]),
            },
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                if stream.write_all(b"x").await.is_err() {
                    break;
                }
            }
        }
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_clients_are_cut_off_and_keep_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    quiet_service(&server).await;
    let client = Client::new();
    let mut before = Vec::new();
    for i in 0..200 {
        before.push(report(&client, &server.url, KEY, i).await);
    }
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for i in 0..SLOW {
        let head = "PUT /incidents HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned();
        let body = format!(
            "PUT /incidents HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\nContent-Length: 1000\r\n\r\n{{"
        );
        let head = if i % 2 == 0 { head } else { body };
        slow.push(tokio::spawn(slow_client(address.clone(), head)));
    }
    let mut during = Vec::new();
    for i in 0..200 {
        during.push(report(&client, &server.url, KEY, i).await);
    }
    assert!(before.iter().chain(&during).all(|a| a.status == StatusCode::CREATED));
    println!("reports without slow clients: median, p99, longest {:?}", times(&before));
    println!("with {SLOW} slow clients:       median, p99, longest {:?}", times(&during));
    println!("of the slow clients {} were still there", slow.iter().filter(|c| !c.is_finished()).count());
    let mut longest = Duration::ZERO;
    for (i, client) in slow.into_iter().enumerate() {
        let (took, said) = client.await.unwrap();
        longest = longest.max(took);
        let is_told = said.is_empty() || said.starts_with("HTTP/1.1 408");
        assert!(is_told, "{i} was answered {said}");
        assert!(i % 2 == 0 || !said.is_empty(), "who has sent a head is answered");
    }
    println!("the last slow client was cut off after {longest:?}");
    assert!(longest < SOON, "{longest:?}");
    assert_eq!(listed(&server).await, 400, "nothing of the slow ones was recorded");
}

/// How many incidents there are.
async fn listed(server: &Server) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = server.get(&format!("/incidents?service=quiet&limit=500{cursor}")).await;
        count += page["incidents"].as_array().unwrap().len();
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_storm_under_one_key_loses_nothing_and_leaves_the_other_key_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    quiet_service(&server).await;
    let given = std::env::var("INRESPONSE_LOAD_SECONDS").ok().and_then(|s| s.parse().ok());
    let lasting = given.map_or(STORM, Duration::from_secs);
    // Each side has a thread of its own, so that the calm one does not wait for the other in this process.
    let reporting = |key: &'static str, clients: usize| {
        let url = server.url.clone();
        std::thread::spawn(move || reports(&url, key, clients, lasting))
    };
    let quiet = reporting(OTHER, 1).join().unwrap();
    let storm = reporting(KEY, STORMING);
    let stormy = reporting(OTHER, 1).join().unwrap();
    let stormed = storm.join().unwrap();
    let seconds = lasting.as_secs_f64();
    println!("the storm: {:.0} reports/s, {:?}", stormed.len() as f64 / seconds, times(&stormed));
    let (calm, storm) = (times(&quiet), times(&stormy));
    println!("another key when it is quiet: {} reports, median, p99, longest {calm:?}", quiet.len());
    println!("the same in the storm:        {} reports, median, p99, longest {storm:?}", stormy.len());
    println!("its p99 in the storm is {:.1} times that", storm[1].as_secs_f64() / calm[1].as_secs_f64());
    assert!(quiet.iter().chain(&stormy).all(|a| a.status == StatusCode::CREATED), "the other key is served");
    let recorded = accounted(&server, quiet.into_iter().chain(stormy).chain(stormed)).await;
    println!("{recorded} numbers were answered, and each is there");
}

/// Reports without a pause, by so many clients at once.
fn reports(url: &str, key: &'static str, clients: usize, lasting: Duration) -> Vec<Answered> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new();
        let until = now() + lasting;
        let one = async |_| {
            let mut answers = Vec::new();
            while now() < until {
                answers.push(report(&client, url, key, answers.len()).await);
            }
            answers
        };
        futures_util::future::join_all((0..clients).map(one)).await.concat()
    })
}

/// Every number that was answered is there and nothing else; who was refused is told so truly.
async fn accounted(server: &Server, answers: impl Iterator<Item = Answered>) -> usize {
    let mut numbers = Vec::new();
    for answer in answers {
        match answer.status {
            StatusCode::CREATED => numbers.push(answer.json["incidentId"].as_u64().unwrap()),
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(
                    answer.may_come_again && answer.json["mayHaveBeenRecorded"] == false,
                    "{}",
                    answer.json
                );
            }
            other => panic!("{other}: {}", answer.json),
        }
    }
    let answered = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), answered, "no number twice");
    assert_eq!(listed(server).await, answered, "each is there, and nothing that was refused");
    answered
}

/// A process that keeps the database's write lock until it is released.
pub(crate) struct Lock {
    process: Child,
    // What it prints is read to the end only by its exit: it may still be writing the end of the line.
    _told: BufReader<ChildStdout>,
}

impl Lock {
    pub(crate) fn take(database: &Path) -> Self {
        let script = "import sqlite3,sys\n\
                      c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      c.execute('BEGIN IMMEDIATE')\n\
                      print('locked', flush=True)\n\
                      sys.stdin.read()\n\
                      c.execute('ROLLBACK')\n";
        let python = std::env::var("INRESPONSE_TEST_PYTHON").expect("run the tests with `cargo xtask test`");
        let mut command = Command::new(python);
        command.args(["-c", script]).arg(database).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut told = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "locked");
        Self { process, _told: told }
    }

    pub(crate) fn release(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_a_full_queue_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    quiet_service(&server).await;
    let client = Client::new();
    let lock = Lock::take(&dir.path().join("test.db"));
    let mut reports: futures_util::stream::FuturesUnordered<_> = (0..1400)
        .map(|i| {
            let (client, url) = (client.clone(), server.url.clone());
            tokio::spawn(async move { report(&client, &url, KEY, i).await })
        })
        .collect();
    // Nothing can be written, so who is answered first is refused.
    let mut answers = vec![reports.next().await.unwrap().unwrap()];
    lock.release();
    while let Some(answer) = reports.next().await {
        answers.push(answer.unwrap());
    }
    let refused = answers.iter().filter(|a| a.status == StatusCode::SERVICE_UNAVAILABLE).count();
    assert!(refused > 0 && answers[0].status == StatusCode::SERVICE_UNAVAILABLE);
    let recorded = accounted(&server, answers.into_iter()).await;
    println!("of 1400 reports at once to a store that hangs {recorded} were recorded and {refused} refused");
    assert!(recorded > 0);
    let (status, _) = server.call(Method::PUT, "/incidents", Some(body(0))).await;
    assert_eq!(status, StatusCode::CREATED, "and then it goes on");
}
