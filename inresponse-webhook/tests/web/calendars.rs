//! Calendar feeds over real sockets, kept in a real database file.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::Engine;
use inresponse_core::clock::Clock;
use inresponse_core::feeds::{self, FeedStatus, Feeds};
use inresponse_core::model::{Contact, Person, ScheduleName, TeamName, Zone};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Feed, FeedCopy, FindingKind, Roster, Schedule, Team};
use inresponse_core::testing::ManualClock;
use inresponse_sqlite::{Database, SqliteConfig};
use inresponse_webhook::{CalendarFetcher, WebhookConfig};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T080000Z\r\n\
    DTEND:20261201T160000Z\r\nSUMMARY:jo\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART:20261202T080000Z\r\n\
    DTEND:20261202T160000Z\r\nSUMMARY:kim\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const MARK: &str = "\"first\"";

/// What the server of the calendar does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Answer(&'static str, &'static str),
    /// Answers 304 if the request has the mark of the first answer, otherwise the calendar.
    AnswerUnchanged,
    CloseWithoutAnswer,
    /// Sends half of the calendar, although it announced all of it.
    SendHalf,
    /// Sends 50 MB, or as much of it as the client takes.
    SendFiftyMegabytes,
}

async fn answer(stream: TcpStream, does: Does) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut has_mark) = (String::new(), false);
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        has_mark |= line.to_ascii_lowercase().starts_with("if-none-match") && line.contains(MARK);
    }
    let whole = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\netag: {MARK}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    match does {
        Does::Answer(status, body) => stream.write_all(whole(status, body).as_bytes()).await.ok(),
        Does::AnswerUnchanged if has_mark => {
            stream.write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n").await.ok()
        }
        Does::AnswerUnchanged => stream.write_all(whole("200 OK", CALENDAR).as_bytes()).await.ok(),
        Does::CloseWithoutAnswer => None,
        Does::SendHalf => {
            let whole = whole("200 OK", CALENDAR);
            stream.write_all(&whole.as_bytes()[..whole.len() - CALENDAR.len() / 2]).await.ok()
        }
        Does::SendFiftyMegabytes => {
            let event = CALENDAR.lines().skip(2).take(6).fold(String::new(), |all, line| all + line + "\r\n");
            let (times, size) = (50_000_000 / event.len(), 50_000_000 / event.len() * event.len());
            let head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n";
            let announced = size + head.len();
            let start = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n{head}");
            stream.write_all(start.as_bytes()).await.ok()?;
            for _ in 0..times {
                stream.write_all(event.as_bytes()).await.ok()?;
            }
            Some(())
        }
    }
}

/// A server of one calendar. Returns its URL.
async fn server(does: Arc<Mutex<Does>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/on-call.ics", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let does = *does.lock().unwrap();
            tokio::spawn(async move {
                let _closed = answer(stream, does).await;
            });
        }
    });
    url
}

/// A schedule whose only source is a feed, in a database file that outlives each process.
struct Scene<'a> {
    file: &'a Path,
    clock: ManualClock,
    team: TeamName,
    schedule: ScheduleName,
    feed: Feed,
}

/// What the database has of the feed.
#[derive(Debug, PartialEq)]
struct Kept {
    copy: Option<FeedCopy>,
    status: FeedStatus,
    changes: usize,
}

impl Scene<'_> {
    async fn database(&self) -> Database {
        Database::open(SqliteConfig::new(self.file)).await.unwrap()
    }

    fn engine(&self, database: &Database) -> Engine {
        Engine::builder(database.store(), database.roster(), Notifiers::new(), self.clock.clone()).build()
    }

    /// Starts a process that looks once for due feeds, and ends it. Returns what is kept then.
    async fn process(&self) -> Kept {
        let database = self.database().await;
        let engine =
            Engine::builder(database.store(), database.roster(), Notifiers::new(), self.clock.clone())
                .build();
        let fetcher = CalendarFetcher::new(&WebhookConfig::new().allow_internal("127.0.0.1")).unwrap();
        let _read = Feeds::new(engine, Arc::new(database.clone()), fetcher).tick().await.unwrap();
        drop(database);
        self.kept().await
    }

    async fn kept(&self) -> Kept {
        let (database, now) = (self.database().await, self.clock.now());
        let roster = database.roster();
        let directory = roster.directory(&self.team, now, now).await.unwrap();
        let timetables = directory.book().timetables(&self.team);
        let copy = timetables.filter_map(|(_, timetable)| timetable.copy(&self.feed.id())).next();
        Kept {
            copy: copy.map(|copy| (**copy).clone()),
            status: feeds::status(&database, &self.team, &self.schedule, &self.feed.id()).await.unwrap(),
            changes: roster.changes(None, 100).await.unwrap().len(),
        }
    }

    async fn is_stale(&self) -> bool {
        let database = self.database().await;
        let engine = self.engine(&database);
        let found = feeds::coverage(&engine, &database, Some(&self.team), 1).await.unwrap();
        found[&self.team].iter().any(|finding| finding.kind == FindingKind::StaleFeed)
    }
}

#[tokio::test]
async fn p18_whatever_a_feed_answers_only_its_age_changes_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let does = Arc::new(Mutex::new(Does::Answer("200 OK", CALENDAR)));
    let url = server(Arc::clone(&does)).await;
    let feed: Feed = serde_json::from_value(json!({ "url": url, "as": "base" })).unwrap();
    let at: DateTime<Utc> = "2026-11-30T08:00:00Z".parse().unwrap();
    let scene = Scene {
        file: &folder.path().join("inresponse.db"),
        clock: ManualClock::at(at),
        team: TeamName::new("web").unwrap(),
        schedule: ScheduleName::new("primary").unwrap(),
        feed: feed.clone(),
    };
    let fallback = vec![Contact::new("ops@example.org").unwrap()];
    let schedule = Schedule::new(Zone::utc(), Vec::new(), vec![feed]).unwrap();
    let edits = [
        Entry::team(&scene.team, Team::builder(fallback).build().unwrap()).into(),
        Entry::schedule(&scene.team, &scene.schedule, schedule).into(),
    ];
    let by = Person::new("test").unwrap();
    let _ = scene.database().await.roster().apply(&by, at, &edits).await.unwrap();

    let good = scene.process().await;
    assert_eq!(good.copy.as_ref().map(|copy| copy.events.len()), Some(2), "{good:?}");
    assert_eq!(good.status.good_at, Some(at));
    for (n, bad) in [
        Does::Answer("500 Internal Server Error", CALENDAR),
        Does::Answer("404 Not Found", CALENDAR),
        Does::Answer("204 No Content", ""),
        Does::Answer("200 OK", ""),
        Does::Answer("200 OK", "<!doctype html><title>Sign in</title><p>BEGIN:VCALENDAR"),
        Does::Answer("200 OK", &CALENDAR[..CALENDAR.len() / 2]),
        Does::Answer("302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/", ""),
        Does::CloseWithoutAnswer,
        Does::SendHalf,
        Does::SendFiftyMegabytes,
    ]
    .into_iter()
    .enumerate()
    {
        *does.lock().unwrap() = bad;
        scene.clock.advance(Duration::from_secs(11 * 60));
        let kept = scene.process().await;
        assert_eq!((&kept.copy, kept.changes), (&good.copy, good.changes), "{bad:?}");
        assert_eq!((kept.status.good_at, &kept.status.etag), (Some(at), &good.status.etag), "{bad:?}");
        assert!(kept.status.failure.is_some(), "{bad:?}: {kept:?}");
        assert_eq!(scene.is_stale().await, (n + 1) * 11 > 60, "after {bad:?}");
    }
    // Only a change of its age makes the copy good again.
    *does.lock().unwrap() = Does::AnswerUnchanged;
    scene.clock.advance(Duration::from_secs(11 * 60));
    let kept = scene.process().await;
    assert_eq!((&kept.copy, kept.changes), (&good.copy, good.changes));
    assert_eq!((kept.status.good_at, kept.status.failure), (Some(scene.clock.now()), None));
    assert!(!scene.is_stale().await);
}
