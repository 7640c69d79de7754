//! Whatever happened to an incident, the API, the board, `show` and the mails tell the same.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Engine;
use inresponse_core::clock::Clock as _;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, IncidentNumber, KeyName, Person, Report, ServiceName, TeamName};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::plan::{self, StateChange, TakeOver};
use inresponse_core::roster::{Rota, Team, Zone};
use inresponse_core::testing::{ManualClock, RosterTestExt};
use inresponse_http::{Api, ApiKey, Keys, Pages, Scope, router};
use mail_parser::MessageParser;

use super::*;

const KEY: &str = "a key of this test";
const SITE: &str = "https://ir.example.org";

fn t0() -> DateTime<Utc> {
    "2026-11-29T07:11:00Z".parse().unwrap()
}

/// Refuses addresses that begin with `x`, cannot reach those with `u`, and keeps what it was given.
#[derive(Debug, Clone, Default)]
struct Carrier(Arc<Mutex<Vec<Alert>>>);

#[async_trait]
impl Notifier for Carrier {
    async fn notify(&self, alert: &Alert, _: Duration) -> Outcome {
        self.0.lock().unwrap().push(alert.clone());
        match alert.contact().address().as_bytes()[0] {
            b'x' => Outcome::rejected("550 no such user"),
            b'u' => Outcome::unavailable("no route to host"),
            _ => Outcome::Accepted,
        }
    }
}

/// What somebody does, and what time it is then, in seconds.
enum Act {
    Hand(&'static str),
    Claim,
    Release,
}

struct Story {
    name: &'static str,
    levels: &'static [&'static str],
    fallback: &'static str,
    repeat: u32,
    acts: &'static [(i64, Act)],
    /// When it is looked at.
    at: i64,
    /// What the board and `show` both say.
    said: &'static [&'static str],
    unsaid: &'static [&'static str],
    /// What the last mail says.
    mail: &'static [&'static str],
    reached: Option<&'static str>,
}

const NOTHING: Story = Story {
    name: "",
    levels: &["jo"],
    fallback: "ops",
    repeat: 0,
    acts: &[],
    at: 0,
    said: &[],
    unsaid: &["could not be reached", "everybody was alerted", "nobody could", "due at once"],
    mail: &[],
    reached: None,
};

const STORIES: &[Story] = &[
    Story {
        name: "the first level is alerted",
        said: &["alerting level 1: jo@x.org", "the fallback: ops@x.org"],
        mail: &["09:21:00 EET  ops@x.org (fallback)"],
        ..NOTHING
    },
    Story {
        name: "nobody can be reached",
        levels: &["xjo"],
        fallback: "xops",
        said: &[
            "alerting level 1: xjo@x.org",
            "level 1 could not be reached, so the next level was due at once",
            "the fallback could not be reached",
            "nobody could be reached",
            "550 no such user",
        ],
        unsaid: &["everybody was alerted", "was alerted", "fallback could not be reached, so", "claimed it"],
        mail: &["xjo@x.org could not be reached: 550 no such user"],
        reached: Some("nobody"),
        ..NOTHING
    },
    Story {
        name: "everybody is alerted and nobody claims it",
        at: 600,
        said: &["alerting the fallback: ops@x.org", "everybody was alerted, and nobody claimed it"],
        unsaid: &["could not be reached", "nobody could be", "due at once"],
        mail: &["jo@x.org was alerted"],
        reached: Some("everybody"),
        ..NOTHING
    },
    Story {
        name: "not everybody is reached",
        levels: &["xjo", "kim"],
        at: 1200,
        said: &[
            "level 1 could not be reached, so the next level was due at once",
            "not everybody was reached, and nobody claimed it",
        ],
        unsaid: &["everybody was alerted", "nobody could be reached"],
        mail: &["xjo@x.org could not be reached: 550 no such user", "kim@x.org was alerted"],
        reached: Some("somebody"),
        ..NOTHING
    },
    Story {
        name: "nobody has been reached yet",
        levels: &["ujo"],
        fallback: "uops",
        at: 600,
        said: &["nobody has been reached yet", "has not been reached yet", "no route to host"],
        unsaid: &["everybody was alerted", "nobody could be reached", "could not be reached"],
        mail: &["ujo@x.org has not been reached yet: no route to host"],
        reached: Some("nobodyYet"),
        ..NOTHING
    },
    Story {
        name: "the first level dies while the second has its turn",
        levels: &["xjo", "kim", "lee"],
        at: 0,
        said: &["level 1 could not be reached, so the next level was due at once", "level 3: lee@x.org"],
        unsaid: &["nobody could be reached", "everybody was alerted"],
        mail: &["xjo@x.org could not be reached: 550 no such user", "lee@x.org"],
        ..NOTHING
    },
    Story {
        name: "a round that will be repeated is at its last level",
        repeat: 1,
        said: &["round 2: the people on call then"],
        unsaid: &["ops@x.org", "fallback"],
        mail: &["09:21:00 EET  Round 2: the people on call then"],
        ..NOTHING
    },
    Story {
        name: "it is claimed before anybody looks again",
        levels: &["xjo", "ukim"],
        acts: &[(5, Act::Claim)],
        at: 10,
        said: &["level 1 could not be reached, so the next level was due at once", "no longer needed"],
        unsaid: &["nobody could be reached", "everybody was alerted", "unless somebody claims it"],
        ..NOTHING
    },
    Story {
        name: "it was unclaimed and then released",
        acts: &[(601, Act::Claim), (602, Act::Release)],
        at: 602,
        said: &["nobody was left to alert", "the fallback: ops@x.org"],
        unsaid: &["everybody was alerted", "nobody could be reached"],
        ..NOTHING
    },
    Story {
        name: "it is handed to an address that is refused",
        acts: &[(5, Act::Hand("xkim@x.org"))],
        at: 5,
        said: &[
            "xkim@x.org could not be notified of the hand-over",
            "the alerts begin again",
            "550 no such user",
        ],
        unsaid: &["nobody could be reached", "everybody was alerted"],
        mail: &["handed the incident to you", "Answer by 2026-11-29 09:21:05 EET, or the alerts begin again"],
        ..NOTHING
    },
    Story {
        name: "it is handed to somebody who does not answer",
        acts: &[(5, Act::Hand("kim@x.org"))],
        at: 605,
        said: &[
            "kim@x.org did not answer in time, so the incident is open again",
            "alerting level 1: jo@x.org",
        ],
        unsaid: &["nobody could", "everybody was alerted", "answer by"],
        mail: &["CRIT on athens", "round 2"],
        ..NOTHING
    },
];

struct World {
    engine: Engine,
    clock: ManualClock,
    carrier: Carrier,
    router: Router,
    number: IncidentNumber,
}

impl World {
    async fn tell(story: &Story) -> Self {
        let (clock, carrier) = (ManualClock::at(t0()), Carrier::default());
        let notifiers = Notifiers::new().mail(carrier.clone());
        let engine =
            Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();
        let contact = |name: &&str| Contact::new(format!("{name}@x.org")).unwrap();
        let (devops, athens) = (TeamName::new("devops").unwrap(), ServiceName::new("athens").unwrap());
        let settings = Team::builder(vec![contact(&story.fallback)]);
        let settings = settings.timezone(Zone::new("Europe/Athens").unwrap()).repeat(story.repeat);
        engine.roster().put_team(&devops, &settings.build().unwrap()).await.unwrap();
        engine.roster().put_service(&athens, &devops).await.unwrap();
        let mut levels = story.levels.iter().map(|level| vec![contact(level)]);
        let rota = Rota::new(levels.next().unwrap(), levels.collect()).unwrap();
        engine.roster().put_day(&devops, t0().date_naive(), &rota).await.unwrap();
        let key = ApiKey::from_plain("admin", KEY, Scope::ALL.to_vec()).unwrap();
        let api = Api::new(engine.clone(), Keys::new(vec![key])).pages(Pages::under(SITE).unwrap());
        let report =
            Report::builder("athens", inresponse_core::model::Severity::Crit, "5xx").build().unwrap();
        let inresponse_core::engine::Reported::New(record) = engine.report(report).await.unwrap() else {
            panic!("it is new")
        };
        let world = Self { engine, clock, carrier, router: router(api), number: record.number() };
        world.pass_until(0).await;
        for (at, act) in story.acts {
            world.pass_until(*at).await;
            let jo = Person::new("jo").unwrap();
            let change = match act {
                Act::Hand(to) => StateChange::HandTo(Person::new(to).unwrap()),
                Act::Claim => StateChange::Claim(TakeOver::No),
                Act::Release => StateChange::Release(TakeOver::No),
            };
            let update = plan::Update::state(jo, change).with_key(KeyName::new("pager").unwrap());
            let _ = world.engine.update(world.number, &update).await.unwrap();
        }
        world.pass_until(story.at).await;
        world
    }

    /// Does what is due, up to that second.
    async fn pass_until(&self, at: i64) {
        loop {
            self.engine.tick().await.unwrap();
            if self.clock.now() >= t0() + TimeDelta::seconds(at) {
                return;
            }
            self.clock.advance(Duration::from_secs(1));
        }
    }

    async fn send(&self, request: Request<Body>) -> (Option<String>, String) {
        let answer = tower::ServiceExt::oneshot(self.router.clone(), request).await.unwrap();
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (cookie, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn page(&self) -> String {
        let post = Request::builder().method(Method::POST).uri("/board/sign-in").header("origin", SITE);
        let form = Body::from(format!("key={}&name=Ann&next=", KEY.replace(' ', "+")));
        let (cookie, _) = self.send(post.body(form).unwrap()).await;
        let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        let get =
            Request::builder().uri(format!("/board/incidents/{}", self.number)).header("cookie", cookie);
        self.send(get.body(Body::empty()).unwrap()).await.1
    }

    async fn details(&self) -> Details {
        let get = Request::builder().uri(format!("/incidents/{}", self.number)).header("x-api-key", KEY);
        serde_json::from_str(&self.send(get.body(Body::empty()).unwrap()).await.1).unwrap()
    }

    fn last_mail(&self) -> String {
        let alert = self.carrier.0.lock().unwrap().last().unwrap().clone();
        let sender = inresponse_mail::Sender::new("alerts@example.org").unwrap();
        let mail = inresponse_mail::render(&alert, &sender, self.clock.now()).unwrap();
        MessageParser::default().parse(mail.message()).unwrap().body_text(0).unwrap().into_owned()
    }
}

#[tokio::test]
async fn p12_every_surface_tells_the_same_of_what_happened() {
    for story in STORIES {
        let world = World::tell(story).await;
        let details = world.details().await;
        let (page, show, mail) = (world.page().await.to_lowercase(), shown(&details), world.last_mail());
        let show = show.to_lowercase();
        for (surface, text) in [("the board", &page), ("show", &show)] {
            for said in story.said {
                assert!(text.contains(said), "{}: {surface} does not say {said:?}:\n{text}", story.name);
            }
            for unsaid in story.unsaid {
                assert!(!text.contains(unsaid), "{}: {surface} says {unsaid:?}:\n{text}", story.name);
            }
        }
        if !story.acts.is_empty() {
            let key = ", with the key pager";
            assert!(page.contains(key) && show.contains(key), "{}: {page}\n{show}", story.name);
        }
        for said in story.mail {
            assert!(mail.contains(said), "{}: the mail does not say {said:?}:\n{mail}", story.name);
        }
        let incident = &details.incident;
        assert_eq!(incident.reached.as_ref().map(Reached::as_str), story.reached, "{}", story.name);
        assert_eq!(incident.undelivered, story.reached == Some("nobody"), "{}", story.name);
        if incident.state == inresponse_client::State::Open {
            assert_eq!(page.contains("value=\"escalate\""), !details.upcoming.is_empty(), "{}", story.name);
        }
        let is_flagged = story.said.iter().any(|said| said.contains("could not be notified"));
        assert_eq!(incident.handover_unconfirmed, is_flagged, "{}", story.name);
    }
}
