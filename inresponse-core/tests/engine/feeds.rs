//! Calendar feeds that are read when they are due: promise 18.

use std::sync::{Arc, Mutex};

use inresponse_core::feeds::{self, Ask, Calendars, Feeds, Fetched};
use inresponse_core::memory::MemorySettings;
use inresponse_core::model::ScheduleName;
use inresponse_core::roster::{Entry, Feed, FeedCopy, FeedEvent, FeedRole, FindingKind, Schedule, Zone};

use crate::support::{Stage, after, person, secs, team};

/// Calendars that answer what they are told to, take that long, and remember who was asked.
#[derive(Debug, Clone)]
struct Shelf {
    clock: inresponse_core::testing::ManualClock,
    takes: std::time::Duration,
    answer: Arc<Mutex<Fetched>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Calendars for Shelf {
    async fn fetch(&self, feed: &Feed, _: &Ask, _: std::time::Duration) -> Fetched {
        self.asked.lock().unwrap().push(feed.url.rsplit('/').next().unwrap().to_owned());
        self.clock.advance(self.takes);
        self.answer.lock().unwrap().clone()
    }
}

impl Shelf {
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn read() -> Fetched {
    let event = FeedEvent { from: after(0), to: after(3600), names: vec!["jo".to_owned()] };
    Fetched::Read { copy: FeedCopy { events: vec![event], findings: Vec::new() }, etag: None }
}

/// A schedule with these feeds.
async fn fed(names: &[&str], takes: u64) -> (Stage, Shelf, Feeds, MemorySettings) {
    let stage = Stage::new(&["a"]).await;
    let feed =
        |name: &&str| Feed { url: format!("https://calendar.example.org/{name}"), role: FeedRole::Base };
    let schedule = Schedule::new(Zone::utc(), Vec::new(), names.iter().map(feed).collect()).unwrap();
    let entry = Entry::schedule(&team("devops"), &ScheduleName::new("primary").unwrap(), schedule);
    stage.engine.edit_roster(&person("admin"), &[entry.into()]).await.unwrap();
    let shelf = Shelf {
        clock: stage.clock.clone(),
        takes: secs(takes),
        answer: Arc::new(Mutex::new(read())),
        asked: Arc::default(),
    };
    let settings = MemorySettings::new();
    let feeds = Feeds::new(stage.engine.clone(), Arc::new(settings.clone()), shelf.clone());
    (stage, shelf, feeds, settings)
}

#[tokio::test]
async fn p18_a_feed_is_read_every_ten_minutes_and_a_failure_changes_only_its_age() {
    let (stage, shelf, feeds, settings) = fed(&["a.ics"], 0).await;
    assert_eq!(feeds.tick().await.unwrap(), 1);
    assert_eq!(feeds.tick().await.unwrap(), 0, "it is not due");
    let copies = async || {
        let book = stage.engine.book().await.unwrap();
        let timetable = book.timetable(&team("devops"), &ScheduleName::new("primary").unwrap()).unwrap();
        timetable.copies().values().map(|copy| copy.events.len()).collect::<Vec<_>>()
    };
    assert_eq!(copies().await, [1]);
    *shelf.answer.lock().unwrap() = Fetched::Failed { reason: "it answered 500".to_owned() };
    for _ in 0..7 {
        stage.clock.advance(secs(600));
        assert_eq!(feeds.tick().await.unwrap(), 0);
    }
    assert_eq!((shelf.asked().len(), copies().await), (8, vec![1]));
    let found = feeds::coverage(&stage.engine, &settings, None, 1).await.unwrap();
    let stale = found[&team("devops")].iter().find(|finding| finding.kind == FindingKind::StaleFeed);
    assert!(stale.unwrap().detail.ends_with("it answered 500"), "{found:?}");
}

#[tokio::test]
async fn a_process_with_a_time_limit_reads_first_what_was_due_for_longest() {
    let (stage, shelf, feeds, _) = fed(&["a.ics", "b.ics", "c.ics", "d.ics"], 10).await;
    feeds.tick_within(2, secs(60)).await.unwrap();
    let first = shelf.asked();
    assert_eq!(first.len(), 2, "no more than it may");
    stage.clock.advance(secs(600));
    // A reading may begin after 0 and after 10 s, and not after 20 s.
    feeds.tick_within(40, secs(15)).await.unwrap();
    let second = shelf.asked();
    assert_eq!(second.len(), 2, "no longer than it may");
    assert!(second.iter().all(|name| !first.contains(name)), "{first:?}, then {second:?}");
    feeds.tick_within(40, secs(600)).await.unwrap();
    assert_eq!(shelf.asked(), first, "the rest stays due");
}
