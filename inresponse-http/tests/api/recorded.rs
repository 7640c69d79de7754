//! A roster that uses nothing new is answered as it always was.
//!
//! `tests/recorded/rosters.txt` was written by this test, with the last version that had no people and no schedules. The
//! random rosters use everything that this version had: settings of teams, calendars, services, the deployment's
//! fallback and the catch-all team. A line is one answer: the number of the roster, the request, the status, and the
//! body. Instead of the body of a report's answer it has the incident's team and its frozen matrix, as they are stored.
//! Of refusals only the status is compared, since their texts have been rewritten.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, IncidentNumber, TeamName};
use inresponse_core::roster::Defaults;
use serde_json::{Value, json};

use crate::world::{Answer, World};

const RECORDED: &str = include_str!("../recorded/rosters.txt");
const ROSTERS: u64 = 240;
/// The time of the clock at first.
const BEGIN: &str = "2026-11-24T03:00:00Z";

const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Athens",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
];
/// Instants near which clocks change, besides the beginning.
const MOMENTS: [&str; 4] =
    ["2026-11-01T06:00:00Z", "2027-03-14T07:00:00Z", "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z"];

/// Random numbers that are the same in every version: splitmix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).unwrap()]
    }

    fn contact(&mut self) -> String {
        format!("c{}@example.org", self.below(9))
    }

    fn contacts(&mut self, sizes: &[usize]) -> Vec<String> {
        (0..self.pick(sizes)).map(|_| self.contact()).collect()
    }

    /// A list, or a single contact as a text.
    fn one_or_more(&mut self) -> Value {
        if self.below(3) == 0 { self.contact().into() } else { self.contacts(&[0, 1, 1, 2, 3]).into() }
    }

    fn team(&mut self) -> Value {
        let mut team = json!({ "fallback": self.contacts(&[1, 1, 2, 3]) });
        let levels: [&[u16]; 5] = [&[], &[1], &[2], &[1, 3], &[1, 2, 3, 4]];
        if self.below(4) > 0 {
            team["timezone"] = self.pick(&ZONES).into();
        }
        if self.below(2) == 0 {
            team["escalateAfterSeconds"] = self.pick(&[1u64, 30, 300, 86_400]).into();
        }
        if self.below(3) == 0 {
            team["repeat"] = self.below(4).into();
        }
        for severity in ["CRIT", "ERR", "WARN"] {
            if self.below(6) == 0 {
                team["alertLevels"][severity] = self.pick(&levels).into();
            }
        }
        team
    }

    fn day(&mut self) -> Value {
        let escalation = match self.below(4) {
            0 => self.contact().into(),
            1 => json!([]),
            _ => (0..=self.below(3)).map(|_| self.one_or_more()).collect::<Vec<_>>().into(),
        };
        json!({ "oncall": self.one_or_more(), "escalation": escalation })
    }

    fn moment(&mut self) -> DateTime<Utc> {
        let near: DateTime<Utc> =
            if self.below(2) == 0 { BEGIN } else { self.pick(&MOMENTS) }.parse().unwrap();
        near + TimeDelta::seconds(i64::try_from(self.below(200_000)).unwrap() - 100_000)
    }
}

struct Recording {
    roster: u64,
    lines: String,
}

impl Recording {
    /// Writes a line. The answer is returned.
    fn keep(&mut self, request: &str, answer: Answer) -> Answer {
        let body = if answer.status.is_success() { answer.text.as_str() } else { "" };
        self.line(request, answer.status, body);
        answer
    }

    fn line(&mut self, request: &str, status: StatusCode, body: &str) {
        assert!(!body.contains('\n'), "{body}");
        let line = format!("{} {request} {} {body}", self.roster, status.as_u16());
        writeln!(self.lines, "{}", line.trim_end()).unwrap();
    }
}

async fn world(rng: &mut Rng) -> World {
    let (has_fallback, has_catch_all) = (rng.below(3) == 0, rng.below(3) == 0);
    World::made(MemoryStore::new(), MemoryRoster::new(), |mut engine| {
        if has_fallback {
            let last = vec![Contact::new("last@example.org").unwrap()];
            engine = engine.defaults(Defaults::with_fallback(last).unwrap());
        }
        if has_catch_all {
            engine = engine.catch_all(TeamName::new("devops").unwrap());
        }
        engine
    })
    .await
}

/// Makes a random roster, asks who is on call, and reports incidents.
async fn record(roster: u64) -> String {
    let mut rng = Rng(roster.wrapping_mul(0xd134_2543_de82_ef95));
    let world = world(&mut rng).await;
    let mut recording = Recording { roster, lines: String::new() };
    let begin: DateTime<Utc> = BEGIN.parse().unwrap();
    world.clock.jump(begin + TimeDelta::seconds(i64::try_from(rng.below(86_400)).unwrap()));
    // `web` has settings most of the time; `db` is known only by its calendar and its service.
    if rng.below(4) > 0 {
        let path = "/teams/web";
        recording.keep("PUT team", world.put(path, rng.team()).await);
        recording.keep("GET team", world.get(path).await);
    }
    if rng.below(4) == 0 {
        world.put("/teams/devops", rng.team()).await;
    }
    let asked = [rng.moment(), rng.moment()];
    let mut days: Vec<NaiveDate> = asked.iter().map(|at| at.date_naive()).collect();
    days.extend([begin.date_naive(), begin.date_naive() + Days::new(1), days[0] + Days::new(1)]);
    for day in days {
        let team = rng.pick(&["web", "web", "web", "db", "devops"]);
        if rng.below(3) > 0 {
            let path = format!("/teams/{team}/calendar/{day}");
            let put = world.put(&path, rng.day()).await;
            recording.line(&format!("PUT {team} {day}"), put.status, "");
            if rng.below(5) == 0 {
                recording.keep("GET day", world.get(&path).await);
            }
        }
    }
    for (service, team) in [("shop", "web"), ("table", "db")] {
        let put = world.put(&format!("/services/{service}"), json!({ "team": team })).await;
        recording.keep(&format!("PUT {service}"), put);
    }
    for at in asked {
        let team = rng.pick(&["web", "web", "db", "devops", "nobody"]);
        let path = format!("/teams/{team}/oncall?at={}", at.format("%FT%TZ"));
        recording.keep("GET oncall", world.get(&path).await);
    }
    for _ in 0..2 {
        let service = rng.pick(&["shop", "shop", "table", "athens", "unknown"]);
        let severity = rng.pick(&["CRIT", "ERR", "WARN"]);
        let report = json!({ "service": service, "severity": severity, "title": "5xx", "message": "many" });
        let answer = world.put("/incidents", report).await;
        let mut body = String::new();
        if let Some(number) = answer.json["incidentId"].as_u64() {
            let record = world.engine.get(IncidentNumber::new(number)).await.unwrap().unwrap();
            let matrix = serde_json::to_string(record.incident.matrix()).unwrap();
            body = format!("{} {matrix}", record.incident.team());
        }
        recording.line(&format!("PUT incident {service} {severity}"), answer.status, &body);
        world.clock.advance(Duration::from_secs(rng.below(90_000)));
    }
    recording.lines
}

#[tokio::test]
async fn p17_a_roster_that_uses_nothing_new_is_answered_byte_by_byte_as_before() {
    let mut lines = String::new();
    for roster in 0..ROSTERS {
        lines += &record(roster).await;
    }
    let mut recorded = RECORDED.lines();
    for line in lines.lines() {
        assert_eq!(Some(line), recorded.next());
    }
    assert_eq!(recorded.next(), None);
    for kind in ["oncall 200", "oncall 404", "incident shop CRIT 201", "table ERR 201", "unknown WARN 422"] {
        assert!(RECORDED.contains(kind), "no answer of this kind is compared: {kind}");
    }
    assert!(RECORDED.len() < 300_000, "{}", RECORDED.len());
}
