//! How large a record becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scene::Scene;
use super::{LEASE, WAIT};
use crate::model::{
    Contact, Incident, IncidentNumber, KeyName, Level, Matrix, MethodName, Note, Person, PersonId, Recipient,
    Report, Reporter, ServiceName, Severity, TeamName, Version,
};
use crate::notify::Outcome;
use crate::plan::{self, Alerted, Draft, HoldNothing, StateChange, TakeOver, Update};
use crate::roster::{
    self, Book, Defaults, Directory, Entry, Profile, RuleFor, RuleStep, Standing, Target, Team, TeamLevel,
    TeamPart,
};
use crate::store::Record;

/// The promise says well under 100 KB.
const MOST: usize = 96 * 1024;

fn encoded(incident: &Incident) -> usize {
    let body = Draft::new(incident.clone()).body();
    let read = Record::decode(&body, Version::FIRST, 1, incident.created_at()).unwrap();
    assert_eq!(&read.incident, incident, "a record is read as it was written");
    body.len()
}

fn longest_contact(i: usize) -> Contact {
    Contact::new(format!("x:{i:04}{}", "\u{10348}".repeat((Contact::MAX_BYTES - 6) / 4))).unwrap()
}

fn longest_mail(i: usize) -> Contact {
    let domain = format!("{}.org", "d".repeat(60));
    let local = "l".repeat(Contact::MAX_BYTES - "mailto:0000@".len() - domain.len());
    Contact::new(format!("mailto:{i:04}{local}@{domain}")).unwrap()
}

/// As many contacts as a rota and a fallback may have, in `height` levels.
fn widest_matrix(contact: fn(usize) -> Contact, height: usize) -> Matrix {
    let half = Matrix::MAX_CONTACTS / 2;
    let levels =
        (0..height).map(|level| (0..half).filter(|i| i % height == level).map(contact).collect()).collect();
    let masks =
        Severity::ALL.map(|severity| (severity, (1..=40).map(|n| if n > 20 { n + 65_000 } else { n })));
    let masks: BTreeMap<_, _> = masks.into_iter().map(|(s, levels)| (s, levels.collect())).collect();
    Matrix::new(levels, (half..2 * half).map(contact).collect(), WAIT).repeated(100).alerting(masks)
}

/// A matrix of people with the longest names, as many methods and steps as they may have, and addresses of `length`
/// bytes, as the roster freezes it.
fn people(height: usize, length: usize) -> Matrix {
    let id = |i: usize| PersonId::new(format!("{i:02}{}", "p".repeat(PersonId::MAX_BYTES - 2))).unwrap();
    let method = |n: usize| MethodName::new(format!("{n}{}", "m".repeat(MethodName::MAX_BYTES - 1))).unwrap();
    let mut book = Book::default();
    for i in 0..20 {
        let contact = |n: usize| Contact::new(format!("x:{i:02}{n}{}", "c".repeat(length - 5))).unwrap();
        let mut profile = Profile::builder((0..10).map(|n| (method(n), contact(n))).collect());
        let of = Severity::ALL.map(RuleFor::Severity);
        for (k, of) in of.into_iter().chain([RuleFor::Default]).enumerate() {
            // Each severity has other methods.
            let step = |n: usize| RuleStep {
                after: std::time::Duration::from_secs(60 * n as u64),
                methods: vec![method((n + 3 * k) % 10)],
            };
            profile = profile.rule(of, (0..10).map(step).collect());
        }
        book.put(Entry::person(&id(i), profile.build().unwrap()));
    }
    let level = |level: usize| TeamLevel {
        notify: (0..20).filter(|i| i % height == level).map(|i| Target::Person(id(i))).collect(),
        wait: Some(std::time::Duration::from_secs(600 + level as u64)),
    };
    let fallback: Vec<Contact> = (0..20).map(longest_mail).collect();
    let team = Team::builder(fallback).levels((0..height).map(level).collect()).build().unwrap();
    let part = TeamPart { settings: Some(Arc::new(team)), days: BTreeMap::new(), standing: Standing::Known };
    let directory = Directory::new(TeamName::new("t").unwrap(), part, Arc::new(book));
    roster::resolve(&directory, &Defaults::none(), super::T0).unwrap().matrix.repeated(100)
}

fn longest_report() -> Report {
    let mut builder = Report::builder("s".repeat(128), Severity::Crit, "\"".repeat(500))
        .dedup_key("\"".repeat(512))
        .source("\"".repeat(128));
    for i in 0..10 {
        builder = builder.link(format!("{i:02}"), format!("https://{}", "x".repeat(600)));
    }
    for i in 0..15 {
        builder = builder.label(format!("{i:02}"), "\"".repeat(500));
    }
    let service = ServiceName::new("\"".repeat(128)).unwrap();
    builder.message("m".repeat(1_400)).build().unwrap().reported_with(Reporter::new(key(), Some(service)))
}

/// A name of a key that takes the most room.
fn key() -> KeyName {
    KeyName::new("\"".repeat(KeyName::MAX_BYTES)).unwrap()
}

fn open(matrix: Matrix) -> Scene {
    let team = TeamName::new("\"".repeat(128)).unwrap();
    let (opening, _) = plan::open(longest_report(), team, matrix.clone(), None, super::T0);
    let incident = opening.numbered(IncidentNumber::new(u64::MAX)).into_incident();
    Scene {
        incident,
        now: super::T0,
        matrix,
        owner: "devops",
        alerted: Alerted::Team,
        rules: Default::default(),
    }
}

/// What everybody and every carrier may do to make it grow, for many rounds.
fn worst_size(matrix: Matrix, rounds: i64, each_round: fn(&mut Scene, i64)) -> usize {
    let mut scene = open(matrix);
    let mut most = 0;
    for round in 0..rounds {
        each_round(&mut scene, round);
        most = most.max(encoded(&scene.incident));
        let by = Person::new(format!("{}{}", "\"".repeat(99), round % 10)).unwrap();
        let asks = |scene: &mut Scene, update: Update| scene.asks(&update.with_key(key())).unwrap();
        asks(&mut scene, Update::state(by.clone(), StateChange::Claim(TakeOver::Yes)));
        let note = Note::new("\"".repeat(Note::MAX_BYTES)).unwrap();
        asks(&mut scene, Update::note(by.clone(), note));
        most = most.max(encoded(&scene.incident));
        asks(&mut scene, Update::state(by, StateChange::Release(TakeOver::Yes)));
        most = most.max(encoded(&scene.incident));
    }
    most
}

/// Every level begins, and every carrier has much to say about every attempt.
fn talkative(scene: &mut Scene, _: i64) {
    let long = "\u{10348}\"".repeat(60);
    for _ in 0..25 {
        let Some(due_at) = plan::due_at(&scene.incident) else { break };
        scene.now = scene.now.max(due_at);
        for send in scene.lease(&HoldNothing) {
            let outcome =
                if send.attempt > 1 { Outcome::rejected(&long) } else { Outcome::unavailable(&long) };
            scene.attempt_ends_of(&send, &outcome);
        }
        scene.repeat(Severity::Warn);
    }
}

/// Every process dies during a send, and its result is never known.
fn deadly(scene: &mut Scene, _: i64) {
    for _ in 0..8 {
        let Some(due_at) = plan::due_at(&scene.incident) else { break };
        scene.now = scene.now.max(due_at);
        scene.lease(&HoldNothing);
    }
    scene.now += LEASE;
}

/// People take it and give it back so fast that no outcome comes in between.
fn hasty(scene: &mut Scene, _: i64) {
    scene.lease(&HoldNothing);
}

/// People call in as many as there is room for, and everybody answers.
fn crowded(scene: &mut Scene, round: i64) {
    let by = Person::new(format!("{}{round}", "\"".repeat(98))).unwrap();
    let update = |matrix: Matrix| Update::call_in(by.clone(), matrix).with_key(key());
    let contacts = (0..plan::MAX_CALLED / 2).map(|i| longest_contact(500 + i)).collect();
    _ = scene.asks(&update(Matrix::new(vec![contacts], Vec::new(), WAIT)));
    let everybody = called(plan::MAX_CALLED / 2, 250);
    _ = scene.asks(&update(everybody));
    let claim = |by: String| Update::state(Person::new(by).unwrap(), StateChange::Claim(TakeOver::No));
    _ = scene.asks(&claim("c".repeat(100)));
    _ = scene.asks(&update(called(plan::MAX_CALLED, 250)));
    talkative(scene, round);
    for i in 0..plan::MAX_CALLED {
        _ = scene.asks(&claim(longest_person(i).to_string()).with_key(key()));
    }
}

fn longest_person(i: usize) -> PersonId {
    PersonId::new(format!("{i:02}{}", "p".repeat(PersonId::MAX_BYTES - 2))).unwrap()
}

/// A matrix of that many people with the longest names, and addresses of `length` bytes.
fn called(people: usize, length: usize) -> Matrix {
    let contact = |i: usize| Contact::new(format!("y:{i:02}{}", "c".repeat(length - 4))).unwrap();
    let recipient = |i: usize| Recipient {
        level: Some(Level::At(1)),
        contact: contact(i),
        person: longest_person(i),
        method: MethodName::new("m".repeat(MethodName::MAX_BYTES)).unwrap(),
    };
    let contacts = (0..people).map(contact).collect();
    Matrix::new(vec![contacts], Vec::new(), WAIT).reaching((0..people).map(recipient).collect())
}

#[test]
fn p07_a_record_with_many_people_who_are_called_in_stays_under_100_kb() {
    for (what, matrix) in [
        ("mail", widest_matrix(longest_mail, 5)),
        ("other", widest_matrix(longest_contact, 1)),
        ("people", people(5, 250)),
    ] {
        let size = worst_size(matrix, 8, crowded);
        assert!(size < MOST, "{what}: {size} bytes");
    }
}

#[test]
fn p07_a_record_stays_under_100_kb_whatever_happens() {
    for (what, contact) in [("mail", longest_mail as fn(usize) -> Contact), ("other", longest_contact)] {
        for height in [1, 5, 20] {
            for (how, each_round) in
                [("talkative", talkative as fn(&mut Scene, i64)), ("deadly", deadly), ("hasty", hasty)]
            {
                let size = worst_size(widest_matrix(contact, height), 15, each_round);
                assert!(size < MOST, "{what} contacts in {height} levels, {how}: {size} bytes");
            }
        }
    }
}

#[test]
fn p07_a_record_of_people_with_many_methods_and_rules_stays_under_100_kb_too() {
    for (height, length) in [(1, 250), (5, 250), (20, 250), (5, 40)] {
        for (how, each_round) in [("talkative", talkative as fn(&mut Scene, i64)), ("deadly", deadly)] {
            let matrix = people(height, length);
            for severity in Severity::ALL {
                let levels = (1..=matrix.height()).map(Level::At).chain([Level::Fallback]);
                let alerts: usize = levels.map(|level| matrix.steps(level, severity).len()).sum();
                assert!(alerts <= Matrix::MAX_CONTACTS && matrix.cut(severity) > 100, "{alerts} alerts");
            }
            let size = worst_size(matrix, 6, each_round);
            assert!(size < MOST, "{height} levels, addresses of {length} bytes, {how}: {size} bytes");
        }
    }
}

#[test]
fn p07_repeats_do_not_make_a_record_grow() {
    let mut scene = Scene::open(widest_matrix(longest_mail, 3), Severity::Err);
    scene.due_holding(&[]);
    scene.repeat(Severity::Warn);
    let size = encoded(&scene.incident);
    for i in 0..1000 {
        scene.at(i);
        assert!(!scene.repeat(Severity::Warn));
    }
    assert_eq!(encoded(&scene.incident), size);
}

#[test]
fn p07_attempts_do_not_make_a_record_grow() {
    let mut scene = Scene::crit(super::levels(&["u"]));
    scene.play(5000);
    assert!(scene.delivery("1:u").attempts() > 100);
    assert!(encoded(&scene.incident) < 2048);
}
