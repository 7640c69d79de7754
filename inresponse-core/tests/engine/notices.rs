//! What people are told about the roster: that their shifts begin or change, and what the coverage check finds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inresponse_core::Engine;
use inresponse_core::engine::{Reported, RosterEdited, Updated};
use inresponse_core::feeds;
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::model::{
    Contact, MethodName, OverrideId, PersonId, Report, ScheduleName, Scheme, ServiceName, Severity, Zone,
};
use inresponse_core::notices::Notices;
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{
    DayAhead, Entry, FindingKind, Layer, Override, Profile, RosterEdit, Schedule, ShiftNotices, Target, Team,
    TeamLevel,
};
use inresponse_core::testing::ManualClock;
use serde_json::{Value, json};

use crate::support::{person, secs, team};

/// Takes every notice, or answers what it was told to.
#[derive(Debug, Clone, Default)]
struct Post {
    sent: Arc<Mutex<Vec<String>>>,
    refuses: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Notifier for Post {
    async fn notify(&self, alert: &Alert, _: Duration) -> Outcome {
        let notice = alert.as_notice().unwrap();
        let next = notice.facts.iter().find(|(name, _)| name == "Alerted next");
        let next = next.map(|(_, next)| format!(" ({next})")).unwrap_or_default();
        let text = format!("{}: {}{next}\n{}", alert.contact(), notice.title, notice.message);
        self.sent.lock().unwrap().push(text.trim().to_owned());
        match self.refuses.load(Ordering::Relaxed) {
            true => Outcome::Unavailable { reason: "no server".to_owned() },
            false => Outcome::Accepted,
        }
    }
}

/// A server, its clock, and the messages that it sends.
struct Scene {
    clock: ManualClock,
    engine: Engine,
    notices: Notices,
    settings: MemorySettings,
    post: Post,
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

impl Scene {
    /// Team `web` with a rotation of jo and lee, and kim above them. It begins on Sunday, 6 December 2026, 12:00 UTC; the
    /// turns change on Mondays at 09:00 UTC.
    async fn new(notices: Option<ShiftNotices>) -> Self {
        let clock = ManualClock::at("2026-12-06T12:00:00Z".parse().unwrap());
        let post = Post::default();
        let notifiers = Notifiers::new().mail(post.clone()).with(Scheme::new("slack").unwrap(), post.clone());
        let engine =
            Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();
        let settings = MemorySettings::new();
        let scene = Self {
            notices: Notices::new(engine.clone(), Arc::new(settings.clone())),
            clock,
            engine,
            settings,
            post,
        };
        let mut settings = Team::builder(vec!["person:kim".parse::<Target>().unwrap()])
            .timezone(Zone::new("Europe/Athens").unwrap())
            .levels(["schedule:primary", "person:kim"].map(level).into());
        if let Some(notices) = notices {
            settings = settings.shift_notices(notices);
        }
        scene.edit("admin", profile("jo", DayAhead::NotAsked)).await;
        scene.edit("admin", profile("kim", DayAhead::NotAsked)).await;
        scene.edit("admin", profile("lee", DayAhead::Asked)).await;
        let schedule = schedule(vec![layer("all", &["person:jo", "person:lee"], json!([]))]);
        let settings = Entry::team(&team("web"), settings.build().unwrap());
        let edits = [settings.into(), schedule.into()];
        let _ = scene.engine.edit_roster(&person("admin"), &edits).await.unwrap();
        scene
    }

    async fn edit(&self, by: &str, entry: Entry) {
        let edits = [RosterEdit::from(entry)];
        let edited = self.engine.edit_roster(&person(by), &edits).await.unwrap();
        assert!(matches!(edited, RosterEdited::Done(_)), "{edited:?}");
    }

    /// Somebody puts `who`, or nobody, on call in place of everybody.
    async fn swap(&self, by: &str, id: &str, from: &str, to: &str, who: Option<&str>) {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let who = who.iter().map(|who| who.parse().unwrap()).collect();
        let one = Override::new(from, to, who, None, None).unwrap();
        let (schedule, id) = (ScheduleName::new("primary").unwrap(), OverrideId::new(id).unwrap());
        self.edit(by, Entry::stand_in(&team("web"), &schedule, &id, one)).await;
    }

    /// Moves the clock in steps of half a minute or more, and looks for notices after each.
    async fn pass(&self, seconds: u64) {
        let step = (seconds / 200).max(30);
        for _ in 0..seconds / step {
            self.clock.advance(secs(step));
            self.notices.tick().await.unwrap();
        }
    }

    /// What was sent since the last call, and to whom, in order.
    fn told(&self) -> Vec<String> {
        let mut sent = std::mem::take(&mut *self.post.sent.lock().unwrap());
        sent.sort();
        sent
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn layer(name: &str, members: &[&str], hours: Value) -> Layer {
    let members: Vec<_> = members.iter().map(|who| json!({ "who": [who] })).collect();
    let layer = json!({
        "name": name, "members": members, "from": "2026-12-07T09:00",
        "turn": { "every": 1, "unit": "week", "count": "elapsed" }, "hours": hours,
    });
    serde_json::from_value(layer).unwrap()
}

fn schedule(layers: Vec<Layer>) -> Entry {
    let schedule = Schedule::new(Zone::utc(), layers, Vec::new()).unwrap();
    Entry::schedule(&team("web"), &ScheduleName::new("primary").unwrap(), schedule)
}

fn level(target: &str) -> TeamLevel {
    TeamLevel { notify: vec![target.parse().unwrap()], wait: None }
}

fn profile(id: &str, notice: DayAhead) -> Entry {
    let mail = Contact::new(format!("{id}@example.org")).unwrap();
    let call = Contact::new("tel:+302101234567").unwrap();
    let methods = [(MethodName::new("call").unwrap(), call), (MethodName::new("mail").unwrap(), mail)];
    let profile = Profile::builder(methods.into()).day_ahead_notice(notice).build().unwrap();
    Entry::person(&PersonId::new(id).unwrap(), profile)
}

#[tokio::test]
async fn who_goes_on_call_is_told_once_with_the_end_and_who_is_above() {
    let channel = Some(Contact::new("slack:web").unwrap());
    let scene = Scene::new(Some(ShiftNotices { channel })).await;
    scene.pass(20 * 3600).await;
    assert_eq!(scene.told(), [""; 0], "nothing began");
    scene.pass(2 * 3600).await;
    let until = "until Mon 14 Dec 2026 11:00 EET";
    assert_eq!(
        scene.told(),
        [
            format!("jo@example.org: You are on call for web {until} (kim)"),
            format!("slack:web: jo is on call for web {until} (kim)"),
        ]
    );
    // lee asked to be told a day ahead.
    scene.pass(6 * DAY).await;
    assert_eq!(scene.told(), ["lee@example.org: You go on call for web on Mon 14 Dec 2026 11:00 EET (kim)"]);
    scene.pass(DAY).await;
    let told = scene.told();
    assert_eq!(told.iter().filter(|told| told.contains("on call for web")).count(), 2, "{told:#?}");
}

#[tokio::test]
async fn nobody_is_notified_of_shifts_unless_the_team_wants_it() {
    let scene = Scene::new(None).await;
    scene.pass(2 * DAY).await;
    // The first weekly mail comes no earlier than a day after the team was seen first.
    assert_eq!(scene.told(), [""; 0]);
    let settings = Team::builder(vec!["person:kim".parse::<Target>().unwrap()]);
    let settings = settings.levels(["schedule:primary", "person:kim"].map(level).into());
    let settings = settings.shift_notices(ShiftNotices::default()).build().unwrap();
    scene.edit("admin", Entry::team(&team("web"), settings)).await;
    scene.pass(3600).await;
    assert_eq!(scene.told(), [""; 0], "what began before is not told");
}

#[tokio::test]
async fn a_person_whose_coming_shift_somebody_else_changes_is_told() {
    let scene = Scene::new(None).await;
    // While a team is new, it is still being set up.
    scene.pass(10 * MINUTE).await;
    scene.swap("admin", "early", "2026-12-24T09:00Z", "2026-12-24T10:00Z", Some("person:lee")).await;
    scene.pass(3600).await;
    assert_eq!(scene.told(), [""; 0]);
    // lee covers two hours of jo.
    scene.swap("lee", "cover", "2026-12-08T10:00Z", "2026-12-08T12:00Z", Some("person:lee")).await;
    scene.pass(10 * MINUTE).await;
    let removed = "Removed: Tue 8 Dec 2026 12:00 EET to Tue 8 Dec 2026 14:00 EET, level 1";
    assert_eq!(scene.told(), [format!("jo@example.org: Your shifts for web were changed by lee\n{removed}")]);
    scene.swap("kim", "swap", "2026-12-09T10:00Z", "2026-12-09T12:00Z", Some("person:lee")).await;
    scene.swap("kim", "later", "2026-12-10T10:00Z", "2026-12-10T12:00Z", Some("person:lee")).await;
    scene.pass(10 * MINUTE).await;
    let told = scene.told();
    assert_eq!(told.len(), 2, "each of the two gets one mail: {told:#?}");
    assert!(told[1].starts_with("lee@example.org: Your shifts for web were changed by kim\nAdded: Wed 9"));
    assert_eq!(told[1].lines().count(), 3, "{told:#?}");
    // The passing of time changes nothing.
    scene.pass(3 * DAY).await;
    assert_eq!(scene.told(), [""; 0]);
}

#[tokio::test]
async fn the_fallback_gets_one_mail_a_week_if_there_is_anything() {
    let scene = Scene::new(None).await;
    // jo by day and lee by night, so that nobody has long hours.
    let hours = |from: &str, to: &str| json!([{ "days": DAYS, "from": from, "to": to }]);
    let layers = vec![
        layer("day", &["person:jo"], hours("08:00", "20:00")),
        layer("night", &["person:lee"], hours("20:00", "08:00")),
    ];
    scene.edit("admin", schedule(layers)).await;
    let findings = || scene.told().into_iter().filter(|told| told.contains("finding")).collect::<Vec<_>>();
    scene.pass(9 * DAY).await;
    assert_eq!(findings(), [""; 0], "there is nothing");
    scene.swap("jo", "gap", "2026-12-30T09:00Z", "2026-12-30T10:00Z", None).await;
    scene.pass(5 * DAY).await;
    assert_eq!(findings(), [""; 0], "it is not Monday yet");
    // No server runs on Monday, 21 December, at nine.
    scene.clock.advance(secs(2 * DAY));
    scene.notices.tick().await.unwrap();
    let told = findings();
    assert_eq!(told.len(), 1, "{told:#?}");
    let lines: Vec<&str> = told[0].lines().collect();
    assert_eq!(lines[0], "kim@example.org: The roster of web has 2 findings");
    let gap = "(Wed 30 Dec 2026 11:00 EET to Wed 30 Dec 2026 12:00 EET)";
    assert_eq!(lines[1], format!("nobody is on call in schedule primary {gap}"));
    scene.pass(5 * DAY).await;
    assert_eq!(findings(), [""; 0], "one a week");
    scene.pass(2 * DAY).await;
    assert_eq!(findings().len(), 1, "on Monday, 28 December");
}

#[tokio::test]
async fn what_is_missed_is_told_late_and_a_refusal_is_tried_again() {
    let scene = Scene::new(Some(ShiftNotices::default())).await;
    scene.pass(3600).await;
    // No server runs on Monday.
    scene.clock.advance(secs(2 * DAY));
    scene.post.refuses.store(true, Ordering::Relaxed);
    scene.notices.tick().await.unwrap();
    assert_eq!(scene.told().len(), 1);
    scene.notices.tick().await.unwrap();
    assert_eq!(scene.told().len(), 0, "not again at once");
    scene.post.refuses.store(false, Ordering::Relaxed);
    scene.pass(10 * MINUTE).await;
    assert_eq!(
        scene.told(),
        ["jo@example.org: You are on call for web until Mon 14 Dec 2026 11:00 EET (kim)"]
    );
    scene.pass(DAY).await;
    assert_eq!(scene.told(), [""; 0]);
}

#[tokio::test]
async fn of_two_servers_one_sends() {
    let scene = Scene::new(Some(ShiftNotices::default())).await;
    let other = Notices::new(scene.engine.clone(), Arc::new(scene.settings.clone()));
    scene.pass(3600).await;
    scene.clock.advance(secs(DAY));
    let (a, b) = tokio::join!(scene.notices.tick(), other.tick());
    assert_eq!(a.unwrap() + b.unwrap(), 1);
    assert_eq!(scene.told().len(), 1);
}

#[tokio::test]
async fn p22_who_has_an_incident_that_is_still_reported_is_told_once_a_day() {
    let scene = Scene::new(None).await;
    let service = ServiceName::new("shop").unwrap();
    scene.edit("admin", Entry::Service { service, team: team("web"), owner: None }).await;
    let report = async || {
        let report = Report::builder("shop", Severity::Warn, "5xx").dedup_key("k").build().unwrap();
        match scene.engine.report(report).await.unwrap() {
            Reported::New(record) | Reported::Repeat(record) => record.number(),
            Reported::UnknownService => panic!("the service is there"),
        }
    };
    let number = report().await;
    let asks = async |change| {
        let update = Update::state(person("jo"), change);
        assert!(matches!(scene.engine.update(number, &update).await.unwrap(), Updated::Changed(_)));
    };
    asks(StateChange::Claim(TakeOver::No)).await;
    let told = || -> Vec<String> {
        let told = scene.told().into_iter();
        told.filter(|told| told.contains("You have had incident")).collect()
    };
    let found = async || {
        let web = team("web");
        let found = feeds::coverage(&scene.engine, &scene.settings, Some(&web), 1).await.unwrap();
        let found = found[&web].iter().filter(|finding| finding.kind == FindingKind::ForgottenClaim);
        found.map(|finding| finding.detail.clone()).collect::<Vec<_>>()
    };
    let hours = async |hours: u64| {
        for _ in 0..hours {
            scene.pass(3600).await;
            report().await;
        }
    };
    hours(23).await;
    assert_eq!((told(), found().await), (Vec::new(), Vec::new()), "it is not a day old");
    hours(2).await;
    let first = told();
    let title = format!("jo@example.org: You have had incident {number} for 1 d, and it is still reported");
    assert_eq!(first.len(), 1, "{first:#?}");
    assert!(first[0].starts_with(&title), "{first:#?}");
    let since = "since 2026-12-06 12:00 UTC, and it was reported again at 2026-12-07 13:00 UTC";
    assert_eq!(found().await, [format!("jo has had incident {number} {since}")]);
    hours(22).await;
    assert_eq!(told(), [""; 0], "once a day");
    hours(3).await;
    assert_eq!(told().len(), 1);
    // A snooze does not change that.
    asks(StateChange::Snooze(secs(7 * DAY))).await;
    hours(24).await;
    assert_eq!(told().len(), 1);
    // Nobody reports it any more.
    scene.pass(2 * DAY).await;
    assert_eq!(told().len(), 1, "it was reported in the last day");
    assert_eq!(found().await, [""; 0]);
    report().await;
    scene.pass(2 * 3600).await;
    assert_eq!(told().len(), 1, "it is reported again");
    asks(StateChange::Resolve).await;
    scene.pass(2 * DAY).await;
    assert_eq!((told(), found().await), (Vec::new(), Vec::new()));
}
