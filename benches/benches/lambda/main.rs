//! Measures what a function on AWS Lambda costs, next to a small function in Python that makes the same calls.
//!
//! `cargo xtask lambda-bench` builds and starts everything that is needed. This program is the Runtime API for both
//! functions, and starts them in turns. Processor time is the kernel's figure for the process: all its threads, user
//! and system.

#![expect(clippy::disallowed_methods, reason = "it measures")]

mod function;
mod runtime_api;
mod table;

use std::error::Error;
use std::time::Instant;

use serde_json::{Value, json};

use crate::function::{Function, Running, Site};
use crate::runtime_api::{Poll, RuntimeApi};
use crate::table::{Figures, print};

/// The number of times that each function is started, after one start that is not counted and fills the file cache.
const STARTS: usize = 15;
/// The number of reports after each start that are not counted, because connections are made and Python specialises its
/// code.
const SETTLING: usize = 5;
/// The number of reports after each start that are counted as warm.
const WARM: usize = 20;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let site = Site::from_environment()?;
    let mut api = RuntimeApi::listen().await?;
    let (ours, peer) = (Function::ours(&site), Function::peer(&site));
    seed(&mut api, &ours).await?;
    measure(&mut api, &peer, &mut Figures::default()).await?;
    let (mut of_ours, mut of_peer) = (Figures::default(), Figures::default());
    for turn in 1..=STARTS {
        measure(&mut api, &ours, &mut of_ours).await?;
        measure(&mut api, &peer, &mut of_peer).await?;
        eprintln!("start {turn} of {STARTS}");
    }
    print(&site, &mut of_ours, &mut of_peer)
}

/// Creates a service, its team, and a calendar entry for today.
async fn seed(api: &mut RuntimeApi, ours: &Function<'_>) -> Result<(), Failure> {
    let _running = Running::start(ours, api.address())?;
    let mut poll = api.poll().await?;
    let requests = [
        ("/teams/web", json!({ "escalateAfterSeconds": 300, "fallback": ["ops@example.org"] })),
        ("/services/shop", json!({ "team": "web" })),
    ];
    for (path, body) in requests {
        (_, poll) = invoke(api, poll, &event("PUT", path, &body), 200).await?;
    }
    let (oncall, poll) = invoke(api, poll, &event("GET", "/teams/web/oncall", &Value::Null), 200).await?;
    let path = format!("/teams/web/calendar/{}", oncall["day"].as_str().ok_or("no day")?);
    let rota = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] });
    invoke(api, poll, &event("PUT", &path, &rota), 200).await.map(drop)
}

/// Starts the function, reports to it, and ends it.
async fn measure(
    api: &mut RuntimeApi,
    function: &Function<'_>,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let running = Running::start(function, api.address())?;
    let mut poll = api.poll().await?;
    figures.init.push(poll.at - begun);
    figures.init_cpu.push(running.cpu()?);
    let report = event(
        "PUT",
        "/incidents",
        &json!({ "service": "shop", "severity": "CRIT", "title": "5xx Error Spike", "message": "12 % fail" }),
    );
    let mut cpu = running.cpu()?;
    for round in 0..1 + SETTLING + WARM {
        if round == 1 + SETTLING {
            cpu = running.cpu()?;
        }
        let sent = Instant::now();
        let (answer, next) = invoke(api, poll, &report, 201).await?;
        poll = next;
        if round == 0 {
            figures.first.push(api.answered_at - sent);
            figures.first_cpu.push(running.cpu()? - cpu);
        } else if round > SETTLING {
            figures.warm.push(api.answered_at - sent);
        }
        answer["incidentId"].as_u64().ok_or("an answer without a number")?;
    }
    figures.warm_cpu.push((running.cpu()? - cpu) / u32::try_from(WARM)?);
    figures.memory.push(running.peak_memory_kib()?);
    Ok(())
}

/// Makes one invocation. Returns the body of the answer, and the poll that follows it.
async fn invoke(
    api: &mut RuntimeApi,
    poll: Poll,
    event: &Value,
    status: u64,
) -> Result<(Value, Poll), Failure> {
    let answer = api.answer(poll, event).await?;
    if answer["statusCode"].as_u64() != Some(status) {
        return Err(format!("{} is answered {answer}", event["rawPath"]).into());
    }
    let body = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
    Ok((body, api.poll().await?))
}

/// An event as an HTTP API of API Gateway sends it, in format 2.0.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
fn event(method: &str, path: &str, body: &Value) -> Value {
    let host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": host,
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
            "x-api-key": function::KEY,
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "24/Nov/2026:19:20:48 +0000",
            "timeEpoch": 1_795_548_048_000_u64,
        },
        "isBase64Encoded": false,
    });
    if !body.is_null() {
        event["body"] = Value::String(body.to_string());
    }
    event
}
