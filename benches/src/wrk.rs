//! Runs `wrk` with bodies that are all different.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{Failure, Site};

/// The placeholder for the number of each item in a `Body`.
pub(crate) const NUMBER: &str = "@@";
/// The length of every number, so that all requests have the same length.
const DIGITS: usize = 12;
/// The range of numbers for each of wrk's threads.
const PER_THREAD: u64 = 10_000_000_000;

/// Requests that differ only in the numbers of their items.
#[derive(Debug, Clone)]
pub(crate) struct Shot {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Header lines, each with its line ending.
    pub(crate) headers: String,
    pub(crate) open: String,
    pub(crate) item: String,
    pub(crate) close: &'static str,
    pub(crate) items: usize,
}

impl Shot {
    /// The body with item numbers from `first` on.
    pub(crate) fn body(&self, first: u64) -> String {
        let numbers = (first..).take(self.items);
        let items: Vec<_> = numbers.map(|n| self.item.replace(NUMBER, &digits(n))).collect();
        format!("{}{}{}", self.open, items.join(","), self.close)
    }

    /// The script that makes the requests. Two threads never make the same number, nor do two scripts whose `first` are
    /// far apart.
    fn script(&self, address: SocketAddr, first: u64) -> String {
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
            self.method,
            self.path,
            self.body(0).len(),
            self.headers
        );
        let pieces: Vec<_> = self.item.split(NUMBER).map(quoted).collect();
        format!(
            r#"local threads = 0
function setup(thread) thread:set("thread", threads); threads = threads + 1 end
local head, tail, pieces, items = {head}, {tail}, {{ {pieces} }}, {{}}
local n = {first}
function init() n = n + thread * {PER_THREAD} end
function request()
  for i = 1, {count} do
    n = n + 1
    items[i] = table.concat(pieces, string.format("%0{DIGITS}d", n))
  end
  return head .. table.concat(items, ",") .. tail
end
function done(summary, latency)
  local e = summary.errors
  print(string.format("FIGURES %d %d %d %d %d", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
"#,
            head = quoted(&(head + &self.open)),
            tail = quoted(self.close),
            pieces = pieces.join(", "),
            count = self.items,
        )
    }
}

/// A number in the form that it has in a body.
pub(crate) fn digits(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

/// A text as a string of Lua.
fn quoted(text: &str) -> String {
    let mut lua = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => lua.extend(['\\', c]),
            '\n' => lua.push_str("\\n"),
            '\r' => lua.push_str("\\r"),
            c => lua.push(c),
        }
    }
    lua + "\""
}

/// The result of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shots {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Sends requests without a pause over that many connections. An answer that is not a success fails the run.
pub(crate) fn shoot(
    site: &Site,
    address: SocketAddr,
    shot: &Shot,
    first: u64,
    connections: usize,
    lasting: Duration,
) -> Result<Shots, Failure> {
    let script = site.work.join("shot.lua");
    std::fs::write(&script, shot.script(address, first))?;
    let output = wrk(site)
        .args(["-t2", &format!("-c{connections}"), &format!("-d{}s", lasting.as_secs()), "--timeout", "20s"])
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{address}"))
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures = text.lines().find_map(|line| line.strip_prefix("FIGURES ")).ok_or_else(|| text.clone())?;
    let figures: Vec<f64> = figures.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, micros, errors, p50, p99] = figures[..] else { return Err(text.into()) };
    if errors > 0.0 {
        return Err(format!("{errors} of {requests} requests failed:\n{text}").into());
    }
    let micro = |n: f64| Duration::from_secs_f64(n / 1e6);
    Ok(Shots { requests, per_second: requests / micros * 1e6, p50: micro(p50), p99: micro(p99) })
}

fn wrk(site: &Site) -> Command {
    Command::new(site.debian.join("usr/bin/wrk"))
}

/// The name and version of `wrk`.
pub(crate) fn version(site: &Site) -> Result<String, Failure> {
    let output = wrk(site).arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}
