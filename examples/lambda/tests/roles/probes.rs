//! What each role is for: all of it works, or the first thing that does not is told.

use std::time::Duration;

use aws_sdk_sfn::Client;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::contract::Deployment;

/// The sweeper takes what is overdue by ten seconds.
const OVERDUE: TimeDelta = TimeDelta::milliseconds(10_200);
/// Longer than the test.
const LONG: u64 = 3600;

/// What went wrong.
type Failed = String;

/// Whose permissions they are; the template's roles are called after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Processor,
    Escalation,
    Notifier,
    Sweeper,
}

/// Does all that one role is for.
pub(crate) struct Probes<'a> {
    pub(crate) role: Role,
    cloud: &'a Cloud,
    executions: Client,
    clock: SystemClock,
    runs: u32,
    /// How long anything may take.
    patience: Duration,
    /// An incident whose rounds follow each other within a second, and for which no execution can be started.
    restless: Option<u64>,
}

impl<'a> Probes<'a> {
    pub(crate) fn new(cloud: &'a Cloud, role: Role) -> Self {
        let executions = Client::new(&cloud.aws());
        Self {
            role,
            cloud,
            executions,
            clock: SystemClock::new(),
            runs: 0,
            patience: Duration::ZERO,
            restless: None,
        }
    }

    pub(crate) async fn run(&mut self, patience: Duration) -> Result<(), Failed> {
        self.patience = patience;
        self.runs += 1;
        match self.role {
            Role::Processor => {
                self.restart("processor").await?;
                self.process().await
            }
            Role::Escalation => self.escalate().await,
            Role::Notifier => {
                self.restart("notifier").await?;
                self.notify().await?;
                self.remember().await
            }
            Role::Sweeper => {
                self.restart("sweeper").await?;
                self.sweep().await
            }
        }
    }

    /// Ends the processes of a function: the next one reads the settings of the channels again.
    async fn restart(&self, function: &str) -> Result<(), Failed> {
        let path = format!("/2015-03-31/functions/{}-{function}/configuration", self.cloud.stack);
        let request = self.cloud.signed_by(Method::PUT, "lambda", &path).timeout(self.patience);
        let answer = request.json(&json!({ "MemorySize": 512 })).send().await;
        let status = answer.map_err(|_| format!("the {function} cannot be restarted"))?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(format!("the restart of the {function} answers {status}"))
    }

    /// An alert to a person whose address was never reached before.
    async fn remember(&self) -> Result<(), Failed> {
        let name = self.owned("startless-known", "ops", LONG).await?;
        let methods = json!({ "methods": { "mail": format!("new-{name}@example.org") } });
        self.put(&format!("/people/{name}"), methods).await?;
        let team = json!({ "escalateAfterSeconds": LONG, "fallback": [format!("person:{name}")] });
        self.put(&format!("/teams/{name}"), team).await?;
        let number = self.report(&name, None).await?;
        let notified = self.invoke("notifier", json!({ "incidentId": number })).await;
        self.resolve(number).await?;
        notified?;
        let found = self.get(&format!("/coverage?team={name}")).await?;
        if found.to_string().contains("unproved") {
            return Err(format!("it is not remembered that a person was reached: {found}"));
        }
        Ok(())
    }

    /// Every route that reads or writes anything.
    async fn process(&self) -> Result<(), Failed> {
        let name = self.owned("plain", "ops", LONG).await?;
        let (team, service) = (format!("/teams/{name}"), format!("/services/{name}"));
        let day = self.get(&format!("{team}/oncall")).await?["day"].as_str().unwrap().to_owned();
        let day = format!("{team}/calendar/{day}");
        let rota = json!({ "oncall": format!("jo-{name}@example.org") });
        self.put(&day, rota.clone()).await?;
        for path in [&team, &service, &day] {
            self.get(path).await?;
        }
        let person = format!("/people/{name}");
        self.put(&person, json!({ "methods": { "mail": format!("{name}@example.org") } })).await?;
        self.get(&person).await?;
        self.call(Method::DELETE, &person, None, 204).await?;
        let changes = self.get("/roster/changes?limit=1").await?;
        if changes["changes"].as_array().is_none_or(Vec::is_empty) {
            return Err(format!("nothing was noted of what was changed: {changes}"));
        }
        let alone = self.report(&name, None).await?;
        self.started(alone, 0).await?;
        let keyed = self.report(&name, Some("5xx")).await?;
        let again = self.call(Method::PUT, "/incidents", Some(report(&name, Some("5xx"))), 200).await?;
        if again["incidentId"] != keyed {
            return Err(format!("the repeat of {keyed} is {again}"));
        }
        for list in [format!("/incidents?service={name}&limit=1"), "/incidents?state=OPEN&limit=1".to_owned()]
        {
            let page = self.get(&list).await?;
            if page["incidents"][0]["incidentId"] != keyed {
                return Err(format!("{list} does not begin with {keyed}: {page}"));
            }
        }
        self.call(Method::GET, "/metrics", None, 200).await?;
        self.all_teams(&name).await?;
        let claim = json!({ "incidentId": alone, "state": "CLAIMED", "by": "jo" });
        self.call(Method::POST, "/incidents", Some(claim), 200).await?;
        self.resolve(alone).await?;
        self.resolve(keyed).await?;
        self.call(Method::DELETE, &day, None, 204).await?;
        self.put(&day, rota).await?;
        self.call(Method::DELETE, &service, None, 204).await?;
        self.call(Method::DELETE, &team, None, 204).await.map(drop)
    }

    /// The board's page of who is on call, which lists that team as it lists all.
    async fn all_teams(&self, name: &str) -> Result<(), Failed> {
        let (url, client) = self.cloud.api();
        let session = self.signed_in().await?;
        let page = client.get(format!("{url}/board/oncall")).timeout(self.patience);
        let page = page.header("cookie", session);
        let answer = page.send().await.map_err(|e| format!("the board: {e}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|e| format!("the board: {e}"))?;
        if status.is_success() && text.contains(name) {
            return Ok(());
        }
        Err(format!("GET /board/oncall answers {status}"))
    }

    /// The cookie of somebody who signs in to the board.
    async fn signed_in(&self) -> Result<String, Failed> {
        let (url, client) = self.cloud.api();
        let form = client.post(format!("{url}/board/sign-in")).timeout(self.patience);
        let form = form.body(format!("key={}&name=jo", crate::cloud::KEY.replace(' ', "+")));
        let answer = form.send().await.map_err(|e| format!("signing in: {e}"))?;
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        cookie.map(str::to_owned).ok_or_else(|| format!("signing in answers {}", answer.status()))
    }

    /// A report is alerted with nobody's help.
    async fn escalate(&self) -> Result<(), Failed> {
        let name = self.owned("plain", "ops", LONG).await?;
        let number = self.report(&name, None).await?;
        let alerted = self.until(number, "accepted").await;
        self.resolve(number).await?;
        alerted
    }

    /// An alert, another round of alerts, a hand-over; an alert that alert hours hold; and an outcome that comes after the
    /// resolution.
    async fn notify(&self) -> Result<(), Failed> {
        // The state machine is kept away, since the notifier is called from here.
        let restless = self.owned("startless", "ops", 1).await?;
        let number = self.report(&restless, None).await?;
        let notified = self.notify_in_rounds(number).await;
        self.resolve(number).await?;
        notified?;
        self.held().await?;
        let slow = self.owned("startless-slow", "slow", LONG).await?;
        let number = self.report(&slow, Some("5xx")).await?;
        let resolved = self.resolved_in_mid_send(number, "notifier", json!({ "incidentId": number })).await;
        self.resolve(number).await?;
        resolved
    }

    async fn notify_in_rounds(&self, number: u64) -> Result<(), Failed> {
        let call = json!({ "incidentId": number });
        self.invoke("notifier", call.clone()).await?;
        let first = self.alerted_since(number, 0).await?;
        self.wait_until(self.next_alert(number).await?).await;
        self.invoke("notifier", call).await?;
        self.alerted_since(number, first).await?;
        let last = json!({ "incidentId": number, "wake": 0, "loop": 500 });
        let handed_over = self.invoke("notifier", last).await?;
        if handed_over["done"] != true {
            return Err(format!("the notifier does not hand over, it answers {handed_over}"));
        }
        self.started(number, 1).await
    }

    /// Alert hours that are set after the report hold its alert.
    async fn held(&self) -> Result<(), Failed> {
        let name = self.owned("startless-held", "ops", LONG).await?;
        let number = self.report(&name, None).await?;
        let open = (self.clock.now() + TimeDelta::days(3)).format("%a").to_string();
        let hours = json!({ "CRIT": [{ "days": [open], "from": "09:00", "to": "17:00" }] });
        let team = json!({ "timezone": "UTC", "fallback": [format!("ops-{name}@example.org")], "alertHours": hours });
        self.put(&format!("/teams/{name}"), team).await?;
        let invoked = self.invoke("notifier", json!({ "incidentId": number })).await;
        let incident = self.incident(number).await?;
        self.resolve(number).await?;
        invoked?;
        let is_sent = |delivery: &Value| delivery["attempts"] != 0;
        if incident["quietUntil"].is_null() || incident["deliveries"].as_array().unwrap().iter().any(is_sent)
        {
            return Err(format!("alert hours let the alert of {number} through"));
        }
        Ok(())
    }

    /// One sweep, in which an execution is started again, a new round is begun since none can be started, an outcome comes
    /// after the resolution, and a calendar feed is due.
    async fn sweep(&mut self) -> Result<(), Failed> {
        let restless = match self.restless {
            Some(number) => number,
            None => {
                let name = self.owned("neverstart", "ops", 1).await?;
                let number = self.report(&name, None).await?;
                self.wait_until(self.next_alert(number).await? + OVERDUE).await;
                self.invoke("sweeper", json!({})).await?;
                *self.restless.insert(number)
            }
        };
        let lost = self.owned("startless", "ops", LONG).await?;
        let lost = self.report(&lost, None).await?;
        let slow = self.owned("neverstart-slow", "slow", LONG).await?;
        let slow = self.report(&slow, Some("5xx")).await?;
        let fed = self.owned("fed", "ops", LONG).await?;
        let schedule = format!("/teams/{fed}/schedules/primary");
        // The carriers of the tests are at 127.0.0.1, so the settings of the channels allow that address.
        let feeds = json!([{ "url": "https://127.0.0.2/calendar.ics", "as": "base" }]);
        self.put(&schedule, json!({ "timezone": "UTC", "layers": [], "feeds": feeds })).await?;
        let beat = self.owned("startless-beat", "ops", LONG).await?;
        let heartbeat = format!("/heartbeats/{beat}");
        let beats = json!({ "service": beat, "severity": "CRIT", "everySeconds": 1 });
        self.put(&heartbeat, beats).await?;
        let swept = self.sweep_up(restless, lost, slow).await;
        let missed = self.missed(&heartbeat).await;
        self.resolve(lost).await?;
        self.resolve(slow).await?;
        let found = self.get(&format!("/coverage?team={fed}")).await?;
        // So that no later sweep reads it.
        self.call(Method::DELETE, &schedule, None, 204).await?;
        swept?;
        missed?;
        if found.to_string().contains("internal") {
            Ok(())
        } else {
            Err(format!("the feed was not due: {found}"))
        }
    }

    /// Whether the heartbeat was missed, which opens an incident. Deletes the heartbeat.
    async fn missed(&self, heartbeat: &str) -> Result<(), Failed> {
        let found = self.get(heartbeat).await?;
        self.call(Method::DELETE, heartbeat, None, 204).await?;
        let Some(number) = found["incidentId"].as_u64() else {
            return Err(format!("the heartbeat was not missed: {found}"));
        };
        self.resolve(number).await
    }

    async fn sweep_up(&self, restless: u64, lost: u64, slow: u64) -> Result<(), Failed> {
        for number in [restless, lost, slow] {
            self.wait_until(self.next_alert(number).await? + OVERDUE).await;
        }
        let round = round(&self.incident(restless).await?);
        self.resolved_in_mid_send(slow, "sweeper", json!({})).await?;
        self.started(lost, 1).await?;
        self.alerted_since(restless, round).await.map(drop)
    }

    /// Resolves it while the function sends, and looks whether the outcome is kept.
    async fn resolved_in_mid_send(&self, number: u64, function: &str, call: Value) -> Result<(), Failed> {
        let resolve = async {
            self.until(number, "inFlight").await?;
            self.resolve(number).await
        };
        tokio::try_join!(self.invoke(function, call), resolve)?;
        self.until(number, "accepted").await
    }

    /// A team and a service of that kind, with one person; the name of both.
    async fn owned(&self, kind: &str, person: &str, wait: u64) -> Result<String, Failed> {
        let name = format!("{kind}-{:?}-{}", self.role, self.runs).to_lowercase();
        let fallback = [format!("{person}-{name}@example.org")];
        let team = json!({ "escalateAfterSeconds": wait, "fallback": fallback, "repeat": 100 });
        self.put(&format!("/teams/{name}"), team).await?;
        self.put(&format!("/services/{name}"), json!({ "team": name })).await?;
        Ok(name)
    }

    async fn report(&self, service: &str, key: Option<&str>) -> Result<u64, Failed> {
        let answer = self.call(Method::PUT, "/incidents", Some(report(service, key)), 201).await?;
        Ok(answer["incidentId"].as_u64().unwrap())
    }

    async fn resolve(&self, number: u64) -> Result<(), Failed> {
        let resolved = json!({ "state": "RESOLVED" });
        self.call(Method::POST, &format!("/incidents/{number}"), Some(resolved), 200).await.map(drop)
    }

    async fn incident(&self, number: u64) -> Result<Value, Failed> {
        self.get(&format!("/incidents/{number}")).await
    }

    async fn next_alert(&self, number: u64) -> Result<DateTime<Utc>, Failed> {
        let incident = self.incident(number).await?;
        let at = incident["nextAlertAt"].as_str().and_then(|at| at.parse().ok());
        at.ok_or_else(|| format!("nothing is due of {incident}"))
    }

    async fn wait_until(&self, at: DateTime<Utc>) {
        self.clock.sleep((at - self.clock.now()).to_std().unwrap_or_default()).await;
    }

    /// Waits until the status of its first delivery is that.
    async fn until(&self, number: u64, status: &str) -> Result<(), Failed> {
        let patience = self.clock.monotonic() + self.patience;
        loop {
            let incident = self.incident(number).await?;
            let found = &incident["deliveries"][0]["status"];
            if found == status {
                return Ok(());
            }
            if self.clock.monotonic() > patience {
                return Err(format!("the first delivery of {number} is not {status} but {found}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether somebody was alerted in a round after that one; answers the round.
    async fn alerted_since(&self, number: u64, before: u64) -> Result<u64, Failed> {
        let incident = self.incident(number).await?;
        let round = round(&incident);
        let in_it = |delivery: &&Value| delivery["round"] == round && delivery["status"] == "accepted";
        if round > before && incident["deliveries"].as_array().unwrap().iter().any(|d| in_it(&d)) {
            return Ok(round);
        }
        Err(format!("nobody was alerted of {number} after round {before}, it is in round {round}"))
    }

    /// Whether the state machine was started under that name.
    async fn started(&self, number: u64, wake: u32) -> Result<(), Failed> {
        let name = format!("incident-{number}-{wake}");
        let stack = &self.cloud.stack;
        let arn = format!("arn:aws:states:eu-central-1:000000000000:execution:{stack}-escalation:{name}");
        let described = self.executions.describe_execution().execution_arn(arn).send().await;
        described.map(drop).map_err(|_| format!("there is no execution {name}"))
    }

    async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None, 200).await
    }

    async fn put(&self, path: &str, body: Value) -> Result<(), Failed> {
        self.call(Method::PUT, path, Some(body), 200).await.map(drop)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Result<Value, Failed> {
        let (url, client) = self.cloud.api();
        let mut request = client.request(method.clone(), format!("{url}{path}")).timeout(self.patience);
        request = request.header("x-api-key", self.cloud.key());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|e| format!("{method} {path}: {e}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|e| format!("{method} {path}: {e}"))?;
        if status != expected {
            return Err(format!("{method} {path} answers {status}"));
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn invoke(&self, function: &str, payload: Value) -> Result<Value, Failed> {
        let path = format!("/2015-03-31/functions/{}-{function}/invocations", self.cloud.stack);
        let request = self.cloud.signed("lambda", &path).timeout(self.patience).json(&payload);
        let answer = request.send().await.map_err(|_| format!("the {function} does not answer"))?;
        let (status, failed) = (answer.status(), answer.headers().contains_key("x-amz-function-error"));
        let text = answer.text().await.map_err(|_| format!("the {function} does not answer"))?;
        if failed || !status.is_success() {
            return Err(format!("the {function} fails"));
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

fn round(incident: &Value) -> u64 {
    incident["round"].as_u64().unwrap()
}

fn report(service: &str, key: Option<&str>) -> Value {
    let mut report = json!({ "service": service, "severity": "CRIT", "title": "x", "message": "" });
    if let Some(key) = key {
        report["dedupKey"] = json!(key);
    }
    report
}
