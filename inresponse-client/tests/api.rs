//! The client and the real router over a socket.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::time::Duration;

use async_trait::async_trait;
use inresponse_client::{
    Client, ClientConfig, ClientErrorKind as Kind, DayEntry, ListQuery, Report, Reported, Severity, State,
    TeamSettings, Update,
};
use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_http::{Api, ApiKey, Keys, Scope, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Debug)]
struct Mail;

#[async_trait]
impl Notifier for Mail {
    async fn notify(&self, _: &Alert, _: Duration) -> Outcome {
        Outcome::Accepted
    }
}

/// The API below a path, as in the cloud, and who may use it.
async fn served() -> (String, Client) {
    let notifiers = Notifiers::new().mail(Mail);
    let engine =
        Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, SystemClock::new()).build();
    let key =
        |name: &str, scopes: &[Scope]| ApiKey::from_plain(name, &format!("{name}-test-key"), scopes.to_vec());
    let keys = vec![key("admin", &Scope::ALL).unwrap(), key("monitoring", &[Scope::Report]).unwrap()];
    let app = axum::Router::new().nest("/prod", router(Api::new(engine, Keys::new(keys))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prod/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = client(&url, Some("admin-test-key"));
    client.put_team("devops", &TeamSettings::new(vec!["ops@example.org".to_owned()])).await.unwrap();
    client.put_service("athens", "devops").await.unwrap();
    (url, client)
}

fn client(url: &str, key: Option<&str>) -> Client {
    let config = ClientConfig::new(url).timeout(Duration::from_secs(60));
    Client::new(key.into_iter().fold(config, |config, key| config.key(key))).unwrap()
}

fn report() -> Report {
    Report::new("athens", Severity::Err, "5xx", "12 %")
}

async fn reported(client: &Client, report: &Report) -> u64 {
    match client.report(report).await.unwrap() {
        Reported::New(incident) => incident.incident_id,
        other => panic!("{other:?} is not new"),
    }
}

#[tokio::test]
async fn p03_a_report_is_new_or_a_repeat() {
    let (_, client) = served().await;
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let report = report().dedup_key("a/b").source("nagios").detected_at(at).label("env", "prod");
    let report = report.link("graph", "https://x.example/");
    let number = reported(&client, &report).await;
    let Reported::Repeat(incident) = client.report(&report).await.unwrap() else { panic!("it is open") };
    assert_eq!((incident.incident_id, incident.count), (number, 2));
    assert_eq!((incident.severity, incident.state), (Severity::Err, State::Open));
    assert_eq!((incident.detected_at, incident.source.as_deref()), (at, Some("nagios")));
    assert_eq!((incident.labels["env"].as_str(), incident.links[0].text.as_str()), ("prod", "graph"));
}

#[tokio::test]
async fn p05_p06_an_incident_goes_through_its_states_and_a_conflict_says_who_has_it() {
    let (_, client) = served().await;
    let number = reported(&client, &report()).await;
    let claimed = client.update(number, &Update::claim().by("jo")).await.unwrap();
    assert_eq!(claimed.incident.claimed_by.as_deref(), Some("jo"));
    let error = client.update(number, &Update::claim().by("kim")).await.unwrap_err();
    assert_eq!((error.kind(), error.claimed_by()), (Kind::Conflict, Some("jo")));
    let taken = client.update(number, &Update::claim().by("kim").take_over()).await.unwrap();
    assert_eq!(taken.incident.claimed_by.as_deref(), Some("kim"));
    let noted = client.update(number, &Update::note("on it").by("kim")).await.unwrap();
    assert_eq!(noted.timeline.last().unwrap().note.as_deref(), Some("on it"));
    let raised = client.update(number, &Update::severity(Severity::Crit)).await.unwrap();
    assert_eq!(raised.incident.severity, Severity::Crit);
    let released = client.update(number, &Update::release().by("kim")).await.unwrap();
    assert_eq!((released.incident.state, released.incident.round), (State::Open, 2));
    let handed = client.update(number, &Update::hand_to("lee").by("kim")).await.unwrap();
    assert_eq!(handed.incident.claimed_by.as_deref(), Some("lee"));
    let called = client.update(number, &Update::escalate()).await.unwrap();
    assert_eq!(
        called.incident.claimed_by.as_deref(),
        Some("lee"),
        "the next level is called in, and the claim stays"
    );
    let error = client.update(number, &Update::hand_to_team("nobody")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    let resolved = client.update(number, &Update::resolve().with_note("done")).await.unwrap();
    assert_eq!(
        (&resolved.incident.state, resolved.incident.resolved_by.as_deref()),
        (&State::Resolved, Some("admin"))
    );
    assert_eq!(client.update(number, &Update::claim()).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(client.incident(number).await.unwrap(), resolved);
}

#[tokio::test]
async fn a_list_goes_through_all_its_pages() {
    let (_, client) = served().await;
    let mut numbers = Vec::new();
    for _ in 0..7 {
        numbers.push(reported(&client, &report()).await);
    }
    client.update(numbers[0], &Update::resolve()).await.unwrap();
    let mut pages = client.pages(ListQuery::new().state(State::Open).service("athens").limit(2));
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        listed.push(page.incidents.iter().map(|incident| incident.incident_id).collect::<Vec<_>>());
    }
    let of = async |team: &str| client.list(&ListQuery::new().team(team)).await.unwrap().incidents.len();
    assert_eq!((of("devops").await, of("nobody").await), (7, 0));
    numbers.reverse();
    assert_eq!(listed, [&numbers[..2], &numbers[2..4], &numbers[4..6]]);
    assert!(client.list(&ListQuery::new().severity(Severity::Crit)).await.unwrap().incidents.is_empty());
}

#[tokio::test]
async fn the_roster_is_written_read_and_deleted() {
    let (_, client) = served().await;
    let mut settings = TeamSettings::new(vec!["ops@example.org".to_owned()]);
    settings.timezone = Some("Europe/Athens".to_owned());
    let team = client.put_team("a/b ü", &settings).await.unwrap();
    assert_eq!((team.team.as_str(), team.timezone.as_str(), team.repeat), ("a/b ü", "Europe/Athens", 0));
    assert_eq!(client.team("a/b ü").await.unwrap(), team);
    let day = "2026-12-24".parse().unwrap();
    let rota = DayEntry::new(vec!["jo@example.org".into()], vec![vec!["kim@example.org".into()]]);
    let written = client.put_day("a/b ü", day, &rota).await.unwrap();
    assert_eq!(client.day("a/b ü", day).await.unwrap(), written);
    let at = "2026-12-24T12:00:00Z".parse().unwrap();
    let on_call = client.on_call("a/b ü", Some(at)).await.unwrap();
    assert_eq!((on_call.day, on_call.at), (day, at));
    assert_eq!(on_call.levels, [vec!["jo@example.org".to_owned()], vec!["kim@example.org".to_owned()]]);
    client.delete_day("a/b ü", day).await.unwrap();
    assert_eq!(client.day("a/b ü", day).await.unwrap_err().kind(), Kind::NotFound);
    client.delete_team("a/b ü").await.unwrap();
    assert_eq!(client.delete_team("devops").await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(client.service("athens").await.unwrap().team, "devops");
    client.delete_service("athens").await.unwrap();
    assert_eq!(client.service("athens").await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn p16_errors_say_what_is_wrong() {
    let (url, admin) = served().await;
    let error = admin.report(&Report::new("", Severity::Warn, "", "x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    let fields: Vec<_> = error.fields().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["service", "title"]);
    let unknown = admin.report(&Report::new("nobody", Severity::Warn, "x", "x")).await.unwrap_err();
    assert_eq!((unknown.kind(), unknown.fields()[0].field.as_str()), (Kind::Invalid, "service"));
    assert_eq!(admin.incident(1).await.unwrap_err().kind(), Kind::NotFound);
    for key in [None, Some("another-test-key"), Some("monitoring-test-key")] {
        assert_eq!(client(&url, key).incident(1).await.unwrap_err().kind(), Kind::Unauthorized);
    }
    let shown = format!("{:?}", client(&url, Some("monitoring-test-key")));
    assert!(!shown.contains("monitoring-test-key"), "{shown}");
    for wrong in ["here", "ftp://x", "mailto:a@b.c"] {
        assert_eq!(Client::new(ClientConfig::new(wrong)).unwrap_err().kind(), Kind::Config);
    }
}

/// Answers one request with that, and hangs up; says nothing where that is empty.
async fn answering(answer: &'static str) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = Vec::with_capacity(4096);
            stream.read_buf(&mut buffer).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    client(&url, Some("key"))
}

#[tokio::test]
async fn p04_unknown_is_told_from_certainly_not() {
    for (answer, change, question) in [
        ("", Kind::UnknownCommit, Kind::Transport),
        ("HTTP/1.1 201 Created\r\ncontent-length: 999\r\n\r\n{", Kind::UnknownCommit, Kind::Transport),
        ("HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n", Kind::UnknownCommit, Kind::Overloaded),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", Kind::UnknownCommit, Kind::Protocol),
        ("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", Kind::Protocol, Kind::Protocol),
        (
            "HTTP/1.1 503 No\r\ncontent-length: 29\r\nretry-after: 7\r\n\r\n{\"mayHaveBeenRecorded\":false}",
            Kind::Overloaded,
            Kind::Overloaded,
        ),
        (
            "HTTP/1.1 503 No\r\ncontent-length: 28\r\nretry-after: 7\r\n\r\n{\"mayHaveBeenRecorded\":true}",
            Kind::UnknownCommit,
            Kind::Overloaded,
        ),
    ] {
        let client = answering(answer).await;
        let error = client.report(&report()).await.unwrap_err();
        assert_eq!(error.kind(), change, "{answer}: {error}");
        assert_eq!(error.may_have_been_recorded(), change == Kind::UnknownCommit);
        assert_eq!(error.retry_after(), answer.contains("retry").then_some(Duration::from_secs(7)));
        assert_eq!(client.incident(1).await.unwrap_err().kind(), question, "{answer}");
    }
    // Nobody is there.
    let error = client("http://127.0.0.1:9", None).report(&report()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transport);
}

#[tokio::test]
async fn changes_of_the_roster_are_read_page_by_page() {
    let (url, admin) = served().await;
    admin.delete_service("athens").await.unwrap();
    let first = admin.roster_changes(2, None).await.unwrap();
    let told: Vec<_> = first.changes.iter().map(|change| (&*change.by, &*change.what)).collect();
    let expected = [
        ("admin", "service athens: deleted (was assigned to devops)"),
        ("admin", "service athens: assigned to devops (was unassigned)"),
    ];
    assert_eq!(told, expected);
    let last = admin.roster_changes(2, first.cursor.as_deref()).await.unwrap();
    assert!(last.changes.len() == 1 && last.changes[0].what.starts_with("team devops: "), "{last:?}");
    assert_eq!(last.cursor, None);
    assert_eq!(admin.roster_changes(0, None).await.unwrap_err().kind(), Kind::Invalid);
    let reporting = client(&url, Some("monitoring-test-key"));
    assert_eq!(reporting.roster_changes(2, None).await.unwrap_err().kind(), Kind::Unauthorized);
}
