//! What a dry run says, compared with the mails that really arrive.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, unix_now};

/// An alert: how long after the report, and to whom.
type Alert = (TimeDelta, String);

const WAIT: u64 = 2;

/// Creates a person of a service. Their mail address tells the service.
async fn person(server: &Server, service: &str, name: &str) -> String {
    let methods = json!({ "mail": format!("{service}-{name}@example.org") });
    server.put(&format!("/people/{service}-{name}"), json!({ "methods": methods })).await;
    format!("person:{service}-{name}")
}

fn address(step: &Value) -> String {
    let person = step["person"].as_str().unwrap();
    match person.strip_prefix("person:") {
        Some(id) => format!("{id}@example.org"),
        None => person.to_owned(),
    }
}

fn instant(at: &Value) -> DateTime<Utc> {
    at.as_str().unwrap().parse().unwrap()
}

fn minutes_from_now(minutes: i64) -> String {
    let now = DateTime::UNIX_EPOCH + TimeDelta::from_std(Duration::from_secs_f64(unix_now())).unwrap();
    (now + TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Ten teams, each with another way to say who is on call.
async fn ten_services(server: &Server) -> Vec<String> {
    let services: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    for (n, service) in services.iter().enumerate() {
        let [jo, kim, lee] = [
            person(server, service, "jo").await,
            person(server, service, "kim").await,
            person(server, service, "lee").await,
        ];
        let ops = format!("{service}-ops@example.org");
        let path = |rest: &str| format!("/teams/{service}{rest}");
        let level = |notify: Value| json!({ "notify": notify, "waitSeconds": WAIT });
        let team =
            |levels: Vec<Value>| json!({ "escalateAfterSeconds": WAIT, "fallback": [ops], "levels": levels });
        let layer = |name: &str, members: Value| {
            json!({ "name": name, "members": members, "from": "2026-01-05T00:00",
                "turn": { "every": 1, "unit": "day" } })
        };
        let schedule = |layers: Vec<Value>| json!({ "timezone": "Europe/Athens", "layers": layers });
        let primary = level(json!(["schedule:primary"]));
        server.put(&path(""), team(Vec::new())).await;
        match n {
            // Only the fallback.
            0 => {}
            // Days of the calendar.
            1 => server.team(service, WAIT, json!(jo), json!([kim]), &ops).await,
            2 => _ = server.put(&path(""), team(vec![level(json!([jo, kim])), level(json!([lee]))])).await,
            // A rotation.
            3 => {
                server
                    .put(&path("/schedules/primary"), schedule(vec![layer("daily", json!([jo, kim]))]))
                    .await;
                server.put(&path(""), team(vec![primary, level(json!([lee]))])).await;
            }
            // Two layers, of which the upper one is a turn off: the lower one has it.
            4 => {
                let layers = vec![layer("low", json!([jo])), layer("high", json!([[]]))];
                server.put(&path("/schedules/primary"), schedule(layers)).await;
                server.put(&path(""), team(vec![primary])).await;
            }
            // Overrides: instead of everybody, instead of one, in addition, and a gap on purpose.
            5..=8 => {
                server
                    .put(&path("/schedules/primary"), schedule(vec![layer("both", json!([[jo, kim]]))]))
                    .await;
                let (from, to) = (minutes_from_now(-60), minutes_from_now(600));
                let mut entry = json!({ "from": from, "to": to, "oncall": [lee] });
                match n {
                    6 => entry["insteadOf"] = json!([jo]),
                    7 => entry["insteadOf"] = json!([]),
                    8 => entry["oncall"] = json!([]),
                    _ => {}
                }
                server.put(&path("/schedules/primary/overrides/now"), entry).await;
                server.put(&path(""), team(vec![primary, level(json!([jo]))])).await;
            }
            // Another team's people.
            _ => {
                server
                    .put(&path(""), team(vec![level(json!(["team:s2"])), level(json!([jo, kim, lee]))]))
                    .await;
            }
        }
        server.put(&format!("/services/{service}"), json!({ "team": service })).await;
    }
    services
}

/// Reads the alerts that a report would cause now, and after how long.
async fn promised(server: &Server, service: &str) -> Vec<Alert> {
    let plan = server.get(&format!("/services/{service}/plan")).await;
    let steps = plan["steps"].as_array().unwrap();
    let first = instant(&steps[0]["at"]);
    steps.iter().map(|step| (instant(&step["at"]) - first, address(step))).collect()
}

/// The mails of an incident: how long after the report each arrived, and to whom.
fn arrived(mail: &MailServer, number: u64, reported: f64) -> Vec<Alert> {
    let of_incident = mail.accepted().into_iter().filter(|accepted| accepted["incident"] == number);
    let alert = |accepted: Value| {
        let seconds = accepted["at"].as_f64().unwrap() - reported;
        let after = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        (TimeDelta::from_std(after).unwrap(), accepted["to"].as_str().unwrap().to_owned())
    };
    of_incident.map(alert).collect()
}

/// The addresses, and those that are due at once in the order of their letters.
fn in_order(planned: &[Alert], addresses: impl Iterator<Item = String>) -> Vec<Vec<String>> {
    let mut addresses = addresses;
    let together = planned.chunk_by(|one, next| one.0 == next.0);
    let mut groups: Vec<Vec<String>> =
        together.map(|group| addresses.by_ref().take(group.len()).collect()).collect();
    groups.iter_mut().for_each(|group| group.sort());
    groups.push(addresses.collect());
    groups
}

#[tokio::test]
async fn p17_ten_services_do_what_their_dry_runs_told() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    let mut reported = Vec::new();
    for service in ten_services(&server).await {
        let planned = promised(&server, &service).await;
        let at = unix_now();
        reported.push((server.report(&service).await, at, service, planned));
    }
    let mut steps = 0;
    for (number, at, service, planned) in &reported {
        let ended = |incident: &Value| {
            let deliveries = incident["deliveries"].as_array().unwrap();
            incident["nextAlertAt"].is_null() && deliveries.iter().all(|one| one["status"] == "accepted")
        };
        let incident = server.until(*number, SOON, ended).await;
        let mails = arrived(&mail, *number, *at);
        let expected = in_order(planned, planned.iter().map(|(_, to)| to.clone()));
        let happened = in_order(planned, mails.iter().map(|(_, to)| to.clone()));
        assert_eq!(happened, expected, "{service}: {incident:#}");
        let mut late = planned.iter().zip(&mails).map(|((due, _), (came, _))| *came - *due);
        assert!(late.all(|late| late >= TimeDelta::zero()), "{service}: {planned:?} and {mails:?}");
        steps += planned.len();
    }
    let waits = reported
        .iter()
        .filter(|(.., planned)| planned.last().is_some_and(|(due, _)| *due > TimeDelta::zero()));
    assert!(steps >= 25 && waits.count() >= 8, "{steps} steps: {reported:?}");
}
