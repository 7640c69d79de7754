//! The behaviour that all deployments share, seen from outside: by the API's answers and the recipients' mailboxes.
//!
//! The tests of the server and those of the cloud both call these functions. Each scene has its own team, service and
//! people, named after `scene`, so that scenes can run at the same time.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The time limit for things that must happen, even on a busy machine. No test result depends on it.
const SOON: Duration = Duration::from_secs(120);
/// The wait of the teams before they escalate.
const WAIT: Duration = Duration::from_secs(4);
/// The wait of teams in tests where an alert at once must not be confused with one after the wait.
const LONG_WAIT: Duration = Duration::from_secs(600);

/// A running deployment.
pub trait Deployment {
    /// The base URL of the deployment, and the client that calls it.
    fn api(&self) -> (&str, &reqwest::Client);
    /// A key with all scopes.
    fn key(&self) -> &str;
    /// The emails that a person has received so far, oldest first.
    async fn mails(&self, to: &str) -> Vec<String>;
}

/// A deployment with a team whose people are on call.
pub struct Scene<'a, D> {
    deployment: &'a D,
    name: &'a str,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub kind: String,
    pub body: Value,
}

impl<'a, D: Deployment> Scene<'a, D> {
    /// A scene with Jo on call, then Kim, then the team's fallback, four seconds apart.
    pub async fn new(deployment: &'a D, name: &'a str) -> Self {
        Self::with_on_call(deployment, name, "jo").await
    }

    /// A scene with another person on call.
    pub async fn with_on_call(deployment: &'a D, name: &'a str, on_call: &str) -> Self {
        Self::with_calendar(deployment, name, on_call, WAIT).await
    }

    /// A scene with another person on call, and a wait that is longer than any test: a later level is alerted at once,
    /// or never.
    pub async fn with_long_wait(deployment: &'a D, name: &'a str, on_call: &str) -> Self {
        Self::with_calendar(deployment, name, on_call, LONG_WAIT).await
    }

    async fn with_calendar(deployment: &'a D, name: &'a str, on_call: &str, wait: Duration) -> Self {
        let scene = Self::with_team(deployment, name, wait).await;
        let path = format!("/teams/{name}/oncall");
        let today: NaiveDate = scene.get(&path).await.body["day"].as_str().unwrap().parse().unwrap();
        for day in [today.pred_opt(), Some(today), today.succ_opt()].into_iter().flatten() {
            let entry = json!({ "oncall": scene.person(on_call), "escalation": [scene.person("kim")] });
            scene.set(&format!("/teams/{name}/calendar/{day}"), entry).await;
        }
        scene
    }

    /// A scene with nobody on call.
    pub async fn without_calendar(deployment: &'a D, name: &'a str) -> Self {
        Self::with_team(deployment, name, WAIT).await
    }

    async fn with_team(deployment: &'a D, name: &'a str, wait: Duration) -> Self {
        let scene = Self { deployment, name };
        let team = json!({ "escalateAfterSeconds": wait.as_secs(), "fallback": [scene.person("ops")] });
        scene.set(&format!("/teams/{name}"), team).await;
        scene.set(&format!("/services/{name}"), json!({ "team": name })).await;
        scene
    }

    pub fn person(&self, name: &str) -> String {
        format!("{name}-{}@example.org", self.name)
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, Some(self.deployment.key())).await
    }

    async fn call_with(&self, method: Method, path: &str, body: Option<Value>, key: Option<&str>) -> Answer {
        let (url, client) = self.deployment.api();
        let mut request = client.request(method, format!("{url}{path}")).timeout(SOON);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, kind: kind.unwrap_or_default(), body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Puts an entry into the roster. If the deployment is too busy to answer, the entry is put again, which is safe.
    async fn set(&self, path: &str, entry: Value) {
        for _ in 0..100 {
            let answer = self.put(path, entry.clone()).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{path} cannot be put");
    }

    /// Sends a report with a dedup key until its result is known, as promise 4 allows. Returns the answer and the
    /// number of unknown results.
    async fn put_until_known(&self, report: Value) -> (Answer, u64) {
        for unsure in 0..100 {
            let answer = self.put("/incidents", report.clone()).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return (answer, unsure);
            }
            assert!(answer.body["mayHaveBeenRecorded"].is_boolean(), "{answer:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the result of the report {report} stays unknown");
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub fn report_body(&self) -> Value {
        json!({ "service": self.name, "severity": "CRIT", "title": "5xx Error Spike", "message": "12 % fail" })
    }

    /// Reports an incident and returns its number.
    pub async fn report(&self) -> u64 {
        let answer = self.put("/incidents", self.report_body()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body["incidentId"].as_u64().unwrap()
    }

    pub async fn incident(&self, number: u64) -> Value {
        let answer = self.get(&format!("/incidents/{number}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body
    }

    /// Waits until a person has received that many mails, and returns them.
    pub async fn mails(&self, name: &str, count: usize) -> Vec<String> {
        self.mails_within(name, count, SOON).await
    }

    pub async fn mails_within(&self, name: &str, count: usize, patience: Duration) -> Vec<String> {
        let to = self.person(name);
        for _ in 0..patience.as_millis() / 50 {
            let mails = self.deployment.mails(&to).await;
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{to} did not get {count} mails within {patience:?}")
    }

    /// The number of mails that each person has received after twice the wait.
    pub async fn later(&self, names: [&str; 3]) -> [usize; 3] {
        tokio::time::sleep(WAIT * 2 + Duration::from_secs(2)).await;
        let mut counts = [0; 3];
        for (count, name) in counts.iter_mut().zip(names) {
            *count = self.deployment.mails(&self.person(name)).await.len();
        }
        counts
    }
}

/// Checks that no alert began after the incident was claimed or resolved at `end`, and that each alerted person got one
/// mail for each alert.
pub async fn nothing_more_comes<D: Deployment>(scene: &Scene<'_, D>, number: u64, end: &str) {
    let counts = scene.later(["jo", "kim", "ops"]).await;
    let incident = scene.incident(number).await;
    let ended = time(&incident[end]);
    let began = |e: &&Value| e["event"] == "levelBegan";
    let late = incident["timeline"].as_array().unwrap().iter().filter(began).find(|e| time(&e["at"]) > ended);
    assert!(late.is_none(), "alerts after {end}: {late:?} of {incident:#}");
    for (name, count) in ["jo", "kim", "ops"].into_iter().zip(counts) {
        let to = scene.person(name);
        let its =
            |d: &&Value| d["status"] == "accepted" && d["contact"].as_str().is_some_and(|c| c.ends_with(&to));
        let accepted = incident["deliveries"].as_array().unwrap().iter().filter(its).count();
        assert_eq!(count, accepted, "mails to {to}: {incident:#}");
    }
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// The time when a level began, from the incident's timeline.
fn begun_at(incident: &Value, level: &str) -> DateTime<Utc> {
    let timeline = incident["timeline"].as_array().unwrap();
    let began = |e: &&Value| e["event"] == "levelBegan" && e["level"].to_string().trim_matches('"') == level;
    time(&timeline.iter().find(began).unwrap_or_else(|| panic!("{incident:#}"))["at"])
}

/// The first mail comes at once, the second level is alerted after its wait and not before, and nothing is sent after a
/// claim.
pub async fn p08_p11_escalates_until_it_is_claimed(deployment: &impl Deployment) {
    let scene = Scene::new(deployment, "claims").await;
    let number = scene.report().await;
    let mails = scene.mails("jo", 1).await;
    assert!(mails[0].contains("5xx Error Spike") && mails[0].contains(&format!("#{number}")), "{}", mails[0]);
    scene.mails("kim", 1).await;
    let incident = scene.incident(number).await;
    let waited = begun_at(&incident, "2") - begun_at(&incident, "1");
    assert!(waited >= chrono::TimeDelta::from_std(WAIT).unwrap(), "{waited}");
    let claimed =
        scene.post("/incidents", json!({ "incidentId": number, "state": "CLAIMED", "by": "kim" })).await;
    assert_eq!((claimed.status, &claimed.body["claimedBy"]), (StatusCode::OK, &json!("kim")));
    let again = scene.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "jo" })).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again:?}");
    nothing_more_comes(&scene, number, "claimedAt").await;
}

/// The link in the mail shows a page that changes nothing, and its button claims.
pub async fn p06_the_link_in_the_mail_claims(deployment: &impl Deployment) {
    let scene = Scene::with_long_wait(deployment, "links", "jo").await;
    let number = scene.report().await;
    let mail = scene.mails("jo", 1).await.remove(0);
    let start = mail.find(&format!("/incidents/{number}/claim?token=")).expect("the mail has a link");
    let link: String = mail[start..].chars().take_while(|c| !c.is_whitespace() && *c != '"').collect();
    for method in [Method::GET, Method::HEAD] {
        let page = scene.call_with(method, &link, None, None).await;
        assert_eq!((page.status, page.kind.starts_with("text/html")), (StatusCode::OK, true), "{page:?}");
    }
    assert_eq!(scene.incident(number).await["state"], "OPEN", "opening the page changes nothing");
    assert_eq!(scene.call_with(Method::POST, &link, None, None).await.status, StatusCode::OK);
    let incident = scene.incident(number).await;
    assert_eq!(incident["claimedBy"], json!(scene.person("jo")), "{incident:#}");
    let forged = format!("/incidents/{number}/claim?token=x{}", &link[link.len() - 20..]);
    assert_eq!(scene.call_with(Method::POST, &forged, None, None).await.status, StatusCode::FORBIDDEN);
    nothing_more_comes(&scene, number, "claimedAt").await;
}

/// A release alerts level 1 again, at once.
pub async fn p05_a_release_alerts_again(deployment: &impl Deployment) {
    let scene = Scene::new(deployment, "releases").await;
    let number = scene.report().await;
    scene.mails("jo", 1).await;
    let path = format!("/incidents/{number}");
    let claimed = scene.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await;
    assert_eq!(claimed.status, StatusCode::OK);
    let released = scene.post(&path, json!({ "state": "OPEN", "by": "jo" })).await;
    assert_eq!((released.status, &released.body["round"]), (StatusCode::OK, &json!(2)), "{released:?}");
    scene.mails("jo", 2).await;
    scene.mails("kim", 1).await;
    let resolved = scene.post(&path, json!({ "state": "RESOLVED", "by": "jo" })).await;
    assert_eq!(resolved.status, StatusCode::OK);
    nothing_more_comes(&scene, number, "resolvedAt").await;
    let reopened = scene.post(&path, json!({ "state": "OPEN", "by": "jo" })).await;
    assert_eq!(reopened.status, StatusCode::CONFLICT);
}

/// If nobody is on call, the team's fallback is level 1, and is not alerted twice.
pub async fn p12_the_fallback_is_alerted_if_nobody_is_on_call(deployment: &impl Deployment) {
    let scene = Scene::without_calendar(deployment, "fallbacks").await;
    let number = scene.report().await;
    scene.mails("ops", 1).await;
    assert_eq!(scene.later(["jo", "kim", "ops"]).await, [0, 0, 1]);
    assert_eq!(scene.incident(number).await["unclaimed"], true);
}

/// Fifty concurrent reports with one key are one incident and one mail.
pub async fn p03_reports_at_once_under_one_key_are_one_incident(deployment: &impl Deployment) {
    let scene = Scene::new(deployment, "repeats").await;
    let mut body = scene.report_body();
    body["dedupKey"] = json!("5xx");
    let reports = futures_util::future::join_all((0..50).map(|_| scene.put_until_known(body.clone()))).await;
    let unsure: u64 = reports.iter().map(|(_, unsure)| unsure).sum();
    let new = reports.iter().filter(|(answer, _)| answer.status == StatusCode::CREATED).count();
    let counted = reports.iter().filter(|(answer, _)| answer.status == StatusCode::OK).count();
    // On a busy machine the store may be too slow to say whether it counted one.
    assert!(new + counted == 50 && (new == 1 || (new == 0 && unsure > 0)), "{reports:?}");
    let number = reports[0].0.body["incidentId"].as_u64().unwrap();
    assert!(reports.iter().all(|(answer, _)| answer.body["incidentId"] == number));
    let count = scene.incident(number).await["count"].as_u64().unwrap();
    assert!(
        (50..=50 + unsure).contains(&count),
        "{count} reports were counted, {unsure} with an unknown result"
    );
    let resolved = scene.post(&format!("/incidents/{number}"), json!({ "state": "RESOLVED" })).await;
    assert_eq!(resolved.status, StatusCode::OK);
    let next = scene.put("/incidents", body).await;
    assert_eq!(next.status, StatusCode::CREATED, "the dedup key is free again");
    let claim = json!({ "incidentId": next.body["incidentId"], "state": "CLAIMED", "by": "jo" });
    assert_eq!(scene.post("/incidents", claim).await.status, StatusCode::OK);
}

/// Every route of the contract answers, and invalid input is refused with a problem that names the field.
pub async fn p16_every_route_answers(deployment: &impl Deployment) {
    let scene = Scene::new(deployment, "routes").await;
    let number = scene.report().await;
    let one = format!("/incidents/{number}");
    let ok = StatusCode::OK;
    for (path, part) in [
        (one.as_str(), "timeline"),
        (&format!("/incidents?incidentId={number}"), "timeline"),
        ("/incidents?state=OPEN&service=routes&severity=CRIT&limit=1", "incidents"),
        ("/services/routes", "team"),
        ("/teams/routes", "fallback"),
        ("/teams/routes/oncall", "day"),
        ("/teams/routes/oncall?at=2026-12-24T00:00:00Z", "day"),
        ("/healthz", "status"),
        ("/readyz", "status"),
        ("/openapi.json", "openapi"),
    ] {
        let answer = scene.get(path).await;
        assert_eq!((answer.status, answer.body.get(part).is_some()), (ok, true), "{path}: {answer:?}");
    }
    let metrics = scene.get("/metrics").await;
    assert!(metrics.body.as_str().unwrap().contains("inresponse_incidents{state=\"open\"}"), "{metrics:?}");
    let listed = scene.get("/incidents?service=routes&limit=1").await.body;
    assert_eq!(listed["incidents"][0]["incidentId"], number);
    let claim = json!({ "incidentId": number, "state": "CLAIMED", "by": "jo" });
    assert_eq!(scene.post("/incidents", claim).await.status, ok);
    assert_eq!(scene.post(&one, json!({ "severity": "WARN", "note": "it gets better" })).await.status, ok);
    let refused: [(Method, &str, Value, u16, &str); 9] = [
        (Method::PUT, "/incidents", json!({ "service": "routes" }), 400, "severity"),
        (Method::PUT, "/incidents", json!({ "service": "routes", "colour": "red" }), 400, "colour"),
        (
            Method::PUT,
            "/incidents",
            json!({ "service": "nobody's", "severity": "ERR", "title": "x", "message": "" }),
            422,
            "service",
        ),
        (Method::POST, "/incidents", json!({ "incidentId": 7, "state": "CLAIMED" }), 404, ""),
        (Method::POST, &one, json!({ "state": "ASLEEP" }), 400, "state"),
        (Method::PUT, "/teams/routes", json!({ "fallback": [] }), 400, "fallback"),
        (Method::PUT, "/teams/routes/calendar/2026-13-01", json!({ "oncall": "a@b.c" }), 400, "day"),
        (Method::PUT, "/services/other", json!({ "team": "no such team" }), 422, "team"),
        (Method::DELETE, "/teams/routes", Value::Null, 409, ""),
    ];
    for (method, path, body, status, field) in refused {
        let body = (!body.is_null()).then_some(body);
        let answer = scene.call(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        assert_eq!(answer.kind, "application/problem+json", "{path}: {answer:?}");
        let errors = answer.body["errors"].as_array().unwrap();
        assert!(field.is_empty() || errors.iter().any(|e| e["field"] == field), "{path}: {answer:?}");
    }
    for key in [None, Some("wrong")] {
        assert_eq!(scene.call_with(Method::GET, &one, None, key).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(scene.get("/nowhere").await.status, StatusCode::NOT_FOUND);
    let today = scene.get("/teams/routes/oncall").await.body["day"].as_str().unwrap().to_owned();
    let gone = StatusCode::NO_CONTENT;
    for (path, status) in [
        (format!("/teams/routes/calendar/{today}"), gone),
        ("/services/routes".to_owned(), gone),
        ("/teams/routes".to_owned(), gone),
        ("/teams/routes".to_owned(), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(scene.call(Method::DELETE, &path, None).await.status, status, "{path}");
    }
}
